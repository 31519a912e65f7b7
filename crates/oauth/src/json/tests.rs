//! One text, one reading.

use serde_json::json;

use super::*;

#[test]
fn an_object_is_read_as_it_stands() {
    let text = br#" {"a":[1,-2,1.5,true,null,{"b":"\u00e9"}],"c":{}} "#;
    assert_eq!(
        object(text).map(Value::Object),
        Some(json!({"a": [1, -2, 1.5, true, null, {"b": "é"}], "c": {}}))
    );
}

#[test]
fn what_has_two_readings_or_is_no_object_is_refused() {
    let deep = "[".repeat(10_000);
    for text in [
        "",
        "null",
        "[]",
        "1",
        "\"a\"",
        "{",
        "{} {}",
        "{}x",
        "{\"a\":1,}",
        "{'a':1}",
        "{\"a\":1e400}",
        "{\"a\":NaN}",
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"a":{"b":1,"b":2}}"#,
        r#"{"a":[{"b":1,"b":2}]}"#,
        &deep,
        &format!("{{\"a\":{deep}"),
    ] {
        assert_eq!(object(text.as_bytes()), None, "{text:.40}");
    }
    assert_eq!(object(b"{\"a\":\"\xff\"}"), None, "not UTF-8");
}
