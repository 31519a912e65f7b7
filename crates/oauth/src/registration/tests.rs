//! What clients say of themselves: read, bounded, refused by the field that is wrong.

use serde_json::{Value, json};

use super::*;

fn refused(document: &Value) -> (&'static str, String) {
    let error = read(document.to_string().as_bytes()).unwrap_err();
    let code = error.code();
    (code, RegistrationErrorResponse::from(error).error_description)
}

#[test]
fn what_is_not_said_has_the_defaults_of_the_rfc() {
    let metadata = read(br#"{"redirect_uris": ["https://client.test/cb"]}"#).unwrap();
    assert_eq!(
        serde_json::to_value(&metadata).unwrap(),
        json!({
            "redirect_uris": ["https://client.test/cb"], "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": ["authorization_code"], "response_types": ["code"], "application_type": "web",
            "tls_client_certificate_bound_access_tokens": false,
        })
    );
    assert_eq!(read(b"{}").unwrap().grant_types, ["authorization_code"]);
}

#[test]
fn all_that_is_known_is_read_and_told_again() {
    let said = json!({
        "redirect_uris": ["https://client.test/cb"], "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["client_credentials", "authorization_code", "refresh_token"], "response_types": ["code"],
        "application_type": "web", "client_name": "Sensor", "client_uri": "https://client.test/",
        "policy_uri": "https://client.test/policy", "tos_uri": "https://client.test/terms",
        "contacts": ["ops@client.test"], "jwks": {"keys": []}, "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "software_version": "2.2", "post_logout_redirect_uris": ["https://client.test/bye"],
        "tls_client_certificate_bound_access_tokens": true,
    });
    assert_eq!(serde_json::to_value(read(said.to_string().as_bytes()).unwrap()).unwrap(), said);
}

#[test]
fn what_is_not_known_and_what_is_null_is_ignored() {
    let said = json!({
        "grant_types": ["client_credentials"], "response_types": [], "client_name": null, "logo_uri": "javascript:x",
        "client_name#ja-Jpan-JP": 7, "scope": "openid", "id_token_signed_response_alg": "none", "jwks_uri": "https://a.test",
        "jwks": null, "something": {"deep": [1, 2]},
    });
    let metadata = read(said.to_string().as_bytes()).unwrap();
    assert_eq!((metadata.client_name, metadata.jwks, metadata.response_types), (None, None, vec![]));
    let unused = json!({"jwks": {"keys": []}});
    assert_eq!(
        read(unused.to_string().as_bytes()).unwrap().jwks,
        None,
        "keys that prove nothing are not kept"
    );
}

#[test]
fn a_wrong_field_is_refused_by_its_name() {
    let metadata = "invalid_client_metadata";
    for (said, code, begins) in [
        (json!({"redirect_uris": "https://client.test/cb"}), "invalid_redirect_uri", "redirect_uris: "),
        (json!({"redirect_uris": [7]}), "invalid_redirect_uri", "redirect_uris: "),
        (json!({"redirect_uris": ["x".repeat(513)]}), "invalid_redirect_uri", "redirect_uris[0]: "),
        (json!({"redirect_uris": vec!["https://a.test"; 33]}), "invalid_redirect_uri", "redirect_uris: "),
        (json!({"token_endpoint_auth_method": "tls_client_auth"}), metadata, "token_endpoint_auth_method: "),
        (json!({"token_endpoint_auth_method": ""}), metadata, "token_endpoint_auth_method: "),
        (json!({"token_endpoint_auth_method": ["none"]}), metadata, "token_endpoint_auth_method: "),
        (json!({"application_type": "desktop"}), metadata, "application_type: "),
        (json!({"application_type": "native"}), metadata, "application_type: "),
        (json!({"grant_types": "client_credentials"}), metadata, "grant_types: "),
        (
            json!({"grant_types": ["client_credentials"], "response_types": ["code"]}),
            metadata,
            "response_types: ",
        ),
        (json!({"response_types": []}), metadata, "response_types: "),
        (json!({"response_types": ["token"]}), metadata, "response_types: "),
        (json!({"response_types": ["code id_token"]}), metadata, "response_types: "),
        (json!({"client_name": ""}), metadata, "client_name: "),
        (json!({"client_name": "a\nb"}), metadata, "client_name: "),
        (json!({"client_name": {"en": "x"}}), metadata, "client_name: "),
        (json!({"client_uri": "http://client.test"}), metadata, "client_uri: "),
        (json!({"client_uri": "http://localhost"}), metadata, "client_uri: "),
        (json!({"tos_uri": "javascript:alert(1)"}), metadata, "tos_uri: "),
        (json!({"policy_uri": "https://me@client.test/"}), metadata, "policy_uri: "),
        (json!({"contacts": "ops@client.test"}), metadata, "contacts: "),
        (json!({"contacts": vec!["a@client.test"; 11]}), metadata, "contacts: "),
        (json!({"contacts": ["x".repeat(255)]}), metadata, "contacts[0]: "),
        (json!({"jwks": {"keys": []}, "jwks_uri": "https://client.test/jwks"}), metadata, "jwks_uri: "),
        (json!({"jwks": "{}"}), metadata, "jwks: "),
        (
            json!({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://client.test/jwks"}),
            metadata,
            "jwks_uri: ",
        ),
        (json!({"software_id": "x".repeat(101)}), metadata, "software_id: "),
        (json!({"software_version": 2}), metadata, "software_version: "),
        (json!({"tls_client_certificate_bound_access_tokens": "true"}), metadata, "tls_client_certificate"),
        (
            json!({"software_statement": "eyJhbGciOiJub25lIn0.e30."}),
            "unapproved_software_statement",
            "software",
        ),
        (json!({"software_statement": {}}), "invalid_software_statement", "software_statement is no text"),
        (json!([]), metadata, "send one JSON object"),
    ] {
        let (found, description) = refused(&said);
        assert_eq!(found, code, "{said}");
        assert!(description.starts_with(begins), "{said}: {description}");
        assert!(description.bytes().all(|byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~')));
    }
}

#[test]
fn a_document_that_two_parsers_could_read_in_two_ways_is_none() {
    for document in [
        &br#"{"client_name": "a", "client_name": "b"}"#[..],
        br#"{"jwks": {"keys": [], "keys": []}}"#,
        b"",
        b"{",
        b"\xff",
        b"null",
        b"client_name=a",
        format!("{{\"x\": \"{}\"}}", "x".repeat(DOCUMENT_BYTES_MAX)).as_bytes(),
        "[".repeat(10_000).as_bytes(),
    ] {
        assert_eq!(read(document).unwrap_err().code(), "invalid_client_metadata");
    }
}

#[test]
fn a_replacement_is_about_its_client_and_says_nothing_that_the_server_says() {
    let whole = json!({"client_id": "abc", "client_secret": "tgs_x", "client_name": "Sensor"});
    let read = |said: &Value| read_replacement(said.to_string().as_bytes());
    let replacement = read(&whole).ok().unwrap();
    assert_eq!(
        (replacement.client_id.as_str(), replacement.client_secret.as_deref()),
        ("abc", Some("tgs_x"))
    );
    assert_eq!(replacement.metadata.client_name.as_deref(), Some("Sensor"));
    for (name, value) in [
        ("registration_access_token", json!("tgm_x")),
        ("registration_client_uri", json!("https://localhost:9443/oauth2/register/abc")),
        ("client_secret_expires_at", json!(0)),
        ("client_id_issued_at", json!(1)),
        ("client_id", Value::Null),
        ("client_id", json!("a\u{e4}")),
    ] {
        let mut wrong = whole.clone();
        wrong[name] = value;
        assert_eq!(read(&wrong).err().map(|error| error.code()), Some("invalid_request"), "{name}");
    }
}
