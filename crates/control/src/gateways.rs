//! The gateways that are connected, for administrators: `/gateways`. What they tell of how they share budgets is kept by the
//! feed.

use axum::extract::State;
use serde::Serialize;
use tidegate_model::{role::Permission, sharing::Sharing, time::Timestamp};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    authenticate::Caller,
    body::Answer,
    feed::Listed,
    list::List,
    problem::{Problem, ProblemDocument},
    state::Control,
};

/// How a gateway shares budgets with others.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sharing)]
pub(crate) struct SharingAnswer {
    /// `together`: it decides with all others. `settling`: what they have in common was lost, and each goes on by itself until
    /// all have told what they hold. `alone`: Redis does not answer.
    state: &'static str,
    /// Since when, RFC 3339.
    since: String,
    /// How many gateways there were last, this one included.
    gateways: u32,
    /// What it does while it is not together with others: `share` (it goes on with its part of what was left) or `closed`
    /// (nothing begins beyond what it was granted).
    when_alone: &'static str,
    /// How long the last answer of Redis took, in microseconds. Null: there was none yet.
    #[schema(required)]
    round_trip_us: Option<u32>,
    /// Questions since its start to which no answer came in time, or an error.
    unanswered: u64,
}

impl From<Sharing> for SharingAnswer {
    fn from(sharing: Sharing) -> Self {
        Self {
            state: sharing.together.as_str(),
            since: sharing.since.rfc3339(),
            gateways: sharing.gateways,
            when_alone: sharing.when_alone.as_str(),
            round_trip_us: sharing.round_trip_micros,
            unanswered: sharing.unanswered,
        }
    }
}

/// A gateway that is connected.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Gateway)]
pub(crate) struct GatewayAnswer {
    /// Of this run of it; the ids of its sessions begin with it.
    id: Uuid,
    /// Since when, RFC 3339.
    connected_at: String,
    /// It decides: clients are admitted.
    ready: bool,
    /// Sessions open now.
    sessions_open: u64,
    /// How it shares budgets with other gateways. Null: with nobody, or it has not said so yet.
    #[schema(required)]
    sharing: Option<SharingAnswer>,
}

impl From<Listed> for GatewayAnswer {
    fn from(gateway: Listed) -> Self {
        Self {
            id: gateway.boot.0,
            connected_at: Timestamp::rfc3339(gateway.connected_at),
            ready: gateway.is_ready,
            sessions_open: gateway.sessions_open,
            sharing: gateway.sharing.map(SharingAnswer::from),
        }
    }
}

/// The gateways that are connected
#[utoipa::path(get, path = "/gateways", tag = "gateways", operation_id = "listGateways",
    responses((status = 200, body = List<GatewayAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
) -> Result<Answer<List<GatewayAnswer>>, Problem> {
    caller.may(Permission::Administer)?;
    Ok(Answer(List::whole(inner.feed.connected().into_iter().map(GatewayAnswer::from).collect())))
}
