//! What several unit tests begin with: a request, and a session's grant in a small world. Each changes what it is about.

use std::sync::Arc;

use tidegate_model::{
    admit::Grant,
    endpoint::{Endpoint, Endpoints, Environment},
    headers::HeaderRules,
    id::{ApiId, ApplicationId},
    issuer::AcceptedIssuers,
    lifecycle::State,
    port::{Clock, Entropy},
    protocol::Protocol,
    revocation::Marks,
    security::{Security, Way},
    snapshot::{ApiFacts, ApplicationFacts},
    time::Timestamp,
    topic::{Speech, Topics},
};

use crate::{
    dial::{AddressRules, Dialler, DiallerParts, SystemNames},
    handshake::Request,
    time::Monotonic,
};

/// A clock that stands, and chance that is none.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp(0)
    }
}

impl Entropy for Still {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// A dialler that asks the machine for names, and to which no address is forbidden but those that are to all.
pub(crate) fn dialler() -> Dialler {
    let parts = DiallerParts {
        rules: AddressRules::default(),
        names: Arc::new(SystemNames),
        clock: Arc::new(Still),
        entropy: Arc::new(Still),
        monotonic: Monotonic::start(),
        socket_buffer_bytes: None,
    };
    Dialler::new(parts).unwrap()
}

/// A client's handshake with these headers.
pub(crate) fn request(headers: &[(&str, &str)]) -> Request {
    let owned = |(name, value): &(&str, &str)| (name.to_ascii_lowercase(), value.as_bytes().to_vec());
    Request {
        certificate: None,
        authority: "gateway.test:9099".to_owned(),
        path: "/echo/1.0".to_owned(),
        query: None,
        subprotocols: Vec::new(),
        headers: headers.iter().map(owned).collect(),
        deflate: Vec::new(),
    }
}

/// An API that is published.
pub(crate) fn api() -> ApiFacts {
    ApiFacts {
        id: ApiId::new(Timestamp(0), [2; 10]),
        name: "Echo".to_owned(),
        context: "/echo".to_owned(),
        version: "1.0".to_owned(),
        state: State::Published,
        is_default_version: false,
        revision: 1,
        endpoints: Endpoints { production: Some(Endpoint::new("ws://localhost:1")), sandbox: None },
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

/// An application.
pub(crate) fn application() -> ApplicationFacts {
    ApplicationFacts {
        id: ApplicationId::new(Timestamp(0), [3; 10]),
        name: "App".to_owned(),
        policy: "Policy".to_owned(),
        owner: None,
    }
}

/// What a session of this application at this API is allowed: everything, for ever.
pub(crate) fn grant(api: ApiFacts, application: ApplicationFacts) -> Grant {
    Grant {
        key_manager: None,
        api: Arc::new(api),
        application: Arc::new(application),
        client_id: "client".into(),
        way: Way::OAuthHeader,
        environment: Environment::Production,
        address: std::net::Ipv4Addr::LOCALHOST.into(),
        topic: "".into(),
        scopes: Arc::default(),
        speech: Speech::default(),
        subscription: None,
        plan: None,
        application_policy: Arc::default(),
        api_policy: None,
        topic_policy: None,
        expires_at: Timestamp(i64::MAX),
        signed_with: None,
        marks: Marks::default(),
        source: None,
        attributes: None,
        rules: Box::default(),
    }
}
