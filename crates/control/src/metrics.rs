//! Figures for Prometheus, for administrators' programs: `/metrics`. They are what gateways told last; their labels are
//! gateways, of which there are few.

use std::sync::atomic::AtomicU64;

use axum::{extract::State, http::header, response::IntoResponse};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use tidegate_model::{
    role::Permission,
    sharing::{Sharing, Together},
};

use crate::{
    authenticate::Caller,
    feed::Listed,
    problem::{Problem, ProblemDocument},
    state::Control,
};

/// The media type of the text, of the specification `OpenMetrics`, version 1.0.
const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    gateway: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InState {
    gateway: String,
    state: &'static str,
}

/// All figures as text.
fn text(gateways: &[Listed]) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix("tidegate");
    let (ready, sessions) = (Family::<Of, Gauge>::default(), Family::<Of, Gauge>::default());
    registry.register("gateway_ready", "Whether a gateway admits clients", ready.clone());
    registry.register("gateway_sessions", "Sessions open at a gateway", sessions.clone());
    let state = Family::<InState, Gauge>::default();
    let about = "Whether a gateway holds limits together with the others: one of its states is 1";
    registry.register("limits_shared", about, state.clone());
    let together = Family::<Of, Gauge>::default();
    registry.register(
        "limits_gateways",
        "Gateways that hold limits together, as one knows",
        together.clone(),
    );
    let trip = Family::<Of, Gauge<f64, AtomicU64>>::default();
    let about = "How long the last answer of Redis took";
    registry.register_with_unit("limits_round_trip", about, Unit::Seconds, trip.clone());
    let unanswered = Family::<Of, Counter>::default();
    let about = "Questions to Redis without an answer, since the gateway began";
    registry.register("limits_unanswered", about, unanswered.clone());
    for listed in gateways {
        let of = Of { gateway: listed.boot.0.to_string() };
        ready.get_or_create(&of).set(i64::from(listed.is_ready));
        sessions.get_or_create(&of).set(i64::try_from(listed.sessions_open).unwrap_or(i64::MAX));
        let Some(sharing) = listed.sharing else { continue };
        let Sharing { gateways, round_trip_micros, unanswered: lost, .. } = sharing;
        for known in [Together::Together, Together::Settling, Together::Alone] {
            let of = InState { gateway: of.gateway.clone(), state: known.as_str() };
            state.get_or_create(&of).set(i64::from(known == sharing.together));
        }
        together.get_or_create(&of).set(gateways.into());
        if let Some(micros) = round_trip_micros {
            trip.get_or_create(&of).set(f64::from(micros) / 1e6);
        }
        unanswered.get_or_create(&of).inc_by(lost);
    }
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

/// Figures for Prometheus
///
/// What gateways told last, in the text format of `OpenMetrics`.
#[utoipa::path(get, path = "/metrics", tag = "gateways", operation_id = "getMetrics",
    responses((status = 200, body = String, content_type = "application/openmetrics-text"),
        (status = "default", body = ProblemDocument)))]
pub(crate) async fn get(
    State(Control(inner)): State<Control>,
    caller: Caller,
) -> Result<impl IntoResponse, Problem> {
    caller.may(Permission::Administer)?;
    let text = text(&inner.feed.connected()).map_err(|_| Problem::Internal("figures cannot be written"))?;
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], text))
}
