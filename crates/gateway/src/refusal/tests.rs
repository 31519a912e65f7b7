//! Every refusal as it is written out, and every ending as it is told and recorded.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use serde_json::Value;
use tidegate_model::{admit::Unwelcome, endpoint::Environment, id::BootId, time::Timestamp};
use tidegate_wire::{
    frame::FrameError,
    relay::{Cause, Ending, Initiator, Violation},
};

use super::*;

const BASE: &str = "https://localhost:9443";

fn instance() -> SessionId {
    SessionId { boot: BootId::new(Timestamp(1_800_000_000_000), [9; 10]), worker: 1, number: 42 }
}

/// An answer taken apart.
struct Answer {
    status: u16,
    head: String,
    headers: HashMap<String, String>,
    problem: Value,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// Writes the refusal out and reads it back, strictly.
#[track_caller]
fn answer(refusal: &Refusal) -> Answer {
    let bytes = refusal.answer(BASE, instance()).to_http1();
    let text = String::from_utf8(bytes).expect("an answer is text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head ends");
    assert!(!head.replace("\r\n", "").contains(['\r', '\n', '\0']), "{head:?}");
    let mut lines = head.split("\r\n");
    let status_line = lines.next().unwrap();
    let status = status_line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).unwrap();
    assert!(status_line.len() > "HTTP/1.1 000 ".len(), "{status_line} has a reason phrase");
    let mut headers = HashMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").expect("a header has a value");
        let before = headers.insert(name.to_ascii_lowercase(), value.to_owned());
        assert_eq!(before, None, "{name} stands once");
    }
    assert_eq!(headers["content-length"], body.len().to_string());
    Answer {
        status: status.parse().unwrap(),
        head: head.to_owned(),
        headers,
        problem: serde_json::from_str(body).expect("a body is JSON"),
    }
}

/// Every refusal with every error it can carry.
fn all() -> Vec<Refusal> {
    use UpgradeError as U;
    let mut all = samples();
    all.extend(
        [
            RawHeadError::BareLineFeed,
            RawHeadError::BareCarriageReturn,
            RawHeadError::ControlByte,
            RawHeadError::NotAscii,
            RawHeadError::EmptyRequestLine,
            RawHeadError::RequestLine,
            RawHeadError::LeadingBlank,
            RawHeadError::Folded,
            RawHeadError::EmptyName,
            RawHeadError::BlankInName,
            RawHeadError::Name,
            RawHeadError::DuplicateHost,
            RawHeadError::TooLarge,
            RawHeadError::TooManyFields,
            RawHeadError::TargetTooLong,
        ]
        .map(Refusal::RawHead),
    );
    let value = U::HeaderValue { header: "Host" };
    all.extend([U::HttpVersion, U::Target, U::Host, value, U::Upgrade, U::Connection].map(Refusal::Upgrade));
    all.extend([U::Version, U::Body, U::Subprotocols, U::TooManyOffers].map(Refusal::Upgrade));
    all.extend([BadCredential::NotBearer, BadCredential::Malformed].map(Refusal::Credential));
    all.extend(
        [
            BadToken::WrongType,
            BadToken::UnknownKey,
            BadToken::BadSignature,
            BadToken::WrongIssuer,
            BadToken::WrongAudience,
            BadToken::NotYetValid,
        ]
        .map(Refusal::Token),
    );
    all.extend([ConnectError::NoProtocol, ConnectError::Ended, U::Version.into()].map(Refusal::Connect));
    all.push(Refusal::NotAdmitted(NotAdmitted::NoEndpoint(Environment::Sandbox)));
    all.push(Refusal::Backend(DialError::Refused { status: 503 }));
    all.extend([BadProof::Needed, BadProof::Replayed, BadProof::TooMany].map(Refusal::Proof));
    all
}

