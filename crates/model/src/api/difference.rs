//! A design as a list of its fields, so that two of them can be told apart field by field.
//!
//! Secrets are only said to be there or to have changed.

use super::{Design, Difference};
use crate::{
    endpoint::{Credential, Endpoint},
    headers::HeaderRules,
    protocol::Protocol,
    role::RoleName,
    scope::Scope,
    security::Security,
    topic::Topic,
    user::Secret,
};

type Number = fn(&Endpoint) -> u32;
type Fields = Vec<(String, Option<String>)>;

/// In what `working` differs from `live`.
pub(super) fn between(live: &Design, working: &Design) -> Vec<Difference> {
    let plain = fields(live).into_iter().zip(fields(working));
    let plain = plain
        .filter(|((_, live), (_, working))| live != working)
        .map(|((field, live), (_, working))| Difference { field, live, working });
    let secret = secrets(live).into_iter().zip(secrets(working));
    let secret = secret.filter(|((_, live), (_, working))| live != working);
    let secret = secret.map(|((field, live), (_, working))| Difference {
        field,
        live: live.map(|_| "set".to_owned()),
        working: working.map(|_| if live.is_some() { "set anew" } else { "set" }.to_owned()),
    });
    plain.chain(secret).collect()
}

/// Every secret of a design under its path, always the same in the same order.
fn secrets(design: &Design) -> Vec<(String, Option<&Secret>)> {
    let mut all = Vec::new();
    for (name, endpoint) in
        [("production", &design.endpoints.production), ("sandbox", &design.endpoints.sandbox)]
    {
        let given = |secret: &&Secret| !secret.0.is_empty();
        let credential = endpoint.as_ref().and_then(|e| e.credential.secret()).filter(given);
        let key = endpoint.as_ref().map(|e| &e.tls.client_key).filter(given);
        all.push((format!("endpoints.{name}.credential.secret"), credential));
        all.push((format!("endpoints.{name}.tls.client_key"), key));
    }
    all
}

/// Every field of a design under its path but the secrets, always the same fields in the same order.
fn fields(design: &Design) -> Fields {
    let mut all = vec![("description".to_owned(), Some(design.description.clone()))];
    for (name, endpoint) in
        [("production", &design.endpoints.production), ("sandbox", &design.endpoints.sandbox)]
    {
        endpoint_fields(&format!("endpoints.{name}"), endpoint.as_ref(), &mut all);
    }
    let Protocol { compression, frame_checks, utf8_check, message_bytes_max, frame_bytes_max } =
        design.protocol;
    for (leaf, value) in [
        ("compression", compression.as_str().to_owned()),
        ("frame_checks", frame_checks.to_string()),
        ("utf8_check", utf8_check.to_string()),
        ("message_bytes_max", message_bytes_max.to_string()),
        ("frame_bytes_max", frame_bytes_max.to_string()),
    ] {
        all.push((format!("protocol.{leaf}"), Some(value)));
    }
    let notice = design.notice.as_ref().and_then(|notice| serde_json::to_string(notice).ok());
    all.push(("notice".to_owned(), notice));
    header_fields(&design.headers, &mut all);
    let mappings = design.mappings.iter().map(|mapping| format!("{} → {}", mapping.topic, mapping.backend));
    all.push(("mappings".to_owned(), listed(mappings)));
    let topics = design.topics.declared.iter().map(topic);
    all.push(("topics.declared".to_owned(), listed(topics)));
    all.push(("scopes".to_owned(), listed(design.scopes.iter().map(scope))));
    all.push(("topics.misdirected".to_owned(), Some(design.topics.misdirected.as_str().to_owned())));
    security_fields(&design.security, &mut all);
    all.push(("issuers".to_owned(), listed(design.issuers.names().into_iter())));
    let mut plans = design.plans.clone();
    plans.sort();
    all.push(("plans".to_owned(), listed(plans.into_iter())));
    all.push(("api_policy".to_owned(), design.api_policy.clone()));
    all
}

