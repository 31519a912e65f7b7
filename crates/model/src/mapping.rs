//! Topic mappings: under which path of its backend a topic of an API is found.
//!
//! `/rooms/{room}` mapped to `/chat?room={room}` sends the topic `/rooms/7` to `/chat?room=7`. Mappings are tried in
//! their order and the first that fits decides; a topic that none fits is appended to the endpoint's path as it is.
//! It does not know endpoints or queries of clients. Invariant: what a topic brings stays one segment of a path, or
//! one value of a query.

use serde::{Deserialize, Serialize};

/// Mappings of one API.
pub const MAPPINGS_MAX: usize = 64;
/// Longest side of a mapping, in bytes.
pub const MAPPING_BYTES_MAX: usize = 512;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TopicMapping {
    /// The topic, with parameters as whole segments: `/rooms/{room}`. A last segment `*` takes all that follows.
    pub topic: String,
    /// Path at the backend, with or without a query, appended to the endpoint's: `/chat?room={room}`.
    pub backend: String,
}

/// Why a mapping makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMapping {
    /// Does not begin with `/`.
    #[error("Begin with “/”.")]
    NoSlash,
    /// A brace without its partner, or with more than a name in between.
    #[error("A parameter is a name of letters, digits, “_” or “-” in braces, like {{room}}.")]
    Braces,
    /// A parameter that is only a part of a segment of the topic.
    #[error("A parameter of a topic is a whole segment, like /rooms/{{room}}.")]
    NotWhole,
    /// A parameter that stands twice in the topic.
    #[error("The parameter {{{0}}} stands twice.")]
    Twice(String),
    /// A parameter of the backend's path that the topic does not have.
    #[error("The topic has no parameter {{{0}}}.")]
    Unknown(String),
    /// A wildcard that is not the last segment.
    #[error("“*” is the whole last segment of a topic.")]
    Wildcard,
    /// A character that no path has, or a segment that has two readings.
    #[error("This cannot stand in a path. Encode it as %XX.")]
    Character,
}

/// The name under which `*` is filled in.
const WILDCARD: &str = "*";

impl TopicMapping {
    /// Why the topic makes no sense.
    ///
    /// # Errors
    /// [`BadMapping`].
    pub fn check_topic(&self) -> Result<(), BadMapping> {
        check_topic(&self.topic)
    }

    /// Why the backend's path makes no sense.
    ///
    /// # Errors
    /// [`BadMapping`].
    pub fn check_backend(&self) -> Result<(), BadMapping> {
        if !self.backend.starts_with('/') {
            return Err(BadMapping::NoSlash);
        }
        let (path, query) = self.backend.split_once('?').unwrap_or((&self.backend, ""));
        is_path(path)?;
        // RFC 3986 section 3.4: a query has the characters of a path, and "/" and "?".
        is_text(query)?;
        for piece in pieces(&self.backend)? {
            if let Piece::Parameter(name) = piece
                && !self.topic.split('/').any(|segment| filled_by(segment) == Some(name))
            {
                return Err(BadMapping::Unknown(name.to_owned()));
            }
        }
        Ok(())
    }

    /// The backend's path and query for a topic, where the mapping fits it and the path has one reading.
    fn of(&self, topic: &str) -> Option<String> {
        let found = parameters_of(&self.topic, topic)?;
        let mut filled = String::with_capacity(self.backend.len() + topic.len());
        for piece in pieces(&self.backend).ok()? {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Parameter(name) => {
                    let (_, value) = found.iter().find(|(found, _)| *found == name)?;
                    let in_query = filled.contains('?');
                    value.chars().for_each(|character| push(&mut filled, character, in_query));
                }
            }
        }
        // A topic's `;x` behind a dot of the mapping would be a dot segment to a lenient server.
        let path = filled.split('?').next().unwrap_or_default();
        crate::route::canonical(path).is_ok().then_some(filled)
    }
}

