//! Compression, checks and sizes of an API, as REST takes and gives them.

use serde::{Deserialize, Serialize};
use tidegate_model::{
    protocol::{Compression, Protocol},
    rule::FieldProblem,
};
use utoipa::ToSchema;

use crate::problem::Problem;

/// How the WebSocket protocol is treated; what is absent has its default.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProtocolInput)]
pub(crate) struct ProtocolInput {
    /// What becomes of permessage-deflate: `off`, `pass` (end to end, unread) or `terminate` (ends at the gateway).
    #[schema(example = "off")]
    compression: Option<String>,
    /// Frames must obey RFC 6455. Default true.
    frame_checks: Option<bool>,
    /// Text messages must be UTF-8. Default true.
    utf8_check: Option<bool>,
    /// Payload bytes of one message, 125 to 1,073,741,824.
    message_bytes_max: Option<u32>,
    /// Payload bytes of one frame, 125 to 1,073,741,824.
    frame_bytes_max: Option<u32>,
}

impl ProtocolInput {
    /// What is meant; bounds are the business's to check.
    pub(crate) fn meant(self) -> Result<Protocol, Problem> {
        let usual = Protocol::default();
        let compression = match self.compression.as_deref() {
            None => usual.compression,
            Some(word) => Compression::parse(word).ok_or_else(|| {
                let detail = "Choose off, pass or terminate.";
                Problem::Validation(vec![FieldProblem::new(
                    "/protocol/compression",
                    "unknown_compression",
                    detail,
                )])
            })?,
        };
        Ok(Protocol {
            compression,
            frame_checks: self.frame_checks.unwrap_or(usual.frame_checks),
            utf8_check: self.utf8_check.unwrap_or(usual.utf8_check),
            message_bytes_max: self.message_bytes_max.unwrap_or(usual.message_bytes_max),
            frame_bytes_max: self.frame_bytes_max.unwrap_or(usual.frame_bytes_max),
        })
    }
}

/// How the WebSocket protocol is treated.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Protocol)]
pub(crate) struct ProtocolAnswer {
    /// `off`, `pass` or `terminate`.
    compression: &'static str,
    frame_checks: bool,
    utf8_check: bool,
    message_bytes_max: u32,
    frame_bytes_max: u32,
}

impl From<Protocol> for ProtocolAnswer {
    fn from(protocol: Protocol) -> Self {
        Self {
            compression: protocol.compression.as_str(),
            frame_checks: protocol.frame_checks,
            utf8_check: protocol.utf8_check,
            message_bytes_max: protocol.message_bytes_max,
            frame_bytes_max: protocol.frame_bytes_max,
        }
    }
}
