//! A client of other hands that has a certificate and no other credential: at the gateway's own port, and through a proxy
//! that ends TLS and tells of it as the runbook says.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::json;

use crate::{
    backend::Backend,
    portal::{Answer, Api, send},
    product::Product,
    programs::python,
    proxies::{Proxy, start_haproxy_with},
    wait::{PATIENCE, within},
};

/// Says what comes back, or why it is refused. With a certificate where one is named, over a Unix socket where one is named,
/// and with a value of `Client-Cert` where one is given.
const PYTHON: &str = r#"
import json, ssl, sys
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect, unix_connect

url, trusted, socket, header, *pair = sys.argv[1:]
tls = ssl.create_default_context(cafile=trusted)
if pair:
    tls.load_cert_chain(*pair)
more = {"ssl": tls, "additional_headers": {"Client-Cert": header} if header else {}}
try:
    with unix_connect(socket, url, **more) if socket else connect(url, **more) as client:
        client.send("from Python")
        print(client.recv())
except InvalidStatus as refused:
    print(refused.response.status_code, json.loads(refused.response.body)["type"].rsplit("/")[-1])
"#;

/// A certificate and its key, as files.
struct Pair {
    certificate: PathBuf,
    key: PathBuf,
}

impl Pair {
    fn make(folder: &Path, name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([format!("{name}.test")]).unwrap();
        let at = |end: &str| folder.join(format!("{name}.{end}"));
        let pair = Self { certificate: at("pem"), key: at("key") };
        fs::write(&pair.certificate, made.cert.pem()).unwrap();
        fs::write(&pair.key, made.signing_key.serialize_pem()).unwrap();
        pair
    }

    /// Its value of `Client-Cert`.
    fn header(&self) -> String {
        let pem = fs::read_to_string(&self.certificate).unwrap();
        let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        format!(":{base64}:")
    }
}

/// An API that takes certificates alone, an application with this one, and where it is removed.
async fn offered(product: &Product, backend: &Backend, pair: &Pair) -> (Api, String) {
    let admin = product.portal.admin().await;
    let body = json!({"name": "Mutual", "context": "/mutual", "version": "1.0", "plans": ["Unlimited"], "publish": true,
        "endpoints": {"production": {"url": backend.url()}}, "security": {"accepts": ["mutual_tls"]}});
    let api = Api::read(&admin.post("/apis", body).await.is(201).json());
    let application = admin.application("Mutual", "Unlimited").await;
    admin.subscribe(&application, &api, "Unlimited").await;
    let pem = fs::read_to_string(&pair.certificate).unwrap();
    let body = json!({"name": "Station", "type": "production", "certificate": pem});
    let path = format!("/applications/{application}/certificates");
    let added = admin.post(&path, body).await.is(201).json();
    (api, format!("{path}/{}", added["id"].as_str().unwrap()))
}

/// What a client says that connects so.
async fn said(product: &Product, url: &str, socket: &str, header: &str, pair: Option<&Pair>) -> String {
    let mut command = python();
    command.args(["-c", PYTHON, url]).arg(product.certificate()).args([socket, header]);
    if let Some(pair) = pair {
        command.args([&pair.certificate, &pair.key]);
    }
    let mut command = tokio::process::Command::from(command);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = within("Python", PATIENCE, command.output()).await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    said.trim().to_owned()
}

/// HAProxy in front of the gateway's port without TLS, as the runbook says.
async fn proxied(product: &Product) -> Proxy {
    // It shows what the gateway would, and needs some authority to ask for certificates at all.
    let tls = product.data().join("tls");
    let shown = product.scratch().join("shown.pem");
    let read = |name: &str| fs::read_to_string(tls.join(name)).unwrap();
    fs::write(&shown, read("cert.pem") + &read("key.pem")).unwrap();
    let bind = format!(
        "ssl crt {} verify optional ca-file {} crt-ignore-err all ca-ignore-err all
            http-request del-header Client-Cert
            http-request set-header Client-Cert :%[ssl_c_der,base64]: if {{ ssl_c_used }}",
        shown.display(),
        tls.join("cert.pem").display(),
    );
    let gateway = product.at.ws.replace("ws://localhost", "127.0.0.1");
    start_haproxy_with(product, "http", &bind, &gateway).await
}

