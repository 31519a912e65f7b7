//! One HTTPS call after another, with JSON in and out: what a measurement needs of REST and the token endpoint.
//!
//! A connection for each call, since there are ten of them. It trusts the data folder's certificate alone.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use serde_json::Value;
use url::Url;

use crate::wire::{field, head_bytes};

/// Time for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A caller of one Tidegate.
pub(crate) struct Rest {
    portal: Url,
    tls: Arc<ClientConfig>,
    /// Cookie and anti-forgery token of a portal session.
    session: Option<(String, String)>,
}

impl Rest {
    /// A caller that trusts this certificate.
    pub(crate) fn new(portal: &str, certificate: &Path) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(certificate)
            .with_context(|| format!("cannot read {}", certificate.display()))?
        {
            roots.add(certificate?)?;
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let tls = Arc::new(tls.with_root_certificates(roots).with_no_client_auth());
        Ok(Self { portal: Url::parse(portal)?, tls, session: None })
    }

    /// Signs in; later calls are this person's.
    pub(crate) fn sign_in(&mut self, username: &str, password: &str) -> Result<()> {
        let body = serde_json::json!({ "username": username, "password": password });
        let (head, answer) =
            self.exchange("POST", "/api/v1/session", "application/json", &body.to_string(), "")?;
        let cookie = field(&head, "set-cookie").and_then(|value| value.split(';').next());
        let csrf = answer["csrf_token"].as_str();
        let (Some(cookie), Some(csrf)) = (cookie, csrf) else { bail!("the sign-in gave no session") };
        self.session = Some((cookie.to_owned(), csrf.to_owned()));
        Ok(())
    }

    /// A call of REST.
    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let session = self.session.as_ref();
        let fields = session.map(|(cookie, csrf)| format!("Cookie: {cookie}\r\nX-CSRF-Token: {csrf}\r\n"));
        let path = format!("/api/v1{path}");
        let (_, answer) =
            self.exchange(method, &path, "application/json", &body, &fields.unwrap_or_default())?;
        Ok(answer)
    }

    /// An access token for a key (RFC 6749, section 4.4).
    pub(crate) fn token(&self, client_id: &str, client_secret: &str) -> Result<String> {
        let basic = STANDARD.encode(format!("{client_id}:{client_secret}"));
        let fields = format!("Authorization: Basic {basic}\r\n");
        let form = "application/x-www-form-urlencoded";
        let body = "grant_type=client_credentials";
        let (_, answer) = self.exchange("POST", "/oauth2/token", form, body, &fields)?;
        let token = answer["access_token"].as_str().context("the token endpoint gave no token")?;
        Ok(token.to_owned())
    }

    /// Head and JSON of a good answer; a problem's words otherwise.
    fn exchange(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &str,
        fields: &str,
    ) -> Result<(String, Value)> {
        let host = self.portal.host_str().unwrap_or_default();
        let port = self.portal.port_or_known_default().unwrap_or(443);
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\nContent-Type: {content_type}\r\n\
             Content-Length: {}\r\n{fields}\r\n{body}",
            body.len()
        );
        let bytes = self.ask(host, port, &request).with_context(|| format!("{method} {path}"))?;
        let length = head_bytes(&bytes).context("the answer has no head")?;
        let head = String::from_utf8_lossy(&bytes[..length]).into_owned();
        ensure!(field(&head, "transfer-encoding").is_none(), "{method} {path}: the answer comes in chunks");
        let answer: Value = serde_json::from_slice(&bytes[length..]).unwrap_or_default();
        let status = head.split(' ').nth(1).unwrap_or_default();
        if !status.starts_with('2') {
            bail!("{method} {path} was answered with {status}: {answer}");
        }
        Ok((head, answer))
    }

    fn ask(&self, host: &str, port: u16, request: &str) -> Result<Vec<u8>> {
        let host = host.trim_matches(['[', ']']);
        let socket = TcpStream::connect((host, port))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let name = ServerName::try_from(host.to_owned())?;
        let mut stream = StreamOwned::new(ClientConnection::new(Arc::clone(&self.tls), name)?, socket);
        stream.write_all(request.as_bytes())?;
        let mut bytes = Vec::new();
        match stream.read_to_end(&mut bytes) {
            // An end without a goodbye is still an end: the length of the body is told in its head.
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error.into()),
            _ => Ok(bytes),
        }
    }
}
