//! One client through the phases before the relay, in their order: handshake, authenticate and admit, dial, and the
//! handover to a worker. The first no is the answer.
//!
//! It decides nothing itself. What comes over HTTP/1.1 is a whole connection and is carried here; over HTTP/2 it is a
//! stream among others, carried by `http2.rs` through the same phases. Its invariant: nothing of the client passes,
//! and no 101 is said, before the backend's 101 was checked and a worker has a place for the session.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tidegate_model::{forwarded::TrustedProxies, id::SessionId, mapping};
use tidegate_oauth::token::CannotSign;
use tidegate_wire::deflate::Agreed;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use crate::{
    Inner,
    admit::{Admitted, NotAdmitted, not_now},
    answer::Answer,
    certificate::whose,
    compression::{self, Settled},
    counter,
    crowd::{AddressPlace, Crowded},
    dial::{Asker, Backend, InUse, Opening, Passing, Tail},
    drain,
    handshake::{self, Asked, NoRequest, Request},
    http2,
    listen::Origin,
    quota::Fields,
    refusal::Refusal,
    relay::{Coder, Handover, Held, Leg, NoAnswer, Place},
    stream::Stream,
};

/// How long a client may take to take an answer of a few hundred bytes.
const ANSWER_DEADLINE: Duration = Duration::from_secs(5);
/// How long a refused client may go on sending before its connection is dropped: an answer that is still under way
/// would be destroyed by the reset that follows unread bytes.
const LINGER: Duration = Duration::from_secs(1);
/// How much of it is read away.
const LINGER_BYTES_MAX: u64 = 64 * 1024;

/// Who connected, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) is_tls: bool,
    /// It is a page of the portal: whoever let it in has checked where it comes from.
    pub(crate) is_own_page: bool,
}

impl Client {
    /// The client that a trusted proxy's PROXY header speaks for.
    pub(crate) fn announced(self, origin: Origin) -> Self {
        match origin {
            Origin::Itself => self,
            Origin::Client { address, is_tls } => Self { address, is_tls: self.is_tls || is_tls, ..self },
        }
    }

    /// The client that a trusted proxy speaks for, and whether that one came over TLS.
    pub(crate) fn behind(self, request: &Request, trusted: &TrustedProxies) -> Self {
        if !trusted.trusts(self.address.ip()) {
            return self;
        }
        let field = |name: &'static str| {
            let named = request.headers.iter().filter(move |(known, _)| known == name);
            named.filter_map(|(_, value)| std::str::from_utf8(value).ok())
        };
        let ip = trusted.client(self.address.ip(), field("x-forwarded-for"));
        let proto = field("x-forwarded-proto").next_back().and_then(|value| value.rsplit(',').next());
        let is_tls = proto.map_or(self.is_tls, |proto| {
            ["https", "wss"].iter().any(|secure| proto.trim().eq_ignore_ascii_case(secure))
        });
        Self { address: SocketAddr::new(ip, self.address.port()), is_tls, ..self }
    }
}

/// What a client would hold.
pub(crate) struct Claim {
    /// Its place among the connections of its client's address; `None` while it is not known whose it is.
    pub(crate) address_place: Option<AddressPlace>,
    /// Places among the sessions that are carried at once, each for two descriptors.
    pub(crate) session_places: u32,
}

/// Why a client does not get its session.
pub(crate) enum End {
    /// The client is gone; there is nobody to answer.
    Gone,
    /// It is refused.
    Refused(NotAdmitted),
}

impl<E: Into<NotAdmitted>> From<E> for End {
    fn from(refused: E) -> Self {
        Self::Refused(refused.into())
    }
}

/// What is ready when the client may be told.
pub(crate) struct Ready<'g> {
    /// The subprotocol that the client is told.
    pub(crate) subprotocol: Option<String>,
    /// The compression that the client is told.
    pub(crate) deflate: Option<Agreed>,
    /// What the client is told of its limits.
    pub(crate) quota: Option<Fields>,
    admitted: Admitted,
    backend: (Stream, Vec<u8>),
    in_use: Option<InUse>,
    passes_compressed: bool,
    coders: [Option<Coder>; 2],
    place: Place<'g>,
    held: Held,
}

