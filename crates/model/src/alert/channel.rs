//! Channels: how people are told of alerts beside the pages, and the outbox of what is to be told.
//!
//! What is to be told is written with the alert, so that it survives whatever ends the process, and is tried again until it
//! was taken or a day is over. So it may come twice, under the same name. It does not know how anything is sent.

use serde::{Deserialize, Serialize};

use super::Alert;
use crate::{
    id::{AlertId, ApiId, ApplicationId, ChannelId},
    rule::{self, FieldProblem},
    time::Timestamp,
    user::Secret,
};

/// After how many milliseconds what was not taken is tried again: soon, since most faults are a restart, and then less often.
/// Together a day, so that a night without anybody on duty loses nothing.
pub const PAUSES_MILLIS: [i64; 8] =
    [5_000, 60_000, 5 * 60_000, 15 * 60_000, 3_600_000, 3 * 3_600_000, 7 * 3_600_000, 12 * 3_600_000];

/// Longest sentence that is kept of a failure, in characters.
pub const PROBLEM_CHARS_MAX: usize = 200;

/// Most addresses of one channel: a team; for more there are lists.
pub const ADDRESSES_MAX: usize = 5;
/// Longest address of a mailbox, in bytes (RFC 5321, section 4.5.3.1.3, without the brackets).
const ADDRESS_BYTES_MAX: usize = 254;
/// Longest name of a host, in bytes (RFC 1035, section 2.3.4).
const HOST_BYTES_MAX: usize = 253;
/// Longest name and password at a mail server, in bytes.
const LOGIN_BYTES_MAX: usize = 256;

/// Whose alerts a channel tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelOf {
    /// All.
    Everyone,
    /// Those about an application and its subscriptions.
    Application(ApplicationId),
    /// Those about an API, its topics and its subscriptions.
    Api(ApiId),
}

impl ChannelOf {
    /// The same in writing.
    pub fn name(self) -> String {
        match self {
            Self::Everyone => "everyone".to_owned(),
            Self::Application(id) => format!("application:{id}"),
            Self::Api(id) => format!("api:{id}"),
        }
    }

    /// Whose channels tell of an alert.
    pub fn told(alert: &Alert) -> Vec<Self> {
        let application = alert.application.as_ref().map(|application| Self::Application(application.id));
        let api = alert.api.as_ref().map(|api| Self::Api(api.id));
        [Some(Self::Everyone), application, api].into_iter().flatten().collect()
    }
}

/// Where a channel leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Target {
    /// An address that gets a request for each alert.
    Webhook {
        /// Where.
        url: String,
        /// With what requests are signed: `whsec_` and base64, as Standard Webhooks has it. Shown once, and sealed in the
        /// store.
        secret: Secret,
    },
    /// Mailboxes that get a mail for each alert.
    Email {
        /// 1 to [`ADDRESSES_MAX`].
        addresses: Vec<String>,
    },
}

impl Target {
    /// The word used in REST and storage.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Email { .. } => "email",
        }
    }
}

/// A channel. There is one of each kind for the same alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Identifier.
    pub id: ChannelId,
    /// Of whose alerts.
    pub of: ChannelOf,
    /// Where to.
    pub target: Target,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

impl Channel {
    /// Without the secret.
    #[must_use]
    pub fn redacted(&self) -> Self {
        let mut redacted = self.clone();
        if let Target::Webhook { secret, .. } = &mut redacted.target {
            *secret = Secret::default();
        }
        redacted
    }

    /// What breaks a rule.
    pub fn problems(&self) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        match &self.target {
            Target::Webhook { url, .. } => rule::issuer_url("/url", url, &mut problems),
            Target::Email { addresses } => {
                if addresses.is_empty() || addresses.len() > ADDRESSES_MAX {
                    let detail = format!("Give 1 to {ADDRESSES_MAX} addresses.");
                    problems.push(FieldProblem::new("/addresses", "count", detail));
                }
                for (place, address) in addresses.iter().enumerate() {
                    mailbox(&format!("/addresses/{place}"), address, &mut problems);
                }
            }
        }
        problems
    }
}

/// An address of a mailbox, as far as it can be told without asking its host: what stands in the header of a mail must
/// not end it.
fn mailbox(pointer: &str, address: &str, problems: &mut Vec<FieldProblem>) {
    let is_plain = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !br#"<>()[]\,;:""#.contains(&byte))
    };
    let parts = address.rsplit_once('@');
    let is_fine = address.len() <= ADDRESS_BYTES_MAX
        && parts.is_some_and(|(name, host)| is_plain(name) && is_plain(host) && !name.contains('@'));
    if !is_fine {
        let detail = "This is not the address of a mailbox, for example ada@example.com.";
        problems.push(FieldProblem::new(pointer, "malformed", detail));
    }
}

/// How a connection to a mail server is secured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailSecurity {
    /// By STARTTLS (RFC 3207), without which nothing is sent.
    #[default]
    StartTls,
    /// From the first byte (RFC 8314).
    Tls,
    /// Not at all; for a server on this machine.
    None,
}

impl MailSecurity {
    /// All, in the order in which a page shows them.
    pub const ALL: [Self; 3] = [Self::StartTls, Self::Tls, Self::None];

