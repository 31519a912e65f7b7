//! Rules of an endpoint's fields: addresses, times, trust and credentials.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use url::Url;

use super::{
    FieldProblem, Problems, bounded,
    passing::{header_name, own_header},
};
use crate::endpoint::{
    BackendTls, Balance, CERTIFICATES_BYTES_MAX, CONNECT_TIMEOUT, CREDENTIAL_BYTES_MAX, Credential, Endpoint,
    Endpoints, HANDSHAKE_TIMEOUT, IDLE_TIMEOUT, LIFETIME, PING_INTERVAL, PONG_TIMEOUT, SUSPEND_AFTER,
    SUSPEND_FIRST, SUSPEND_MAX, TARGETS_MAX, TLS_TIMEOUT, URL_BYTES_MAX, health,
};

/// Both endpoints, under `pointer` (usually `/endpoints`).
pub fn endpoints(pointer: &str, endpoints: &Endpoints, problems: &mut Problems) {
    for (name, endpoint) in [("production", &endpoints.production), ("sandbox", &endpoints.sandbox)] {
        if let Some(found) = endpoint {
            self::endpoint(&format!("{pointer}/{name}"), found, problems);
        }
    }
}

/// One endpoint: its addresses and the bounds of its timeouts.
pub fn endpoint(pointer: &str, endpoint: &Endpoint, problems: &mut Problems) {
    endpoint_url(&format!("{pointer}/url"), &endpoint.url, problems);
    for (place, url) in endpoint.others.iter().enumerate() {
        let pointer = format!("{pointer}/others/{place}");
        endpoint_url(&pointer, url, problems);
        if endpoint.targets().take(place + 1).any(|before| before == url) {
            let detail = "This address is there already. Each address stands once.";
            problems.push(FieldProblem::new(pointer, "duplicate", detail));
        }
    }
    if endpoint.others.len() >= TARGETS_MAX {
        let detail = format!("An endpoint has at most {TARGETS_MAX} addresses.");
        problems.push(FieldProblem::new(format!("{pointer}/others"), "too_many", detail));
    }
    for (leaf, value, bounds) in [
        ("connect_timeout_ms", endpoint.connect_timeout_ms, CONNECT_TIMEOUT),
        ("tls_timeout_ms", endpoint.tls_timeout_ms, TLS_TIMEOUT),
        ("handshake_timeout_ms", endpoint.handshake_timeout_ms, HANDSHAKE_TIMEOUT),
        ("idle_timeout_ms", endpoint.idle_timeout_ms, IDLE_TIMEOUT),
        ("ping_interval_ms", endpoint.ping_interval_ms, PING_INTERVAL),
        ("pong_timeout_ms", endpoint.pong_timeout_ms, PONG_TIMEOUT),
        ("lifetime_max_ms", endpoint.lifetime_max_ms, LIFETIME),
        ("suspension/first_ms", endpoint.suspension.first_ms, SUSPEND_FIRST),
        ("suspension/max_ms", endpoint.suspension.max_ms, SUSPEND_MAX),
        ("health/timeout_ms", endpoint.health.timeout_ms, health::TIMEOUT),
    ] {
        bounded(&format!("{pointer}/{leaf}"), "milliseconds", value, bounds, problems);
    }
    for (leaf, unit, value, bounds) in [
        ("suspension/after_failures", "failures", endpoint.suspension.after_failures, SUSPEND_AFTER),
        ("health/unhealthy_after", "checks", endpoint.health.unhealthy_after, health::UNHEALTHY_AFTER),
        ("health/healthy_after", "checks", endpoint.health.healthy_after, health::HEALTHY_AFTER),
    ] {
        bounded(&format!("{pointer}/{leaf}"), unit, value, bounds, problems);
    }
    interval(&format!("{pointer}/health/interval_ms"), endpoint.health.interval_ms, problems);
    sticky_header(&format!("{pointer}/sticky_header"), endpoint, problems);
    credential(&format!("{pointer}/credential"), &endpoint.credential, problems);
    tls(&format!("{pointer}/tls"), &endpoint.tls, problems);
}

fn interval(pointer: &str, value: u32, problems: &mut Problems) {
    if value != 0 && !(health::INTERVAL_MIN..=health::INTERVAL.max).contains(&value) {
        let (min, max) = (health::INTERVAL_MIN, health::INTERVAL.max);
        let detail = format!("Choose 0 for no checks, or between {min} and {max} milliseconds.");
        problems.push(FieldProblem::new(pointer, "out_of_range", detail));
    }
}

fn sticky_header(pointer: &str, endpoint: &Endpoint, problems: &mut Problems) {
    if !endpoint.sticky_header.is_empty() {
        header_name(pointer, &endpoint.sticky_header, problems);
    } else if endpoint.balance == Balance::StickyHeader {
        let detail = "Enter the header by whose value an address is chosen, for example X-Device.";
        problems.push(FieldProblem::new(pointer, "required", detail));
    }
}

