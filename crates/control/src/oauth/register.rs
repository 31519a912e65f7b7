//! `/oauth2/register`: clients that register themselves by a registration token (RFC 7591), and look after their registration
//! with a token of their own (RFC 7592).
//!
//! Each is an application of the registration token's owner with one key; what a client does here is done to these. A token
//! that is none is told apart from no other, nor an unknown client from a wrong token (RFC 7592, section 2.1).

use std::net::SocketAddr;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use tidegate_model::{
    client::{ClientAuthentication, ClientKind, ClientSettings},
    command::{
        ChangeRegistration, ClientWish, Command, EndRegistration, Outcome, Refused, Register,
        RegistrationCommand,
    },
    id::ApplicationId,
    port::CommandError,
    registration::{About, Registered, RegistrationToken, TokenState},
    rule::FieldProblem,
    user::{Actor, Secret},
};
use tidegate_oauth::{
    bearer::{self, BadCredential},
    client::{Method, is_credential, new_client_id},
    registration::{
        self, ClientInformation, ClientMetadata, NATIVE, Pages, RegistrationError, RegistrationErrorResponse,
        WEB, response_types,
    },
    secret::{self, Kind},
};

use super::{ClientRefused, challenged, no_store, status_of};
use crate::{
    body::{self, InPath},
    network_throttle::Often,
    problem::Problem,
    serve::ClientAddress,
    state::{Control, Inner},
};

const REALM: &str = "registration";
/// How often who has a token registers clients or changes them: each is a write and a new snapshot for gateways. A fleet of
/// a thousand behind one address is registered within twenty minutes.
pub(crate) const OFTEN: Often = Often { of_network: 60, of_all: 300, window: 60_000 };

/// Why a client gets no answer.
enum Failure {
    /// It presented no token, or what cannot be one.
    Credential(BadCredential),
    /// Its token is none for this.
    Token,
    /// It asked wrongly.
    Metadata(RegistrationError),
    /// Something else.
    Ours(Problem),
}

impl From<RegistrationError> for Failure {
    fn from(error: RegistrationError) -> Self {
        Self::Metadata(error)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Ours(problem)
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Refused(Refused::Invalid(problems)) => match problems.into_iter().next() {
                Some(problem) => Self::Metadata(of_rule(&problem)),
                None => Self::Ours(Problem::Internal("a rule was broken and none is named")),
            },
            // It was used up, or ended, since it was looked at.
            CommandError::Refused(Refused::NotFound(_)) => Self::Token,
            error => Self::Ours(error.into()),
        }
    }
}

/// A broken rule of a key or an application, by the name that the field has here.
fn of_rule(problem: &FieldProblem) -> RegistrationError {
    let mut parts = problem.pointer.trim_start_matches('/').split('/');
    let field = match parts.next().unwrap_or_default() {
        "grants" => "grant_types",
        "authentication" => "token_endpoint_auth_method",
        "name" => "client_name",
        "certificate_bound_tokens" => CERTIFICATE_BOUND,
        other => other,
    };
    let place = parts.next().map(|place| format!("[{place}]")).unwrap_or_default();
    RegistrationError::of_field(&format!("{field}{place}"), &problem.detail)
}

const CERTIFICATE_BOUND: &str = "tls_client_certificate_bound_access_tokens";

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Ours(problem) => problem.into_response(),
            Self::Metadata(error) => {
                let said = axum::Json(RegistrationErrorResponse::from(error));
                no_store((StatusCode::BAD_REQUEST, said).into_response())
            }
            Self::Credential(bad) => challenged(status_of(bad), &bad.challenge(REALM)),
            Self::Token => {
                let told = Some(("invalid_token", "the token is unknown, used up, expired or revoked"));
                let mut response = challenged(StatusCode::UNAUTHORIZED, &bearer::challenge(REALM, told));
                response.extensions_mut().insert(ClientRefused);
                response
            }
        }
    }
}

/// The token of a request, of this kind.
fn token_of(headers: &HeaderMap, kind: Kind) -> Result<String, Failure> {
    let fields = headers.get_all(header::AUTHORIZATION).iter().map(HeaderValue::as_bytes);
    let found = bearer::find(fields, None, &[]).map_err(Failure::Credential)?;
    if found.is_dpop || !secret::is_well_formed(kind, &found.token) {
        return Err(Failure::Token);
    }
    Ok(found.token)
}

/// The document of a request.
async fn document(request: Request) -> Result<bytes::Bytes, Failure> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        let detail = "send the metadata as application/json".to_owned();
        return Err(RegistrationError::Metadata(detail).into());
    }
    Ok(body::read(request).await?)
}

