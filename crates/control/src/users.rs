//! People, as administrators see them: `/users`.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    command::{ChangeUser, Command, Outcome},
    decide::roles::unknown,
    id::UserId,
    port::{PageRequest, UserQuery},
    revocation::Mark,
    role::Roles,
    rule::{self, FieldProblem},
    user::{Account, Secret, User, UserState},
};
use tidegate_oauth::mark;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    authenticate::Caller,
    body::{Answer, Created, InPath, InQuery, Json, Tagged, if_match, required_if_match},
    list::{Limit, List, page},
    password,
    problem::{Problem, ProblemDocument},
    roles,
    state::{Control, Inner},
};

/// A user to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// Letters, digits and `. _ - @ +`, the first a letter or digit; at most 64. Unique without regard to case.
    #[schema(example = "ada")]
    username: String,
    /// By name: `admin`, `creator`, `publisher`, `subscriber`, `observer`, and own ones.
    roles: Vec<String>,
}

/// What a user may do from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChange {
    /// All roles, by name: `admin`, `creator`, `publisher`, `subscriber`, `observer`, and own ones.
    roles: Vec<String>,
    /// `active` or `disabled`.
    state: String,
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserAnswer {
    id: Uuid,
    username: String,
    /// By name: `admin`, `creator`, `publisher`, `subscriber`, `observer`, and own ones.
    roles: Vec<String>,
    /// `active`, `disabled`, or `waiting`: signed up, and not approved yet.
    state: &'static str,
    /// There is a password to sign in with; without one the person comes from a sign-in provider.
    has_password: bool,
    /// The password is one for one time, and was not changed yet.
    must_change_password: bool,
    /// Made by the demo.
    demo: bool,
    created_at: String,
}

/// A user and what belongs to them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserDetail)]
pub(crate) struct UserDetailAnswer {
    #[serde(flatten)]
    user: UserAnswer,
    /// Applications the user has; 200 for more.
    applications: usize,
    /// As whom other issuers know the user.
    identities: Vec<IdentityAnswer>,
}

/// As whom another issuer knows a user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Identity)]
pub(crate) struct IdentityAnswer {
    /// `iss`.
    issuer: String,
    /// `sub`.
    subject: String,
    created_at: String,
}

/// A user with a password for one time, shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserWithPassword)]
pub(crate) struct UserWithPasswordAnswer {
    #[serde(flatten)]
    user: UserAnswer,
    /// Tell it to the user: whoever signs in with it has to choose another. It is not shown again.
    one_time_password: String,
}

impl From<User> for UserAnswer {
    fn from(user: User) -> Self {
        Self {
            id: user.id.0,
            username: user.username,
            roles: roles::words(user.roles.given()),
            state: user.state.as_str(),
            has_password: user.has_password,
            must_change_password: user.must_change_password,
            demo: user.demo,
            created_at: user.created_at.rfc3339(),
        }
    }
}

fn user_of(outcome: Outcome) -> Result<User, Problem> {
    match outcome {
        Outcome::User(user) => Ok(user),
        _ => Err(Problem::Internal("a command answered something else")),
    }
}

async fn found(inner: &Inner, id: Uuid) -> Result<User, Problem> {
    inner.ports.catalog.user(UserId(id)).await?.ok_or(Problem::NotFound("user"))
}

