//! Behind nginx and HAProxy, with the settings their manuals give for WebSocket: messages, closes and refusals pass.
//!
//! The proxies listen on sockets in the test's own folder, so that no port can be taken by someone else.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    backend::Backend,
    client::{Opening, Refused},
    product::Product,
    programs::{haproxy, nginx},
    wait::{PATIENCE, until},
};

/// A proxy that runs for as long as this lives.
pub(crate) struct Proxy {
    process: Child,
    pub(crate) socket: PathBuf,
    log: PathBuf,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is waited for.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("The proxy's log:\n{}", fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

impl Proxy {
    async fn start(mut command: Command, folder: &Path, socket: PathBuf) -> Self {
        let log = folder.join("proxy.log");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap());
        let mut proxy = Self { process: command.spawn().unwrap(), socket, log };
        until("the proxy listens", PATIENCE, async || {
            let ended = proxy.process.try_wait().unwrap();
            assert!(ended.is_none(), "it ended with {ended:?}");
            tokio::net::UnixStream::connect(&proxy.socket).await.ok()
        })
        .await;
        proxy
    }
}

/// nginx as its documentation proxies WebSocket.
async fn start_nginx(product: &Product) -> Proxy {
    let folder = product.scratch().join("nginx");
    fs::create_dir(&folder).unwrap();
    let (here, socket) = (folder.display(), folder.join("listen"));
    let gateway = product.at.ws.replace("ws://localhost", "http://127.0.0.1");
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|kind| format!("{kind}_temp_path {here}/{kind};")).join("\n");
    let config = format!(
        "daemon off; master_process off; pid {here}/pid; error_log stderr;
        events {{}}
        http {{
            access_log off;
            {temporary}
            server {{
                listen unix:{};
                location / {{
                    proxy_pass {gateway};
                    proxy_http_version 1.1;
                    proxy_set_header Upgrade $http_upgrade;
                    proxy_set_header Connection \"upgrade\";
                    proxy_set_header Host $host;
                }}
            }}
        }}",
        socket.display(),
    );
    let path = folder.join("nginx.conf");
    fs::write(&path, config).unwrap();
    let mut command = nginx();
    command.arg("-p").arg(&folder).arg("-c").arg(&path).args(["-e", "stderr"]);
    Proxy::start(command, &folder, socket).await
}

/// `HAProxy` with the timeouts its documentation asks for.
async fn start_haproxy(product: &Product) -> Proxy {
    let gateway = product.at.ws.replace("ws://localhost", "127.0.0.1");
    start_haproxy_with(product, "http", "", &gateway).await
}

/// The same passing bytes to this address. Who it connects for it is told, and tells, by PROXY headers.
async fn start_passing_haproxy(product: &Product, gateway: &str, header: &str) -> Proxy {
    let (_, port) = gateway.rsplit_once(':').unwrap();
    start_haproxy_with(product, "tcp", "accept-proxy", &format!("127.0.0.1:{port} {header}")).await
}

pub(crate) async fn start_haproxy_with(product: &Product, mode: &str, bind: &str, gateway: &str) -> Proxy {
    let folder = tempfile::tempdir_in(product.scratch()).unwrap().keep();
    let socket = folder.join("listen");
    let config = format!(
        "defaults
            mode {mode}
            timeout connect 5s
            timeout client 30s
            timeout server 30s
            timeout tunnel 1h
        frontend clients
            bind unix@{} {bind}
            default_backend gateways
        backend gateways
            server gateway {gateway}\n",
        socket.display(),
    );
    let path = folder.join("haproxy.cfg");
    fs::write(&path, config).unwrap();
    let mut command = haproxy();
    command.args(["-db", "-f"]).arg(&path);
    Proxy::start(command, &folder, socket).await
}

/// What a refusal says, without what is different each time.
fn essence(refused: &Refused) -> (u16, String, Option<String>, Value) {
    let mut problem: Value = serde_json::from_str(&refused.text).unwrap();
    problem["instance"] = Value::Null;
    let header = |name: &str| refused.headers.get(name).cloned();
    (refused.status, header("content-type").unwrap_or_default(), header("www-authenticate"), problem)
}

