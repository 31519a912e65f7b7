//! Tokens by which programs register themselves as clients, for administrators: `/registration-tokens`. Registering is
//! `/oauth2/register`.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    command::{Command, Outcome, RegistrationCommand},
    endpoint::Environment,
    id::RegistrationTokenId,
    registration::RegistrationToken,
    role::Permission,
    rule::FieldProblem,
    time::{DAY_MILLIS, Timestamp},
    user::{Secret, User},
};
use tidegate_oauth::secret::{self, Kind};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    applications::keys::environment,
    authenticate::Caller,
    body::{Answer, Created, InPath, Json},
    list::List,
    problem::{Problem, ProblemDocument},
    state::{Control, Inner},
};

/// Clients that a token registers where nothing is said: it is made for one program.
const USES: u32 = 1;
/// Days for which a token is good where nothing is said: an installation is done within a month, or begun anew.
const DAYS: u32 = 30;

/// A registration token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRegistrationToken {
    /// What you call it; new applications say by which token they came.
    #[schema(example = "Sensors in hall 3")]
    name: String,
    /// Name of the user whose the new applications are; yourself when absent.
    owner: Option<String>,
    /// For which environment the keys of the new applications are, `production` or `sandbox`; production when absent.
    #[serde(rename = "type")]
    environment: Option<String>,
    /// How many clients it registers; 1 when absent.
    #[schema(minimum = 1, maximum = 10000)]
    uses_max: Option<u32>,
    /// Days until it ends; 30 when absent.
    #[schema(minimum = 1, maximum = 366)]
    expires_in_days: Option<u32>,
}

/// A registration token as it is listed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RegistrationToken)]
pub(crate) struct RegistrationTokenAnswer {
    id: Uuid,
    name: String,
    /// How the token begins, so that you recognise it.
    prefix: String,
    /// Whose the applications are that it makes.
    owner: String,
    /// `production` or `sandbox`.
    #[serde(rename = "type")]
    environment: &'static str,
    /// How many clients it registers.
    uses_max: u32,
    /// How many it has registered.
    used: u32,
    /// `active`, `expired`, `used_up`, or `owner_may_not`: its owner is disabled or may not have applications.
    state: &'static str,
    #[schema(required)]
    last_used_at: Option<String>,
    expires_at: String,
    created_at: String,
    created_by: String,
}

/// A registration token with its secret, shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RegistrationTokenWithSecret)]
pub(crate) struct NewRegistrationTokenAnswer {
    #[serde(flatten)]
    listed: RegistrationTokenAnswer,
    /// What a program presents at `/oauth2/register`. It is not shown again.
    token: String,
}

fn answer(token: RegistrationToken, owner: &User, now: Timestamp) -> RegistrationTokenAnswer {
    RegistrationTokenAnswer {
        id: token.id.0,
        state: token.state(owner, now).as_str(),
        name: token.name,
        prefix: token.prefix,
        owner: owner.username.clone(),
        environment: token.environment.as_str(),
        uses_max: token.uses_max,
        used: token.used,
        last_used_at: token.last_used_at.map(Timestamp::rfc3339),
        expires_at: token.expires_at.rfc3339(),
        created_at: token.created_at.rfc3339(),
        created_by: token.created_by,
    }
}

async fn owner(inner: &Inner, caller: &Caller, name: Option<&str>) -> Result<User, Problem> {
    let Some(name) = name else { return Ok(caller.user.clone()) };
    let account = inner.ports.catalog.account(name.trim()).await?;
    account.map(|account| account.user).ok_or_else(|| {
        let problem = FieldProblem::new("/owner", "unknown_user", "There is no user of this name.");
        Problem::Validation(vec![problem])
    })
}

/// Make a token by which programs register themselves
///
/// Each use of it at `/oauth2/register` (RFC 7591) makes an application of its owner, with a key.
#[utoipa::path(post, path = "/registration-tokens", tag = "registration tokens", operation_id = "createRegistrationToken",
    request_body = NewRegistrationToken,
    responses((status = 201, body = NewRegistrationTokenAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    Json(input): Json<NewRegistrationToken>,
) -> Result<Created<Answer<NewRegistrationTokenAnswer>>, Problem> {
    let actor = caller.may(Permission::Administer)?;
    let owner = owner(&inner, &caller, input.owner.as_deref()).await?;
    let environment = input.environment.as_deref().map_or(Ok(Environment::Production), environment)?;
    let (now, text) = (inner.now(), secret::generate(Kind::Registering, &mut inner.random()));
    let days = i64::from(input.expires_in_days.unwrap_or(DAYS));
    let token = RegistrationToken {
        id: RegistrationTokenId::new(now, inner.ports.entropy.id_bytes()),
        name: input.name,
        prefix: secret::recognisable(&text).to_owned(),
        hash: Secret(secret::hash(&text)),
        owner: owner.id,
        environment,
        uses_max: input.uses_max.unwrap_or(USES),
        expires_at: now.plus_millis(days * DAY_MILLIS),
        // The store says these.
        used: 0,
        last_used_at: None,
        created_at: now,
        created_by: String::new(),
    };
    let command = Command::Registration(RegistrationCommand::CreateToken(Box::new(token)));
    let Outcome::RegistrationToken(token) = inner.execute(&actor, command).await? else {
        return Err(Problem::Internal("a command answered something else"));
    };
    let place = format!("/api/v1/registration-tokens/{}", token.id);
    let listed = answer(*token, &owner, now);
    Ok(Created(place, Answer(NewRegistrationTokenAnswer { listed, token: text })))
}

/// Registration tokens, in the order of their making
#[utoipa::path(get, path = "/registration-tokens", tag = "registration tokens", operation_id = "listRegistrationTokens",
    responses((status = 200, body = List<RegistrationTokenAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
) -> Result<Answer<List<RegistrationTokenAnswer>>, Problem> {
    caller.may(Permission::Administer)?;
    let (mut answers, now) = (Vec::new(), inner.now());
    for token in inner.ports.catalog.registration_tokens().await? {
        // Who was deleted a moment ago has taken the token along.
        if let Some(owner) = inner.ports.catalog.user(token.owner).await? {
            answers.push(answer(token, &owner, now));
        }
    }
    Ok(Answer(List::whole(answers)))
}

/// Take a registration token back; applications that were made by it stay
#[utoipa::path(delete, path = "/registration-tokens/{id}", tag = "registration tokens",
    operation_id = "deleteRegistrationToken", params(("id" = Uuid, Path)),
    responses((status = 204, description = "Deleted"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn delete(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<StatusCode, Problem> {
    let actor = caller.may(Permission::Administer)?;
    let delete = RegistrationCommand::DeleteToken(RegistrationTokenId(id));
    inner.execute(&actor, Command::Registration(delete)).await?;
    Ok(StatusCode::NO_CONTENT)
}
