//! Origins of web pages (RFC 6454 section 6.2) as an API names them.
//!
//! A browser serialises an origin in one way: scheme and host in lower case, the host as ASCII, no port where it is the
//! scheme's own, no path. So they are compared byte for byte, and what a browser would never send is not taken as an entry.

/// Names every page.
pub const ANY_ORIGIN: &str = "*";
/// What a browser says for a page that has no origin to tell: a file, a sandboxed frame.
const OPAQUE: &str = "null";
/// The label that stands for any one label.
const WILDCARD: &str = "*.";

/// Why an entry names no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadOrigin {
    /// Not `scheme://host` or `scheme://host:port`.
    #[error("Write an origin like https://app.example.com, https://*.example.com, null, or * for all.")]
    Shape,
    /// Something behind the host.
    #[error("An origin ends with its host or port: leave out what follows, also a final “/”.")]
    Path,
    /// Upper case, which no browser sends.
    #[error("A browser writes origins in lower case.")]
    Case,
    /// A host that no browser sends so.
    #[error("Write the host as browsers do: ASCII letters, digits, hyphens and dots, without a final dot.")]
    Host,
    /// A wildcard that is not the whole first label, or has less than two labels behind it.
    #[error("“*” stands for one whole label in front of a domain, like https://*.example.com.")]
    Wildcard,
    /// No port, or the scheme's own.
    #[error("A port is a number, and left out where it is 80 for http or 443 for https.")]
    Port,
}

/// Whether an entry names origins that a browser can send.
///
/// # Errors
/// [`BadOrigin`].
pub fn check_origin(entry: &str) -> Result<(), BadOrigin> {
    if matches!(entry, ANY_ORIGIN | OPAQUE) {
        return Ok(());
    }
    let (scheme, rest) = entry.split_once("://").ok_or(BadOrigin::Shape)?;
    if entry.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(BadOrigin::Case);
    }
    let is_scheme_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    if !scheme.starts_with(|first: char| first.is_ascii_lowercase()) || !scheme.bytes().all(is_scheme_byte) {
        return Err(BadOrigin::Shape);
    }
    if rest.contains(['/', '?', '#', '@']) {
        return Err(BadOrigin::Path);
    }
    let (host, port) = host_and_port(rest)?;
    if let Some(port) = port {
        let is_own = matches!((scheme, port), ("http", "80") | ("https", "443"));
        let is_number = port.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == port);
        if is_own || !is_number {
            return Err(BadOrigin::Port);
        }
    }
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        let is_written_so =
            address.parse::<std::net::Ipv6Addr>().is_ok_and(|parsed| parsed.to_string() == address);
        return if is_written_so { Ok(()) } else { Err(BadOrigin::Host) };
    }
    let domain = host.strip_prefix(WILDCARD);
    if host.contains('*') && !domain.is_some_and(|domain| domain.contains('.') && !domain.contains('*')) {
        return Err(BadOrigin::Wildcard);
    }
    if domain.unwrap_or(host).split('.').all(is_label) { Ok(()) } else { Err(BadOrigin::Host) }
}

/// Whether an entry names pages one by one: an origin, or one wildcard label, but neither `null` nor `*`.
///
/// # Errors
/// [`BadOrigin`].
pub fn check_page(entry: &str) -> Result<(), BadOrigin> {
    if matches!(entry, ANY_ORIGIN | OPAQUE) { Err(BadOrigin::Shape) } else { check_origin(entry) }
}

fn host_and_port(rest: &str) -> Result<(&str, Option<&str>), BadOrigin> {
    let host_ends = match rest.strip_prefix('[') {
        Some(_) => rest.find(']').ok_or(BadOrigin::Host)? + 1,
        None => rest.find(':').unwrap_or(rest.len()),
    };
    let (host, behind) = rest.split_at(host_ends);
    if behind.is_empty() {
        return Ok((host, None));
    }
    behind.strip_prefix(':').map(|port| (host, Some(port))).ok_or(BadOrigin::Host)
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Whether a browser's origin is what an entry that passed [`check_origin`] names; `*` is not asked here.
pub(super) fn is_of(origin: &str, entry: &str) -> bool {
    if origin == entry {
        return true;
    }
    let Some((scheme, domain)) = entry.split_once("://*.") else { return false };
    let label = origin.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
    let label = label.and_then(|rest| rest.strip_suffix(domain)).and_then(|rest| rest.strip_suffix('.'));
    // Case matters here too: a browser sends none in upper case.
    label.is_some_and(|label| is_label(label) && !label.bytes().any(|byte| byte.is_ascii_uppercase()))
}