fn endpoint_fields(path: &str, endpoint: Option<&Endpoint>, all: &mut Fields) {
    let mut field = |leaf: &str, value: Option<String>| all.push((format!("{path}.{leaf}"), value));
    field("url", endpoint.map(|e| e.url.clone()));
    field("others", endpoint.and_then(|e| listed(e.others.iter().cloned())));
    field("balance", endpoint.map(|e| e.balance.as_str().to_owned()));
    field("sticky_header", endpoint.and_then(|e| text(&e.sticky_header)));
    let numbers: [(&str, Number); 14] = [
        ("suspension.after_failures", |e| e.suspension.after_failures),
        ("suspension.first_ms", |e| e.suspension.first_ms),
        ("suspension.max_ms", |e| e.suspension.max_ms),
        ("health.interval_ms", |e| e.health.interval_ms),
        ("health.timeout_ms", |e| e.health.timeout_ms),
        ("health.unhealthy_after", |e| e.health.unhealthy_after),
        ("health.healthy_after", |e| e.health.healthy_after),
        ("connect_timeout_ms", |e| e.connect_timeout_ms),
        ("tls_timeout_ms", |e| e.tls_timeout_ms),
        ("handshake_timeout_ms", |e| e.handshake_timeout_ms),
        ("idle_timeout_ms", |e| e.idle_timeout_ms),
        ("ping_interval_ms", |e| e.ping_interval_ms),
        ("pong_timeout_ms", |e| e.pong_timeout_ms),
        ("lifetime_max_ms", |e| e.lifetime_max_ms),
    ];
    for (leaf, value) in numbers {
        field(leaf, endpoint.map(|e| value(e).to_string()));
    }
    let tls = endpoint.map(|e| &e.tls);
    field("tls.verify", tls.map(|tls| tls.verify.to_string()));
    field("tls.authorities", tls.and_then(|tls| text(&tls.authorities)));
    field("tls.server_name", tls.and_then(|tls| text(&tls.server_name)));
    field("tls.client_certificate", tls.and_then(|tls| text(&tls.client_certificate)));
    let credential = endpoint.map(|e| &*e.credential);
    field("credential.kind", credential.map(|credential| credential.as_str().to_owned()));
    let [name, token_url, client_id, scope] = match credential {
        None | Some(Credential::None) => [""; 4],
        Some(Credential::Basic { username: name, .. } | Credential::Header { name, .. }) => {
            [name, "", "", ""]
        }
        Some(Credential::OAuth { token_url, client_id, scope, .. }) => ["", token_url, client_id, scope],
    };
    field("credential.name", text(name));
    field("credential.token_url", text(token_url));
    field("credential.client_id", text(client_id));
    field("credential.scope", text(scope));
}

fn header_fields(rules: &HeaderRules, all: &mut Fields) {
    let HeaderRules { forward, allow, deny, rename, set, backend_jwt } = rules;
    for (leaf, value) in [
        ("forward", Some(forward.as_str().to_owned())),
        ("allow", listed(allow.iter().cloned())),
        ("deny", listed(deny.iter().cloned())),
        ("rename", listed(rename.iter().map(|rule| format!("{} → {}", rule.from, rule.to)))),
        ("set", listed(set.iter().map(|rule| format!("{}: {}", rule.name, rule.value)))),
        ("backend_jwt", Some(backend_jwt.to_string())),
    ] {
        all.push((format!("headers.{leaf}"), value));
    }
}

fn security_fields(security: &Security, all: &mut Fields) {
    let Security { accepts, api_key_header, api_key_query, origins } = security;
    for (leaf, value) in [
        ("accepts", listed(accepts.iter().map(|way| way.as_str().to_owned()))),
        ("api_key_header", Some(api_key_header.clone())),
        ("api_key_query", Some(api_key_query.clone())),
        ("origins", listed(origins.iter().cloned())),
    ] {
        all.push((format!("security.{leaf}"), value));
    }
}

fn topic(topic: &Topic) -> String {
    let mut told = format!("{} ({})", topic.path, topic.direction.as_str());
    if topic.is_open {
        told.push_str(" without a credential");
    }
    for (word, scopes) in [("publish", &topic.publish_scopes), ("subscribe", &topic.subscribe_scopes)] {
        if !scopes.is_empty() {
            told = format!("{told} {word} with {}", scopes.join(" or "));
        }
    }
    if let Some(policy) = &topic.api_policy {
        told = format!("{told} under {policy}");
    }
    if topic.description.is_empty() { told } else { format!("{told}: {}", topic.description) }
}

fn scope(scope: &Scope) -> String {
    let roles: Vec<_> = scope.roles.iter().map(RoleName::as_str).collect();
    let mut told = scope.name.clone();
    if !scope.display_name.is_empty() {
        told = format!("{told} “{}”", scope.display_name);
    }
    if !roles.is_empty() {
        told = format!("{told} for {}", roles.join(" or "));
    }
    if scope.description.is_empty() { told } else { format!("{told}: {}", scope.description) }
}

fn listed(values: impl Iterator<Item = String>) -> Option<String> {
    let joined = values.collect::<Vec<_>>().join(", ");
    (!joined.is_empty()).then_some(joined)
}

fn text(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}
