//! The committed OpenAPI document is the one the code makes.

use std::{fs, path::Path};

#[test]
fn the_committed_document_is_what_the_code_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/control.json");
    let made = tidegate_control::openapi_json();
    if std::env::var_os("TIDEGATE_BLESS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == made,
        "openapi/control.json is stale: run `cargo xtask generate` and commit what it writes"
    );
}
