//! Device authorization (RFC 8628) without IO: what a device asks for, what it is told, and the codes that people type.
//!
//! Who asked for what under which code, only the caller's storage knows.

use serde::Serialize;

use crate::{
    Random,
    form::Parameters,
    grant::{TokenError, scopes},
};

/// What a code that people type is made of: consonants, so that no word comes of it and no letter is taken for a digit
/// (RFC 8628, section 6.1).
const ALPHABET: [u8; 20] = *b"BCDFGHJKLMNPQRSTVWXZ";
/// Letters in it: 34 bits. Who guesses is slowed down after a few tries, and a code lives for minutes.
const LETTERS: usize = 8;
/// Letters that are written together.
const GROUP: usize = 4;
/// Bytes below this are taken, so that each letter is as likely as any other.
const FAIR_BELOW: u8 = 240;
/// Longest text that is looked at for a code, in bytes.
const TYPED_BYTES_MAX: usize = 64;

/// Seconds that a device waits between two questions, unless it is told to slow down (RFC 8628, section 3.2).
pub const INTERVAL_SECONDS: i64 = 5;
/// Seconds by which that grows for a device that asks too soon (RFC 8628, section 3.5).
pub const SLOW_DOWN_SECONDS: i64 = 5;

/// A new code for a person to type, as [`normal`] has it.
pub fn user_code(random: &mut dyn Random) -> String {
    let mut code = String::with_capacity(LETTERS);
    while code.len() < LETTERS {
        let mut bytes = [0; LETTERS];
        random.fill(&mut bytes);
        let fair = bytes.into_iter().filter(|byte| *byte < FAIR_BELOW).take(LETTERS - code.len());
        code.extend(fair.map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()])));
    }
    code
}

/// The letters of a code that somebody typed, in whatever case and with whatever between them; `None` for what cannot be one.
pub fn normal(typed: &str) -> Option<String> {
    if typed.len() > TYPED_BYTES_MAX {
        return None;
    }
    let code: String =
        typed.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_uppercase()).collect();
    let is_code = code.len() == LETTERS && code.bytes().all(|byte| ALPHABET.contains(&byte));
    is_code.then_some(code)
}

/// A code as it is shown: `WDJB-MJHT`.
pub fn shown(code: &str) -> String {
    match code.split_at_checked(GROUP) {
        Some((one, other)) => format!("{one}-{other}"),
        None => code.to_owned(),
    }
}

/// The scopes that a device asks for (RFC 8628, section 3.1).
///
/// # Errors
/// [`TokenError::InvalidScope`].
pub fn asked(parameters: &mut Parameters) -> Result<Vec<String>, TokenError> {
    scopes(&parameters.take("scope").unwrap_or_default())
}

/// What a device is told (RFC 8628, section 3.2). Secret.
#[derive(Clone, Serialize)]
pub struct DeviceResponse {
    /// What it asks for tokens with.
    pub device_code: String,
    /// What the person types.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// The same with the code in it, for a QR code.
    pub verification_uri_complete: String,
    /// Seconds until both codes end.
    pub expires_in: i64,
    /// Seconds between two questions.
    pub interval: i64,
}

impl DeviceResponse {
    /// The answer with these codes, for a page at this address.
    pub fn new(device_code: String, user_code: &str, page: String, expires_in: i64) -> Self {
        let user_code = shown(user_code);
        Self {
            verification_uri_complete: format!("{page}?user_code={user_code}"),
            verification_uri: page,
            device_code,
            user_code,
            expires_in,
            interval: INTERVAL_SECONDS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{form, testing::counting};

    #[test]
    fn a_code_is_eight_consonants_and_comes_back_however_it_is_typed() {
        let mut random = counting();
        for _ in 0..1_000 {
            let code = user_code(&mut random);
            assert!(code.len() == LETTERS && code.bytes().all(|byte| ALPHABET.contains(&byte)), "{code}");
            let shown = shown(&code);
            assert_eq!((shown.len(), &shown[4..5]), (9, "-"));
            for typed in
                [shown.to_lowercase(), format!(" {} {}\u{2013}", &code[..3], &code[3..]), code.clone()]
            {
                assert_eq!(normal(&typed).as_deref(), Some(&*code), "{typed}");
            }
        }
        for not in ["", "WDJB-MJH", "WDJB-MJHTT", "WDJA-MJHT", "WDJ8-MJHT", "WDJB-MJH\u{c4}", &"W".repeat(65)]
        {
            assert_eq!(normal(not), None, "{not}");
        }
    }

    #[test]
    fn every_letter_is_as_likely_as_any_other() {
        let mut next = 0_u8;
        let mut all = move |bytes: &mut [u8]| {
            bytes.fill_with(|| {
                next = next.wrapping_add(1);
                next
            });
        };
        let mut counts = std::collections::BTreeMap::new();
        // 240 of each 256 bytes are taken: thirty codes go once round.
        for _ in 0..30 {
            for letter in user_code(&mut all).bytes() {
                *counts.entry(letter).or_insert(0) += 1;
            }
        }
        assert_eq!(counts.into_iter().collect::<Vec<_>>(), ALPHABET.map(|letter| (letter, 12)));
    }

    #[test]
    fn the_answer_names_the_page_with_and_without_the_code() {
        let page = "https://localhost:9443/device".to_owned();
        let answer = DeviceResponse::new("tgd_1".to_owned(), "WDJBMJHT", page, 600);
        assert_eq!(
            serde_json::to_value(answer).unwrap(),
            serde_json::json!({
                "device_code": "tgd_1", "user_code": "WDJB-MJHT",
                "verification_uri": "https://localhost:9443/device",
                "verification_uri_complete": "https://localhost:9443/device?user_code=WDJB-MJHT",
                "expires_in": 600, "interval": 5,
            })
        );
    }

    #[test]
    fn scopes_are_read_as_everywhere() {
        let read = |text: &str| asked(&mut form::parameters(text).unwrap());
        assert_eq!(read("scope=openid+profile").unwrap(), ["openid", "profile"]);
        assert!(read("").unwrap().is_empty());
        assert_eq!(read("scope=%22").unwrap_err(), TokenError::InvalidScope);
    }
}
