//! Rows about clients that register themselves (RFC 7591) and look after that (RFC 7592).

use serde_json::{Value, json};

use super::{
    rows::{Differences, Row, Theirs, rows},
    server::{Expected, Flow, REDIRECT, Server, registering},
};

const METADATA: &str = "invalid_client_metadata";
const ADDRESS: &str = "invalid_redirect_uri";

/// The other server takes apart less of what is said, and ignores statements and flags that it has not switched on.
const OF_DOCUMENTS: Differences = &[
    ("a flag that is a text", Theirs::Allows),
    ("a hybrid answer", Theirs::Allows),
    ("a key of no kind", Theirs::Allows),
    ("a name twice", Theirs::Allows),
    ("a space in an address", Theirs::Allows),
    ("a statement of the software", Theirs::Allows),
    ("a user in an address", Theirs::Allows),
    ("a way out that is plain", Theirs::Allows),
    ("a wildcard", Theirs::Allows),
    ("an address twice", Theirs::Allows),
    ("dots in a path", Theirs::Allows),
    ("many addresses", Theirs::Allows),
    ("plain http", Theirs::Allows),
    ("the implicit grant", Theirs::Allows),
    ("a form", Theirs::Otherwise(Expected::Refused(400, "invalid_request"))),
    ("a list for a document", Theirs::Otherwise(Expected::Refused(400, "invalid_request"))),
    ("a text for a document", Theirs::Otherwise(Expected::Refused(400, "invalid_request"))),
    ("half a document", Theirs::Otherwise(Expected::Refused(400, "invalid_request"))),
];
/// It names an error also where no token was shown (RFC 6750, section 3.1 says none), and ends a token that is tried on
/// another client, which the next rows need.
const OF_PROOFS: Differences = &[
    ("no token", Theirs::Otherwise(Expected::Refused(401, "invalid_token"))),
    ("a reading without a token", Theirs::Otherwise(Expected::Refused(401, "invalid_token"))),
    ("an end without a token", Theirs::Otherwise(Expected::Refused(401, "invalid_token"))),
    ("a change without a token", Theirs::Otherwise(Expected::Refused(401, "invalid_token"))),
    ("a reading of another", Theirs::Allows),
    ("an end of another", Theirs::Allows),
    ("a reading of nobody", Theirs::Allows),
    ("an end of nobody", Theirs::Allows),
];

/// A good document with this field of it another.
fn with(name: &str, value: Value) -> Value {
    let mut document = registering();
    document[name] = value;
    document
}

fn without(name: &str) -> Value {
    let mut document = registering();
    document.as_object_mut().unwrap().remove(name);
    document
}

