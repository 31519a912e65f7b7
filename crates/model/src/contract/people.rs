//! People as records: users, portal sessions, personal access tokens, and the issuer's signing keys.

use super::*;

fn hash(text: &str) -> Secret {
    Secret(text.to_owned())
}

pub async fn a_user_name_is_one_whatever_its_case(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.user("Ada", Role::Creator).await;
    let found = stage.port.account("aDA").await.unwrap().unwrap();
    assert_eq!((found.user.id, found.user.username.as_str()), (ada.user.unwrap(), "Ada"));
    assert_eq!((found.user.roles.clone(), found.password_hash), (ada.roles.clone(), hash("hash of Ada")));
    assert_eq!(stage.port.user(found.user.id).await.unwrap(), Some(found.user));
    assert_eq!(stage.port.user(UserId(nowhere())).await.unwrap(), None);
    for unknown in ["", "Ad", "Ada ", "Adа"] {
        assert_eq!(stage.port.account(unknown).await.unwrap(), None, "{unknown:?}");
    }
    let mut twin = stage.port.account("ada").await.unwrap().unwrap();
    (twin.user.id, twin.user.username) = (UserId(nowhere()), "ADA".to_owned());
    let refused = stage.execute(&Actor::product(), Command::CreateUser(twin)).await.unwrap_err();
    assert_eq!(kind(&refused), "duplicate /username");
    stage.user("Ädä", Role::Observer).await;
    assert!(stage.port.account("Ädä").await.unwrap().is_some());
    assert!(stage.port.account("äDä").await.unwrap().is_none(), "case is that of ASCII");
}

pub async fn a_portal_session_ends_in_its_last_millisecond(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.user("Ada", Role::Creator).await;
    let end = START.plus_millis(1 << 30);
    let session = stage.session(ada.user.unwrap(), "cookie", end);
    stage.execute(&ada, Command::OpenPortalSession(session.clone())).await.unwrap();
    let at =
        async |cookie: &str, now: Timestamp| stage.port.portal_session(&hash(cookie), now).await.unwrap();
    assert_eq!(at("cookie", START).await, Some(session.clone()));
    assert_eq!(at("cookie", end.plus_millis(-1)).await, Some(session));
    assert_eq!(at("cookie", end).await, None);
    assert_eq!(at("Cookie", START).await, None);

    // Signing in clears away what is over, and only that.
    let other = stage.session(ada.user.unwrap(), "other cookie", end.plus_millis(1 << 30));
    stage.execute_at(end.plus_millis(-1), &ada, Command::OpenPortalSession(other.clone())).await.unwrap();
    assert!(at("cookie", START).await.is_some());
    let third = stage.session(ada.user.unwrap(), "new cookie", end.plus_millis(1 << 30));
    stage.execute_at(end, &ada, Command::OpenPortalSession(third)).await.unwrap();
    assert_eq!(at("cookie", START).await, None);
    assert_eq!(at("other cookie", end).await, Some(other));

    for _ in 0..2 {
        stage.execute(&ada, Command::ClosePortalSession { token_hash: hash("other cookie") }).await.unwrap();
        assert_eq!(at("other cookie", START).await, None);
    }
}

pub async fn a_new_password_ends_the_portal_sessions_of_that_user(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let (ada, sam) = (stage.user("Ada", Role::Creator).await, stage.user("sam", Role::Subscriber).await);
    for (actor, cookie) in [(&ada, "cookie"), (&ada, "other cookie"), (&sam, "new cookie")] {
        let session = stage.session(actor.user.unwrap(), cookie, START.plus_millis(1 << 40));
        stage.execute(actor, Command::OpenPortalSession(session)).await.unwrap();
    }
    let command = Command::SetPassword { username: "ADA".to_owned(), password_hash: hash("new hash") };
    let outcome = stage.done(command).await;
    assert!(matches!(outcome, Outcome::User(user) if user.username == "Ada"));
    let mut left = Vec::new();
    for cookie in COOKIES {
        left.push(stage.port.portal_session(&hash(cookie), START).await.unwrap().is_some());
    }
    assert_eq!(left, [false, false, true]);
    assert_eq!(stage.port.account("Ada").await.unwrap().unwrap().password_hash, hash("new hash"));
    assert_eq!(stage.port.account("sam").await.unwrap().unwrap().password_hash, hash("hash of sam"));
}