#[test]
fn every_refusal_is_a_problem_document() {
    for refusal in all() {
        let answer = answer(&refusal);
        let problem = &answer.problem;
        assert_eq!(answer.status, refusal.status());
        assert!((400..=599).contains(&answer.status), "{refusal:?}");
        assert_eq!(problem["status"], answer.status, "{refusal:?}");
        assert_eq!(problem["instance"], instance().to_string());
        assert_eq!(answer.header("x-request-id"), Some(&*instance().to_string()));
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.header("connection").unwrap().ends_with("close"), "{refusal:?}");
        for member in ["title", "detail"] {
            let text = problem[member].as_str().unwrap();
            assert!(
                text.starts_with(|first: char| first.is_ascii_uppercase()),
                "{member} of {refusal:?}: {text}"
            );
        }
        assert!(problem["detail"].as_str().unwrap().ends_with('.'), "{refusal:?}");
        assert_eq!(problem.as_object().unwrap().len(), 5, "{refusal:?}");
    }
}

#[test]
fn more_proofs_than_can_be_remembered_are_no_fault_of_the_client() {
    let answer = answer(&Refusal::Proof(BadProof::TooMany));
    assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true));
    assert_eq!(answer.header("www-authenticate"), None);
}

#[test]
fn a_type_has_one_status_and_one_title_and_is_explained() {
    let mut kinds = HashMap::new();
    for refusal in all() {
        let answer = answer(&refusal);
        let kind = answer.problem["type"].as_str().unwrap();
        let word =
            kind.strip_prefix("https://localhost:9443/problems/").expect("a type has the base").to_owned();
        assert!(
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
            "{word}"
        );
        let title = answer.problem["title"].as_str().unwrap().to_owned();
        let told = (answer.status, title);
        let before = kinds.entry(word).or_insert_with(|| told.clone());
        assert_eq!(*before, told, "{refusal:?}");
    }
    let explained: HashMap<_, _> = problem_kinds().into_iter().collect();
    let found: HashMap<_, _> =
        kinds.iter().map(|(word, (_, title))| (word.as_str(), title.as_str())).collect();
    assert_eq!(explained, found);
    assert_eq!(explained.len(), problem_kinds().len(), "each once");
    let titles: HashSet<_> = explained.values().collect();
    let doubled = explained.len() - titles.len();
    assert_eq!(doubled, 0, "two types with one title tell a person nothing: {explained:?}");
}

#[test]
fn statuses_are_those_of_the_design() {
    for (status, refusals) in [
        (
            400,
            vec![
                Refusal::NotHttp,
                Refusal::Credential(BadCredential::Several),
                NotAdmitted::AmbiguousPath.into(),
            ],
        ),
        (401, vec![Refusal::WrongSecret, Refusal::SecretExpired]),
        (403, vec![Refusal::KeyElsewhere(Elsewhere::Address), Refusal::KeyElsewhere(Elsewhere::Page)]),
        (429, vec![Refusal::TooManyAttempts { retry_after_seconds: 1 }]),
        (
            401,
            vec![
                BadCredential::Missing.into(),
                BadCredential::NotBearer.into(),
                BadCredential::Malformed.into(),
            ],
        ),
        (
            401,
            vec![BadToken::Expired.into(), BadToken::WrongAudience.into(), NotAdmitted::UnknownClient.into()],
        ),
        (
            401,
            [None, Some(Way::OAuthQuery)]
                .map(|presented| Refusal::NotAccepted { presented, accepted: Box::default() })
                .into(),
        ),
        (
            403,
            vec![
                NotAdmitted::NoSubscription.into(),
                NotAdmitted::Blocked.into(),
                NotAdmitted::Denied.into(),
                Refusal::Origin,
            ],
        ),
        (404, vec![NotAdmitted::UnknownPath.into(), NotAdmitted::Retired.into(), Refusal::UnknownSession]),
        (400, vec![Refusal::SessionMissing]),
        (409, vec![Refusal::Worse]),
        (400, vec![ConnectError::NoProtocol.into(), ConnectError::Upgrade(UpgradeError::Version).into()]),
        (405, vec![UpgradeError::Method.into(), ConnectError::Method.into()]),
        (408, vec![Refusal::Slow]),
        (414, vec![RawHeadError::TargetTooLong.into()]),
        (426, vec![UpgradeError::NotAnUpgrade.into(), UpgradeError::Version.into()]),
        (431, vec![RawHeadError::TooLarge.into(), RawHeadError::TooManyFields.into()]),
        (500, vec![Refusal::Fault]),
        (501, vec![ConnectError::Protocol.into()]),
        (502, vec![DialError::Forbidden.into(), DialError::Unreachable.into(), DialError::Malformed.into()]),
        (503, vec![Refusal::NotReady, Refusal::Overloaded, Refusal::Restarting]),
        (504, vec![DialError::ConnectTimeout.into(), DialError::HandshakeTimeout.into()]),
    ] {
        for refusal in refusals {
            assert_eq!(refusal.status(), status, "{refusal:?}");
        }
    }
}