/// Why a topic's path makes no sense.
///
/// # Errors
/// [`BadMapping`].
pub(crate) fn check_topic(path: &str) -> Result<(), BadMapping> {
    let segments = path.strip_prefix('/').ok_or(BadMapping::NoSlash)?;
    is_path(path)?;
    let mut seen = Vec::new();
    let mut segments = segments.split('/').peekable();
    while let Some(segment) = segments.next() {
        if segment.contains('*') && (segment != WILDCARD || segments.peek().is_some()) {
            return Err(BadMapping::Wildcard);
        }
        if let Some(name) = parameter(segment) {
            is_name(name)?;
            if seen.contains(&name) {
                return Err(BadMapping::Twice(name.to_owned()));
            }
            seen.push(name);
        } else if segment.contains(['{', '}']) {
            return Err(BadMapping::NotWhole);
        }
    }
    Ok(())
}

/// Whether a topic is one of those that the path of a declared one stands for.
pub(crate) fn fits(path: &str, topic: &str) -> bool {
    parameters_of(path, topic).is_some()
}

/// The parameters of a path with their values in a topic; `None` where the two do not fit.
fn parameters_of<'t>(path: &'t str, topic: &'t str) -> Option<Vec<(&'t str, &'t str)>> {
    let mut found = Vec::new();
    let mut rest = topic.strip_prefix('/')?;
    let mut segments = path.strip_prefix('/')?.split('/').peekable();
    while let Some(segment) = segments.next() {
        if segment == WILDCARD {
            found.push((WILDCARD, rest));
            rest = "";
            break;
        }
        let (given, after) = match rest.split_once('/') {
            Some((given, after)) => (given, Some(after)),
            None => (rest, None),
        };
        match parameter(segment) {
            Some(name) if !given.is_empty() => found.push((name, given)),
            None if segment == given => {}
            _ => return None,
        }
        match (after, segments.peek().is_some()) {
            (Some(after), true) => rest = after,
            (None, false) => rest = "",
            // One of the two is longer.
            _ => return None,
        }
    }
    rest.is_empty().then_some(found)
}

/// The path, with or without a query, at the backend for a topic; `None`: no mapping fits.
pub fn map(mappings: &[TopicMapping], topic: &str) -> Option<String> {
    mappings.iter().find_map(|mapping| mapping.of(topic))
}

/// A piece of the backend's path.
enum Piece<'p> {
    Text(&'p str),
    Parameter(&'p str),
}

fn pieces(template: &str) -> Result<Vec<Piece<'_>>, BadMapping> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (text, braced) = rest.split_at(at);
        let inside = braced.strip_prefix('{').and_then(|open| open.split_once('}'));
        let (name, after) = inside.ok_or(BadMapping::Braces)?;
        if name != WILDCARD {
            is_name(name)?;
        }
        pieces.push(Piece::Text(text));
        pieces.push(Piece::Parameter(name));
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

/// The parameter that a segment of a topic is.
fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// Under which name a segment of a topic can be used.
fn filled_by(segment: &str) -> Option<&str> {
    if segment == WILDCARD { Some(WILDCARD) } else { parameter(segment) }
}

fn is_name(name: &str) -> Result<(), BadMapping> {
    let is_named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if is_named { Ok(()) } else { Err(BadMapping::Braces) }
}

/// A path with one reading, braces aside.
fn is_path(path: &str) -> Result<(), BadMapping> {
    is_text(path)?;
    let plain = path.replace(['{', '}'], "");
    crate::route::canonical(&plain).map(drop).map_err(|_| BadMapping::Character)
}

fn is_text(text: &str) -> Result<(), BadMapping> {
    let is_allowed = |b: u8| b.is_ascii_graphic() && !b"\"#<>\\^`|".contains(&b);
    let mut bytes = text.bytes().enumerate();
    let is_encoded = |at: usize| {
        text.as_bytes().get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    };
    let fits = bytes.all(|(at, b)| is_allowed(b) && (b != b'%' || is_encoded(at)));
    if fits { Ok(()) } else { Err(BadMapping::Character) }
}

/// What means something in a query becomes `%XX` there; what is encoded already stays.
fn push(filled: &mut String, character: char, in_query: bool) {
    let encoded = match character {
        '&' if in_query => "%26",
        '=' if in_query => "%3D",
        '+' if in_query => "%2B",
        ';' if in_query => "%3B",
        _ => return filled.push(character),
    };
    filled.push_str(encoded);
}

#[cfg(test)]
mod tests;
