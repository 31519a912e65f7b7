//! What a change to alerts may do, as pure functions.

use super::{needs, no_problems, not_stale};
use crate::{
    alert::{
        AlertSettings,
        channel::{MailServer, MailSettings},
    },
    command::Refused,
    limit::Window,
    role::Permission,
    user::Actor,
};

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

/// Decides on the mail server; answers how it stands afterwards. An empty password stays as it was, unless it would go elsewhere.
///
/// # Errors
/// [`Refused`]: not an administrator, based on another state, fields that break rules.
pub fn change_mail(
    was: &MailSettings,
    based_on: Option<u64>,
    mut server: Option<MailServer>,
    actor: &Actor,
) -> Result<MailSettings, Refused> {
    needs(actor, Permission::Administer)?;
    not_stale(was.etag, based_on)?;
    if let (Some(is), Some(was)) = (&mut server, &was.server) {
        let is_same = (&is.host, is.port, &is.username) == (&was.host, was.port, &was.username);
        if is_same && is.password.0.is_empty() {
            is.password = was.password.clone();
        }
    }
    no_problems(server.as_ref().map(MailServer::problems).unwrap_or_default())?;
    Ok(MailSettings { server, etag: was.etag + 1 })
}
