//! Who connects: which proxies are believed, how they say for whom they connect, and how much one address may have.
//!
//! It knows what is written and not who listens to it.

use std::num::NonZeroU32;

use tidegate_model::forwarded::TrustedProxies;

use super::{Problem, Problems, problem, yes_or_no};

/// What was written.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct RawClients {
    /// Proxies in front, as addresses and networks with commas between: their X-Forwarded-For is believed [default: none]
    #[arg(long, env = "TIDEGATE_TRUSTED_PROXIES", value_name = "LIST")]
    pub(crate) trusted_proxies: Option<String>,
    /// These proxies begin every connection to the gateway with a PROXY header, version 1 or 2; without one it is dropped
    #[arg(long, env = "TIDEGATE_PROXY_PROTOCOL", num_args = 0..=1, require_equals = true, value_name = "BOOL", default_missing_value = "true")]
    pub(crate) proxy_protocol: Option<String>,
    /// These proxies say in Client-Cert which certificate their client has shown (RFC 9440), and remove what a client says there itself
    #[arg(long, env = "TIDEGATE_CLIENT_CERT", num_args = 0..=1, require_equals = true, value_name = "BOOL", default_missing_value = "true")]
    pub(crate) client_cert: Option<String>,
    /// Ask every client of the gateway for its certificate in TLS, also while no API accepts one: for access tokens that are bound to a certificate (RFC 8705) [default: false]
    #[arg(long, env = "TIDEGATE_ASK_CERTIFICATES", num_args = 0..=1, require_equals = true, value_name = "BOOL", default_missing_value = "true")]
    pub(crate) ask_certificates: Option<String>,
    /// Take credentials that are a part of the address at APIs that accept them there [default: true]
    #[arg(long, env = "TIDEGATE_QUERY_CREDENTIALS", value_name = "BOOL")]
    pub(crate) query_credentials: Option<String>,
    /// Connections to the gateway that one address (of IPv6: one /64) may have at once, or 0 for any number [default: 0]
    #[arg(long, env = "TIDEGATE_CONNECTIONS_PER_ADDRESS", value_name = "N")]
    pub(crate) connections_per_address: Option<String>,
}

/// What is meant.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own that an operator sets")]
pub(crate) struct Clients {
    /// Who may say for whom it connects.
    pub(crate) trusted: TrustedProxies,
    /// They say so with a PROXY header.
    pub(crate) proxy_protocol: bool,
    /// They say which certificate their client has shown. Certificates are no secrets, so a proxy that lets pass what a
    /// client says of itself would let in whoever has seen one: therefore not without a word.
    pub(crate) client_cert: bool,
    /// Clients are asked for their certificate also while no API accepts one. Not the default: a browser then asks its person.
    pub(crate) ask_certificates: bool,
    /// Credentials may be a part of the address, at APIs that accept them there. The default, since the first steps of
    /// many clients put them there; they end up in the histories and logs of whoever is in between.
    pub(crate) query_credentials: bool,
    /// Connections of one address to the gateway; `None`: any number. That is the default, since an office, a mobile
    /// network or a proxy that is not trusted has thousands of clients behind one address.
    pub(crate) connections_per_address: Option<NonZeroU32>,
}

impl RawClients {
    /// What is meant; problems go to the others.
    pub(super) fn resolve(self, found: &mut Problems) -> Option<Clients> {
        let written = self.trusted_proxies.unwrap_or_default();
        let trusted = found.keep(trusted(&written));
        let mut of_proxies = |flag: &'static str, variable: &'static str, said: Option<&str>| {
            found.keep(yes_or_no(flag, variable, said).and_then(|is_on| {
                let detail = "is believed of trusted proxies alone; name them with --trusted-proxies";
                if is_on && written.trim().is_empty() {
                    Err(problem(flag, variable, detail))
                } else {
                    Ok(is_on)
                }
            }))
        };
        let said = self.proxy_protocol.as_deref();
        let proxy_protocol = of_proxies("--proxy-protocol", "TIDEGATE_PROXY_PROTOCOL", said);
        let client_cert = of_proxies("--client-cert", "TIDEGATE_CLIENT_CERT", self.client_cert.as_deref());
        let flag = ("--ask-certificates", "TIDEGATE_ASK_CERTIFICATES");
        let ask_certificates = found.keep(yes_or_no(flag.0, flag.1, self.ask_certificates.as_deref()));
        let most = found.keep(connections(self.connections_per_address.as_deref()));
        let flag = ("--query-credentials", "TIDEGATE_QUERY_CREDENTIALS");
        let written = self.query_credentials.as_deref().or(Some("true"));
        let query_credentials = found.keep(yes_or_no(flag.0, flag.1, written));
        Some(Clients {
            trusted: trusted?,
            proxy_protocol: proxy_protocol?,
            client_cert: client_cert?,
            ask_certificates: ask_certificates?,
            query_credentials: query_credentials?,
            connections_per_address: most?,
        })
    }
}

fn trusted(written: &str) -> Result<TrustedProxies, Problem> {
    TrustedProxies::parse(written)
        .map_err(|error| problem("--trusted-proxies", "TIDEGATE_TRUSTED_PROXIES", error.to_string()))
}

fn connections(written: Option<&str>) -> Result<Option<NonZeroU32>, Problem> {
    let Some(written) = written else { return Ok(None) };
    let number = written.trim().parse::<u32>().map(NonZeroU32::new);
    let detail = || format!("“{written}” is neither 0 nor a number of connections");
    number.map_err(|_| problem("--connections-per-address", "TIDEGATE_CONNECTIONS_PER_ADDRESS", detail()))
}
