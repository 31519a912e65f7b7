//! The issuer's signing keys: what new ones sign with, and when another takes over.
//!
//! It knows what is written; why the defaults are what they are, `tidegate_control` says.

use std::num::NonZeroU32;

use tidegate_control::{KeySettings, ROTATE_AFTER_DAYS, SIGNING_ALGORITHM};
use tidegate_oauth::jwk::Algorithm;

use super::{Problem, Problems, problem};

/// More than ten years is "never" with a number.
const DAYS_MAX: u32 = 3_650;

/// What was written.
#[derive(Debug, Clone, Default, clap::Args)]
#[expect(clippy::doc_markdown, reason = "the help is shown as it is written")]
pub(crate) struct RawKeys {
    /// What new signing keys sign tokens with: ES256, EdDSA or RS256 [default: ES256]
    #[arg(long, env = "TIDEGATE_SIGNING_ALGORITHM", value_name = "ALG")]
    pub(crate) signing_algorithm: Option<String>,
    /// Days after which another signing key takes over, or 0 for only when somebody says so [default: 90]
    #[arg(long, env = "TIDEGATE_ROTATE_KEYS", value_name = "DAYS")]
    pub(crate) rotate_keys: Option<String>,
}

impl RawKeys {
    /// What is meant; problems go to the others.
    pub(super) fn resolve(self, found: &mut Problems) -> Option<KeySettings> {
        let algorithm = found.keep(self.signing_algorithm.map_or(Ok(SIGNING_ALGORITHM), |it| algorithm(&it)));
        let days = found.keep(self.rotate_keys.map_or(Ok(Some(ROTATE_AFTER_DAYS)), |it| days(&it)));
        Some(KeySettings { algorithm: algorithm?, rotate_after_days: days? })
    }
}

fn algorithm(written: &str) -> Result<Algorithm, Problem> {
    let known = Algorithm::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(written.trim()));
    let names = Algorithm::ALL.map(Algorithm::name).join(", ");
    let detail = format!("“{written}” is none of {names}");
    known.ok_or_else(|| problem("--signing-algorithm", "TIDEGATE_SIGNING_ALGORITHM", detail))
}

fn days(written: &str) -> Result<Option<NonZeroU32>, Problem> {
    let days = written.trim().parse::<u32>().ok().filter(|&days| days <= DAYS_MAX);
    let detail = format!("“{written}” is not a number of days from 0 to {DAYS_MAX}");
    days.map(NonZeroU32::new).ok_or_else(|| problem("--rotate-keys", "TIDEGATE_ROTATE_KEYS", detail))
}
