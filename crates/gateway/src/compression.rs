//! What an API's compression makes of a client's offers and a backend's answer (RFC 7692).
//!
//! `off`: nobody is offered it. `pass`: the two agree with each other and the relay lets compressed messages pass.
//! `terminate`: each leg agrees with the gateway, or not, and gets its own coder. It does not know sockets.

use tidegate_model::protocol::Compression;
use tidegate_wire::deflate::{self, Agreed, OFFER_TO_BACKEND, Offer, WINDOW_BITS};

use crate::relay::Coder;

/// What was settled when the backend has answered.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// What the client is told.
    pub(crate) client: Option<Agreed>,
    /// Compressed messages pass the relay.
    pub(crate) passes: bool,
    /// For the client's leg and the backend's.
    pub(crate) coders: [Option<Coder>; 2],
}

/// What the backend is offered.
pub(crate) fn offers(compression: Compression, client: &[Offer]) -> Vec<Offer> {
    match compression {
        Compression::Off => Vec::new(),
        Compression::Pass => client.to_vec(),
        Compression::Terminate => vec![OFFER_TO_BACKEND],
    }
}

/// What follows from the backend's answer, which answers one of [`offers`].
pub(crate) fn settle(compression: Compression, client: &[Offer], backend: Option<Agreed>) -> Settled {
    match compression {
        Compression::Off => Settled::default(),
        Compression::Pass => Settled { client: backend, passes: backend.is_some(), coders: [None, None] },
        Compression::Terminate => {
            let client = deflate::accept(client);
            let widest = *WINDOW_BITS.end();
            let for_client =
                client.map(|agreed| Coder::new(true, agreed.server_max_window_bits.unwrap_or(widest)));
            let for_backend =
                backend.map(|agreed| Coder::new(false, agreed.client_max_window_bits.unwrap_or(widest)));
            Settled { client, passes: false, coders: [for_client, for_backend] }
        }
    }
}
