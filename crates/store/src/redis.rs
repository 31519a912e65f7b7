//! The port [`SharedBudgets`] on Redis: one script, run once for each word of a gateway.
//!
//! All keys carry the hash tag `{budgets}`, so that in a cluster they lie on one node, and one script sees them together: a
//! gateway says a few words a second for each budget in use, and a node answers a hundred thousand. It knows neither what
//! is asked for nor when; that is `tidegate_model::lease`.

use std::fmt;

use redis::{Client, ConnectionAddr, IntoConnectionInfo as _, Script, aio::MultiplexedConnection};
use tidegate_model::{
    lease::{Answer, Ask, Heard, PRESENT_MILLIS, REMEMBERED_MILLIS, SETTLE_MILLIS, Terms, Told},
    port::{PortError, SharedBudgets},
};
use tokio::sync::Mutex;

/// What keys begin with. Whoever keeps several installations in one Redis gives each a database number.
const PREFIX: &str = "tidegate:{budgets}:";
/// How many numbers are answered before those of budgets.
const HEAD: usize = 4;
/// How many numbers are answered for each budget.
const EACH: usize = 5;

/// Budgets that gateways share, in Redis.
pub struct RedisBudgets {
    client: Client,
    /// The host and port, or path, without what a password could be in.
    place: String,
    script: Script,
    /// Taken for each word and put back with its answer, so that one that does not answer is left.
    connection: Mutex<Option<MultiplexedConnection>>,
}

/// An address of Redis that cannot be used. It never shows what was written: a password may be in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRedis {
    /// It is not one.
    #[error("it is not an address of Redis; give one like redis://cache.example.com:6379/0")]
    Malformed,
    /// With TLS.
    #[error(
        "Redis with TLS (rediss://) is not spoken yet; give redis://, and a tunnel where the network is not yours"
    )]
    Secured,
}

impl fmt::Debug for RedisBudgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBudgets").field("place", &self.place).finish_non_exhaustive()
    }
}

impl RedisBudgets {
    /// At an address like `redis://user:password@host:6379/0`, or `redis+unix:///path`. Nothing is connected yet.
    ///
    /// # Errors
    /// [`BadRedis`].
    pub fn at(url: &str) -> Result<Self, BadRedis> {
        if url.trim_start().to_ascii_lowercase().starts_with("rediss:") {
            return Err(BadRedis::Secured);
        }
        let info = url.into_connection_info().map_err(|_| BadRedis::Malformed)?;
        let place = match info.addr() {
            ConnectionAddr::Tcp(host, port) => format!("{host}:{port}"),
            ConnectionAddr::Unix(path) => path.display().to_string(),
            _ => return Err(BadRedis::Malformed),
        };
        let client = Client::open(info).map_err(|_| BadRedis::Malformed)?;
        let script = Script::new(include_str!("redis/told.lua"));
        Ok(Self { client, place, script, connection: Mutex::default() })
    }

    /// Where it is, for people; no password is in it.
    pub fn place(&self) -> &str {
        &self.place
    }
}

#[async_trait::async_trait]
impl SharedBudgets for RedisBudgets {
    async fn tell(&self, told: &Told) -> Result<Heard, PortError> {
        let unavailable = |error| PortError::unavailable("Redis does not answer", error);
        let mut kept = self.connection.lock().await;
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => self.client.get_multiplexed_async_connection().await.map_err(unavailable)?,
        };
        let said: Vec<u64> =
            said(&self.script, told).invoke_async(&mut connection).await.map_err(unavailable)?;
        *kept = Some(connection);
        heard(&said, told.asks.len()).ok_or_else(|| PortError::internal("Redis answered something else"))
    }
}

/// The script's keys and arguments, in the order that is said there.
fn said<'s>(script: &'s Script, told: &Told) -> redis::ScriptInvocation<'s> {
    let mut said = script.prepare_invoke();
    said.key(format!("{PREFIX}gateways")).key(format!("{PREFIX}since"));
    said.arg(told.boot.to_string()).arg(told.number).arg(told.answered).arg(u8::from(told.is_last));
    said.arg(SETTLE_MILLIS).arg(PRESENT_MILLIS).arg(REMEMBERED_MILLIS);
    for Ask { name, window, hold, wish, used, terms } in &told.asks {
        match terms {
            Terms::Calendar { amount, keep_millis } => {
                said.key(format!("{PREFIX}{window}:{name}")).arg("c").arg(hold).arg(wish).arg(used);
                said.arg(amount).arg(keep_millis).arg("").arg("");
            }
            Terms::Sliding { one_nanos, owed_max_nanos, owed, is_fresh } => {
                said.key(format!("{PREFIX}sliding:{name}")).arg("s").arg(hold).arg(wish).arg(used);
                said.arg(one_nanos).arg(owed_max_nanos).arg(owed).arg(u8::from(*is_fresh));
            }
        }
    }
    said
}

/// What the script answered; `None` where it is not what the script answers.
fn heard(said: &[u64], asks: usize) -> Option<Heard> {
    let (head, rest) = said.split_at_checked(HEAD)?;
    let (is_stale, has_lost, is_settling) = (head[0] == 1, head[1] == 1, head[2] == 1);
    let answers = rest.chunks_exact(EACH).map(|each| Answer {
        granted: each[0],
        left: each[1],
        unused: each[2],
        is_wanted: each[3] == 1,
        wait_millis: each[4],
    });
    let answers: Vec<_> = answers.collect();
    let is_whole = rest.len() == EACH * answers.len() && (is_stale || answers.len() == asks);
    let gateways = u32::try_from(head[3]).ok()?;
    is_whole.then_some(Heard { gateways, is_stale, has_lost, is_settling, answers })
}
