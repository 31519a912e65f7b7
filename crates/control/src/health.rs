//! Liveness and readiness, for whoever watches the process: `/healthz`, `/readyz`.

use axum::{extract::State, http::StatusCode, response::IntoResponse};

use crate::state::Control;

/// The process answers.
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// The product can serve: records can be written and a gateway decides. Otherwise the reason, one line each.
pub(crate) async fn ready(State(Control(inner)): State<Control>) -> impl IntoResponse {
    let mut reasons = Vec::new();
    if let Err(error) = inner.ports.catalog.check().await {
        tracing::warn!(error = &error as &dyn std::error::Error, "the database is not ready");
        reasons.push("the database does not answer");
    }
    if inner.feed.ready_gateways() == 0 {
        reasons.push("no gateway is connected");
    }
    if reasons.is_empty() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", reasons.join("\n")))
    }
}
