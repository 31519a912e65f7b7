//! ID tokens that are believed, and those that are not: each refused one is signed by the issuer's own key, unless the
//! signature is what is wrong.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{NotVouchedFor as No, *};
use crate::{
    jwk::{SigningKey, SystemRandom, key_set},
    testing::counting,
};

const ISSUER: &str = "https://sso.example";
const NOW: i64 = 1_800_000_000;
const EXPECTED: Expected<'static> = Expected {
    issuer: ISSUER,
    client_id: "tidegate",
    nonce: "this-sign-in",
    access_token: "their-access-token",
    now: NOW,
};

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "248289761001", "aud": "tidegate", "exp": NOW + 300, "iat": NOW - 1,
        "nonce": "this-sign-in", "preferred_username": "ada", "groups": ["staff", 7, "boss"],
        "realm_access": {"roles": ["creator"]}, "https://example.com/roles": "one"})
}

fn new_key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm, &SystemRandom::new()).unwrap()
}

fn with(mut object: Value, name: &str, value: Option<Value>) -> Value {
    let map = object.as_object_mut().unwrap();
    match value {
        Some(value) => drop(map.insert(name.to_owned(), value)),
        None => drop(map.remove(name)),
    }
    object
}

#[test]
fn a_token_of_the_issuer_for_this_sign_in_is_believed_with_each_algorithm() {
    for algorithm in Algorithm::ALL {
        let key = new_key(algorithm);
        let claims = with(claims(), "at_hash", Some(half_hash(algorithm, "their-access-token").into()));
        let token = key.jws("JWT", &claims).unwrap();
        let read = verify(&token, &key_set([&key]), &EXPECTED).unwrap();
        assert_eq!(read.subject, "248289761001");
        assert_eq!(read.text("preferred_username"), Some("ada"));
        assert_eq!(read.texts("groups").unwrap(), ["staff", "boss"]);
        assert_eq!(read.texts("realm_access.roles").unwrap(), ["creator"]);
        assert_eq!(read.texts("https://example.com/roles").unwrap(), ["one"]);
        assert_eq!((read.texts("nothing"), read.texts("groups.0"), read.text("groups")), (None, None, None));
    }
}

#[test]
fn every_claim_is_judged() {
    let key = new_key(Algorithm::Es256);
    let keys = key_set([&key]);
    for (name, value, expected) in [
        ("iss", Some(json!("https://evil.example")), No::WrongIssuer),
        ("iss", Some(json!("https://sso.example/")), No::WrongIssuer),
        ("iss", None, No::WrongIssuer),
        ("aud", Some(json!("somebody-else")), No::WrongAudience),
        ("aud", Some(json!(["tidegate", "somebody-else"])), No::WrongAudience),
        ("aud", Some(json!([])), No::WrongAudience),
        ("aud", Some(json!({"tidegate": true})), No::Malformed),
        ("aud", None, No::WrongAudience),
        ("azp", Some(json!("somebody-else")), No::WrongAudience),
        ("azp", Some(json!(null)), No::WrongAudience),
        ("nonce", Some(json!("another-sign-in")), No::WrongNonce),
        ("nonce", Some(json!("")), No::WrongNonce),
        ("nonce", None, No::WrongNonce),
        ("exp", Some(json!(NOW)), No::Expired),
        ("exp", Some(json!("soon")), No::Malformed),
        ("exp", None, No::Malformed),
        ("iat", Some(json!(NOW + SKEW_SECONDS + 1)), No::NotYetValid),
        ("iat", Some(json!(NOW - REQUEST_SECONDS - SKEW_SECONDS - 1)), No::Expired),
        ("iat", None, No::Malformed),
        ("nbf", Some(json!(NOW + SKEW_SECONDS + 1)), No::NotYetValid),
        ("events", Some(json!({})), No::WrongType),
        ("at_hash", Some(json!(half_hash(Algorithm::Es256, "another-token"))), No::WrongAudience),
        ("sub", Some(json!("")), No::Malformed),
        ("sub", Some(json!(7)), No::Malformed),
        ("sub", Some(json!("a\u{e4}")), No::Malformed),
        ("sub", Some(json!("a\nb")), No::Malformed),
        ("sub", Some(json!("x".repeat(256))), No::Malformed),
        ("sub", None, No::Malformed),
    ] {
        let token = key.jws("JWT", &with(claims(), name, value.clone())).unwrap();
        assert_eq!(verify(&token, &keys, &EXPECTED), Err(expected), "{name}: {value:?}");
    }
    for (name, value) in [("aud", json!(["tidegate"])), ("azp", json!("tidegate")), ("sub", json!("a b"))] {
        let token = key.jws("JWT", &with(claims(), name, Some(value))).unwrap();
        assert!(verify(&token, &keys, &EXPECTED).is_ok(), "{name}");
    }
}

