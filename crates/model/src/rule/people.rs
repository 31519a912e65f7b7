//! What a user name and a password may look like.
//!
//! Passwords follow NIST SP 800-63B, 3.1.1.2: length first, no rules of composition, and what is known to be guessed
//! first is refused.

use super::FieldProblem;

/// Longest user name, in characters (it is ASCII).
pub const USERNAME_CHARS_MAX: usize = 64;
/// Shortest password, in characters: what a person chooses has to withstand guessing for as long as the account lives,
/// and there is no second factor beside it.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Longest password, in bytes: sixty words fit, and hashing takes no longer than for a short one.
pub const PASSWORD_BYTES_MAX: usize = 256;
/// Fewest different characters of a password.
const PASSWORD_DIFFERENT_MIN: usize = 5;
/// Fewest characters beside words that are guessed first.
const PASSWORD_OWN_CHARS_MIN: usize = 6;
/// Words and runs that open every list of guesses. Whatever a password holds of them does not count for its length.
const GUESSED_FIRST: [&str; 30] = [
    "1234567890",
    "0987654321",
    "password",
    "passw0rd",
    "passwort",
    "kennwort",
    "qwertyuiop",
    "qwertzuiop",
    "1q2w3e4r5t",
    "1qaz2wsx",
    "asdfghjkl",
    "zxcvbnm",
    "iloveyou",
    "trustno1",
    "letmein",
    "welcome",
    "changeme",
    "administrator",
    "abcdefgh",
    "football",
    "baseball",
    "sunshine",
    "princess",
    "superman",
    "tidegate",
    "123456",
    "qwerty",
    "secret",
    "admin",
    "login",
];

/// A user name: letters, digits and `.`, `_`, `-`, `@`, `+` of ASCII, the first a letter or digit, so that no name looks
/// like another's and none is markup.
pub fn username(pointer: &str, text: &str, problems: &mut Vec<FieldProblem>) {
    let mut problem = |code, detail: String| problems.push(FieldProblem::new(pointer, code, detail));
    if text.is_empty() {
        return problem("required", "Enter a user name.".to_owned());
    }
    if text.chars().count() > USERNAME_CHARS_MAX {
        problem("too_long", format!("A user name has at most {USERNAME_CHARS_MAX} characters."));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-@+".contains(c);
    if let Some(bad) = text.chars().find(|c| !allowed(*c)) {
        let shown = if bad.is_control() { "control characters".to_owned() } else { format!("“{bad}”") };
        problem(
            "illegal_character",
            format!("A user name cannot contain {shown}: use letters, digits and . _ - @ +"),
        );
    } else if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        problem("illegal_character", "A user name begins with a letter or a digit.".to_owned());
    }
}

/// A password that a person chooses. `username` is who will use it.
pub fn password(pointer: &str, text: &str, username: &str, problems: &mut Vec<FieldProblem>) {
    let mut problem = |code, detail: String| problems.push(FieldProblem::new(pointer, code, detail));
    if text.chars().count() < PASSWORD_CHARS_MIN {
        let detail = format!("A password has at least {PASSWORD_CHARS_MIN} characters: a few words do well.");
        return problem("too_short", detail);
    }
    if text.len() > PASSWORD_BYTES_MAX {
        return problem("too_long", format!("A password has at most {PASSWORD_BYTES_MAX} bytes."));
    }
    let mut different: Vec<char> = text.chars().collect();
    different.sort_unstable();
    different.dedup();
    let mut rest = text.to_lowercase();
    // A name of two letters is in many good passwords.
    for known in GUESSED_FIRST.into_iter().chain((username.len() > 3).then_some(username)) {
        rest = rest.replace(&known.to_lowercase(), "");
    }
    if different.len() < PASSWORD_DIFFERENT_MIN || rest.chars().count() < PASSWORD_OWN_CHARS_MIN {
        problem(
            "too_common",
            "This password is among the first that are guessed. Choose another.".to_owned(),
        );
    }
}

#[cfg(test)]
mod tests;
