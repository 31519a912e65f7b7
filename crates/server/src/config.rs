//! Configuration of `tidegate serve`: what was written ([`RawServe`]), and what is meant ([`Serve`]).
//!
//! Order: defaults, environment, arguments. Resolving answers all problems at once, each with its flag, its
//! variable and a way out. It reads nothing but its argument; see `listen` for addresses, `clients` for who
//! connects, `backends` for who is dialled.

mod backends;
mod certificate;
mod clients;
mod keys;
mod listen;
mod redis;

use std::{env, fmt, num::NonZeroUsize, path::PathBuf};

use tidegate_control::KeySettings;
use tidegate_model::user::Secret;

pub(crate) use backends::{Backends, RawBackends};
pub(crate) use certificate::{OwnCertificate, RawCertificate, TLS_CERT, TLS_KEY};
pub(crate) use clients::{Clients, RawClients};
pub(crate) use keys::RawKeys;
pub(crate) use listen::{Bound, Listen};
pub(crate) use redis::{RawRedis, Redis};

/// Sets the password of `admin`. It has no flag, since arguments can be seen by every user of the machine.
pub(crate) const ADMIN_PASSWORD: &str = "TIDEGATE_ADMIN_PASSWORD";
/// Most relay workers: more threads than any machine has cores is a typing error.
const WORKERS_MAX: usize = 1_024;

/// What may wait in the kernel for each direction of a socket. The kernel takes about twice that, and a session has four
/// directions: one whose peers never read costs a mebibyte. On a path of 100 ms it still carries 10 Mbit/s.
const SOCKET_BUFFER_KIB: usize = 128;
/// Below a page nothing moves; above 16 MiB it is no bound.
const SOCKET_BUFFER_KIB_BOUNDS: (usize, usize) = (4, 16_384);

/// Portals and control plane. All interfaces: a portal is opened from other machines too, over TLS and with
/// generated passwords.
const PORTAL: &str = "9443";
/// The gateway without TLS. All interfaces: clients are elsewhere.
const WS: &str = "9099";
/// The gateway with TLS.
const WSS: &str = "8099";
/// The echo backend. Loopback only: it answers everybody, and only the gateway needs it.
const ECHO: &str = "localhost:9098";
/// The public name.
const HOST: &str = "localhost";

/// What was written on the command line and in the environment.
#[derive(Debug, Clone, Default, clap::Args)]
#[expect(clippy::doc_markdown, reason = "the help is shown as it is written")]
pub(crate) struct RawServe {
    /// Make a demo: users creator, publisher and developer, and an API on the built-in echo backend
    #[arg(long, env = "TIDEGATE_DEMO", num_args = 0..=1, require_equals = true, value_name = "BOOL", default_missing_value = "true")]
    pub(crate) demo: Option<String>,
    /// Folder that holds everything [default: $XDG_DATA_HOME/tidegate or ~/.local/share/tidegate]
    #[arg(long, env = "TIDEGATE_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// File with the key that secrets in the database are sealed with; made at the first start [default: secrets.key in the data folder]
    #[arg(long, env = "TIDEGATE_SECRETS_KEY_FILE", value_name = "FILE")]
    pub(crate) secrets_key_file: Option<PathBuf>,
    /// Where the portals and the REST API listen: PORT, IP:PORT or localhost:PORT; port 0 takes a free one [default: 9443, all interfaces]
    #[arg(long, env = "TIDEGATE_PORTAL", value_name = "ADDR")]
    pub(crate) portal: Option<String>,
    /// Where the gateway listens without TLS [default: 9099, all interfaces]
    #[arg(long, env = "TIDEGATE_WS", value_name = "ADDR")]
    pub(crate) ws: Option<String>,
    /// Where the gateway listens with TLS [default: 8099, all interfaces]
    #[arg(long, env = "TIDEGATE_WSS", value_name = "ADDR")]
    pub(crate) wss: Option<String>,
    /// Where the built-in echo backend listens [default: localhost:9098 with --demo, else it is off]
    #[arg(long, env = "TIDEGATE_ECHO", value_name = "ADDR")]
    pub(crate) echo: Option<String>,
    /// Public name of this machine: certificate, issuer and shown addresses follow [default: localhost]
    #[arg(long, env = "TIDEGATE_HOST", value_name = "NAME")]
    pub(crate) host: Option<String>,
    #[command(flatten)]
    pub(crate) certificate: RawCertificate,
    #[command(flatten)]
    pub(crate) clients: RawClients,
    #[command(flatten)]
    pub(crate) backends: RawBackends,
    #[command(flatten)]
    pub(crate) keys: RawKeys,
    #[command(flatten)]
    pub(crate) redis: RawRedis,
    /// KiB that may wait in the kernel for each direction of a socket, 4 to 16384, or 0 for the system's own choice [default: 128]
    #[arg(long, env = "TIDEGATE_SOCKET_BUFFER", value_name = "KIB")]
    pub(crate) socket_buffer: Option<String>,
    /// Threads that carry sessions [default: one per core]
    #[arg(long, env = "TIDEGATE_WORKERS", value_name = "N")]
    pub(crate) workers: Option<String>,
}

