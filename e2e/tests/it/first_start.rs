//! The first start and those after it: files, users, passwords, and starts that cannot be.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::{Value, json};

use crate::product::{Product, failed_with_one_line, run, serve, tidegate};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_first_start_leaves_what_tools_and_people_need() {
    let product = Product::start().await;
    let data = product.data();
    let secret = [("first-start.json", 0o600), ("tls/key.pem", 0o600), ("", 0o700)];
    for (name, expected) in secret {
        assert_eq!(mode(&data.join(name)), expected, "mode of {name}");
    }
    assert!(product.at.portal.starts_with("https://localhost:"), "{:?}", product.at);
    assert!(product.at.ws.starts_with("ws://localhost:"), "{:?}", product.at);
    assert!(product.at.wss.starts_with("wss://localhost:"), "{:?}", product.at);
    assert!(product.at.echo.starts_with("ws://localhost:"), "{:?}", product.at);

    let users = product.first_start()["users"].as_object().unwrap().clone();
    assert_eq!(users.keys().collect::<Vec<_>>(), ["admin", "creator", "developer", "publisher"]);
    let printed = product.printed() + &product.logged();
    for (name, user) in &users {
        let password = user["password"].as_str().unwrap();
        assert!(!printed.contains(password), "the password of {name} is shown where nobody looks");
        let session = product.portal.sign_in(name, password).await.is(200).json();
        assert_eq!(session["user"]["username"], *name);
        assert_eq!(session["user"]["roles"], user["roles"]);
    }
    for word in [&product.at.portal, &product.at.ws, "/publisher", "/devportal", "connect --demo"] {
        assert!(printed.contains(word), "“{word}” is missing: {printed}");
    }
    assert_eq!(product.portal.get("/healthz").await.is(200).text, "ok\n");
    assert_eq!(product.portal.get("/readyz").await.is(200).text, "ready\n");
    let settings = product.portal.get("/api/v1/settings").await.is(200).json();
    assert_eq!((&settings["ws_url"], &settings["demo"]), (&json!(product.at.ws), &json!(true)));
}

#[tokio::test]
async fn a_second_start_keeps_everything() {
    let mut product = Product::start().await;
    let first_start = product.first_start();
    let certificate = fs::read(product.certificate()).unwrap();
    let creator = product.portal.person("creator").await;
    let made = creator.post("/apis", json!({"name": "Kept", "context": "/kept", "version": "1"}));
    let made = made.await.is(201).json();
    let keys = product.portal.get("/oauth2/jwks").await.is(200).json();
    let users = |noted: &Value| noted["users"].clone();

    product.restart().await;
    assert_eq!(users(&product.first_start()), users(&first_start), "nobody gets a new password");
    assert_eq!(fs::read(product.certificate()).unwrap(), certificate, "whoever trusted it still does");
    assert_eq!(product.portal.get("/oauth2/jwks").await.is(200).json(), keys);
    // The personal access token of before is presented here.
    let creator = product.portal.person("creator").await;
    let kept = creator.get(&format!("/apis/{}", made["id"].as_str().unwrap())).await.is(200).json();
    assert_eq!((&kept["name"], &kept["etag"]), (&made["name"], &made["etag"]));
    let apis = creator.get("/apis").await.is(200).json();
    assert_eq!(apis["items"].as_array().unwrap().len(), 2, "Kept, and one demo API as before: {apis}");
    product.portal.sign_in("admin", &product.portal.password("admin")).await.is(200);
}

#[tokio::test]
async fn a_start_that_cannot_be_says_why_in_one_line() {
    let product = Product::start().await;
    let other = product.scratch().join("other");
    for (flag, variable, address) in [
        ("--portal", "TIDEGATE_PORTAL", &product.at.portal),
        ("--ws", "TIDEGATE_WS", &product.at.ws),
        ("--wss", "TIDEGATE_WSS", &product.at.wss),
        ("--echo", "TIDEGATE_ECHO", &product.at.echo),
    ] {
        let port = address.rsplit(':').next().unwrap();
        let mut command = tidegate();
        command.args(["serve", "--demo", "--data"]).arg(&other);
        for listener in ["--portal", "--ws", "--wss", "--echo"] {
            let place = if listener == flag { format!("localhost:{port}") } else { "localhost:0".to_owned() };
            command.args([listener, &place]);
        }
        failed_with_one_line(&run(command).await, &["in use", port, flag, variable]);
    }

    let held = product.data();
    failed_with_one_line(
        &run(serve(&held)).await,
        &["in use by another Tidegate", held.to_str().unwrap(), "--data"],
    );
    assert!(held.join("addresses.json").exists(), "the one that runs is still found");

    let file = product.scratch().join("file");
    fs::write(&file, "no folder").unwrap();
    failed_with_one_line(&run(serve(&file)).await, &["not a folder", file.to_str().unwrap(), "--data"]);
    let below = file.join("data");
    failed_with_one_line(&run(serve(&below)).await, &["not a folder", file.to_str().unwrap(), "--data"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "no folder");
    product.portal.get("/readyz").await.is(200);
}

#[tokio::test]
async fn what_is_written_wrong_is_said_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = serve(folder.path());
    command.args(["--host", "https://example.com"]).env("TIDEGATE_WORKERS", "many");
    command.env("TIDEGATE_ADMIN_PASSWORD", "short");
    let output = run(command).await;
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{text}");
    for word in ["--host", "--workers", "TIDEGATE_ADMIN_PASSWORD"] {
        assert_eq!(text.lines().filter(|line| line.contains(word)).count(), 1, "{word}: {text}");
    }
    assert!(!text.contains("short”"), "a password is not repeated: {text}");
}

#[tokio::test]
async fn the_operator_may_choose_the_admins_password_and_anyone_gets_a_new_one() {
    let product = Product::start_with(|command| {
        command.env("TIDEGATE_ADMIN_PASSWORD", "chosen by the operator");
    });
    let product = product.await;
    product.portal.sign_in("admin", "chosen by the operator").await.is(200);
    let noted = product.first_start();
    assert!(noted["users"]["admin"].get("password").is_none(), "{noted}");
    assert!(!noted.to_string().contains("chosen"), "{noted}");

    let old = product.portal.password("creator");
    let creator = product.portal.person("creator").await;
    creator.get("/apis").await.is(200);
    let reset = |name: &str| {
        let mut command = tidegate();
        command.args(["user", "reset", name, "--data"]).arg(product.data());
        run(command)
    };
    let output = reset("creator").await;
    assert!(output.status.success(), "{output:?}");
    let new = String::from_utf8(output.stdout).unwrap();
    let new = new.strip_suffix('\n').unwrap();
    assert_eq!(product.portal.sign_in("creator", &old).await.is(401).problem(), "unauthenticated");
    product.portal.sign_in("creator", new).await.is(200);
    let noted = product.first_start();
    assert!(!noted.to_string().contains(&old) && !noted.to_string().contains(new), "{noted}");

    failed_with_one_line(&reset("nobody").await, &["no user “nobody”"]);
    let mut elsewhere = tidegate();
    elsewhere.args(["user", "reset", "admin", "--data"]).arg(product.scratch().join("nothing"));
    failed_with_one_line(&run(elsewhere).await, &["no Tidegate data", "--data"]);
}
