//! Other issuers as records: key managers, the keys that are held of them, and what applications have provided.

use super::*;
use crate::{
    command::{CreateKeyManager, ProvideKey, StoreFetchedKeys, UpdateKeyManager},
    id::KeyManagerId,
    issuer::{Algorithm, ClaimNames, Introspection, KeyManager, KeySource, ProvidedKey, Trust},
};

fn trust(issuer: &str) -> Trust {
    Trust {
        issuer: issuer.to_owned(),
        keys: KeySource::Jwks("https://issuer.example/jwks".to_owned()),
        audiences: vec!["tidegate".to_owned()],
        claims: ClaimNames::default(),
        algorithms: Algorithm::ALL.to_vec(),
        requires_at_jwt: false,
        introspection: None,
        enabled: true,
    }
}

fn kind_of(outcome: Result<Outcome, Refused>) -> String {
    outcome.map_or_else(|refused| kind(&refused), |_| "ok".to_owned())
}

impl<P: Catalog> Stage<P> {
    fn key_manager_command(&self, name: &str, issuer: &str) -> Command {
        let (now, random) = self.id_parts();
        let (id, name) = (KeyManagerId::new(now, random), name.to_owned());
        Command::CreateKeyManager(CreateKeyManager { id, name, trust: trust(issuer) })
    }

    async fn key_manager(&self, name: &str, issuer: &str) -> KeyManager {
        match self.done(self.key_manager_command(name, issuer)).await {
            Outcome::KeyManager(manager) => *manager,
            other => panic!("{other:?}"),
        }
    }

    async fn fetched(&self, id: KeyManagerId, based_on: u64, jwks: &str) -> Result<Outcome, Refused> {
        let fetched = StoreFetchedKeys { id, based_on, jwks: jwks.to_owned() };
        self.execute(&Actor::product(), Command::StoreFetchedKeys(fetched)).await
    }

    async fn provided(&self, actor: &Actor, of: KeyManagerId, client_id: &str, to: ApplicationId) -> String {
        let client_id = client_id.to_owned();
        let (application, environment) = (to, Environment::Production);
        let provide = ProvideKey { key_manager: of, client_id, application, environment };
        kind_of(self.execute(actor, Command::ProvideKey(provide)).await)
    }
}

pub async fn key_managers_are_listed_by_name_and_each_has_a_name_and_an_issuer_of_its_own(
    ground: &impl Ground,
) {
    let stage = Stage::on(ground.open().await);
    let zeta = stage.key_manager("Zeta", "https://z.example").await;
    let alpha = stage.key_manager("alpha", "https://a.example").await;
    for (name, issuer, expected) in [
        ("ALPHA", "https://b.example", "duplicate /name"),
        ("Beta", "https://a.example", "duplicate /issuer"),
        ("", "https://b.example", "invalid /name"),
    ] {
        let command = stage.key_manager_command(name, issuer);
        assert_eq!(kind_of(stage.execute(&Actor::product(), command).await), expected, "{name}");
    }
    let listed: Vec<_> = stage.port.key_managers().await.unwrap().into_iter().map(|it| it.manager).collect();
    assert_eq!(listed, [alpha.clone(), zeta]);
    let sam = stage.user("sam", Role::Subscriber).await;
    let command = stage.key_manager_command("Mine", "https://mine.example");
    assert_eq!(kind_of(stage.execute(&sam, command).await), "needs administer");
    let delete = Command::DeleteKeyManager { id: alpha.id, based_on: None };
    assert_eq!(kind_of(stage.execute(&sam, delete.clone()).await), "needs administer");
    stage.done(delete).await;
    assert_eq!(stage.port.key_manager(alpha.id).await.unwrap(), None);
    stage.key_manager("Alpha", "https://a.example").await;
}

pub async fn fetched_keys_are_kept_for_the_address_that_they_came_from(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let manager = stage.key_manager("Issuer", "https://issuer.example").await;
    let held = async || stage.port.key_manager(manager.id).await.unwrap().unwrap();
    let parts = async || stage.port.snapshot_parts().await.unwrap();
    assert_eq!(held().await.fetched, None);
    let before = stage.number().await;
    stage.fetched(manager.id, 1, "one").await.unwrap();
    assert!(stage.number().await > before, "gateways need new keys");
    assert_eq!(parts().await.key_managers[0].jwks, "one");
    let first = held().await.fetched.unwrap();
    let before = stage.number().await;
    stage.fetched(manager.id, 1, "one").await.unwrap();
    assert_eq!(stage.number().await, before, "the same keys are no news");
    let again = held().await.fetched.unwrap();
    assert!(again.at > first.at && again.jwks == first.jwks);
    assert_eq!(kind_of(stage.fetched(manager.id, 2, "two").await), "stale 1");
    assert_eq!(kind_of(stage.fetched(KeyManagerId(nowhere()), 1, "two").await), "no key manager");

    let update = async |trust: Trust| {
        let (id, based_on) = (manager.id, None);
        stage.done(Command::UpdateKeyManager(UpdateKeyManager { id, based_on, trust })).await;
    };
    let other_audience = Trust { audiences: vec!["x".to_owned()], ..trust("https://issuer.example") };
    update(other_audience).await;
    assert_eq!(held().await.fetched.map(|keys| keys.jwks).as_deref(), Some("one"));
    let elsewhere = KeySource::Discovery("https://else.example/d".to_owned());
    update(Trust { keys: elsewhere, ..trust("https://issuer.example") }).await;
    assert_eq!(held().await.fetched, None);
    update(Trust { enabled: false, ..trust("https://issuer.example") }).await;
    assert_eq!(parts().await.key_managers, []);
}

