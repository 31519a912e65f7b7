//! The one place where a refusal becomes an answer; with `refusal/farewell.rs`, where an ending becomes a close code.
//!
//! A refusal before the 101 is an RFC 9457 problem with its own `type`; after it, both sides get a Close frame with
//! short JSON as the reason. Nothing here repeats a token, a backend's address or more of what a backend
//! said than its status.

use tidegate_model::{
    admit::Refusal as NotAdmitted, id::SessionId, meter::Level, security::Way, throttle::Scarcity,
    ticket::TICKET_MILLIS,
};
use tidegate_oauth::{
    bearer::{self, BadCredential},
    dpop::BadProof,
    token::BadToken,
};
use tidegate_wire::handshake::{self, UpgradeError, connect::ConnectError, raw::RawHeadError};

use crate::{
    answer::Answer,
    certificate::BadCertificate,
    dial::DialError,
    relay::{Full, OfWhom, UsedUp},
};

mod farewell;

pub(crate) use farewell::{
    closing_code, closing_word, fault, misdirected_close, quota_close, restart, unwelcome, worker_lost,
};

/// The realm of `WWW-Authenticate`.
const REALM: &str = "tidegate";
/// The title of the problem of whoever comes with what was revoked, or with a token of a key that was deleted.
const REVOKED: &str = "The credential was revoked";
/// The kind of a refusal for want of a scope.
const SCOPE_MISSING: Kind = (403, "scope-missing", "The token lacks the scope that this topic asks for");
/// The kind of a refusal of who does not show what a token is bound to.
const PROOF_INVALID: Kind = (401, "proof-invalid", "The proof of possession is not valid");
/// When to come back where nothing better is known: a restart takes seconds.
const RETRY_SECONDS: u32 = 5;

