//! The issuer's signing keys, for administrators: what there is, a new one that takes over, and one that is to be gone at
//! once. And the clockwork that rotates them and lets go of those that are over.
//!
//! Gateways and the published set follow a change before it is answered. Which key signs, `tidegate_model::signing_key`
//! says.

use std::cmp::Reverse;

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    command::{Command, KeyPurpose, SigningKeyRecord},
    role::Permission,
    rule::FieldProblem,
    signing_key::{PUBLISHED_AHEAD_MS, Standing, standing},
    time::{DAY_MILLIS, Timestamp},
    user::Actor,
};
use tidegate_oauth::jwk::Algorithm;
use utoipa::ToSchema;

use crate::{
    authenticate::Caller,
    body::{Answer, Created, InPath, Json},
    list::List,
    problem::{Problem, ProblemDocument},
    state::{Control, Inner, new_key},
};

/// A key that is to take over.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotation {
    /// `ES256`, `EdDSA` or `RS256`; what the configuration says when absent.
    #[schema(example = "ES256")]
    algorithm: Option<String>,
    /// Sign with it now. Whoever keeps the published keys for some minutes refuses new tokens until they look again, so
    /// by default a key is published for ten minutes before it signs. Gateways know it at once in either case.
    #[serde(default)]
    at_once: bool,
}

/// A signing key: its public face.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SigningKey)]
pub(crate) struct SigningKeyAnswer {
    /// RFC 7638 thumbprint, `kid` of what it signs.
    kid: String,
    /// `ES256`, `EdDSA` or `RS256`.
    algorithm: String,
    /// `next`: published, not signing yet. `current`: signs. `retired`: still verifies what it signed.
    #[schema(example = "current")]
    state: &'static str,
    created_at: String,
    /// When it begins to sign, or began.
    signs_from: String,
    /// When another takes over, or took over; null while none is to.
    #[schema(required)]
    signs_until: Option<String>,
    /// When nothing that it signed is valid any more and it is removed by itself; null while no other key is to take over.
    #[schema(required)]
    verifies_until: Option<String>,
}

impl SigningKeyAnswer {
    fn new(key: &SigningKeyRecord, keys: &[SigningKeyRecord], now: Timestamp) -> Self {
        let Standing { state, signs_until, verifies_until } = standing(key, keys, now);
        Self {
            kid: key.kid.clone(),
            algorithm: key.algorithm.clone(),
            state: state.as_str(),
            created_at: key.created_at.rfc3339(),
            signs_from: key.signs_from.rfc3339(),
            signs_until: signs_until.map(Timestamp::rfc3339),
            verifies_until: verifies_until.map(Timestamp::rfc3339),
        }
    }
}

