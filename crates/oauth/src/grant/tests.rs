//! Requests for tokens that are refused, each with its code.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::*;

fn basic() -> String {
    format!("Basic {}", STANDARD.encode("id:secret"))
}

#[test]
fn both_ways_of_authentication_work_alone() {
    let request = read(Some(&basic()), "grant_type=client_credentials&scope=a+b+a&other=x").unwrap();
    assert_eq!((request.client.client_id.as_str(), request.client.method), ("id", Method::Basic));
    assert_eq!(request.scopes, ["a", "b"]);
    let request = read(None, "client_secret=s%26&grant_type=client_credentials&client_id=id").unwrap();
    assert_eq!((request.client.client_secret.as_str(), request.client.method), ("s&", Method::Post));
    assert!(read(Some(&basic()), "grant_type=client_credentials&client_id=id").is_ok());
}

#[test]
fn refusals_and_their_codes() {
    let basic = basic();
    for (authorization, form, code) in [
        (Some(&*basic), "", "invalid_request"),
        (Some(&*basic), "grant_type=", "invalid_request"),
        (Some(&*basic), "grant_type=password&username=a&password=b", "unsupported_grant_type"),
        (Some(&*basic), "grant_type=authorization_code&code=x", "unsupported_grant_type"),
        (Some(&*basic), "grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        (Some(&*basic), "grant_type=client_credentials&client_secret=secret", "invalid_request"),
        (Some(&*basic), "grant_type=client_credentials&client_id=other", "invalid_request"),
        (Some(&*basic), "grant_type=client_credentials&scope=a%22b", "invalid_scope"),
        (Some("Bearer x"), "grant_type=client_credentials", "invalid_client"),
        (None, "grant_type=client_credentials", "invalid_client"),
        (None, "grant_type=client_credentials&client_id=id", "invalid_client"),
    ] {
        assert_eq!(read(authorization, form).unwrap_err().code(), code, "{authorization:?} {form}");
    }
    assert_eq!(TokenError::InvalidClient.status(), 401);
    assert_eq!(TokenError::InvalidScope.status(), 400);
}

#[test]
fn only_allowed_grants_and_known_scopes_are_granted() {
    let request = read(Some(&basic()), "grant_type=client_credentials&scope=a").unwrap();
    let (grants, scopes) = ([CLIENT_CREDENTIALS.to_owned()], ["a".to_owned()]);
    assert_eq!(decide(&request, &grants, &scopes), Ok("a".to_owned()));
    assert_eq!(decide(&request, &[], &scopes), Err(TokenError::UnauthorizedClient));
    assert_eq!(decide(&request, &grants, &[]), Err(TokenError::InvalidScope));
}