/// Carries a connection to a worker, or to its refusal. `address_place` is its place among the
/// connections of its client's address; `None` while it is not known whose connection it is, and the head will tell.
pub(crate) async fn carry(
    inner: &Arc<Inner>,
    mut stream: Stream,
    client: Client,
    address_place: Option<AddressPlace>,
) {
    if stream.is_http2() {
        // Boxed: every connection has room for the larger of the two, and nearly all speak HTTP/1.1.
        return Box::pin(http2::carry(inner, stream, client, address_place)).await;
    }
    let Ok(_handshaking) = inner.handshaking.try_acquire() else {
        let refusal = inner.refusal_when_full();
        return refuse(inner, stream, client, inner.next_id(0), &refusal).await;
    };
    let mut draining = inner.draining.subscribe();
    // A head that is dropped half read belongs to a connection that is refused.
    let asked = tokio::select! {
        biased;
        () = drain::is_said(&mut draining) => Err(Refusal::Restarting.into()),
        asked = handshake::read(&mut stream) => asked,
    };
    let (mut request, key, early) = match asked {
        Ok(Asked::Handshake { request, key, early }) => (request, key, early),
        Ok(Asked::Health { wants_body }) => return say(stream, &handshake::healthy(wants_body)).await,
        Ok(Asked::Ticket { mut request, wants }) => {
            let client = whose(inner, &mut request, client, stream.certificate().as_ref());
            let id = inner.next_id(0);
            return say(stream, &counter::serve(inner, &request, wants, client, id, address_place).await)
                .await;
        }
        Err(NoRequest::Gone) => return,
        Err(NoRequest::Refused(refusal)) => {
            return refuse(inner, stream, client, inner.next_id(0), &refusal).await;
        }
    };
    let client = whose(inner, &mut request, client, stream.certificate().as_ref());
    let Some(worker) = inner.workers.choose() else {
        return refuse(inner, stream, client, inner.next_id(0), &Refusal::Stalled).await;
    };
    let id = inner.next_id(worker);
    let claim = Claim { address_place, session_places: 1 };
    match phases(inner, &request, client, claim, id, stream.gone()).await {
        Ok(ready) => {
            let answer = handshake::switching(
                &key,
                ready.subprotocol.as_deref(),
                ready.deflate.as_ref(),
                ready.quota.as_ref(),
                &id.to_string(),
            );
            // Else the client is gone, or takes nothing: the backend's connection ends with this function.
            if let Ok(Ok(())) = timeout(ANSWER_DEADLINE, stream.write_all_flushed(&answer)).await {
                ready.hand_over(inner, client, id, |coder| stream.into_leg(early, coder));
            }
        }
        Err(End::Gone) => {}
        Err(End::Refused(refused)) => {
            inner.reporter.refused(&refused, inner.clock.now());
            refuse_with(inner, stream, client, id, &refused.refusal, refused.quota.as_deref()).await;
        }
    }
}

/// All that is decided and done before the client is told; `gone` returns when the client is known to be gone.
pub(crate) async fn phases<'g>(
    inner: &'g Inner,
    request: &Request,
    client: Client,
    claim: Claim,
    id: SessionId,
    gone: impl Future<Output = ()>,
) -> Result<Ready<'g>, End> {
    let mut draining = inner.draining.subscribe();
    // In this order: a gateway that drains dials nobody any more, and an answer that is ready is said even where the
    // client has ended its half of the connection.
    tokio::select! {
        biased;
        () = drain::is_said(&mut draining) => Err(Refusal::Restarting.into()),
        outcome = admit_and_dial(inner, request, client, claim, id) => outcome,
        () = gone => Err(End::Gone),
    }
}

