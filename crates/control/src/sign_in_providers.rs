//! Other issuers by which people sign in to the portals: `/sign-in-providers`, and what the sign-in page shows of them.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    command::{Command, Outcome},
    id::ProviderId,
    provider::{
        CreateProvider, Newcomers, RoleClaim, RoleValue, SignInProvider, SignInTrust, USERNAME_CLAIM,
        UpdateProvider,
    },
    role::OwnRole,
    rule::FieldProblem,
    user::Secret,
};
use tidegate_oauth::issuer::usable_keys;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    arrival::callback,
    authenticate::Caller,
    body::{Answer, Created, InPath, Json, Tagged, if_match, required_if_match},
    known_providers::Wanted,
    list::List,
    problem::{Problem, ProblemDocument},
    roles,
    state::{Control, Inner},
};

/// What one value of the claim of roles means here.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoleValue)]
pub(crate) struct RoleValueBody {
    /// As the issuer writes it.
    #[schema(example = "api-developers")]
    value: String,
    /// Of `admin`, `creator`, `publisher`, `subscriber`, `observer`.
    roles: Vec<String>,
}

/// How the roles of people follow from what the issuer says of them.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoleClaim)]
pub(crate) struct RoleClaimBody {
    /// The claim: a list of texts, or one text. Where no claim has the whole name, dots lead into objects.
    #[schema(example = "groups")]
    name: String,
    /// Which of its values mean what; others mean nothing.
    values: Vec<RoleValueBody>,
}

/// A sign-in provider as it is from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSignInProvider {
    /// What the button on the sign-in page says.
    #[schema(example = "Corporate SSO")]
    name: String,
    /// `iss` of its ID tokens, compared byte by byte. People are known by it and `sub`.
    #[schema(example = "https://sso.example.com")]
    issuer: String,
    /// Its discovery document; the issuer with `/.well-known/openid-configuration` when absent.
    discovery_url: Option<String>,
    /// As which client people are asked for.
    client_id: String,
    /// Absent in a change: as before, where issuer, discovery document and client are as before.
    client_secret: Option<String>,
    /// What is asked for beside `openid`; `profile` when absent.
    scopes: Option<Vec<String>>,
    /// The claim that says the name under which somebody new is made; `preferred_username` when absent.
    username_claim: Option<String>,
    /// What everybody who comes this way may be, of `admin`, `creator`, `publisher`, `subscriber`, `observer`, and
    /// own ones.
    #[serde(default)]
    roles: Vec<String>,
    /// What they may be beyond that. With it the roles of everybody who comes this way are read anew at each sign-in;
    /// without it they are given once, and administrators change them.
    role_claim: Option<RoleClaimBody>,
    /// What becomes of somebody who is not known here yet: `refused` (the default), `wait` for an administrator, or `enter`.
    newcomers: Option<String>,
    /// Whether anybody can sign in this way; `true` when absent.
    enabled: Option<bool>,
}

impl NewSignInProvider {
    fn meant(self, own: &[OwnRole]) -> Result<(String, SignInTrust), Problem> {
        let mut problems = Vec::new();
        let for_all = roles::named("/roles", &self.roles, own, &mut problems);
        let claim = self.role_claim.map(|claim| {
            let value = |(place, known): (usize, RoleValueBody)| {
                let at = format!("/role_claim/values/{place}/roles");
                RoleValue { roles: roles::named(&at, &known.roles, own, &mut problems), value: known.value }
            };
            RoleClaim { name: claim.name, values: claim.values.into_iter().enumerate().map(value).collect() }
        });
        let newcomers = match &self.newcomers {
            None => Some(Newcomers::default()),
            Some(word) => Newcomers::parse(word),
        };
        if newcomers.is_none() {
            let detail = "Choose refused, wait or enter.";
            problems.push(FieldProblem::new("/newcomers", "unknown_word", detail));
        }
        let Some(newcomers) = newcomers.filter(|_| problems.is_empty()) else {
            return Err(Problem::Validation(problems));
        };
        let usual = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let trust = SignInTrust {
            discovery_url: self.discovery_url.unwrap_or(usual),
            issuer: self.issuer,
            client_id: self.client_id,
            client_secret: Secret(self.client_secret.unwrap_or_default()),
            scopes: self.scopes.unwrap_or_else(|| vec!["profile".to_owned()]),
            username_claim: self.username_claim.unwrap_or_else(|| USERNAME_CLAIM.to_owned()),
            roles: for_all,
            role_claim: claim,
            newcomers,
            enabled: self.enabled.unwrap_or(true),
        };
        Ok((self.name, trust))
    }
}

