//! What every handler works with: the ports, the settings, the signing key, the feed.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tidegate_model::{
    command::{Command, KeyPurpose, Outcome, SigningKeyRecord},
    port::{Catalog, Clock, CommandError, ConsoleDoor, Entropy, EventLog, PortError, Probe},
    time::Timestamp,
    user::{Actor, Secret},
};
use tidegate_oauth::jwk::{Algorithm, BadKey, SigningKey, SystemRandom};
use tokio::sync::Semaphore;

use crate::{
    feed::Feed,
    issuer::{BackendKeys, Issuer},
    pages::Assets,
    password::CONCURRENT_HASHES,
    problem::Problem,
    settings::Settings,
    sign_in_throttle::SignInThrottle,
};

/// What others implement.
#[derive(Clone)]
pub struct Ports {
    /// Records.
    pub catalog: Arc<dyn Catalog>,
    /// Facts.
    pub events: Arc<dyn EventLog>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// *Test endpoint*.
    pub probe: Arc<dyn Probe>,
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
    pub(crate) issuer: Issuer,
    pub(crate) backend_keys: BackendKeys,
    pub(crate) feed: Feed,
    pub(crate) throttle: SignInThrottle,
    pub(crate) hashing: Arc<Semaphore>,
}

impl Control {
    /// Starts the control plane: makes a signing key of each purpose that has none yet.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(ports: Ports, settings: Settings, assets: Assets) -> Result<Self, StartError> {
        let issuer = Issuer::new(&settings.issuer, keys(&ports, KeyPurpose::AccessTokens).await?);
        let backend_keys =
            BackendKeys::new(&settings.issuer, &keys(&ports, KeyPurpose::BackendTokens).await?);
        let feed = Feed::new(
            Arc::clone(&ports.catalog),
            Arc::clone(&ports.events),
            Arc::clone(&ports.clock),
            issuer.facts(),
            backend_keys.facts().cloned(),
        );
        feed.refresh().await?;
        Ok(Self(Arc::new(Inner {
            ports,
            settings: ArcSwap::from_pointee(settings),
            assets,
            issuer,
            backend_keys,
            feed,
            throttle: SignInThrottle::default(),
            hashing: Arc::new(Semaphore::new(CONCURRENT_HASHES)),
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

/// The keys of this purpose, newest first; one is made where there is none yet.
async fn keys(ports: &Ports, purpose: KeyPurpose) -> Result<Vec<SigningKey>, StartError> {
    let records = ports.catalog.signing_keys().await?;
    let stored = records.iter().filter(|record| record.purpose == purpose);
    let mut keys =
        stored.map(|record| SigningKey::from_text(&record.private_key.0)).collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        let key = SigningKey::generate(Algorithm::Es256, &SystemRandom::new())?;
        let command = Command::StoreSigningKey(SigningKeyRecord {
            purpose,
            kid: key.kid().to_owned(),
            private_key: Secret(key.to_text().expose().to_owned()),
            created_at: ports.clock.now(),
        });
        ports.catalog.execute(&Actor::product(), ports.clock.now(), command).await?;
        keys.push(key);
    }
    Ok(keys)
}

impl Inner {
    pub(crate) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Executes a command; when gateways can notice it, waits until they have.
    pub(crate) async fn execute(&self, actor: &Actor, command: Command) -> Result<Outcome, Problem> {
        let noticed = is_noticed(&command);
        let outcome = self.ports.catalog.execute(actor, self.now(), command).await?;
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
            | Command::OpenPortalSession(_)
            | Command::ClosePortalSession { .. }
            | Command::CreateToken { .. }
            | Command::DeleteToken { .. }
            | Command::ReplaceSecret { .. }
    )
}
