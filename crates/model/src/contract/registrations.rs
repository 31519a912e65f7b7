//! Clients that register themselves, as records.

use futures_util::future::join_all;

use super::{developers::kind_of, *};
use crate::{
    command::{ChangeRegistration, ClientWish, EndRegistration, Register, RegistrationCommand},
    id::RegistrationTokenId,
    registration::{About, Registered, RegistrationToken},
};

const HOUR: i64 = 3_600_000;

fn hash(text: &str) -> Secret {
    Secret(format!("hash of {text}"))
}

/// A token for these applications of this owner, good for an hour of the stage's time.
async fn token(stage: &Stage<impl Catalog>, owner: &Actor, secret: &str, uses_max: u32) -> RegistrationToken {
    let (now, random) = stage.id_parts();
    let token = RegistrationToken {
        id: RegistrationTokenId::new(now, random),
        name: "Fleet".to_owned(),
        prefix: "tgi_abcdef".to_owned(),
        hash: hash(secret),
        owner: owner.user.unwrap(),
        environment: Environment::Sandbox,
        uses_max,
        used: 7,
        last_used_at: Some(now),
        expires_at: START.plus_millis(HOUR),
        created_at: Timestamp(0),
        created_by: "nobody".to_owned(),
    };
    let command = Command::Registration(RegistrationCommand::CreateToken(Box::new(token)));
    match stage.done(command).await {
        Outcome::RegistrationToken(token) => *token,
        other => panic!("{other:?}"),
    }
}

fn wish(name: &str) -> ClientWish {
    ClientWish {
        name: Some(name.to_owned()),
        grants: vec!["client_credentials".to_owned()],
        settings: ClientSettings::default(),
        about: About { software_id: Some("sensor".to_owned()), ..About::default() },
        secret_hash: hash("secret"),
    }
}

fn register(stage: &Stage<impl Catalog>, by: &str, client_id: &str, wish: ClientWish) -> Command {
    let (now, random) = stage.id_parts();
    Command::Registration(RegistrationCommand::Register(Box::new(Register {
        by: hash(by),
        application: ApplicationId::new(now, random),
        client_id: client_id.to_owned(),
        token_hash: hash(&format!("{client_id} token")),
        wish,
    })))
}

fn change(client_id: &str, token: &str, wish: ClientWish) -> Command {
    let (client_id, token_hash) = (client_id.to_owned(), hash(token));
    Command::Registration(RegistrationCommand::Change(Box::new(ChangeRegistration {
        client_id,
        token_hash,
        wish,
    })))
}

fn end(client_id: &str, token: &str) -> Command {
    Command::Registration(RegistrationCommand::End(EndRegistration {
        client_id: client_id.to_owned(),
        token_hash: hash(token),
    }))
}

fn registered(outcome: Result<Outcome, Refused>) -> Registered {
    match outcome.unwrap() {
        Outcome::Registered(registered) => *registered,
        other => panic!("{other:?}"),
    }
}

fn stranger() -> Actor {
    Actor::stranger(IpAddr::from([192, 0, 2, 7]))
}

pub async fn a_client_registers_by_a_token_as_an_application_of_its_owner(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let sam = stage.user("sam", Role::Subscriber).await;
    let made = token(&stage, &sam, "fleet", 2).await;
    assert_eq!((made.used, made.last_used_at, made.created_by.as_str()), (0, None, "tidegate"));
    let before = stage.number().await;
    let first =
        registered(stage.execute(&stranger(), register(&stage, "fleet", "client-1", wish("Sensor"))).await);
    assert_eq!((first.application.owner, first.application.name.as_str()), (sam.user, "Sensor"));
    assert_eq!(first.application.registered_by.as_deref(), Some("Fleet"));
    assert_eq!(first.key.environment, Environment::Sandbox);
    assert!(stage.number().await > before, "gateways notice");
    let port = &stage.port;
    assert_eq!(port.registered("client-1").await.unwrap().as_ref(), Some(&first));
    assert_eq!(port.key("client-1").await.unwrap().as_ref(), Some(&first.key));
    let used = port.registration_token(&hash("fleet")).await.unwrap().unwrap();
    assert!(used.used == 1 && used.last_used_at.is_some());
    // A copy of the same program gets a name that tells it apart.
    let second =
        registered(stage.execute(&stranger(), register(&stage, "fleet", "client-2", wish("sensor"))).await);
    assert_eq!(second.application.name, "sensor (client)");
    for (by, expected) in [("fleet", "no registration token"), ("other", "no registration token")] {
        let outcome = stage.execute(&stranger(), register(&stage, by, "client-3", wish("Late"))).await;
        assert_eq!(kind_of(outcome), expected, "{by}");
    }
    let log = port.changes(ApiId(first.application.id.0), 10).await.unwrap();
    let told: Vec<_> = log.iter().map(|one| (one.by.as_str(), one.action.as_str())).collect();
    let by = "registration token Fleet";
    assert_eq!(told, [(by, "a client registered itself"), (by, "made a key"), (by, "created")]);
    drop(stage);
    let reopened = ground.open_as_after_a_kill().await;
    assert_eq!(reopened.registered("client-1").await.unwrap(), Some(first));
    assert_eq!(reopened.registration_tokens().await.unwrap()[0].used, 2);
}

