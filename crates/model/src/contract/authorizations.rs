//! Authorizations as records: codes and refresh tokens with one winner, families that end together and stay ended, opaque
//! access tokens within their bound, and what goes when its client or person goes.

use futures_util::future::join_all;

use super::*;
use crate::{
    authorization::{
        AUTHORIZATION_MILLIS, Authorization, Authorize, CODE_MILLIS, Code, EndAuthorization,
        OPAQUE_TOKENS_MAX, OpaqueToken, REMEMBERED_MILLIS, RedeemCode, Redeemed, RefreshToken, Renew,
        Withdraw,
    },
    device::{self, DEVICE_CODE_MILLIS, DEVICE_CODES_MAX, DenyDevice, DeviceCode},
    exchange::Source,
    id::{AuthorizationId, KeyManagerId},
    revocation::Mark,
};

/// When everything here begins: later than what the stage was furnished with.
const NOW: Timestamp = Timestamp(START.0 + (1 << 40));
const DAY: i64 = 86_400_000;

fn hash(text: &str) -> Secret {
    Secret(text.to_owned())
}

fn given(user: UserId, client_id: &str, number: u128, now: Timestamp) -> Authorization {
    Authorization {
        id: AuthorizationId(Uuid::from_u128(number)),
        client_id: client_id.to_owned(),
        user,
        scope: "openid profile".to_owned(),
        auth_time: START,
        nonce: Some("n".to_owned()),
        mark: "mark".to_owned(),
        created_at: now,
        expires_at: now.plus_millis(AUTHORIZATION_MILLIS),
        ended_at: None,
    }
}

fn code(text: &str, now: Timestamp) -> Code {
    Code {
        code_hash: hash(text),
        redirect_uri: "https://client.test/cb".to_owned(),
        challenge: "challenge".to_owned(),
        expires_at: now.plus_millis(CODE_MILLIS),
        used_at: None,
    }
}

fn refresh(text: &str, expires_at: Timestamp) -> RefreshToken {
    RefreshToken {
        token_hash: hash(text),
        expires_at,
        used_at: None,
        bound_to: Some(format!("key of {text}")),
    }
}

fn opaque(text: &str, client_id: &str, of: Option<AuthorizationId>, now: Timestamp) -> OpaqueToken {
    OpaqueToken {
        token_hash: hash(text),
        client_id: client_id.to_owned(),
        authorization: of,
        subject: "subject".to_owned(),
        scope: String::new(),
        issued_at: now,
        expires_at: now.plus_millis(DAY),
        source: of.is_none().then(|| Source {
            client_id: format!("{client_id} before"),
            key_manager: Some(KeyManagerId::new(now, [6; 10])),
            credential: Mark::from([1; 8]),
            subject: Mark::from([2; 8]),
            signed_with: Some("key".into()),
        }),
    }
}

/// The portal session in which they allow.
fn session() -> Secret {
    hash("cookie of zoe")
}

/// Who allows, and which client.
struct Given {
    user: UserId,
    client_id: String,
}

impl<P: Catalog + EventLog> Stage<P> {
    async fn sign_zoe_in(&self, there: &Furnished) {
        let session =
            self.session(there.other.user.unwrap(), "cookie of zoe", NOW.plus_millis(AUTHORIZATION_MILLIS));
        self.execute(&there.other, sign_in("zoe", session)).await.unwrap();
    }

    async fn allowing(&self) -> Given {
        // Everything that can be there is held across its waits; whoever waits for this need not carry the room for it.
        let there = Box::pin(self.furnish()).await;
        self.sign_zoe_in(&there).await;
        Given { user: there.other.user.unwrap(), client_id: there.key.client_id }
    }

    async fn at(&self, now: Timestamp, command: Command) -> Result<Outcome, Refused> {
        self.execute_at(now, &Actor::product(), command).await
    }

    async fn allow(&self, given: &Given, number: u128, code_text: &str, now: Timestamp) -> Authorization {
        let authorization = self::given(given.user, &given.client_id, number, now);
        let code = code(code_text, now);
        let command =
            Authorize { authorization: authorization.clone(), code, session: session(), remember: false };
        self.at(now, Command::Authorize(Box::new(command))).await.unwrap();
        authorization
    }

