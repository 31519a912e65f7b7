//! Rules of a certificate's fields.

use super::{FieldProblem, Problems, label};
use crate::{application::Certificate, time::Timestamp};

/// Everything of a certificate that can be wrong without a look at others.
pub fn certificate(certificate: &Certificate, now: Timestamp, problems: &mut Problems) {
    label("/name", &certificate.name, problems);
    let Certificate { begins_at, expires_at, .. } = *certificate;
    if expires_at <= begins_at {
        let detail = "This certificate ends before it begins, and is never valid. Make another.";
        problems.push(FieldProblem::new("/certificate", "malformed", detail));
    } else if expires_at <= now {
        let detail = format!("This certificate expired at {}. Make another.", expires_at.rfc3339());
        problems.push(FieldProblem::new("/certificate", "expired", detail));
    }
}