#[test]
fn what_the_header_says_chooses_nothing_but_a_key_of_the_issuer() {
    let (key, other) = (new_key(Algorithm::Es256), new_key(Algorithm::Rs256));
    let keys = key_set([&key, &other]);
    let usual = json!({"typ": "JWT", "alg": "ES256", "kid": key.kid()});
    for (name, value, expected) in [
        ("alg", Some(json!("none")), No::UnknownKey),
        ("alg", Some(json!("HS256")), No::UnknownKey),
        ("alg", Some(json!("RS256")), No::UnknownKey),
        ("alg", Some(json!("es256")), No::UnknownKey),
        ("alg", None, No::UnknownKey),
        ("kid", Some(json!("nobody")), No::UnknownKey),
        ("kid", Some(json!(7)), No::UnknownKey),
        ("kid", Some(json!(other.kid())), No::UnknownKey),
        ("kid", None, No::UnknownKey),
        ("typ", Some(json!("at+jwt")), No::WrongType),
        ("typ", Some(json!("logout+jwt")), No::WrongType),
        ("typ", Some(json!(1)), No::WrongType),
        ("crit", Some(json!(["exp"])), No::WrongType),
        ("b64", Some(json!(false)), No::WrongType),
    ] {
        let token = key.signed(&with(usual.clone(), name, value.clone()), &claims()).unwrap();
        assert_eq!(verify(&token, &keys, &EXPECTED), Err(expected), "{name}: {value:?}");
    }
    let silent = key.signed(&json!({"alg": "ES256"}), &claims()).unwrap();
    assert!(verify(&silent, &key_set([&key]), &EXPECTED).is_ok(), "one key needs no name");
    // A stranger's key under the name of the issuer's.
    let forged = new_key(Algorithm::Es256).signed(&usual, &claims()).unwrap();
    assert_eq!(verify(&forged, &keys, &EXPECTED), Err(No::BadSignature));
    let good = key.signed(&usual, &claims()).unwrap();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = message.split_once('.').unwrap();
    let boss = URL_SAFE_NO_PAD.encode(with(claims(), "sub", Some(json!("1"))).to_string());
    for (broken, expected) in [
        (format!("{header}.{boss}.{signature}"), No::BadSignature),
        (format!("{message}."), No::BadSignature),
        (message.to_owned(), No::Malformed),
        (String::new(), No::Malformed),
        (format!("{good}.x"), No::Malformed),
        ("x".repeat(TOKEN_BYTES_MAX + 1), No::Malformed),
    ] {
        assert_eq!(verify(&broken, &keys, &EXPECTED), Err(expected), "{broken:.40}");
    }
    assert_eq!(verify(&good, "{}", &EXPECTED), Err(No::UnknownKey));
}

fn begun() -> Begun {
    Begun::new("about".to_owned(), &mut counting())
}

fn found() -> Endpoints {
    let document = json!({"issuer": ISSUER, "authorization_endpoint": "https://sso.example/authorize?tenant=1",
        "token_endpoint": "https://sso.example/token", "jwks_uri": "https://sso.example/jwks"});
    endpoints(document.to_string().as_bytes(), ISSUER).unwrap()
}

#[test]
fn a_request_is_bound_to_the_browser_that_began_it() {
    let begun = begun();
    assert_eq!(Begun::read(&begun.kept()).as_ref(), Some(&begun));
    let address = begun.address(&found(), "tidegate", "https://portal.test/cb", "openid profile");
    let address = address.strip_prefix("https://sso.example/authorize?tenant=1&").unwrap();
    let mut query = form::parameters(address).unwrap();
    let mut take = |name: &str| query.take(name).unwrap();
    assert_eq!(take("response_type"), "code");
    assert_eq!((take("client_id"), take("scope")), ("tidegate".to_owned(), "openid profile".to_owned()));
    assert_eq!(take("redirect_uri"), "https://portal.test/cb");
    assert_eq!((take("state"), take("nonce")), (begun.state(), begun.nonce()));
    assert_eq!(take("code_challenge_method"), "S256");
    assert!(pkce::proves(&begun.verifier(), &take("code_challenge")));
    // None says anything of another, nor of what the browser keeps.
    let (state, nonce, verifier) = (begun.state(), begun.nonce(), begun.verifier());
    assert!(state != nonce && nonce != verifier && state != verifier);
    assert!(!address.contains(&begun.secret) && !format!("{begun:?}").contains(&begun.secret));
    // What it is for cannot be changed on the way.
    let other = Begun::read(&begun.kept().replace("about", "other")).unwrap();
    assert!(!other.is_state(&state) && begun.is_state(&state));
    for odd in ["", "about", "x.about", ".about", &begun.secret] {
        assert_eq!(Begun::read(odd), None, "{odd}");
    }
}

