//! One stream of a connection over HTTP/2: what is asked on it, judged, and carried through the phases that every
//! client passes.
//!
//! It decides nothing itself. Its invariant is that of `connection.rs`: nothing of the client passes, and no 200 is
//! said, before the backend's 101 was checked and a worker has a place for the session. Read next: `bridge.rs`.

use std::os::unix::net::UnixStream;

use bytes::Bytes;
use h2::{RecvStream, SendStream, ext::Protocol, server::SendResponse};
use http::{HeaderValue, Method, Response, request::Parts};
use socket2::SockRef;
use tidegate_model::id::SessionId;
use tidegate_wire::handshake::{
    connect::{self, Connect, RequestHead},
    raw::judge_fields,
};
use tokio::sync::oneshot;

use super::{
    Outcome,
    bridge::{Bridge, Inbound},
};
use crate::{
    Inner,
    answer::Answer,
    certificate::{Thumbprint, whose},
    connection::{Claim, Client, End, Ready, phases},
    counter::{self, Wants},
    handshake::{Request, healthy},
    quota::Fields,
    refusal::Refusal,
    relay::{Leg, Socket},
};

/// Bytes that may wait in each direction between a stream and its worker; the kernel takes about twice that for its
/// own accounts. More than a worker's turn is not needed, and what waits here is not seen by a slow reader's limits.
const PAIR_BYTES: usize = 32 * 1024;

/// Places among the sessions: the backend's descriptor, both of the pair, and the connection's, which may carry no other.
const SESSION_PLACES: u32 = 2;

/// The client's side of a stream.
struct Exchange {
    respond: SendResponse<Bytes>,
    inbound: Inbound,
}

/// Carries a stream through the phases, to its session or its refusal.
pub(super) async fn carry(
    inner: &Inner,
    request: http::Request<RecvStream>,
    respond: SendResponse<Bytes>,
    client: Client,
    certificate: Option<Thumbprint>,
) -> Outcome {
    let (head, body) = request.into_parts();
    let exchange = Exchange { respond, inbound: Inbound::new(body) };
    let Ok(_handshaking) = inner.handshaking.try_acquire() else {
        return exchange.refuse(inner, client, inner.next_id(0), &inner.refusal_when_full());
    };
    if head.uri.path() == "/health" && matches!(head.method, Method::GET | Method::HEAD) {
        return exchange.answer(&healthy(head.method == Method::GET));
    }
    if let Some(wants) = Wants::of(head.method.as_str(), head.uri.path()) {
        let id = inner.next_id(0);
        return match plain(&head) {
            Ok(mut request) => {
                let client = whose(inner, &mut request, client, certificate.as_ref());
                let answer = counter::serve(inner, &request, wants, client, id, None).await;
                exchange.answer(&answer)
            }
            Err(refusal) => exchange.refuse(inner, client, id, &refusal),
        };
    }
    let mut request = match judge(&head, &exchange.inbound) {
        Ok(request) => request,
        Err(refusal) => return exchange.refuse(inner, client, inner.next_id(0), &refusal),
    };
    let client = whose(inner, &mut request, client, certificate.as_ref());
    let Some(worker) = inner.workers.choose() else {
        return exchange.refuse(inner, client, inner.next_id(0), &Refusal::Stalled);
    };
    let id = inner.next_id(worker);
    exchange.open(inner, &request, client, id).await
}

/// The handshake that a head is.
fn judge(head: &Parts, inbound: &Inbound) -> Result<Request, Refusal> {
    let headers = || head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let path_and_query = head.uri.path_and_query().map_or("", |target| target.as_str());
    judge_fields(path_and_query, headers())?;
    let asked = RequestHead {
        method: head.method.as_str(),
        protocol: head.extensions.get::<Protocol>().map(Protocol::as_str),
        authority: head.uri.authority().map(http::uri::Authority::as_str),
        path_and_query,
        is_ended: inbound.is_ended(),
    };
    let Connect { authority, path_and_query, subprotocols, deflate } = connect::judge(asked, headers())?;
    Ok(Request::new(authority, path_and_query, &subprotocols, deflate, headers()))
}

/// A request that is no handshake and has no body.
fn plain(head: &Parts) -> Result<Request, Refusal> {
    let headers = || head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let path_and_query = head.uri.path_and_query().map_or("", |target| target.as_str());
    judge_fields(path_and_query, headers())?;
    let authority = head.uri.authority().map_or("", http::uri::Authority::as_str);
    Ok(Request::new(authority, path_and_query, &[], Vec::new(), headers()))
}

