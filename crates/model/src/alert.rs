//! Alerts: somebody has used a part of a calendar limit that is worth telling, and is told once in its window.
//!
//! Gateways tell what was used of budgets with their facts; what a limit of a snapshot says of it is found here, and the
//! store makes the alert in the transaction that adds what was used. So repeats, restarts and several gateways make no
//! second one. It does not know how anybody is told.

pub mod channel;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    holder::{BudgetKey, Holder},
    id::{AlertId, ApiId, ApplicationId, UserId},
    limit::{Limit, Window},
    meter::Level,
    policy::Policy,
    rule::FieldProblem,
    snapshot::{ApiFacts, ApplicationFacts, Snapshot},
    time::{DAY_MILLIS, Timestamp},
    usage::Usage,
};

/// At which parts of a limit, in percent, alerts are made when nobody says otherwise: while there is time to do something, and
/// when there is nothing left.
pub const THRESHOLDS: [u8; 2] = [80, 100];
/// Most thresholds: each is a message to people, and whoever gets five of one window reads none.
pub const THRESHOLDS_MAX: usize = 5;
/// The smallest threshold, in percent. Below it every window begins with an alert.
pub const THRESHOLD_MIN: u8 = 1;
/// The largest: what is beyond a limit is refused, or counted under a policy that refuses nothing, and 100 said it.
pub const THRESHOLD_MAX: u8 = 100;

/// Of limits over which windows alerts are made when nobody says otherwise. A minute is over before a person has read that it
/// is used up.
pub const WINDOWS: [Window; 3] = [Window::Hour, Window::Day, Window::Month];
/// Which may be chosen. What is used in a second is not told by gateways.
pub const WINDOWS_TO_CHOOSE: [Window; 4] = [Window::Minute, Window::Hour, Window::Day, Window::Month];

/// How long an alert is kept, in milliseconds: so long that the one of a month is there until that month is over.
pub const KEPT_MILLIS: i64 = 31 * DAY_MILLIS;
/// Alerts that are kept; the oldest go first. One is about 700 bytes, so this is 35 MB. That one is not made twice does not
/// depend on it.
pub const ALERTS_MAX: u64 = 50_000;

/// When alerts are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertSettings {
    /// In percent of a limit, the smallest first; none: no alerts.
    pub thresholds: Vec<u8>,
    /// Of limits over these windows, the shortest first.
    pub windows: Vec<Window>,
    /// Grows with every change.
    pub etag: u64,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self { thresholds: THRESHOLDS.to_vec(), windows: WINDOWS.to_vec(), etag: 1 }
    }
}

impl AlertSettings {
    /// In order, each once.
    #[must_use]
    pub fn tidied(mut self) -> Self {
        self.thresholds.sort_unstable();
        self.thresholds.dedup();
        self.windows = Window::ALL.into_iter().filter(|window| self.windows.contains(window)).collect();
        self
    }

    /// What breaks a rule.
    pub fn problems(&self) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        if self.thresholds.len() > THRESHOLDS_MAX {
            let detail = format!("Choose at most {THRESHOLDS_MAX} thresholds.");
            problems.push(FieldProblem::new("/thresholds", "too_many", detail));
        }
        for (place, threshold) in self.thresholds.iter().enumerate() {
            if !(THRESHOLD_MIN..=THRESHOLD_MAX).contains(threshold) {
                let detail = format!("A threshold is {THRESHOLD_MIN} to {THRESHOLD_MAX} percent.");
                problems.push(FieldProblem::new(format!("/thresholds/{place}"), "out_of_range", detail));
            }
        }
        for (place, window) in self.windows.iter().enumerate() {
            if !WINDOWS_TO_CHOOSE.contains(window) {
                let detail =
                    "Choose from minute, hour, day and month: a second is over before it could be told.";
                problems.push(FieldProblem::new(format!("/windows/{place}"), "unknown_window", detail));
            }
        }
        problems
    }

    /// Which thresholds were reached where so much of an amount was used, and an alert was made up to `alerted` percent already.
    /// Of a limit that lets nothing pass, none.
    pub fn reached(&self, used: u64, amount: u64, alerted: u8) -> impl Iterator<Item = u8> {
        let is_reached = move |threshold: &u8| {
            amount > 0
                && *threshold > alerted
                && u128::from(used) * 100 >= u128::from(amount) * u128::from(*threshold)
        };
        self.thresholds.iter().copied().filter(is_reached)
    }
}

/// A limit that something was used of, and what an alert has to say of it.
#[derive(Debug, Clone)]
pub struct Watched {
    /// Of which budget.
    pub key: BudgetKey,
    /// The limit that is held.
    pub limit: Limit,
    /// Whose it is.
    pub policy: Arc<Policy>,
    /// The application that is held to it, where one is.
    pub application: Option<Arc<ApplicationFacts>>,
    /// The API, where it is about one.
    pub api: Option<Arc<ApiFacts>>,
}

