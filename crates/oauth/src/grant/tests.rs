//! Requests for tokens that are refused, each with its code.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use proptest::prelude::*;
use serde_json::json;

use super::{client_credentials::Asked as ClientCredentials, *};
use crate::client::{Method, Proof};

/// As the form reader bounds them.
const PARAMETERS_MAX: usize = 64;

fn scopes_of(request: &TokenRequest) -> &[String] {
    match &request.asked {
        Asked::ClientCredentials(ClientCredentials { scopes }) => scopes,
        other => panic!("{other:?}"),
    }
}

fn basic() -> String {
    format!("Basic {}", STANDARD.encode("id:secret"))
}

#[test]
fn both_ways_of_authentication_work_alone() {
    let request = read(Some(&basic()), "grant_type=client_credentials&scope=a+b+a&other=x").unwrap();
    assert_eq!((request.client.client_id.as_str(), request.client.method()), ("id", Method::Basic));
    assert_eq!(scopes_of(&request), ["a", "b"]);
    let request = read(None, "client_secret=s%26&grant_type=client_credentials&client_id=id").unwrap();
    assert!(request.client.proof == Proof::Secret("s&".to_owned(), Method::Post));
    assert!(read(Some(&basic()), "grant_type=client_credentials&client_id=id").is_ok());
}

