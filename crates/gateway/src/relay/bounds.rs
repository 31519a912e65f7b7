//! What decides the limits of a session: its endpoint and its API's protocol settings.
//!
//! Sessions with the same bounds share one value of limits; a worker makes it once. It does not know sockets.

use tidegate_model::{
    admit::Grant,
    endpoint::{self, Endpoint},
    policy::Policy,
    protocol::{Compression, Protocol},
};
use tidegate_wire::{Limits, Micros};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Bounds {
    idle_ms: u32,
    ping_ms: u32,
    pong_ms: u32,
    lifetime_ms: u32,
    protocol: Protocol,
    passes_compressed: bool,
}

impl Bounds {
    pub(super) fn of(grant: &Grant, passes_compressed: bool) -> Self {
        // An endpoint that is gone from the API leaves its sessions with the default.
        let of = |value: fn(&Endpoint) -> u32, usual: endpoint::Bounds| {
            grant.endpoint().map_or(usual.default, value)
        };
        // Of what the API and the policies at all levels say, the least holds.
        let least = |usual: u32, of: fn(&Policy) -> Option<u32>| {
            grant.policies().filter_map(|policy| of(policy)).fold(usual, u32::min)
        };
        // Zero is for ever.
        let lifetime = match of(|it| it.lifetime_max_ms, endpoint::LIFETIME) {
            0 => grant.policies().filter_map(|policy| policy.lifetime_max_ms).min().unwrap_or(0),
            usual => least(usual, |policy| policy.lifetime_max_ms),
        };
        let protocol = grant.api.protocol;
        Self {
            idle_ms: least(of(|it| it.idle_timeout_ms, endpoint::IDLE_TIMEOUT), |policy| {
                policy.idle_timeout_ms
            }),
            ping_ms: of(|it| it.ping_interval_ms, endpoint::PING_INTERVAL),
            pong_ms: of(|it| it.pong_timeout_ms, endpoint::PONG_TIMEOUT),
            lifetime_ms: lifetime,
            protocol: Protocol {
                message_bytes_max: least(protocol.message_bytes_max, |policy| policy.message_bytes_max),
                ..protocol
            },
            passes_compressed,
        }
    }

    pub(super) fn limits(self) -> Limits {
        let unless_off = |millis: u32| (millis > 0).then(|| Micros::from_millis(millis.into()));
        Limits {
            idle: Some(Micros::from_millis(self.idle_ms.into())),
            ping_interval: unless_off(self.ping_ms),
            pong_timeout: Micros::from_millis(self.pong_ms.into()),
            lifetime: unless_off(self.lifetime_ms),
            message_bytes_max: self.protocol.message_bytes_max.into(),
            frame_bytes_max: self.protocol.frame_bytes_max.into(),
            // What packs and unpacks messages takes only lawful frames.
            frame_checks: self.protocol.frame_checks || self.protocol.compression == Compression::Terminate,
            utf8: self.protocol.utf8_check,
            deflate: self.passes_compressed,
            ..Limits::default()
        }
    }
}
