//! Authorization requests: who is told of a failure, and of which.

use proptest::prelude::*;

use super::*;

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn query(more: &str) -> String {
    format!(
        "response_type=code&client_id=id&redirect_uri=https%3A%2F%2Fa.test%2Fcb&code_challenge={CHALLENGE}\
         &code_challenge_method=S256{more}"
    )
}

#[test]
fn a_whole_request_is_read() {
    let query =
        query("&state=x%26y&scope=openid+profile+openid&nonce=n&prompt=consent%20login&max_age=5&other=1");
    let request = read(&query).unwrap();
    let to = ReturnTo {
        client_id: "id".to_owned(),
        redirect_uri: "https://a.test/cb".to_owned(),
        state: Some("x&y".to_owned()),
    };
    assert_eq!(request.to, to);
    let asked = request.asked().unwrap();
    assert_eq!(asked.scopes, ["openid", "profile"]);
    assert_eq!(
        (asked.nonce.as_deref(), asked.max_age, asked.challenge.as_str()),
        (Some("n"), Some(5), CHALLENGE)
    );
    assert_eq!(asked.prompt, Prompt { none: false, login: true, consent: true });
    let again = read(&request.query_after_sign_in()).unwrap();
    assert_eq!(again.to, to);
    let again = again.asked().unwrap();
    assert_eq!((again.prompt.login, again.prompt.consent, again.max_age), (false, true, None));
    assert_eq!((again.scopes, again.nonce), (asked.scopes, asked.nonce));
}

#[test]
fn nobody_is_sent_anywhere_before_it_is_known_where_to() {
    let with = |more: &str| format!("response_type=code&{more}");
    for (query, expected) in [
        (with("redirect_uri=https://a.test"), Local::Client),
        (with("client_id=&redirect_uri=https://a.test"), Local::Client),
        (with("client_id=%0a&redirect_uri=https://a.test"), Local::Client),
        (with("client_id=a&client_id=a&redirect_uri=https://a.test"), Local::Client),
        (with("client_id=a"), Local::Redirect),
        (with("client_id=a&redirect_uri="), Local::Redirect),
        (with("client_id=a&redirect_uri=https://a.test&redirect_uri=https://a.test"), Local::Redirect),
        (with("client_id=a&redirect_uri=https://a.test&redirect%5Furi=https://b.test"), Local::Redirect),
        (with("client_id=a&redirect_uri=%zz"), Local::Malformed),
        (with("client_id=a&redirect_uri=%ff"), Local::Malformed),
        (with(&"x=1&".repeat(PARAMETERS_MAX)), Local::Malformed),
        ("a".repeat(QUERY_BYTES_MAX + 1), Local::Malformed),
        (String::new(), Local::Client),
    ] {
        assert_eq!(read(&query).unwrap_err(), expected, "{query}");
    }
}

#[test]
fn what_a_client_did_wrong_goes_back_to_it() {
    let cut = |name: &str| {
        query("").split('&').filter(|pair| !pair.starts_with(name)).collect::<Vec<_>>().join("&")
    };
    for (query, code) in [
        (cut("response_type="), "invalid_request"),
        (query("").replace("=code&", "=token&"), "unsupported_response_type"),
        (query("").replace("=code&", "=code%20id_token&"), "unsupported_response_type"),
        (cut("code_challenge="), "invalid_request"),
        (cut("code_challenge_method="), "invalid_request"),
        (query("").replace("S256", "plain"), "invalid_request"),
        (query("").replace("S256", "s256"), "invalid_request"),
        (query("").replace(CHALLENGE, "short"), "invalid_request"),
        (query("&response_mode=fragment"), "invalid_request"),
        (query("&response_mode=form_post"), "invalid_request"),
        (query("&state=a&state=b"), "invalid_request"),
        (query("&x=a&x=b"), "invalid_request"),
        (query(&format!("&state={}", "a".repeat(STATE_BYTES_MAX + 1))), "invalid_request"),
        (query(&format!("&nonce={}", "a".repeat(NONCE_BYTES_MAX + 1))), "invalid_request"),
        (query("&prompt=none+login"), "invalid_request"),
        (query("&prompt=select_account"), "invalid_request"),
        (query("&max_age=-1"), "invalid_request"),
        (query("&max_age=soon"), "invalid_request"),
        (query("&scope=%22"), "invalid_scope"),
        (query("&request=eyJhbGciOiJub25lIn0.e30."), "request_not_supported"),
        (query("&request_uri=https://evil.test"), "request_uri_not_supported"),
    ] {
        assert_eq!(read(&query).unwrap().asked().unwrap_err().code(), code, "{query}");
    }
}

#[test]
fn answers_carry_the_state_and_the_issuer() {
    let to = read(&query("&state=s%20t")).unwrap().to;
    assert_eq!(
        to.with_code("c", "https://iss.test"),
        "https://a.test/cb?code=c&state=s%20t&iss=https%3A%2F%2Fiss.test"
    );
    let denied = to.with_error(AuthorizeError::AccessDenied, "https://iss.test");
    assert!(
        denied.starts_with("https://a.test/cb?error=access_denied&error_description=the%20person"),
        "{denied}"
    );
    assert!(denied.ends_with("&state=s%20t&iss=https%3A%2F%2Fiss.test"), "{denied}");
}

proptest! {
    #[test]
    fn no_query_panics(query in ".{0,200}", more in "[a-z_=&%+0-9]{0,200}") {
        for text in [query.as_str(), &more, &super::tests::query(&format!("&{more}"))] {
            if let Ok(request) = read(text) {
                let _ = request.asked();
                let _ = read(&request.query_after_sign_in());
            }
        }
    }
}
