//! What is taken for a token, how it is asked for, and how long it is waited for.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::*;

#[test]
fn only_a_bearer_token_that_fits_a_header_is_taken() {
    for (body, lifetime) in [
        (r#"{"access_token":"a.b-c_d~e+f/g=","token_type":"Bearer","expires_in":60}"#, Some(60_000)),
        (r#"{"access_token":"a","token_type":"bearer","expires_in":"60","scope":"x"}"#, Some(60_000)),
        (r#"{"access_token":"a","expires_in":null}"#, None),
        (r#"{"access_token":"a","expires_in":9223372036854775807}"#, Some(i64::MAX)),
    ] {
        assert_eq!(issued(body.as_bytes()).unwrap().lifetime_millis, lifetime, "{body}");
    }
    for body in [
        "",
        "token=a",
        "{}",
        r#"{"access_token":""}"#,
        r#"{"access_token":7}"#,
        r#"{"access_token":"a\r\nX-Evil: 1"}"#,
        r#"{"access_token":"a b"}"#,
        r#"{"access_token":"ä"}"#,
        r#"{"access_token":"a","token_type":"mac"}"#,
    ] {
        assert_eq!(issued(body.as_bytes()).unwrap_err(), NoToken::Malformed, "{body}");
    }
    let debug = format!("{:?}", issued(br#"{"access_token":"hidden"}"#).unwrap());
    assert!(!debug.contains("hidden"), "{debug}");
}

struct Still;

impl tidegate_model::port::Clock for Still {
    fn now(&self) -> tidegate_model::time::Timestamp {
        tidegate_model::time::Timestamp(0)
    }
}

impl tidegate_model::port::Entropy for Still {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

#[tokio::test]
async fn an_issuer_that_takes_its_time_is_not_waited_for() {
    let dialler = Dialler::new(crate::dial::DiallerParts {
        rules: crate::dial::AddressRules::default(),
        names: std::sync::Arc::new(crate::dial::SystemNames),
        clock: std::sync::Arc::new(Still),
        entropy: std::sync::Arc::new(Still),
        monotonic: crate::time::Monotonic::start(),
        socket_buffer_bytes: None,
    });
    // It takes the connection, and answers nobody.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let credential = Credential::OAuth {
        token_url: format!("http://{}/token", silent.local_addr().unwrap()),
        client_id: "gateway".to_owned(),
        client_secret: Secret("s3cret".to_owned()),
        scope: String::new(),
    };
    let fetched = dialler.unwrap().fetch_within(Duration::from_millis(100), &credential).await;
    assert_eq!(fetched.unwrap_err(), NoToken::Timeout);
}

#[test]
fn id_and_secret_are_encoded_before_they_are_joined() {
    let url = Url::parse("https://issuer.test:8443/token?tenant=1").unwrap();
    let question = question(&url, "a:b", &Secret("s +%".to_owned()), "x y").unwrap();
    assert_eq!(question.uri(), "/token?tenant=1");
    assert_eq!(question.headers()["host"], "issuer.test:8443");
    let pair = question.headers()["authorization"].to_str().unwrap().strip_prefix("Basic ").unwrap();
    assert_eq!(STANDARD.decode(pair).unwrap(), b"a%3Ab:s+%2B%25");
    assert!(!format!("{question:?}").contains(pair), "{question:?}");
}
