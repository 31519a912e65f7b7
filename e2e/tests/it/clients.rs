//! Other people's clients, and the product's own: each exchanges messages through the gateway, `ws` and `wss`.

use std::process::{Command, Stdio};

use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::Child,
};

use crate::{
    backend::Backend,
    client::Opening,
    portal::{Access, Api},
    product::{Product, failed_with_one_line, run, tidegate},
    programs::{next_line, node, python, wscat},
    wait::{PATIENCE, within},
};

/// Sends a text and a binary message, prints what comes back, and how it ended.
const PYTHON: &str = r#"
import asyncio, ssl, sys, websockets

async def main(url, token, certificate):
    trust = ssl.create_default_context(cafile=certificate) if url.startswith("wss") else None
    headers = {"Authorization": "Bearer " + token}
    async with websockets.connect(url, additional_headers=headers, ssl=trust) as socket:
        await socket.send("from Python")
        print(await socket.recv())
        await socket.send(bytes(range(200)) * 500)
        print(len(await socket.recv()))
        await (await socket.ping())
    print(socket.close_code)
    try:
        await websockets.connect(url, ssl=trust)
    except websockets.exceptions.InvalidStatus as refused:
        print(refused.response.status_code, refused.response.headers["Content-Type"])

asyncio.run(main(*sys.argv[1:]))
"#;

/// Buys a ticket, uses it, and tries it once more.
const PYTHON_TICKET: &str = r#"
import json, sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

url, token = sys.argv[1:]
place = url.replace("ws://", "http://").split("/", 3)
counter = "/".join(place[:3]) + "/.tidegate/tickets/" + place[3]
buy = lambda token: urlopen(Request(counter, method="POST", headers={"Authorization": "Bearer " + token}))
ticket = json.load(buy(token))["ticket"]
with connect(url + "?ticket=" + ticket) as socket:
    socket.send("from Python")
    print(socket.recv())
for address, offers in [(url + "?ticket=" + ticket, None), (url, ["ticket", ticket])]:
    try:
        connect(address, subprotocols=offers)
    except InvalidStatus as refused:
        print(refused.response.status_code, json.loads(refused.response.body)["type"].rsplit("/")[-1])
try:
    buy("nonsense")
except HTTPError as refused:
    print(refused.code, json.load(refused)["type"].rsplit("/")[-1])
print(ticket, file=sys.stderr)
"#;

/// Opens two sessions by one token and gives the first a fresh one; then says, after each line that it is told, how they
/// are.
const PYTHON_RENEWAL: &str = r#"
import json, sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

url, old, fresh = sys.argv[1:]
bearer = lambda token: {"Authorization": "Bearer " + token}
place = url.replace("ws://", "http://").split("/", 3)
sessions = "/".join(place[:3]) + "/.tidegate/sessions/" + place[3] + "/"
kept, left = [connect(url, additional_headers=bearer(old)) for _ in range(2)]
own = kept.response.headers["X-Request-Id"]

def renew(session):
    try:
        answer = urlopen(Request(sessions + session, method="POST", headers=bearer(fresh)))
        return [renewed["id"] for renewed in json.load(answer)["sessions"]] == [own]
    except HTTPError as refused:
        return str(refused.code) + " " + json.load(refused)["type"].rsplit("/")[-1]

def stands(socket):
    try:
        socket.send("still here")
        return socket.recv()
    except ConnectionClosed as closed:
        return str(closed.rcvd.code) + " " + json.loads(closed.rcvd.reason)["reason"]

print(renew(own), renew(own + "7"), flush=True)
for line in sys.stdin:
    print(stands(kept), "|", stands(left), flush=True)
print(renew(own))
"#;

async fn offered(product: &Product, backend: &Backend) -> (Api, Access) {
    let admin = product.portal.admin().await;
    let api = admin.publish("Clients", json!({"production": {"url": backend.url()}})).await;
    let access = admin.access("Clients", &api, "Unlimited").await;
    (api, access)
}

