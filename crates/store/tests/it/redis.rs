//! Shared budgets in a real Redis: the script is the same arithmetic as the ledger that gateways are simulated with, and
//! what was lost is noticed.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use tempfile::TempDir;
use tidegate_model::{
    id::BootId,
    lease::{Ask, Heard, Ledger, SETTLE_MILLIS, Terms, Told},
    port::SharedBudgets as _,
    time::Timestamp,
};
use tidegate_store::{BadRedis, RedisBudgets};

/// A start of a program of a few megabytes, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A Redis of the test's own that keeps nothing.
struct Redis {
    child: Child,
    folder: TempDir,
}

impl Redis {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut redis = Self { child: spawn(folder.path()), folder };
        redis.is_ready().await;
        redis
    }

    /// SIGKILL, and a start with nothing.
    async fn lose_everything(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = spawn(self.folder.path());
        self.is_ready().await;
    }

    fn url(&self) -> String {
        format!("redis+unix://{}", self.folder.path().join("socket").display())
    }

    async fn connection(&self) -> Option<redis::aio::MultiplexedConnection> {
        redis::Client::open(self.url()).unwrap().get_multiplexed_async_connection().await.ok()
    }

    async fn is_ready(&mut self) {
        let since = Instant::now();
        while self.connection().await.is_none() {
            assert!(self.child.try_wait().unwrap().is_none(), "Redis has ended");
            assert!(since.elapsed() < PATIENCE, "Redis does not answer");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// As if every gateway had had the time to tell what it holds.
    async fn is_settled(&self) {
        let mut connection = self.connection().await.unwrap();
        redis::cmd("SET").arg("tidegate:{budgets}:since").arg(1).exec_async(&mut connection).await.unwrap();
    }

    async fn keys(&self) -> Vec<String> {
        let mut connection = self.connection().await.unwrap();
        redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program that a variable names. A test that cannot run fails: one that is passed over tests nothing.
fn spawn(folder: &Path) -> Child {
    let named = std::env::var_os("TIDEGATE_REDIS_SERVER").map(PathBuf::from).filter(|path| path.exists());
    let program = named.expect(
        "TIDEGATE_REDIS_SERVER names no program: run `cargo xtask test`, which sees to it, or install it yourself (Debian: apt-get install redis-server)",
    );
    let mut command = Command::new(program);
    command
        .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
        .arg(folder.join("socket"));
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

fn boot(number: u8) -> BootId {
    BootId::new(Timestamp(1), [number; 10])
}

fn calendar(hold: u64, wish: u64) -> Ask {
    let terms = Terms::Calendar { amount: 100, keep_millis: 60_000 };
    Ask { name: "plan".into(), window: 7, hold, wish, used: hold, terms }
}

fn word(gateway: u8, number: u64, answered: u64, asks: Vec<Ask>) -> Told {
    Told { boot: boot(gateway), number, answered, is_last: false, asks }
}

/// A word of one of three gateways, which says of itself what it likes.
fn some_word() -> impl Strategy<Value = (u8, bool, Vec<Ask>)> {
    let ask = (0_u64..60, 0_u64..60, 0_u64..60, 0_u64..3, 0_usize..3, any::<bool>(), 0_u64..5).prop_map(
        |(hold, more, used, window, name, is_fresh, owed)| {
            let name = ["messages", "bytes", "slides"][name];
            let is_sliding = name == "slides";
            let hour = 3_600_000_000_000;
            let terms = if is_sliding {
                Terms::Sliding { one_nanos: hour, owed_max_nanos: 100 * hour, owed, is_fresh }
            } else {
                Terms::Calendar { amount: 100, keep_millis: 60_000 }
            };
            let window = if is_sliding { 0 } else { window };
            Ask { name: name.into(), window, hold, wish: hold + more, used, terms }
        },
    );
    (0_u8..3, any::<bool>(), proptest::collection::vec(ask, 0..4))
}

/// What both answered. Only how long to wait depends on how long the test took.
fn differs_only_in_time(redis: &Heard, ledger: &Heard) -> bool {
    let near = |a: u64, b: u64| a.abs_diff(b) < 60_000;
    let head = |heard: &Heard| {
        (heard.gateways, heard.is_stale, heard.has_lost, heard.is_settling, heard.answers.len())
    };
    let answers = redis.answers.iter().zip(&ledger.answers);
    let mut same = answers.map(|(redis, ledger)| {
        let mut in_time = *redis;
        in_time.wait_millis = ledger.wait_millis;
        in_time == *ledger && near(redis.wait_millis, ledger.wait_millis)
    });
    head(redis) == head(ledger) && same.all(|same| same)
}

#[tokio::test]
async fn redis_answers_what_the_ledger_answers() {
    let redis = Redis::start().await;
    let mut runner = TestRunner::new(Config::default());
    let strategy = proptest::collection::vec(some_word(), 1..60);
    for _ in 0..20 {
        let mut connection = redis.connection().await.unwrap();
        redis::cmd("FLUSHALL").exec_async(&mut connection).await.unwrap();
        let (budgets, mut ledger) = (RedisBudgets::at(&redis.url()).unwrap(), Ledger::default());
        let mut numbers = [1; 3];
        for gateway in 0..3 {
            let hello = word(gateway, 1, 0, Vec::new());
            let (heard, same) = (budgets.tell(&hello).await.unwrap(), ledger.hear(&hello, 1_000));
            assert!(heard.is_settling && differs_only_in_time(&heard, &same), "{heard:?}, not {same:?}");
        }
        redis.is_settled().await;
        // Everybody is there in both.
        let times = 1_000 + SETTLE_MILLIS * 1_000..;
        for (time, (gateway, is_repeat, asks)) in times.zip(strategy.new_tree(&mut runner).unwrap().current())
        {
            let number = &mut numbers[usize::from(gateway)];
            let answered = *number;
            *number += u64::from(!is_repeat);
            let told = word(gateway, *number, answered, asks);
            let heard = budgets.tell(&told).await.unwrap();
            let same = ledger.hear(&told, time);
            assert!(differs_only_in_time(&heard, &same), "{heard:?}, not {same:?}, to {told:?}");
        }
    }
}

#[tokio::test]
async fn a_redis_that_lost_everything_grants_nothing_until_everybody_has_told() {
    let mut redis = Redis::start().await;
    let budgets = RedisBudgets::at(&redis.url()).unwrap();
    assert!(budgets.tell(&word(1, 1, 0, Vec::new())).await.unwrap().is_settling);
    redis.is_settled().await;
    let heard = budgets.tell(&word(1, 2, 1, vec![calendar(0, 40)])).await.unwrap();
    assert_eq!((heard.has_lost, heard.answers[0].granted, heard.answers[0].left), (false, 40, 60));

    redis.lose_everything().await;
    budgets
        .tell(&word(1, 3, 2, Vec::new()))
        .await
        .expect_err("the connection is gone, and is made anew after that");
    let heard = budgets.tell(&word(1, 4, 2, vec![calendar(40, 50)])).await.unwrap();
    assert_eq!((heard.has_lost, heard.is_settling, heard.answers[0].granted), (true, true, 40));
    let other = budgets.tell(&word(2, 1, 0, vec![calendar(0, 100)])).await.unwrap();
    assert_eq!((other.is_settling, other.answers[0].granted, other.gateways), (true, 0, 2));
    redis.is_settled().await;
    let other = budgets.tell(&word(2, 2, 1, vec![calendar(0, 100)])).await.unwrap();
    assert_eq!(other.answers[0].granted, 15, "half of its part of what the first does not hold");
}

#[tokio::test]
async fn a_gateway_that_ends_in_order_leaves_nothing_behind_that_it_did_not_use() {
    let redis = Redis::start().await;
    let budgets = RedisBudgets::at(&redis.url()).unwrap();
    budgets.tell(&word(1, 1, 0, Vec::new())).await.unwrap();
    redis.is_settled().await;
    budgets.tell(&word(1, 2, 1, vec![calendar(0, 40)])).await.unwrap();
    let last = Told { is_last: true, ..word(1, 3, 2, vec![calendar(0, 0)]) };
    assert_eq!(budgets.tell(&last).await.unwrap().gateways, 0);
    assert_eq!(redis.keys().await, ["tidegate:{budgets}:since"]);
}

#[tokio::test]
async fn without_redis_the_error_says_so_and_no_password() {
    let budgets = RedisBudgets::at("redis://someone:hush@127.0.0.1:1/3").unwrap();
    let error = budgets.tell(&word(1, 1, 0, Vec::new())).await.unwrap_err();
    assert!(error.is_unavailable());
    let said = format!("{budgets:?} {error:?} {} {error}", budgets.place());
    assert!(said.contains("127.0.0.1:1") && !said.contains("hush"), "{said}");
}

#[test]
fn an_address_that_cannot_be_used_is_refused_without_being_shown() {
    for (url, why) in [
        ("", BadRedis::Malformed),
        ("localhost:6379", BadRedis::Malformed),
        ("http://user:hush@localhost", BadRedis::Malformed),
        ("redis://user:hush@localhost:port", BadRedis::Malformed),
        ("rediss://user:hush@localhost", BadRedis::Secured),
        ("REDISS://user:hush@localhost", BadRedis::Secured),
    ] {
        let refused = RedisBudgets::at(url).unwrap_err();
        assert_eq!(refused, why, "{url}");
        assert!(!format!("{refused:?} {refused}").contains("hush"));
    }
}
