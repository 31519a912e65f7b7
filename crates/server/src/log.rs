//! Logs: one line per event on stderr, for people on a terminal and JSON for machines elsewhere.
//!
//! `TIDEGATE_LOG` chooses what is seen (`info`, `tidegate_gateway=debug,info`, …). A panic is logged as an event.

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Chooses what is logged.
pub(crate) const VARIABLE: &str = "TIDEGATE_LOG";

/// Starts logging. `quiet` is for commands whose output a person reads, where only warnings are wanted.
pub(crate) fn start(quiet: bool) {
    let usual = if quiet { "warn" } else { "info" };
    let wanted = std::env::var(VARIABLE).unwrap_or_default();
    let wanted = if wanted.trim().is_empty() { usual.to_owned() } else { wanted };
    let (filter, bad) = match EnvFilter::try_new(&wanted) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(usual), Some(error)),
    };
    let registry = tracing_subscriber::registry().with(filter);
    if std::io::stderr().is_terminal() {
        registry.with(fmt::layer().with_writer(std::io::stderr)).init();
    } else {
        registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).init();
    }
    if let Some(error) = bad {
        tracing::warn!(%error, "{VARIABLE} is not understood; logging at {usual}");
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, message = panic_text(panic), "a part of the product panicked");
    }));
}

fn panic_text<'p>(panic: &'p std::panic::PanicHookInfo<'_>) -> &'p str {
    panic.payload_as_str().unwrap_or("(no text)")
}
