//! Mails of alerts: `/mail`, the server that they go to, and how one is sent. They are plain text, and one for each alert.
//!
//! The server is an administrator's to name, so no rule of addresses holds for it. Without one the pages tell alone.

use std::time::{Duration, SystemTime};

use axum::{extract::State, http::HeaderMap};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, MIME_VERSION_1_0},
    },
    transport::smtp::{
        Error as SmtpError,
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    alert::{
        Alert,
        channel::{MailSecurity, MailServer, MailSettings},
    },
    command::{AlertCommand, Command, Outcome},
    id::AlertId,
    limit::Unit,
    meter::Level,
    rule::FieldProblem,
    user::Secret,
};
use utoipa::ToSchema;

use crate::{
    alert_channels::ChannelTest,
    authenticate::Caller,
    body::{Answer, Json, Tagged, required_if_match},
    outbox::About,
    problem::{Problem, ProblemDocument},
    state::{Control, Inner},
};

/// From the look-up of the server to its word that it has the mail. Some servers look at a mail for seconds before they take
/// it.
const SEND_WITHIN: Duration = Duration::from_secs(20);

/// The mail server as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailServerInput {
    /// Its name or address.
    #[schema(example = "smtp.example.com")]
    host: String,
    #[schema(example = 587)]
    port: u16,
    /// `starttls` (when absent), `tls` from the first byte, or `none`.
    security: Option<String>,
    /// Absent: the server asks for none.
    username: Option<String>,
    /// Absent: as before, where host, port and name are as before.
    password: Option<String>,
    /// Which address mails come from.
    #[schema(example = "tidegate@example.com")]
    from: String,
}

/// The mail server, or none.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailInput {
    /// Null takes it away.
    server: Option<MailServerInput>,
}

/// The mail server. The password is not told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MailServer)]
pub(crate) struct MailServerAnswer {
    host: String,
    port: u16,
    /// `starttls`, `tls` or `none`.
    security: &'static str,
    username: String,
    /// Whether there is a password.
    has_password: bool,
    from: String,
}

/// The mail server, or none.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Mail)]
pub(crate) struct MailAnswer {
    /// Null: no mails are sent.
    #[schema(required)]
    server: Option<MailServerAnswer>,
}

fn answer(settings: MailSettings) -> Tagged<MailAnswer> {
    let server = settings.server.map(|server| MailServerAnswer {
        host: server.host,
        port: server.port,
        security: server.security.as_str(),
        username: server.username,
        has_password: !server.password.0.is_empty(),
        from: server.from,
    });
    Tagged(settings.etag, MailAnswer { server })
}