async fn admit_and_dial<'g>(
    inner: &'g Inner,
    request: &Request,
    client: Client,
    claim: Claim,
    id: SessionId,
) -> Result<Ready<'g>, End> {
    let counted = || inner.crowd.place(client.address.ip()).map_err(|Crowded| Refusal::Crowded);
    let address_place = claim.address_place.map_or_else(counted, Ok)?;
    let now = inner.clock.now();
    let admitted = inner.desk.ask(request, client, inner, now).await?;
    let refused = |refusal: Refusal| End::Refused(not_now(&admitted.grant, refusal));
    let places = Arc::clone(&inner.sessions).try_acquire_many_owned(claim.session_places);
    let Ok(session_place) = places else { return Err(refused(Refusal::Overloaded)) };
    let Some(endpoint) = admitted.grant.endpoint() else { return Err(refused(Refusal::Fault)) };
    let instance = id.to_string();
    let opening = Opening {
        grant: &admitted.grant,
        subject: &admitted.identity.subject,
        topic: &admitted.grant.topic,
        instance: &instance,
        address: client.address.ip(),
    };
    let assertion = admitted.assertion(&opening, inner.clock.now(), &*inner.entropy);
    let assertion = assertion.map_err(|CannotSign| refused(Refusal::Fault))?;
    let passing = Passing::new(request, &opening, assertion, &*inner.entropy);
    let trace = passing.trace_id();
    tracing::debug!(session = %id, %trace, "a backend is asked");
    let asker = Asker {
        request: Some(request),
        client: Some(client.address.ip()),
        proto: if client.is_tls { "https" } else { "http" },
        instance: &instance,
        passing: Some(&passing),
    };
    let mapped = mapping::map(&admitted.grant.api.mappings, &admitted.grant.topic);
    let compression = admitted.grant.api.protocol.compression;
    let deflate = compression::offers(compression, &request.deflate);
    let tail = Tail {
        topic: mapped.as_deref().unwrap_or(&admitted.grant.topic),
        query: admitted.query.as_deref(),
        subprotocols: &admitted.subprotocols,
        deflate: &deflate,
    };
    let backend = inner.dialler.dial(endpoint, &asker, &tail).await.map_err(|error| {
        tracing::info!(session = %id, %trace, api = %admitted.grant.api_id(), %error, "a backend cannot be had");
        refused(error.into())
    })?;
    // The backend knows the session by its id already, and that names the worker.
    let place = inner.workers.reserve(id.worker).await.map_err(|NoAnswer| refused(Refusal::Stalled))?;
    let Backend { stream, early, chosen, in_use } = backend;
    let Settled { client: deflate, passes, coders } =
        compression::settle(compression, &request.deflate, chosen.deflate);
    // RFC 6455 section 4.2.2: the choice is one of the offers. What came as a subprotocol behind one is never repeated.
    let subprotocol = chosen.subprotocol.or_else(|| admitted.announced.clone());
    Ok(Ready {
        subprotocol,
        deflate,
        quota: inner.budgets.fields(&admitted.meter, now),
        admitted,
        backend: (stream, early),
        in_use,
        passes_compressed: passes,
        coders,
        place,
        held: Held { session_place, address_place },
    })
}

impl Ready<'_> {
    /// Gives the session to its worker; the client was told. `leg` makes the one on its side.
    pub(crate) fn hand_over(
        self,
        inner: &Inner,
        client: Client,
        id: SessionId,
        leg: impl FnOnce(Option<Coder>) -> io::Result<Leg>,
    ) {
        let Self { admitted, backend: (backend, early), coders: [for_client, for_backend], .. } = self;
        let legs = leg(for_client).and_then(|leg| Ok([leg, backend.into_leg(early, for_backend)?]));
        let legs = match legs {
            Ok(legs) => legs,
            Err(error) => {
                return tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a socket cannot leave the runtime"
                );
            }
        };
        tracing::debug!(
            session = %id, api = %admitted.grant.api_id(), client = %client.address.ip(), "session opened"
        );
        self.place.take(Handover {
            id,
            snapshot_number: admitted.snapshot_number,
            revocation_number: admitted.revocation_number,
            opened_at: inner.clock.now(),
            grant: admitted.grant,
            meter: admitted.meter,
            passes_compressed: self.passes_compressed,
            in_use: self.in_use,
            held: Some(self.held),
            legs,
            #[cfg(test)]
            stage: None,
        });
    }
}

/// Tells a client why it gets no 101.
pub(crate) async fn refuse(inner: &Inner, stream: Stream, client: Client, id: SessionId, refusal: &Refusal) {
    refuse_with(inner, stream, client, id, refusal, None).await;
}

/// The same, and how its limits stand.
async fn refuse_with(
    inner: &Inner,
    stream: Stream,
    client: Client,
    id: SessionId,
    refusal: &Refusal,
    quota: Option<&Fields>,
) {
    let (status, client) = (refusal.status(), client.address.ip());
    tracing::debug!(connection = %id, %client, status, %refusal, "refused");
    let answer = refusal.answer(&inner.problem_base, id).with(quota);
    if stream.is_http2() {
        Box::pin(http2::refuse(stream, &answer)).await;
    } else {
        say(stream, &answer).await;
    }
}

/// Says the last words of a connection and lets them arrive.
async fn say(mut stream: Stream, answer: &Answer) {
    let said = timeout(ANSWER_DEADLINE, async {
        stream.write_all_flushed(&answer.to_http1()).await?;
        stream.shutdown().await
    });
    if matches!(said.await, Ok(Ok(()))) {
        let mut rest = tokio::io::sink();
        let mut reading = stream.take(LINGER_BYTES_MAX);
        // However it ends, the connection ends.
        let _ = timeout(LINGER, tokio::io::copy(&mut reading, &mut rest)).await;
    }
}
