//! Who comes without a credential: what it is called, what it may use, and where that is enough.
//!
//! Everybody without a credential is the same application, which nobody made and nobody can: its id is not one that is
//! given out. It does not know requests or budgets.

use std::sync::{Arc, LazyLock};

use uuid::Uuid;

use crate::{
    admit::Identity,
    endpoint::Environment,
    id::ApplicationId,
    limit::{Limit, Window},
    policy::Policy,
    revocation::Marks,
    security::Way,
    snapshot::{ApiFacts, ApplicationFacts},
    time::Timestamp,
    topic::Found,
};

/// The application of whoever presents no credential. Ids that are given out begin with their time, and none with zeros.
pub const APPLICATION: ApplicationId = ApplicationId(Uuid::nil());
/// What that application and its client are called.
pub const NAME: &str = "anonymous";
/// Under which plan everybody is who presents no credential.
pub const PLAN: &str = "Unauthenticated";
/// What one address may use of an API without a credential: the tier of the specification's product for such clients.
pub const LIMIT: Limit = Limit::messages(500, Window::Minute);

/// The application of whoever presents no credential.
static FACTS: LazyLock<Arc<ApplicationFacts>> = LazyLock::new(|| {
    Arc::new(ApplicationFacts { id: APPLICATION, name: NAME.to_owned(), policy: String::new(), owner: None })
});

/// The name that every such session shares.
static CLIENT_ID: LazyLock<Arc<str>> = LazyLock::new(|| NAME.into());

/// The plan that every such session shares.
static POLICY: LazyLock<Arc<Policy>> =
    LazyLock::new(|| Arc::new(Policy { name: PLAN.to_owned(), limits: vec![LIMIT], ..Policy::default() }));

/// The application's own policy: it has no limit over all its sessions, which are everybody's.
static FREE: LazyLock<Arc<Policy>> = LazyLock::new(Arc::default);

/// The application of whoever presents no credential.
pub fn application() -> &'static Arc<ApplicationFacts> {
    &FACTS
}

/// What the client of that application is called.
pub fn client_id() -> Arc<str> {
    Arc::clone(&CLIENT_ID)
}

/// Its plan, which is held against each address.
pub fn plan() -> &'static Arc<Policy> {
    &POLICY
}

/// The policy of that application: none of its own.
pub fn application_policy() -> &'static Arc<Policy> {
    &FREE
}

/// Who presents nothing, now. It ends at `end`, which is far.
pub fn identity(now: Timestamp, end: Timestamp) -> Identity {
    Identity {
        client_id: NAME.to_owned(),
        subject: NAME.to_owned(),
        expires_at: end,
        marks: Marks { issued_at: now, ..Marks::default() },
        ..Identity::default()
    }
}

/// Which endpoint such a session reaches: production, where the API has one.
pub fn environment(api: &ApiFacts) -> Environment {
    if api.endpoints.production.is_some() { Environment::Production } else { Environment::Sandbox }
}

/// Whether no credential is enough on this topic of an API (empty or beginning with `/`): where the API or the topic
/// says so, and the topic leaves something to do without a scope.
pub fn may_enter(api: &ApiFacts, topic: &str) -> bool {
    match api.topics.find(topic) {
        Found::Undeclared => api.security.accepts(Way::None),
        Found::Declared(declared) => {
            (declared.is_open || api.security.accepts(Way::None)) && declared.speech(&[]).is_ok()
        }
        Found::Unknown => false,
    }
}

#[cfg(test)]
mod tests;