async fn everything_passes(product: &Product, backend: &Backend, proxy: &Proxy) {
    let admin = product.portal.admin().await;
    let api = admin.publish("Proxied", json!({"production": {"url": backend.url()}})).await;
    let access = admin.access("Proxied", &api, "Unlimited").await;
    let direct = Opening::to(&api.ws);
    let proxied = direct.clone().through(proxy.socket.clone());

    let mut client = proxied.clone().bearer(&access.token).open().await;
    client.echo("through two doors").await;
    let long: String = "0123456789".repeat(200_000);
    client.echo(&long).await;
    client.send(Message::binary(vec![0xa5; 3 << 20])).await;
    assert_eq!(client.next().await, Message::binary(vec![0xa5; 3 << 20]));
    client.send(Message::Ping("hello".into())).await;
    assert_eq!(client.next().await, Message::Pong("hello".into()));
    client.text("close 4321 enough").await;
    assert_eq!(client.closed().await, (4321, "enough".to_owned()));
    let mut client = proxied.clone().in_query(&access.token).open().await;
    assert_eq!(client.close_with(3999, "bye").await, (3999, "bye".to_owned()));
    backend.is_over().await;
    assert_eq!(backend.seen()[1].close, Some((3999, "bye".to_owned())));

    let unknown = |opening: &Opening| opening.clone().target("/nowhere/1.0").bearer(&access.token);
    for (direct, proxied) in [
        (direct.clone(), proxied.clone()),
        (direct.clone().bearer("bad"), proxied.clone().bearer("bad")),
        (unknown(&direct), unknown(&proxied)),
    ] {
        assert_eq!(essence(&proxied.refused().await), essence(&direct.refused().await));
    }
    let mut live = proxied.bearer(&access.token).open().await;
    live.echo("not for long").await;
    admin.lifecycle(&api.id, "block").await.is(200);
    assert_eq!(live.closed().await, (3003, r#"{"reason":"api_blocked"}"#.to_owned()));
}

#[tokio::test]
async fn everything_passes_through_nginx() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let proxy = start_nginx(&product).await;
    everything_passes(&product, &backend, &proxy).await;
}

#[tokio::test]
async fn everything_passes_through_haproxy() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let proxy = start_haproxy(&product).await;
    everything_passes(&product, &backend, &proxy).await;
}

#[tokio::test]
async fn haproxy_passes_bytes_and_says_for_whom() {
    let backend = Backend::echo();
    let product = Product::start_with(|command| {
        command.args([
            "--trusted-proxies",
            "127.0.0.1",
            "--proxy-protocol",
            "--connections-per-address",
            "1",
        ]);
    })
    .await;
    let admin = product.portal.admin().await;
    let api = admin.publish("Passed", json!({"production": {"url": backend.url()}})).await;
    let access = admin.access("Passed", &api, "Unlimited").await;
    let mut number = 0;
    for (url, gateway) in [(&api.ws, &product.at.ws), (&api.wss, &product.at.wss)] {
        for header in ["send-proxy", "send-proxy-v2"] {
            let proxy = start_passing_haproxy(&product, gateway, header).await;
            let from = |client: &str| {
                let said = format!("PROXY TCP4 {client} 198.51.100.1 4711 8099\r\n");
                let opening = Opening::to(url).bearer(&access.token).trust(product.trust());
                opening.through(proxy.socket.clone()).behind(said.as_bytes())
            };
            number += 1;
            let (client, other) = (format!("203.0.113.{number}"), format!("192.0.2.{number}"));
            let mut session = from(&client).open().await;
            session.echo("passed").await;
            let head = backend.seen().last().unwrap().head.to_lowercase();
            assert!(head.contains(&format!(r#""x-forwarded-for": "{client}""#)), "{header} to {url}: {head}");
            assert_eq!(from(&client).refused().await.problem(), "too-many-connections", "{header} to {url}");
            from(&other).open().await.echo("somebody else").await;
            session.leave().await;
        }
    }
    // A proxy that does not say so is nobody.
    let silent = start_passing_haproxy(&product, &product.at.ws, "").await;
    let asked = Opening::to(&api.ws).through(silent.socket.clone());
    let said = b"PROXY TCP4 203.0.113.1 198.51.100.1 4711 8099\r\n";
    assert!(asked.behind(said).is_dropped().await, "no header, no answer");
}
