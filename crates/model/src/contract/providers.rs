//! Other issuers by which people sign in, as records, and who comes from one.

use futures_util::future::join_all;

use super::*;
use crate::{
    audit::AuditQuery,
    id::ProviderId,
    provider::{
        Arrival, Arrive, CreateProvider, Identity, Newcomers, SignInProvider, SignInTrust, UpdateProvider,
    },
};

fn sign_in_trust(issuer: &str) -> SignInTrust {
    SignInTrust {
        issuer: issuer.to_owned(),
        discovery_url: format!("{issuer}/.well-known/openid-configuration"),
        client_id: "tidegate".to_owned(),
        client_secret: Secret("canary-sign-in-secret".to_owned()),
        scopes: vec!["profile".to_owned()],
        username_claim: "preferred_username".to_owned(),
        roles: [Role::Subscriber.into()].into(),
        role_claim: None,
        newcomers: Newcomers::Enter,
        enabled: true,
    }
}

impl<P: Catalog> Stage<P> {
    fn provider_command(&self, name: &str, issuer: &str) -> Command {
        let (now, random) = self.id_parts();
        let (id, name) = (ProviderId::new(now, random), name.to_owned());
        Command::CreateProvider(Box::new(CreateProvider { id, name, trust: sign_in_trust(issuer) }))
    }

    async fn provider(&self, name: &str, issuer: &str) -> SignInProvider {
        match self.done(self.provider_command(name, issuer)).await {
            Outcome::Provider(provider) => *provider,
            other => panic!("{other:?}"),
        }
    }

    async fn changed(
        &self,
        provider: &SignInProvider,
        change: impl FnOnce(&mut SignInTrust),
    ) -> SignInProvider {
        let (id, based_on, name) = (provider.id, Some(provider.etag), provider.name.clone());
        let mut trust = provider.trust.clone();
        trust.client_secret = Secret::default();
        change(&mut trust);
        let update = UpdateProvider { id, based_on, name, trust };
        match self.done(Command::UpdateProvider(Box::new(update))).await {
            Outcome::Provider(provider) => *provider,
            other => panic!("{other:?}"),
        }
    }

    fn coming(&self, provider: &SignInProvider, subject: &str, name: &str, cookie: &str) -> Command {
        let (now, random) = self.id_parts();
        let id = UserId::new(now, random);
        Command::Arrive(Box::new(Arrive {
            provider: provider.id,
            based_on: provider.etag,
            subject: subject.to_owned(),
            username: name.to_owned(),
            role_values: Vec::new(),
            id,
            session: self.session(id, cookie, START.plus_millis(1 << 40)),
        }))
    }

    async fn comes(&self, provider: &SignInProvider, subject: &str, name: &str, cookie: &str) -> Arrival {
        let stranger = Actor::stranger(IpAddr::from([192, 0, 2, 1]));
        match self.execute(&stranger, self.coming(provider, subject, name, cookie)).await.unwrap() {
            Outcome::Arrived(arrival) => arrival,
            other => panic!("{other:?}"),
        }
    }

    async fn is_in(&self, cookie: &str) -> Option<UserId> {
        let found = self.port.portal_session(&Secret(cookie.to_owned()), START).await.unwrap();
        found.map(|session| session.user)
    }
}

fn person(arrival: Arrival) -> User {
    match arrival {
        Arrival::In(user) => *user,
        other => panic!("{other:?}"),
    }
}

pub async fn a_sign_in_provider_has_a_name_and_an_issuer_of_its_own(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let zeta = stage.provider("Zeta", "https://z.example").await;
    let alpha = stage.provider("alpha", "https://a.example").await;
    for (name, issuer, expected) in [
        ("ALPHA", "https://else.example", "duplicate /name"),
        ("Else", "https://a.example", "duplicate /issuer"),
        ("", "https://else.example", "invalid /name"),
    ] {
        let refused = stage.execute(&Actor::product(), stage.provider_command(name, issuer)).await;
        assert_eq!(kind(&refused.unwrap_err()), expected);
    }
    let zeta = stage.changed(&zeta, |trust| trust.newcomers = Newcomers::Wait).await;
    assert_eq!((zeta.etag, zeta.trust.client_secret.0.as_str()), (2, "canary-sign-in-secret"));
    let reopened = ground.open_as_after_a_kill().await;
    assert_eq!(reopened.sign_in_providers().await.unwrap(), [alpha.clone(), zeta.clone()]);
    assert_eq!(reopened.sign_in_provider(zeta.id).await.unwrap(), Some(zeta));
    let told = reopened.audit(&AuditQuery::default(), &PageRequest::default()).await.unwrap();
    for entry in told.items {
        let entry = reopened.audit_entry(entry.number).await.unwrap();
        assert!(!format!("{entry:?}").contains("canary"), "{entry:?}");
    }
    let ada = stage.user("Ada", Role::Creator).await;
    let delete = |based_on| Command::DeleteProvider { id: alpha.id, based_on };
    assert_eq!(kind(&stage.execute(&ada, delete(None)).await.unwrap_err()), "needs administer");
    assert_eq!(kind(&stage.execute(&Actor::product(), delete(Some(7))).await.unwrap_err()), "stale 1");
    stage.done(delete(Some(1))).await;
    assert_eq!(stage.port.sign_in_provider(alpha.id).await.unwrap(), None);
}

