//! What is sealed is opened in its place with its key, and nowhere else.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn vault(folder: &tempfile::TempDir, name: &str) -> Vault {
    Vault::make(&folder.path().join(name)).unwrap()
}

#[test]
fn a_secret_is_opened_with_its_key_in_its_place_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (vault(&folder, "one"), vault(&folder, "other"));
    for text in ["hunter2", "ü", "sealed:1:x:y", &"x".repeat(70_000)] {
        let secret = Secret(text.to_owned());
        let sealed = one.seal("api:1", &secret).unwrap();
        assert!(!sealed.0.contains(text) || text.len() < 3, "{sealed:?}");
        assert_eq!(one.open("api:1", &sealed).unwrap(), secret);
        assert!(one.open("api:2", &sealed).is_err(), "it is nobody else's");
        assert!(other.open("api:1", &sealed).is_err(), "another key opens nothing");
        assert_ne!(one.seal("api:1", &secret).unwrap(), sealed, "the same twice does not look the same");
    }
    assert_eq!(one.seal("api:1", &Secret::default()).unwrap(), Secret::default());
    assert_eq!(one.open("api:1", &Secret::default()).unwrap(), Secret::default());
}

#[test]
fn what_was_touched_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(&folder, "key");
    let sealed = vault.seal("api:1", &Secret("hunter2".to_owned())).unwrap().0;
    for place in 0..sealed.len() {
        let mut bytes = sealed.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let touched = Secret(String::from_utf8(bytes).unwrap());
        // The last character of base64 may have bits that say nothing; those are refused as well.
        assert!(vault.open("api:1", &touched).is_err(), "{place}");
    }
    for text in ["hunter2", "sealed:1:", "sealed:1:x", "sealed:2:a:b", &sealed[..sealed.len() - 9]] {
        assert!(vault.open("api:1", &Secret(text.to_owned())).is_err(), "{text}");
    }
}

#[test]
fn a_key_file_is_its_owners_and_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    assert!(Vault::read(&path).unwrap().is_none());
    let made = Vault::make(&path).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(Vault::read(&path).unwrap().unwrap().name, made.name);
    assert!(matches!(Vault::make(&path), Err(KeyError::File { .. })));
    for text in ["", "tidegate-secrets-key-1 ", "tidegate-secrets-key-1 c2hvcnQ", "something else"] {
        std::fs::write(&path, text).unwrap();
        assert!(matches!(Vault::read(&path), Err(KeyError::Unreadable(_))), "{text:?}");
    }
}