/// Why a connection gets no 101.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The head breaks HTTP where parsers forgive it.
    #[error(transparent)]
    RawHead(#[from] RawHeadError),
    /// The head is no HTTP/1.
    #[error("the request is not HTTP/1.1")]
    NotHttp,
    /// The head did not come in time.
    #[error("the request did not arrive in time")]
    Slow,
    /// Not a handshake that we accept.
    #[error(transparent)]
    Upgrade(#[from] UpgradeError),
    /// The same over HTTP/2.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Routing or admission said no.
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
    /// A page that the API does not name, in a browser.
    #[error("a web page of this origin may not connect to this API; its publisher can name the origin")]
    Origin,
    /// No credential that is accepted here.
    #[error("{}", not_accepted(*.presented, .accepted))]
    NotAccepted {
        /// What was presented; `None`: nothing.
        presented: Option<Way>,
        /// What the API accepts.
        accepted: Box<[Way]>,
    },
    /// The credential cannot be taken.
    #[error(transparent)]
    Credential(#[from] BadCredential),
    /// The token is not believed.
    #[error(transparent)]
    Token(#[from] BadToken),
    /// The token is bound to a key, and the client has not shown that it holds it; or the reverse.
    #[error(transparent)]
    Proof(#[from] BadProof),
    /// The credential was revoked.
    #[error("the credential was revoked; get a new one")]
    Revoked,
    /// No such key, or not its secret.
    #[error("the key or its secret is not valid")]
    WrongSecret,
    /// The API key has ended.
    #[error("the API key has expired")]
    SecretExpired,
    /// The certificate opens nothing.
    #[error(transparent)]
    Certificate(#[from] BadCertificate),
    /// There is no such ticket.
    #[error("there is no such ticket for this API, or its time is over; buy another")]
    TicketInvalid,
    /// The ticket opened a session before.
    #[error("the ticket was used before; buy another")]
    TicketUsed,
    /// The application has as many tickets as may wait.
    #[error("the application has too many tickets that wait to be used")]
    TooManyTickets,
    /// Nobody can say what a ticket is worth.
    #[error("tickets can be neither bought nor used now")]
    NoTickets,
    /// The API key may not be used from there.
    #[error("this API key may not be used from this {0}")]
    KeyElsewhere(Elsewhere),
    /// Too many wrong secrets came from the client's address.
    #[error("too many wrong credentials came from this address; try again in {retry_after_seconds} seconds")]
    TooManyAttempts {
        /// Whole seconds to wait.
        retry_after_seconds: u32,
    },
    /// The token has none of the scopes that the topic asks for.
    #[error("this topic asks for a token with one of the scopes: {needed}")]
    ScopeMissing {
        /// One of these would do, with spaces between them.
        needed: String,
    },
    /// The issuer that has to be asked of a token does not answer.
    #[error("the issuer of this token cannot be asked; try again later")]
    IssuerAway,
    /// No such session, or one of somebody else.
    #[error("no open session of yours at this API and gateway has this id")]
    UnknownSession,
    /// A token that speaks for nobody, and no session named.
    #[error(
        "name the session behind the address of its API, by the X-Request-Id that its handshake was answered with"
    )]
    SessionMissing,
    /// The session's own credential ends later.
    #[error("the session's present credential ends later than this one; the session goes on as it was")]
    Worse,
    /// The plan has nothing left for now.
    #[error("the limit of the plan is reached")]
    UsedUp(UsedUp),
    /// The plan allows no more sessions at once.
    #[error("as many sessions are open as the plan allows")]
    Full(Full),
    /// No snapshot has arrived yet, or its keys cannot be used.
    #[error("the gateway is not ready yet")]
    NotReady,
    /// More connections than are carried.
    #[error("the gateway has too many connections")]
    Overloaded,
    /// The client's address has as many connections as it may have.
    #[error("this address has too many connections; close some, or wait until some have ended")]
    Crowded,
    /// The gateway shuts down.
    #[error("the gateway is restarting")]
    Restarting,
    /// The worker that would carry the session does not come back from a turn.
    #[error("the part of the gateway that would carry the session does not answer")]
    Stalled,
    /// The backend cannot be had.
    #[error(transparent)]
    Backend(#[from] DialError),
    /// A failure of our own.
    #[error("the gateway failed")]
    Fault,
}

/// What an API key is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Elsewhere {
    /// Addresses of clients.
    #[error("address")]
    Address,
    /// Origins of web pages.
    #[error("page")]
    Page,
}

/// Status, the last word of `type`, and title.
type Kind = (u16, &'static str, &'static str);

impl Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::RawHead(error) => match error.status() {
                414 => (414, "target-too-long", "The request line is too long"),
                431 => (431, "head-too-large", "The request head is too large"),
                _ => (400, "malformed-request", "The request is malformed"),
            },
            Self::NotHttp => (400, "malformed-request", "The request is malformed"),
            Self::Slow => (408, "request-timeout", "The request did not arrive in time"),
            Self::Upgrade(error) => match error.status() {
                405 => (405, "method-not-allowed", "A WebSocket handshake is a GET"),
                426 => (426, "upgrade-required", "This address speaks WebSocket"),
                _ => (400, "malformed-handshake", "This is not a WebSocket handshake"),
            },
            Self::Connect(error) => match error.status() {
                405 => (405, "connect-required", "This address speaks WebSocket over an extended CONNECT"),
                501 => (501, "protocol-unknown", "This address speaks no other protocol than WebSocket"),
                _ => (400, "malformed-handshake", "This is not a WebSocket handshake"),
            },
            Self::NotAdmitted(refusal) => not_admitted(*refusal),
            Self::Origin => (403, "origin-refused", "This page may not connect"),
            Self::NotAccepted { presented: None, .. } | Self::Credential(BadCredential::Missing) => {
                (401, "credential-missing", "A credential is needed")
            }
            Self::NotAccepted { presented: Some(_), .. } => {
                (401, "credential-not-accepted", "The API does not accept this kind of credential")
            }
            Self::Credential(BadCredential::Several) => {
                (400, "credential-several", "More than one credential was presented")
            }
            Self::Token(BadToken::Expired)
            | Self::SecretExpired
            | Self::Certificate(BadCertificate::Expired) => {
                (401, "credential-expired", "The credential has expired")
            }
            Self::Certificate(BadCertificate::NotShown | BadCertificate::Another) => PROOF_INVALID,
            Self::TicketInvalid => (401, "ticket-invalid", "The ticket is not valid"),
            Self::TicketUsed => (401, "ticket-used", "The ticket was used before"),
            Self::TooManyTickets => (429, "too-many-tickets", "Too many tickets wait to be used"),
            Self::NoTickets => (503, "tickets-unavailable", "Tickets cannot be had now"),
            Self::KeyElsewhere(_) => (403, "key-restricted", "The API key may not be used from here"),
            Self::TooManyAttempts { .. } => {
                (429, "too-many-attempts", "Too many wrong credentials came from this address")
            }
            Self::Credential(_) | Self::Token(_) | Self::WrongSecret | Self::Certificate(_) => {
                (401, "credential-invalid", "The credential is not valid")
            }
            Self::Overloaded | Self::Proof(BadProof::TooMany) => {
                (503, "overloaded", "The gateway has too many connections")
            }
            Self::Proof(_) => PROOF_INVALID,
            Self::UnknownSession => (404, "unknown-session", "There is no such session"),
            Self::SessionMissing => (400, "session-missing", "The session is not named"),
            Self::Worse => (409, "credential-worse", "The credential is no better than the present one"),
            Self::Revoked => (401, "credential-revoked", REVOKED),
            Self::ScopeMissing { .. } => SCOPE_MISSING,
            Self::IssuerAway => (503, "issuer-away", "The issuer of the credential does not answer"),
            Self::UsedUp(_) => (429, "quota", "A limit is reached"),
            Self::Full(_) => (429, "too-many-sessions", "There are as many sessions as are allowed at once"),
            Self::NotReady => (503, "not-ready", "The gateway is not ready yet"),
            Self::Crowded => (429, "too-many-connections", "This address has too many connections"),
            Self::Restarting => (503, "restarting", "The gateway is restarting"),
            Self::Stalled => (503, "stalled", "A part of the gateway does not answer"),
            Self::Backend(error) => backend(*error),
            Self::Fault => (500, "internal", "The gateway failed"),
        }
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> u16 {
        self.kind().0
    }

    fn detail(&self) -> String {
        match self {
            Self::UsedUp(UsedUp { plan, level, retry_after_seconds, scarcity: Scarcity::Alone }) => format!(
                "This gateway cannot ask the others how much of the {} {plan} is left; try again in {retry_after_seconds} seconds.",
                level.noun()
            ),
            Self::UsedUp(UsedUp { plan, level, retry_after_seconds, .. }) => format!(
                "The {} {plan} has nothing left; there is more in {retry_after_seconds} seconds.",
                level.noun()
            ),
            Self::Full(Full { plan, level, sessions_max, of }) => format!(
                "The {} {plan} allows {sessions_max} sessions at once{}, and so many are open. Close one first.",
                level.noun(),
                match of {
                    OfWhom::All => "",
                    OfWhom::User => " of one user",
                    OfWhom::Address => " from one address",
                }
            ),
            Self::Upgrade(UpgradeError::NotAnUpgrade) => {
                "Connect with a WebSocket client: the request must ask for an upgrade to websocket, version 13."
                    .to_owned()
            }
            Self::Connect(ConnectError::Method) => {
                "Connect with a WebSocket client: over HTTP/2 the request must be a CONNECT with the protocol \
                 websocket, version 13; over HTTP/1.1 it must ask for an upgrade."
                    .to_owned()
            }
            other => sentence(&other.to_string()),
        }
    }

    /// Headers beyond those that every answer has.
    fn headers(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Credential(error) => vec![("WWW-Authenticate", error.challenge(REALM))],
            Self::NotAccepted { accepted, .. } => {
                let basic = accepted
                    .contains(&Way::Basic)
                    .then(|| ("WWW-Authenticate", format!("Basic realm=\"{REALM}\", charset=\"UTF-8\"")));
                let bearer = ("WWW-Authenticate", bearer::challenge(REALM, None));
                [bearer].into_iter().chain(basic).collect()
            }
            Self::WrongSecret
            | Self::SecretExpired
            | Self::Certificate(
                BadCertificate::Unknown | BadCertificate::TooYoung | BadCertificate::Expired,
            )
            | Self::TicketInvalid
            | Self::TicketUsed => {
                vec![("WWW-Authenticate", bearer::challenge(REALM, None))]
            }
            Self::TooManyAttempts { retry_after_seconds } => {
                vec![("Retry-After", retry_after_seconds.to_string())]
            }
            Self::Token(error) => vec![("WWW-Authenticate", error.challenge(REALM))],
            Self::Proof(BadProof::TooMany) => vec![("Retry-After", RETRY_SECONDS.to_string())],
            Self::Proof(error) => vec![("WWW-Authenticate", error.challenge(REALM))],
            // RFC 8705, section 3: of a certificate that a token is bound to, it is the token that is not good here.
            Self::NotAdmitted(NotAdmitted::UnknownClient | NotAdmitted::IssuerNotAccepted)
            | Self::Certificate(BadCertificate::NotShown | BadCertificate::Another)
            | Self::Revoked => {
                let challenge = bearer::challenge(REALM, Some(("invalid_token", &self.to_string())));
                vec![("WWW-Authenticate", challenge)]
            }
            // RFC 6750, section 3.1. No scope has a quote or a backslash (section 3.3 of RFC 6749).
            Self::ScopeMissing { needed } => {
                let challenge = bearer::challenge(REALM, Some(("insufficient_scope", &self.to_string())));
                vec![("WWW-Authenticate", format!("{challenge}, scope=\"{needed}\""))]
            }
            Self::UsedUp(used_up) => vec![("Retry-After", used_up.retry_after_seconds.to_string())],
            Self::TooManyTickets => vec![("Retry-After", (TICKET_MILLIS / 1_000).to_string())],
            Self::NotReady
            | Self::IssuerAway
            | Self::NoTickets
            | Self::Overloaded
            | Self::Crowded
            | Self::Full(_)
            | Self::Restarting
            | Self::Stalled => {
                vec![("Retry-After", RETRY_SECONDS.to_string())]
            }
            Self::Upgrade(UpgradeError::Method) => vec![("Allow", "GET".to_owned())],
            Self::Upgrade(UpgradeError::NotAnUpgrade | UpgradeError::Version) => {
                vec![
                    ("Upgrade", "websocket".to_owned()),
                    ("Sec-WebSocket-Version", handshake::VERSION.to_owned()),
                ]
            }
            Self::Connect(ConnectError::Method) => vec![("Allow", "CONNECT".to_owned())],
            Self::Connect(ConnectError::Upgrade(UpgradeError::Version)) => {
                vec![("Sec-WebSocket-Version", handshake::VERSION.to_owned())]
            }
            _ => Vec::new(),
        }
    }

    /// The whole answer. `base` is what problem types begin with; `instance` names the connection.
    pub(crate) fn answer(&self, base: &str, instance: SessionId) -> Answer {
        let (status, kind, title) = self.kind();
        let instance = instance.to_string();
        let body = serde_json::json!({
            "type": format!("{base}/problems/{kind}"),
            "title": title,
            "status": status,
            "detail": self.detail(),
            "instance": instance,
        })
        .to_string();
        let mut headers = vec![("X-Request-Id", instance)];
        headers.extend(self.headers());
        Answer { status, headers, content_type: "application/problem+json", body, is_head_only: false }
    }
}