/// The mail server
#[utoipa::path(get, path = "/mail", tag = "alerts", operation_id = "getMail",
    responses((status = 200, body = MailAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn get(State(Control(inner)): State<Control>) -> Result<Tagged<MailAnswer>, Problem> {
    Ok(answer(inner.ports.outbox.mail().await?))
}

/// Set the mail server, or take it away
#[utoipa::path(put, path = "/mail", tag = "alerts", operation_id = "updateMail",
    params(("If-Match" = String, Header)), request_body = MailInput,
    responses((status = 200, body = MailAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn update(
    State(Control(inner)): State<Control>,
    caller: Caller,
    headers: HeaderMap,
    Json(input): Json<MailInput>,
) -> Result<Tagged<MailAnswer>, Problem> {
    let based_on = required_if_match(&headers)?;
    let meant = |server: MailServerInput| {
        let security = server.security.as_deref().unwrap_or_else(|| MailSecurity::default().as_str());
        let known = MailSecurity::ALL.into_iter().find(|known| known.as_str() == security);
        let security = known.ok_or_else(|| {
            let detail = "Choose from starttls, tls and none.";
            Problem::Validation(vec![FieldProblem::new("/server/security", "unknown_security", detail)])
        })?;
        Ok::<_, Problem>(Box::new(MailServer {
            host: server.host.trim().to_owned(),
            port: server.port,
            security,
            username: server.username.unwrap_or_default(),
            password: Secret(server.password.unwrap_or_default()),
            from: server.from.trim().to_owned(),
        }))
    };
    let change = AlertCommand::ChangeMail { based_on, server: input.server.map(meant).transpose()? };
    match inner.execute(&caller.actor(), Command::Alert(change)).await? {
        Outcome::Mail(settings) => Ok(answer(*settings)),
        _ => Err(Problem::Internal("a command answered something else")),
    }
}

/// To whom a test goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailTestInput {
    /// The address of a mailbox.
    #[schema(example = "ada@example.com")]
    to: String,
}

/// Send a test, and tell how it went
#[utoipa::path(post, path = "/mail/test", tag = "alerts", operation_id = "testMail", request_body = MailTestInput,
    responses((status = 200, body = ChannelTest), (status = "default", body = ProblemDocument)))]
pub(crate) async fn test(
    State(Control(inner)): State<Control>,
    Json(input): Json<MailTestInput>,
) -> Result<Answer<ChannelTest>, Problem> {
    let name = AlertId::new(inner.now(), inner.ports.entropy.id_bytes()).to_string();
    Ok(Answer(ChannelTest::of(send_about(&inner, &[input.to], &About::Test(name)).await)))
}

/// Sends this to mailboxes; the error says in words why it was not taken.
pub(crate) async fn send_about(inner: &Inner, to: &[String], about: &About<'_>) -> Result<(), String> {
    let settings = inner.ports.outbox.mail().await.map_err(|error| error.to_string())?;
    let Some(server) = settings.server else {
        return Err("no mail server is set; an administrator does that under Alerts".to_owned());
    };
    let portal = inner.settings.load().portal_url.clone();
    let (id, subject, text) = match about {
        About::Alert(alert) => (alert.id.to_string(), subject(alert), text(alert, &portal)),
        About::Test(id) => {
            let text = format!("This is a test. Alerts of {portal} come this way.\n");
            (id.clone(), "Tidegate: a test".to_owned(), text)
        }
    };
    let at = u64::try_from(inner.now().millis()).unwrap_or_default();
    let message =
        message(&server, to, (&id, &subject, text), SystemTime::UNIX_EPOCH + Duration::from_millis(at));
    let message = message.map_err(|()| "an address cannot be used".to_owned())?;
    let sending = async { transport(&server)?.send(message).await };
    match tokio::time::timeout(SEND_WITHIN, sending).await {
        Err(_) => Err("the mail server did not answer in time".to_owned()),
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => {
            let cause = &error as &dyn std::error::Error;
            tracing::warn!(error = cause, host = server.host, "a mail could not be sent");
            Err(in_words(&error))
        }
    }
}

fn in_words(error: &SmtpError) -> String {
    match error.status() {
        Some(code) => format!("the mail server refused it with {code}"),
        None if error.is_timeout() => "the mail server did not answer in time".to_owned(),
        None if error.is_tls() => "TLS with the mail server failed".to_owned(),
        None if error.is_client() => "the mail server does not speak as it is set".to_owned(),
        None => "the mail server cannot be reached, or hung up".to_owned(),
    }
}

/// A connection for one mail: alerts are few.
fn transport(server: &MailServer) -> Result<AsyncSmtpTransport<Tokio1Executor>, SmtpError> {
    let parameters = || TlsParameters::new_rustls(server.host.clone());
    let tls = match server.security {
        MailSecurity::StartTls => Tls::Required(parameters()?),
        MailSecurity::Tls => Tls::Wrapper(parameters()?),
        MailSecurity::None => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
        .port(server.port)
        .tls(tls)
        .timeout(Some(SEND_WITHIN));
    if !server.username.is_empty() {
        builder = builder.credentials(Credentials::new(server.username.clone(), server.password.0.clone()));
    }
    Ok(builder.build())
}

fn message(
    server: &MailServer,
    to: &[String],
    (id, subject, text): (&str, &str, String),
    at: SystemTime,
) -> Result<Message, ()> {
    let mailbox = |address: &str| address.parse().map(|address| Mailbox::new(None, address)).map_err(|_| ());
    let host = server.from.rsplit_once('@').map_or("tidegate", |(_, host)| host);
    let mut builder = Message::builder()
        .from(mailbox(&server.from)?)
        .subject(subject)
        .date(at)
        .message_id(Some(format!("<{id}@{host}>")))
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN);
    for address in to {
        builder = builder.to(mailbox(address)?);
    }
    builder.body(text).map_err(|_| ())
}

fn subject(alert: &Alert) -> String {
    format!("Tidegate: {} % of {} used by {}", alert.threshold, alert.policy, whose(alert))
}

fn whose(alert: &Alert) -> String {
    let topic = alert.topic().map(|topic| format!(", topic {topic}")).unwrap_or_default();
    let api = alert.api.as_ref().map(|api| format!("{} {}{topic}", api.name, api.version));
    match (&alert.application, api) {
        (Some(application), Some(api)) => format!("{} on {api}", application.name),
        (Some(application), None) => application.name.clone(),
        (None, Some(api)) => format!("everybody on {api}"),
        (None, None) => "somebody".to_owned(),
    }
}

fn text(alert: &Alert, portal: &str) -> String {
    let (whose, limit) = (whose(alert), &alert.limit);
    let unit = match limit.unit {
        Unit::Messages => "messages",
        Unit::Bytes => "bytes",
        Unit::Connects => "new sessions",
    };
    let page = match (&alert.application, &alert.api, alert.level()) {
        (Some(application), _, Level::Application | Level::Subscription) => {
            format!("{portal}/devportal/applications/{}/alerts", application.id)
        }
        (_, Some(api), _) => format!("{portal}/publisher/apis/{}/alerts", api.id),
        _ => format!("{portal}/devportal/alerts"),
    };
    format!(
        "{whose} has used {} of {} {unit} per {} ({} %), by the {} {}.\n\nThere is all of it again from {} on.\n\n{page}\n",
        alert.used,
        limit.amount,
        limit.per.as_str(),
        alert.threshold,
        alert.level().noun(),
        alert.policy,
        alert.renewed_at().rfc3339(),
    )
}