fn piped(mut command: Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap()
}

#[tokio::test]
async fn python_talks_through_the_gateway() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let (api, access) = offered(&product, &backend).await;
    for url in [&api.ws, &api.wss] {
        let mut command = python();
        command.args(["-c", PYTHON, url, &access.token]).arg(product.certificate());
        let output = within("Python", PATIENCE, piped(command).wait_with_output()).await.unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<_> = said.lines().collect();
        let refused = "401 application/problem+json";
        assert_eq!(lines, ["from Python", "100000", "1000", refused], "{complaint}");
    }
    assert_eq!(backend.seen()[1].close, Some((1000, String::new())));
}

#[tokio::test]
async fn python_buys_a_ticket_and_uses_it_once() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let (api, access) = offered(&product, &backend).await;
    let mut command = python();
    command.args(["-c", PYTHON_TICKET, &api.ws, &access.token]);
    let output = within("Python", PATIENCE, piped(command).wait_with_output()).await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let ticket = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<_> = said.lines().collect();
    let used = "401 ticket-used";
    assert_eq!(lines, ["from Python", used, used, "401 credential-invalid"], "{ticket}");
    assert!(
        ticket.starts_with("tgt_") && !product.logged().contains(ticket.trim()),
        "a ticket is not logged"
    );
    let seen = backend.seen();
    assert!(seen.len() == 1 && !seen[0].head.contains("ticket"), "{}", seen[0].head);

    // What a person buys over REST opens a session of the application's key.
    let admin = product.portal.admin().await;
    let wanted = json!({"api_id": api.id, "application_id": access.application});
    let sold = admin.post("/tickets", wanted).await.is(201).json();
    let address = format!("{}?ticket={}", api.ws, sold["ticket"].as_str().unwrap());
    Opening::to(&address).open().await.echo("by REST").await;
    let refused = Opening::to(&address).refused().await;
    assert_eq!((refused.status, refused.problem().as_str()), (401, "ticket-used"));
}

#[tokio::test]
async fn python_gives_a_session_a_fresh_token_and_it_stays() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let api = admin.publish("Clients", json!({"production": {"url": backend.url()}})).await;
    let application = admin.application("Clients", "Unlimited").await;
    admin.subscribe(&application, &api, "Unlimited").await;
    let key = admin.key(&application, "production").await;
    let fresh = product.portal.token(&key.client_id, &key.secret).await.is(200).json();
    let fresh = fresh["access_token"].as_str().unwrap();
    let mut command = python();
    command.args(["-c", PYTHON_RENEWAL, &api.ws, &key.token, fresh]);
    let mut child = piped(command);
    let mut orders = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(next_line(&mut lines).await, "True 404 unknown-session");
    // What the first token opened ends with it, but for the session that lives by another now.
    for (token, stand) in
        [(key.token.as_str(), "still here | 3000 revoked"), (fresh, "3000 revoked | 3000 revoked")]
    {
        admin.post("/revocations", json!({ "token": token })).await.is(200);
        orders.write_all(b"and now?\n").await.unwrap();
        assert_eq!(next_line(&mut lines).await, stand);
    }
    drop(orders);
    assert_eq!(next_line(&mut lines).await, "401 credential-revoked");
    assert!(backend.seen().len() == 2, "the session that stayed asked its backend for nothing");
    assert!(!product.logged().contains(fresh), "a token is not logged");
}

#[tokio::test]
async fn node_talks_on_three_streams_of_one_connection() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let (api, access) = offered(&product, &backend).await;
    let mut command = node("http2.mjs");
    command.args([&api.wss, &access.token]).arg(product.certificate());
    let output = within("Node", PATIENCE, piped(command).wait_with_output()).await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    let session = |number: u8| format!("200 from Node {number} 300000 1000 done in order");
    let lines: Vec<_> = said.lines().map(str::to_owned).collect();
    let mut expected = vec!["connect protocol: true".to_owned()];
    expected.extend([1, 2, 3].map(session));
    expected.push("401 application/problem+json".to_owned());
    assert_eq!(lines, expected, "{complaint}");
    backend.is_over().await;
    assert_eq!(backend.received().messages, 6);
}

