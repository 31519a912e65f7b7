//! From the path of a handshake to an API and a topic.
//!
//! One canonical form is used for routing, policy and forwarding; a path that another parser could read
//! differently is refused rather than repaired.

use std::collections::HashMap;

use crate::id::ApiId;

/// The path has two readings, or one that no API can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the path is ambiguous")]
pub struct AmbiguousPath;

/// Checks that `path` (without query) has exactly one reading: begins with `/`, no empty segment except at the
/// end, no dot segments, no backslash, and percent-encoding only of what must be encoded, in UTF-8: a lenient decoder
/// reads overlong forms of `.` and `/` as what they are not.
///
/// # Errors
/// [`AmbiguousPath`] otherwise.
pub fn canonical(path: &str) -> Result<&str, AmbiguousPath> {
    let Some(rest) = path.strip_prefix('/') else { return Err(AmbiguousPath) };
    let last = rest.split('/').count() - 1;
    for (place, segment) in rest.split('/').enumerate() {
        let plain = segment.split(';').next().unwrap_or(segment);
        if plain == "." || plain == ".." || (segment.is_empty() && place != last) {
            return Err(AmbiguousPath);
        }
    }
    let bytes = path.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'%' => {
                let digits = path.get(at + 1..at + 3).ok_or(AmbiguousPath)?;
                let decoded = u8::from_str_radix(digits, 16).map_err(|_| AmbiguousPath)?;
                let unreserved = decoded.is_ascii_alphanumeric() || b"-._~".contains(&decoded);
                let never = decoded < 0x20 || decoded == 0x7f || b"/\\%".contains(&decoded);
                if unreserved || never || digits.starts_with('+') {
                    return Err(AmbiguousPath);
                }
                at += 3;
            }
            b'\\' | b'?' | b'#' | 0..=b' ' | 0x7f.. => return Err(AmbiguousPath),
            _ => at += 1,
        }
    }
    if path.contains('%') && !is_utf8_decoded(bytes) {
        return Err(AmbiguousPath);
    }
    Ok(path)
}

/// Whether a path whose escapes are whole is UTF-8 without them.
fn is_utf8_decoded(mut path: &[u8]) -> bool {
    let mut decoded = Vec::with_capacity(path.len());
    while let [byte, rest @ ..] = path {
        path = rest;
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let escaped = match (*byte, rest) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            path = &rest[2..];
            decoded.push(high << 4 | low);
        } else {
            decoded.push(*byte);
        }
    }
    std::str::from_utf8(&decoded).is_ok()
}

/// The path under which a version of a context answers: `{version}` filled in where the context has it, else appended.
pub fn base_path(context: &str, version: &str) -> String {
    if context.split('/').any(|segment| segment == "{version}") {
        context.replace("{version}", version)
    } else {
        format!("{context}/{version}")
    }
}

/// The path under which the default version answers as well: the context without a version.
pub fn default_path(context: &str) -> String {
    context.replace("/{version}", "")
}

/// Where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match<'p> {
    /// The API.
    pub api: ApiId,
    /// What follows the API's own path, empty or beginning with `/`.
    pub topic: &'p str,
}

/// All paths that APIs answer at; the longest that is a whole-segment prefix wins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes(HashMap<String, ApiId>);

impl Routes {
    /// Adds a path; an earlier owner keeps it, so that a default path never hides a versioned one added before.
    pub fn add(&mut self, path: String, api: ApiId) {
        self.0.entry(path).or_insert(api);
    }

    /// The API that answers at `path` (canonical, without query).
    pub fn find<'p>(&self, path: &'p str) -> Option<Match<'p>> {
        let mut end = path.len();
        loop {
            if let Some(&api) = self.0.get(&path[..end]) {
                return Some(Match { api, topic: &path[end..] });
            }
            end = path[..end].rfind('/').filter(|slash| *slash > 0)?;
        }
    }
}

#[cfg(test)]
mod tests;
