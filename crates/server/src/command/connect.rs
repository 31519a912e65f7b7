//! `tidegate connect`: an interactive WebSocket client. A line in is a message out; what comes in is printed.
//!
//! Messages go to stdout and everything about the connection to stderr, so that it can stand in a pipe. It is a
//! client like any other: it uses none of the product's own protocol code. See `credential`, `dial`, `trust`.

mod credential;
pub(super) mod dial;
mod talk;
pub(super) mod trust;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use url::Url;

use crate::{
    config::usual_data_folder,
    data_folder::DataFolder,
    first_start::{DemoKey, Record},
};

/// What to connect to, and as whom.
#[derive(Debug, clap::Args)]
#[expect(clippy::doc_markdown, reason = "the help is shown as it is written")]
pub(crate) struct Connect {
    /// Where to connect: ws:// or wss://; with --demo it may be left out
    #[arg(value_name = "URL", required_unless_present = "demo")]
    url: Option<String>,
    /// Present the demo application's token
    #[arg(long, conflicts_with_all = ["token", "token_file", "client_id"])]
    demo: bool,
    /// Access token; rather in the variable or a file, since arguments can be seen by every user of the machine
    #[arg(long, env = "TIDEGATE_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
    /// File that holds the access token
    #[arg(long, value_name = "FILE", conflicts_with = "client_id")]
    token_file: Option<PathBuf>,
    /// Get a token for this key; its secret is in --client-secret-file or TIDEGATE_CLIENT_SECRET
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// File that holds the key's secret
    #[arg(long, value_name = "FILE", requires = "client_id")]
    client_secret_file: Option<PathBuf>,
    /// Where tokens are issued [default: the Tidegate that runs on the data folder]
    #[arg(long, value_name = "URL")]
    token_url: Option<String>,
    /// Data folder of a Tidegate on this machine, whose certificate is trusted
    #[arg(long, env = "TIDEGATE_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// File with certificates to trust as well
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Trust any certificate
    #[arg(long)]
    insecure: bool,
    /// Header to send with the handshake, as 'Name: value'; may be repeated
    #[arg(short = 'H', long = "header", value_name = "K: V")]
    headers: Vec<String>,
    /// Subprotocol to offer; may be repeated
    #[arg(long = "subprotocol", value_name = "NAME")]
    subprotocols: Vec<String>,
}

/// What a running Tidegate wrote down about itself.
#[derive(Debug, Deserialize)]
pub(super) struct Addresses {
    pub(super) portal: String,
    ws: String,
}

impl Connect {
    /// Connects and talks until either side ends it.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let folder = self.data.clone().or_else(usual_data_folder).map(DataFolder::at);
        let demo = if self.demo { Some(demo_key(folder.as_ref())?) } else { None };
        let url = self.target(folder.as_ref(), demo.as_ref())?;
        let trust = trust::client(self.ca.as_deref(), folder.as_ref(), self.insecure)?;
        let token = self.credential(folder.as_ref(), demo)?.token(&trust).await?;
        let request =
            dial::Opening { url: &url, token, headers: self.headers()?, subprotocols: self.subprotocols };
        match dial::open(&request, &trust).await? {
            dial::Answer::Open { socket, subprotocol } => {
                let spoken = subprotocol.map(|name| format!(", subprotocol {name}")).unwrap_or_default();
                eprintln!("Connected to {}{spoken}. A line is a message; Ctrl-D ends.", shown(&url));
                talk::talk(socket).await
            }
            dial::Answer::Refused(refusal) => {
                eprintln!("{refusal}");
                Ok(ExitCode::FAILURE)
            }
        }
    }

    fn target(&self, folder: Option<&DataFolder>, demo: Option<&DemoKey>) -> Result<Url> {
        let written = match (&self.url, demo) {
            (Some(url), _) => url.clone(),
            (None, Some(demo)) => addresses(folder)?.ws + &demo.url_path,
            (None, None) => bail!("say where to connect, for example ws://localhost:9099/demo-echo/1.0"),
        };
        let url = Url::parse(&written).ok().filter(Url::has_host);
        match url {
            Some(url) if matches!(url.scheme(), "ws" | "wss") => Ok(url),
            _ => bail!("“{written}” is not an address that begins with ws:// or wss://"),
        }
    }

    fn credential(
        &self,
        folder: Option<&DataFolder>,
        demo: Option<DemoKey>,
    ) -> Result<credential::Credential> {
        use credential::Credential;
        if let Some(file) = &self.token_file {
            return Ok(Credential::Token(secret_in(file)?));
        }
        let (client_id, client_secret) = match (demo, &self.client_id) {
            (Some(demo), _) => (demo.client_id, demo.client_secret),
            (None, Some(id)) => (id.clone(), self.client_secret()?),
            (None, None) => return Ok(self.token.clone().map_or(Credential::None, Credential::Token)),
        };
        let token_url = match &self.token_url {
            Some(url) => url.clone(),
            None => format!(
                "{}/oauth2/token",
                addresses(folder).context("say where tokens are issued with --token-url")?.portal
            ),
        };
        let Ok(token_url) = Url::parse(&token_url) else {
            bail!("--token-url: “{token_url}” is not an address")
        };
        Ok(Credential::Key { client_id, client_secret, token_url })
    }

    fn client_secret(&self) -> Result<String> {
        match (&self.client_secret_file, std::env::var("TIDEGATE_CLIENT_SECRET")) {
            (Some(file), _) => secret_in(file),
            (None, Ok(secret)) => Ok(secret),
            (None, Err(_)) => {
                bail!("--client-id needs --client-secret-file FILE, or the secret in TIDEGATE_CLIENT_SECRET")
            }
        }
    }

    fn headers(&self) -> Result<Vec<(http::HeaderName, http::HeaderValue)>> {
        let parsed = self.headers.iter().map(|written| {
            let (name, value) = written.split_once(':')?;
            Some((name.trim().parse().ok()?, value.trim().parse().ok()?))
        });
        let wrong = "--header: write it as 'Name: value'";
        parsed.map(|header| header.context(wrong)).collect()
    }
}

/// An address for people: without a query, which may hold a credential.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}

fn secret_in(file: &std::path::Path) -> Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(text.trim().to_owned())
}

fn addresses(folder: Option<&DataFolder>) -> Result<Addresses> {
    let Some(folder) = folder else { bail!("name the data folder of a running Tidegate with --data DIR") };
    let Ok(text) = std::fs::read(folder.addresses()) else {
        bail!(
            "no Tidegate runs on {}; start one with `tidegate serve`, or name its folder with --data DIR",
            folder.path().display()
        )
    };
    serde_json::from_slice(&text).with_context(|| format!("{} is not readable", folder.addresses().display()))
}

fn demo_key(folder: Option<&DataFolder>) -> Result<DemoKey> {
    let found = folder.map(Record::read).transpose()?.and_then(|record| record.demo);
    found.context("there is no demo in the data folder; start `tidegate serve --demo`, or name its folder with --data DIR")
}
