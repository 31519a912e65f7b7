//! A kill at any instant: what the operating system has of the files is what the next start finds.
//!
//! A killed process leaves the database and its write-ahead log as they are, and the shared index is rebuilt. So a
//! copy of the two is what a kill leaves, and cutting the log's copy after each commit is every kill before.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tidegate_model::{
    api::Design,
    command::{Command, CreateApi, Outcome},
    endpoint::{Endpoint, Endpoints},
    id::ApiId,
    policy::{KeptPolicy, PolicyKind, business_plans},
    port::{ApiQuery, Catalog as _, PageRequest},
    time::Timestamp,
    user::Actor,
};
use tidegate_store::SqliteCatalog;

fn log_of(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}-wal", path.display()))
}

/// Copies a database that is in use as a kill at this moment would leave it.
pub(crate) fn image(from: &Path, to: &Path) {
    // The database file is only written when the log is folded into it; nothing here is large enough for that.
    fs::copy(from, to).unwrap();
    if log_of(from).exists() {
        fs::copy(log_of(from), log_of(to)).unwrap();
    }
}

/// Lengths of the log after its header and after each of its commits (the file format of SQLite, section 4.1).
fn commits(log: &[u8]) -> Vec<usize> {
    const HEADER: usize = 32;
    const FRAME_HEADER: usize = 24;
    let word = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let frame = FRAME_HEADER + usize::try_from(word(8)).unwrap();
    let mut lengths = vec![0, HEADER];
    let mut at = HEADER;
    // A frame that ends a commit carries the size of the database; others carry zero there.
    while at + frame <= log.len() && log[at + 8..at + 16] == log[16..24] {
        let ends_a_commit = word(at + 4) != 0;
        at += frame;
        if ends_a_commit {
            lengths.push(at);
        }
    }
    lengths
}

/// Every image that a kill could have left between the commits in the log of `path`, oldest first.
fn images(path: &Path, folder: &Path) -> Vec<PathBuf> {
    let log = fs::read(log_of(path)).unwrap();
    let write = |(place, length): (usize, usize)| {
        let copy = folder.join(format!("image-{place}.db"));
        fs::copy(path, &copy).unwrap();
        fs::write(log_of(&copy), &log[..length]).unwrap();
        copy
    };
    commits(&log).into_iter().enumerate().map(write).collect()
}

fn creation(number: u32) -> Command {
    let production = Some(Endpoint::new("ws://backend"));
    Command::CreateApi(CreateApi {
        id: ApiId::new(Timestamp(i64::from(number)), [7; 10]),
        name: format!("Api{number:03}"),
        context: format!("/api{number}"),
        version: "1.0".to_owned(),
        design: Design {
            description: String::new(),
            endpoints: Endpoints { production, sandbox: None },
            plans: vec!["Gold".to_owned()],
            ..Design::default()
        },
        publish: true,
        demo: false,
    })
}

#[tokio::test]
async fn a_first_start_killed_at_any_commit_can_start_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    let first = SqliteCatalog::open(&path).await.unwrap();
    let images = images(&path, folder.path());
    assert!(images.len() > 2, "the first start is in the log");
    for image in images {
        let catalog = SqliteCatalog::open(&image).await;
        let catalog = catalog.unwrap_or_else(|error| panic!("{}: {error}", image.display()));
        let kept: Vec<_> = business_plans().into_iter().map(KeptPolicy::from).collect();
        assert_eq!(catalog.policies(PolicyKind::Business).await.unwrap(), kept, "{}", image.display());
        catalog.execute(&Actor::product(), Timestamp(0), creation(0)).await.unwrap();
    }
    drop(first);
}

#[tokio::test]
async fn a_kill_at_any_commit_leaves_whole_commands_in_the_order_of_their_answers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    let catalog = SqliteCatalog::open(&path).await.unwrap();
    let before = commits(&fs::read(log_of(&path)).unwrap()).len();
    let mut answered = Vec::new();
    for number in 0..25 {
        let outcome = catalog.execute(&Actor::product(), Timestamp(9), creation(number)).await.unwrap();
        let Outcome::Api(api) = outcome else { panic!("{outcome:?}") };
        answered.push(*api);
    }
    let found = images(&path, folder.path()).split_off(before - 1);
    assert_eq!(found.len(), answered.len() + 1, "each answer was one commit");
    for (there, image) in found.into_iter().enumerate() {
        let killed = SqliteCatalog::open(&image).await.unwrap();
        let page = PageRequest { limit: 200, cursor: None };
        let apis = killed.apis(&ApiQuery::default(), &page).await.unwrap().items;
        assert_eq!(apis, answered[..there]);
        let parts = killed.snapshot_parts().await.unwrap();
        assert_eq!((parts.number, parts.apis.len()), (1 + there as u64, there));
        for api in apis {
            assert_eq!(killed.revisions(api.id).await.unwrap().len(), 1);
            assert_eq!(killed.moves(api.id).await.unwrap().len(), 2);
            assert_eq!(killed.changes(api.id, 9).await.unwrap().len(), 1);
        }
    }
}

#[test]
fn a_runtime_that_is_gone_takes_nothing_acknowledged_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut acknowledged = 0;
    for round in 0..3 {
        let first = runtime();
        let catalog = first.block_on(SqliteCatalog::open(&path)).unwrap();
        let (product, now) = (Actor::product(), Timestamp(9));
        first.block_on(async {
            for number in 0..10 {
                catalog.execute(&product, now, creation(round * 100 + number)).await.unwrap();
                acknowledged += 1;
            }
            // Asked for and not waited for: done as a whole or not at all.
            let abandoned = catalog.execute(&product, now, creation(round * 100 + 50));
            futures_util::future::select(abandoned, std::future::ready(())).await;
        });
        first.shutdown_background();
        drop(catalog);
        let found = runtime().block_on(async {
            let catalog = SqliteCatalog::open(&path).await.unwrap();
            let page = PageRequest { limit: 200, cursor: None };
            catalog.apis(&ApiQuery::default(), &page).await.unwrap().items
        });
        let known = found.iter().filter(|api| !api.name.ends_with("50")).count();
        assert_eq!(known, acknowledged);
        assert!(found.iter().all(|api| api.live.is_some()));
    }
}
