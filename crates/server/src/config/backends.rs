//! Which addresses of backends a gateway may dial, beside what it never dials by itself.
//!
//! It knows what is written and not who dials.

use tidegate_model::network::Networks;

use super::{Problems, problem};

/// What was written.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct RawBackends {
    /// The only addresses and networks, with commas between, where backends and their token URLs may be [default: all but link-local and metadata addresses]
    #[arg(long, env = "TIDEGATE_BACKEND_ALLOW", value_name = "LIST")]
    pub(crate) backend_allow: Option<String>,
    /// Addresses and networks, with commas between, that are never dialled, whatever is allowed [default: none]
    #[arg(long, env = "TIDEGATE_BACKEND_DENY", value_name = "LIST")]
    pub(crate) backend_deny: Option<String>,
}

/// What is meant. Both are empty by default: backends live on private networks more often than not, and which of
/// those are nobody's business only the operator knows.
#[derive(Debug, Clone)]
pub(crate) struct Backends {
    /// Where backends may be; empty: everywhere that is not refused.
    pub(crate) allow: Networks,
    /// Where they may not be.
    pub(crate) deny: Networks,
}

impl RawBackends {
    /// What is meant; problems go to the others.
    pub(super) fn resolve(self, found: &mut Problems) -> Option<Backends> {
        let mut read = |flag, variable, written: Option<String>| {
            let networks = Networks::parse(&written.unwrap_or_default());
            found.keep(networks.map_err(|error| problem(flag, variable, error.to_string())))
        };
        let allow = read("--backend-allow", "TIDEGATE_BACKEND_ALLOW", self.backend_allow);
        let deny = read("--backend-deny", "TIDEGATE_BACKEND_DENY", self.backend_deny);
        Some(Backends { allow: allow?, deny: deny? })
    }
}