    async fn redeem(&self, given: &Given, code: &str, next: &str, now: Timestamp) -> String {
        let command = RedeemCode {
            code_hash: hash(code),
            client_id: given.client_id.clone(),
            refresh: Some(refresh(next, now.plus_millis(DAY))),
            access: None,
        };
        told(self.at(now, Command::RedeemCode(command)).await)
    }

    async fn renew(&self, given: &Given, token: &str, next: &str, now: Timestamp) -> String {
        let command = Renew {
            token_hash: hash(token),
            client_id: given.client_id.clone(),
            next: refresh(next, now.plus_millis(DAY)),
            access: None,
        };
        told(self.at(now, Command::Renew(command)).await)
    }
}

fn told(outcome: Result<Outcome, Refused>) -> String {
    match outcome {
        Ok(Outcome::Tokens(Redeemed::Granted(_))) => "granted".to_owned(),
        Ok(Outcome::Tokens(Redeemed::Replayed(_))) => "replayed".to_owned(),
        Ok(other) => panic!("{other:?}"),
        Err(refused) => kind(&refused),
    }
}

pub async fn a_code_is_worth_tokens_once_within_its_minute(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.allowing().await;
    let expected = stage.allow(&ada, 1, "code", NOW).await;
    assert_eq!(stage.port.code(&hash("code")).await.unwrap(), Some((code("code", NOW), expected.clone())));
    assert_eq!(stage.port.code(&hash("Code")).await.unwrap(), None);
    let other = Given { user: ada.user, client_id: "client-of-another".to_owned() };
    assert_eq!(stage.redeem(&other, "code", "x", NOW).await, "no authorization");
    assert_eq!(stage.redeem(&ada, "unknown", "x", NOW).await, "no authorization");
    assert_eq!(stage.redeem(&ada, "code", "x", NOW.plus_millis(CODE_MILLIS)).await, "no authorization");
    assert_eq!(stage.redeem(&ada, "code", "first", NOW.plus_millis(CODE_MILLIS - 1)).await, "granted");
    assert_eq!(stage.port.authorization(expected.id).await.unwrap(), Some(expected.clone()));
    let (token, of) = stage.port.refresh_token(&hash("first")).await.unwrap().unwrap();
    assert_eq!((token.used_at, token.bound_to.as_deref(), of), (None, Some("key of first"), expected));
    assert_eq!(stage.port.refresh_token(&hash("x")).await.unwrap(), None, "what was refused kept nothing");
}

pub async fn what_is_presented_twice_ends_all_of_it_also_after_a_kill(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.allowing().await;
    let (one, two) = (stage.allow(&ada, 1, "one", NOW).await, stage.allow(&ada, 2, "two", NOW).await);
    stage.allow(&ada, 3, "three", NOW).await;
    assert_eq!(stage.redeem(&ada, "one", "one-1", NOW).await, "granted");
    assert_eq!(stage.redeem(&ada, "two", "two-1", NOW).await, "granted");
    assert_eq!(stage.redeem(&ada, "three", "three-1", NOW).await, "granted");
    assert_eq!(stage.renew(&ada, "two-1", "two-2", NOW).await, "granted");
    // One comes twice before the kill and one after it.
    assert_eq!(stage.redeem(&ada, "one", "x", NOW).await, "replayed");
    let stage = Stage::on(ground.open_as_after_a_kill().await);
    assert_eq!(stage.renew(&ada, "two-1", "y", NOW).await, "replayed");
    for of in [one, two] {
        let found = stage.port.authorization(of.id).await.unwrap().unwrap();
        assert_eq!(found, Authorization { ended_at: Some(NOW), ..of });
    }
    assert_eq!(stage.renew(&ada, "one-1", "z", NOW).await, "no authorization");
    assert_eq!(stage.renew(&ada, "two-2", "z", NOW).await, "no authorization");
    assert_eq!(stage.renew(&ada, "three-1", "three-2", NOW).await, "granted", "others go on");
    for refused in ["x", "y", "z"] {
        assert_eq!(stage.port.refresh_token(&hash(refused)).await.unwrap(), None);
    }
}

pub async fn of_a_hundred_that_renew_one_wins(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.allowing().await;
    stage.allow(&ada, 1, "code", NOW).await;
    stage.redeem(&ada, "code", "first", NOW).await;
    let names: Vec<_> = (0..100).map(|number| format!("next-{number}")).collect();
    let all = names.iter().map(|next| stage.renew(&ada, "first", next, NOW));
    let mut answers = join_all(all).await;
    answers.sort();
    assert_eq!((&*answers[0], &*answers[99]), ("granted", "replayed"), "{answers:?}");
    assert!(answers[1..99].iter().all(|answer| answer == "no authorization"), "{answers:?}");
    for next in names {
        let renewed = stage.renew(&ada, &next, "last", NOW).await;
        assert_eq!(renewed, "no authorization", "all of it has ended");
    }
}

