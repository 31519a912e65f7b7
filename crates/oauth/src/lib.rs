//! OAuth 2 and JOSE without IO: signing keys, access and ID tokens, client authentication, the authorization and the
//! token endpoint as functions, metadata documents, opaque secrets, and finding a bearer credential in a request.
//!
//! It knows no HTTP implementation, no storage, no clock and no business: time is seconds since the epoch as an
//! argument, random bytes come from a [`Random`]. Start reading at [`token`], then [`jwk`] for the keys, [`grant`]
//! for the token endpoint, [`bearer`] for the other side, where tokens are presented, and [`assertion`] for what backends
//! are told.

pub mod assertion;
pub mod authorize;
pub mod bearer;
pub mod certificate;
pub mod client;
pub mod client_assertion;
pub mod device;
pub mod dpop;
pub mod form;
pub mod grant;
pub mod id_token;
pub mod issuer;
mod json;
pub mod jwk;
mod jws;
pub mod mark;
pub mod metadata;
pub mod percent;
pub mod pkce;
pub mod redirect;
pub mod registration;
pub mod relying_party;
pub mod secret;
pub mod token;

/// Unpredictable bytes, supplied by the caller.
pub trait Random {
    /// Fills the buffer.
    fn fill(&mut self, bytes: &mut [u8]);
}

impl<F: FnMut(&mut [u8])> Random for F {
    fn fill(&mut self, bytes: &mut [u8]) {
        self(bytes);
    }
}

#[cfg(test)]
mod testing;
