//! Commands about alerts.

use crate::{
    alert::channel::{Channel, MailServer, Tried},
    id::ChannelId,
    limit::Window,
};

/// Changes to when alerts are made, and how people are told.
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
    /// Makes a channel; who and when are the store's to say. Answers [`super::Outcome::AlertChannel`].
    CreateChannel(Box<Channel>),
    /// Deletes a channel, with what it was still to tell. Answers [`super::Outcome::Done`].
    DeleteChannel {
        /// Which.
        id: ChannelId,
    },
    /// Keeps how a try went. Answers [`super::Outcome::Done`], also where there is nothing to keep it with any more.
    KeepTry(Tried),
    /// Sets the mail server, or takes it away. Answers [`super::Outcome::Mail`].
    ChangeMail {
        /// The entity tag that the change is based on.
        based_on: Option<u64>,
        /// The server. An empty password stays as it was, where host, port and name do.
        server: Option<Box<MailServer>>,
    },
}