/// The problem kinds that a gateway answers with, and their titles, for whoever explains them on a page.
pub fn problem_kinds() -> Vec<(&'static str, &'static str)> {
    let mut kinds: Vec<(&str, &str)> = samples().iter().map(Refusal::kind).map(|it| (it.1, it.2)).collect();
    kinds.sort_unstable();
    kinds.dedup_by_key(|kind| kind.0);
    kinds
}

/// One refusal of every kind.
fn samples() -> Vec<Refusal> {
    use tidegate_model::endpoint::Environment::Production;
    let (plan, level) = (String::new(), Level::Subscription);
    let used_up = UsedUp { plan: plan.clone(), level, retry_after_seconds: 1, scarcity: Scarcity::Used };
    let mut all = vec![
        Refusal::NotHttp,
        Refusal::Slow,
        Refusal::UsedUp(used_up),
        Refusal::Full(Full { plan, level, sessions_max: 1, of: OfWhom::All }),
        Refusal::NotReady,
        Refusal::Overloaded,
        Refusal::Crowded,
        Refusal::Restarting,
        Refusal::Stalled,
        Refusal::Revoked,
        Refusal::UnknownSession,
        Refusal::SessionMissing,
        Refusal::Worse,
        Refusal::IssuerAway,
        Refusal::ScopeMissing { needed: String::new() },
        Refusal::Fault,
        Refusal::Token(BadToken::Malformed),
        Refusal::Token(BadToken::Expired),
        Refusal::Origin,
        Refusal::WrongSecret,
        Refusal::SecretExpired,
        Refusal::Certificate(BadCertificate::Unknown),
        Refusal::TicketInvalid,
        Refusal::TicketUsed,
        Refusal::TooManyTickets,
        Refusal::NoTickets,
        Refusal::KeyElsewhere(Elsewhere::Address),
        Refusal::TooManyAttempts { retry_after_seconds: 1 },
        Refusal::NotAccepted { presented: None, accepted: Box::default() },
        Refusal::NotAccepted { presented: Some(Way::OAuthQuery), accepted: Box::default() },
        Refusal::Credential(BadCredential::Several),
        Refusal::Proof(BadProof::NotOne),
    ];
    all.extend([RawHeadError::TooLarge, RawHeadError::TargetTooLong].map(Refusal::RawHead));
    all.extend([UpgradeError::Method, UpgradeError::NotAnUpgrade, UpgradeError::Key].map(Refusal::Upgrade));
    all.extend([ConnectError::Method, ConnectError::Protocol].map(Refusal::Connect));
    all.extend(
        [
            NotAdmitted::AmbiguousPath,
            NotAdmitted::UnknownPath,
            NotAdmitted::UnknownTopic,
            NotAdmitted::ScopeMissing,
            NotAdmitted::Blocked,
            NotAdmitted::Retired,
            NotAdmitted::IssuerNotAccepted,
            NotAdmitted::UnknownClient,
            NotAdmitted::NoSubscription,
            NotAdmitted::UnknownPolicy,
            NotAdmitted::Denied,
            NotAdmitted::NoEndpoint(Production),
        ]
        .map(Refusal::NotAdmitted),
    );
    all.extend(DialError::ALL.map(Refusal::Backend));
    all
}

