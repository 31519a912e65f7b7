//! `Sec-WebSocket-Extensions`: offers and answers of permessage-deflate (RFC 6455 section 9.1, RFC 7692 sections 5
//! and 7.1). It keeps nothing and knows no coder.

use std::fmt;

use crate::handshake::{is_token, list};

/// Extensions that one handshake may name; browsers name one, libraries up to four variants of it.
pub const EXTENSIONS_MAX: usize = 16;
const NAME: &str = "permessage-deflate";

/// The header does not follow the grammar of RFC 6455 section 9.1, or names too many extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed or overlong list of extensions")]
pub struct BadExtensions;

/// One offer of permessage-deflate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The server shall begin each message with an empty window.
    pub server_no_context_takeover: bool,
    /// The client will.
    pub client_no_context_takeover: bool,
    /// The server's window shall not be larger.
    pub server_max_window_bits: Option<u8>,
    /// The client can limit its window, on its own to the value if there is one.
    pub client_max_window_bits: Option<Option<u8>>,
}

/// What was agreed: the answer to an offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    /// The server begins each message with an empty window.
    pub server_no_context_takeover: bool,
    /// The client does.
    pub client_no_context_takeover: bool,
    /// The server's window is not larger.
    pub server_max_window_bits: Option<u8>,
    /// The client's window is not larger.
    pub client_max_window_bits: Option<u8>,
}

/// What a backend is offered where compression with it ends here: it must not refer to earlier messages, and we do
/// not either; our window may be as small as it likes.
pub const OFFER_TO_BACKEND: Offer = Offer {
    server_no_context_takeover: true,
    client_no_context_takeover: true,
    server_max_window_bits: None,
    client_max_window_bits: Some(None),
};

/// The usable offers of permessage-deflate among a handshake's extensions, in the client's order. Other extensions,
/// and offers with parameters that RFC 7692 does not know, are passed over (section 7.1: declined).
///
/// # Errors
/// [`BadExtensions`].
pub fn parse_offers<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Vec<Offer>, BadExtensions> {
    let mut offers = Vec::new();
    let mut extensions = 0;
    for extension in lines.into_iter().flat_map(list) {
        extensions += 1;
        let (name, params) = parse(extension).ok_or(BadExtensions)?;
        if extensions > EXTENSIONS_MAX {
            return Err(BadExtensions);
        }
        if name.eq_ignore_ascii_case(NAME)
            && let Some(offer) = offer(&params)
        {
            offers.push(offer);
        }
    }
    Ok(offers)
}

/// The answer of a server; `None` where it is not one permessage-deflate with parameters that an answer may have.
pub fn parse_answer(line: &str) -> Option<Agreed> {
    let (name, params) = parse(line)?;
    let offer = offer(&params).filter(|_| name.eq_ignore_ascii_case(NAME))?;
    let client_max_window_bits = match offer.client_max_window_bits {
        None => None,
        // Section 7.1.2.2: in an answer it has a value.
        Some(bits) => Some(bits?),
    };
    Some(Agreed {
        server_no_context_takeover: offer.server_no_context_takeover,
        client_no_context_takeover: offer.client_no_context_takeover,
        server_max_window_bits: offer.server_max_window_bits,
        client_max_window_bits,
    })
}

/// Our answer where a client's compression ends here: to the first offer that we can keep. Neither side refers to
/// earlier messages, which section 7.1.1.2 lets a server demand.
pub fn accept(offers: &[Offer]) -> Option<Agreed> {
    let is_writable = |bits: Option<u8>| bits.is_none_or(|bits| super::WINDOW_BITS.contains(&bits));
    let offer = offers.iter().find(|offer| is_writable(offer.server_max_window_bits))?;
    Some(Agreed {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        server_max_window_bits: offer.server_max_window_bits,
        client_max_window_bits: None,
    })
}

impl Agreed {
    /// Whether a server may give this answer to the offer (RFC 7692 section 7.1).
    pub fn answers(&self, offer: &Offer) -> bool {
        let server_bits = match (offer.server_max_window_bits, self.server_max_window_bits) {
            (Some(most), answered) => answered.is_some_and(|bits| bits <= most),
            (None, _) => true,
        };
        let client_bits = match (offer.client_max_window_bits, self.client_max_window_bits) {
            (_, None) => true,
            (Some(most), Some(bits)) => most.is_none_or(|most| bits <= most),
            (None, Some(_)) => false,
        };
        let takeover = self.server_no_context_takeover || !offer.server_no_context_takeover;
        server_bits && client_bits && takeover
    }
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        if self.server_no_context_takeover {
            f.write_str("; server_no_context_takeover")?;
        }
        if self.client_no_context_takeover {
            f.write_str("; client_no_context_takeover")?;
        }
        if let Some(bits) = self.server_max_window_bits {
            write!(f, "; server_max_window_bits={bits}")?;
        }
        match self.client_max_window_bits {
            None => Ok(()),
            Some(None) => f.write_str("; client_max_window_bits"),
            Some(Some(bits)) => write!(f, "; client_max_window_bits={bits}"),
        }
    }
}

/// An answer is written as the offer that has just its parameters.
impl fmt::Display for Agreed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offer = Offer {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits,
            client_max_window_bits: self.client_max_window_bits.map(Some),
        };
        offer.fmt(f)
    }
}

/// Parameters as written; a value is without its quotes.
type Params<'a> = Vec<(&'a str, Option<&'a str>)>;

fn parse(extension: &str) -> Option<(&str, Params<'_>)> {
    let mut parts = extension.split(';').map(|part| part.trim_matches([' ', '\t']));
    let name = parts.next().filter(|name| is_token(name))?;
    let params = parts.map(|part| {
        let (name, value) = match part.split_once('=') {
            None => (part, None),
            Some((name, value)) => {
                let (name, value) =
                    (name.trim_end_matches([' ', '\t']), value.trim_start_matches([' ', '\t']));
                let bare = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
                // RFC 6455 section 9.1: quoted or not, a value is a token.
                (name, Some(bare).filter(|bare| is_token(bare)))
            }
        };
        let is_whole = is_token(name) && (value.is_some() || !part.contains('='));
        is_whole.then_some((name, value))
    });
    Some((name, params.collect::<Option<_>>()?))
}

/// The offer, unless a parameter is unknown, repeated, or has a value that it cannot have (section 7.1).
fn offer(params: &[(&str, Option<&str>)]) -> Option<Offer> {
    let mut offer = Offer::default();
    for &(name, value) in params {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let is_first = match value {
            None if is("server_no_context_takeover") => {
                !std::mem::replace(&mut offer.server_no_context_takeover, true)
            }
            None if is("client_no_context_takeover") => {
                !std::mem::replace(&mut offer.client_no_context_takeover, true)
            }
            None if is("client_max_window_bits") => offer.client_max_window_bits.replace(None).is_none(),
            Some(bits) if is("client_max_window_bits") => {
                offer.client_max_window_bits.replace(Some(window(bits)?)).is_none()
            }
            Some(bits) if is("server_max_window_bits") => {
                offer.server_max_window_bits.replace(window(bits)?).is_none()
            }
            _ => false,
        };
        if !is_first {
            return None;
        }
    }
    Some(offer)
}

/// Section 7.1.2: 8 to 15, without leading zeros.
fn window(bits: &str) -> Option<u8> {
    let is_plain = matches!(bits.len(), 1 | 2)
        && bits.bytes().all(|byte| byte.is_ascii_digit())
        && !bits.starts_with('0');
    bits.parse().ok().filter(|bits| is_plain && (8..=15).contains(bits))
}