#[test]
fn what_comes_back_is_of_this_browser_and_of_this_issuer() {
    let (begun, silent) = (begun(), found());
    let names_itself = Endpoints { names_itself: true, ..silent.clone() };
    let state = begun.state();
    for (query, endpoints, expected) in [
        (format!("code=c&state={state}"), &silent, Ok("c")),
        (format!("code=c&state={state}&iss=https%3A%2F%2Fsso.example"), &silent, Ok("c")),
        (format!("code=c&state={state}&iss=https%3A%2F%2Fsso.example"), &names_itself, Ok("c")),
        (format!("code=c&state={state}&iss=https%3A%2F%2Fevil.example"), &silent, Err(No::WrongIssuer)),
        (format!("code=c&state={state}"), &names_itself, Err(No::WrongIssuer)),
        (format!("error=access_denied&state={state}"), &silent, Err(No::Declined)),
        ("code=c&state=other".to_owned(), &silent, Err(No::WrongState)),
        ("error=access_denied&state=other".to_owned(), &silent, Err(No::WrongState)),
        ("code=c".to_owned(), &silent, Err(No::WrongState)),
        (String::new(), &silent, Err(No::WrongState)),
        (format!("state={state}"), &silent, Err(No::Malformed)),
        (format!("code=c&code=d&state={state}"), &silent, Err(No::Malformed)),
        (format!("code={}&state={state}", "c".repeat(CODE_BYTES_MAX + 1)), &silent, Err(No::Malformed)),
    ] {
        let found = code(&query, &begun, ISSUER, endpoints);
        assert_eq!(found.as_deref().map_err(|error| *error), expected, "{query:.60}");
    }
}

#[test]
fn documents_say_what_they_have_to_of_the_issuer_that_is_meant() {
    let whole = json!({"issuer": ISSUER, "authorization_endpoint": "a", "token_endpoint": "t", "jwks_uri": "k",
        "userinfo_endpoint": "u", "authorization_response_iss_parameter_supported": true,
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"]});
    let read = |document: &Value| endpoints(document.to_string().as_bytes(), ISSUER);
    let found = read(&whole).unwrap();
    assert_eq!((found.userinfo.as_deref(), found.names_itself, found.posts_secret), (Some("u"), true, true));
    let both = json!(["client_secret_post", "client_secret_basic"]);
    let found = read(&with(whole.clone(), "token_endpoint_auth_methods_supported", Some(both))).unwrap();
    assert!(!found.posts_secret, "Basic where both are taken");
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        assert_eq!(read(&with(whole.clone(), name, None)), Err(BadDocument::Malformed), "{name}");
        assert_eq!(read(&with(whole.clone(), name, Some(json!(1)))), Err(BadDocument::Malformed), "{name}");
    }
    let other = with(whole, "issuer", Some(json!("https://evil.example")));
    assert_eq!(read(&other), Err(BadDocument::OtherIssuer));
}

#[test]
fn a_code_is_worth_an_id_token_and_what_is_told_beside_it_is_of_the_same_person() {
    let good = json!({"id_token": "i", "access_token": "a", "token_type": "bearer"}).to_string();
    let read = tokens(good.as_bytes()).unwrap();
    assert_eq!((read.id_token.as_str(), read.access_token.as_str()), ("i", "a"));
    assert_eq!(format!("{read:?}"), "Tokens(…)");
    let bound = json!({"id_token": "i", "access_token": "a", "token_type": "DPoP"}).to_string();
    assert_eq!(tokens(bound.as_bytes()).unwrap().access_token, "");
    for bad in ["", "[]", "{}", r#"{"id_token": 1}"#, r#"{"id_token": "i", "id_token": "j"}"#] {
        assert_eq!(tokens(bad.as_bytes()), Err(NotVouchedFor::Malformed), "{bad}");
    }
    let key = new_key(Algorithm::EdDsa);
    let token = key.jws("JWT", &with(claims(), "groups", None)).unwrap();
    let mut person = verify(&token, &key_set([&key]), &EXPECTED).unwrap();
    for (other, expected) in [
        (json!({"sub": "1", "groups": ["boss"]}), NotVouchedFor::OtherPerson),
        (json!({"groups": ["boss"]}), NotVouchedFor::OtherPerson),
        (json!([]), NotVouchedFor::Malformed),
    ] {
        assert_eq!(person.add(other.to_string().as_bytes()), Err(expected));
    }
    assert_eq!(person.texts("groups"), None);
    let told = json!({"sub": "248289761001", "groups": ["boss"], "preferred_username": "eve"});
    person.add(told.to_string().as_bytes()).unwrap();
    assert_eq!(person.texts("groups").unwrap(), ["boss"]);
    assert_eq!(person.text("preferred_username"), Some("ada"), "what was signed stands");
}