pub async fn a_refresh_token_lives_no_longer_than_what_it_is_of(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.allowing().await;
    let of = stage.allow(&ada, 1, "code", NOW).await;
    stage.redeem(&ada, "code", "first", NOW).await;
    assert_eq!(stage.renew(&ada, "first", "x", NOW.plus_millis(DAY)).await, "no authorization");
    let mut now = NOW.plus_millis(DAY - 1);
    let mut token = "first".to_owned();
    while now < of.expires_at {
        let next = format!("{token}+");
        assert_eq!(stage.renew(&ada, &token, &next, now).await, "granted");
        let (kept, _) = stage.port.refresh_token(&hash(&next)).await.unwrap().unwrap();
        assert_eq!(kept.expires_at, now.plus_millis(DAY).min(of.expires_at));
        (token, now) = (next, now.plus_millis(DAY - 1));
    }
    assert_eq!(stage.renew(&ada, &token, "x", now).await, "no authorization");
}

pub async fn what_is_over_is_forgotten_when_nobody_can_come_late(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.allowing().await;
    let of = stage.allow(&ada, 1, "code", NOW).await;
    stage.redeem(&ada, "code", "first", NOW).await;
    let end = Command::EndAuthorization(EndAuthorization { id: of.id });
    for now in [NOW, NOW.plus_millis(5)] {
        stage.at(now, end.clone()).await.unwrap();
    }
    let ended = stage.port.authorization(of.id).await.unwrap().unwrap().ended_at;
    assert_eq!(ended, Some(NOW), "once");
    assert_eq!(stage.renew(&ada, "first", "x", NOW).await, "no authorization");
    let later = NOW.plus_millis(REMEMBERED_MILLIS);
    stage.allow(&ada, 2, "other", later.plus_millis(-1)).await;
    assert!(stage.port.authorization(of.id).await.unwrap().is_some());
    stage.allow(&ada, 3, "third", later).await;
    assert_eq!(stage.port.authorization(of.id).await.unwrap(), None);
    assert_eq!(stage.port.refresh_token(&hash("first")).await.unwrap(), None);
    assert!(stage.port.code(&hash("other")).await.unwrap().is_some());
    stage.at(later, Command::EndAuthorization(EndAuthorization { id: of.id })).await.unwrap();
}

pub async fn a_used_code_is_remembered_as_long_as_what_came_from_it(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.allowing().await;
    let used = stage.allow(&ada, 1, "used", NOW).await;
    let unused = stage.allow(&ada, 2, "unused", NOW).await;
    assert_eq!(stage.redeem(&ada, "used", "first", NOW).await, "granted");
    let late = NOW.plus_millis(10 * DAY);
    stage.allow(&ada, 3, "other", late).await;
    assert_eq!(stage.port.code(&hash("unused")).await.unwrap(), None);
    assert_eq!(stage.port.authorization(unused.id).await.unwrap(), None, "nothing ever came from it");
    assert_eq!(stage.redeem(&ada, "used", "x", late).await, "replayed", "whoever stole it may come late");
    let end = stage.port.authorization(used.id).await.unwrap().unwrap().ended_at.unwrap();
    stage.allow(&ada, 4, "fourth", end.plus_millis(REMEMBERED_MILLIS)).await;
    assert_eq!(stage.port.code(&hash("used")).await.unwrap(), None);
}

pub async fn a_signed_statement_is_used_once_also_after_a_kill(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let end = NOW.plus_millis(60_000);
    let using = |name: &str, expires_at| Command::UseAssertion { replay_id: name.to_owned(), expires_at };
    stage.at(NOW, using("one", end)).await.unwrap();
    assert_eq!(kind(&stage.at(NOW, using("one", end)).await.unwrap_err()), "duplicate ");
    let stage = Stage::on(ground.open_as_after_a_kill().await);
    let last = end.plus_millis(-1);
    assert_eq!(kind(&stage.at(last, using("one", end)).await.unwrap_err()), "duplicate ");
    stage.at(last, using("two", end)).await.unwrap();
    // When it is over it is refused for that, and needs no room.
    stage.at(end, using("one", end.plus_millis(1))).await.unwrap();
}

