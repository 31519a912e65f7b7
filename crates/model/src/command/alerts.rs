//! Commands about alerts.

use crate::limit::Window;

/// Changes to when alerts are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertCommand {
    /// Sets thresholds and windows. Answers [`super::Outcome::AlertSettings`].
    ChangeSettings {
        /// The entity tag that the change is based on.
        based_on: Option<u64>,
        /// In percent, in any order.
        thresholds: Vec<u8>,
        /// Of limits over these windows, in any order.
        windows: Vec<Window>,
    },
}
