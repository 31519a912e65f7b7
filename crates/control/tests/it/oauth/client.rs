//! A client of the authorization server and the browser of a person, as far as tests need them.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tidegate_model::role::Role;

use crate::support::{Answer, House, ORIGIN, Person};

pub(crate) const REDIRECT: &str = "https://client.test/cb";
/// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A registered client, its owner and a person who uses it.
pub(crate) struct Stage {
    pub(crate) house: House,
    pub(crate) owner: Person,
    pub(crate) ada: Person,
    pub(crate) keys: String,
    pub(crate) client: Client,
}

#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    /// Empty for a public one.
    pub(crate) secret: String,
}

/// Percent-encodes everything that is not unreserved.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

/// The value of a parameter in an address.
pub(crate) fn parameter(address: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(address).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// What a JWT says, unverified.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(json!({})).await
    }

    /// With a key that is told this beside the usual.
    pub(crate) async fn with(more: Value) -> Self {
        let house = House::new().await;
        let owner = house.person("dev", &[Role::Subscriber]).await;
        let ada = house.person("ada", &[Role::Observer]).await;
        let made =
            house.post(&owner, "/api/v1/applications", json!({"name": "Shop <b>"})).await.is(201).json();
        let keys = format!("/api/v1/applications/{}/keys", made["id"].as_str().unwrap());
        let client = Self::key(&house, &owner, &keys, "production", more).await;
        Self { house, owner, ada, keys, client }
    }

    async fn key(house: &House, owner: &Person, keys: &str, environment: &str, more: Value) -> Client {
        let mut body = json!({
            "type": environment,
            "grants": ["client_credentials", "authorization_code", "refresh_token"],
            "redirect_uris": [REDIRECT],
            "post_logout_redirect_uris": ["https://client.test/bye"],
        });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let key = house.post(owner, keys, body).await.is(201).json();
        Client {
            id: key["client_id"].as_str().unwrap().to_owned(),
            secret: key["client_secret"].as_str().unwrap_or_default().to_owned(),
        }
    }

    /// The application's other client.
    pub(crate) async fn other(&self, more: Value) -> Client {
        Self::key(&self.house, &self.owner, &self.keys, "sandbox", more).await
    }

    pub(crate) fn asking<'a>(&'a self, scope: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![
            ("response_type", "code"),
            ("client_id", &self.client.id),
            ("redirect_uri", REDIRECT),
            ("scope", scope),
            ("state", "st&te"),
            ("nonce", "n-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]
    }

    pub(crate) async fn authorize(&self, person: &Person, query: &str) -> Answer {
        self.house.get(person, &format!("/oauth2/authorize?{query}")).await
    }

    /// Answers a consent page.
    pub(crate) async fn decide(&self, person: &Person, page: &Answer, decision: &str) -> Answer {
        let (request, seal) = (hidden(&page.text, "request"), hidden(&page.text, "seal"));
        let body = form(&[("request", &request), ("seal", &seal), ("decision", decision)]);
        self.post_form(Some(person), "/oauth2/consent", &body).await
    }

    pub(crate) async fn post_form(&self, person: Option<&Person>, path: &str, body: &str) -> Answer {
        let person = person.cloned().unwrap_or_default();
        let request = House::request(&person, &Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.house.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// A code, through the consent page where it is shown.
    pub(crate) async fn code(&self, scope: &str) -> String {
        let answer = self.authorize(&self.ada, &form(&self.asking(scope))).await;
        let answer =
            if answer.status == 200 { self.decide(&self.ada, &answer, "allow").await } else { answer };
        parameter(answer.is(303).header("location"), "code").unwrap()
    }

    pub(crate) async fn token(&self, body: &str) -> Answer {
        self.post_form(None, "/oauth2/token", body).await
    }

    pub(crate) fn redeeming<'a>(&'a self, code: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        pairs.extend(self.client.proof());
        pairs
    }

    /// The tokens of a new authorization.
    pub(crate) async fn tokens(&self, scope: &str) -> Value {
        let code = self.code(scope).await;
        self.token(&form(&self.redeeming(&code))).await.is(200).json()
    }

    pub(crate) fn refreshing<'a>(&'a self, token: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut pairs = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
        pairs.extend(self.client.proof());
        pairs
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.token(&form(&self.refreshing(token))).await
    }

    /// What the client is told of a token of its own.
    pub(crate) async fn introspect(&self, token: &str) -> Value {
        let mut pairs = vec![("token", token)];
        pairs.extend(self.client.proof());
        self.post_form(None, "/oauth2/introspect", &form(&pairs)).await.is(200).json()
    }

    pub(crate) async fn is_active(&self, token: &str) -> bool {
        self.introspect(token).await["active"].as_bool().unwrap()
    }

    pub(crate) async fn userinfo(&self, token: &str) -> Answer {
        let request = Request::builder().uri("/oauth2/userinfo");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.house.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn update_key(&self, body: Value) -> Answer {
        let path = format!("{}/{}", self.keys, self.client.id);
        self.house.call(&self.owner, Method::PATCH, &path, Some(body)).await
    }
}

impl Client {
    /// `client_id`, and the secret where there is one.
    pub(crate) fn proof(&self) -> Vec<(&str, &str)> {
        let mut pairs = vec![("client_id", self.id.as_str())];
        if !self.secret.is_empty() {
            pairs.push(("client_secret", &self.secret));
        }
        pairs
    }
}

/// The value of a hidden field of a page.
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let value = page.split(&start).nth(1).unwrap_or_else(|| panic!("no {name} in {page}")).split('"').next();
    value
        .unwrap()
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// The address of the issuer.
pub(crate) const ISSUER: &str = ORIGIN;
