//! Revocations: kept until nothing needs them, numbered without repeats, and whose they are to make.

use super::*;
use crate::revocation::{Mark, Revocation, Revoke, Revoked};

const HOUR: i64 = 3_600_000;

fn mark(number: u8) -> Mark {
    Mark::from([number; 8])
}

fn of_client(client_id: &str, what: Vec<Revoked>, until: Timestamp) -> Command {
    Command::Revoke(Revoke { what, until, client_id: Some(client_id.to_owned()) })
}

fn numbers(all: &[Revocation]) -> Vec<u64> {
    all.iter().map(|revocation| revocation.number).collect()
}

pub async fn what_was_revoked_is_told_until_it_can_be_forgotten(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    assert_eq!(stage.port.revocations(0, START).await.unwrap(), []);
    let end = START.plus_millis(HOUR);
    let what = vec![Revoked::Credential(mark(1)), Revoked::Client("client".into())];
    let command = Command::Revoke(Revoke::all(what.clone(), end));
    stage.execute_at(START, &Actor::product(), command).await.unwrap();
    let all = stage.port.revocations(0, START).await.unwrap();
    assert_eq!(all.iter().map(|it| it.what.clone()).collect::<Vec<_>>(), what);
    assert!(all.iter().all(|it| (it.at, it.until) == (START, end)));
    assert!(all[0].number < all[1].number);
    assert_eq!(stage.port.revocations(all[0].number, START).await.unwrap(), all[1..]);
    assert_eq!(stage.port.revocations(all[1].number, START).await.unwrap(), []);
    assert_eq!(stage.port.revocations(0, end.plus_millis(-1)).await.unwrap(), all);
    assert_eq!(stage.port.revocations(0, end).await.unwrap(), []);
    let reopened = ground.open_as_after_a_kill().await;
    assert_eq!(reopened.revocations(0, START).await.unwrap(), all);
}

pub async fn a_number_is_never_given_twice(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let product = Actor::product();
    let revoke = |number: u8, until| Command::Revoke(Revoke::all(vec![Revoked::Grant(mark(number))], until));
    let end = START.plus_millis(HOUR);
    stage.execute_at(START, &product, revoke(1, end)).await.unwrap();
    stage.execute_at(START, &product, revoke(2, end)).await.unwrap();
    let before = stage.port.revocations(0, START).await.unwrap();
    // All that was there is cleared away by the next, which still gets a number of its own.
    stage.execute_at(end, &product, revoke(3, end.plus_millis(HOUR))).await.unwrap();
    let after = stage.port.revocations(0, START).await.unwrap();
    assert_eq!(after.len(), 1, "what is over is cleared away");
    assert!(after[0].number > before[1].number);
}

pub async fn what_is_revoked_again_is_told_again_with_the_later_times(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let revoke = |until| Command::Revoke(Revoke::all(vec![Revoked::Client("client".into())], until));
    let (late, early) = (START.plus_millis(2 * HOUR), START.plus_millis(HOUR));
    stage.execute_at(START, &Actor::product(), revoke(late)).await.unwrap();
    let first = stage.port.revocations(0, START).await.unwrap();
    let again = START.plus_millis(1_000);
    stage.execute_at(again, &Actor::product(), revoke(early)).await.unwrap();
    let second = stage.port.revocations(first[0].number, START).await.unwrap();
    assert_eq!(numbers(&second).len(), 1);
    assert_eq!((second[0].at, second[0].until), (again, late), "the later end holds");
    assert_eq!(stage.port.revocations(0, START).await.unwrap(), second, "there is one for each thing");
}

pub async fn only_owners_and_administrators_end_credentials(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let all = stage.furnish().await;
    let admin = stage.user("root", Role::Admin).await;
    let end = START.plus_millis(1 << 40);
    let (client_id, token) = (all.key.client_id.as_str(), vec![Revoked::Credential(mark(1))]);
    let theirs = || of_client(client_id, vec![Revoked::Client(client_id.into())], end);
    for stranger in [&all.other, &all.creator] {
        for command in [theirs(), of_client(client_id, token.clone(), end)] {
            assert_eq!(kind(&stage.execute(stranger, command).await.unwrap_err()), "no application");
        }
    }
    let nobody = of_client("nobody", token.clone(), end);
    assert_eq!(kind(&stage.execute(&all.owner, nobody).await.unwrap_err()), "no key");
    // Under the name of one's own key, nothing of others ends.
    for what in [Revoked::Client("other".into()), Revoked::Subject(mark(2))] {
        let command = of_client(client_id, vec![token[0].clone(), what], end);
        assert_eq!(kind(&stage.execute(&all.owner, command).await.unwrap_err()), "needs administer");
    }
    let nameless = Command::Revoke(Revoke::all(token.clone(), end));
    assert_eq!(kind(&stage.execute(&all.owner, nameless.clone()).await.unwrap_err()), "needs administer");
    assert_eq!(stage.port.revocations(0, START).await.unwrap(), [], "what was refused ended nothing");

    stage.execute(&all.owner, theirs()).await.unwrap();
    stage.execute(&all.owner, of_client(client_id, token, end)).await.unwrap();
    stage.execute(&admin, nameless).await.unwrap();
    stage.execute(&admin, Command::Revoke(Revoke::all(vec![Revoked::Subject(mark(2))], end))).await.unwrap();
    assert_eq!(stage.port.revocations(0, START).await.unwrap().len(), 3);
}

pub async fn a_revocation_is_no_change_of_the_snapshot(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let before = stage.number().await;
    let what = vec![Revoked::Credential(mark(1))];
    stage.done(Command::Revoke(Revoke::all(what, START.plus_millis(1 << 40)))).await;
    assert_eq!(stage.number().await, before);
}
