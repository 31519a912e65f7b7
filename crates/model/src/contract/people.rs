//! People as records: users, portal sessions, personal access tokens, and the issuer's signing keys.

use futures_util::future::join_all;

use super::*;
use crate::{
    command::{AskForAccount, ChangeSignUp, EndPortalSessions, WhichSessions},
    role::RoleName,
    sign_up::{SignUp, WAITING_MAX, WAITING_MILLIS},
    user::Presented,
};

pub(super) fn set_password(username: &str, hash: &str) -> Command {
    let (username, password_hash) = (username.to_owned(), Secret(hash.to_owned()));
    Command::SetPassword { username, password_hash, one_time: true }
}

pub(super) fn change_user(id: UserId, roles: &[Role], state: UserState) -> ChangeUser {
    ChangeUser {
        id,
        based_on: None,
        roles: roles.iter().map(|role| RoleName::from(*role)).collect(),
        state,
        subject: subject(),
    }
}

/// By which tokens that speak for somebody are known.
pub(super) fn subject() -> Mark {
    Mark::from([7; 8])
}

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
    let mut foreign = stage.port.account("ada").await.unwrap().unwrap();
    (foreign.user.id, foreign.user.username) = (UserId(nowhere()), "Adа".to_owned());
    let refused = stage.execute(&Actor::product(), Command::CreateUser(foreign)).await.unwrap_err();
    assert_eq!(kind(&refused), "invalid /username", "no name looks like another's");
}

pub async fn a_portal_session_ends_in_its_last_millisecond(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.user("Ada", Role::Creator).await;
    let end = START.plus_millis(1 << 30);
    let session = stage.session(ada.user.unwrap(), "cookie", end);
    stage.execute(&ada, sign_in("Ada", session.clone())).await.unwrap();
    let at =
        async |cookie: &str, now: Timestamp| stage.port.portal_session(&hash(cookie), now).await.unwrap();
    assert_eq!(at("cookie", START).await, Some(session.clone()));
    assert_eq!(at("cookie", end.plus_millis(-1)).await, Some(session));
    assert_eq!(at("cookie", end).await, None);
    assert_eq!(at("Cookie", START).await, None);

    // Signing in clears away what is over, and only that.
    let other = stage.session(ada.user.unwrap(), "other cookie", end.plus_millis(1 << 30));
    stage.execute_at(end.plus_millis(-1), &ada, sign_in("Ada", other.clone())).await.unwrap();
    assert!(at("cookie", START).await.is_some());
    let third = stage.session(ada.user.unwrap(), "new cookie", end.plus_millis(1 << 30));
    stage.execute_at(end, &ada, sign_in("Ada", third)).await.unwrap();
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
        stage.execute(actor, sign_in(&actor.name, session)).await.unwrap();
    }
    let outcome = stage.done(set_password("ADA", "new hash")).await;
    assert!(matches!(outcome, Outcome::User(user) if user.username == "Ada" && user.must_change_password));
    let mut left = Vec::new();
    for cookie in COOKIES {
        left.push(stage.port.portal_session(&hash(cookie), START).await.unwrap().is_some());
    }
    assert_eq!(left, [false, false, true]);
    assert_eq!(stage.port.account("Ada").await.unwrap().unwrap().password_hash, hash("new hash"));
    assert_eq!(stage.port.account("sam").await.unwrap().unwrap().password_hash, hash("hash of sam"));
}

pub async fn a_chosen_password_leaves_the_one_session_it_was_chosen_in(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let (ada, sam) = (stage.user("Ada", Role::Creator).await, stage.user("sam", Role::Subscriber).await);
    let end = START.plus_millis(1 << 40);
    for (actor, cookie) in [(&ada, "cookie"), (&ada, "other cookie"), (&sam, "third cookie")] {
        let session = stage.session(actor.user.unwrap(), cookie, end);
        stage.execute(actor, sign_in(&actor.name, session)).await.unwrap();
    }
    stage.done(set_password("sam", "for once")).await;
    let choose = |verified: &str, cookie: &str, user: UserId| Command::ChoosePassword {
        password_hash: hash("chosen"),
        verified: hash(verified),
        session: stage.session(user, cookie, end),
    };
    let strange = choose("for once", "new cookie", sam.user.unwrap());
    assert_eq!(
        kind(&stage.execute(&ada, strange).await.unwrap_err()),
        "no user",
        "one's own and nobody else's"
    );
    let outcome = stage.execute(&ada, choose("hash of Ada", "new cookie", ada.user.unwrap())).await.unwrap();
    assert!(matches!(outcome, Outcome::User(user) if !user.must_change_password));
    let there = async |cookie: &str| stage.port.portal_session(&hash(cookie), START).await.unwrap().is_some();
    assert_eq!(
        (there("cookie").await, there("other cookie").await, there("new cookie").await),
        (false, false, true)
    );
    assert_eq!(stage.port.account("Ada").await.unwrap().unwrap().password_hash, hash("chosen"));
    assert!(stage.port.account("sam").await.unwrap().unwrap().user.must_change_password);
    stage.execute(&sam, choose("for once", "third cookie", sam.user.unwrap())).await.unwrap();
    assert!(!stage.port.account("sam").await.unwrap().unwrap().user.must_change_password);
}