pub async fn what_is_refused_uses_nothing_up(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let sam = stage.user("sam", Role::Subscriber).await;
    token(&stage, &sam, "fleet", 1).await;
    let bad = ClientWish { grants: vec!["password".to_owned()], ..wish("Sensor") };
    let outcome = stage.execute(&stranger(), register(&stage, "fleet", "client-1", bad)).await;
    assert_eq!(kind_of(outcome), "invalid /grants/0");
    assert!(all_applications(&stage.port, sam.user, 10).await.is_empty());
    let late = START.plus_millis(HOUR);
    let outcome = stage.execute_at(late, &stranger(), register(&stage, "fleet", "c", wish("Late"))).await;
    assert_eq!(kind_of(outcome), "no registration token");
    // Who may not have applications has none made.
    stage
        .done(Command::ChangeUser(change_user(sam.user.unwrap(), &[Role::Observer], UserState::Active)))
        .await;
    let outcome = stage.execute(&stranger(), register(&stage, "fleet", "c", wish("Sensor"))).await;
    assert_eq!(kind_of(outcome), "no registration token");
    stage
        .done(Command::ChangeUser(change_user(sam.user.unwrap(), &[Role::Subscriber], UserState::Active)))
        .await;
    registered(stage.execute(&stranger(), register(&stage, "fleet", "client-1", wish("Sensor"))).await);
}

pub async fn of_many_that_register_by_the_last_use_one_does(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let sam = stage.user("sam", Role::Subscriber).await;
    token(&stage, &sam, "fleet", 3).await;
    let tries = (0..20).map(|number| {
        let command = register(&stage, "fleet", &format!("client-{number}"), wish(&format!("S{number}")));
        let stage = &stage;
        async move { stage.execute(&stranger(), command).await.is_ok() }
    });
    let won = join_all(tries).await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 3);
    assert_eq!(all_applications(&stage.port, sam.user, 50).await.len(), 3);
}

pub async fn a_client_changes_and_ends_its_own_registration_alone(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let sam = stage.user("sam", Role::Subscriber).await;
    token(&stage, &sam, "fleet", 9).await;
    for client in ["client-1", "client-2"] {
        registered(stage.execute(&stranger(), register(&stage, "fleet", client, wish(client))).await);
    }
    for (client, with) in [
        ("client-1", "client-2 token"),
        ("client-1", "secret"),
        ("client-9", "client-9 token"),
        ("client-1", "fleet"),
    ] {
        let changed = stage.execute(&stranger(), change(client, with, wish("Mine"))).await;
        assert_eq!(kind_of(changed), "no registration", "{client} with {with}");
        let ended = stage.execute(&stranger(), end(client, with)).await;
        assert_eq!(kind_of(ended), "no registration", "{client} with {with}");
    }
    // To a public client, which has no secret any more, and back, when it gets the new one.
    let public = ClientWish {
        grants: vec!["authorization_code".to_owned()],
        settings: ClientSettings {
            kind: crate::client::ClientKind::Browser,
            redirect_uris: vec!["https://client.test/cb".to_owned()],
            access_token_seconds: 60,
            ..ClientSettings::default()
        },
        ..wish("Renamed")
    };
    let after = registered(stage.execute(&stranger(), change("client-1", "client-1 token", public)).await);
    assert_eq!(after.application.name, "Renamed");
    assert!(after.key.secret_hash.0.is_empty());
    assert_eq!(after.key.settings.access_token_seconds, 3_600, "what a client cannot name stays");
    let back = ClientWish { secret_hash: hash("new"), ..wish("Renamed") };
    let after = registered(stage.execute(&stranger(), change("client-1", "client-1 token", back)).await);
    assert_eq!(after.key.secret_hash, hash("new"));
    // Whoever has a secret keeps it.
    let again = ClientWish { secret_hash: hash("newer"), ..wish("Renamed") };
    let after = registered(stage.execute(&stranger(), change("client-1", "client-1 token", again)).await);
    assert_eq!(after.key.secret_hash, hash("new"));
    stage.execute(&stranger(), end("client-1", "client-1 token")).await.unwrap();
    assert_eq!(stage.port.application(after.application.id).await.unwrap(), None);
    assert_eq!(stage.port.key("client-1").await.unwrap(), None);
    assert_eq!(stage.port.registered("client-1").await.unwrap(), None);
    assert!(stage.port.registered("client-2").await.unwrap().is_some());
}

