//! Where a session gets a fresh credential: `POST /.tidegate/sessions`, the API's own path behind it, and the id of the
//! session behind that; without an id all sessions of the person there.
//!
//! Whoever may ask learns of sessions of his own and of no others: one that is somebody else's, at another gateway, closed
//! or never was, is answered alike. Who may, `admit/sale.rs` says; what a credential is worth, `tidegate_model::renew`.

use serde_json::json;
use tidegate_model::{
    admit::{Refusal as NotAllowed, Unwelcome},
    id::SessionId,
    renew::NotRenewed,
};

use crate::{
    Inner, admit::NotAdmitted, answer::Answer, connection::Client, handshake::Request, refusal::Refusal,
    relay::Renewed,
};

/// The answer to who presents a fresh access token in `Authorization` for sessions at this path.
pub(crate) async fn renew(
    inner: &Inner,
    path: &str,
    request: &Request,
    client: Client,
) -> Result<Answer, NotAdmitted> {
    let (fresh, named) = inner.desk.fresh(path, request, client, inner).await?;
    let only = match named.trim_start_matches('/') {
        // A client that speaks for nobody may have a thousand devices.
        "" if fresh.marks.subject.is_none() => return Err(Refusal::SessionMissing.into()),
        "" => None,
        id => {
            let id = id.parse::<SessionId>().ok().filter(|id| id.boot == inner.boot);
            Some(id.ok_or(Refusal::UnknownSession)?)
        }
    };
    let Renewed { sessions, refused } = inner.workers.renew(&fresh, only).await;
    if sessions.is_empty() {
        return Err(refused.map_or(Refusal::UnknownSession, refusal).into());
    }
    let listed = |(id, expires_at): &(SessionId, _)| -> serde_json::Value {
        let expires_at: tidegate_model::time::Timestamp = *expires_at;
        json!({ "id": id.to_string(), "expires_at": expires_at.rfc3339() })
    };
    let body = json!({ "sessions": sessions.iter().map(listed).collect::<Vec<_>>() }).to_string();
    let content_type = "application/json";
    Ok(Answer { status: 200, headers: Vec::new(), content_type, body, is_head_only: false })
}

/// Why a session that is the client's own is left as it is.
fn refusal(why: NotRenewed) -> Refusal {
    match why {
        NotRenewed::NotTheirs => Refusal::UnknownSession,
        NotRenewed::Worse(_) => Refusal::Worse,
        NotRenewed::Unwelcome(unwelcome) => match unwelcome {
            Unwelcome::Expired => Refusal::Worse,
            Unwelcome::Revoked | Unwelcome::SigningKeyRemoved => Refusal::Revoked,
            Unwelcome::KeyRevoked => NotAllowed::UnknownClient.into(),
            Unwelcome::SubscriptionEnded => NotAllowed::NoSubscription.into(),
            Unwelcome::ApiBlocked => NotAllowed::Blocked.into(),
            Unwelcome::ApiRetired => NotAllowed::Retired.into(),
            Unwelcome::IssuerNotAccepted => NotAllowed::IssuerNotAccepted.into(),
            Unwelcome::TopicGone => NotAllowed::UnknownTopic.into(),
            Unwelcome::ScopeMissing => NotAllowed::ScopeMissing.into(),
            Unwelcome::Denied => NotAllowed::Denied.into(),
            // It ends at this moment.
            Unwelcome::NotAccepted => Refusal::UnknownSession,
        },
    }
}
