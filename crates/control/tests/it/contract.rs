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

#[test]
fn a_body_made_of_two_parts_refuses_the_fields_of_neither() {
    let document: serde_json::Value = serde_json::from_str(&tidegate_control::openapi_json()).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        for part in schema["allOf"].as_array().into_iter().flatten() {
            let reference = part["$ref"].as_str().and_then(|path| path.rsplit('/').next());
            let part = reference.map_or(part, |other| &schemas[other]);
            assert_eq!(part["additionalProperties"], serde_json::Value::Null, "{name} fits nothing");
        }
    }
    let properties = |name: &str| schemas[name]["properties"].as_object().unwrap().len();
    assert_eq!(properties("NewKey"), properties("KeyChange") + 1);
    assert_eq!(schemas["NewKey"]["required"], serde_json::json!(["type"]));
}

#[test]
fn problems_stand_in_the_document_under_the_type_that_they_are_sent_with() {
    let document: serde_json::Value = serde_json::from_str(&tidegate_control::openapi_json()).unwrap();
    let mut found = 0;
    for operations in document["paths"].as_object().unwrap().values() {
        for operation in operations.as_object().unwrap().values() {
            let problem = &operation["responses"]["default"]["content"];
            assert!(problem["application/problem+json"].is_object(), "{operation}");
            assert!(problem["application/json"].is_null(), "{operation}");
            found += 1;
        }
    }
    assert!(found > 50, "{found}");
}