impl Exchange {
    async fn open(mut self, inner: &Inner, request: &Request, client: Client, id: SessionId) -> Outcome {
        // Each stream counts for its client's address: one connection must not be a hundred.
        let claim = Claim { address_place: None, session_places: SESSION_PLACES };
        match phases(inner, request, client, claim, id, self.inbound.gather()).await {
            Ok(ready) => match pair() {
                Ok(pair) => self.accept(inner, ready, client, id, pair),
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "a stream gets no sockets");
                    self.refuse(inner, client, id, &Refusal::Fault)
                }
            },
            Err(End::Gone) => Outcome::Withdrawn,
            Err(End::Refused(refused)) => {
                inner.reporter.refused(&refused, inner.clock.now());
                self.refuse_with(inner, client, id, &refused.refusal, refused.quota.as_deref())
            }
        }
    }

    /// Says 200 and gives the session to its worker.
    fn accept(
        mut self,
        inner: &Inner,
        ready: Ready<'_>,
        client: Client,
        id: SessionId,
        (near, far): (tokio::net::UnixStream, UnixStream),
    ) -> Outcome {
        let response = accepted(&ready, id);
        let Ok(outbound) = self.respond.send_response(response, false) else { return Outcome::Withdrawn };
        let (ended, has_ended) = oneshot::channel();
        ready.hand_over(inner, client, id, |coder| {
            Ok(Leg::new(Socket::unix(far, Some(ended)), None, Vec::new(), coder))
        });
        Outcome::Session(Box::new(Bridge::new(near, self.inbound, outbound, has_ended)))
    }

    fn refuse(self, inner: &Inner, client: Client, id: SessionId, refusal: &Refusal) -> Outcome {
        self.refuse_with(inner, client, id, refusal, None)
    }

    fn refuse_with(
        self,
        inner: &Inner,
        client: Client,
        id: SessionId,
        refusal: &Refusal,
        quota: Option<&Fields>,
    ) -> Outcome {
        let (status, client) = (refusal.status(), client.address.ip());
        tracing::debug!(connection = %id, %client, status, %refusal, "refused");
        self.answer(&refusal.answer(&inner.problem_base, id).with(quota))
    }

    fn answer(self, answer: &Answer) -> Outcome {
        say(self.respond, answer)
    }
}

/// Answers and ends a stream. What the client still sends is not waited for: the library tells it to stop.
pub(super) fn say(mut respond: SendResponse<Bytes>, answer: &Answer) -> Outcome {
    let said = respond.send_response(answer.to_http2(), answer.is_head_only);
    let said = said.and_then(|mut stream: SendStream<Bytes>| {
        if answer.is_head_only { Ok(()) } else { stream.send_data(answer.body.clone().into(), true) }
    });
    if said.is_ok() { Outcome::Refused } else { Outcome::Withdrawn }
}

/// The answer that makes a stream a WebSocket (RFC 8441 section 5).
fn accepted(ready: &Ready<'_>, id: SessionId) -> Response<()> {
    let mut response = Response::new(());
    let deflate = ready.deflate.as_ref().map(ToString::to_string);
    let [policy, standing] = match &ready.quota {
        Some(quota) => quota.headers().map(|(_, value)| Some(value.to_owned())),
        None => [None, None],
    };
    for (name, value) in [
        ("sec-websocket-protocol", ready.subprotocol.clone()),
        ("sec-websocket-extensions", deflate),
        ("ratelimit-policy", policy),
        ("ratelimit", standing),
        ("x-request-id", Some(id.to_string())),
    ] {
        // All are tokens, structured fields, or written here from numbers.
        if let Some(Ok(value)) = value.map(|value| HeaderValue::from_str(&value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// What a stream and its worker talk over: ours, and the worker's.
fn pair() -> std::io::Result<(tokio::net::UnixStream, UnixStream)> {
    let (near, far) = UnixStream::pair()?;
    for half in [&near, &far] {
        half.set_nonblocking(true)?;
        // A socket that cannot be made smaller still works.
        let _ = SockRef::from(half).set_send_buffer_size(PAIR_BYTES);
    }
    Ok((tokio::net::UnixStream::from_std(near)?, far))
}