pub async fn what_was_proven_before_a_new_password_is_worth_nothing_after_it(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.user("Ada", Role::Creator).await;
    let user = ada.user.unwrap();
    let session = |cookie: &str| stage.session(user, cookie, START.plus_millis(1 << 40));
    stage.execute(&ada, sign_in("Ada", session("cookie"))).await.unwrap();
    stage.done(set_password("Ada", "new hash")).await;
    // Both were verified against the old hash, and come to the writer after the new one.
    let choice = Command::ChoosePassword {
        password_hash: hash("the thief's"),
        verified: hash("hash of Ada"),
        session: session("new cookie"),
    };
    let (token, command) = stage.token(user, "token", None);
    let Command::CreateToken { token_hash, .. } = command else { panic!("{command:?}") };
    let token = Command::CreateToken { token, token_hash, session: Some(hash("cookie")) };
    for late in [sign_in("Ada", session("other cookie")), choice, token] {
        let shown = format!("{late:?}");
        assert_eq!(kind(&stage.execute(&ada, late).await.unwrap_err()), "signed out", "{shown}");
    }
    for cookie in COOKIES {
        assert_eq!(stage.port.portal_session(&hash(cookie), START).await.unwrap(), None, "{cookie}");
    }
    let account = stage.port.account("Ada").await.unwrap().unwrap();
    assert_eq!((account.password_hash, account.user.must_change_password), (hash("new hash"), true));
    assert_eq!(stage.port.tokens(user).await.unwrap(), []);
    let begun = Command::OpenPortalSession { session: session("cookie"), verified: hash("new hash") };
    stage.execute(&ada, begun).await.unwrap();
}

pub async fn portal_sessions_are_ended_by_their_owner_or_an_administrator(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let (ada, sam) = (stage.user("Ada", Role::Creator).await, stage.user("sam", Role::Subscriber).await);
    let boss = stage.user("boss", Role::Admin).await;
    let (of_ada, of_sam) = (ada.user.unwrap(), sam.user.unwrap());
    let end = START.plus_millis(1 << 30);
    let mut begun = Vec::new();
    for (actor, cookie) in [(&ada, "a"), (&ada, "b"), (&ada, "c"), (&sam, "d")] {
        let session = stage.session(actor.user.unwrap(), cookie, end);
        begun.push(session.id);
        stage.execute(actor, sign_in(&actor.name, session)).await.unwrap();
    }
    let listed = async |user: UserId, now: Timestamp| -> Vec<String> {
        let sessions = stage.port.portal_sessions(user, now).await.unwrap();
        sessions.into_iter().map(|session| session.token_hash.0).collect()
    };
    assert_eq!(listed(of_ada, START).await, ["c", "b", "a"], "newest first");
    assert_eq!(listed(of_ada, end).await, [""; 0], "what is over is not listed");
    let all_but = |user, kept| EndPortalSessions { user, which: WhichSessions::AllBut(kept) };
    let one = |user, which| EndPortalSessions { user, which: WhichSessions::One(which) };
    let refused = async |actor: &Actor, end| {
        kind(&stage.execute(actor, Command::EndPortalSessions(end)).await.unwrap_err())
    };
    assert_eq!(refused(&sam, one(of_ada, begun[0])).await, "needs administer");
    assert_eq!(refused(&sam, all_but(of_ada, None)).await, "needs administer");
    assert_eq!(refused(&sam, one(of_sam, begun[0])).await, "no portal session", "another's, as one's own");
    assert_eq!(refused(&boss, all_but(UserId(nowhere()), None)).await, "no user");
    assert_eq!(listed(of_ada, START).await.len(), 3);
    stage.execute(&ada, Command::EndPortalSessions(one(of_ada, begun[1]))).await.unwrap();
    assert_eq!(refused(&ada, one(of_ada, begun[1])).await, "no portal session");
    assert_eq!(listed(of_ada, START).await, ["c", "a"]);
    // Another's session as the one that is kept keeps nothing.
    stage.execute(&ada, Command::EndPortalSessions(all_but(of_ada, Some(begun[0])))).await.unwrap();
    assert_eq!(listed(of_ada, START).await, ["a"]);
    stage.execute(&boss, Command::EndPortalSessions(all_but(of_ada, Some(begun[3])))).await.unwrap();
    assert_eq!((listed(of_ada, START).await.len(), listed(of_sam, START).await.len()), (0, 1));
    stage.execute(&boss, Command::EndPortalSessions(all_but(of_ada, None))).await.unwrap();
}

