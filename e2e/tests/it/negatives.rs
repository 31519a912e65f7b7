//! What no authorization server may do: requests for codes and tokens by those who try (RFC 6749, RFC 7636, RFC 9700; the
//! attacks of the advisories of others). Each is put to ours and to one of other hands (`oidc-provider`), so that the
//! tests themselves are right; where that one answers otherwise, the row says how and why ours does not.

mod registrations;
mod rows;
mod server;

use rows::{Row, Theirs};
use server::{Answered, Flow, Server};

/// Puts rows to both; what is not as told is told together.
async fn hold(
    ask: impl AsyncFn(&Server, &str) -> Answered,
    rows: impl Fn(&Server, &Flow) -> Vec<Row>,
) -> usize {
    let (mut count, mut both) = (0, 0);
    for server in [Server::ours().await, Server::theirs().await] {
        let mut wrong = Vec::new();
        let flow = server.flow().await;
        for Row { name, request, expected, theirs } in rows(&server, &flow) {
            let expected = match theirs {
                _ if server.is_ours() => expected,
                Theirs::Same => expected,
                Theirs::Otherwise(otherwise) => otherwise,
                // It would spend what the next rows are about.
                Theirs::Allows => continue,
            };
            count += usize::from(server.is_ours());
            both += usize::from(!server.is_ours());
            let answered = ask(&server, &request).await;
            if !answered.is(expected) {
                wrong.push(format!("{name}: {answered:?} instead of {expected:?}: {request}"));
            }
        }
        assert!(wrong.is_empty(), "at {}:\n{}", server.name(), wrong.join("\n"));
        server.still_works(&flow).await;
    }
    // SECURITY.md has the command that adds these up.
    println!("negatives: {count} rows, {both} of them at oidc-provider as well");
    count
}

#[tokio::test]
async fn no_browser_is_sent_to_an_address_that_is_not_registered() {
    let count =
        hold(async |server, query| server.authorize(query).await, |_, flow| rows::addresses(flow)).await;
    assert!(count >= 50, "{count}");
}

#[tokio::test]
async fn the_person_is_told_where_nobody_else_can_be() {
    let count =
        hold(async |server, query| server.authorize(query).await, |_, flow| rows::told_to_the_person(flow))
            .await;
    assert!(count >= 17, "{count}");
}

#[tokio::test]
async fn a_client_is_told_what_it_did_wrong_and_gets_no_code() {
    let count =
        hold(async |server, query| server.authorize(query).await, |_, flow| rows::told_to_the_client(flow))
            .await;
    assert!(count >= 39, "{count}");
}

#[tokio::test]
async fn no_code_is_redeemed_by_who_it_was_not_given_to_or_for() {
    let count = hold(async |server, body| server.token(body).await, |_, flow| rows::codes(flow)).await;
    assert!(count >= 37, "{count}");
}

#[tokio::test]
async fn no_refresh_token_is_exchanged_by_who_it_was_not_given_to() {
    let count = hold(async |server, body| server.token(body).await, |_, flow| rows::refreshes(flow)).await;
    assert!(count >= 14, "{count}");
}

#[tokio::test]
async fn no_client_registers_as_what_it_may_not_be() {
    let ask = async |server: &Server, request: &str| server.registration(request).await;
    let count = hold(ask, registrations::documents_of).await;
    assert!(count >= 50, "{count}");
}

#[tokio::test]
async fn nobody_registers_or_changes_a_registration_without_its_token() {
    let ask = async |server: &Server, request: &str| server.registration(request).await;
    let count = hold(ask, registrations::proofs_of).await;
    assert!(count >= 25, "{count}");
}