    /// The word used in REST.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StartTls => "starttls",
            Self::Tls => "tls",
            Self::None => "none",
        }
    }
}

/// The mail server that mails of alerts go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub security: MailSecurity,
    /// The name it knows Tidegate by; empty: it asks for none.
    pub username: String,
    /// The password of that name, sealed in the store.
    pub password: Secret,
    /// Which address mails come from.
    pub from: String,
}

impl MailServer {
    /// Without the password.
    #[must_use]
    pub fn redacted(&self) -> Self {
        Self { password: Secret::default(), ..self.clone() }
    }

    /// What breaks a rule, as a member `server`.
    pub fn problems(&self) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        let is_host = !self.host.is_empty()
            && self.host.len() <= HOST_BYTES_MAX
            && self.host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte));
        if !is_host {
            let detail = "Give the name or the address of a mail server, for example smtp.example.com.";
            problems.push(FieldProblem::new("/server/host", "malformed", detail));
        }
        if self.port == 0 {
            problems.push(FieldProblem::new("/server/port", "out_of_range", "A port is 1 to 65535."));
        }
        for (pointer, text) in [("/server/username", &self.username), ("/server/password", &self.password.0)]
        {
            if text.len() > LOGIN_BYTES_MAX || text.chars().any(char::is_control) {
                let detail = format!("At most {LOGIN_BYTES_MAX} bytes, without control characters.");
                problems.push(FieldProblem::new(pointer, "malformed", detail));
            }
        }
        let is_local = matches!(&*self.host, "localhost" | "127.0.0.1" | "::1");
        if self.security == MailSecurity::None && !self.password.0.is_empty() && !is_local {
            let detail = "A password is sent over TLS alone. Choose starttls or tls.";
            problems.push(FieldProblem::new("/server/security", "insecure", detail));
        }
        mailbox("/server/from", &self.from, &mut problems);
        problems
    }
}

/// The mail server as a record, where one is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailSettings {
    /// The server; `None`: no mails are sent.
    pub server: Option<MailServer>,
    /// Grows with every change.
    pub etag: u64,
}

/// How far the telling of an alert has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It will be tried, or tried again.
    Waiting,
    /// It was taken.
    Delivered,
    /// It was tried for a day.
    GivenUp,
}

impl DeliveryState {
    /// All.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::GivenUp];

    /// The word used in REST and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
        }
    }
}

/// An alert on its way by a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The alert.
    pub alert: Alert,
    /// How far it has come.
    pub state: DeliveryState,
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried next, where it waits.
    pub due_at: Timestamp,
    /// When it was tried last.
    pub tried_at: Option<Timestamp>,
    /// Why it was not taken, in words for a person; empty where it was, or was not tried.
    pub problem: String,
}

/// What is due on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Where.
    pub channel: Channel,
    /// What.
    pub alert: Alert,
}

/// How a try went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Where.
    pub channel: ChannelId,
    /// What.
    pub alert: AlertId,
    /// Why it was not taken, in words for a person; `None`: it was.
    pub problem: Option<String>,
}

/// When something is tried again that was tried so often; `None`: not any more.
pub fn again_at(tries: u32, now: Timestamp) -> Option<Timestamp> {
    let pause = PAUSES_MILLIS.get(usize::try_from(tries.checked_sub(1)?).ok()?)?;
    Some(now.plus_millis(*pause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_a_day_together() {
        assert!(PAUSES_MILLIS.is_sorted());
        let all: i64 = PAUSES_MILLIS.iter().sum();
        assert!((23 * 3_600_000..25 * 3_600_000).contains(&all), "{all}");
        assert_eq!(again_at(1, Timestamp(0)), Some(Timestamp(5_000)));
        assert_eq!(again_at(8, Timestamp(0)), Some(Timestamp(12 * 3_600_000)));
        assert_eq!(again_at(9, Timestamp(0)), None);
        assert_eq!(again_at(0, Timestamp(0)), None);
    }

    #[test]
    fn what_is_no_mailbox_is_refused() {
        let is_fine = |address: &str| {
            let mut problems = Vec::new();
            mailbox("", address, &mut problems);
            problems.is_empty()
        };
        assert!(is_fine("ada@example.com") && is_fine("ops+alerts@mail.example"));
        let long = format!("{}@example.com", "a".repeat(254));
        for address in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "a b@c",
            "ada@x\r\nBcc: y@z",
            "<a@b>",
            "a@b@c",
            "a,b@c",
            &long,
        ] {
            assert!(!is_fine(address), "{address}");
        }
    }

    #[test]
    fn a_password_goes_over_tls_alone() {
        let server = MailServer {
            host: "smtp.example.com".to_owned(),
            port: 587,
            security: MailSecurity::StartTls,
            username: "tidegate".to_owned(),
            password: Secret("x".to_owned()),
            from: "tidegate@example.com".to_owned(),
        };
        assert_eq!(server.problems(), []);
        let plain = MailServer { security: MailSecurity::None, ..server.clone() };
        assert_eq!(plain.problems()[0].pointer, "/server/security");
        assert_eq!(MailServer { host: "localhost".to_owned(), ..plain }.problems(), []);
        assert_eq!(MailServer { host: "a\r\nb".to_owned(), ..server }.problems()[0].pointer, "/server/host");
    }
}
