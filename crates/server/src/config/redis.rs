//! The Redis in which gateways share budgets, and what becomes of these without it.

use std::sync::Arc;

use tidegate_model::lease::WhenAlone;
use tidegate_store::RedisBudgets;

use super::{Problem, Problems, problem};

/// What was written.
#[derive(Debug, Clone, Default, clap::Args)]
#[expect(clippy::doc_markdown, reason = "the help is shown as it is written")]
pub(crate) struct RawRedis {
    /// Redis in which gateways share budgets, such as redis://cache.example.com:6379/0; with a password in it, rather by the variable [default: none]
    #[arg(long, env = "TIDEGATE_REDIS", value_name = "URL", hide_env_values = true)]
    pub(crate) redis: Option<String>,
    /// What becomes of budgets without that Redis: share, each gateway goes on with its part, or closed, nothing passes beyond what was granted [default: share]
    #[arg(long, env = "TIDEGATE_REDIS_LOST", value_name = "WHAT")]
    pub(crate) redis_lost: Option<String>,
}

/// What is meant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redis {
    /// Where it is; `None`: budgets are this gateway's own.
    pub(crate) at: Option<Arc<RedisBudgets>>,
    /// What becomes of budgets without it. To go on is the default: an outage of Redis is not to become one of every API.
    pub(crate) when_alone: WhenAlone,
}

impl RawRedis {
    /// What is meant; problems go to the others. Neither shows the address, in which a password may be.
    pub(super) fn resolve(self, found: &mut Problems) -> Option<Redis> {
        let at = self.redis.as_deref().map(str::trim).filter(|url| !url.is_empty());
        let at = found.keep(at.map(redis).transpose());
        let when_alone = found.keep(when_alone(self.redis_lost.as_deref()));
        Some(Redis { at: at?, when_alone: when_alone? })
    }
}

fn redis(url: &str) -> Result<Arc<RedisBudgets>, Problem> {
    let at =
        RedisBudgets::at(url).map_err(|error| problem("--redis", "TIDEGATE_REDIS", error.to_string()))?;
    Ok(Arc::new(at))
}

fn when_alone(written: Option<&str>) -> Result<WhenAlone, Problem> {
    let Some(written) = written.map(str::trim) else { return Ok(WhenAlone::default()) };
    let known = [WhenAlone::Share, WhenAlone::Closed].into_iter().find(|known| known.as_str() == written);
    let detail = || format!("“{written}” is neither share nor closed");
    known.ok_or_else(|| problem("--redis-lost", "TIDEGATE_REDIS_LOST", detail()))
}