/// What a client is to be, by what it says of itself; and a secret for it, where it is to have one.
fn wish(inner: &Inner, metadata: ClientMetadata) -> Result<(ClientWish, Option<String>), Failure> {
    if metadata.certificate_bound && !inner.settings.load().client_cert {
        let detail = "certificates of clients are not seen here; leave it out";
        return Err(RegistrationError::of_field(CERTIFICATE_BOUND, detail).into());
    }
    let kind = match (metadata.method, metadata.is_native()) {
        (Method::None, true) => ClientKind::Native,
        (Method::None, false) => ClientKind::Browser,
        _ => ClientKind::Confidential,
    };
    let authentication = match metadata.method {
        Method::PrivateKeyJwt => ClientAuthentication::PrivateKeyJwt,
        Method::Basic | Method::Post | Method::None => ClientAuthentication::Secret,
    };
    let settings = ClientSettings {
        kind,
        authentication,
        jwks: metadata.jwks.map(|set| set.to_string()).unwrap_or_default(),
        redirect_uris: metadata.redirect_uris,
        post_logout_redirect_uris: metadata.post_logout_redirect_uris,
        certificate_bound_tokens: metadata.certificate_bound,
        ..ClientSettings::default()
    };
    let text = settings.has_secret().then(|| secret::generate(Kind::ClientSecret, &mut inner.random()));
    let wish = ClientWish {
        name: metadata.client_name,
        grants: metadata.grant_types,
        settings,
        about: About {
            client_uri: metadata.pages.client,
            policy_uri: metadata.pages.policy,
            tos_uri: metadata.pages.terms,
            contacts: metadata.contacts,
            software_id: metadata.software_id,
            software_version: metadata.software_version,
            posts_secret: metadata.method == Method::Post,
        },
        secret_hash: text.as_deref().map(|text| Secret(secret::hash(text))).unwrap_or_default(),
    };
    Ok((wish, text))
}

/// What a client is told of its registration. Of a secret, where this is the one that it has.
fn told(inner: &Inner, found: Registered, token: String, text: Option<String>) -> ClientInformation {
    let Registered { application, key, registration } = found;
    let about = registration.about;
    let method = match (key.settings.kind.is_public(), key.settings.authentication) {
        (true, _) => Method::None,
        (false, ClientAuthentication::PrivateKeyJwt) => Method::PrivateKeyJwt,
        (false, ClientAuthentication::Secret) if about.posts_secret => Method::Post,
        (false, ClientAuthentication::Secret) => Method::Basic,
    };
    let client_secret = text.filter(|text| secret::matches(text, &key.secret_hash.0));
    ClientInformation {
        client_secret_expires_at: client_secret.is_some().then_some(0),
        client_secret,
        client_id_issued_at: registration.created_at.seconds(),
        registration_access_token: token,
        registration_client_uri: format!("{}/oauth2/register/{}", inner.issuer.url(), key.client_id),
        client_id: key.client_id,
        metadata: ClientMetadata {
            redirect_uris: key.settings.redirect_uris,
            method,
            response_types: response_types(&key.grants),
            grant_types: key.grants,
            application_type: if key.settings.kind == ClientKind::Native { NATIVE } else { WEB },
            client_name: Some(application.name),
            pages: Pages { client: about.client_uri, policy: about.policy_uri, terms: about.tos_uri },
            contacts: about.contacts,
            jwks: serde_json::from_str(&key.settings.jwks).ok(),
            software_id: about.software_id,
            software_version: about.software_version,
            post_logout_redirect_uris: key.settings.post_logout_redirect_uris,
            certificate_bound: key.settings.certificate_bound_tokens,
        },
    }
}

fn registered(outcome: Outcome) -> Result<Registered, Failure> {
    match outcome {
        Outcome::Registered(registered) => Ok(*registered),
        _ => Err(Problem::Internal("a command answered something else").into()),
    }
}

/// Somebody with a good token does something that costs.
fn bounded(inner: &Inner, address: SocketAddr) -> Result<Actor, Problem> {
    inner.registrations.attempt(address.ip(), inner.now()).map_err(Problem::Throttled)?;
    Ok(Actor::stranger(address.ip()))
}

/// `POST /oauth2/register`.
pub(crate) async fn post(
    State(Control(inner)): State<Control>,
    ClientAddress(address): ClientAddress,
    request: Request,
) -> Response {
    match register(&inner, address, request).await {
        Ok(told) => no_store((StatusCode::CREATED, axum::Json(told)).into_response()),
        Err(failure) => failure.into_response(),
    }
}