#[test]
fn refusals_and_their_codes() {
    let basic = basic();
    for (authorization, form, code) in [
        (Some(&*basic), "", "invalid_request"),
        (Some(&*basic), "grant_type=", "invalid_request"),
        (Some(&*basic), "grant_type=password&username=a&password=b", "unsupported_grant_type"),
        (Some(&*basic), "grant_type=authorization_code&code=x&redirect_uri=y", "invalid_request"),
        (Some(&*basic), "grant_type=authorization_code&code=x&code_verifier=y", "invalid_request"),
        (Some(&*basic), "grant_type=authorization_code&redirect_uri=x&code_verifier=y", "invalid_request"),
        (Some(&*basic), "grant_type=refresh_token", "invalid_request"),
        (Some(&*basic), "grant_type=refresh_token&refresh_token=x&scope=%22", "invalid_scope"),
        (Some(&*basic), "grant_type=implicit", "unsupported_grant_type"),
        (Some(&*basic), "grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        (Some(&*basic), "grant_type=client_credentials&client_secret=secret", "invalid_request"),
        (Some(&*basic), "grant_type=client_credentials&client_id=other", "invalid_request"),
        (Some(&*basic), "grant_type=client_credentials&scope=a%22b", "invalid_scope"),
        (Some(&*basic), "grant_type=client_credentials&scope=%C3%A9", "invalid_scope"),
        (Some(&*basic), "grant_type=client_credentials&x=1&%78=2", "invalid_request"),
        (Some(&*basic), "grant_type=client_credentials&x=%zz", "invalid_request"),
        (Some(&*basic), "grant_type=client_credentials&x=%ff", "invalid_request"),
        (Some(&*basic), "grant_type=client%20credentials", "unsupported_grant_type"),
        (Some(&*basic), "grant_type=CLIENT_CREDENTIALS", "unsupported_grant_type"),
        (Some(&*basic), "{\"grant_type\":\"client_credentials\"}", "invalid_request"),
        (None, "grant_type=client_credentials&client_id=%0a&client_secret=s", "invalid_client"),
        (Some("Bearer x"), "grant_type=client_credentials", "invalid_client"),
        (None, "grant_type=client_credentials", "invalid_client"),
    ] {
        assert_eq!(read(authorization, form).unwrap_err().code(), code, "{authorization:?} {form}");
    }
}

#[test]
fn forms_without_bound_are_refused() {
    let sized = |length: usize| {
        let form = "grant_type=client_credentials&filler=";
        format!("{form}{}", "x".repeat(length - form.len()))
    };
    let counted = |count: usize| {
        (1..count).fold("grant_type=client_credentials".to_owned(), |form, n| form + &format!("&p{n}="))
    };
    let scoped = |length: usize| format!("grant_type=client_credentials&scope={}", "s".repeat(length));
    for (largest, larger, error) in [
        (
            sized(FORM_BYTES_MAX),
            sized(FORM_BYTES_MAX + 1),
            TokenError::InvalidRequest("the form is too large"),
        ),
        (
            counted(PARAMETERS_MAX),
            counted(PARAMETERS_MAX + 1),
            TokenError::InvalidRequest("the form has too many parameters"),
        ),
        (scoped(SCOPE_BYTES_MAX), scoped(SCOPE_BYTES_MAX + 1), TokenError::InvalidScope),
    ] {
        assert!(read(Some(&basic()), &largest).is_ok(), "{error}");
        assert_eq!(read(Some(&basic()), &larger), Err(error));
    }
}

#[test]
fn only_an_unproven_client_gets_401_and_a_challenge() {
    assert_eq!(TokenError::InvalidClient.status(), 401);
    assert!(TokenError::InvalidClient.challenge().unwrap().starts_with("Basic "));
    for error in [TokenError::UnauthorizedClient, TokenError::UnsupportedGrantType, TokenError::InvalidScope]
    {
        assert_eq!((error.status(), error.challenge()), (400, None));
    }
    assert_eq!(TokenError::InvalidScope.status(), 400);
}

#[test]
fn a_parameter_without_a_value_counts_as_absent() {
    let request =
        read(Some(&basic()), "grant_type=client_credentials&client_secret=&client_id=&scope=").unwrap();
    assert_eq!(request.client.method(), Method::Basic);
    assert!(scopes_of(&request).is_empty());
    let request = read(None, "grant_type=client_credentials&client_secret=&client_id=i").unwrap();
    assert!(request.client.proof == Proof::None, "whether that is enough is asked later");
}

#[test]
fn only_allowed_grants_and_scopes_are_granted() {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let allowed = owned(&["a", "b"]);
    let asks = |scope: &str| {
        granted(
            &owned(scope.split(' ').filter(|one| !one.is_empty()).collect::<Vec<_>>().as_slice()),
            &allowed,
        )
    };
    assert_eq!(asks("a"), Ok("a".to_owned()));
    assert_eq!(asks("b a"), Ok("b a".to_owned()));
    assert_eq!(asks(""), Ok("a b".to_owned()), "none requested: all that it may have");
    assert_eq!(granted(&[], &[]), Ok(String::new()));
    assert_eq!(asks("a c"), Err(TokenError::InvalidScope));
    assert_eq!(asks("A"), Err(TokenError::InvalidScope));
    for grant in GrantType::ALL {
        assert_eq!(GrantType::parse(grant.as_str()), Some(grant));
        assert_eq!(is_allowed(grant, &owned(&["x", grant.as_str()])), Ok(()));
        assert_eq!(is_allowed(grant, &owned(&["x"])), Err(TokenError::UnauthorizedClient));
    }
}

#[test]
fn a_code_and_a_refresh_token_are_worth_nothing_without_what_belongs_to_them() {
    let verifier = "v".repeat(43);
    let challenge = crate::pkce::challenge(&verifier);
    let form = format!(
        "grant_type=authorization_code&client_id=i&code=x&redirect_uri=https://a.test&code_verifier={verifier}"
    );
    let Asked::AuthorizationCode(asked) = read(None, &form).unwrap().asked else { panic!("{form}") };
    assert_eq!(asked.belongs_to("https://a.test", &challenge), Ok(()));
    assert_eq!(asked.belongs_to("https://a.test/", &challenge), Err(code::INVALID));
    assert_eq!(asked.belongs_to("https://a.test", &verifier), Err(code::INVALID));
    assert_eq!(asked.code_hash(), Err(code::INVALID), "not of our shape: storage is not asked");
    let form = "grant_type=refresh_token&client_id=i&refresh_token=x&scope=b";
    let Asked::RefreshToken(asked) = read(None, form).unwrap().asked else { panic!("{form}") };
    assert_eq!(asked.token_hash(), Err(refresh::INVALID));
    assert_eq!(asked.narrowed("a b"), Ok("b".to_owned()));
    assert_eq!(asked.narrowed("a"), Err(TokenError::InvalidScope));
    assert_eq!(asked.narrowed(""), Err(TokenError::InvalidScope));
}

#[test]
fn answers_have_the_shape_of_the_rfc() {
    let granted = |scope: &str| TokenResponse::bearer("t".to_owned(), 3_600, scope.to_owned());
    assert_eq!(
        serde_json::to_value(granted("a b")).unwrap(),
        json!({"access_token": "t", "token_type": "Bearer", "expires_in": 3_600, "scope": "a b"})
    );
    assert!(serde_json::to_value(granted("")).unwrap().get("scope").is_none());
    assert_eq!(
        serde_json::to_value(TokenErrorResponse::from(TokenError::InvalidRequest("why"))).unwrap(),
        json!({"error": "invalid_request", "error_description": "why"})
    );
}

#[test]
fn a_request_does_not_print_its_secret() {
    let request = read(None, "grant_type=client_credentials&client_id=i&client_secret=hidden").unwrap();
    assert!(!format!("{request:?}").contains("hidden"));
}

proptest! {
    #[test]
    fn never_panics(authorization: Option<String>, form in "[a-z_=&%+0-9é]{0,60}") {
        let _ = read(authorization.as_deref(), &form);
    }
}