/// What is meant.
#[derive(Debug, Clone)]
pub(crate) struct Serve {
    /// Make and keep up the demo.
    pub(crate) demo: bool,
    /// The data folder.
    pub(crate) data: PathBuf,
    /// The file with the key of the secrets, where it is not in the data folder.
    pub(crate) secrets_key: Option<PathBuf>,
    /// The public name: a DNS name or an IP address without brackets.
    pub(crate) host: String,
    /// Portals and control plane.
    pub(crate) portal: Listen,
    /// The gateway without TLS.
    pub(crate) ws: Listen,
    /// The gateway with TLS.
    pub(crate) wss: Listen,
    /// The echo backend, when it is wanted.
    pub(crate) echo: Option<Listen>,
    /// The operator's own certificate, where it is not in the data folder.
    pub(crate) certificate: Option<OwnCertificate>,
    /// Who connects, and who may say so.
    pub(crate) clients: Clients,
    /// Who may be dialled.
    pub(crate) backends: Backends,
    /// The issuer's signing keys.
    pub(crate) keys: KeySettings,
    /// The Redis in which budgets are shared with other gateways.
    pub(crate) redis: Redis,
    /// Bytes in the kernel for each direction of a socket; `None`: as the system likes.
    pub(crate) socket_buffer_bytes: Option<usize>,
    /// Relay workers; `None`: one per core.
    pub(crate) workers: Option<NonZeroUsize>,
    /// What [`ADMIN_PASSWORD`] says.
    pub(crate) admin_password: Option<Secret>,
}

/// One thing that is wrong, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The flag and its variable, or the variable alone.
    pub(crate) key: String,
    /// What is wrong and what would be right.
    pub(crate) detail: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.detail)
    }
}

/// Everything that is wrong, one line each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl Problems {
    /// The value, or its problem among the others.
    fn keep<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.0.push(problem)).ok()
    }
}

impl RawServe {
    /// What is meant, or all problems. `admin_password` is the content of [`ADMIN_PASSWORD`].
    pub(crate) fn resolve(self, admin_password: Option<String>) -> Result<Serve, Problems> {
        let mut found = Problems(Vec::new());
        let mut listen = |flag, variable, written: Option<String>, usual: &str| {
            found.keep(Listen::parse(flag, variable, &written.unwrap_or_else(|| usual.to_owned())))
        };
        let portal = listen("--portal", "TIDEGATE_PORTAL", self.portal, PORTAL);
        let ws = listen("--ws", "TIDEGATE_WS", self.ws, WS);
        let wss = listen("--wss", "TIDEGATE_WSS", self.wss, WSS);
        let echo_wanted = self.echo.is_some();
        let echo = listen("--echo", "TIDEGATE_ECHO", self.echo, ECHO);
        let demo = found.keep(yes_or_no("--demo", "TIDEGATE_DEMO", self.demo.as_deref()));
        let host = found.keep(host(self.host.as_deref().unwrap_or(HOST)));
        let workers = found.keep(self.workers.map(|written| workers(&written)).transpose());
        let certificate = found.keep(self.certificate.resolve());
        let clients = self.clients.resolve(&mut found);
        let backends = self.backends.resolve(&mut found);
        let keys = self.keys.resolve(&mut found);
        let redis = self.redis.resolve(&mut found);
        let socket_buffer = found.keep(socket_buffer(self.socket_buffer.as_deref()));
        let data = found.keep(self.data.or_else(usual_data_folder).ok_or_else(no_home));
        let admin_password = found.keep(admin_password.map(self::admin_password).transpose());
        match (
            portal,
            ws,
            wss,
            echo,
            demo,
            host,
            certificate,
            clients,
            backends,
            keys,
            redis,
            socket_buffer,
            workers,
            data,
            admin_password,
        ) {
            (
                Some(portal),
                Some(ws),
                Some(wss),
                Some(echo),
                Some(demo),
                Some(host),
                Some(certificate),
                Some(clients),
                Some(backends),
                Some(keys),
                Some(redis),
                Some(socket_buffer_bytes),
                Some(workers),
                Some(data),
                Some(admin_password),
            ) => {
                let echo = (echo_wanted || demo).then_some(echo);
                Ok(Serve {
                    demo,
                    data,
                    secrets_key: self.secrets_key_file,
                    host,
                    portal,
                    ws,
                    wss,
                    echo,
                    certificate,
                    clients,
                    backends,
                    keys,
                    redis,
                    socket_buffer_bytes,
                    workers,
                    admin_password,
                })
            }
            _ => Err(found),
        }
    }
}