fn credential(pointer: &str, credential: &Credential, problems: &mut Problems) {
    let mut said = |leaf: &str, value: &str, detail: &str| {
        let pointer = format!("{pointer}/{leaf}");
        if value.is_empty() {
            problems.push(FieldProblem::new(pointer, "required", detail));
        } else if value.len() > CREDENTIAL_BYTES_MAX {
            let detail = format!("This has at most {CREDENTIAL_BYTES_MAX} bytes.");
            problems.push(FieldProblem::new(pointer, "too_long", detail));
        } else if value.chars().any(char::is_control) {
            problems.push(FieldProblem::new(
                pointer,
                "illegal_character",
                "Control characters cannot be sent.",
            ));
        }
    };
    match credential {
        Credential::None => {}
        Credential::Basic { username, password } => {
            said("username", username, "Enter the user name that the backend knows.");
            said("password", &password.0, "Enter the password.");
            if username.contains(':') {
                let detail = "A user name cannot contain “:” (RFC 7617).";
                problems.push(FieldProblem::new(format!("{pointer}/username"), "illegal_character", detail));
            }
        }
        Credential::Header { name, value } => {
            said("value", &value.0, "Enter the value that the backend expects.");
            header_name(&format!("{pointer}/name"), name, problems);
            own_header(&format!("{pointer}/name"), name, problems);
        }
        Credential::OAuth { token_url, client_id, client_secret, scope } => {
            said("client_id", client_id, "Enter the client id that the authorization server knows.");
            said("client_secret", &client_secret.0, "Enter the client's secret.");
            if !scope.is_empty() {
                said("scope", scope, "");
            }
            http_url(&format!("{pointer}/token_url"), token_url, problems);
        }
    }
}

fn http_url(pointer: &str, text: &str, problems: &mut Problems) {
    let mut problem = |code, detail: &str| problems.push(FieldProblem::new(pointer, code, detail));
    let is_http =
        |url: &Url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|h| !h.is_empty());
    match Url::parse(text) {
        _ if text.is_empty() => problem("required", "Enter where tokens are asked for."),
        _ if text.len() > URL_BYTES_MAX => {
            problem("too_long", &format!("An address has at most {URL_BYTES_MAX} bytes."));
        }
        Ok(url) if !is_http(&url) => problem("scheme", "The address must begin with https:// or http://."),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            problem("credentials", "The address cannot carry a user name or password.");
        }
        Ok(_) => {}
        Err(_) => problem("malformed", "This is not an address that can be connected to."),
    }
}

fn tls(pointer: &str, tls: &BackendTls, problems: &mut Problems) {
    let mut problem = |leaf: &str, code, detail: &str| {
        problems.push(FieldProblem::new(format!("{pointer}/{leaf}"), code, detail));
    };
    let certificates = "Paste certificates as PEM: -----BEGIN CERTIFICATE----- and so on.";
    for (leaf, text) in [
        ("authorities", &tls.authorities),
        ("client_certificate", &tls.client_certificate),
        ("client_key", &tls.client_key.0),
    ] {
        if text.len() > CERTIFICATES_BYTES_MAX {
            problem(leaf, "too_long", &format!("This has at most {CERTIFICATES_BYTES_MAX} bytes."));
        }
    }
    if !tls.authorities.is_empty() && !is_pem(&tls.authorities, "CERTIFICATE") {
        problem("authorities", "malformed", certificates);
    }
    let (certificate, key) = (&tls.client_certificate, &tls.client_key.0);
    if !certificate.is_empty() && !is_pem(certificate, "CERTIFICATE") {
        problem("client_certificate", "malformed", certificates);
    }
    if !key.is_empty()
        && !["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"].iter().any(|it| is_pem(key, it))
    {
        let detail = "Paste the key as PEM, not encrypted: -----BEGIN PRIVATE KEY----- and so on.";
        problem("client_key", "malformed", detail);
    }
    match (certificate.is_empty(), key.is_empty()) {
        (false, true) => problem("client_key", "required", "Enter the key of the client certificate."),
        (true, false) => problem("client_certificate", "required", "Enter the certificate of this key."),
        _ => {}
    }
    let name = &tls.server_name;
    if !name.is_empty()
        && (name.len() > 253 || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b)))
    {
        problem("server_name", "malformed", "Enter a host name, for example backend.example.com.");
    }
}

/// Whether the text is made of PEM blocks (RFC 7468) of this kind and nothing is missing at their ends.
fn is_pem(text: &str, kind: &str) -> bool {
    let (begin, end) = (format!("-----BEGIN {kind}-----"), format!("-----END {kind}-----"));
    let begun = text.matches(&begin).count();
    let bodies = text.split(&begin).skip(1).filter_map(|rest| rest.split_once(&end));
    let is_base64 = |body: &str| {
        let body: String = body.split_whitespace().collect();
        !body.is_empty() && STANDARD.decode(body).is_ok()
    };
    begun > 0 && bodies.filter(|(body, _)| is_base64(body)).count() == begun
}

/// The address of an endpoint: `ws://` or `wss://`, a host, no credentials, no fragment (RFC 6455, section 3).
pub fn endpoint_url(pointer: &str, text: &str, problems: &mut Problems) {
    let mut problem = |code, detail: &str| problems.push(FieldProblem::new(pointer, code, detail));
    if text.is_empty() {
        problem("required", "Enter the address of the backend, for example ws://localhost:8080.");
        return;
    }
    if text.len() > URL_BYTES_MAX {
        problem("too_long", &format!("An address has at most {URL_BYTES_MAX} bytes."));
        return;
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        problem("illegal_character", "An address cannot contain spaces or control characters.");
        return;
    }
    if !(text.starts_with("ws://") || text.starts_with("wss://")) {
        problem("scheme", "The address must begin with ws:// or wss:// (secured).");
        return;
    }
    match Url::parse(text) {
        Ok(url) if url.host_str().is_none_or(str::is_empty) => problem("host", "The address names no host."),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            problem("credentials", "The address cannot carry a user name or password.");
        }
        Ok(url) if url.fragment().is_some() => problem("fragment", "The address cannot have a “#” part."),
        Ok(url) if url.port() == Some(0) => problem("port", "Port 0 cannot be connected to."),
        Ok(_) => {}
        Err(_) => problem("malformed", "This is not an address that can be connected to."),
    }
}