/// Keys that sign tokens, newest first
#[utoipa::path(get, path = "/signing-keys", tag = "signing keys", operation_id = "listSigningKeys",
    responses((status = 200, body = List<SigningKeyAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
) -> Result<Answer<List<SigningKeyAnswer>>, Problem> {
    caller.may(Permission::Administer)?;
    let (mut keys, now) = (inner.issuer.records(), inner.now());
    keys.sort_by_key(|key| Reverse(key.signs_from));
    let answers = keys.iter().map(|key| SigningKeyAnswer::new(key, &keys, now)).collect();
    Ok(Answer(List::whole(answers)))
}

/// Let another key take over
///
/// It is published at once and signs after ten minutes, or now if asked to. The key before it goes on verifying what it
/// signed, so no session ends.
#[utoipa::path(post, path = "/signing-keys", tag = "signing keys", operation_id = "rotateSigningKey",
    request_body = Rotation,
    responses((status = 201, body = SigningKeyAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn rotate(
    State(Control(inner)): State<Control>,
    caller: Caller,
    Json(input): Json<Rotation>,
) -> Result<Created<Answer<SigningKeyAnswer>>, Problem> {
    let actor = caller.may(Permission::Administer)?;
    let algorithm = match &input.algorithm {
        None => inner.settings.load().keys.algorithm,
        Some(name) => Algorithm::named(name).ok_or_else(|| {
            let detail = format!("Choose one of: {}.", Algorithm::ALL.map(Algorithm::name).join(", "));
            Problem::Validation(vec![FieldProblem::new("/algorithm", "unknown_algorithm", detail)])
        })?,
    };
    let key = inner.publish(&actor, algorithm, if input.at_once { 0 } else { PUBLISHED_AHEAD_MS }).await?;
    let answer = SigningKeyAnswer::new(&key, &inner.issuer.records(), inner.now());
    Ok(Created(format!("/api/v1/signing-keys/{}", key.kid), Answer(answer)))
}

/// Take a key away at once
///
/// For a key that has leaked: every token that it signed is refused from now on, and live sessions that were opened with
/// one are closed. Where it is the key that signs, a new one takes over in the same moment.
#[utoipa::path(delete, path = "/signing-keys/{kid}", tag = "signing keys", operation_id = "removeSigningKey",
    params(("kid" = String, Path)),
    responses((status = 204, description = "Removed"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn remove(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(kid): InPath<String>,
) -> Result<StatusCode, Problem> {
    let actor = caller.may(Permission::Administer)?;
    let successor = inner.fresh_key(inner.settings.load().keys.algorithm, 0).await?;
    inner.execute(&actor, Command::RemoveSigningKey { kid, successor: Some(successor) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Inner {
    /// A key that begins to sign so many milliseconds from now.
    async fn fresh_key(&self, algorithm: Algorithm, ahead_ms: i64) -> Result<SigningKeyRecord, Problem> {
        let now = self.now();
        // An RSA key takes a core for a while.
        let made = tokio::task::spawn_blocking(move || {
            new_key(KeyPurpose::AccessTokens, algorithm, now, now.plus_millis(ahead_ms))
        });
        let made = made.await.map_err(|_| Problem::Internal("making a signing key was interrupted"))?;
        made.map_err(|_| Problem::Internal("a signing key could not be made"))
    }

    async fn publish(
        &self,
        actor: &Actor,
        algorithm: Algorithm,
        ahead_ms: i64,
    ) -> Result<SigningKeyRecord, Problem> {
        let key = self.fresh_key(algorithm, ahead_ms).await?;
        self.execute(actor, Command::RotateSigningKey(key.clone())).await?;
        tracing::info!(kid = key.kid, algorithm = algorithm.name(), "a signing key is published");
        Ok(key)
    }

    async fn tend_keys(&self) -> Result<(), Problem> {
        let (keys, now, product) = (self.issuer.records(), self.now(), Actor::product());
        for key in keys.iter().filter(|key| standing(key, &keys, now).is_over(now)) {
            let command = Command::RemoveSigningKey { kid: key.kid.clone(), successor: None };
            self.execute(&product, command).await?;
            tracing::info!(kid = key.kid, "a signing key is over and removed");
        }
        let settings = self.settings.load().keys;
        let Some(days) = settings.rotate_after_days else { return Ok(()) };
        // The last in turn: while one waits for its turn, it is that one, and too young.
        let Some(youngest) = keys.iter().map(|key| key.signs_from).max() else { return Ok(()) };
        let due = youngest.plus_millis(i64::from(days.get()) * DAY_MILLIS - PUBLISHED_AHEAD_MS);
        if due <= now {
            self.publish(&product, settings.algorithm, PUBLISHED_AHEAD_MS).await?;
        }
        Ok(())
    }
}

impl Control {
    /// Looks after the signing keys once: publishes the next one when its time has come, and removes those that are over.
    /// Whoever runs the control plane calls it every minute or so; what it cannot do now it does at the next call.
    pub async fn tend_keys(&self) {
        if let Err(problem) = self.0.tend_keys().await {
            tracing::error!(?problem, "signing keys could not be looked after");
        }
    }
}