/// A sign-in provider: another issuer by which people sign in. Its secret is not told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignInProvider)]
pub(crate) struct SignInProviderAnswer {
    id: Uuid,
    name: String,
    issuer: String,
    discovery_url: String,
    client_id: String,
    scopes: Vec<String>,
    username_claim: String,
    roles: Vec<String>,
    #[schema(required)]
    role_claim: Option<RoleClaimBody>,
    /// `refused`, `wait` or `enter`.
    newcomers: &'static str,
    enabled: bool,
    /// Where it sends people back to; to be registered there.
    redirect_uri: String,
    created_at: String,
    updated_at: String,
    /// For `If-Match`.
    etag: String,
}

fn shown(inner: &Inner, provider: SignInProvider) -> SignInProviderAnswer {
    let SignInProvider { id, name, trust, created_at, updated_at, etag } = provider;
    let role_claim = trust.role_claim.map(|claim| RoleClaimBody {
        name: claim.name,
        values: claim
            .values
            .into_iter()
            .map(|known| RoleValueBody { roles: roles::words(&known.roles), value: known.value })
            .collect(),
    });
    SignInProviderAnswer {
        id: id.0,
        name,
        issuer: trust.issuer,
        discovery_url: trust.discovery_url,
        client_id: trust.client_id,
        scopes: trust.scopes,
        username_claim: trust.username_claim,
        roles: roles::words(&trust.roles),
        role_claim,
        newcomers: trust.newcomers.as_str(),
        enabled: trust.enabled,
        redirect_uri: callback(inner, id),
        created_at: created_at.rfc3339(),
        updated_at: updated_at.rfc3339(),
        etag: etag.to_string(),
    }
}

fn after(inner: &Inner, outcome: Outcome) -> Result<Tagged<SignInProviderAnswer>, Problem> {
    match outcome {
        Outcome::Provider(provider) => Ok(Tagged(provider.etag, shown(inner, *provider))),
        _ => Err(Problem::Internal("a command answered something else")),
    }
}

async fn found(inner: &Inner, id: Uuid) -> Result<SignInProvider, Problem> {
    let found = inner.ports.catalog.sign_in_provider(ProviderId(id)).await?;
    found.ok_or(Problem::NotFound("sign-in provider"))
}

/// Make a sign-in provider
#[utoipa::path(post, path = "/sign-in-providers", tag = "users", operation_id = "createSignInProvider",
    request_body = NewSignInProvider,
    responses((status = 201, body = SignInProviderAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    Json(input): Json<NewSignInProvider>,
) -> Result<Created<Tagged<SignInProviderAnswer>>, Problem> {
    let id = ProviderId::new(inner.now(), inner.ports.entropy.id_bytes());
    let (name, trust) = input.meant(&inner.ports.catalog.own_roles().await?)?;
    let command = Command::CreateProvider(Box::new(CreateProvider { id, name, trust }));
    let made = after(&inner, inner.execute(&caller.actor(), command).await?)?;
    Ok(Created(format!("/api/v1/sign-in-providers/{id}"), made))
}

/// Sign-in providers
#[utoipa::path(get, path = "/sign-in-providers", tag = "users", operation_id = "listSignInProviders",
    responses((status = 200, body = List<SignInProviderAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
) -> Result<Answer<List<SignInProviderAnswer>>, Problem> {
    let all = inner.ports.catalog.sign_in_providers().await?;
    Ok(Answer(List::whole(all.into_iter().map(|provider| shown(&inner, provider)).collect())))
}

/// A sign-in provider
#[utoipa::path(get, path = "/sign-in-providers/{id}", tag = "users", operation_id = "getSignInProvider",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = SignInProviderAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn get(
    State(Control(inner)): State<Control>,
    InPath(id): InPath<Uuid>,
) -> Result<Tagged<SignInProviderAnswer>, Problem> {
    let provider = found(&inner, id).await?;
    Ok(Tagged(provider.etag, shown(&inner, provider)))
}

/// Change a sign-in provider
///
/// Where it is switched off, or is of another issuer from now on, whoever signed in by it is signed out.
#[utoipa::path(put, path = "/sign-in-providers/{id}", tag = "users", operation_id = "updateSignInProvider",
    request_body = NewSignInProvider, params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = SignInProviderAnswer), (status = 412, body = ProblemDocument),
        (status = "default", body = ProblemDocument)))]