/// What to do about a credential that is not there, or not accepted.
fn not_accepted(presented: Option<Way>, accepted: &[Way]) -> String {
    let accepted = accepted.iter().map(|way| described(*way)).collect::<Vec<_>>().join(", or ");
    match presented {
        None => format!("present {accepted}"),
        Some(way) => format!("this API does not accept {}; present {accepted}", described(way)),
    }
}

const fn described(way: Way) -> &'static str {
    match way {
        Way::OAuthHeader => "an access token in the Authorization header (Bearer)",
        Way::OAuthQuery => "an access token in the access_token query parameter",
        Way::OAuthSubprotocol => "an access token as the subprotocols bearer and the token",
        Way::Ticket => {
            "a one-time ticket in the ticket query parameter or as the subprotocols ticket and the ticket"
        }
        Way::ApiKeyHeader => "an API key in its header",
        Way::ApiKeyQuery => "an API key in its query parameter",
        Way::MutualTls => "a certificate of an application in TLS",
        Way::Basic => "the id and secret of a key in the Authorization header (Basic)",
        Way::None => "no credential at all",
    }
}

fn not_admitted(refusal: NotAdmitted) -> Kind {
    match refusal {
        NotAdmitted::AmbiguousPath => (400, "ambiguous-path", "The path has more than one reading"),
        NotAdmitted::UnknownPath => (404, "unknown-api", "No API answers here"),
        NotAdmitted::UnknownTopic => (404, "unknown-topic", "The API has no such topic"),
        NotAdmitted::ScopeMissing => SCOPE_MISSING,
        NotAdmitted::Retired => (404, "api-retired", "The API was retired"),
        NotAdmitted::Blocked => (403, "api-blocked", "The API is blocked for now"),
        NotAdmitted::IssuerNotAccepted => {
            (401, "issuer-not-accepted", "The API does not accept tokens of this issuer")
        }
        NotAdmitted::UnknownClient => (401, "credential-revoked", REVOKED),
        NotAdmitted::NoSubscription => {
            (403, "no-subscription", "The application is not subscribed to this API")
        }
        NotAdmitted::UnknownPolicy => (503, "unknown-policy", "A policy of this API is not known"),
        NotAdmitted::Denied => (403, "denied", "The connection is denied"),
        NotAdmitted::NoEndpoint(_) => (503, "no-endpoint", "The API has no backend for this type of key"),
    }
}