#[tokio::test]
async fn wscat_talks_through_the_gateway() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let (api, access) = offered(&product, &backend).await;
    let authorization = format!("Authorization: Bearer {}", access.token);
    for url in [&api.ws, &api.wss] {
        let mut command = wscat();
        command.args([
            "--connect",
            url,
            "--header",
            &authorization,
            "--execute",
            "from wscat",
            "--wait",
            "-1",
        ]);
        command.arg("--ca").arg(product.certificate());
        let mut wscat = piped(command);
        let mut lines = BufReader::new(wscat.stdout.take().unwrap()).lines();
        assert_eq!(next_line(&mut lines).await, "from wscat");
        // Its end of input is its goodbye.
        drop(wscat.stdin.take());
        within("the end of wscat", PATIENCE, wscat.wait()).await.unwrap();
    }
    backend.is_over().await;
    assert_eq!(backend.received().messages, 2);
}

#[tokio::test]
async fn tidegate_connect_talks_in_a_pipe() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let (api, access) = offered(&product, &backend).await;
    for url in [&api.ws, &api.wss] {
        let mut command = tidegate();
        command.args(["connect", url, "--data"]).arg(product.data()).env("TIDEGATE_TOKEN", &access.token);
        let mut connect = piped(command);
        connect.stdin.take().unwrap().write_all("one\ntwö\n".as_bytes()).await.unwrap();
        let output = within("connect", PATIENCE, connect.wait_with_output()).await.unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "one\ntwö\n", "{told}");
        assert!(output.status.success() && told.contains("1000"), "{told}");
        assert!(!told.contains(&access.token), "{told}");
    }

    // As the banner says it.
    let mut demo = tidegate();
    demo.args(["connect", "--demo", "--data"]).arg(product.data());
    let mut connect = piped(demo);
    connect.stdin.take().unwrap().write_all(b"hello\n").await.unwrap();
    let output = within("connect --demo", PATIENCE, connect.wait_with_output()).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "hello\n", "{output:?}");

    // A Close that is not a goodbye, and a refusal, are failures that say what it was.
    let mut closed = tidegate();
    closed.args(["connect", &api.ws]).env("TIDEGATE_TOKEN", &access.token);
    let mut connect = piped(closed);
    connect.stdin.take().unwrap().write_all(b"close 4321 enough\n").await.unwrap();
    let output = within("connect", PATIENCE, connect.wait_with_output()).await.unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("4321") && told.contains("enough"), "{told}");
    let mut refused = tidegate();
    refused.args(["connect", &api.ws]);
    let output = within("connect", PATIENCE, piped(refused).wait_with_output()).await.unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && told.contains("401") && told.contains("credential-missing"),
        "{told}"
    );
}

#[tokio::test]
async fn tidegate_echo_is_a_backend_of_its_own() {
    let mut command = tidegate();
    command.args(["echo", "--listen", "localhost:0"]);
    let mut echo = piped(command);
    let mut lines = BufReader::new(echo.stdout.take().unwrap()).lines();
    let said = next_line(&mut lines).await;
    let url = said.split_whitespace().find(|word| word.starts_with("ws://")).unwrap();
    let mut client = Opening::to(&format!("{url}/any/path?at=all")).open().await;
    client.echo("hello").await;
    client.echo(&"long ".repeat(100_000)).await;
    client.leave().await;

    let mut taken = tidegate();
    taken.args(["echo", "--listen", &url.replace("ws://", "")]);
    failed_with_one_line(&run(taken).await, &["in use", "--listen"]);
}