pub async fn what_a_person_allowed_is_listed_and_withdrawn_at_once(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.allowing().await;
    let listed = async |user, now| stage.port.allowed_clients(user, now).await.unwrap();
    assert_eq!(listed(ada.user, NOW).await, []);
    let mut of = Vec::new();
    for (number, text) in [(1, "one"), (2, "two"), (3, "never redeemed")] {
        of.push(stage.allow(&ada, number, text, NOW.plus_millis(i64::try_from(number).unwrap())).await);
    }
    let now = NOW.plus_millis(10);
    for text in ["one", "two"] {
        assert_eq!(stage.redeem(&ada, text, &format!("{text}-1"), now).await, "granted");
    }
    let found = listed(ada.user, now).await;
    let [client] = &*found else { panic!("{found:?}") };
    assert_eq!(
        (&*client.client_id, client.since, client.last),
        (&*ada.client_id, NOW.plus_millis(1), NOW.plus_millis(2))
    );
    assert_eq!(client.scopes, ["openid", "profile"]);
    assert!(!client.application.is_empty() && !client.owner_name.is_empty());
    let nobody = UserId(nowhere());
    assert_eq!(listed(nobody, now).await, []);
    assert_eq!(listed(ada.user, NOW.plus_millis(AUTHORIZATION_MILLIS + 2)).await, [], "all of it is over");

    let withdraw =
        |user, client_id: &str| Command::Withdraw(Withdraw { user, client_id: client_id.to_owned() });
    for (user, client_id) in [(nobody, &*ada.client_id), (ada.user, "client-of-another")] {
        assert_eq!(kind(&stage.at(now, withdraw(user, client_id)).await.unwrap_err()), "no authorization");
    }
    assert_eq!(stage.renew(&ada, "two-1", "two-2", now).await, "granted", "nothing of it has ended");
    stage.at(now, withdraw(ada.user, &ada.client_id)).await.unwrap();
    let stage = Stage::on(ground.open_as_after_a_kill().await);
    assert_eq!(stage.port.allowed_clients(ada.user, now).await.unwrap(), []);
    for token in ["one-1", "two-2"] {
        assert_eq!(stage.renew(&ada, token, "x", now).await, "no authorization", "{token}");
    }
    assert_eq!(stage.redeem(&ada, "never redeemed", "x", now).await, "no authorization");
    for of in of {
        assert_eq!(stage.port.authorization(of.id).await.unwrap().unwrap().ended_at, Some(now));
    }
    assert_eq!(
        kind(&stage.at(now, withdraw(ada.user, &ada.client_id)).await.unwrap_err()),
        "no authorization"
    );

    // A consent alone is enough to be listed: with it the next code is given unasked.
    let authorization = given(ada.user, &ada.client_id, 4, now);
    let code = code("four", now);
    let command = Authorize { authorization, code, session: session(), remember: true };
    stage.at(now, Command::Authorize(Box::new(command))).await.unwrap();
    assert_eq!(stage.port.allowed_clients(ada.user, now).await.unwrap().len(), 1);
    stage.at(now, withdraw(ada.user, &ada.client_id)).await.unwrap();
    assert_eq!(stage.port.consent(ada.user, &ada.client_id).await.unwrap(), None);
}

fn device(text: &str, client_id: &str, now: Timestamp) -> DeviceCode {
    DeviceCode {
        code_hash: hash(text),
        user_code_hash: hash(&format!("typed for {text}")),
        client_id: client_id.to_owned(),
        scope: "openid profile".to_owned(),
        created_at: now,
        expires_at: now.plus_millis(DEVICE_CODE_MILLIS),
        denied_at: None,
    }
}

impl<P: Catalog + EventLog> Stage<P> {
    async fn answer(&self, command: Command, now: Timestamp) -> String {
        self.at(now, command).await.map_or_else(|refused| kind(&refused), |_| "done".to_owned())
    }

    async fn allow_device(&self, given: &Given, text: &str, number: u128, now: Timestamp) -> String {
        let authorization = self::given(given.user, &given.client_id, number, now);
        let code = Code { code_hash: hash(text), ..code(text, now) };
        let command = Authorize { authorization, code, session: session(), remember: false };
        self.answer(Command::AllowDevice(Box::new(command)), now).await
    }