fn backend(error: DialError) -> Kind {
    match error {
        DialError::BadUrl => (502, "backend-misconfigured", "The backend's address cannot be used"),
        DialError::Forbidden => (502, "backend-forbidden", "The backend's address is not allowed"),
        DialError::Unresolved => (502, "backend-unresolved", "The backend's name has no address"),
        DialError::Unreachable => (502, "backend-unreachable", "The backend cannot be reached"),
        DialError::ConnectTimeout => {
            (504, "backend-connect-timeout", "The backend did not accept the connection in time")
        }
        DialError::TlsTimeout => (504, "backend-tls-timeout", "The backend did not establish TLS in time"),
        DialError::Untrusted(_) => (502, "backend-untrusted", "The backend's TLS cannot be trusted"),
        DialError::BadTrust(_) => {
            (502, "backend-misconfigured-tls", "The TLS settings for the backend cannot be used")
        }
        DialError::NoToken(_) if error.is_timeout() => (
            504,
            "backend-credential-timeout",
            "The gateway's credential for the backend did not come in time",
        ),
        DialError::NoToken(_) => {
            (502, "backend-credential", "The gateway cannot get its credential for the backend")
        }
        DialError::HandshakeTimeout => {
            (504, "backend-handshake-timeout", "The backend did not answer the handshake in time")
        }
        DialError::Refused { .. } => (502, "backend-refused", "The backend refused the handshake"),
        DialError::Malformed => {
            (502, "backend-malformed", "The backend's answer is not a WebSocket handshake")
        }
        DialError::Gone => (502, "backend-gone", "The backend closed the connection instead of answering"),
    }
}

/// An error's words as a sentence.
pub(crate) fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).chain(['.']).collect()
}

#[cfg(test)]
mod tests;
