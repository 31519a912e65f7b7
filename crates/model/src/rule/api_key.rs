//! Rules of an API key's fields.

use super::{FieldProblem, Problems, label};
use crate::{
    application::{API_KEY_PLACES_MAX, ApiKey},
    network::Networks,
    security::{ORIGIN_BYTES_MAX, check_page},
    time::Timestamp,
};

/// Everything of an API key that its owner says.
pub fn api_key(key: &ApiKey, now: Timestamp, problems: &mut Problems) {
    label("/name", &key.name, problems);
    let mut problem = |pointer: String, code, detail: String| {
        problems.push(FieldProblem::new(pointer, code, detail));
    };
    if key.expires_at.is_some_and(|end| end <= now) {
        problem("/expires_in_days".to_owned(), "out_of_range", "Choose a time to come.".to_owned());
    }
    for (list, count) in [("addresses", key.addresses.len()), ("referers", key.referers.len())] {
        if count > API_KEY_PLACES_MAX {
            let detail = format!("A key names at most {API_KEY_PLACES_MAX} of these.");
            problem(format!("/{list}"), "too_many", detail);
        }
    }
    for (place, address) in key.addresses.iter().enumerate() {
        let is_one = !address.contains(',') && !address.trim().is_empty();
        if !is_one || Networks::parse(address).is_err() {
            let detail = "Write an address or a network like 192.0.2.0/24 or 2001:db8::/32.";
            problem(format!("/addresses/{place}"), "malformed", detail.to_owned());
        }
    }
    for (place, page) in key.referers.iter().enumerate() {
        if page.len() > ORIGIN_BYTES_MAX {
            let detail = format!("An origin has at most {ORIGIN_BYTES_MAX} bytes.");
            problem(format!("/referers/{place}"), "too_long", detail);
        } else if let Err(error) = check_page(page) {
            problem(format!("/referers/{place}"), "malformed", error.to_string());
        }
    }
}
