//! The two authorization servers, as a client and the browser of a person see them.

use std::{collections::BTreeMap, process::Stdio};

use reqwest::{Method, redirect};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout},
    sync::Mutex,
};

use crate::{
    product::Product,
    programs::{node, said_behind},
};

pub(super) const REDIRECT: &str = "https://client.test/cb";
/// RFC 7636, appendix B.
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(super) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Redirections that a browser follows at most: signing in and agreeing take four.
const HOPS_MAX: usize = 10;

/// A registered client.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: String,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// A page with this status for the person, and no way on.
    Page(u16),
    /// Sent back to the client's address with this error.
    Back(&'static str),
    /// An answer to a client: status and error.
    Refused(u16, &'static str),
}

/// What was answered, as far as rows tell it apart.
#[derive(Debug)]
pub(super) enum Answered {
    Page(u16),
    Back(String),
    #[expect(dead_code, reason = "said when a row fails")]
    Elsewhere(String),
    Granted,
    Refused(u16, String),
}

impl Answered {
    pub(super) fn is(&self, expected: Expected) -> bool {
        match (self, expected) {
            (Self::Page(status), Expected::Page(wanted)) => *status == wanted,
            (Self::Back(error), Expected::Back(wanted)) => error == wanted,
            (Self::Refused(status, error), Expected::Refused(wanted, name)) => {
                *status == wanted && error == name
            }
            _ => false,
        }
    }
}

/// Clients, and what one of them was granted.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) client: Client,
    pub(super) other: Client,
    pub(super) code: String,
    pub(super) tokens: Value,
    /// By which clients register.
    pub(super) registration_token: String,
    /// A client that did, as it was told.
    pub(super) registered: Value,
}

/// An authorization server and a person's browser.
pub(super) struct Server {
    http: reqwest::Client,
    origin: String,
    authorize: &'static str,
    token: &'static str,
    register: &'static str,
    registration_token: String,
    clients: Mutex<Vec<Client>>,
    cookies: Mutex<BTreeMap<String, String>>,
    /// Ours, or the other; it ends with this value.
    product: Option<Product>,
    /// With its output, which has to stay open as long as it says something.
    _program: Option<(Child, Lines<BufReader<ChildStdout>>)>,
}

impl Server {
    pub(super) async fn ours() -> Self {
        let product = Product::start().await;
        let mut clients = Vec::new();
        let registration_token;
        {
            let admin = product.portal.admin().await;
            let application = admin.application("Negatives", "Unlimited").await;
            for environment in ["production", "sandbox"] {
                let body = json!({
                    "type": environment, "redirect_uris": [REDIRECT], "post_logout_redirect_uris": [format!("{REDIRECT}/bye")],
                    "grants": ["client_credentials", "authorization_code", "refresh_token"],
                });
                let key = admin.post(&format!("/applications/{application}/keys"), body).await.is(201).json();
                let text = |name: &str| key[name].as_str().unwrap().to_owned();
                clients.push(Client { id: text("client_id"), secret: text("client_secret") });
            }
            let made = admin.post("/registration-tokens", json!({"name": "Negatives", "uses_max": 9})).await;
            registration_token = made.is(201).json()["token"].as_str().unwrap().to_owned();
        }
        let signed_in = product.portal.sign_in("developer", &product.portal.password("developer")).await;
        let cookie = signed_in.is(200).header("set-cookie").split(';').next().unwrap().to_owned();
        let certificate = std::fs::read(product.certificate()).unwrap();
        let trusted = reqwest::Certificate::from_pem_bundle(&certificate).unwrap();
        let http = reqwest::Client::builder().tls_certs_only(trusted);
        let server = Self {
            http: http.no_proxy().redirect(redirect::Policy::none()).build().unwrap(),
            origin: product.portal.origin().to_owned(),
            authorize: "/oauth2/authorize",
            token: "/oauth2/token",
            register: "/oauth2/register",
            registration_token,
            clients: Mutex::new(clients),
            cookies: Mutex::default(),
            product: Some(product),
            _program: None,
        };
        server.keep(&cookie).await;
        server
    }

    pub(super) async fn theirs() -> Self {
        let mut command = node("authorization-server.mjs");
        command.arg(REDIRECT).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = said_behind("server: ", &mut lines).await;
        let words: Vec<_> = said.split(' ').map(str::to_owned).collect();
        let client = |at: usize| Client { id: words[at].clone(), secret: words[at + 1].clone() };
        Self {
            http: reqwest::Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap(),
            origin: words[0].clone(),
            authorize: "/auth",
            token: "/token",
            register: "/reg",
            registration_token: words[5].clone(),
            clients: Mutex::new(vec![client(1), client(3)]),
            cookies: Mutex::default(),
            product: None,
            _program: Some((child, lines)),
        }
    }