#[test]
fn headers_are_where_the_rfcs_want_them() {
    for refusal in all() {
        let answer = answer(&refusal);
        // RFC 9110 section 15.5.2: a 401 has a challenge; RFC 6750 section 3.1 wants one for a doubled credential, and
        // for a token that lacks a scope.
        let is_challenged = answer.status == 401
            || refusal == Refusal::Credential(BadCredential::Several)
            || matches!(refusal, Refusal::ScopeMissing { .. });
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge.is_some(), is_challenged, "{refusal:?}");
        // RFC 9449 section 7.1 where the proof is what is wrong.
        let scheme = if matches!(refusal, Refusal::Proof(_)) { "DPoP" } else { "Bearer" };
        let begins = format!(r#"{scheme} realm="tidegate""#);
        assert!(challenge.is_none_or(|it| it.starts_with(&begins)), "{challenge:?}");
        // RFC 9110 section 15.5.6.
        let method = if matches!(refusal, Refusal::Connect(_)) { "CONNECT" } else { "GET" };
        assert_eq!(answer.header("allow"), (answer.status == 405).then_some(method), "{refusal:?}");
        // RFC 9110 section 15.5.22, RFC 6455 section 4.4.
        let is_upgrade = answer.status == 426;
        assert_eq!(answer.header("upgrade"), is_upgrade.then_some("websocket"), "{refusal:?}");
        let names_version = is_upgrade || refusal == ConnectError::Upgrade(UpgradeError::Version).into();
        assert_eq!(answer.header("sec-websocket-version"), names_version.then_some("13"), "{refusal:?}");
        assert_eq!(answer.header("connection") == Some("Upgrade, close"), is_upgrade, "{refusal:?}");
        let is_temporary = matches!(
            refusal,
            Refusal::NotReady
                | Refusal::IssuerAway
                | Refusal::NoTickets
                | Refusal::Overloaded
                | Refusal::Restarting
                | Refusal::Stalled
                | Refusal::Proof(BadProof::TooMany)
        );
        let comes_back = is_temporary || answer.status == 429;
        assert_eq!(answer.header("retry-after").is_some(), comes_back, "{refusal:?}");
    }
}

#[test]
fn over_http2_the_same_is_said_without_the_headers_of_a_connection() {
    for refusal in all() {
        let (over_http1, over_http2) = (answer(&refusal), refusal.answer(BASE, instance()).to_http2());
        assert_eq!(over_http2.status().as_u16(), over_http1.status);
        let mut expected = over_http1.headers.clone();
        expected.retain(|name, _| name != "connection" && name != "upgrade");
        let found = over_http2.headers().iter();
        let found: HashMap<_, _> =
            found.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        assert_eq!(found, expected, "{refusal:?}");
    }
}

