//! Addresses that browsers are sent back to: which may be registered, and which of a request is one of them (RFC 9700,
//! section 2.1; RFC 8252, section 7).
//!
//! A request's address is compared character for character and never taken apart, so that there is no parser to
//! disagree with a browser's. The one exception is the port of a native client's loopback address, which it gets from
//! its system when it starts. What is registered is taken apart once, strictly, here.

/// Longest address, in bytes.
pub const REDIRECT_BYTES_MAX: usize = 512;

/// Where the client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// A web server or a page in a browser.
    Web,
    /// A program on somebody's device.
    Device,
}

/// Why an address may not be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum BadRedirect {
    /// Empty or too long.
    #[error("An address has 1 to 512 characters.")]
    Length,
    /// A character that no address has, or one that readers take for another (`\`, a broken escape).
    #[error("An address has only the characters of RFC 3986; write others as %XX.")]
    Character,
    /// No scheme, or one in capitals.
    #[error("Begin with the scheme, in small letters, for example https://.")]
    Scheme,
    /// A scheme that browsers run, or a plain one over the network.
    #[error("Use https. Plain http is for localhost, 127.0.0.1 and [::1] alone.")]
    Unsafe,
    /// A scheme of one's own where it may not be.
    #[error(
        "A scheme of your own is for native clients, and is a domain of yours in reverse: com.example.app:/callback."
    )]
    OwnScheme,
    /// `user@`.
    #[error("An address has no user name before its host.")]
    User,
    /// No host, or a bad one.
    #[error("An address has a host of letters, digits, dots and hyphens, and maybe a port.")]
    Host,
    /// A fragment.
    #[error("An address has no #fragment.")]
    Fragment,
    /// A segment that leads elsewhere.
    #[error("The path has no “.” or “..” segments.")]
    Path,
}

/// Whether an address may be registered for a client of this place.
///
/// # Errors
/// [`BadRedirect`].
pub fn is_registrable(uri: &str, place: Place) -> Result<(), BadRedirect> {
    if uri.is_empty() || uri.len() > REDIRECT_BYTES_MAX {
        return Err(BadRedirect::Length);
    }
    if uri.contains('#') {
        return Err(BadRedirect::Fragment);
    }
    if !has_only_uri_characters(uri) {
        return Err(BadRedirect::Character);
    }
    let (scheme, rest) = uri.split_once(':').ok_or(BadRedirect::Scheme)?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c));
    if !is_scheme {
        return Err(BadRedirect::Scheme);
    }
    if !matches!(scheme, "http" | "https") {
        return own_scheme(scheme, rest, place);
    }
    let rest = rest.strip_prefix("//").ok_or(BadRedirect::Host)?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.contains('@') {
        return Err(BadRedirect::User);
    }
    let host = host(authority).ok_or(BadRedirect::Host)?;
    if scheme == "http" && !matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
        return Err(BadRedirect::Unsafe);
    }
    no_dots(path)
}

fn own_scheme(scheme: &str, rest: &str, place: Place) -> Result<(), BadRedirect> {
    // RFC 8252, section 7.1: a domain name in reverse. One without a dot may be anybody's, or a browser's own
    // (`javascript`, `data`, `file`).
    if !scheme.contains('.') {
        return Err(BadRedirect::Unsafe);
    }
    let labels = scheme.split('.').all(|label| !label.is_empty());
    if place != Place::Device || !labels || !rest.starts_with('/') || rest.starts_with("//") {
        return Err(BadRedirect::OwnScheme);
    }
    no_dots(rest)
}

fn has_only_uri_characters(uri: &str) -> bool {
    let mut bytes = uri.bytes();
    while let Some(byte) = bytes.next() {
        let is_fine = match byte {
            b'%' => {
                let digits = [bytes.next(), bytes.next()];
                digits.iter().all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit()))
            }
            b'-' | b'.' | b'_' | b'~' | b':' | b'/' | b'?' | b'[' | b']' | b'@' | b'!' | b'$' | b'&'
            | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' => true,
            other => other.is_ascii_alphanumeric(),
        };
        if !is_fine {
            return false;
        }
    }
    true
}

/// The host of an authority whose port, if any, is one.
fn host(authority: &str) -> Option<&str> {
    let at = if authority.starts_with('[') {
        authority.find(']')? + 1
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, port) = authority.split_at(at);
    let is_port = port.is_empty()
        || port.strip_prefix(':').is_some_and(|digits| {
            digits.bytes().all(|digit| digit.is_ascii_digit())
                && digits.parse::<u16>().is_ok_and(|port| port > 0)
        });
    let is_host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok()),
        None => {
            !host.is_empty()
                && host.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c))
                && host
                    .split('.')
                    .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
        }
    };
    (is_port && is_host).then_some(host)
}

/// A path without segments that lead elsewhere, spelled in any way, also with parameters (`..;`).
fn no_dots(path: &str) -> Result<(), BadRedirect> {
    let path = path.split('?').next().unwrap_or_default().to_ascii_lowercase();
    let path = path.replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
    let dots = path.split('/').map(|segment| segment.split(';').next().unwrap_or_default());
    if dots.into_iter().any(|segment| segment == "." || segment == "..") {
        return Err(BadRedirect::Path);
    }
    Ok(())
}

/// Whether `asked` is one of the registered addresses: character for character, but for the port of a loopback address
/// of a client on a device (RFC 8252, section 7.3; `localhost` is a name, and is compared as a whole).
pub fn is_registered(asked: &str, registered: &[String], place: Place) -> bool {
    if asked.len() > REDIRECT_BYTES_MAX {
        return false;
    }
    registered.iter().any(|one| {
        one == asked
            || (place == Place::Device
                && match (without_loopback_port(one), without_loopback_port(asked)) {
                    (Some(one), Some(asked)) => one == asked,
                    _ => false,
                })
    })
}

/// A loopback address as what is before its port and what is after it.
fn without_loopback_port(uri: &str) -> Option<(&str, &str)> {
    let host_end = ["http://127.0.0.1", "http://[::1]"].iter().find(|start| uri.starts_with(**start))?.len();
    let (before, rest) = uri.split_at(host_end);
    let Some(rest) = rest.strip_prefix(':') else {
        return (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((before, rest));
    };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (port, after) = rest.split_at(end);
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    (is_port && (after.is_empty() || after.starts_with(['/', '?']))).then_some((before, after))
}

/// The address with these parameters added to its query, percent-encoded.
pub fn with_query(uri: &str, parameters: &[(&str, &str)]) -> String {
    let mut out = uri.to_owned();
    for (name, value) in parameters {
        out.push(if out.contains('?') { '&' } else { '?' });
        out.push_str(name);
        out.push('=');
        crate::percent::encode(value, &mut out);
    }
    out
}

#[cfg(test)]
mod tests;
