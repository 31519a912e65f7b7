//! `tidegate keys`: the keys that sign tokens, by the REST API of a running Tidegate. It never touches the records itself: gateways
//! have to follow a change in the same moment, and only the running product can tell them.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context as _, Result, bail};
use http::{Method, Request, header};
use http_body_util::Full;
use hyper::body::Bytes;
use rustls::ClientConfig;
use serde::Deserialize;
use url::Url;

use super::connect::{Addresses, dial, trust};
use crate::{config::usual_data_folder, data_folder::DataFolder};

/// What to do, and at which Tidegate.
#[derive(Debug, clap::Args)]
#[expect(clippy::doc_markdown, reason = "the help is shown as it is written")]
pub(crate) struct Keys {
    #[command(subcommand)]
    what: What,
    /// Address of the portal [default: the Tidegate that runs on the data folder]
    #[arg(long, value_name = "URL", global = true)]
    url: Option<String>,
    /// File that holds a personal access token of an administrator; it may be in TIDEGATE_TOKEN instead
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
    /// Data folder of a Tidegate on this machine, whose certificate is trusted
    #[arg(long, env = "TIDEGATE_DATA", value_name = "DIR", global = true)]
    data: Option<PathBuf>,
    /// File with certificates to trust as well
    #[arg(long, value_name = "FILE", global = true)]
    ca: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
#[expect(clippy::doc_markdown, reason = "the help is shown as it is written")]
enum What {
    /// List the keys
    List,
    /// Publish a new key that signs in ten minutes; what was signed before stays valid
    Rotate {
        /// ES256, EdDSA or RS256 [default: what the configuration says]
        #[arg(long, value_name = "ALG")]
        alg: Option<String>,
        /// Sign with it now
        #[arg(long)]
        at_once: bool,
    },
    /// Take a key away at once: what it signed is refused, and sessions that were opened with it are closed
    Remove {
        /// Name of the key, as the list shows it
        #[arg(value_name = "KID")]
        kid: String,
    },
}

#[derive(Deserialize)]
struct Listed {
    items: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    kid: String,
    algorithm: String,
    state: String,
    signs_from: String,
    verifies_until: Option<String>,
}

impl Key {
    fn print(&self) {
        let Self { kid, algorithm, state, signs_from, verifies_until } = self;
        let until = verifies_until.as_ref().map(|until| format!(", verifies until {until}"));
        println!("{kid}  {algorithm}  {state}, signs from {signs_from}{}", until.unwrap_or_default());
    }
}

impl Keys {
    /// Does it.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let folder = self.data.clone().or_else(usual_data_folder).map(DataFolder::at);
        let rest = Rest {
            portal: self.portal(folder.as_ref())?,
            token: self.token()?,
            tls: trust::client(self.ca.as_deref(), folder.as_ref(), false)?,
        };
        match self.what {
            What::List => {
                let answer = rest.ask(Method::GET, &[], None).await?;
                serde_json::from_slice::<Listed>(&answer)?.items.iter().for_each(Key::print);
            }
            What::Rotate { alg, at_once } => {
                let mut wish = serde_json::json!({"at_once": at_once});
                if let Some(alg) = alg {
                    wish["algorithm"] = alg.into();
                }
                let answer = rest.ask(Method::POST, &[], Some(wish.to_string())).await?;
                serde_json::from_slice::<Key>(&answer)?.print();
            }
            What::Remove { kid } => {
                rest.ask(Method::DELETE, &[&kid], None).await?;
                eprintln!(
                    "{kid} is gone: what it signed is refused, and sessions opened with it are closed."
                );
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn portal(&self, folder: Option<&DataFolder>) -> Result<Url> {
        if let Some(url) = &self.url {
            return Url::parse(url).with_context(|| format!("--url {url} is not an address"));
        }
        let path = folder.context("name the portal with --url")?.addresses();
        let read = std::fs::read(&path);
        let read = read.context("no Tidegate runs on this data folder; name the portal with --url URL")?;
        let addresses: Addresses = serde_json::from_slice(&read)?;
        Url::parse(&addresses.portal).context("the data folder names a portal that is not an address")
    }

    fn token(&self) -> Result<String> {
        const WAY_OUT: &str = "put a personal access token of an administrator (portal, Account) in TIDEGATE_TOKEN or in a \
                               file for --token-file";
        let token = match &self.token_file {
            Some(path) => std::fs::read_to_string(path)
                .with_context(|| format!("cannot read --token-file {}", path.display()))?,
            None => std::env::var("TIDEGATE_TOKEN").context(WAY_OUT)?,
        };
        let token = token.trim().to_owned();
        if token.is_empty() {
            bail!(WAY_OUT);
        }
        Ok(token)
    }
}

struct Rest {
    portal: Url,
    token: String,
    tls: Arc<ClientConfig>,
}

impl Rest {
    /// What `/signing-keys`, with these parts behind it, answers.
    async fn ask(&self, method: Method, parts: &[&str], body: Option<String>) -> Result<Bytes> {
        let mut url = self.portal.clone();
        let mut path = url.path_segments_mut().ok().context("the portal's address has no path")?;
        path.pop_if_empty().extend(["api", "v1", "signing-keys"]).extend(parts);
        drop(path);
        let request = Request::builder()
            .method(method)
            .uri(dial::target(&url))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .context("the token has characters that cannot be sent")?;
        let (status, answer) = dial::call(&url, &self.tls, request).await?;
        if status.is_success() {
            return Ok(answer);
        }
        let problem: dial::Problem = serde_json::from_slice(&answer).unwrap_or_default();
        let told = [problem.title, problem.detail].into_iter().flatten().collect::<Vec<_>>().join(": ");
        bail!("{} answered {status} {told}", self.portal)
    }
}
