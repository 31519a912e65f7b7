//! Strict UTF-8 of text messages, checked as the bytes come (RFC 6455 section 8.1).
//!
//! It fails at the first byte that cannot be part of any valid text, also when the character's other bytes have
//! not arrived, and carries at most three bytes from one piece to the next. It does not know frames or masks.

/// The bytes are not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("text is not valid UTF-8")]
pub struct NotUtf8;

/// An incremental validator: feed pieces with [`Utf8::push`], then ask [`Utf8::finish`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Utf8 {
    /// The first bytes of a character whose rest has not come.
    begun: [u8; 3],
    len: u8,
}

impl Utf8 {
    /// Whether the last piece ended with a whole character.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.len == 0
    }

    /// Checks the next piece of the text.
    pub fn push(&mut self, mut piece: &[u8]) -> Result<(), NotUtf8> {
        while self.len > 0 {
            let Some((&byte, rest)) = piece.split_first() else { return Ok(()) };
            self.continue_with(byte)?;
            piece = rest;
        }
        match std::str::from_utf8(piece) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_some() => Err(NotUtf8),
            Err(error) => {
                // What is left is a valid beginning of one character: one to three bytes.
                let begun = &piece[error.valid_up_to()..];
                self.begun[..begun.len()].copy_from_slice(begun);
                self.len = u8::try_from(begun.len()).map_err(|_| NotUtf8)?;
                Ok(())
            }
        }
    }

    /// Ends the text: refuses a character that was only begun.
    pub fn finish(&mut self) -> Result<(), NotUtf8> {
        if std::mem::take(&mut self.len) == 0 { Ok(()) } else { Err(NotUtf8) }
    }

    fn continue_with(&mut self, byte: u8) -> Result<(), NotUtf8> {
        let have = usize::from(self.len);
        let mut character = [0; 4];
        character[..have].copy_from_slice(&self.begun[..have]);
        character[have] = byte;
        match std::str::from_utf8(&character[..=have]) {
            Ok(_) => self.len = 0,
            Err(error) if error.error_len().is_some() => return Err(NotUtf8),
            Err(_) => {
                // Four bytes are either a character or refused, so at most three are ever carried.
                *self.begun.get_mut(have).ok_or(NotUtf8)? = byte;
                self.len += 1;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