pub async fn who_comes_from_a_provider_is_one_person_by_issuer_and_subject(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let (sso, other) = (
        stage.provider("SSO", "https://sso.example").await,
        stage.provider("Other", "https://o.example").await,
    );
    let ada = stage.user("Ada", Role::Admin).await;
    let new = person(stage.comes(&sso, "1", "new", "cookie").await);
    assert_eq!((new.username.as_str(), new.has_password), ("new", false));
    assert_eq!(stage.is_in("cookie").await, Some(new.id));
    // Neither of these is somebody who is here, whatever they are called.
    assert_eq!(stage.comes(&sso, "2", "ADA", "other cookie").await, Arrival::NameTaken);
    assert_eq!(stage.comes(&other, "1", "New", "other cookie").await, Arrival::NameTaken);
    assert_eq!(stage.is_in("other cookie").await, None);
    let reopened = Stage::on(ground.open_as_after_a_kill().await);
    let again = person(reopened.comes(&sso, "1", "Ada", "new cookie").await);
    assert_eq!((again.id, again.username.as_str()), (new.id, "new"));
    let known = reopened.port.identities(new.id).await.unwrap();
    let created_at = known[0].created_at;
    let as_whom = |issuer: &str| Identity {
        issuer: issuer.to_owned(),
        subject: "1".to_owned(),
        user: new.id,
        created_at,
    };
    assert_eq!(known, [as_whom("https://sso.example")]);
    assert_eq!(reopened.port.identities(ada.user.unwrap()).await.unwrap(), []);
    // No password is the right one, and with the account the identity goes.
    let account = reopened.port.account("new").await.unwrap().unwrap();
    assert!(account.password_hash.0.is_empty() && !account.user.has_password);
    let delete = Command::DeleteUser { id: new.id, based_on: None, heir: None, subject: subject() };
    reopened.done(delete).await;
    let third = person(reopened.comes(&sso, "1", "new", "other cookie").await);
    assert_ne!(third.id, new.id);
}

pub async fn of_a_hundred_that_come_as_one_new_person_all_are_one(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let sso = stage.provider("SSO", "https://sso.example").await;
    let cookies: Vec<_> = (0..100).map(|number| format!("cookie {number}")).collect();
    let coming = cookies.iter().map(|cookie| stage.comes(&sso, "1", "new", cookie));
    let people: BTreeSet<_> = join_all(coming).await.into_iter().map(|one| person(one).id).collect();
    assert_eq!(people.len(), 1);
    let users = stage.port.users(&UserQuery::default(), &PageRequest::default()).await.unwrap();
    assert_eq!(users.items.len(), 1);
}

pub async fn a_provider_that_is_off_or_gone_takes_the_sessions_of_its_people_along(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let sso = stage.provider("SSO", "https://sso.example").await;
    let sam = stage.user("sam", Role::Subscriber).await;
    let session = stage.session(sam.user.unwrap(), "other cookie", START.plus_millis(1 << 40));
    stage.execute(&sam, sign_in("sam", session)).await.unwrap();
    let new = person(stage.comes(&sso, "1", "new", "cookie").await);
    let sso = stage.changed(&sso, |trust| trust.roles.clear()).await;
    assert_eq!(stage.is_in("cookie").await, Some(new.id));
    let stale = SignInProvider { etag: 1, ..sso.clone() };
    let stranger = Actor::stranger(IpAddr::from([192, 0, 2, 1]));
    let late = stage.coming(&stale, "1", "new", "new cookie");
    assert_eq!(kind(&stage.execute(&stranger, late).await.unwrap_err()), "signed out");
    let off = stage.changed(&sso, |trust| trust.enabled = false).await;
    assert_eq!((stage.is_in("cookie").await, stage.is_in("other cookie").await), (None, sam.user));
    let late = stage.coming(&off, "1", "new", "new cookie");
    assert_eq!(kind(&stage.execute(&stranger, late).await.unwrap_err()), "signed out");
    let on = stage.changed(&off, |trust| trust.enabled = true).await;
    person(stage.comes(&on, "1", "new", "cookie").await);
    stage.done(Command::DeleteProvider { id: on.id, based_on: None }).await;
    assert_eq!((stage.is_in("cookie").await, stage.is_in("other cookie").await), (None, sam.user));
    assert!(stage.port.account("new").await.unwrap().is_some(), "the account stays");
}