/// Documents that are refused, and with which error.
fn documents() -> Vec<(&'static str, Value, &'static str)> {
    let address = |uri: &str| with("redirect_uris", json!([uri]));
    let private = json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"});
    let signing = |keys: Value| {
        let mut document = with("token_endpoint_auth_method", json!("private_key_jwt"));
        document["jwks"] = keys;
        document
    };
    let mut both = signing(json!({"keys": []}));
    both["jwks_uri"] = json!("https://client.test/jwks");
    vec![
        ("no address", without("redirect_uris"), ADDRESS),
        ("no addresses", with("redirect_uris", json!([])), ADDRESS),
        ("an address that is no list", with("redirect_uris", json!(REDIRECT)), ADDRESS),
        ("a number for an address", with("redirect_uris", json!([7])), ADDRESS),
        ("an empty address", address(""), ADDRESS),
        ("a relative address", address("/cb"), ADDRESS),
        ("an address without a scheme", address("client.test/cb"), ADDRESS),
        ("a fragment", address("https://client.test/cb#x"), ADDRESS),
        ("javascript", address("javascript:alert(1)"), ADDRESS),
        ("data", address("data:text/html,x"), ADDRESS),
        ("a file", address("file:///cb"), ADDRESS),
        ("plain http", address("http://client.test/cb"), ADDRESS),
        ("a user in an address", address("https://me@client.test/cb"), ADDRESS),
        ("a wildcard", address("https://*.client.test/cb"), ADDRESS),
        ("dots in a path", address("https://client.test/a/../cb"), ADDRESS),
        ("an own scheme on the web", address("com.example.app:/cb"), ADDRESS),
        ("a space in an address", address("https://client.test/c b"), ADDRESS),
        ("an address twice", with("redirect_uris", json!([REDIRECT, REDIRECT])), ADDRESS),
        ("many addresses", with("redirect_uris", json!(vec![REDIRECT; 40])), ADDRESS),
        ("one good address and a bad one", with("redirect_uris", json!([REDIRECT, "javascript:x"])), ADDRESS),
        ("the password grant", with("grant_types", json!(["password", "authorization_code"])), METADATA),
        ("an unknown grant", with("grant_types", json!(["authorization_code", "magic"])), METADATA),
        ("the implicit grant", with("grant_types", json!(["implicit", "authorization_code"])), METADATA),
        ("grants that are no list", with("grant_types", json!("authorization_code")), METADATA),
        ("codes without their grant", with("grant_types", json!(["client_credentials"])), METADATA),
        ("an implicit answer", with("response_types", json!(["token"])), METADATA),
        ("a hybrid answer", with("response_types", json!(["code id_token"])), METADATA),
        ("answers that are no list", with("response_types", json!("code")), METADATA),
        ("an unknown proof", with("token_endpoint_auth_method", json!("magic")), METADATA),
        ("a proof that is none", with("token_endpoint_auth_method", json!("")), METADATA),
        ("a proof that is a list", with("token_endpoint_auth_method", json!(["none"])), METADATA),
        ("a signature without keys", with("token_endpoint_auth_method", json!("private_key_jwt")), METADATA),
        ("a private key", signing(json!({"keys": [private]})), METADATA),
        ("a shared key", signing(json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]})), METADATA),
        ("keys that are no set", signing(json!([])), METADATA),
        ("a key of no kind", signing(json!({"keys": [{"kty": "magic"}]})), METADATA),
        ("keys in two places", both, METADATA),
        ("a name that is a number", with("client_name", json!(7)), METADATA),
        ("a name that is empty", with("client_name", json!("")), METADATA),
        ("a page that runs", with("client_uri", json!("javascript:alert(1)")), METADATA),
        ("a page that is none", with("client_uri", json!("client.test")), METADATA),
        ("terms that run", with("tos_uri", json!("javascript:alert(1)")), METADATA),
        ("a policy that is data", with("policy_uri", json!("data:text/html,x")), METADATA),
        ("contacts that are no list", with("contacts", json!("ops@client.test")), METADATA),
        ("contacts that are numbers", with("contacts", json!([7])), METADATA),
        ("an unknown kind of program", with("application_type", json!("desktop")), METADATA),
        (
            "a way out that is plain",
            with("post_logout_redirect_uris", json!(["http://client.test"])),
            METADATA,
        ),
        ("a way out that is relative", with("post_logout_redirect_uris", json!(["/bye"])), METADATA),
        (
            "a way out that is no list",
            with("post_logout_redirect_uris", json!("https://client.test")),
            METADATA,
        ),
        (
            "a flag that is a text",
            with("tls_client_certificate_bound_access_tokens", json!("true")),
            METADATA,
        ),
        (
            "a statement of the software",
            with("software_statement", json!("e30.e30.")),
            "unapproved_software_statement",
        ),
        ("a list for a document", json!([registering()]), METADATA),
        ("a text for a document", json!("x"), METADATA),
    ]
}

/// What nobody may be.
pub(super) fn documents_of(server: &Server, flow: &Flow) -> Vec<Row> {
    let (place, _) = server.places(flow);
    let post = |document: &str| format!("POST {place} {} {document}", flow.registration_token);
    let mut told = Vec::new();
    for (name, document, error) in documents() {
        told.push((name, post(&document.to_string()), Expected::Refused(400, error)));
    }
    let good = registering().to_string();
    let twice = good.replacen('{', "{\"client_name\":\"Other\",", 1);
    told.extend([
        ("half a document", post(&good[..good.len() - 1]), Expected::Refused(400, METADATA)),
        ("a name twice", post(&twice), Expected::Refused(400, METADATA)),
        ("a form", post("client_name=x"), Expected::Refused(400, METADATA)),
    ]);
    rows(told, OF_DOCUMENTS)
}