/// Make a user
///
/// The answer holds a password for one time. Whoever signs in with it has to choose another.
#[utoipa::path(post, path = "/users", tag = "users", operation_id = "createUser", request_body = NewUser,
    responses((status = 201, body = UserWithPasswordAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    Json(input): Json<NewUser>,
) -> Result<Created<Answer<UserWithPasswordAnswer>>, Problem> {
    let mut problems = Vec::new();
    rule::username("/username", &input.username, &mut problems);
    let own = inner.ports.catalog.own_roles().await?;
    let roles = roles::named("/roles", &input.roles, &own, &mut problems);
    if !problems.is_empty() {
        return Err(Problem::Validation(problems));
    }
    let id = UserId::new(inner.now(), inner.ports.entropy.id_bytes());
    let mut user = User::new(id, input.username, Roles::of(roles, &own), inner.now());
    user.must_change_password = true;
    let one_time_password = password::generate_password(&*inner.ports.entropy);
    let password_hash = Secret(password::hash(&inner, one_time_password.clone()).await?);
    let command = Command::CreateUser(Account { user, password_hash });
    let user = user_of(inner.execute(&caller.actor(), command).await?)?;
    let place = format!("/api/v1/users/{}", user.id);
    Ok(Created(place, Answer(UserWithPasswordAnswer { user: user.into(), one_time_password })))
}

/// Which users.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsersQuery {
    /// Part of the name, in any case.
    q: Option<String>,
    /// Who holds this role, also by an own role that means it: `admin`, `creator`, `publisher`, `subscriber`, `observer`, or an
    /// own one.
    role: Option<String>,
    /// `active`, `disabled` or `waiting`.
    state: Option<String>,
    /// Most entries, 1 to 200; 50 when not given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Users, by name
#[utoipa::path(get, path = "/users", tag = "users", operation_id = "listUsers", params(UsersQuery),
    responses((status = 200, body = List<UserAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    InQuery(query): InQuery<UsersQuery>,
) -> Result<Answer<List<UserAnswer>>, Problem> {
    let role = match query.role {
        Some(word) => {
            let own = inner.ports.catalog.own_roles().await?;
            Some(roles::known(&word, &own).ok_or_else(|| Problem::Malformed(unknown(&word, &own)))?)
        }
        None => None,
    };
    let state = query.state.map(|word| UserState::parse(&word).ok_or(())).transpose();
    let state = state.map_err(|()| Problem::Malformed("state is active, disabled or waiting.".to_owned()))?;
    let asked = UserQuery { text: query.q.unwrap_or_default(), role, state };
    let found = inner.ports.catalog.users(&asked, &page(query.limit, query.cursor)).await?;
    Ok(Answer(List { items: found.items.into_iter().map(UserAnswer::from).collect(), next: found.next }))
}

/// A user
#[utoipa::path(get, path = "/users/{id}", tag = "users", operation_id = "getUser", params(("id" = Uuid, Path)),
    responses((status = 200, body = UserDetailAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn get(
    State(Control(inner)): State<Control>,
    InPath(id): InPath<Uuid>,
) -> Result<Tagged<UserDetailAnswer>, Problem> {
    let user = found(&inner, id).await?;
    let all = PageRequest { limit: 200, cursor: None };
    let applications = inner.ports.catalog.applications(Some(user.id), &all).await?.items.len();
    let identities = inner.ports.catalog.identities(user.id).await?.into_iter().map(|known| IdentityAnswer {
        issuer: known.issuer,
        subject: known.subject,
        created_at: known.created_at.rfc3339(),
    });
    let identities = identities.collect();
    Ok(Tagged(user.etag, UserDetailAnswer { user: user.into(), applications, identities }))
}

/// Change what a user may do
///
/// Who signed up and waits is approved by becoming `active`.
///
/// Who is disabled has no portal session any more; personal access tokens, access tokens that speak for the person and
/// the keys of their applications are refused, and live sessions of those tokens and keys close.
#[utoipa::path(put, path = "/users/{id}", tag = "users", operation_id = "updateUser",
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    request_body = UserChange,
    responses((status = 200, body = UserAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn update(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    headers: HeaderMap,
    Json(input): Json<UserChange>,
) -> Result<Tagged<UserAnswer>, Problem> {
    let based_on = required_if_match(&headers)?;
    let mut problems = Vec::new();
    let own = inner.ports.catalog.own_roles().await?;
    let roles = roles::named("/roles", &input.roles, &own, &mut problems);
    let state = UserState::parse(&input.state).filter(|state| *state != UserState::Waiting);
    if state.is_none() {
        let detail = "Choose active or disabled.";
        problems.push(FieldProblem::new("/state", "unknown_state", detail));
    }
    let Some(state) = state.filter(|_| problems.is_empty()) else {
        return Err(Problem::Validation(problems));
    };
    let id = UserId(id);
    let subject = subject(&inner, id);
    let command = Command::ChangeUser(ChangeUser { id, based_on, roles, state, subject });
    let user = user_of(inner.execute(&caller.actor(), command).await?)?;
    Ok(Tagged(user.etag, user.into()))
}

/// Give a user a password for one time
///
/// The portal sessions of the user end, and personal access tokens are refused until another password is chosen.
#[utoipa::path(post, path = "/users/{id}/password", tag = "users", operation_id = "resetPassword",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = UserWithPasswordAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn reset_password(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<Answer<UserWithPasswordAnswer>, Problem> {
    let user = found(&inner, id).await?;
    if caller.user.id == user.id {
        let detail = "Choose your own password at PUT /api/v1/account/password.";
        return Err(Problem::Conflict(detail.to_owned()));
    }
    let one_time_password = password::generate_password(&*inner.ports.entropy);
    let password_hash = Secret(password::hash(&inner, one_time_password.clone()).await?);
    let command = Command::SetPassword { username: user.username, password_hash, one_time: true };
    let user = user_of(inner.execute(&caller.actor(), command).await?)?;
    Ok(Answer(UserWithPasswordAnswer { user: user.into(), one_time_password }))
}

/// By which access tokens that speak for the person are known.
fn subject(inner: &Inner, id: UserId) -> Mark {
    mark::subject(inner.issuer.url(), &id.to_string()).into()
}

/// What becomes of the user's applications.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeleteUserQuery {
    /// The user who has them from now on. Without it, a user who has applications is not deleted.
    applications_to: Option<Uuid>,
}

/// Delete a user
///
/// Portal sessions, personal access tokens and access tokens that speak for the person end; APIs and the audit log stay
/// as they are.
#[utoipa::path(delete, path = "/users/{id}", tag = "users", operation_id = "deleteUser",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header), DeleteUserQuery),
    responses((status = 204, description = "Deleted"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn delete(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    InQuery(query): InQuery<DeleteUserQuery>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let (id, heir) = (UserId(id), query.applications_to.map(UserId));
    let subject = subject(&inner, id);
    let command = Command::DeleteUser { id, based_on: if_match(&headers), heir, subject };
    inner.execute(&caller.actor(), command).await?;
    Ok(StatusCode::NO_CONTENT)
}