    pub(super) fn is_ours(&self) -> bool {
        self.product.is_some()
    }

    pub(super) fn name(&self) -> &'static str {
        if self.is_ours() { "ours" } else { "theirs" }
    }

    /// Goes through a whole flow, so that consent is given and what is refused afterwards is refused for its own sake.
    pub(super) async fn flow(&self) -> Flow {
        let mut clients = std::mem::take(&mut *self.clients.lock().await).into_iter();
        let (client, other) = (clients.next().unwrap(), clients.next().unwrap());
        let first = self.code(&client).await;
        let tokens = self.ask_token(&form(&redeeming(&client, &first))).await.1;
        assert!(tokens["refresh_token"].is_string(), "{tokens}");
        let code = self.code(&client).await;
        let registration_token = self.registration_token.clone();
        let asked = format!("POST {} {registration_token} {}", self.register, json!(registering()));
        let (status, registered, _) = self.ask_registration(&asked).await;
        assert_eq!(status, 201, "{registered}");
        Flow { client, other, code, tokens, registration_token, registered }
    }

    /// Where clients register, and where this one looks after itself.
    pub(super) fn places(&self, flow: &Flow) -> (String, String) {
        let own = flow.registered["registration_client_uri"].as_str().unwrap();
        (self.register.to_owned(), own.strip_prefix(&self.origin).unwrap().to_owned())
    }

    /// What comes of a request about a registration: its method, its path, a token or `-`, and the document.
    pub(super) async fn registration(&self, request: &str) -> Answered {
        match self.ask_registration(request).await {
            (200..300, ..) => Answered::Granted,
            (status, said, challenge) => {
                let challenged = challenge.split("error=\"").nth(1).and_then(|rest| rest.split('"').next());
                let error = said["error"].as_str().or(challenged).unwrap_or_default();
                Answered::Refused(status, error.to_owned())
            }
        }
    }

    async fn ask_registration(&self, request: &str) -> (u16, Value, String) {
        let [method, path, token, document] =
            request.splitn(4, ' ').collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("{request}"));
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut asked = self.http.request(method, format!("{}{path}", self.origin));
        if token != "-" {
            asked = asked.bearer_auth(token);
        }
        let kind = if document.starts_with(['{', '[', '"']) {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        };
        let response = asked.header("content-type", kind).body(document.to_owned()).send().await.unwrap();
        let challenge =
            response.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let said = serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default();
        (status, said, challenge.unwrap_or_default())
    }

    /// The code and the refresh token are still good: none of what was refused has spent them.
    pub(super) async fn still_works(&self, flow: &Flow) {
        let code = self.ask_token(&form(&redeeming(&flow.client, &flow.code))).await;
        assert_eq!(code.0, 200, "{}: {}", self.name(), code.1);
        let refresh = flow.tokens["refresh_token"].as_str().unwrap();
        let refreshed = self.ask_token(&form(&refreshing(&flow.client, refresh))).await;
        assert_eq!(refreshed.0, 200, "{}: {}", self.name(), refreshed.1);
        let (_, own) = self.places(flow);
        let token = flow.registered["registration_access_token"].as_str().unwrap();
        let read = self.ask_registration(&format!("GET {own} {token} -")).await;
        assert_eq!(
            (read.0, &read.1["redirect_uris"]),
            (200, &json!([REDIRECT])),
            "{}: {}",
            self.name(),
            read.1
        );
    }

    async fn code(&self, client: &Client) -> String {
        let to = self.visit(&form(&asking(client))).await.unwrap_or_else(|answer| panic!("{answer:?}"));
        parameter(&to, "code").unwrap_or_else(|| panic!("no code in {to}"))
    }

    /// What comes of a person's browser being sent there.
    pub(super) async fn authorize(&self, query: &str) -> Answered {
        match self.visit(query).await {
            Err(answered) => answered,
            Ok(to) => match to.strip_prefix(REDIRECT).and_then(|rest| rest.split_once(['?', '#'])) {
                Some(("", _)) => match parameter(&to, "error") {
                    Some(error) if parameter(&to, "code").is_none() && parameter(&to, "iss").is_some() => {
                        Answered::Back(error)
                    }
                    _ => Answered::Granted,
                },
                _ => Answered::Elsewhere(to),
            },
        }
    }

    pub(super) async fn token(&self, body: &str) -> Answered {
        match self.ask_token(body).await {
            (200, _) => Answered::Granted,
            (status, said) => {
                Answered::Refused(status, said["error"].as_str().unwrap_or_default().to_owned())
            }
        }
    }

    async fn ask_token(&self, body: &str) -> (u16, Value) {
        let request = self.http.post(format!("{}{}", self.origin, self.token));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let response = request.body(body.to_owned()).send().await.unwrap();
        assert_eq!(response.headers()["cache-control"], "no-store");
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }

    /// Follows redirections within the server, agreeing to what is asked; where it leads, or the page it ends on.
    async fn visit(&self, query: &str) -> Result<String, Answered> {
        let mut response = self.fetch(Method::GET, &format!("{}?{query}", self.authorize), None).await;
        for _ in 0..HOPS_MAX {
            let status = response.status().as_u16();
            let to = response.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
            response = if let Some(to) = to {
                let path = to.strip_prefix(&self.origin).unwrap_or(&to);
                if !path.starts_with('/') || path.starts_with("//") {
                    return Ok(to);
                }
                self.fetch(Method::GET, path, None).await
            } else {
                let page = response.text().await.unwrap();
                let Some(seal) = hidden(&page, "seal").filter(|_| status == 200) else {
                    return Err(Answered::Page(status));
                };
                let request = hidden(&page, "request").unwrap();
                let body = form(&[("request", &request), ("seal", &seal), ("decision", "allow")]);
                self.fetch(Method::POST, "/oauth2/consent", Some(body)).await
            };
        }
        panic!("sent around in a circle: {query}")
    }

    async fn fetch(&self, method: Method, path: &str, body: Option<String>) -> reqwest::Response {
        let pairs = |cookies: &BTreeMap<String, String>| -> Vec<_> {
            cookies.iter().map(|(name, value)| format!("{name}={value}")).collect()
        };
        let cookies = pairs(&*self.cookies.lock().await);
        let mut request = self.http.request(method, format!("{}{path}", self.origin));
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        }
        let response = request.send().await.unwrap();
        for set in response.headers().get_all("set-cookie") {
            self.keep(set.to_str().unwrap()).await;
        }
        response
    }

    /// Keeps a cookie; one without a value is forgotten. Paths are not looked at: names differ.
    async fn keep(&self, set: &str) {
        let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
        let mut cookies = self.cookies.lock().await;
        if value.is_empty() {
            cookies.remove(name);
        } else {
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// What a client says of itself that may be registered.
pub(super) fn registering() -> Value {
    json!({
        "redirect_uris": [REDIRECT], "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic", "client_name": "Negatives",
    })
}

/// A good request for a code.
pub(super) fn asking(client: &Client) -> Vec<(&str, &str)> {
    vec![
        ("response_type", "code"),
        ("client_id", &client.id),
        ("redirect_uri", REDIRECT),
        ("scope", "openid"),
        ("state", "st&te"),
        ("nonce", "n-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
}

/// A good request for tokens by a code.
pub(super) fn redeeming<'a>(client: &'a Client, code: &'a str) -> Vec<(&'a str, &'a str)> {
    let what = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    what.into_iter().chain(client.proof()).collect()
}

/// A good request for tokens by a refresh token.
pub(super) fn refreshing<'a>(client: &'a Client, token: &'a str) -> Vec<(&'a str, &'a str)> {
    [("grant_type", "refresh_token"), ("refresh_token", token)].into_iter().chain(client.proof()).collect()
}

impl Client {
    pub(super) fn proof(&self) -> [(&str, &str); 2] {
        [("client_id", &self.id), ("client_secret", &self.secret)]
    }
}

/// Percent-encodes everything that is not unreserved.
pub(super) fn encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(one).collect()
}

pub(super) fn form(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

/// A parameter of an answer in an address, which may stand behind `#` where a response type other than code was asked for.
fn parameter(address: &str, name: &str) -> Option<String> {
    let url = reqwest::Url::parse(&address.replacen('#', "?", 1)).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The value of a hidden field of a page.
fn hidden(page: &str, name: &str) -> Option<String> {
    let value = page.split(&format!("name=\"{name}\" value=\"")).nth(1)?.split('"').next()?;
    let marks = [("&quot;", "\""), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    Some(marks.iter().fold(value.to_owned(), |text, (mark, character)| text.replace(mark, character)))
}
