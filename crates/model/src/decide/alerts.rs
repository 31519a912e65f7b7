//! What a change to alerts may do, as pure functions.

use super::{needs, no_problems, not_stale};
use crate::{alert::AlertSettings, command::Refused, limit::Window, role::Permission, user::Actor};

/// Decides on thresholds and windows; answers how they stand afterwards.
///
/// # Errors
/// [`Refused`]: not an administrator, based on another state, too many or out of bounds.
pub fn change_settings(
    was: &AlertSettings,
    (based_on, thresholds, windows): (Option<u64>, Vec<u8>, Vec<Window>),
    actor: &Actor,
) -> Result<AlertSettings, Refused> {
    needs(actor, Permission::Administer)?;
    not_stale(was.etag, based_on)?;
    let is = AlertSettings { thresholds, windows, etag: was.etag + 1 };
    no_problems(is.problems())?;
    Ok(is.tidied())
}
