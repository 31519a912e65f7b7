//! A request head before any parser sees it: what parsers forgive and attackers use is refused here.
//!
//! It reads bytes as they come, each once, so that a head sent byte by byte costs no more than one sent whole. It
//! does not interpret anything but lines and names; continue with an HTTP parser and then [`super::judge`].

use super::is_token_byte;

/// Bytes of a whole head: twice what browsers with large cookies send.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Bytes of the request line's target with its method and version: the longest URL that all browsers agree on is
/// shorter than twice this, and tokens in queries are longer than half of it.
pub const REQUEST_LINE_BYTES_MAX: usize = 4 * 1024;
/// Header fields of one head.
pub const FIELDS_MAX: usize = 64;

/// A head that is refused before it is parsed. Always the client's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RawHeadError {
    /// RFC 9112 section 2.2: a line ends with both.
    #[error("line feed without carriage return")]
    BareLineFeed,
    /// RFC 9112 section 2.2: never a line end, never inside a value.
    #[error("carriage return without line feed")]
    BareCarriageReturn,
    /// A control byte, NUL above all. A tab is one as well: no client needs it, and trimming it makes two readings
    /// of one value.
    #[error("control byte in the head")]
    ControlByte,
    /// A byte beyond ASCII.
    #[error("byte beyond ASCII in the head")]
    NotAscii,
    /// An empty line where the request line should be.
    #[error("empty request line")]
    EmptyRequestLine,
    /// RFC 9112 section 3: method, target and version, one space between them.
    #[error("malformed request line")]
    RequestLine,
    /// RFC 9112 section 2.2: blanks before the first field.
    #[error("blanks before the first header")]
    LeadingBlank,
    /// RFC 9112 section 5.2: folded values are obsolete.
    #[error("folded header")]
    Folded,
    /// A field without a name.
    #[error("empty header name")]
    EmptyName,
    /// RFC 9112 section 5.1: no blanks between name and colon.
    #[error("blanks in or after a header name")]
    BlankInName,
    /// RFC 9110 section 5.6.2: a name is a token, and a field has a colon.
    #[error("malformed header name")]
    Name,
    /// RFC 9112 section 3.2.
    #[error("more than one Host header")]
    DuplicateHost,
    /// The head is longer than [`HEAD_BYTES_MAX`].
    #[error("head too large")]
    TooLarge,
    /// More fields than [`FIELDS_MAX`].
    #[error("too many headers")]
    TooManyFields,
    /// The request line is longer than [`REQUEST_LINE_BYTES_MAX`].
    #[error("request line too long")]
    TargetTooLong,
}

impl RawHeadError {
    /// The HTTP status that refuses it: 400, 414 or 431.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::TooLarge | Self::TooManyFields => 431,
            Self::TargetTooLong => 414,
            _ => 400,
        }
    }
}

/// Where in a line the next byte stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    RequestLine,
    /// The first byte of a line after the request line.
    LineStart,
    Name,
    Value,
    /// Behind a carriage return; `is_last` on the empty line.
    LineEnd {
        is_last: bool,
    },
}

/// A head while it comes.
#[derive(Clone, Copy, Debug, Default)]
pub struct RawHead {
    at: usize,
    line_start: usize,
    fields: usize,
    hosts: u8,
    place: Place,
}

impl RawHead {
    /// Nothing read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Judges what has come. `head` is everything from the first byte on, longer at every call; bytes once judged
    /// are not looked at again. `Some(n)`: the head is whole and has `n` bytes.
    pub fn judge(&mut self, head: &[u8]) -> Result<Option<usize>, RawHeadError> {
        while let Some(&byte) = head.get(self.at) {
            if self.at >= HEAD_BYTES_MAX {
                return Err(RawHeadError::TooLarge);
            }
            let here = self.at;
            self.at += 1;
            if self.byte(byte, here, head)? {
                return Ok(Some(self.at));
            }
        }
        Ok(None)
    }

