//! Phase three, first half: from the credential to an identity.
//!
//! A snapshot names the issuer and its keys, so no call leaves the gateway but for tickets, which somebody has to count.
//! A signature costs more than all the rest
//! of a handshake: what was verified once is remembered by the digest of the token until it expires. The memory
//! belongs to one set of keys and is gone with it. It does not know APIs or subscriptions.

mod attempts;
mod generations;
mod introspected;
mod issuers;
mod presented;
mod tickets;

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::digest::{SHA256, digest};
use tidegate_model::{
    admit::{Binding, Identity},
    attribute::{Claims as Looked, KeptClaims},
    exchange::Source,
    id::ApiId,
    network::Networks,
    revocation::Marks,
    security::is_page_of,
    snapshot::{IssuerFacts, Snapshot},
    ticket::{Answer, Redemption},
    time::Timestamp,
    user::Secret,
};
use tidegate_oauth::{
    client,
    jwk::BadKey,
    mark,
    secret::{self, Kind},
    token::{self, AccessTokenVerifier, BadToken, Claims, Confirmation, Whole},
};

use crate::{
    admit::Pending,
    certificate::BadCertificate,
    handshake::Request,
    refusal::{Elsewhere, Refusal},
};
use attempts::Attempts;
use generations::Generations;

pub(crate) use issuers::{Issuers, KEYS_WITHIN, Other, Wishes};
pub(crate) use presented::{Credential, find, is_basic};
pub(crate) use tickets::Tickets;

/// Verified tokens remembered in one generation; two generations live. With some 300 bytes each it is 10 MiB at most,
/// for more clients than one gateway's handshakes see in a minute.
const REMEMBERED_MAX: usize = 16_384;

pub(crate) mod opaque;
/// The end of what has none: the last second of the year 9999.
pub(crate) const NEVER: Timestamp = Timestamp::from_seconds(253_402_300_799);

type Digest = [u8; 32];

fn digest_of(token: &str) -> Digest {
    digest(&SHA256, token.as_bytes()).as_ref().try_into().expect("a SHA-256 has 32 bytes")
}

/// Verifies the tokens of one issuer.
#[derive(Debug)]
pub(crate) struct Verifier {
    facts: IssuerFacts,
    /// The claims that are looked at; what is remembered has no others.
    claims: KeptClaims,
    tokens: AccessTokenVerifier,
    remembered: Mutex<Remembered>,
}

/// Identities by their tokens; those that are still used stay.
type Remembered = Generations<Arc<Identity>>;

/// Who wants in, as far as a secret may be bound to it.
pub(crate) struct Visitor<'r> {
    pub(crate) request: &'r Request,
    pub(crate) address: IpAddr,
    pub(crate) now: Timestamp,
}

/// Checks secrets of applications: API keys, and ids with their secrets.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    attempts: Attempts,
}

impl Secrets {
    /// Whose API key it is.
    pub(crate) fn of_key(
        &self,
        key: &str,
        snapshot: &Snapshot,
        visitor: &Visitor<'_>,
    ) -> Result<Identity, Refusal> {
        self.may_try(visitor)?;
        let hash = Secret(secret::hash(key));
        // The look-up is by hash, so its time tells nothing of a secret; the comparison is by all of it once more.
        let known = snapshot.api_key_by_hash(&hash).filter(|known| secret::equal(&known.hash.0, &hash.0));
        let known = known.ok_or_else(|| self.refused(visitor))?;
        if known.expires_at.is_some_and(|end| end <= visitor.now) {
            return Err(Refusal::SecretExpired);
        }
        if !known.addresses.is_empty()
            && !Networks::parse(&known.addresses.join(","))
                .is_ok_and(|networks| networks.contains(visitor.address.to_canonical()))
        {
            return Err(Refusal::KeyElsewhere(Elsewhere::Address));
        }
        if !known.referers.is_empty()
            && !page(visitor.request).is_some_and(|page| is_page_of(&known.referers, &page))
        {
            return Err(Refusal::KeyElsewhere(Elsewhere::Page));
        }
        Ok(itself(known.id.to_string(), known.expires_at.unwrap_or(NEVER), visitor))
    }

    /// Whose id and secret they are.
    pub(crate) fn of_client(
        &self,
        presented: &client::Presented,
        snapshot: &Snapshot,
        visitor: &Visitor<'_>,
    ) -> Result<Identity, Refusal> {
        self.may_try(visitor)?;
        let stored = snapshot.client_secret(&presented.client_id).map(|hash| hash.0.as_str());
        if !presented.proves(stored) {
            return Err(self.refused(visitor));
        }
        Ok(itself(presented.client_id.clone(), NEVER, visitor))
    }

    /// What has to be asked of a ticket before anybody can say whose it is; the refusal is the word until then, or the
    /// last one.
    pub(crate) fn of_ticket(
        &self,
        ticket: &str,
        api: ApiId,
        visitor: &Visitor<'_>,
    ) -> (Refusal, Option<Pending>) {
        if let Err(refusal) = self.may_try(visitor) {
            return (refusal, None);
        }
        // Typing errors and foreign texts are not worth asking.
        if !secret::is_well_formed(Kind::Ticket, ticket) {
            self.attempts.failed(visitor.address, visitor.now);
            return (Refusal::TicketInvalid, None);
        }
        (Refusal::NoTickets, Some(Pending::Ticket { hash: Secret(secret::hash(ticket)), api }))
    }