pub async fn what_was_seen_is_kept_and_brings_nothing_back(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.user("Ada", Role::Creator).await;
    let user = ada.user.unwrap();
    for cookie in ["cookie", "other cookie"] {
        let session = stage.session(user, cookie, START.plus_millis(1 << 40));
        stage.execute(&ada, sign_in("Ada", session)).await.unwrap();
    }
    let (token, command) = stage.token(user, "token", None);
    stage.execute(&ada, command).await.unwrap();
    stage.execute(&ada, Command::ClosePortalSession { token_hash: hash("other cookie") }).await.unwrap();
    let at = START.plus_millis(7_777);
    let gone = Presented::Token(TokenId(nowhere()));
    let seen = [
        Presented::Session(hash("cookie")),
        Presented::Session(hash("other cookie")),
        Presented::Token(token.id),
        gone,
    ];
    stage.done(Command::KeepSeen(seen.map(|presented| (presented, at)).to_vec())).await;
    let session = stage.port.portal_session(&hash("cookie"), START).await.unwrap().unwrap();
    assert_eq!((session.seen_at, session.address), (at, Some(IpAddr::from([192, 0, 2, 1]))));
    assert_eq!(stage.port.portal_session(&hash("other cookie"), START).await.unwrap(), None);
    let tokens = stage.port.tokens(user).await.unwrap();
    assert_eq!((tokens.len(), tokens[0].seen_at), (1, Some(at)));
}

pub async fn who_signs_up_waits_where_it_is_open_and_no_name_is_told(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let (boss, ada) = (stage.user("boss", Role::Admin).await, stage.user("Ada", Role::Creator).await);
    let stranger = Actor::stranger(IpAddr::from([192, 0, 2, 7]));
    let ask = async |name: &str, at: Timestamp| {
        let (now, random) = stage.id_parts();
        let (id, password_hash) = (UserId::new(now, random), hash("chosen"));
        let asked = AskForAccount { id, username: name.to_owned(), password_hash };
        stage.execute_at(at, &stranger, Command::AskForAccount(asked)).await.map(drop)
    };
    let open = |is_open, tag| Command::ChangeSignUp(ChangeSignUp { based_on: Some(tag), is_open });
    let waiting = async || {
        let query = UserQuery { state: Some(UserState::Waiting), ..UserQuery::default() };
        let page = PageRequest { limit: 200, cursor: None };
        stage.port.users(&query, &page).await.unwrap().items
    };
    assert!(!stage.port.sign_up().await.unwrap().is_open);
    assert_eq!(kind(&ask("eve", START).await.unwrap_err()), "conflict");
    assert_eq!(kind(&stage.execute(&ada, open(true, 1)).await.unwrap_err()), "needs administer");
    assert_eq!(kind(&stage.execute(&boss, open(true, 7)).await.unwrap_err()), "stale 1");
    stage.execute(&boss, open(true, 1)).await.unwrap();
    assert_eq!(stage.port.sign_up().await.unwrap(), SignUp { is_open: true, etag: 2 });

    assert_eq!(kind(&ask("<eve>", START).await.unwrap_err()), "invalid /username");
    ask("eve", START).await.unwrap();
    // Of somebody who is here, and of somebody who waits: as if it were free.
    ask("aDA", START).await.unwrap();
    ask("EVE", START).await.unwrap();
    let account = stage.port.account("ada").await.unwrap().unwrap();
    assert_eq!((account.user.id, account.password_hash), (ada.user.unwrap(), hash("hash of Ada")));
    let [eve] = &waiting().await[..] else { panic!("one waits") };
    assert_eq!((eve.username.as_str(), eve.roles.given().is_empty()), ("eve", true));
    let session = stage.session(eve.id, "cookie", START.plus_millis(1 << 40));
    let begun = Command::OpenPortalSession { session, verified: hash("chosen") };
    assert!(stage.execute(&Actor::person(eve), begun.clone()).await.is_err(), "who waits does not get in");
    let back = change_user(ada.user.unwrap(), &[], UserState::Waiting);
    assert_eq!(kind(&stage.execute(&boss, Command::ChangeUser(back)).await.unwrap_err()), "invalid /state");
    stage.done(Command::ChangeUser(change_user(eve.id, &[Role::Subscriber], UserState::Active))).await;
    stage.execute(&Actor::person(eve), begun).await.unwrap();

    for number in 0..WAITING_MAX {
        ask(&format!("bot{number}"), START).await.unwrap();
    }
    for name in ["sam", "eve"] {
        assert_eq!(kind(&ask(name, START.plus_millis(1)).await.unwrap_err()), "conflict", "{name}");
    }
    // Whoever waited for too long makes room.
    ask("sam", START.plus_millis(WAITING_MILLIS)).await.unwrap();
    let left: Vec<_> = waiting().await.into_iter().map(|user| user.username).collect();
    assert_eq!(left, ["sam"]);
    assert!(stage.port.account("eve").await.unwrap().is_some(), "who was approved stays");
}

