//! Starts the programs that are compared: the echo backend, Tidegate, and its peers with the configurations in
//! `bench/peers`. Gateways run on one core with one worker each, the backend and the clients on another.
//!
//! What was started ends with its [`Running`]. A program that does not come up says so with the end of its log.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;

use crate::{
    client::{Clients, Target},
    process::Process,
    subject::{self, Subject},
};

/// Where the gateways run.
const GATEWAY_CORE: usize = 0;
/// Where the backend and the clients run.
pub(crate) const CLIENT_CORE: usize = 1;
/// Time to come up: a first start of Tidegate makes keys, a certificate and passwords.
const UP_WITHIN: Duration = Duration::from_mins(1);
/// Time between two looks whether it is up.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Time to end when asked to.
const DOWN_WITHIN: Duration = Duration::from_secs(20);

/// The plan of Tidegate's subscription: what Gold is, except that a bench never reaches its limit.
const PLAN: &str = "Bench";
const PLAN_MESSAGES: u32 = 4_000_000_000;

/// Programs, each where it is found; a peer that is not there is left out.
#[derive(Debug, clap::Args)]
pub(crate) struct Programs {
    /// The release build that is compared
    #[arg(long, value_name = "FILE")]
    tidegate: PathBuf,
    #[arg(long, value_name = "FILE")]
    nginx: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    haproxy: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    envoy: Option<PathBuf>,
    /// Node, for the relay made of the library ws
    #[arg(long, value_name = "FILE", requires = "packages")]
    node: Option<PathBuf>,
    /// Folder in which Node finds ws
    #[arg(long, value_name = "DIR", value_parser = absolute)]
    packages: Option<PathBuf>,
    /// Where configurations, logs and Tidegate's data are kept
    #[arg(long, value_name = "DIR", value_parser = absolute)]
    folder: PathBuf,
}

/// What can be compared, in the order of the table's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gateway {
    Tidegate,
    Nginx,
    /// nginx with buffers of 32 KiB instead of one page.
    Nginx32k,
    Haproxy,
    Envoy,
    /// A relay of whole messages.
    Ws,
    /// A relay of whole messages that writes each by itself.
    Tungstenite,
    /// The same, gathering what is there before it writes.
    TungsteniteGathering,
    /// No gateway at all.
    Direct,
}

/// A program that was started.
pub(crate) struct Running {
    child: Child,
    pub(crate) subject: Subject,
}

impl Gateway {
    pub(crate) const ALL: [Self; 9] = [
        Self::Tidegate,
        Self::Nginx,
        Self::Nginx32k,
        Self::Haproxy,
        Self::Envoy,
        Self::Ws,
        Self::Tungstenite,
        Self::TungsteniteGathering,
        Self::Direct,
    ];

    /// Its name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tidegate => "Tidegate",
            Self::Nginx => "nginx",
            Self::Nginx32k => "nginx, 32 KiB",
            Self::Haproxy => "HAProxy",
            Self::Envoy => "Envoy",
            Self::Ws => "ws relay",
            Self::Tungstenite => "tungstenite relay",
            Self::TungsteniteGathering => "tungstenite, gathering",
            Self::Direct => "no gateway",
        }
    }

    /// Whether it looks at messages, so that it is compared where several are in flight.
    pub(crate) fn is_relay_of_messages(self) -> bool {
        matches!(self, Self::Ws | Self::Tungstenite | Self::TungsteniteGathering)
    }
}

fn make_plan(data: &Path) -> Result<()> {
    let limit = json!({ "amount": PLAN_MESSAGES, "per": "minute" });
    let mut rest = subject::sign_in(data)?;
    rest.call("POST", "/plans", &json!({ "name": PLAN, "limits": [limit] }))?;
    Ok(())
}

impl Programs {
    /// Makes the folder, and in it a Tidegate that was started once and has the plan.
    pub(crate) fn prepare(&self) -> Result<()> {
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        ensure!(cores > CLIENT_CORE, "gateways and clients need a core each; there is {cores}");
        let _ = fs::remove_dir_all(&self.folder);
        let data = self.data();
        fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;
        let mut child = self.serve()?;
        let made = wait_for_addresses(&mut child, &data, &self.log()).and_then(|()| make_plan(&data));
        let is_debug_build = Process(child.id()).is_debug_build();
        stop(&mut child);
        made?;
        ensure!(!is_debug_build, "{} is a debug build: its figures say nothing", self.tidegate.display());
        Ok(())
    }