    /// Whether this byte ends the head.
    fn byte(&mut self, byte: u8, here: usize, head: &[u8]) -> Result<bool, RawHeadError> {
        if let Place::LineEnd { is_last } = self.place {
            if byte != b'\n' {
                return Err(RawHeadError::BareCarriageReturn);
            }
            self.line_start = here + 1;
            self.place = Place::LineStart;
            return Ok(is_last);
        }
        match byte {
            b'\n' => return Err(RawHeadError::BareLineFeed),
            b'\r' => {
                self.line_ends(here, head)?;
                return Ok(false);
            }
            0..=0x1F | 0x7F => return Err(RawHeadError::ControlByte),
            0x80.. => return Err(RawHeadError::NotAscii),
            _ => {}
        }
        match self.place {
            Place::RequestLine if here >= REQUEST_LINE_BYTES_MAX => return Err(RawHeadError::TargetTooLong),
            Place::RequestLine | Place::Value | Place::LineEnd { .. } => {}
            Place::LineStart => self.field_begins(byte)?,
            Place::Name => match byte {
                b':' => {
                    self.field_named(&head[self.line_start..here])?;
                    self.place = Place::Value;
                }
                b' ' => return Err(RawHeadError::BlankInName),
                byte if is_token_byte(byte) => {}
                _ => return Err(RawHeadError::Name),
            },
        }
        Ok(false)
    }

    fn line_ends(&mut self, here: usize, head: &[u8]) -> Result<(), RawHeadError> {
        match self.place {
            Place::RequestLine if here == 0 => return Err(RawHeadError::EmptyRequestLine),
            Place::RequestLine => request_line(&head[..here])?,
            Place::Name => return Err(RawHeadError::Name),
            Place::LineStart | Place::Value | Place::LineEnd { .. } => {}
        }
        self.place = Place::LineEnd { is_last: self.place == Place::LineStart };
        Ok(())
    }

    fn field_begins(&mut self, byte: u8) -> Result<(), RawHeadError> {
        match byte {
            b' ' if self.fields == 0 => return Err(RawHeadError::LeadingBlank),
            b' ' => return Err(RawHeadError::Folded),
            b':' => return Err(RawHeadError::EmptyName),
            byte if is_token_byte(byte) => {}
            _ => return Err(RawHeadError::Name),
        }
        self.fields += 1;
        if self.fields > FIELDS_MAX {
            return Err(RawHeadError::TooManyFields);
        }
        self.place = Place::Name;
        Ok(())
    }

    fn field_named(&mut self, name: &[u8]) -> Result<(), RawHeadError> {
        if name.eq_ignore_ascii_case(b"host") {
            self.hosts += 1;
            if self.hosts > 1 {
                return Err(RawHeadError::DuplicateHost);
            }
        }
        Ok(())
    }
}

/// Judges the target and the fields of a head that came without lines (HTTP/2): what [`RawHead`] refuses in a head of
/// HTTP/1.1 is refused here, so that one may be written from the other. Its bytes count as if it had lines.
pub fn judge_fields<'a>(
    target: &str,
    fields: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<(), RawHeadError> {
    if target.len() > REQUEST_LINE_BYTES_MAX {
        return Err(RawHeadError::TargetTooLong);
    }
    let (mut head_bytes, mut hosts) = (target.len(), 0);
    for (number, (name, value)) in fields.into_iter().enumerate() {
        if number == FIELDS_MAX {
            return Err(RawHeadError::TooManyFields);
        }
        head_bytes += name.len() + value.len() + ": \r\n".len();
        if head_bytes > HEAD_BYTES_MAX {
            return Err(RawHeadError::TooLarge);
        }
        if name.is_empty() || !name.bytes().all(is_token_byte) {
            return Err(RawHeadError::Name);
        }
        if let Some(byte) = value.iter().find(|byte| !matches!(byte, 0x20..=0x7E)) {
            return Err(if byte.is_ascii() { RawHeadError::ControlByte } else { RawHeadError::NotAscii });
        }
        hosts += usize::from(name.eq_ignore_ascii_case("host"));
        if hosts > 1 {
            return Err(RawHeadError::DuplicateHost);
        }
    }
    Ok(())
}

/// Three parts and single spaces; the parts themselves are judged later.
fn request_line(line: &[u8]) -> Result<(), RawHeadError> {
    let mut parts = line.split(|byte| *byte == b' ');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(method), Some(target), Some(version), None)
            if !method.is_empty()
                && method.iter().all(|byte| is_token_byte(*byte))
                && !target.is_empty()
                && version.starts_with(b"HTTP/") =>
        {
            Ok(())
        }
        _ => Err(RawHeadError::RequestLine),
    }
}

#[cfg(test)]
mod tests;
