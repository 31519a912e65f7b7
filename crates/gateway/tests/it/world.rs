//! What the gateway decides with: one API, one application with two keys, a subscription, and tokens of the test's
//! own issuer.

use aws_lc_rs::{
    rand::SystemRandom as SigningRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use tidegate_model::{
    endpoint::{Endpoint, Endpoints, Environment},
    headers::HeaderRules,
    id::{ApiId, ApplicationId, SubscriptionId},
    issuer::AcceptedIssuers,
    lifecycle::State,
    limit::{Limit, Window},
    policy::Policy,
    protocol::Protocol,
    security::Security,
    snapshot::{ApiFacts, ApplicationFacts, ClientFacts, IssuerFacts, SnapshotParts, SubscriptionFacts},
    time::Timestamp,
    topic::Topics,
};
use tidegate_oauth::jwk::{Algorithm, SigningKey, SystemRandom, key_set};

/// 23 seconds into a minute.
pub(crate) const NOW: Timestamp = Timestamp(1_800_000_023_000);
pub(crate) const ISSUER: &str = "https://issuer.test";
pub(crate) const AUDIENCE: &str = "https://gateway.test";
/// Seconds that a token lives.
pub(crate) const LIFETIME: i64 = 3_600;
pub(crate) const PRODUCTION: &str = "production-client";
pub(crate) const SANDBOX: &str = "sandbox-client";
pub(crate) const PATH: &str = "/echo/1.0";

/// See the module.
pub(crate) struct World {
    pub(crate) parts: SnapshotParts,
    pub(crate) key: SigningKey,
}

pub(crate) fn new_key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap()
}

pub(crate) fn issuer(key: &SigningKey) -> IssuerFacts {
    IssuerFacts {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        jwks: key_set([key]),
        keys: vec![key.kid().to_owned()],
    }
}

fn plan(name: &str, limit: Option<Limit>) -> Policy {
    Policy { name: name.to_owned(), limits: limit.into_iter().collect(), ..Policy::default() }
}

/// An API that nobody has a subscription to.
pub(crate) fn api(number: u8, context: &str, url: &str) -> ApiFacts {
    ApiFacts {
        id: ApiId::new(NOW, [number; 10]),
        name: format!("Api{number}"),
        context: context.to_owned(),
        version: "1.0".to_owned(),
        state: State::Published,
        is_default_version: false,
        revision: 1,
        endpoints: Endpoints { production: Some(Endpoint::new(url)), sandbox: None },
        protocol: Protocol::default(),
        headers: HeaderRules::default(),
        mappings: Vec::new(),
        topics: Topics::default(),
        scopes: Vec::new(),
        security: Security::default(),
        issuers: AcceptedIssuers::default(),
        api_policy: None,
        notice: None,
    }
}

impl World {
    /// An API at [`PATH`] whose production endpoint is `url`, and an application subscribed to it under Gold, which
    /// has no limit yet.
    pub(crate) fn new(url: &str) -> Self {
        let key = new_key();
        let api = api(1, "/echo", url);
        let application = ApplicationFacts {
            id: ApplicationId::new(NOW, [2; 10]),
            name: "App".to_owned(),
            policy: "Policy".to_owned(),
            owner: None,
        };
        let subscription = SubscriptionFacts {
            id: SubscriptionId::new(NOW, [3; 10]),
            application: application.id,
            api: api.id,
            plan: "Gold".to_owned(),
        };
        let client = |client_id: &str, environment| ClientFacts {
            client_id: client_id.to_owned(),
            application: application.id,
            environment,
            key_manager: None,
        };
        let parts = SnapshotParts {
            number: 0,
            issuer: issuer(&key),
            key_managers: Vec::new(),
            backend_tokens: None,
            api_keys: Vec::new(),
            certificates: Vec::new(),
            client_secrets: Vec::new(),
            clients: vec![client(PRODUCTION, Environment::Production), client(SANDBOX, Environment::Sandbox)],
            apis: vec![api],
            applications: vec![application],
            subscriptions: vec![subscription],
            plans: vec![plan("Gold", None), plan("Silver", None)],
            application_policies: vec![plan("Policy", None)],
            api_policies: Vec::new(),
            deny_rules: Vec::new(),
            custom_rules: Vec::new(),
        };
        Self { parts, key }
    }

    pub(crate) fn api(&mut self) -> &mut ApiFacts {
        &mut self.parts.apis[0]
    }

    pub(crate) fn production(&mut self) -> &mut Endpoint {
        self.api().endpoints.production.as_mut().unwrap()
    }

    /// So many messages a minute under Gold.
    pub(crate) fn gold(mut self, messages: u64) -> Self {
        self.parts.plans[0].limits = vec![Limit::messages(messages, Window::Minute)];
        self
    }

    /// A token of the production key.
    pub(crate) fn token(&self) -> String {
        self.token_of(PRODUCTION)
    }

    pub(crate) fn token_of(&self, client_id: &str) -> String {
        self.token_with(&json!({}), &json!({"client_id": client_id, "sub": client_id}))
    }

    /// A token in which these members of header and claims are others; `null` takes one out.
    pub(crate) fn token_with(&self, header: &Value, claims: &Value) -> String {
        let now = NOW.seconds();
        let mut whole_header = json!({"typ": "at+jwt", "alg": "ES256", "kid": self.key.kid()});
        let mut whole_claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": PRODUCTION, "client_id": PRODUCTION,
            "iat": now, "exp": now + LIFETIME, "jti": "token-1",
        });
        for (whole, other) in [(&mut whole_header, header), (&mut whole_claims, claims)] {
            let whole = whole.as_object_mut().unwrap();
            whole.extend(other.as_object().unwrap().clone());
            whole.retain(|_, value| !value.is_null());
        }
        self.signed(&whole_header, &whole_claims)
    }

    pub(crate) fn signed(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        signed(&self.key, &format!("{}.{}", part(header), part(claims)))
    }
}

/// The message with the signature of an ES256 key behind it.
pub(crate) fn signed(key: &SigningKey, message: &str) -> String {
    let pkcs8 = STANDARD.decode(key.to_text().expose()).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).unwrap();
    let signature = pair.sign(&SigningRandom::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}