/// By what nobody registers, and what nobody does to a registration.
pub(super) fn proofs_of(server: &Server, flow: &Flow) -> Vec<Row> {
    let (place, own_place) = server.places(flow);
    let by = flow.registration_token.as_str();
    let text = |name: &str| flow.registered[name].as_str().unwrap();
    let (own, secret, id) = (text("registration_access_token"), text("client_secret"), text("client_id"));
    let access = flow.tokens["access_token"].as_str().unwrap();
    let unproven = Expected::Refused(401, "invalid_token");
    let good = registering().to_string();
    let post = |token: &str, document: &str| format!("POST {place} {token} {document}");
    let mut told = vec![
        ("no token", post("-", &good), Expected::Refused(401, "")),
        ("a wrong token", post("nonsense", &good), unproven),
        ("a cut token", post(&by[..by.len() - 1], &good), unproven),
        ("a token in capitals", post(&by.to_uppercase(), &good), unproven),
        ("an access token of a person", post(access, &good), unproven),
        ("the secret of a client", post(secret, &good), unproven),
        ("the token of a registered client", post(own, &good), unproven),
    ];
    let other_place = own_place.replace(id, &flow.other.id);
    let nobody = own_place.replace(id, "nobody");
    let change = |more: &[(&str, &str)]| {
        let mut document = registering();
        document["client_id"] = json!(id);
        for (name, value) in more {
            document[*name] = json!(value);
        }
        document.to_string()
    };
    let mine = change(&[]);
    for (name, method, place, token, document) in [
        ("a reading without a token", "GET", &own_place, "-", "-"),
        ("an end without a token", "DELETE", &own_place, "-", "-"),
        ("a change without a token", "PUT", &own_place, "-", mine.as_str()),
    ] {
        told.push((name, format!("{method} {place} {token} {document}"), Expected::Refused(401, "")));
    }
    for (name, method, place, token, document) in [
        ("a reading by the wrong token", "GET", &own_place, by, "-"),
        ("an end by the wrong token", "DELETE", &own_place, by, "-"),
        ("a change by the wrong token", "PUT", &own_place, by, mine.as_str()),
        ("a reading by a secret", "GET", &own_place, secret, "-"),
        ("an end by a secret", "DELETE", &own_place, secret, "-"),
        ("a reading by an access token", "GET", &own_place, access, "-"),
        ("an end by an access token", "DELETE", &own_place, access, "-"),
        ("a reading of another", "GET", &other_place, own, "-"),
        ("an end of another", "DELETE", &other_place, own, "-"),
        ("a reading of nobody", "GET", &nobody, own, "-"),
        ("an end of nobody", "DELETE", &nobody, own, "-"),
    ] {
        told.push((name, format!("{method} {place} {token} {document}"), unproven));
    }
    let put = |document: &str| format!("PUT {own_place} {own} {document}");
    let request = Expected::Refused(400, "invalid_request");
    told.extend([
        ("a change to another client", put(&change(&[("client_id", "other")])), request),
        ("a change of nobody said", put(&good), request),
        ("a change with a wrong secret", put(&change(&[("client_secret", "wrong")])), request),
        ("a secret of its own choice", put(&change(&[("client_secret", &"s".repeat(43))])), request),
        ("a token of its own choice", put(&change(&[("registration_access_token", "mine")])), request),
        (
            "a place of its own choice",
            put(&change(&[("registration_client_uri", "https://a.test/")])),
            request,
        ),
        (
            "a change to a bad address",
            put(&mine.replace(REDIRECT, "javascript:x")),
            Expected::Refused(400, ADDRESS),
        ),
        (
            "a change to an unknown grant",
            put(&mine.replace("\"refresh_token\"", "\"magic\"")),
            Expected::Refused(400, METADATA),
        ),
    ]);
    rows(told, OF_PROOFS)
}
