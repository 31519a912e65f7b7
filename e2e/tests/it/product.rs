//! The product under test: the real binary with a data folder of its own, started, stopped, killed and cleaned up.
//!
//! Every port is `localhost:0`, so a start listens elsewhere than the one before; what it listens on is in
//! `addresses.json`, as for any tool. Where a product is dropped by a failing test, the end of its log is shown.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::Arc,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    portal::Portal,
    wait::{PATIENCE, until, within},
};

/// A start in a debug build on a busy machine, with the hashing of four passwords.
const START_PATIENCE: Duration = Duration::from_mins(1);
/// An orderly end: five seconds for sessions to say goodbye, and some for the rest.
const STOP_PATIENCE: Duration = Duration::from_secs(30);
/// What a developer may have set for himself and no test may see.
const VARIABLES: [&str; 21] = [
    "TIDEGATE_ADMIN_PASSWORD",
    "TIDEGATE_CLIENT_CERT",
    "TIDEGATE_CONNECTIONS_PER_ADDRESS",
    "TIDEGATE_DATA",
    "TIDEGATE_DEMO",
    "TIDEGATE_ECHO",
    "TIDEGATE_HOST",
    "TIDEGATE_LOG",
    "TIDEGATE_PORTAL",
    "TIDEGATE_PROXY_PROTOCOL",
    "TIDEGATE_REDIS",
    "TIDEGATE_REDIS_LOST",
    "TIDEGATE_SECRETS_KEY_FILE",
    "TIDEGATE_SOCKET_BUFFER",
    "TIDEGATE_TLS_CERT",
    "TIDEGATE_TLS_KEY",
    "TIDEGATE_TOKEN",
    "TIDEGATE_TRUSTED_PROXIES",
    "TIDEGATE_WORKERS",
    "TIDEGATE_WS",
    "TIDEGATE_WSS",
];

/// The binary, without anything of the environment that would change what it does.
pub(crate) fn tidegate() -> Command {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug/tidegate");
    let binary = std::env::var_os("TIDEGATE_BIN").map_or(built, PathBuf::from);
    assert!(
        binary.exists(),
        "{} is not there: build it with `cargo build -p tidegate-server`",
        binary.display()
    );
    let mut command = Command::new(binary);
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command
}

/// `tidegate serve --demo` on free ports.
pub(crate) fn serve(data: &Path) -> Command {
    let mut command = tidegate();
    command.args(["serve", "--demo", "--data"]).arg(data);
    for listener in ["--portal", "--ws", "--wss", "--echo"] {
        command.args([listener, "localhost:0"]);
    }
    command
}

/// Runs a command that ends by itself, and answers how.
pub(crate) async fn run(mut command: Command) -> Output {
    command.stdin(Stdio::null());
    let mut command = tokio::process::Command::from(command);
    within("the command's end", START_PATIENCE, command.kill_on_drop(true).output()).await.unwrap()
}

/// Asserts that a command failed with one line that says all of this, and nothing on stdout.
pub(crate) fn failed_with_one_line(output: &Output, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{text}");
    assert_eq!(text.lines().count(), 1, "one line: {text}");
    assert!(output.stdout.is_empty(), "{output:?}");
    for word in words {
        assert!(text.contains(word), "“{word}” is missing: {text}");
    }
}

/// What `addresses.json` says.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    pub(crate) portal: String,
    pub(crate) ws: String,
    pub(crate) wss: String,
    pub(crate) echo: String,
}

/// A process that runs, or has ended and was not waited for yet.
#[derive(Clone, Copy)]
pub(crate) struct Process(Pid);

impl Process {
    /// SIGKILL: no goodbye, no last write.
    pub(crate) fn kill(self) {
        kill_process(self.0, Signal::KILL).unwrap();
    }
}

/// A running product.
pub(crate) struct Product {
    pub(crate) at: Addresses,
    pub(crate) portal: Portal,
    child: Child,
    folder: TempDir,
    certificate: PathBuf,
}

impl Product {
    /// A first start.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A first start with other arguments or variables.
    pub(crate) async fn start_with(adjust: impl FnOnce(&mut Command)) -> Self {
        Self::begin(tempfile::tempdir().unwrap(), None, adjust).await
    }

    /// A first start with a certificate of the operator's own, which outlives the product.
    pub(crate) async fn start_showing(certificate: &Path, key: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = |command: &mut Command| {
            command.arg("--tls-cert").arg(certificate).arg("--tls-key").arg(key);
        };
        Self::begin(folder, Some(certificate.to_owned()), own).await
    }

    /// A start in a folder that may hold data of an earlier one.
    pub(crate) async fn start_in(folder: TempDir) -> Self {
        Self::start_in_with(folder, |_| {}).await
    }

    /// The same with other arguments or variables.
    pub(crate) async fn start_in_with(folder: TempDir, adjust: impl FnOnce(&mut Command)) -> Self {
        Self::begin(folder, None, adjust).await
    }