async fn register(
    inner: &Inner,
    address: SocketAddr,
    request: Request,
) -> Result<ClientInformation, Failure> {
    let by = Secret(secret::hash(&token_of(request.headers(), Kind::Registering)?));
    // Before anything of the document is said: who has no token learns nothing of what is taken.
    let token = inner.ports.catalog.registration_token(&by).await.map_err(Problem::from)?;
    if !is_good(inner, token).await? {
        return Err(Failure::Token);
    }
    let actor = bounded(inner, address)?;
    let (wish, text) = wish(inner, registration::read(&document(request).await?)?)?;
    let token = secret::generate(Kind::Registration, &mut inner.random());
    let register = Register {
        by,
        application: ApplicationId::new(inner.now(), inner.ports.entropy.id_bytes()),
        client_id: new_client_id(&mut inner.random()),
        token_hash: Secret(secret::hash(&token)),
        wish,
    };
    let outcome = inner
        .try_execute(&actor, Command::Registration(RegistrationCommand::Register(Box::new(register))))
        .await?;
    Ok(told(inner, registered(outcome)?, token, text))
}

async fn is_good(inner: &Inner, token: Option<RegistrationToken>) -> Result<bool, Problem> {
    let Some(token) = token else { return Ok(false) };
    let owner = inner.ports.catalog.user(token.owner).await?;
    Ok(owner.is_some_and(|owner| token.state(&owner, inner.now()) == TokenState::Active))
}

/// The client that a request is about, which it has proven to be.
async fn own(inner: &Inner, headers: &HeaderMap, client_id: &str) -> Result<(Registered, String), Failure> {
    let token = token_of(headers, Kind::Registration)?;
    let found = if is_credential(client_id) {
        inner.ports.catalog.registered(client_id).await.map_err(Problem::from)?
    } else {
        None
    };
    // An unknown client takes as long as a wrong token.
    let stored = found.as_ref().map(|found| found.registration.token_hash.0.as_str());
    let is_own = secret::matches(&token, stored.unwrap_or_default());
    Ok((found.filter(|_| is_own).ok_or(Failure::Token)?, token))
}

/// `GET /oauth2/register/{client_id}`.
pub(crate) async fn get(
    State(Control(inner)): State<Control>,
    InPath(client_id): InPath<String>,
    headers: HeaderMap,
) -> Response {
    match own(&inner, &headers, &client_id).await {
        Ok((found, token)) => no_store(axum::Json(told(&inner, found, token, None)).into_response()),
        Err(failure) => failure.into_response(),
    }
}

/// `PUT /oauth2/register/{client_id}`.
pub(crate) async fn put(
    State(Control(inner)): State<Control>,
    ClientAddress(address): ClientAddress,
    InPath(client_id): InPath<String>,
    request: Request,
) -> Response {
    match replace(&inner, address, client_id, request).await {
        Ok(told) => no_store(axum::Json(told).into_response()),
        Err(failure) => failure.into_response(),
    }
}

async fn replace(
    inner: &Inner,
    address: SocketAddr,
    client_id: String,
    request: Request,
) -> Result<ClientInformation, Failure> {
    let (before, token) = own(inner, request.headers(), &client_id).await?;
    let actor = bounded(inner, address)?;
    let asked = registration::read_replacement(&document(request).await?)?;
    if asked.client_id != client_id {
        return Err(RegistrationError::Request("client_id is that of another client").into());
    }
    if let Some(text) = asked.client_secret
        && !secret::matches(&text, &before.key.secret_hash.0)
    {
        return Err(RegistrationError::Request("client_secret is not the one of this client").into());
    }
    let (wish, text) = wish(inner, asked.metadata)?;
    let change = ChangeRegistration { client_id, token_hash: Secret(secret::hash(&token)), wish };
    let outcome = inner
        .try_execute(&actor, Command::Registration(RegistrationCommand::Change(Box::new(change))))
        .await?;
    Ok(told(inner, registered(outcome)?, token, text))
}

/// `DELETE /oauth2/register/{client_id}`.
pub(crate) async fn delete(
    State(Control(inner)): State<Control>,
    ClientAddress(address): ClientAddress,
    InPath(client_id): InPath<String>,
    request: Request,
) -> Response {
    match end(&inner, address, client_id, request).await {
        Ok(()) => no_store(StatusCode::NO_CONTENT.into_response()),
        Err(failure) => failure.into_response(),
    }
}

async fn end(inner: &Inner, address: SocketAddr, client_id: String, request: Request) -> Result<(), Failure> {
    let (_, token) = own(inner, request.headers(), &client_id).await?;
    let actor = bounded(inner, address)?;
    let end = EndRegistration { client_id, token_hash: Secret(secret::hash(&token)) };
    inner.try_execute(&actor, Command::Registration(RegistrationCommand::End(end))).await?;
    Ok(())
}