/// A problem of a flag that can also be a variable.
fn problem(flag: &str, variable: &str, detail: impl Into<String>) -> Problem {
    Problem { key: format!("{flag} ({variable})"), detail: detail.into() }
}

fn yes_or_no(flag: &str, variable: &str, written: Option<&str>) -> Result<bool, Problem> {
    let Some(written) = written else { return Ok(false) };
    match written.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" | "" => Ok(false),
        _ => Err(problem(flag, variable, format!("“{written}” is neither true nor false"))),
    }
}

fn host(written: &str) -> Result<String, Problem> {
    let refuse = |detail: &str| Err(problem("--host", "TIDEGATE_HOST", format!("“{written}” {detail}")));
    let bare = written.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(written);
    if bare.parse::<std::net::IpAddr>().is_ok() {
        return Ok(bare.to_owned());
    }
    if written.contains("://") || written.contains('/') {
        return refuse("is an address; give the name alone, for example gateway.example.com");
    }
    if written.contains(':') {
        return refuse("has a port; ports are given with --portal, --ws and --wss");
    }
    let label = |label: &str| {
        let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        inner && !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    };
    if written.len() > 253 || !written.split('.').all(label) {
        return refuse("is not a host name; give one like gateway.example.com, or an IP address");
    }
    Ok(written.to_ascii_lowercase())
}

fn socket_buffer(written: Option<&str>) -> Result<Option<usize>, Problem> {
    let Some(written) = written else { return Ok(Some(SOCKET_BUFFER_KIB * 1_024)) };
    let (least, most) = SOCKET_BUFFER_KIB_BOUNDS;
    match written.trim().parse::<usize>() {
        Ok(0) => Ok(None),
        Ok(kib) if (least..=most).contains(&kib) => Ok(Some(kib * 1_024)),
        _ => {
            let detail = format!("“{written}” is neither 0 nor a number of KiB from {least} to {most}");
            Err(problem("--socket-buffer", "TIDEGATE_SOCKET_BUFFER", detail))
        }
    }
}

fn workers(written: &str) -> Result<NonZeroUsize, Problem> {
    let number = written.trim().parse::<NonZeroUsize>().ok().filter(|number| number.get() <= WORKERS_MAX);
    let detail = format!("“{written}” is not a number of threads from 1 to {WORKERS_MAX}");
    number.ok_or_else(|| problem("--workers", "TIDEGATE_WORKERS", detail))
}

fn admin_password(written: String) -> Result<Secret, Problem> {
    let mut problems = Vec::new();
    tidegate_model::rule::password("", &written, "admin", &mut problems);
    match problems.into_iter().next() {
        None => Ok(Secret(written)),
        Some(problem) => Err(Problem { key: ADMIN_PASSWORD.to_owned(), detail: problem.detail }),
    }
}

fn no_home() -> Problem {
    problem("--data", "TIDEGATE_DATA", "there is no home folder to put the data in; name a folder")
}

/// Where data goes when nothing is said: the place the XDG base directory specification names for a user's data.
/// A system service names its own, for example `--data /var/lib/tidegate`.
pub(crate) fn usual_data_folder() -> Option<PathBuf> {
    let absolute = |variable| env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")))?;
    Some(base.join("tidegate"))
}

#[cfg(test)]
mod tests;