    /// Whether it is on this machine.
    pub(crate) fn has(&self, gateway: Gateway) -> bool {
        match gateway {
            Gateway::Tidegate | Gateway::Direct => true,
            // They are this program: unoptimised they would make anything look fast.
            Gateway::Tungstenite | Gateway::TungsteniteGathering => !cfg!(debug_assertions),
            Gateway::Nginx | Gateway::Nginx32k => self.nginx.is_some(),
            Gateway::Haproxy => self.haproxy.is_some(),
            Gateway::Envoy => self.envoy.is_some(),
            Gateway::Ws => self.node.is_some(),
        }
    }

    /// Starts the echo backend on a free port.
    pub(crate) fn backend(&self) -> Result<(Running, SocketAddr)> {
        let address = free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["echo", "--listen", &address.to_string()]);
        let child = spawn(command, &self.folder.join("echo.log"))?;
        Ok((Running::at(child, address, "echo backend", &self.folder.join("echo.log"))?, address))
    }

    /// Starts a gateway in front of this backend.
    pub(crate) fn start(&self, gateway: Gateway, backend: SocketAddr) -> Result<Running> {
        if gateway == Gateway::Tidegate {
            let (data, mut child) = (self.data(), self.serve()?);
            let up = wait_for_addresses(&mut child, &data, &self.log())
                .and_then(|()| Subject::in_folder(&data, backend, PLAN));
            return match up {
                Ok(subject) => Ok(Running { child, subject }),
                Err(error) => {
                    stop(&mut child);
                    Err(error)
                }
            };
        }
        let listen = free_address()?;
        // Two instances of one gateway may run at once, before different backends.
        let folder =
            self.folder.join(format!("{}-{}", gateway.name().replace([' ', ','], ""), listen.port()));
        fs::create_dir_all(&folder)?;
        let command = self.command(gateway, &folder, listen, backend)?;
        let log = folder.join("output.log");
        Running::at(spawn(pinned(&command), &log)?, listen, gateway.name(), &log)
    }

    fn command(
        &self,
        gateway: Gateway,
        folder: &Path,
        listen: SocketAddr,
        backend: SocketAddr,
    ) -> Result<Command> {
        let missing = || format!("{} is not on this machine", gateway.name());
        let configured = |name: &str, template: &str, buffer: &str| -> Result<PathBuf> {
            let text = template
                .replace("@FOLDER@", &folder.to_string_lossy())
                .replace("@BUFFER@", buffer)
                .replace("@LISTEN@", &listen.to_string())
                .replace("@LISTEN_HOST@", &listen.ip().to_string())
                .replace("@LISTEN_PORT@", &listen.port().to_string())
                .replace("@BACKEND@", &backend.to_string())
                .replace("@BACKEND_HOST@", &backend.ip().to_string())
                .replace("@BACKEND_PORT@", &backend.port().to_string());
            fs::write(folder.join(name), text)?;
            Ok(folder.join(name))
        };
        let program = |path: &Option<PathBuf>| path.as_ref().map(Command::new).with_context(missing);
        let mut command;
        match gateway {
            Gateway::Nginx | Gateway::Nginx32k => {
                let buffer = if gateway == Gateway::Nginx { "4k" } else { "32k" };
                let file = configured("nginx.conf", include_str!("../peers/nginx.conf"), buffer)?;
                command = program(&self.nginx)?;
                command.arg("-c").arg(file);
            }
            Gateway::Haproxy => {
                let file = configured("haproxy.cfg", include_str!("../peers/haproxy.cfg"), "")?;
                command = program(&self.haproxy)?;
                command.arg("-db").arg("-f").arg(file);
            }
            Gateway::Envoy => {
                let file = configured("envoy.yaml", include_str!("../peers/envoy.yaml"), "")?;
                command = program(&self.envoy)?;
                command.args(["--concurrency", "1", "--disable-hot-restart", "-l", "error", "-c"]).arg(file);
            }
            Gateway::Ws => {
                let file = configured("ws.mjs", include_str!("../peers/ws.mjs"), "")?;
                command = program(&self.node)?;
                command.arg(file).arg(self.packages.as_ref().with_context(missing)?);
                command.args([listen.to_string(), backend.to_string()]);
            }
            Gateway::Tungstenite | Gateway::TungsteniteGathering => {
                command = Command::new(std::env::current_exe()?);
                command.args(["relay", "--listen", &listen.to_string(), "--backend", &backend.to_string()]);
                command.args((gateway == Gateway::TungsteniteGathering).then_some("--gather"));
            }
            Gateway::Tidegate | Gateway::Direct => bail!("{} is not started so", gateway.name()),
        }
        Ok(command)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("tidegate")
    }

    fn serve(&self) -> Result<Child> {
        let data = self.data();
        // What an earlier start left would be taken for this one's.
        let _ = fs::remove_file(data.join("addresses.json"));
        let mut command = Command::new(&self.tidegate);
        command.args(["serve", "--demo", "--workers", "1", "--data"]).arg(&data);
        for door in ["--portal", "--ws", "--wss", "--echo"] {
            command.args([door, "localhost:0"]);
        }
        spawn(pinned(&command), &self.log())
    }

    fn log(&self) -> PathBuf {
        self.folder.join("tidegate.log")
    }

    /// What each program calls itself.
    pub(crate) fn versions(&self) -> Vec<String> {
        let asked = [
            (Some(&self.tidegate), "--version"),
            (self.nginx.as_ref(), "-v"),
            (self.haproxy.as_ref(), "-v"),
            (self.envoy.as_ref(), "--version"),
            (self.node.as_ref(), "--version"),
        ];
        let version = |(program, flag): (Option<&PathBuf>, &str)| {
            let output = Command::new(program?).arg(flag).output().ok()?;
            let text = [output.stdout, output.stderr].concat();
            let line =
                String::from_utf8_lossy(&text).lines().find(|line| !line.trim().is_empty())?.to_owned();
            let name = program?.file_name()?.to_string_lossy().into_owned();
            let line = line.replace(&*program?.to_string_lossy(), &name).trim().to_owned();
            let is_named = line.to_lowercase().contains(&name);
            Some(if is_named { line } else { format!("{name} {line}") })
        };
        asked.into_iter().filter_map(version).collect()
    }
}