pub async fn users_are_found_by_name_role_and_state(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    for (name, role) in [
        ("zoe", Role::Subscriber),
        ("Ada", Role::Creator),
        ("bob_1", Role::Subscriber),
        ("bobby", Role::Admin),
        ("BOB2", Role::Subscriber),
    ] {
        stage.user(name, role).await;
    }
    let zoe = stage.port.account("zoe").await.unwrap().unwrap().user;
    stage.done(Command::ChangeUser(change_user(zoe.id, &[Role::Subscriber], UserState::Disabled))).await;
    let found = async |query: UserQuery, limit: u32| -> Vec<String> {
        let users = all_pages!(limit, |request| stage.port.users(&query, &request).await.unwrap());
        users.into_iter().map(|user| user.username).collect()
    };
    let all = ["Ada", "BOB2", "bob_1", "bobby", "zoe"];
    for limit in [1, 2, 5, 200] {
        assert_eq!(found(UserQuery::default(), limit).await, all);
    }
    let text = |text: &str| UserQuery { text: text.to_owned(), ..UserQuery::default() };
    assert_eq!(found(text("BoB"), 1).await, ["BOB2", "bob_1", "bobby"]);
    assert_eq!(found(text("b_1"), 1).await, ["bob_1"], "a pattern's signs mean themselves");
    assert_eq!(found(text("%"), 1).await, [""; 0]);
    let role = UserQuery { role: Some(Role::Subscriber.into()), ..UserQuery::default() };
    assert_eq!(found(role.clone(), 2).await, ["BOB2", "bob_1", "zoe"]);
    let active = UserQuery { state: Some(UserState::Active), ..role };
    assert_eq!(found(active, 2).await, ["BOB2", "bob_1"]);
    let disabled = UserQuery { state: Some(UserState::Disabled), ..UserQuery::default() };
    assert_eq!(found(disabled, 2).await, ["zoe"]);
}

pub async fn a_user_changes_only_from_the_tag_of_now(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let id = stage.user("Ada", Role::Creator).await.user.unwrap();
    let change = |tag| {
        let roles = [Role::Publisher, Role::Observer];
        Command::ChangeUser(ChangeUser { based_on: Some(tag), ..change_user(id, &roles, UserState::Active) })
    };
    assert_eq!(kind(&stage.execute(&Actor::product(), change(2)).await.unwrap_err()), "stale 1");
    let outcome = stage.done(change(1)).await;
    let Outcome::User(user) = outcome else { panic!("{outcome:?}") };
    assert_eq!((user.etag, &user.roles), (2, &Roles::from([Role::Publisher, Role::Observer])));
    assert_eq!(stage.port.user(id).await.unwrap(), Some(user));
    let delete = Command::DeleteUser { id, based_on: Some(1), heir: None, subject: subject() };
    assert_eq!(kind(&stage.execute(&Actor::product(), delete).await.unwrap_err()), "stale 2");
}

