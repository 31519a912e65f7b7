//! What every handler works with: the ports, the settings, the signing key, the feed.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tidegate_model::{
    authorization::{RedeemCode, Redeemed, Renew},
    command::{Command, KeyPurpose, Outcome, SigningKeyRecord},
    port::{
        Catalog, Clock, CommandError, ConsoleDoor, Documents, Entropy, EventLog, Messenger, Outbox,
        PortError, Probe,
    },
    time::Timestamp,
    user::{Actor, Secret},
};
use tidegate_oauth::jwk::{Algorithm, BadKey, SigningKey, SystemRandom};
use tokio::sync::Semaphore;

use crate::{
    arrival::CONCURRENT_ARRIVALS,
    attempts::Attempts,
    feed::Feed,
    guess_throttle::GuessThrottle,
    issuer::{BackendKeys, Issuer},
    keeper::Keeper,
    known_providers::KnownProviders,
    network_throttle::NetworkThrottle,
    oauth::{polls::Polls, register},
    outbox::Telling,
    pages::Assets,
    password::CONCURRENT_HASHES,
    possession::Taken,
    problem::Problem,
    seen::Seen,
    settings::Settings,
    sign_up,
};

/// What others implement.
#[derive(Clone)]
pub struct Ports {
    /// Records.
    pub catalog: Arc<dyn Catalog>,
    /// Facts.
    pub events: Arc<dyn EventLog>,
    /// How people are told of alerts, and what they are still to be told.
    pub outbox: Arc<dyn Outbox>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// *Test endpoint*.
    pub probe: Arc<dyn Probe>,
    /// Documents of other issuers.
    pub documents: Arc<dyn Documents>,
    /// Tells webhooks.
    pub messenger: Arc<dyn Messenger>,
    /// The console's way into the gateway.
    pub console: Arc<dyn ConsoleDoor>,
}

/// Why the control plane cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Records cannot be read or written.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A first signing key was refused.
    #[error("the signing key could not be stored: {0}")]
    Store(#[from] CommandError),
    /// The signing key cannot be used.
    #[error(transparent)]
    Key(#[from] BadKey),
}

/// The control plane. Clones share everything.
#[derive(Clone)]
pub struct Control(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) ports: Ports,
    pub(crate) settings: ArcSwap<Settings>,
    pub(crate) assets: Assets,
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) backend_keys: BackendKeys,
    pub(crate) feed: Feed,
    /// Proofs of possession.
    pub(crate) taken: Taken,
    pub(crate) keeper: Arc<Keeper>,
    /// What sign-in providers say of themselves.
    pub(crate) providers: KnownProviders,
    pub(crate) throttle: GuessThrottle,
    pub(crate) sign_ups: NetworkThrottle,
    /// Clients that register themselves or change that.
    pub(crate) registrations: NetworkThrottle,
    /// Devices that ask whether their person has answered.
    pub(crate) polls: Polls,
    pub(crate) attempts: Attempts,
    /// Who is being told of alerts.
    pub(crate) telling: Arc<Telling>,
    /// What was used last, and when.
    pub(crate) seen: Seen,
    pub(crate) hashing: Arc<Semaphore>,
    /// Places for people who come back from a sign-in provider.
    pub(crate) arrivals: Semaphore,
}

impl Control {
    /// Starts the control plane: makes a signing key of each purpose that has none yet.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(ports: Ports, settings: Settings, assets: Assets) -> Result<Self, StartError> {
        let algorithm = settings.keys.algorithm;
        let issuer = Arc::new(Issuer::new(&settings.issuer));
        issuer.know(keys(&ports, KeyPurpose::AccessTokens, algorithm).await?)?;
        // Backends read them with whatever library they have; every one knows this algorithm.
        let stored = keys(&ports, KeyPurpose::BackendTokens, Algorithm::Es256).await?;
        let of_backends = stored.iter().filter(|record| record.purpose == KeyPurpose::BackendTokens);
        let of_backends = of_backends.map(|record| SigningKey::from_text(&record.private_key.0));
        let backend_keys = BackendKeys::new(&settings.issuer, &of_backends.collect::<Result<Vec<_>, _>>()?);
        let (keeper, telling) = (Arc::<Keeper>::default(), Arc::<Telling>::default());
        let feed = Feed::new(
            Arc::clone(&ports.catalog),
            Arc::clone(&ports.events),
            Arc::clone(&ports.clock),
            Arc::clone(&issuer),
            backend_keys.facts().cloned(),
            Arc::clone(&keeper),
            Arc::clone(&telling),
        );
        feed.refresh().await?;
        feed.read_revocations().await?;
        feed.read_tokens().await?;
        Ok(Self(Arc::new(Inner {
            ports,
            settings: ArcSwap::from_pointee(settings),
            assets,
            issuer,
            backend_keys,
            feed,
            taken: Taken::default(),
            keeper,
            providers: KnownProviders::default(),
            throttle: GuessThrottle::default(),
            sign_ups: NetworkThrottle::new(sign_up::OFTEN),
            registrations: NetworkThrottle::new(register::OFTEN),
            polls: Polls::default(),
            attempts: Attempts::default(),
            telling,
            seen: Seen::default(),
            hashing: Arc::new(Semaphore::new(CONCURRENT_HASHES)),
            arrivals: Semaphore::new(CONCURRENT_ARRIVALS),
        })))
    }

    /// Talks to one gateway until its link ends.
    pub async fn feed(&self, link: Arc<dyn tidegate_model::link::ControlLink>) {
        self.0.feed.run(link).await;
    }

    /// Replaces the settings that pages and answers show, once listeners know their ports.
    pub fn set_settings(&self, settings: Settings) {
        self.0.settings.store(Arc::new(settings));
    }
}

