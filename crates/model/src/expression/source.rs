//! The source of an expression before a parser sees it: characters, nesting and numbers of operators, so that a parser that
//! calls itself for each of them has little to call itself for.
//!
//! What it lets pass it reads as the parser does: of texts there is one simple form, so that nothing that stands in a text here is
//! taken for code there.

use std::{iter::Peekable, str::CharIndices};

use super::{Fault, SOURCE_BYTES_MAX};

/// Deepest brackets within brackets.
pub(super) const NESTING_MAX: usize = 16;
/// Most operators, of which each is a step and may be a level: dots, brackets and signs count.
pub(super) const OPERATORS_MAX: usize = 64;
/// Most conditions (`a ? b : c`): each is parsed within the one before it.
pub(super) const CONDITIONS_MAX: usize = 16;
/// How often a parser may have to call itself: what is within brackets may be within a condition each.
pub(super) const RECURSION_MAX: u16 = 40;

/// How the parser begins what it says of the syntax.
pub(super) const SYNTAX: &str = "Syntax error: ";

/// Where somebody is in a text: line and column, from 1.
type Place = (usize, usize);

/// Line and column of a byte.
fn at(text: &str, byte: usize) -> Place {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
}

/// Line and column of what the parser says of a node: the number of its first character, from 0 or 1.
pub(super) fn place(text: &str, offset: Option<(u32, u32)>) -> Option<Place> {
    let first = usize::try_from(offset?.0).ok()?;
    let byte = text.char_indices().nth(first).map_or(text.len(), |(byte, _)| byte);
    Some(at(text, byte))
}

/// What the parser says, in the words of a person.
pub(super) fn plain(message: &str) -> String {
    let message = message.strip_prefix(SYNTAX).unwrap_or(message);
    let message = message.split(" expecting ").next().unwrap_or(message);
    let message: String = message.chars().take(200).collect();
    if message.contains("<EOF>") {
        return "The expression ends too early.".to_owned();
    }
    format!("This cannot be read: {message}.")
}

/// Whether a parser may see this.
pub(super) fn check(text: &str) -> Result<(), Fault> {
    if text.trim().is_empty() {
        return Err(Fault::new("required", None, "Enter an expression, for example: user"));
    }
    if text.len() > SOURCE_BYTES_MAX {
        let detail = format!("An expression has at most {SOURCE_BYTES_MAX} bytes.");
        return Err(Fault::new("too_long", None, detail));
    }
    Reader { text, rest: text.char_indices().peekable(), nesting: 0, operators: 0, conditions: 0 }.read()
}

struct Reader<'t> {
    text: &'t str,
    rest: Peekable<CharIndices<'t>>,
    nesting: usize,
    operators: usize,
    conditions: usize,
}

impl Reader<'_> {
    fn fault(&self, code: &'static str, byte: usize, detail: impl Into<String>) -> Fault {
        Fault::new(code, Some(at(self.text, byte)), detail)
    }

    fn next_is(&mut self, wanted: char) -> bool {
        self.rest.next_if(|(_, next)| *next == wanted).is_some()
    }

    fn read(mut self) -> Result<(), Fault> {
        while let Some((byte, character)) = self.rest.next() {
            match character {
                '\'' | '"' => self.text(byte, character)?,
                'a'..='z' | 'A'..='Z' | '_' => self.word(byte)?,
                ' ' | '\t' | '\n' | '\r' | '0'..='9' | ',' | ':' => {}
                '(' | '[' | '{' => {
                    self.operator(byte)?;
                    self.nesting += 1;
                    if self.nesting > NESTING_MAX {
                        let detail = format!("Brackets may stand {NESTING_MAX} deep in each other.");
                        return Err(self.fault("too_deep", byte, detail));
                    }
                }
                ')' | ']' | '}' => self.nesting = self.nesting.saturating_sub(1),
                '?' => {
                    self.operator(byte)?;
                    self.conditions += 1;
                    if self.conditions > CONDITIONS_MAX {
                        let detail = format!("An expression has at most {CONDITIONS_MAX} conditions.");
                        return Err(self.fault("too_complex", byte, detail));
                    }
                }
                '/' if self.next_is('/') => while self.rest.next_if(|(_, next)| *next != '\n').is_some() {},
                '&' | '|' if !self.next_is(character) => {
                    let detail = format!("Write “{character}{character}”.");
                    return Err(self.fault("syntax", byte, detail));
                }
                '=' if !self.next_is('=') => {
                    return Err(self.fault("syntax", byte, "Compare with “==”; nothing is assigned here."));
                }
                '<' | '>' | '!' => {
                    self.next_is('=');
                    self.operator(byte)?;
                }
                '&' | '|' | '=' | '+' | '-' | '*' | '/' | '%' | '.' => self.operator(byte)?,
                _ => {
                    let detail = format!("“{}” can stand in a text alone.", character.escape_default());
                    return Err(self.fault("illegal_character", byte, detail));
                }
            }
        }
        Ok(())
    }

    fn operator(&mut self, byte: usize) -> Result<(), Fault> {
        self.operators += 1;
        if self.operators > OPERATORS_MAX {
            let detail =
                format!("An expression has at most {OPERATORS_MAX} operators; dots and brackets count.");
            return Err(self.fault("too_complex", byte, detail));
        }
        Ok(())
    }

    /// The rest of a name.
    fn word(&mut self, byte: usize) -> Result<(), Fault> {
        let is_of_word = |next: &(usize, char)| next.1.is_ascii_alphanumeric() || next.1 == '_';
        let mut end = byte + 1;
        while let Some((last, _)) = self.rest.next_if(is_of_word) {
            end = last + 1;
        }
        if self.text.get(byte..end) == Some("in") {
            self.operator(byte)?;
        }
        if self.rest.peek().is_some_and(|(_, next)| matches!(next, '\'' | '"')) {
            let detail = "Texts are written in quotes alone, without a letter before them.";
            return Err(self.fault("syntax", byte, detail));
        }
        Ok(())
    }

    /// The rest of a text, which ends in the line where it begins.
    fn text(&mut self, begin: usize, quote: char) -> Result<(), Fault> {
        while let Some((byte, character)) = self.rest.next() {
            match character {
                '\\' => self.escape(byte)?,
                '\n' | '\r' => break,
                _ if character == quote => {
                    // A text is not followed by another: three quotes would begin one of another form.
                    if self.rest.peek().is_some_and(|(_, next)| matches!(next, '\'' | '"')) {
                        let detail = "Texts are written in one pair of quotes; join two with “+”.";
                        return Err(self.fault("syntax", byte, detail));
                    }
                    return Ok(());
                }
                _ => {}
            }
        }
        Err(self.fault("syntax", begin, "The text that begins here does not end."))
    }

    fn escape(&mut self, byte: usize) -> Result<(), Fault> {
        let escaped = self.rest.next().map(|(_, escaped)| escaped);
        let is_known = match escaped {
            Some('\\' | '\'' | '"' | 'n' | 'r' | 't') => true,
            Some('u') => (0..4).all(|_| self.rest.next_if(|(_, next)| next.is_ascii_hexdigit()).is_some()),
            _ => false,
        };
        if is_known {
            return Ok(());
        }
        let detail = "In a text, a backslash begins one of \\\\, \\', \\\", \\n, \\r, \\t and \\u followed by four digits.";
        Err(self.fault("syntax", byte, detail))
    }
}