#[tokio::test]
async fn python_connects_by_its_certificate_and_by_no_other() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let own = Pair::make(product.scratch(), "own");
    let other = Pair::make(product.scratch(), "other");
    let (api, place) = offered(&product, &backend, &own).await;
    let missing = "401 credential-missing";
    assert_eq!(said(&product, &api.wss, "", "", Some(&own)).await, "from Python");
    assert_eq!(said(&product, &api.wss, "", "", Some(&other)).await, "401 credential-invalid");
    assert_eq!(said(&product, &api.wss, "", "", None).await, missing);
    assert_eq!(said(&product, &api.wss, "", &own.header(), None).await, missing);
    assert!(!backend.seen()[0].head.to_lowercase().contains("cert"), "{}", backend.seen()[0].head);
    product.portal.admin().await.delete(&place).await.is(204);
    assert_eq!(said(&product, &api.wss, "", "", Some(&own)).await, "401 credential-invalid");
}

#[tokio::test]
async fn haproxy_ends_tls_and_tells_of_certificates() {
    let product = Product::start_with(|command| {
        command.args(["--trusted-proxies", "127.0.0.1", "--client-cert"]);
    })
    .await;
    let backend = Backend::echo();
    let own = Pair::make(product.scratch(), "own");
    let other = Pair::make(product.scratch(), "other");
    let (api, _) = offered(&product, &backend, &own).await;
    let proxy = proxied(&product).await;
    let socket = proxy.socket.to_str().unwrap();
    let missing = "401 credential-missing";
    assert_eq!(said(&product, &api.wss, socket, "", Some(&own)).await, "from Python");
    assert_eq!(said(&product, &api.wss, socket, "", Some(&other)).await, "401 credential-invalid");
    assert_eq!(said(&product, &api.wss, socket, "", None).await, missing);
    // What a client says of itself the proxy takes away.
    assert_eq!(said(&product, &api.wss, socket, &own.header(), None).await, missing);
    assert_eq!(said(&product, &api.wss, socket, &own.header(), Some(&other)).await, "401 credential-invalid");
    assert!(!backend.seen()[0].head.to_lowercase().contains("cert"), "{}", backend.seen()[0].head);
}

/// A token of a client that is told to have bound ones, asked for as a proxy asks that saw this certificate.
async fn bound(product: &Product, id: &str, secret: &str, shown: Option<&Pair>) -> Answer {
    let request = product.portal.request(reqwest::Method::POST, "/oauth2/token").basic_auth(id, Some(secret));
    let request = request.form(&[("grant_type", "client_credentials")]);
    match shown {
        Some(pair) => send(request.header("Client-Cert", pair.header())).await,
        None => send(request).await,
    }
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_certificate_opens_nothing_without_it() {
    let product = Product::start_with(|command| {
        command.args(["--trusted-proxies", "127.0.0.1", "--client-cert"]);
    })
    .await;
    let backend = Backend::echo();
    let own = Pair::make(product.scratch(), "own");
    let other = Pair::make(product.scratch(), "other");
    let (api, token) = {
        let admin = product.portal.admin().await;
        let api = admin.publish("Bound", json!({"production": {"url": backend.url()}})).await;
        let application = admin.application("Bound", "Unlimited").await;
        admin.subscribe(&application, &api, "Unlimited").await;
        let body = json!({"type": "production", "certificate_bound_tokens": true});
        let key = admin.post(&format!("/applications/{application}/keys"), body).await.is(201).json();
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        let (id, secret) = (text("client_id"), text("client_secret"));
        assert_eq!(bound(&product, &id, &secret, None).await.is(400).json()["error"], "invalid_request");
        let granted = bound(&product, &id, &secret, Some(&own)).await.is(200).json();
        (api, granted["access_token"].as_str().unwrap().to_owned())
    };
    let refused = "401 proof-invalid";
    let proxy = proxied(&product).await;
    let socket = proxy.socket.to_str().unwrap();
    let url = format!("{}?access_token={token}", api.wss);
    assert_eq!(said(&product, &url, socket, "", Some(&own)).await, "from Python");
    assert_eq!(said(&product, &url, socket, "", Some(&other)).await, refused);
    assert_eq!(said(&product, &url, socket, "", None).await, refused);
    // What a client says of itself the proxy takes away, and past the proxy nobody tells of a certificate.
    assert_eq!(said(&product, &url, socket, &own.header(), None).await, refused);
    assert_eq!(said(&product, &url, "", "", None).await, refused);
}
