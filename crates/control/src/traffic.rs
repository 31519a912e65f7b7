//! Traffic as answers: the same rows for an API's overview and an application's page, minutes without any filled in.

use serde::{Deserialize, Serialize};
use tidegate_model::{
    fact::{Counts, TrafficOf},
    time::{MINUTE_MILLIS, Timestamp},
};
use utoipa::{IntoParams, ToSchema};

use crate::{body::UpTo, problem::Problem, state::Inner};

/// Minutes shown when not asked for otherwise.
const MINUTES_DEFAULT: u32 = 60;
/// Most minutes in one answer: a day.
const MINUTES_MAX: u32 = 1_440;

/// How far back.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TrafficQuery {
    /// Minutes back from now, 1 to 1,440; 60 when not given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1440)]
    minutes: Option<UpTo<MINUTES_MAX>>,
}

/// Counts that add up.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Counts)]
pub(crate) struct CountsAnswer {
    /// Sessions opened.
    sessions: u64,
    /// Data messages from clients that were let through.
    messages_from_clients: u64,
    /// Data messages from backends that were let through.
    messages_from_backends: u64,
    /// Payload bytes of those from clients.
    bytes_from_clients: u64,
    /// Payload bytes of those from backends.
    bytes_from_backends: u64,
    /// Handshakes refused, sessions closed because a limit was reached or a client sent where it may not, and messages
    /// dropped where their side may not send.
    refusals: u64,
    /// Messages that were discarded because a limit was reached.
    dropped: u64,
    /// Messages that had to wait because a limit was reached.
    delayed: u64,
    /// Messages that passed beyond a limit that only counts.
    beyond: u64,
    /// Notices by which clients were told of messages that were discarded.
    notices: u64,
}

impl From<Counts> for CountsAnswer {
    fn from(counts: Counts) -> Self {
        Self {
            sessions: counts.sessions,
            messages_from_clients: counts.messages_from_clients,
            messages_from_backends: counts.messages_from_backends,
            bytes_from_clients: counts.bytes_from_clients,
            bytes_from_backends: counts.bytes_from_backends,
            refusals: counts.refusals,
            dropped: counts.dropped,
            delayed: counts.delayed,
            beyond: counts.beyond,
            notices: counts.notices,
        }
    }
}

/// Counts of one minute.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Minute)]
pub(crate) struct MinuteAnswer {
    /// Beginning of the minute, RFC 3339.
    at: String,
    #[serde(flatten)]
    counts: CountsAnswer,
}

/// Traffic of an API or an application.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Traffic)]
pub(crate) struct TrafficAnswer {
    /// Sessions open now, over all gateways.
    sessions_open: u64,
    /// Since creation.
    totals: CountsAnswer,
    /// Each minute asked for, oldest first.
    minutes: Vec<MinuteAnswer>,
    /// When this was read, RFC 3339.
    as_of: String,
}

pub(crate) async fn read(
    inner: &Inner,
    of: TrafficOf,
    query: &TrafficQuery,
) -> Result<TrafficAnswer, Problem> {
    let now = inner.now();
    let minutes = i64::from(query.minutes.map_or(MINUTES_DEFAULT, |minutes| minutes.0));
    let from = now.minute().plus_millis(-(minutes - 1) * MINUTE_MILLIS);
    let traffic = inner.ports.events.traffic(of, from).await?;
    let counted = |at: Timestamp| {
        let place = traffic.minutes.binary_search_by_key(&at, |(minute, _)| *minute);
        place.map(|place| traffic.minutes[place].1).unwrap_or_default()
    };
    let minutes = (0..minutes).map(|number| {
        let at = from.plus_millis(number * MINUTE_MILLIS);
        MinuteAnswer { at: at.rfc3339(), counts: counted(at).into() }
    });
    Ok(TrafficAnswer {
        sessions_open: inner.feed.open_sessions(of),
        totals: traffic.totals.into(),
        minutes: minutes.collect(),
        as_of: now.rfc3339(),
    })
}
