//! The trace that a session belongs to (W3C Trace Context): the client's goes on, with the gateway as the caller of
//! the backend; without one, or with one that is not valid, the gateway begins its own.
//!
//! The gateway records no spans; the id of the trace is in its log lines.

use std::fmt;

use tidegate_model::port::Entropy;

use crate::handshake::Request;

/// Length of a `traceparent` of version 00, and the least of later ones.
const LEN: usize = 55;
/// "Sampled", set where a trace begins here: most backends record only what their caller says it records, so without it
/// a gateway in front of them would end their tracing.
const SAMPLED: u8 = 0x01;
/// The flags that are known: "sampled", and "the id of the trace is random". Others are not passed on.
const KNOWN_FLAGS: u8 = 0x03;

/// See the module. Writes itself as `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trace {
    id: u128,
    parent: u64,
    flags: u8,
    continues: bool,
}

/// The id of a trace, as logs show it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TraceId(u128);

impl Trace {
    /// The trace that goes on with this request, or begins with it.
    pub(crate) fn of(request: &Request, entropy: &dyn Entropy) -> Self {
        let mut random = [0; 24];
        entropy.fill(&mut random);
        let (id, parent) = random.split_at(16);
        // Zero stands for no id.
        let id = u128::from_be_bytes(id.try_into().expect("16 of 24 bytes")).max(1);
        let parent = u64::from_be_bytes(parent.try_into().expect("8 of 24 bytes")).max(1);
        let mut said = request.headers.iter().filter(|(name, _)| name == "traceparent");
        let only = said.next().filter(|_| said.next().is_none());
        match only.and_then(|(_, value)| read(value)) {
            Some((id, flags)) => Self { id, parent, flags: flags & KNOWN_FLAGS, continues: true },
            None => Self { id, parent, flags: SAMPLED, continues: false },
        }
    }

    pub(crate) const fn id(self) -> TraceId {
        TraceId(self.id)
    }

    /// It is the client's, and so its `tracestate` belongs to it.
    pub(crate) const fn continues(self) -> bool {
        self.continues
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.id, self.parent, self.flags)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Id and flags of a valid `traceparent` (section 3.2): lower-case hexadecimal fields of fixed lengths, no id zero.
fn read(value: &[u8]) -> Option<(u128, u8)> {
    let (known, more) = value.trim_ascii().split_at_checked(LEN)?;
    let mut fields = std::str::from_utf8(known).ok()?.split('-');
    let mut field = |len: usize| {
        let is_hex = |field: &&str| field.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        fields.next().filter(|field| field.len() == len).filter(is_hex)
    };
    let (version, id, parent, flags) = (field(2)?, field(32)?, field(16)?, field(2)?);
    // Later versions may say more behind a hyphen; 00 says nothing more, and ff is none.
    let is_whole = more.is_empty() || (version != "00" && more[0] == b'-');
    if version == "ff" || !is_whole {
        return None;
    }
    let id = u128::from_str_radix(id, 16).ok().filter(|id| *id != 0)?;
    u64::from_str_radix(parent, 16).ok().filter(|parent| *parent != 0)?;
    Some((id, u8::from_str_radix(flags, 16).ok()?))
}

#[cfg(test)]
mod tests;