impl Running {
    /// A program that leads to an echo backend without asking who comes; it is waited for.
    fn at(mut child: Child, address: SocketAddr, name: &str, log: &Path) -> Result<Self> {
        let url = format!("ws://{address}/");
        let up =
            wait_for(&mut child, log, || Clients::open(&Target::new(&url, None)?, 1).map(Clients::abort));
        match up.and_then(|()| Subject::at(&url, name, &[child.id()])) {
            Ok(subject) => Ok(Self { child, subject }),
            Err(error) => {
                stop(&mut child);
                Err(error)
            }
        }
    }
}

impl Running {
    /// Takes away what was made on it, and ends it.
    pub(crate) fn end(mut self) -> Result<()> {
        self.subject.clear()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

fn pinned(command: &Command) -> Command {
    let mut pinned = Command::new("taskset");
    pinned
        .args(["--cpu-list", &GATEWAY_CORE.to_string()])
        .arg(command.get_program())
        .args(command.get_args());
    pinned
}

pub(crate) fn spawn(mut command: Command, log: &Path) -> Result<Child> {
    let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    command.spawn().with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))
}

/// A program writes its addresses last, so they are there when it can be used.
pub(crate) fn wait_for_addresses(child: &mut Child, data: &Path, log: &Path) -> Result<()> {
    let addresses = data.join("addresses.json");
    wait_for(child, log, || {
        ensure!(addresses.exists(), "it has not written its addresses");
        Ok(())
    })
}

pub(crate) fn wait_for(child: &mut Child, log: &Path, mut is_up: impl FnMut() -> Result<()>) -> Result<()> {
    let deadline = Instant::now() + UP_WITHIN;
    loop {
        let Err(error) = is_up() else { return Ok(()) };
        let ended = child.try_wait()?;
        if ended.is_some() || Instant::now() > deadline {
            let words = fs::read_to_string(log).unwrap_or_default();
            let end: Vec<_> = words.lines().rev().take(5).collect();
            let end = end.into_iter().rev().collect::<Vec<_>>().join("\n");
            return Err(error.context(format!("{} did not come up:\n{end}", log.display())));
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Asks it to end, and ends it when it does not: a main process that is killed would leave its workers behind.
pub(crate) fn stop(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    // One that is gone needs no signal.
    let _ = pid.map(|pid| kill_process(pid, Signal::TERM));
    let deadline = Instant::now() + DOWN_WITHIN;
    while matches!(child.try_wait(), Ok(None)) {
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            return;
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// A folder as programs need it that run elsewhere.
pub(crate) fn absolute(folder: &str) -> std::io::Result<PathBuf> {
    std::path::absolute(folder)
}

/// An address that nobody listens on now.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