pub(crate) async fn update(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    headers: HeaderMap,
    Json(input): Json<NewSignInProvider>,
) -> Result<Tagged<SignInProviderAnswer>, Problem> {
    let based_on = required_if_match(&headers)?;
    let (name, trust) = input.meant(&inner.ports.catalog.own_roles().await?)?;
    let update = UpdateProvider { id: ProviderId(id), based_on, name, trust };
    after(&inner, inner.execute(&caller.actor(), Command::UpdateProvider(Box::new(update))).await?)
}

/// Delete a sign-in provider
///
/// Whoever signed in by it is signed out. The accounts stay, with their roles, applications and tokens; an administrator
/// may give them passwords.
#[utoipa::path(delete, path = "/sign-in-providers/{id}", tag = "users", operation_id = "deleteSignInProvider",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204, description = "Deleted"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn delete(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let command = Command::DeleteProvider { id: ProviderId(id), based_on: if_match(&headers) };
    inner.execute(&caller.actor(), command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a sign-in provider answered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignInProviderCheck {
    /// Why nobody can sign in by it; `null` where its documents are as they have to be.
    #[schema(required)]
    problem: Option<String>,
    /// Keys that its ID tokens can be verified with.
    keys: usize,
}

/// Ask a sign-in provider for its documents now
#[utoipa::path(post, path = "/sign-in-providers/{id}/check", tag = "users", operation_id = "checkSignInProvider",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = SignInProviderCheck), (status = "default", body = ProblemDocument)))]
pub(crate) async fn check(
    State(Control(inner)): State<Control>,
    InPath(id): InPath<Uuid>,
) -> Result<Answer<SignInProviderCheck>, Problem> {
    let provider = found(&inner, id).await?;
    Ok(Answer(match inner.providers.of(&inner, &provider, Wanted::Now).await {
        Ok(known) => {
            let keys = usable_keys(&known.keys).map_or(0, |keys| keys.len());
            SignInProviderCheck { problem: None, keys }
        }
        Err(error) => SignInProviderCheck { problem: Some(error.to_string()), keys: 0 },
    }))
}

/// A way to sign in beside a password.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignInChoice {
    /// The sign-in provider: `/sign-in/with/{id}` leads to it.
    id: Uuid,
    name: String,
}

/// Ways to sign in beside a password
#[utoipa::path(get, path = "/session/providers", tag = "session", operation_id = "listSignInChoices", security(()),
    responses((status = 200, body = List<SignInChoice>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn choices(
    State(Control(inner)): State<Control>,
) -> Result<Answer<List<SignInChoice>>, Problem> {
    let all = inner.ports.catalog.sign_in_providers().await?.into_iter();
    let open = all.filter(|provider| provider.trust.enabled);
    let choice = |provider: SignInProvider| SignInChoice { id: provider.id.0, name: provider.name };
    Ok(Answer(List::whole(open.map(choice).collect())))
}