pub async fn a_registration_ends_with_its_key_and_takes_nothing_else_along(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let sam = stage.user("sam", Role::Subscriber).await;
    token(&stage, &sam, "fleet", 9).await;
    let mut made = Vec::new();
    for client in ["client-1", "client-2", "client-3"] {
        made.push(registered(
            stage.execute(&stranger(), register(&stage, "fleet", client, wish(client))).await,
        ));
    }
    let id = |place: usize| made[place].application.id;
    // Its owner gave it another key: that one stays.
    let other = developers::key_command(id(0), "other", Environment::Production);
    stage.execute(&sam, Command::CreateKey(other)).await.unwrap();
    stage.execute(&stranger(), end("client-1", "client-1 token")).await.unwrap();
    assert_eq!(stage.port.keys(id(0)).await.unwrap().len(), 1);
    // What its owner deletes is gone.
    let delete = Command::DeleteKey { application: id(1), client_id: "client-2".to_owned() };
    stage.execute(&sam, delete).await.unwrap();
    stage.execute(&sam, Command::DeleteApplication { id: id(2) }).await.unwrap();
    for client in ["client-2", "client-3"] {
        assert_eq!(stage.port.registered(client).await.unwrap(), None);
        let outcome = stage.execute(&stranger(), end(client, &format!("{client} token"))).await;
        assert_eq!(kind_of(outcome), "no registration");
    }
}

pub async fn registration_tokens_are_made_and_deleted_by_administrators(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let (admin, sam) = (stage.user("root", Role::Admin).await, stage.user("sam", Role::Subscriber).await);
    let made = token(&stage, &sam, "fleet", 1).await;
    let create =
        |token: RegistrationToken| Command::Registration(RegistrationCommand::CreateToken(Box::new(token)));
    let twin = RegistrationToken { id: RegistrationTokenId(nowhere()), hash: hash("twin"), ..made.clone() };
    assert_eq!(kind_of(stage.execute(&sam, create(twin.clone())).await), "needs administer");
    let for_nobody = RegistrationToken { owner: UserId(nowhere()), ..twin };
    assert_eq!(kind_of(stage.execute(&admin, create(for_nobody)).await), "no user");
    let delete = Command::Registration(RegistrationCommand::DeleteToken(made.id));
    assert_eq!(kind_of(stage.execute(&sam, delete.clone()).await), "needs administer");
    registered(stage.execute(&stranger(), register(&stage, "fleet", "client-1", wish("Sensor"))).await);
    stage.execute(&admin, delete.clone()).await.unwrap();
    assert_eq!(kind_of(stage.execute(&admin, delete).await), "no registration token");
    assert!(stage.port.registered("client-1").await.unwrap().is_some(), "what registered stays");
    // A token goes with its owner.
    token(&stage, &sam, "other", 1).await;
    let delete =
        Command::DeleteUser { id: sam.user.unwrap(), based_on: None, heir: admin.user, subject: subject() };
    stage.done(delete).await;
    assert_eq!(stage.port.registration_tokens().await.unwrap(), []);
    let heir = stage.port.registered("client-1").await.unwrap().unwrap();
    assert_eq!(heir.application.owner, admin.user, "what it made goes to the heir");
}