pub async fn the_last_administrator_stays_one(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let (one, two) = (stage.user("one", Role::Admin).await, stage.user("two", Role::Admin).await);
    let (first, second) = (one.user.unwrap(), two.user.unwrap());
    stage
        .execute(&two, Command::ChangeUser(change_user(first, &[Role::Admin], UserState::Disabled)))
        .await
        .unwrap();
    for command in [
        Command::ChangeUser(change_user(second, &[Role::Creator], UserState::Active)),
        Command::ChangeUser(change_user(second, &[Role::Admin], UserState::Disabled)),
        Command::DeleteUser { id: second, based_on: None, heir: None, subject: subject() },
    ] {
        let refused = stage.execute(&Actor::product(), command.clone()).await.unwrap_err();
        assert_eq!(kind(&refused), "conflict", "{command:?}");
    }
    stage.done(Command::ChangeUser(change_user(first, &[Role::Admin], UserState::Active))).await;
    // Each of two would be allowed alone; together they would leave nobody.
    let both = [first, second].map(|id| Command::ChangeUser(change_user(id, &[], UserState::Active)));
    let product = Actor::product();
    let done = join_all(both.map(|command| stage.execute_at(START, &product, command))).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1);
}

pub async fn a_disabled_user_has_no_session_and_no_key(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    let (id, client) = (there.owner.user.unwrap(), there.key.client_id.as_str());
    let clients = async || stage.port.snapshot_parts().await.unwrap().clients.len();
    assert_eq!(clients().await, 2);
    stage.done(Command::ChangeUser(change_user(id, &[Role::Subscriber], UserState::Disabled))).await;
    assert_eq!(clients().await, 0, "gateways do not know their clients any more");
    assert_eq!(stage.port.key(client).await.unwrap(), None, "no token is issued to them");
    assert_eq!(stage.port.portal_session(&hash("cookie"), START).await.unwrap(), None);
    let session = stage.session(id, "new cookie", START.plus_millis(1 << 40));
    let refused = stage.execute(&there.owner, sign_in("sam", session)).await.unwrap_err();
    assert_eq!(kind(&refused), "no user", "a sign-in that was under way is too late");
    stage.done(Command::ChangeUser(change_user(id, &[Role::Subscriber], UserState::Active))).await;
    assert_eq!(clients().await, 2);
    assert!(stage.port.key(client).await.unwrap().is_some());
    assert_eq!(
        stage.port.portal_session(&hash("cookie"), START).await.unwrap(),
        None,
        "what ended has ended"
    );
}

pub async fn a_deleted_user_leaves_applications_to_an_heir(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    let (id, heir) = (there.owner.user.unwrap(), there.other.user.unwrap());
    let delete = |heir| Command::DeleteUser { id, based_on: None, heir, subject: subject() };
    let product = Actor::product();
    assert_eq!(kind(&stage.execute(&product, delete(None)).await.unwrap_err()), "conflict");
    let nobody = stage.execute(&product, delete(Some(UserId(nowhere())))).await.unwrap_err();
    assert_eq!(kind(&nobody), "invalid /applications_to");
    assert!(stage.port.user(id).await.unwrap().is_some());
    stage.done(delete(Some(heir))).await;
    assert_eq!(stage.port.user(id).await.unwrap(), None);
    assert_eq!(stage.port.portal_session(&hash("cookie"), START).await.unwrap(), None);
    assert_eq!(stage.port.token(&hash("token"), START).await.unwrap(), None);
    let names: Vec<_> = all_applications(&stage.port, Some(heir), 10)
        .await
        .into_iter()
        .map(|application| (application.name, application.owner_name))
        .collect();
    let of_zoe = |name: &str| (name.to_owned(), "zoe".to_owned());
    assert_eq!(names, [of_zoe("Shop"), of_zoe("Till")]);
    assert!(stage.port.key(&there.key.client_id).await.unwrap().is_some(), "its keys work on");
    assert_eq!(kind(&stage.execute(&product, delete(None)).await.unwrap_err()), "no user");
}

pub async fn a_token_works_until_it_expires_or_is_deleted(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let (ada, sam) = (stage.user("Ada", Role::Creator).await, stage.user("sam", Role::Subscriber).await);
    let end = START.plus_millis(1 << 30);
    let (mut passing, first) = stage.token(ada.user.unwrap(), "passing", Some(end));
    passing.scopes = Some(["apis:read", "tokens:write"].map(str::to_owned).into());
    let Command::CreateToken { token_hash, session, .. } = first else { panic!("{first:?}") };
    let first = Command::CreateToken { token: passing.clone(), token_hash, session };
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
    for command in [sign_in("nobody", session), token, set_password("nobody", "x")] {
        let refused = stage.execute(&Actor::product(), command).await.unwrap_err();
        assert_eq!(refused, Refused::NotFound("user"));
    }
    assert_eq!(stage.port.portal_session(&hash("cookie"), START).await.unwrap(), None);
    assert_eq!(stage.port.token(&hash("token"), START).await.unwrap(), None);
}
