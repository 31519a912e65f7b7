//! Percent-decoding without forgiveness, and `application/x-www-form-urlencoded` on top of it.
//!
//! Forgiving decoders keep a broken escape as it is and replace what is not UTF-8; then two readers of the same
//! request see two different parameters.

/// What `+` stands for: itself in a URL's query as we read it, a space in a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plus {
    /// A plus sign.
    Itself,
    /// A space.
    Space,
}

/// The decoded text; `None` when an escape is broken or the result is not UTF-8.
pub fn decoded(text: &str, plus: Plus) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            b'+' if plus == Plus::Space => b' ',
            other => other,
        });
    }
    String::from_utf8(out).ok()
}

/// The parameters of a form in order. Empty pieces between `&` are passed over, as every form parser does.
pub(crate) fn form(text: &str) -> Option<Vec<(String, String)>> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name, Plus::Space)?, decoded(value, Plus::Space)?))
        })
        .collect()
}

/// Writes a text so that it is one value of a query, whatever it holds: everything but unreserved characters is escaped
/// (RFC 3986, section 2.3).
pub(crate) fn encode(text: &str, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests;
