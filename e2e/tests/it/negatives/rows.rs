//! The rows: a good request, spoiled in one way each.

use super::server::{
    CHALLENGE, Expected, Flow, REDIRECT, VERIFIER, asking, encoded, form, redeeming, refreshing,
};

/// A spoiled request and what has to come of it.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) request: String,
    pub(super) expected: Expected,
    pub(super) theirs: Theirs,
}

/// What the other server makes of a row.
#[derive(Clone, Copy)]
pub(super) enum Theirs {
    Same,
    /// It refuses otherwise.
    Otherwise(Expected),
    /// It lets it pass.
    Allows,
}

/// The other server's answers that differ, by the row's name. It looks at no parameter that it does not know, and bounds
/// none; scopes that it does not know it leaves out.
pub(super) type Differences = &'static [(&'static str, Theirs)];

pub(super) fn rows(told: Vec<(&'static str, String, Expected)>, differences: Differences) -> Vec<Row> {
    let theirs =
        |name| differences.iter().find(|(one, _)| *one == name).map_or(Theirs::Same, |(_, theirs)| *theirs);
    for (name, _) in differences {
        assert!(told.iter().any(|(one, ..)| one == name), "a difference of no row: {name}");
    }
    let one = |(name, request, expected)| Row { name, request, expected, theirs: theirs(name) };
    told.into_iter().map(one).collect()
}

fn with(good: &[(&str, &str)], name: &str, value: &str) -> String {
    form(&good.iter().map(|(one, had)| (*one, if *one == name { value } else { had })).collect::<Vec<_>>())
}

fn without(good: &[(&str, &str)], name: &str) -> String {
    form(&good.iter().copied().filter(|(one, _)| *one != name).collect::<Vec<_>>())
}

/// Addresses that are not the registered one, however alike they look.
const OTHER_ADDRESSES: &[(&str, &str)] = &[
    ("a prefix", "https://client.test/c"),
    ("a longer path", "https://client.test/cb/"),
    ("a path below", "https://client.test/cb/../evil"),
    ("a path parameter", "https://client.test/cb;x"),
    ("dots with a semicolon", "https://client.test/..;/cb"),
    ("a query", "https://client.test/cb?x=1"),
    ("an empty query", "https://client.test/cb?"),
    ("a fragment", "https://client.test/cb#x"),
    ("an empty fragment", "https://client.test/cb#"),
    ("another port", "https://client.test:8443/cb"),
    ("the port said", "https://client.test:443/cb"),
    ("another scheme", "http://client.test/cb"),
    ("capitals in the scheme", "HTTPS://client.test/cb"),
    ("capitals in the host", "https://Client.test/cb"),
    ("capitals in the path", "https://client.test/CB"),
    ("a trailing dot", "https://client.test./cb"),
    ("a sub-domain", "https://a.client.test/cb"),
    ("a longer domain", "https://client.test.evil.test/cb"),
    ("a domain with it at the end", "https://evilclient.test/cb"),
    ("a user", "https://user@client.test/cb"),
    ("it as a user", "https://client.test@evil.test/cb"),
    ("it as a user with a password", "https://client.test:443@evil.test/cb"),
    ("several users", "https://client.test@client.test@evil.test/cb"),
    ("a backslash", "https://evil.test\\@client.test/cb"),
    ("a backslash for a slash", "https://client.test\\cb"),
    ("an escape", "https://client.test/%63b"),
    ("an escaped slash", "https://client.test%2fcb"),
    ("an escaped dot", "https://client.test/%2e/cb"),
    ("twice escaped", "https://client.test/%2563b"),
    ("a space before", " https://client.test/cb"),
    ("a space after", "https://client.test/cb "),
    ("a tab", "https://client.test/\tcb"),
    ("a line", "https://client.test/cb\r\nLocation: https://evil.test"),
    ("a NUL", "https://client.test/cb\0"),
    ("no scheme", "//client.test/cb"),
    ("three slashes", "https:///client.test/cb"),
    ("one slash", "https:/client.test/cb"),
    ("a relative path", "/cb"),
    ("javascript", "javascript:alert(document.domain)//https://client.test/cb"),
    ("JavaScript in mixed case", "jAvAsCrIpT:alert(1)"),
    ("data", "data:text/html,<script>alert(1)</script>"),
    ("data in mixed case", "DaTa:text/html;base64,eA=="),
    ("vbscript", "vbscript:msgbox(1)"),
    ("a file", "file:///cb"),
    ("localhost", "http://localhost/cb"),
    ("127.0.0.1", "http://127.0.0.1/cb"),
    ("a mapped address", "http://[::ffff:127.0.0.1]/cb"),
    ("an IDN look-alike", "https://сlient.test/cb"),
    ("a full-width dot", "https://client。test/cb"),
    ("a zero-width space", "https://client.test/cb\u{200b}"),
    ("an own scheme", "com.client.app:/cb"),
    ("a wildcard", "https://*.test/cb"),
    ("another registered list", "https://client.test/bye"),
    ("nothing but a host", "https://client.test"),
];

pub(super) fn addresses(flow: &Flow) -> Vec<Row> {
    let good = asking(&flow.client);
    let one = |(name, address): &(&'static str, &str)| {
        (*name, with(&good, "redirect_uri", address), Expected::Page(400))
    };
    rows(OTHER_ADDRESSES.iter().map(one).collect(), &[])
}

const TO_THE_PERSON: Differences = &[
    ("a broken escape", Theirs::Allows),
    ("bytes that are no text", Theirs::Allows),
    ("too many parameters", Theirs::Allows),
    ("too long", Theirs::Allows),
];

pub(super) fn told_to_the_person(flow: &Flow) -> Vec<Row> {
    let whole = form(&asking(&flow.client));
    let address = format!("redirect_uri={}", encoded(REDIRECT));
    let client = format!("client_id={}", flow.client.id);
    let told = vec![
        ("no address", whole.replace(&address, "")),
        ("an empty address", whole.replace(&address, "redirect_uri=")),
        ("two addresses", format!("{whole}&redirect_uri=https%3A%2F%2Fevil.test")),
        ("the same address twice", format!("{whole}&{address}")),
        ("two addresses, one name escaped", format!("{whole}&redirect%5Furi=https%3A%2F%2Fevil.test")),
        ("no client", whole.replace(&client, "")),
        ("an empty client", whole.replace(&client, "client_id=")),
        ("an unknown client", whole.replace(&client, "client_id=nobody")),
        ("two clients", format!("{whole}&client_id=nobody")),
        (
            "the client in capitals",
            whole.replace(&client, &client.to_uppercase().replace("CLIENT_ID", "client_id")),
        ),
        ("a client with a space", whole.replace(&client, &format!("{client}%20"))),
        ("a client with a line", whole.replace(&client, &format!("{client}%0A"))),
        ("a broken escape", format!("{whole}&x=%zz")),
        ("bytes that are no text", format!("{whole}&x=%ff")),
        ("too many parameters", format!("{whole}{}", "&x=1".repeat(70))),
        ("too long", format!("{whole}&x={}", "a".repeat(9_000))),
        ("nothing", String::new()),
    ];
    rows(told.into_iter().map(|(name, query)| (name, query, Expected::Page(400))).collect(), TO_THE_PERSON)
}

const TO_THE_CLIENT: Differences = &[
    // It knows these response types and says that this client may not use them.
    ("hybrid", Theirs::Otherwise(Expected::Back("invalid_request"))),
    ("an ID token alone", Theirs::Otherwise(Expected::Back("invalid_request"))),
    ("none", Theirs::Otherwise(Expected::Back("invalid_request"))),
    // Of S256 there are 43 characters and no more (RFC 7636, section 4.2); it takes up to 128, as of a verifier.
    ("a long challenge", Theirs::Allows),
    ("a state without end", Theirs::Allows),
    ("a nonce without end", Theirs::Allows),
    ("two unknown ones", Theirs::Allows),
    // Ours has no other modes than the query.
    ("a fragment as mode", Theirs::Allows),
    ("a form as mode", Theirs::Allows),
    // What is left is no scope at all, and `openid` was expected.
    ("an unknown scope", Theirs::Otherwise(Expected::Back("invalid_request"))),
    ("a scope in capitals", Theirs::Otherwise(Expected::Back("invalid_request"))),
    ("a scope without end", Theirs::Otherwise(Expected::Back("invalid_request"))),
    ("one known, one not", Theirs::Allows),
    ("an age that is none", Theirs::Allows),
];

pub(super) fn told_to_the_client(flow: &Flow) -> Vec<Row> {
    let whole = form(&asking(&flow.client));
    let challenge = format!("code_challenge={CHALLENGE}");
    let method = "code_challenge_method=S256";
    let told = vec![
        ("no response type", whole.replace("response_type=code", ""), "invalid_request"),
        ("implicit", whole.replace("=code&", "=token&"), "unsupported_response_type"),
        ("hybrid", whole.replace("=code&", "=code%20id_token&"), "unsupported_response_type"),
        ("an ID token alone", whole.replace("=code&", "=id_token&"), "unsupported_response_type"),
        ("none", whole.replace("=code&", "=none&"), "unsupported_response_type"),
        ("two response types", format!("{whole}&response_type=code"), "invalid_request"),
        ("no PKCE", whole.replace(&challenge, "").replace(method, ""), "invalid_request"),
        ("no challenge", whole.replace(&challenge, ""), "invalid_request"),
        ("an empty challenge", whole.replace(&challenge, "code_challenge="), "invalid_request"),
        ("no method", whole.replace(method, ""), "invalid_request"),
        ("plain", whole.replace(method, "code_challenge_method=plain"), "invalid_request"),
        ("s256", whole.replace(method, "code_challenge_method=s256"), "invalid_request"),
        ("S512", whole.replace(method, "code_challenge_method=S512"), "invalid_request"),
        ("two methods", format!("{whole}&code_challenge_method=plain"), "invalid_request"),
        ("two challenges", format!("{whole}&{challenge}"), "invalid_request"),
        ("a short challenge", whole.replace(CHALLENGE, &CHALLENGE[1..]), "invalid_request"),
        ("a long challenge", whole.replace(CHALLENGE, &format!("{CHALLENGE}A")), "invalid_request"),
        ("a padded challenge", whole.replace(CHALLENGE, &format!("{CHALLENGE}%3D")), "invalid_request"),
        ("a challenge that is no base64url", whole.replace(CHALLENGE, &"%2B".repeat(43)), "invalid_request"),
        ("two states", format!("{whole}&state=other"), "invalid_request"),
        ("a state without end", whole.replace("st%26te", &"s".repeat(3_000)), "invalid_request"),
        ("a nonce without end", whole.replace("n-1", &"n".repeat(600)), "invalid_request"),
        ("two nonces", format!("{whole}&nonce=other"), "invalid_request"),
        ("two scopes", format!("{whole}&scope=profile"), "invalid_request"),
        ("two unknown ones", format!("{whole}&x=1&x=2"), "invalid_request"),
        ("a fragment as mode", format!("{whole}&response_mode=fragment"), "invalid_request"),
        ("a form as mode", format!("{whole}&response_mode=form_post"), "invalid_request"),
        ("an unknown scope", whole.replace("scope=openid", "scope=admin"), "invalid_scope"),
        ("one known, one not", whole.replace("scope=openid", "scope=openid%20admin"), "invalid_scope"),
        ("a scope in capitals", whole.replace("scope=openid", "scope=OpenID"), "invalid_scope"),
        ("a scope with a quote", whole.replace("scope=openid", "scope=%22openid%22"), "invalid_scope"),
        ("a scope with a tab", whole.replace("scope=openid", "scope=openid%09profile"), "invalid_scope"),
        (
            "a scope without end",
            whole.replace("scope=openid", &format!("scope={}", "s".repeat(2_000))),
            "invalid_scope",
        ),
        ("a request object", format!("{whole}&request=eyJhbGciOiJub25lIn0.e30."), "request_not_supported"),
        (
            "a request by reference",
            format!("{whole}&request_uri=http%3A%2F%2F169.254.169.254"),
            "request_uri_not_supported",
        ),
        ("two prompts at odds", format!("{whole}&prompt=none%20login"), "invalid_request"),
        ("an unknown prompt", format!("{whole}&prompt=create"), "invalid_request"),
        ("an age below zero", format!("{whole}&max_age=-1"), "invalid_request"),
        ("an age that is none", format!("{whole}&max_age=1e3"), "invalid_request"),
    ];
    rows(
        told.into_iter().map(|(name, query, error)| (name, query, Expected::Back(error))).collect(),
        TO_THE_CLIENT,
    )
}

const CODES: Differences = &[
    // Both errors fit a verifier that cannot be one (RFC 7636, section 4.6; RFC 6749, section 5.2).
    ("a short verifier", Theirs::Otherwise(Expected::Refused(400, "invalid_request"))),
    ("a long verifier", Theirs::Otherwise(Expected::Refused(400, "invalid_request"))),
    ("a verifier with a space", Theirs::Otherwise(Expected::Refused(400, "invalid_request"))),
    ("no verifier", Theirs::Otherwise(Expected::Refused(400, "invalid_grant"))),
    ("an empty verifier", Theirs::Otherwise(Expected::Refused(400, "invalid_grant"))),
    ("no client", Theirs::Otherwise(Expected::Refused(400, "invalid_request"))),
    // Its codes do not say what they are.
    ("a code of another kind", Theirs::Allows),
    ("an unknown one twice", Theirs::Allows),
];

pub(super) fn codes(flow: &Flow) -> Vec<Row> {
    let (code, other) = (flow.code.as_str(), &flow.other);
    let (id, secret) = (flow.client.id.as_str(), flow.client.secret.as_str());
    let good = redeeming(&flow.client, code);
    let by_other = form(&redeeming(other, code));
    let other_verifier = "e".repeat(43);
    let long = "v".repeat(129);
    let cut = &code[..code.len() - 1];
    let with = |name: &str, value: &str| with(&good, name, value);
    let without = |name: &str| without(&good, name);
    let told = vec![
        ("another client", by_other, 400, "invalid_grant"),
        ("a wrong verifier", with("code_verifier", &other_verifier), 400, "invalid_grant"),
        ("the challenge as verifier", with("code_verifier", CHALLENGE), 400, "invalid_grant"),
        ("a short verifier", with("code_verifier", &VERIFIER[1..]), 400, "invalid_grant"),
        ("a long verifier", with("code_verifier", &long), 400, "invalid_grant"),
        ("a verifier with a space", with("code_verifier", &format!("{VERIFIER} ")), 400, "invalid_grant"),
        ("a verifier in capitals", with("code_verifier", &VERIFIER.to_uppercase()), 400, "invalid_grant"),
        ("no verifier", without("code_verifier"), 400, "invalid_request"),
        ("an empty verifier", with("code_verifier", ""), 400, "invalid_request"),
        ("no address", without("redirect_uri"), 400, "invalid_request"),
        ("another address", with("redirect_uri", "https://client.test/other"), 400, "invalid_grant"),
        ("the address with a slash", with("redirect_uri", "https://client.test/cb/"), 400, "invalid_grant"),
        ("the address escaped", with("redirect_uri", "https://client.test/%63b"), 400, "invalid_grant"),
        ("no code", without("code"), 400, "invalid_request"),
        ("an empty code", with("code", ""), 400, "invalid_request"),
        ("a cut code", with("code", cut), 400, "invalid_grant"),
        ("a longer code", with("code", &format!("{code}0")), 400, "invalid_grant"),
        ("a code in capitals", with("code", &code.to_uppercase()), 400, "invalid_grant"),
        ("a code of another kind", with("code", &code.replace("tgc_", "tgr_")), 400, "invalid_grant"),
        ("a code that is SQL", with("code", "' OR 1=1 --"), 400, "invalid_grant"),
        ("no secret", without("client_secret"), 401, "invalid_client"),
        ("an empty secret", with("client_secret", ""), 401, "invalid_client"),
        ("a wrong secret", with("client_secret", &other.secret), 401, "invalid_client"),
        ("a secret in capitals", with("client_secret", &secret.to_uppercase()), 401, "invalid_client"),
        ("an unknown client", with("client_id", "nobody"), 401, "invalid_client"),
        ("the client in capitals", with("client_id", &id.to_uppercase()), 401, "invalid_client"),
        ("no client", without("client_id"), 401, "invalid_client"),
        ("no grant", without("grant_type"), 400, "invalid_request"),
        ("a refresh with a code", with("grant_type", "refresh_token"), 400, "invalid_request"),
        ("a grant in capitals", with("grant_type", "AUTHORIZATION_CODE"), 400, "unsupported_grant_type"),
        ("a code twice", format!("{}&code=x", with("", "")), 400, "invalid_request"),
        ("a verifier twice", format!("{}&code_verifier=x", with("", "")), 400, "invalid_request"),
        ("a grant twice", format!("{}&grant_type=password", with("", "")), 400, "invalid_request"),
        ("a client twice", format!("{}&client_id=x", with("", "")), 400, "invalid_request"),
        ("a secret twice", format!("{}&client_secret=x", with("", "")), 400, "invalid_request"),
        ("an address twice", format!("{}&redirect_uri=x", with("", "")), 400, "invalid_request"),
        ("an unknown one twice", format!("{}&x=1&x=2", with("", "")), 400, "invalid_request"),
    ];
    refused(told, CODES)
}

fn refused(told: Vec<(&'static str, String, u16, &'static str)>, differences: Differences) -> Vec<Row> {
    let one = |(name, body, status, error)| (name, body, Expected::Refused(status, error));
    rows(told.into_iter().map(one).collect(), differences)
}

const REFRESHES: Differences = &[
    ("nobody", Theirs::Otherwise(Expected::Refused(400, "invalid_request"))),
    // Its tokens do not say what they are.
    ("a token of another kind", Theirs::Allows),
];

pub(super) fn refreshes(flow: &Flow) -> Vec<Row> {
    let token = |name: &str| flow.tokens[name].as_str().unwrap();
    let (refresh, access, id_token) = (token("refresh_token"), token("access_token"), token("id_token"));
    let (code, other) = (flow.code.as_str(), &flow.other);
    let good = refreshing(&flow.client, refresh);
    let by_other = form(&refreshing(other, refresh));
    let silent = form(&good[..3]);
    let with = |name: &str, value: &str| with(&good, name, value);
    let told = vec![
        ("another client", by_other, 400, "invalid_grant"),
        ("nobody", form(&good[..2]), 401, "invalid_client"),
        ("no secret", silent, 401, "invalid_client"),
        ("a wrong secret", with("client_secret", &other.secret), 401, "invalid_client"),
        ("no token", with("refresh_token", ""), 400, "invalid_request"),
        ("a cut token", with("refresh_token", &refresh[..refresh.len() - 1]), 400, "invalid_grant"),
        ("an access token", with("refresh_token", access), 400, "invalid_grant"),
        ("an ID token", with("refresh_token", id_token), 400, "invalid_grant"),
        ("a code", with("refresh_token", code), 400, "invalid_grant"),
        (
            "a token of another kind",
            with("refresh_token", &refresh.replace("tgr_", "tga_")),
            400,
            "invalid_grant",
        ),
        ("a client secret", with("refresh_token", &flow.client.secret), 400, "invalid_grant"),
        ("a token twice", format!("{}&refresh_token=x", with("", "")), 400, "invalid_request"),
        ("a scope twice", format!("{}&scope=openid&scope=openid", with("", "")), 400, "invalid_request"),
        ("a wider scope", format!("{}&scope=openid%20profile", with("", "")), 400, "invalid_scope"),
    ];
    refused(told, REFRESHES)
}