    /// As whom the ticket that came from this address is admitted.
    pub(crate) fn redeemed(
        &self,
        redeemed: Answer,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Identity, Refusal> {
        match redeemed {
            Answer::Redeemed(Redemption::Good(identity)) => Ok(*identity),
            Answer::Redeemed(Redemption::Used) => Err(Refusal::TicketUsed),
            Answer::Redeemed(Redemption::Unknown) => {
                self.attempts.failed(address, now);
                Err(Refusal::TicketInvalid)
            }
            Answer::Unavailable | Answer::Kept | Answer::TooMany => Err(Refusal::NoTickets),
        }
    }

    fn may_try(&self, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        match self.attempts.must_wait(visitor.address, visitor.now) {
            None => Ok(()),
            Some(retry_after_seconds) => Err(Refusal::TooManyAttempts { retry_after_seconds }),
        }
    }

    fn refused(&self, visitor: &Visitor<'_>) -> Refusal {
        self.attempts.failed(visitor.address, visitor.now);
        Refusal::WrongSecret
    }
}

/// Whose certificate a client has shown. Nothing is counted here: a certificate cannot be guessed, its key had to be there.
pub(crate) fn of_certificate(
    shown: &str,
    snapshot: &Snapshot,
    visitor: &Visitor<'_>,
) -> Result<Identity, Refusal> {
    let known = snapshot.certificate_by_thumbprint(shown).ok_or(BadCertificate::Unknown)?;
    if known.begins_at > visitor.now {
        return Err(BadCertificate::TooYoung.into());
    }
    if known.expires_at <= visitor.now {
        return Err(BadCertificate::Expired.into());
    }
    Ok(itself(known.id.to_string(), known.expires_at, visitor))
}

/// Who shows a secret or a certificate of a client: the client itself, without scopes. It counts as issued when it is shown:
/// what revokes the tokens that a client has closes the sessions that it has, and does not refuse a secret that is as good
/// as before.
fn itself(client_id: String, expires_at: Timestamp, visitor: &Visitor<'_>) -> Identity {
    let marks = Marks { issued_at: visitor.now, ..Marks::default() };
    Identity { subject: client_id.clone(), client_id, expires_at, marks, ..Identity::default() }
}

/// The origin of the page that asks: what a browser says of a WebSocket, or what it says of any other request.
fn page(request: &Request) -> Option<String> {
    let field = |wanted: &str| {
        let mut values = request.headers.iter().filter(|(name, _)| name == wanted);
        let (value, another) = (values.next(), values.next());
        value.filter(|_| another.is_none()).and_then(|(_, value)| std::str::from_utf8(value).ok())
    };
    field("origin").map(str::to_owned).or_else(|| {
        let (scheme, rest) = field("referer")?.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        Some(format!("{scheme}://{authority}"))
    })
}

impl Verifier {
    pub(crate) fn new(facts: &IssuerFacts, claims: &KeptClaims) -> Result<Self, BadKey> {
        Ok(Self {
            claims: claims.clone(),
            tokens: AccessTokenVerifier::new(&facts.issuer, &facts.audience, &facts.jwks)?,
            facts: facts.clone(),
            remembered: Mutex::new(Remembered::new(REMEMBERED_MAX)),
        })
    }

    /// Whether it verifies by exactly these facts, and for these claims.
    pub(crate) fn is_for(&self, facts: &IssuerFacts, claims: &KeptClaims) -> bool {
        self.facts == *facts && self.claims == *claims
    }

    /// Who presents the token.
    pub(crate) fn identify(&self, token: &str, now: Timestamp) -> Result<Arc<Identity>, BadToken> {
        let digest = digest_of(token);
        if let Some(identity) = self.remembered().keep(&digest) {
            let is_valid = identity.expires_at > now;
            return if is_valid { Ok(identity) } else { Err(BadToken::Expired) };
        }
        let Whole { claims, key, payload } = self.tokens.verify_whole(token, now.seconds())?;
        let source = claims.source.as_ref().map(source).transpose()?;
        let marks = marks(&claims, source.as_ref());
        let identity = Arc::new(Identity {
            marks,
            scopes: scopes(&claims.scope),
            client_id: claims.client_id,
            key_manager: None,
            subject: claims.sub,
            expires_at: Timestamp::from_seconds(claims.exp),
            signed_with: Some(key),
            bound_to: claims.cnf.map(binding),
            source: source.map(Arc::new),
            claims: Looked::of(&payload, &self.claims),
        });
        self.remembered().add(digest, Arc::clone(&identity));
        Ok(identity)
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        // A std mutex: held for a look-up, never across an await or a verification.
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The scopes of a token, as they are written in it (RFC 6749, section 3.3).
pub(crate) fn scopes(text: &str) -> Arc<[String]> {
    text.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}

/// What a token is bound to.
fn binding(cnf: Confirmation) -> Binding {
    match cnf {
        Confirmation::Key(thumbprint) => Binding::Key(thumbprint.into()),
        Confirmation::Certificate(thumbprint) => Binding::Certificate(thumbprint.into()),
    }
}

/// What a token says that it was exchanged for.
fn source(said: &token::Source) -> Result<Source, BadToken> {
    let marks = [&*said.credential, &*said.subject];
    Source::parse(&said.client_id, &said.key_manager, marks, &said.signed_with)
        .map_err(|_| BadToken::Malformed)
}

/// By what a token can be revoked.
fn marks(claims: &Claims, source: Option<&Source>) -> Marks {
    let issuer = claims.iss.as_str();
    let grant = Some(&claims.grant_id).filter(|id| !id.is_empty());
    Marks {
        credential: Some(mark::token(issuer, &claims.jti).into()),
        grant: grant.map(|id| mark::grant(issuer, id).into()),
        subject: match source {
            // A person of another issuer is known by what that one calls them.
            Some(source) => Some(source.subject),
            // A client's own token speaks for nobody.
            None => (claims.sub != claims.client_id).then(|| mark::subject(issuer, &claims.sub).into()),
        },
        issued_at: Timestamp::from_seconds(claims.iat),
    }
}

#[cfg(test)]
mod tests;
