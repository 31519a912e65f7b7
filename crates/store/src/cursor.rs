//! Cursors of lists: where a page ended, as `sort key` and `id`, in base64url of JSON. Opaque to callers; whatever
//! they send is only ever compared with columns, so a forged one can name a place and nothing else.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sea_orm::{ColumnTrait, Condition};

/// Longest cursor that is read, in bytes: a folded name of 100 characters and an id stay far below.
const CURSOR_BYTES_MAX: usize = 1_024;

pub(crate) fn write(key: &str, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::json!([key, id]).to_string())
}

/// The place a cursor names; one that cannot be read names the beginning.
pub(crate) fn read(cursor: Option<&str>) -> Option<(String, String)> {
    let cursor = cursor.filter(|cursor| cursor.len() <= CURSOR_BYTES_MAX)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
}

/// Rows after the place, in the order of `key`, then `id`.
pub(crate) fn after(
    place: Option<(String, String)>,
    key: impl ColumnTrait,
    id: impl ColumnTrait,
) -> Condition {
    match place {
        None => Condition::all(),
        Some((at, last)) => Condition::any()
            .add(key.gt(at.as_str()))
            .add(Condition::all().add(key.eq(at.as_str())).add(id.gt(last.as_str()))),
    }
}

#[cfg(test)]
mod tests;