pub async fn a_token_works_until_it_expires_or_is_deleted(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let (ada, sam) = (stage.user("Ada", Role::Creator).await, stage.user("sam", Role::Subscriber).await);
    let end = START.plus_millis(1 << 30);
    let (passing, first) = stage.token(ada.user.unwrap(), "passing", Some(end));
    let (lasting, second) = stage.token(ada.user.unwrap(), "lasting", None);
    for command in [first, second] {
        stage.execute(&ada, command).await.unwrap();
    }
    let at = async |secret: &str, now: Timestamp| stage.port.token(&hash(secret), now).await.unwrap();
    assert_eq!(at("passing", end.plus_millis(-1)).await, Some(passing.clone()));
    assert_eq!(at("passing", end).await, None);
    assert_eq!(at("lasting", end.plus_millis(1 << 40)).await, Some(lasting.clone()));
    assert_eq!(at("nobody's", START).await, None);
    assert_eq!(
        stage.port.tokens(ada.user.unwrap()).await.unwrap(),
        [passing, lasting.clone()],
        "expired ones are listed"
    );

    let delete = Command::DeleteToken { id: lasting.id };
    for stranger in [&sam, &Actor::product()] {
        assert_eq!(kind(&stage.execute(stranger, delete.clone()).await.unwrap_err()), "no token");
    }
    stage.execute(&ada, delete.clone()).await.unwrap();
    assert_eq!(at("lasting", START).await, None);
    assert_eq!(kind(&stage.execute(&ada, delete).await.unwrap_err()), "no token");
}

pub async fn tokens_are_listed_oldest_first(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let (ada, sam) = (stage.user("Ada", Role::Creator).await, stage.user("sam", Role::Subscriber).await);
    let mut expected = Vec::new();
    for name in ["z", "a", "m"] {
        let (token, command) = stage.token(ada.user.unwrap(), name, None);
        stage.execute(&ada, command).await.unwrap();
        expected.push(token);
        let (_, command) = stage.token(sam.user.unwrap(), &format!("{name} of sam"), None);
        stage.execute(&sam, command).await.unwrap();
    }
    assert_eq!(stage.port.tokens(ada.user.unwrap()).await.unwrap(), expected);
    assert_eq!(stage.port.tokens(UserId(nowhere())).await.unwrap(), []);
}

pub async fn signing_keys_are_listed_newest_first(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let mut keys = [("b", 1), ("a", 3), ("c", 2)].map(|(kid, at)| signing_key(kid, START.plus_millis(at)));
    keys[2].purpose = KeyPurpose::BackendTokens;
    for key in keys.clone() {
        stage.done(Command::StoreSigningKey(key)).await;
    }
    let [first, newest, second] = keys;
    assert_eq!(stage.port.signing_keys().await.unwrap(), [newest.clone(), second, first]);
    let again = Command::StoreSigningKey(SigningKeyRecord { private_key: hash("other"), ..newest.clone() });
    assert_eq!(kind(&stage.execute(&Actor::product(), again).await.unwrap_err()), "duplicate ");
    assert_eq!(stage.port.signing_keys().await.unwrap()[0], newest);
}

pub async fn signing_keys_take_turns(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let later = |kid: &str, millis| SigningKeyRecord {
        algorithm: "EdDSA".to_owned(),
        signs_from: START.plus_millis(millis),
        ..signing_key(kid, START.plus_millis(millis - 5))
    };
    stage.done(Command::StoreSigningKey(signing_key("first", START))).await;
    let now = START.plus_millis(1);
    let product = Actor::product();
    let next = later("next", 10);
    let rotate = |key: &SigningKeyRecord| Command::RotateSigningKey(key.clone());
    stage.execute_at(now, &product, rotate(&next)).await.unwrap();
    let refused = stage.execute_at(now, &product, rotate(&later("third", 20))).await.unwrap_err();
    assert_eq!(kind(&refused), "conflict", "one waits already");
    let kids = async || {
        let keys = stage.port.signing_keys().await.unwrap();
        keys.into_iter().map(|key| key.kid).collect::<Vec<_>>()
    };
    assert_eq!(stage.port.signing_keys().await.unwrap()[0], next);

    let remove = |kid: &str, successor| Command::RemoveSigningKey { kid: kid.to_owned(), successor };
    let refused = stage.execute_at(now, &product, remove("first", None)).await.unwrap_err();
    assert_eq!(kind(&refused), "conflict", "somebody has to sign");
    stage.execute_at(now, &product, remove("first", Some(later("successor", 7)))).await.unwrap();
    assert_eq!(kids().await, ["next", "successor"]);
    stage.execute_at(now, &product, remove("next", Some(later("unused", 8)))).await.unwrap();
    assert_eq!(kids().await, ["successor"], "no other took over, for the key did not sign");
    let refused = stage.execute_at(now, &product, remove("next", None)).await.unwrap_err();
    assert_eq!(kind(&refused), "no signing key");
}

pub async fn nothing_is_kept_for_a_user_that_does_not_exist(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let nobody = UserId(nowhere());
    let session = stage.session(nobody, "cookie", START.plus_millis(1 << 40));
    let (_, token) = stage.token(nobody, "token", None);
    let password = Command::SetPassword { username: "nobody".to_owned(), password_hash: hash("x") };
    for command in [Command::OpenPortalSession(session), token, password] {
        let refused = stage.execute(&Actor::product(), command).await.unwrap_err();
        assert_eq!(refused, Refused::NotFound("user"));
    }
    assert_eq!(stage.port.portal_session(&hash("cookie"), START).await.unwrap(), None);
    assert_eq!(stage.port.token(&hash("token"), START).await.unwrap(), None);
}