#[test]
fn a_challenge_tells_no_credential_from_a_bad_one() {
    let challenge = |refusal: Refusal| answer(&refusal).header("www-authenticate").unwrap().to_owned();
    assert_eq!(challenge(BadCredential::Missing.into()), r#"Bearer realm="tidegate""#);
    for refused in
        [BadToken::Expired.into(), NotAdmitted::UnknownClient.into(), BadCredential::Malformed.into()]
    {
        let challenge = challenge(refused);
        assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
    }
    assert!(challenge(BadCredential::Several.into()).contains(r#"error="invalid_request""#));
}

#[test]
fn what_is_not_accepted_is_told_with_what_is() {
    let accepted = || vec![Way::OAuthHeader, Way::OAuthSubprotocol].into();
    let detail = |presented| {
        let answer = answer(&Refusal::NotAccepted { presented, accepted: accepted() });
        answer.problem["detail"].as_str().unwrap().to_owned()
    };
    let present = "an access token in the Authorization header (Bearer), or an access token as the subprotocols \
                   bearer and the token.";
    assert_eq!(detail(None), format!("Present {present}"));
    let query = detail(Some(Way::OAuthQuery));
    assert!(
        query.starts_with("This API does not accept an access token in the access_token query"),
        "{query}"
    );
    assert!(query.ends_with(present), "{query}");
}

fn used_up(plan: &str, retry_after_seconds: u32) -> UsedUp {
    let (plan, level) = (plan.to_owned(), Level::Subscription);
    UsedUp { plan, level, retry_after_seconds, scarcity: Scarcity::Used }
}

#[test]
fn a_gateway_that_is_alone_says_that_it_cannot_know() {
    let answer = answer(&Refusal::UsedUp(UsedUp { scarcity: Scarcity::Alone, ..used_up("Gold", 10) }));
    assert_eq!((answer.header("retry-after"), answer.problem["status"].as_u64()), (Some("10"), Some(429)));
    let detail = answer.problem["detail"].as_str().unwrap();
    assert!(detail.contains("cannot ask the others") && detail.contains("Gold"), "{detail}");
}

#[test]
fn a_used_up_plan_says_when_there_is_more() {
    let refusal = Refusal::UsedUp(used_up("Gold", 37));
    let answer = answer(&refusal);
    assert_eq!(answer.header("retry-after"), Some("37"));
    let detail = answer.problem["detail"].as_str().unwrap();
    assert_eq!(detail, "The plan Gold has nothing left; there is more in 37 seconds.");
}

proptest! {
    #[test]
    fn no_name_of_a_plan_gets_out_of_its_place(plan in name(), retry_after_seconds in any::<u32>()) {
        let refusal = Refusal::UsedUp(used_up(&plan, retry_after_seconds));
        let plain = Refusal::UsedUp(used_up("", retry_after_seconds));
        let (told, plain) = (answer(&refusal), answer(&plain));
        let names = |answer: &Answer| answer.headers.keys().cloned().collect::<HashSet<_>>();
        prop_assert_eq!(names(&told), names(&plain));
        prop_assert_eq!(told.head.lines().count(), plain.head.lines().count());
        prop_assert!(told.problem["detail"].as_str().unwrap().contains(&plan));
    }

    #[test]
    fn a_quota_close_is_json_that_fits_for_any_name(
        plan in name(),
        retry_after in any::<u32>(),
        level in prop::sample::select(&Level::ALL),
    ) {
        let reason = quota_close(&UsedUp { level, ..used_up(&plan, retry_after) });
        prop_assert_eq!(reason.code(), Some(4429));
        prop_assert!(reason.reason().len() <= 123);
        let json: Value = serde_json::from_str(reason.reason()).expect("a reason is JSON");
        prop_assert_eq!(&json["reason"], "quota");
        prop_assert_eq!(&json["retry_after"], retry_after);
        match json.get("plan") {
            Some(told) => prop_assert_eq!(told, &plan),
            None => prop_assert!(plan.len() > 40, "a name that fits is told"),
        }
        let told = json.get("level").and_then(Value::as_str);
        if level != Level::Subscription && json.get("plan").is_some() {
            prop_assert_eq!(told, Some(level.as_str()));
        } else {
            prop_assert_eq!(told, None);
        }
    }
}

/// Names that people give and names that attackers give.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9 ]{0,40}",
        "\\PC{0,200}",
        Just("Gold\r\nSet-Cookie: a=b".to_owned()),
        Just("\"},{\"".to_owned()),
        Just("\0\u{7f}\u{2028}\\".to_owned()),
        any::<String>(),
    ]
}

#[test]
fn a_quota_close_is_the_one_of_the_design() {
    let close = |used_up: &UsedUp| quota_close(used_up).reason().to_owned();
    let mut gold = used_up("Gold", 37);
    assert_eq!(close(&gold), r#"{"reason":"quota","plan":"Gold","retry_after":37}"#);
    gold.scarcity = Scarcity::Alone;
    assert_eq!(close(&gold), r#"{"reason":"quota_unknown","plan":"Gold","retry_after":37}"#);
    let of_api = UsedUp { level: Level::Api, ..used_up("10KPerMin", 37) };
    assert_eq!(close(&of_api), r#"{"reason":"quota","plan":"10KPerMin","level":"api","retry_after":37}"#);
    // The longest name that there may be, and the seconds of the longest month.
    for level in Level::ALL {
        let longest = UsedUp { level, ..used_up(&"x".repeat(50), 2_678_400) };
        assert!(close(&longest).contains("xxx"), "{level:?}");
    }
}

#[test]
fn whoever_may_not_stay_is_told_why_and_the_backend_that_it_ends() {
    for (farewell, client, word) in [
        (unwelcome(Unwelcome::Expired), 3000, "expired"),
        (unwelcome(Unwelcome::KeyRevoked), 3000, "key_revoked"),
        (unwelcome(Unwelcome::SigningKeyRemoved), 3000, "signing_key_removed"),
        (unwelcome(Unwelcome::SubscriptionEnded), 3003, "subscription_ended"),
        (unwelcome(Unwelcome::ApiBlocked), 3003, "api_blocked"),
        (unwelcome(Unwelcome::ApiRetired), 3003, "api_retired"),
        (unwelcome(Unwelcome::Denied), 3003, "denied"),
        (restart(), 1012, "restart"),
        (fault(), 1011, "internal"),
    ] {
        assert_eq!(farewell.word, word);
        assert_eq!((farewell.client.code(), farewell.backend.code()), (Some(client), Some(1001)), "{word}");
        let reason = format!(r#"{{"reason":"{word}"}}"#);
        assert_eq!((farewell.client.reason(), farewell.backend.reason()), (&*reason, &*reason));
        serde_json::from_str::<Value>(&reason).expect("a reason is JSON");
    }
}

#[test]
fn a_record_has_the_code_that_the_client_saw_and_a_word_where_we_ended_it() {
    let too_big = Cause::Violation(Violation::TooBig);
    let unmasked = Cause::Violation(Violation::Frame(FrameError::Unmasked));
    for (code, initiator, cause, recorded, word) in [
        (1000, Initiator::Client, Cause::Closed, 1000, ""),
        (4001, Initiator::Backend, Cause::Closed, 4001, ""),
        (1005, Initiator::Client, Cause::Closed, 1005, ""),
        (1006, Initiator::Client, Cause::Vanished, 1006, ""),
        (1006, Initiator::Client, Cause::Reset, 1006, ""),
        (1006, Initiator::Backend, Cause::Vanished, 1014, ""),
        (1006, Initiator::Backend, Cause::Reset, 1014, ""),
        (1009, Initiator::Client, too_big, 1009, "message_size"),
        (1002, Initiator::Client, unmasked, 1002, "unmasked"),
        (1009, Initiator::Backend, too_big, 1011, "message_size"),
        (4429, Initiator::Client, Cause::Limit, 4429, "quota"),
        (4429, Initiator::Gateway, Cause::Limit, 4429, "quota"),
        (1001, Initiator::Gateway, Cause::Idle, 1001, "idle"),
        (3000, Initiator::Gateway, Cause::Imposed, 3000, "expired"),
    ] {
        let ending = Ending { code, initiator, cause, cut: false };
        assert_eq!((closing_code(&ending), closing_word(&ending, "expired")), (recorded, word), "{ending:?}");
    }
}
