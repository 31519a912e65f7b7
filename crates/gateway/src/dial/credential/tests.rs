//! What is shown to a backend is not seen anywhere else.

use tidegate_model::user::Secret;

use super::*;

#[test]
fn what_is_shown_is_not_seen() {
    let shown = Shown::authorization(b"Basic c2VjcmV0".to_vec(), None);
    assert!(!format!("{shown:?}").contains("c2V"), "{shown:?}");
    let hidden = Credential::Basic { username: "me".to_owned(), password: Secret("secret".to_owned()) };
    assert!(!format!("{hidden:?}").contains("secret"));
}