    async fn begin(folder: TempDir, certificate: Option<PathBuf>, adjust: impl FnOnce(&mut Command)) -> Self {
        let data = folder.path().join("data");
        let mut command = serve(&data);
        adjust(&mut command);
        let child = spawn(command, folder.path());
        let at =
            Addresses { portal: String::new(), ws: String::new(), wss: String::new(), echo: String::new() };
        let certificate = certificate.unwrap_or_else(|| data.join("tls/cert.pem"));
        let mut product = Self { at, portal: Portal::default(), child, folder, certificate };
        product.is_ready().await;
        product
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder for the test's own files, removed with the product.
    pub(crate) fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// What it has printed so far.
    pub(crate) fn printed(&self) -> String {
        fs::read_to_string(self.folder.path().join("stdout")).unwrap()
    }

    /// What it has logged so far.
    pub(crate) fn logged(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr")).unwrap()
    }

    /// What the first start noted.
    pub(crate) fn first_start(&self) -> Value {
        json(&self.data().join("first-start.json")).expect("first-start.json is whole")
    }

    /// The certificate to trust.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.certificate.clone()
    }

    /// TLS that trusts this product alone.
    pub(crate) fn trust(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(self.certificate()).unwrap() {
            roots.add(certificate.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
    }

    /// The process, to send signals to.
    pub(crate) fn process(&self) -> Process {
        Process(Pid::from_raw(self.child.id().try_into().unwrap()).unwrap())
    }

    /// Asks it to stop, as a service supervisor does.
    pub(crate) fn ask_to_stop(&self) {
        kill_process(self.process().0, Signal::TERM).unwrap();
    }

    /// Says that its files have changed.
    pub(crate) fn ask_to_reread(&self) {
        kill_process(self.process().0, Signal::HUP).unwrap();
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        until("the end of the process", STOP_PATIENCE, async || self.child.try_wait().unwrap()).await
    }

    /// An orderly stop.
    pub(crate) async fn stop(&mut self) {
        self.ask_to_stop();
        let status = self.ended().await;
        assert!(status.success(), "{status}: {}", self.logged());
        assert!(!self.data().join("addresses.json").exists(), "addresses of a product that does not run");
    }

    /// SIGKILL: no goodbye, no last write.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts again on the same folder, on new ports; it must have ended before.
    pub(crate) async fn start_again(&mut self) {
        self.start_again_with(|_| {}).await;
    }

    /// The same with other arguments or variables.
    pub(crate) async fn start_again_with(&mut self, adjust: impl FnOnce(&mut Command)) {
        assert!(self.child.try_wait().unwrap().is_some(), "it still runs");
        let mut command = serve(&self.data());
        adjust(&mut command);
        self.child = spawn(command, self.folder.path());
        self.is_ready().await;
    }

    /// An orderly stop, and a start on the same folder.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    /// Ready is what `/readyz` calls ready; until then the process must live.
    async fn is_ready(&mut self) {
        let (data, log) = (self.data(), self.folder.path().join("stderr"));
        let child = &mut self.child;
        let found = until("addresses.json", START_PATIENCE, async || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("it ended with {status}: {}", fs::read_to_string(&log).unwrap());
            }
            // One that a killed process left behind is removed once the folder is the new one's.
            json(&data.join("addresses.json")).filter(|_| is_locked_by(&data, child.id()))
        });
        let found = found.await;
        let address = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
        let (portal, ws) = (address("portal"), address("ws"));
        self.at = Addresses { portal, ws, wss: address("wss"), echo: address("echo") };
        self.portal.move_to(&self.at.portal, &self.data(), &self.certificate);
        let portal = &self.portal;
        until("readiness", PATIENCE, async || (portal.probe("/readyz").await?.status == 200).then_some(()))
            .await;
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        // It may have ended already; the folder goes once nobody writes to it.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let logged = self.logged();
            let lines: Vec<_> = logged.lines().collect();
            eprintln!("The product's log ends with:\n{}", lines[lines.len().saturating_sub(30)..].join("\n"));
        }
    }
}

/// A start that is killed after this time, wherever it is then.
pub(crate) async fn kill_while_starting(data: &Path, moment: Duration) {
    let mut command = serve(data);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    // The moment is what the test is about.
    tokio::time::sleep(moment).await;
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Whether the folder is that process's.
fn is_locked_by(data: &Path, process: u32) -> bool {
    fs::read_to_string(data.join("lock")).is_ok_and(|text| text.trim() == process.to_string())
}

fn spawn(mut command: Command, folder: &Path) -> Child {
    let append = |name: &str| File::options().create(true).append(true).open(folder.join(name)).unwrap();
    command.stdin(Stdio::null()).stdout(append("stdout")).stderr(append("stderr"));
    command.spawn().unwrap()
}

/// A file's JSON, if it is there and whole.
pub(crate) fn json(path: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