/// All stored keys, newest first; one of this purpose is made where there is none yet.
async fn keys(
    ports: &Ports,
    purpose: KeyPurpose,
    algorithm: Algorithm,
) -> Result<Vec<SigningKeyRecord>, StartError> {
    let stored = ports.catalog.signing_keys().await?;
    if stored.iter().any(|record| record.purpose == purpose) {
        return Ok(stored);
    }
    let now = ports.clock.now();
    let command = Command::StoreSigningKey(new_key(purpose, algorithm, now, now)?);
    ports.catalog.execute(&Actor::product(), now, command).await?;
    Ok(ports.catalog.signing_keys().await?)
}

/// A new key that signs from `signs_from` on.
pub(crate) fn new_key(
    purpose: KeyPurpose,
    algorithm: Algorithm,
    now: Timestamp,
    signs_from: Timestamp,
) -> Result<SigningKeyRecord, BadKey> {
    let key = SigningKey::generate(algorithm, &SystemRandom::new())?;
    Ok(SigningKeyRecord {
        purpose,
        kid: key.kid().to_owned(),
        algorithm: algorithm.name().to_owned(),
        private_key: Secret(key.to_text().expose().to_owned()),
        created_at: now,
        signs_from,
    })
}

impl Inner {
    pub(crate) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Executes a command; when gateways can notice it, waits until they have.
    pub(crate) async fn execute(&self, actor: &Actor, command: Command) -> Result<Outcome, Problem> {
        Ok(self.try_execute(actor, command).await?)
    }

    /// As [`Inner::execute`], for who has other words for what is refused.
    pub(crate) async fn try_execute(&self, actor: &Actor, command: Command) -> Result<Outcome, CommandError> {
        let (noticed, revokes, keeps) = (is_noticed(&command), may_revoke(&command), keeps_token(&command));
        let outcome = self.ports.catalog.execute(actor, self.now(), command).await?;
        let is_replay = matches!(outcome, Outcome::Tokens(Redeemed::Replayed(_)));
        if revokes || is_replay {
            self.feed.revoked().await;
        } else if keeps {
            self.feed.issued().await;
        }
        if noticed {
            self.feed.changed().await;
        }
        Ok(outcome)
    }

    /// Random bytes in the shape that `oauth` asks for.
    pub(crate) fn random(&self) -> impl tidegate_oauth::Random + use<> {
        let entropy = Arc::clone(&self.ports.entropy);
        move |bytes: &mut [u8]| entropy.fill(bytes)
    }
}

/// Whether gateways can see the change: what only concerns people who sign in they cannot.
fn is_noticed(command: &Command) -> bool {
    !matches!(
        command,
        Command::CreateUser(_)
            | Command::SetPassword { .. }
            | Command::ChoosePassword { .. }
            | Command::OpenPortalSession { .. }
            | Command::ClosePortalSession { .. }
            | Command::CreateToken { .. }
            | Command::DeleteToken { .. }
            | Command::ChangeSignUp(_)
            | Command::CreateProvider(_)
            | Command::UpdateProvider(_)
            | Command::DeleteProvider { .. }
            | Command::Arrive(_)
            | Command::AskForAccount(_)
            | Command::ChangeRole(_)
            | Command::Alert(_)
            | Command::EndPortalSessions(_)
            | Command::KeepSeen(_)
            | Command::KeepAudit(_)
            | Command::Authorize(_)
            | Command::KeepDeviceCode(_)
            | Command::AllowDevice(_)
            | Command::DenyDevice(_)
            | Command::RedeemCode(_)
            | Command::Renew(_)
            | Command::EndAuthorization(_)
            | Command::Withdraw(_)
            | Command::KeepAccessToken(_)
            | Command::EndAccessToken { .. }
            | Command::KeepTicket(_)
            | Command::RedeemTicket { .. }
            | Command::UseAssertion { .. }
            | Command::Revoke(_)
    ) && !matches!(command, Command::Registration(change) if change.is_about_token())
}

/// Whether an access token comes of it that gateways have to be told of.
const fn keeps_token(command: &Command) -> bool {
    match command {
        Command::KeepAccessToken(_) => true,
        Command::RedeemCode(RedeemCode { access, .. }) | Command::Renew(Renew { access, .. }) => {
            access.is_some()
        }
        _ => false,
    }
}

/// Whether credentials may end with the change, beside what a snapshot says of it. To ask in vain costs one look-up.
const fn may_revoke(command: &Command) -> bool {
    matches!(
        command,
        Command::Revoke(_)
            | Command::EndAuthorization(_)
            | Command::Withdraw(_)
            | Command::DeleteToken { .. }
            | Command::EndAccessToken { .. }
            | Command::ChangeUser(_)
            | Command::DeleteUser { .. }
    )
}
