//! The outbox of alerts at work: what is due goes out by its channel (a webhook, signed as Standard Webhooks has it, or a
//! mail), and how it went is written down.
//!
//! A channel tells one alert at a time, and one that does not get through holds up no other. What was taken and not written
//! down before the process ended comes again under the same id. It knows no socket; requests go over a port that obeys the
//! gateway's own rules for addresses. Read next: `mail.rs`.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use tidegate_model::{
    alert::{
        Alert,
        channel::{Channel, Target, Tried},
    },
    command::{AlertCommand, Command},
    id::ChannelId,
    port::{NoDocument, Post},
    time::Timestamp,
    user::{Actor, Secret},
};
use tokio::{sync::Notify, task::JoinSet};

use crate::{
    alerts::AlertAnswer,
    mail,
    state::{Control, Inner},
};

/// Channels that tell at the same time. Each is a connection for some seconds at most; whoever is not among them waits for the
/// next that ends.
const TOGETHER_MAX: u64 = 64;
/// How often is looked what is due again. What is new is said at once.
const BEAT: Duration = Duration::from_secs(1);
/// How a secret begins, as Standard Webhooks has it.
const SECRET_HEAD: &str = "whsec_";
/// Random bytes of a secret: as many as the hash has that is made with it.
const SECRET_BYTES: usize = 32;

/// Which channels are telling, in memory: with the process, that ends as well.
#[derive(Debug, Default)]
pub(crate) struct Telling {
    busy: Mutex<HashSet<ChannelId>>,
    woken: Notify,
}

impl Telling {
    fn busy(&self) -> MutexGuard<'_, HashSet<ChannelId>> {
        // Never held across an await.
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something may be due.
    pub(crate) fn wake(&self) {
        self.woken.notify_one();
    }
}

impl Control {
    /// Tells what is due, for as long as it is polled. Dropping it ends what is under way; it is told again.
    pub async fn deliver_alerts(&self) {
        let mut under_way = JoinSet::new();
        loop {
            self.begin_due(&mut under_way).await;
            // Whatever ends the wait, all is looked at anew; none of them loses anything when dropped.
            tokio::select! {
                Some(_) = under_way.join_next() => {}
                () = self.0.telling.woken.notified() => {}
                () = tokio::time::sleep(BEAT) => {}
            }
        }
    }

    /// Tells what is due now, and ends when nothing is.
    pub async fn deliver_due(&self) {
        let mut under_way = JoinSet::new();
        loop {
            self.begin_due(&mut under_way).await;
            if under_way.join_next().await.is_none() {
                return;
            }
        }
    }

    /// Begins on each channel on which something is due and nothing is under way.
    async fn begin_due(&self, under_way: &mut JoinSet<()>) {
        let due = match self.0.ports.outbox.due_channels(self.0.now(), TOGETHER_MAX).await {
            Ok(due) => due,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                return tracing::error!(error, "what is to be told of alerts cannot be read");
            }
        };
        for id in due {
            let free = TOGETHER_MAX.saturating_sub(u64::try_from(under_way.len()).unwrap_or(u64::MAX));
            if free > 0 && self.0.telling.busy().insert(id) {
                let inner = Arc::clone(&self.0);
                under_way.spawn(async move {
                    let _busy = Busy { inner: &inner, id };
                    deliver(&inner, id).await;
                });
            }
        }
    }
}

/// Ends the mark on every way out, also where the task is dropped.
struct Busy<'i> {
    inner: &'i Inner,
    id: ChannelId,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.inner.telling.busy().remove(&self.id);
    }
}

/// Tells on this channel what is due there first.
async fn deliver(inner: &Inner, id: ChannelId) {
    let due = match inner.ports.outbox.due(id, inner.now()).await {
        Ok(Some(due)) => due,
        Ok(None) => return,
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                channel = %id,
                "what a channel is to tell cannot be read"
            );
            return tokio::time::sleep(BEAT).await;
        }
    };
    let (alert, kind) = (due.alert.id, due.channel.target.kind());
    let problem = tell(inner, &due.channel, &About::Alert(&due.alert)).await.err();
    if let Some(problem) = &problem {
        tracing::warn!(channel = %id, kind, %alert, problem, "an alert was not taken");
    }
    let command = Command::Alert(AlertCommand::KeepTry(Tried { channel: id, alert, problem }));
    if inner.execute(&Actor::product(), command).await.is_err() {
        tracing::error!(channel = %id, kind, %alert, "how an alert was taken could not be written down");
        tokio::time::sleep(BEAT).await;
    }
}

/// What a channel tells.
pub(crate) enum About<'a> {
    /// An alert.
    Alert(&'a Alert),
    /// Nothing: somebody wants to see whether it gets through. It has a name nevertheless.
    Test(String),
}

/// Tells this on a channel; the error says in words why it was not taken.
async fn tell(inner: &Inner, channel: &Channel, about: &About<'_>) -> Result<(), String> {
    match &channel.target {
        Target::Webhook { url, secret } => post(inner, (url, secret), about).await,
        Target::Email { addresses } => mail::send_about(inner, addresses, about).await,
    }
}

/// Tells a test on a channel, where nothing else is under way; `None` where something is.
pub(crate) async fn test(inner: &Inner, channel: &Channel, name: String) -> Option<Result<(), String>> {
    if !inner.telling.busy().insert(channel.id) {
        return None;
    }
    let _busy = Busy { inner, id: channel.id };
    Some(tell(inner, channel, &About::Test(name)).await)
}

async fn post(inner: &Inner, (url, secret): (&str, &Secret), about: &About<'_>) -> Result<(), String> {
    let now = inner.now();
    let (id, body) = match about {
        About::Alert(alert) => {
            let data = AlertAnswer::from((*alert).clone());
            (alert.id.to_string(), json!({"type": "alert", "timestamp": alert.at.rfc3339(), "data": data}))
        }
        About::Test(name) => (name.clone(), json!({"type": "test", "timestamp": now.rfc3339(), "data": {}})),
    };
    let body = body.to_string();
    let signature = signature(secret, &id, now, &body)
        .ok_or_else(|| "the secret of the webhook cannot be read; make the webhook anew".to_owned())?;
    let seconds = seconds(now).to_string();
    let headers = [
        ("content-type", "application/json"),
        ("user-agent", "Tidegate"),
        ("webhook-id", &*id),
        ("webhook-timestamp", &*seconds),
        ("webhook-signature", &*signature),
    ];
    let told = Post { url, headers: &headers, body: &body };
    inner.ports.messenger.post(&told).await.map_err(|error| match error {
        NoDocument::Refused { status } => format!("the answer was {status} instead of 2xx"),
        error => error.to_string(),
    })
}

const fn seconds(at: Timestamp) -> i64 {
    at.millis().div_euclid(1_000)
}

/// `v1,` and the base64 of HMAC-SHA256 over id, time and body.
fn signature(secret: &Secret, id: &str, at: Timestamp, body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.0.strip_prefix(SECRET_HEAD)?).ok()?;
    let signed = format!("{id}.{}.{body}", seconds(at));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), signed.as_bytes());
    Some(format!("v1,{}", STANDARD.encode(tag)))
}

/// A new secret.
pub(crate) fn new_secret(inner: &Inner) -> Secret {
    let mut bytes = [0; SECRET_BYTES];
    inner.ports.entropy.fill(&mut bytes);
    Secret(format!("{SECRET_HEAD}{}", STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn a_request_is_signed_as_standard_webhooks_says() {
        let secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let signed = signature(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            Timestamp(1_614_265_330_000),
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(signature(&Secret("something else".to_owned()), "", Timestamp(0), ""), None);
    }
}
