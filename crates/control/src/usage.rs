//! What is used of plans and policies, as answers: what gateways counted, as it is in the store, by the arithmetic that they
//! count with. So the developer, the publisher and a script see one number.

use serde::Serialize;
use tidegate_model::{
    application::Subscription,
    holder::Holder,
    id::ApplicationId,
    policy::Policy,
    time::Timestamp,
    usage::{Quota, Usage, UsageOf},
};
use utoipa::ToSchema;

use crate::{policies::LimitAnswer, problem::Problem, state::Inner};

/// How a limit stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LimitUsage)]
pub(crate) struct LimitUsageAnswer {
    #[serde(flatten)]
    limit: LimitAnswer,
    /// How many units may be used at once when nothing was: the amount, or the burst of a sliding limit.
    most: u64,
    /// Units used: of this window, or not yet come back to a sliding limit. It may be more than `most`, by the last message of
    /// bytes or where the amount was made smaller. Null of a limit per second, which is over before it could be told.
    #[schema(required)]
    used: Option<u64>,
    /// Units that are left. Null of a limit per second.
    #[schema(required)]
    left: Option<u64>,
    /// When all of it is there again, RFC 3339: the end of the window, or when everything has come back to a sliding limit. Null
    /// where nothing was used of a sliding limit, and of a limit per second.
    #[schema(required)]
    renewed_at: Option<String>,
}

/// What is used of a plan or policy. It is at most a few seconds old.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Usage)]
pub(crate) struct UsageAnswer {
    /// Name of the plan or policy.
    policy: String,
    /// There is no limit on what passes.
    unlimited: bool,
    /// How each limit stands, in the order of the plan.
    limits: Vec<LimitUsageAnswer>,
    /// When this was read, RFC 3339.
    as_of: String,
}

impl From<Quota> for LimitUsageAnswer {
    fn from(quota: Quota) -> Self {
        Self {
            limit: LimitAnswer::from(&quota.limit),
            most: quota.most(),
            used: quota.used,
            left: quota.left(),
            renewed_at: quota.renewed_at.map(Timestamp::rfc3339),
        }
    }
}

fn answer(policy: &Policy, holder: &Holder, known: &[Usage], now: Timestamp) -> UsageAnswer {
    UsageAnswer {
        policy: policy.name.clone(),
        unlimited: policy.limits.is_empty(),
        limits: Quota::of(policy, holder, known, now).into_iter().map(LimitUsageAnswer::from).collect(),
        as_of: now.rfc3339(),
    }
}

const fn holder_of(subscription: &Subscription) -> Holder {
    let &Subscription { id, application, api, .. } = subscription;
    Holder::Subscription { id, application, api }
}

/// What is used of the plans of some subscriptions, read at once.
pub(crate) struct Usages {
    known: Vec<Usage>,
    now: Timestamp,
}

impl Usages {
    pub(crate) async fn of(inner: &Inner, subscriptions: &[Subscription]) -> Result<Self, Problem> {
        let holders: Vec<_> = subscriptions.iter().map(holder_of).collect();
        let now = inner.now();
        Ok(Self { known: inner.ports.events.usage(UsageOf::Holders(&holders), now).await?, now })
    }

    /// What is used under one of them; `None` where gateways do not know its plan.
    pub(crate) fn under(&self, inner: &Inner, subscription: &Subscription) -> Option<UsageAnswer> {
        let snapshot = inner.feed.snapshot();
        let plan = snapshot.plan(&subscription.plan)?;
        Some(answer(plan, &holder_of(subscription), &self.known, self.now))
    }
}

/// What an application has used of its policy, over all its subscriptions; `None` where gateways do not know the policy.
pub(crate) async fn of_application(
    inner: &Inner,
    id: ApplicationId,
    policy: &str,
) -> Result<Option<UsageAnswer>, Problem> {
    let (snapshot, holder, now) = (inner.feed.snapshot(), Holder::Application(id), inner.now());
    let Some(policy) = snapshot.application_policy(policy) else { return Ok(None) };
    let known = inner.ports.events.usage(UsageOf::Holders(std::slice::from_ref(&holder)), now).await?;
    Ok(Some(answer(policy, &holder, &known, now)))
}