pub async fn a_secret_for_introspection_is_in_no_audit_entry(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let manager = stage.key_manager("Issuer", "https://issuer.example").await;
    let introspection = |url: &str, secret: &str| Introspection {
        url: url.to_owned(),
        client_id: "gateway".to_owned(),
        client_secret: Secret(secret.to_owned()),
    };
    let update = async |url: &str, secret: &str| {
        let trust =
            Trust { introspection: Some(introspection(url, secret)), ..trust("https://issuer.example") };
        let update = UpdateKeyManager { id: manager.id, based_on: None, trust };
        kind_of(stage.execute(&Actor::product(), Command::UpdateKeyManager(update)).await)
    };
    assert_eq!(update("https://issuer.example/i", "canary").await, "ok");
    assert_eq!(
        update("https://issuer.example/i", "").await,
        "ok",
        "it stays where it goes to the same place"
    );
    assert_eq!(update("https://evil.example/i", "").await, "invalid /introspection/client_secret");
    let held = stage.port.key_manager(manager.id).await.unwrap().unwrap();
    assert_eq!(held.manager.trust.introspection, Some(introspection("https://issuer.example/i", "canary")));
    assert_eq!(
        held.manager.redacted().trust.introspection,
        Some(introspection("https://issuer.example/i", ""))
    );
}

pub async fn a_provided_key_is_one_applications_and_goes_with_it_or_with_its_issuer(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let Furnished { owner, other, shop, till, .. } = stage.furnish().await;
    let one = stage.key_manager("One", "https://one.example").await.id;
    let two = stage.key_manager("Two", "https://two.example").await.id;
    let before = stage.number().await;
    assert_eq!(stage.provided(&owner, one, "client", shop.id).await, "ok");
    assert!(stage.number().await > before);
    assert_eq!(stage.provided(&owner, one, "client", shop.id).await, "duplicate /client_id");
    assert_eq!(stage.provided(&other, one, "client", till.id).await, "duplicate /client_id");
    assert_eq!(stage.provided(&other, one, "client", shop.id).await, "no application");
    assert_eq!(
        stage.provided(&other, two, "client", till.id).await,
        "ok",
        "another issuer's is another client"
    );
    assert_eq!(stage.provided(&owner, one, "", shop.id).await, "invalid /client_id");
    let nobody = KeyManagerId(nowhere());
    assert_eq!(stage.provided(&owner, nobody, "client", shop.id).await, "no key manager");
    let parts = stage.port.snapshot_parts().await.unwrap();
    let theirs = parts.clients.iter().filter(|client| client.client_id == "client");
    let mut theirs: Vec<_> = theirs.map(|client| (client.key_manager.unwrap(), client.application)).collect();
    theirs.sort_unstable();
    assert_eq!(theirs, [(one, shop.id), (two, till.id)]);

    let withdraw = |application: ApplicationId, key_manager: KeyManagerId| Command::WithdrawKey {
        application,
        key_manager,
        client_id: "client".to_owned(),
    };
    assert_eq!(kind_of(stage.execute(&other, withdraw(shop.id, one)).await), "no application");
    assert_eq!(kind_of(stage.execute(&other, withdraw(till.id, one)).await), "no key");
    assert_eq!(kind_of(stage.execute(&other, withdraw(till.id, two)).await), "ok");
    assert_eq!(stage.port.provided_keys(till.id).await.unwrap(), []);
    assert_eq!(stage.provided(&other, two, "client", till.id).await, "ok");
    stage.done(Command::DeleteKeyManager { id: two, based_on: None }).await;
    assert_eq!(stage.port.provided_keys(till.id).await.unwrap(), []);
    let kept: Vec<ProvidedKey> = stage.port.provided_keys(shop.id).await.unwrap();
    assert_eq!(kept.len(), 1);
    stage.execute(&owner, Command::DeleteApplication { id: shop.id }).await.unwrap();
    assert_eq!(stage.provided(&other, one, "client", till.id).await, "ok", "it is free again");
}

pub async fn a_design_names_issuers_that_are_there(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    stage.key_manager("One", "https://one.example").await;
    for (names, expected) in [
        (&["all"][..], "ok"),
        (&["resident", "One"], "ok"),
        (&[], "ok"),
        (&["one"], "invalid /issuers"),
        (&["all", "One"], "invalid /issuers"),
    ] {
        let mut creation = stage.creation(&format!("Api{}", stage.count()), "1.0");
        let named = names.iter().map(|name| (*name).to_owned()).collect();
        creation.design.issuers = crate::issuer::AcceptedIssuers::named(named);
        let outcome = stage.execute(&Actor::product(), Command::CreateApi(creation)).await;
        assert_eq!(kind_of(outcome), expected, "{names:?}");
    }
}