    async fn deny_device(&self, given: &Given, text: &str, session: Secret, now: Timestamp) -> String {
        let denied = DenyDevice { code_hash: hash(text), user: given.user, session };
        self.answer(Command::DenyDevice(denied), now).await
    }
}

pub async fn a_device_is_answered_once_while_it_waits(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.allowing().await;
    let (last, end) = (NOW.plus_millis(DEVICE_CODE_MILLIS - 1), NOW.plus_millis(DEVICE_CODE_MILLIS));
    for text in ["one", "two", "three"] {
        stage.at(NOW, Command::KeepDeviceCode(device(text, &ada.client_id, NOW))).await.unwrap();
    }
    let same = DeviceCode { code_hash: hash("four"), ..device("one", &ada.client_id, NOW) };
    assert_eq!(stage.answer(Command::KeepDeviceCode(same), NOW).await, "duplicate ");
    let one = device("one", &ada.client_id, NOW);
    assert_eq!(stage.port.device_code(&one.code_hash).await.unwrap().as_ref(), Some(&one));
    assert_eq!(stage.port.device_code_of(&one.user_code_hash).await.unwrap().as_ref(), Some(&one));
    assert_eq!(stage.port.device_code_of(&one.code_hash).await.unwrap(), None);
    assert_eq!(stage.redeem(&ada, "one", "x", NOW).await, "no authorization", "nobody has answered");

    let other = Given { user: ada.user, client_id: "client-of-another".to_owned() };
    assert_eq!(stage.allow_device(&other, "one", 1, NOW).await, "no device");
    assert_eq!(stage.allow_device(&ada, "unknown", 1, NOW).await, "no device");
    assert_eq!(stage.allow_device(&ada, "one", 1, end).await, "no device");
    assert_eq!(stage.deny_device(&ada, "one", hash("no cookie"), NOW).await, "signed out");
    assert_eq!(stage.allow_device(&ada, "one", 1, last).await, "done");
    assert_eq!(stage.deny_device(&ada, "two", session(), last).await, "done");
    assert_eq!(stage.deny_device(&ada, "three", session(), end).await, "no device");

    // What was answered stays so.
    let stage = Stage::on(ground.open_as_after_a_kill().await);
    for text in ["one", "two"] {
        assert_eq!(stage.allow_device(&ada, text, 2, last).await, "no device", "{text}");
        assert_eq!(stage.deny_device(&ada, text, session(), last).await, "no device", "{text}");
    }
    assert_eq!(stage.port.device_code(&one.code_hash).await.unwrap(), None, "it is a code now");
    let denied = stage.port.device_code(&hash("two")).await.unwrap().unwrap();
    assert_eq!(denied.denied_at, Some(last));
    assert_eq!(stage.port.consent(ada.user, &ada.client_id).await.unwrap(), None, "of this device alone");
    assert_eq!(stage.redeem(&ada, "one", "first", last).await, "granted");
    assert_eq!(stage.redeem(&ada, "one", "x", last).await, "replayed");
    assert_eq!(stage.renew(&ada, "first", "x", last).await, "no authorization");
}

pub async fn devices_that_wait_are_bounded_and_forgotten(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.allowing().await;
    let most = i64::try_from(DEVICE_CODES_MAX).unwrap();
    for number in 0..=most {
        let now = NOW.plus_millis(number);
        let device = device(&number.to_string(), &ada.client_id, now);
        stage.at(now, Command::KeepDeviceCode(device)).await.unwrap();
    }
    for (text, is_there) in [("0", false), ("1", true), ("999", true)] {
        assert_eq!(stage.port.device_code(&hash(text)).await.unwrap().is_some(), is_there, "{text}");
    }
    let later = NOW.plus_millis(DEVICE_CODE_MILLIS + most);
    assert!(stage.port.device_code(&hash("1")).await.unwrap().is_some_and(|device| !device.waits(later)));
    let forgotten = later.plus_millis(device::REMEMBERED_MILLIS);
    stage.at(forgotten, Command::KeepDeviceCode(device("last", &ada.client_id, forgotten))).await.unwrap();
    assert_eq!(stage.port.device_code(&hash("999")).await.unwrap(), None);
}