/// The limits that something was used of, as a gateway told it.
///
/// What slides has no window that could be counted once in: it comes back by itself, all the time. Of who comes without a
/// credential nobody is to be told, and of keys of custom rules there may be as many as clients like. Who is not there any more needs no telling, either.
pub fn watched(snapshot: &Snapshot, told: &[Usage]) -> Vec<Watched> {
    told.iter().filter_map(|usage| watch(snapshot, &usage.key)).collect()
}

fn watch(snapshot: &Snapshot, key: &BudgetKey) -> Option<Watched> {
    if key.shape.slides() || key.shape.per() == Window::Second {
        return None;
    }
    let mut limits = None;
    let (policy, application, api) = match &key.holder {
        Holder::Api(api) => {
            let api = snapshot.api(*api)?;
            (snapshot.api_policy(api.api_policy.as_deref()?)?, None, Some(api))
        }
        Holder::Topic { api, path } => {
            let api = snapshot.api(*api)?;
            let topic = api.topics.declared.iter().find(|topic| *topic.path == **path)?;
            (snapshot.api_policy(topic.api_policy.as_deref()?)?, None, Some(api))
        }
        Holder::Group { api, .. } => {
            let (policy, group) = key.holder.group(snapshot)?;
            limits = Some(&group.limits);
            (policy, None, snapshot.api(*api))
        }
        Holder::Application(id) => {
            let application = snapshot.application(*id)?;
            (snapshot.application_policy(&application.policy)?, Some(application), None)
        }
        Holder::Subscription { id, application, api } => {
            let subscription = snapshot.subscription(*application, *api).filter(|one| one.id == *id)?;
            let plan = snapshot.plan(&subscription.plan)?;
            (plan, snapshot.application(*application), snapshot.api(*api))
        }
        Holder::Address { .. } | Holder::Rule { .. } => return None,
    };
    let limit = *limits.unwrap_or(&policy.limits).iter().find(|limit| limit.shape() == key.shape)?;
    Some(Watched {
        key: key.clone(),
        limit,
        policy: Arc::clone(policy),
        application: application.map(Arc::clone),
        api: api.map(Arc::clone),
    })
}

/// What is to be looked at when a batch is added.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// Limits of budgets that the batch tells of; what is not here makes no alert.
    pub limits: Vec<Watched>,
    /// Now.
    pub now: Timestamp,
}

/// An application in an alert, by its name at that time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertedApplication {
    /// Which.
    pub id: ApplicationId,
    /// Its name.
    pub name: String,
}

/// An API in an alert, by its name at that time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertedApi {
    /// Which.
    pub id: ApiId,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A part of a limit was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Identifier.
    pub id: AlertId,
    /// When it was made.
    pub at: Timestamp,
    /// Whose budget, and which.
    pub key: BudgetKey,
    /// Number of the calendar window, see [`Window::number`].
    pub window: u64,
    /// In percent of the limit.
    pub threshold: u8,
    /// Units used by then.
    pub used: u64,
    /// The limit at that time.
    pub limit: Limit,
    /// Name of the plan or policy.
    pub policy: String,
    /// The application that is held to it, where one is.
    pub application: Option<AlertedApplication>,
    /// The API, where it is about one.
    pub api: Option<AlertedApi>,
}

impl Alert {
    /// At which level the policy is held.
    pub const fn level(&self) -> Level {
        self.key.holder.level()
    }

    /// The topic that is held to it, where one is.
    pub fn topic(&self) -> Option<&str> {
        match &self.key.holder {
            Holder::Topic { path, .. } | Holder::Group { path: Some(path), .. } => Some(path),
            _ => None,
        }
    }

    /// When all of the limit is there again.
    pub fn renewed_at(&self) -> Timestamp {
        self.limit.per.begin(self.window.saturating_add(1))
    }
}

impl Watched {
    /// The alert that so much was used in this window.
    pub fn alert(&self, id: AlertId, at: Timestamp, window: u64, threshold: u8, used: u64) -> Alert {
        Alert {
            id,
            at,
            key: self.key.clone(),
            window,
            threshold,
            used,
            limit: self.limit,
            policy: self.policy.name.clone(),
            application: self
                .application
                .as_ref()
                .map(|application| AlertedApplication { id: application.id, name: application.name.clone() }),
            api: self.api.as_ref().map(|api| AlertedApi {
                id: api.id,
                name: api.name.clone(),
                version: api.version.clone(),
            }),
        }
    }
}

/// Whose alerts somebody may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertsOf {
    /// All.
    Everyone,
    /// Those of one's own applications and their subscriptions, and, where `of_apis` says so, all that are about an API.
    Person {
        /// Who.
        owner: UserId,
        /// APIs are theirs to see.
        of_apis: bool,
    },
}

/// Which alerts are asked for; all conditions hold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertQuery {
    /// Whose.
    pub of: AlertsOf,
    /// About this application or its subscriptions.
    pub application: Option<ApplicationId>,
    /// About this API, its topics or its subscriptions.
    pub api: Option<ApiId>,
}

#[cfg(test)]
mod tests;
