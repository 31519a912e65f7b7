//! HTTPS calls with JSON in and out: what a measurement needs of REST and the token endpoint.
//!
//! One connection for all, since tokens are fetched by the thousand. It trusts the data folder's certificate alone.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;
use serde_json::Value;
use url::Url;

use crate::handshake::{field, head_bytes};

/// Time for one answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest answer taken.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// A caller of one Tidegate.
pub(crate) struct Rest {
    portal: Url,
    tls: Arc<ClientConfig>,
    connection: Option<StreamOwned<ClientConnection, TcpStream>>,
    /// Cookie and anti-forgery token of a portal session.
    session: Option<(String, String)>,
}

impl Rest {
    /// A caller of this portal.
    pub(crate) fn new(portal: &str, tls: Arc<ClientConfig>) -> Result<Self> {
        Ok(Self { portal: Url::parse(portal)?, tls, connection: None, session: None })
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
    pub(crate) fn call(&mut self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let session = self.session.as_ref();
        let fields = session.map(|(cookie, csrf)| format!("Cookie: {cookie}\r\nX-CSRF-Token: {csrf}\r\n"));
        let path = format!("/api/v1{path}");
        let (_, answer) =
            self.exchange(method, &path, "application/json", &body, &fields.unwrap_or_default())?;
        Ok(answer)
    }

    /// An access token for a key (RFC 6749, section 4.4).
    pub(crate) fn token(&mut self, client_id: &str, client_secret: &str) -> Result<String> {
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
        &mut self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &str,
        fields: &str,
    ) -> Result<(String, Value)> {
        let host = self.portal.host_str().unwrap_or_default();
        let port = self.portal.port_or_known_default().unwrap_or(443);
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: {content_type}\r\n\
             Content-Length: {}\r\n{fields}\r\n{body}",
            body.len()
        );
        let (head, body) = self.ask(&request).with_context(|| format!("{method} {path}"))?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let status = head.split(' ').nth(1).unwrap_or_default();
        if !status.starts_with('2') {
            bail!("{method} {path} was answered with {status}: {answer}");
        }
        Ok((head, answer))
    }

    fn ask(&mut self, request: &str) -> Result<(String, Vec<u8>)> {
        // A connection that was kept may have been closed meanwhile; a new one is not tried twice.
        if let Some(mut kept) = self.connection.take()
            && let Ok(answer) = exchanged(&mut kept, request)
        {
            self.connection = Some(kept);
            return Ok(answer);
        }
        let mut connection = self.connect()?;
        let answer = exchanged(&mut connection, request)?;
        self.connection = Some(connection);
        Ok(answer)
    }

    fn connect(&self) -> Result<StreamOwned<ClientConnection, TcpStream>> {
        let host = self.portal.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let socket = TcpStream::connect((host, self.portal.port_or_known_default().unwrap_or(443)))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_nodelay(true)?;
        let name = ServerName::try_from(host.to_owned())?;
        Ok(StreamOwned::new(ClientConnection::new(Arc::clone(&self.tls), name)?, socket))
    }
}

/// Head and body of the answer to one request.
fn exchanged(
    connection: &mut StreamOwned<ClientConnection, TcpStream>,
    request: &str,
) -> Result<(String, Vec<u8>)> {
    connection.write_all(request.as_bytes())?;
    connection.flush()?;
    let (mut bytes, mut piece) = (Vec::new(), [0; 16 << 10]);
    loop {
        if let Some(length) = head_bytes(&bytes) {
            let head = String::from_utf8_lossy(&bytes[..length]);
            ensure!(field(&head, "transfer-encoding").is_none(), "the answer comes in chunks");
            let body = field(&head, "content-length").and_then(|bytes| bytes.parse().ok()).unwrap_or(0);
            ensure!(body <= ANSWER_BYTES_MAX, "the answer is too long");
            if bytes.len() >= length + body {
                return Ok((head.into_owned(), bytes.split_off(length)));
            }
        }
        match connection.read(&mut piece)? {
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            read => bytes.extend_from_slice(&piece[..read]),
        }
    }
}