pub async fn consent_is_remembered_and_grows(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.allowing().await;
    let consent = async || stage.port.consent(ada.user, &ada.client_id).await.unwrap();
    assert_eq!(consent().await, None);
    for (number, (scope, remember, expected)) in [
        ("openid", false, None),
        ("", true, Some(vec![])),
        ("profile openid", true, Some(vec!["openid", "profile"])),
        ("chat", true, Some(vec!["chat", "openid", "profile"])),
    ]
    .into_iter()
    .enumerate()
    {
        let of = given(ada.user, &ada.client_id, number as u128, NOW);
        let authorization = Authorization { scope: scope.to_owned(), ..of };
        let command = Authorize {
            authorization,
            code: code(&format!("code {number}"), NOW),
            session: session(),
            remember,
        };
        stage.at(NOW, Command::Authorize(Box::new(command))).await.unwrap();
        let expected = expected.map(|scopes| scopes.into_iter().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(consent().await, expected, "{scope}");
    }
    assert_eq!(stage.port.consent(UserId(nowhere()), &ada.client_id).await.unwrap(), None);
}

pub async fn opaque_tokens_are_bounded_and_end_with_what_they_are_of(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.allowing().await;
    let of = stage.allow(&ada, 1, "code", NOW).await;
    let known = async || {
        let tokens = stage.port.opaque_tokens(0, NOW).await.unwrap();
        tokens.into_iter().map(|token| token.token_hash.0).collect::<Vec<_>>()
    };
    let before = stage.number().await;
    let keep = async |text: &str, of, now| {
        let token = opaque(text, &ada.client_id, of, now);
        stage.at(now, Command::KeepAccessToken(token)).await.unwrap();
    };
    keep("own", None, NOW).await;
    keep("theirs", Some(of.id), NOW).await;
    assert_eq!(known().await, ["own", "theirs"]);
    let numbers = async |after| {
        let tokens = stage.port.opaque_tokens(after, NOW).await.unwrap();
        tokens.into_iter().map(|token| token.number).collect::<Vec<_>>()
    };
    let [own, theirs] = numbers(0).await[..] else { panic!("two") };
    assert!(own < theirs && numbers(own).await == [theirs], "told from any number on");
    let found = stage.port.opaque_token(&hash("own"), NOW).await.unwrap();
    assert_eq!(found, Some(opaque("own", &ada.client_id, None, NOW)));
    assert_eq!(stage.port.opaque_token(&hash("own"), NOW.plus_millis(DAY)).await.unwrap(), None);
    stage.at(NOW, Command::EndAuthorization(EndAuthorization { id: of.id })).await.unwrap();
    assert_eq!(known().await, ["own"]);
    stage.at(NOW, Command::EndAccessToken { token_hash: hash("own") }).await.unwrap();
    stage.at(NOW, Command::EndAccessToken { token_hash: hash("own") }).await.unwrap();
    assert_eq!(known().await, Vec::<String>::new());
    assert_eq!(stage.number().await, before, "none of it is a change of the snapshot");
    // The oldest makes room, and what has expired goes with the next one.
    for number in 0..=OPAQUE_TOKENS_MAX {
        let now = NOW.plus_millis(i64::try_from(number).unwrap());
        keep(&format!("{number:04}"), None, now).await;
    }
    let there = known().await;
    assert_eq!((there.len() as u64, there[0].as_str()), (OPAQUE_TOKENS_MAX, "0001"));
    assert!(numbers(theirs).await.len() as u64 == OPAQUE_TOKENS_MAX, "no number is given twice");
    keep("late", None, NOW.plus_millis(2 * DAY)).await;
    assert_eq!(known().await, ["late"]);
    let after = stage.port.opaque_tokens(0, NOW.plus_millis(3 * DAY)).await.unwrap();
    assert_eq!(after, [], "what has expired is not told");
}

pub async fn nothing_is_allowed_in_a_session_that_has_ended_or_for_who_may_not_sign_in(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.allowing().await;
    stage.allow(&ada, 1, "one", NOW).await;
    stage.allow(&ada, 2, "two", NOW).await;
    assert_eq!(stage.redeem(&ada, "two", "two-1", NOW).await, "granted");
    let off = change_user(ada.user, &[Role::Subscriber], UserState::Disabled);
    stage.at(NOW, Command::ChangeUser(off)).await.unwrap();
    // What was checked before, and comes to the writer after it.
    let authorize = |number: u128, session: &str| {
        let authorization = given(ada.user, &ada.client_id, number, NOW);
        let code = code("late", NOW);
        Command::Authorize(Box::new(Authorize {
            authorization,
            code,
            session: hash(session),
            remember: true,
        }))
    };
    for session in ["cookie of zoe", "cookie", "none"] {
        let refused = stage.at(NOW, authorize(3, session)).await.unwrap_err();
        assert_eq!(kind(&refused), "signed out", "{session}");
    }
    assert_eq!(stage.port.consent(ada.user, &ada.client_id).await.unwrap(), None);
    assert_eq!(stage.redeem(&ada, "one", "one-1", NOW).await, "no authorization");
    assert_eq!(stage.renew(&ada, "two-1", "two-2", NOW).await, "no authorization");
    let on = change_user(ada.user, &[Role::Subscriber], UserState::Active);
    stage.at(NOW, Command::ChangeUser(on)).await.unwrap();
    assert_eq!(stage.redeem(&ada, "one", "one-1", NOW).await, "granted", "nothing was used up");
}

pub async fn what_was_allowed_goes_with_its_client(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    stage.sign_zoe_in(&there).await;
    let ada = Given { user: there.other.user.unwrap(), client_id: there.key.client_id.clone() };
    let of = given(ada.user, &ada.client_id, 1, NOW);
    let command =
        Authorize { authorization: of.clone(), code: code("code", NOW), session: session(), remember: true };
    stage.at(NOW, Command::Authorize(Box::new(command))).await.unwrap();
    stage.redeem(&ada, "code", "first", NOW).await;
    stage.at(NOW, Command::KeepAccessToken(opaque("token", &ada.client_id, Some(of.id), NOW))).await.unwrap();
    let delete = Command::DeleteKey { application: there.shop.id, client_id: ada.client_id.clone() };
    stage.at(NOW, delete).await.unwrap();
    assert_eq!(stage.port.authorization(of.id).await.unwrap(), None);
    assert_eq!(stage.port.code(&hash("code")).await.unwrap(), None);
    assert_eq!(stage.port.refresh_token(&hash("first")).await.unwrap(), None);
    assert_eq!(stage.port.opaque_token(&hash("token"), NOW).await.unwrap(), None);
    assert_eq!(stage.port.consent(ada.user, &ada.client_id).await.unwrap(), None);
    let nobodys = given(UserId(nowhere()), "client-x", 2, NOW);
    let command =
        Authorize { authorization: nobodys, code: code("x", NOW), session: session(), remember: false };
    assert!(stage.at(NOW, Command::Authorize(Box::new(command))).await.is_err());
}

pub async fn a_public_client_keeps_no_secret(ground: &impl Ground) {
    use crate::{
        client::{ClientKind, ClientSettings},
        command::UpdateKey,
    };
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    let update = |grants: &[&str], settings: ClientSettings| {
        Command::UpdateKey(UpdateKey {
            application: there.shop.id,
            client_id: there.key.client_id.clone(),
            grants: grants.iter().map(|&grant| grant.to_owned()).collect(),
            settings,
        })
    };
    let settings = ClientSettings {
        kind: ClientKind::Native,
        redirect_uris: vec!["com.example.app:/cb".to_owned()],
        access_token_seconds: 60,
        ..ClientSettings::default()
    };
    let refused = stage.execute(&there.other, update(&[], settings.clone())).await.unwrap_err();
    assert_eq!(kind(&refused), "no application");
    let web = ClientSettings { kind: ClientKind::Browser, ..settings.clone() };
    let refused = stage.execute(&there.owner, update(&[], web)).await.unwrap_err();
    assert_eq!(kind(&refused), "invalid /redirect_uris/0");
    assert_eq!(stage.port.key(&there.key.client_id).await.unwrap(), Some(there.key.clone()));
    stage.execute(&there.owner, update(&["authorization_code"], settings.clone())).await.unwrap();
    let expected = Key {
        secret_hash: Secret::default(),
        grants: vec!["authorization_code".to_owned()],
        settings,
        ..there.key.clone()
    };
    assert_eq!(stage.port.key(&there.key.client_id).await.unwrap(), Some(expected));
    let command = Command::ReplaceSecret {
        application: there.shop.id,
        client_id: there.key.client_id.clone(),
        secret_hash: hash("new"),
    };
    assert!(stage.execute(&there.owner, command).await.is_err(), "it could not be used");
}
