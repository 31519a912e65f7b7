//! The contract suites of `model`, run for SQLite.

use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;
use tidegate_model::contract::Ground;
use tidegate_store::SqliteCatalog;

use crate::kill::image;

/// A folder with one database, and folders with its images as a kill would leave them.
struct Folder {
    folder: TempDir,
    images: AtomicU32,
}

fn folder() -> Folder {
    Folder { folder: tempfile::tempdir().unwrap(), images: AtomicU32::new(0) }
}

#[async_trait::async_trait]
impl Ground for Folder {
    type Port = SqliteCatalog;

    async fn open(&self) -> SqliteCatalog {
        SqliteCatalog::open(&self.folder.path().join("records.db")).await.unwrap()
    }

    async fn open_as_after_a_kill(&self) -> SqliteCatalog {
        let number = self.images.fetch_add(1, Ordering::Relaxed);
        let copy = self.folder.path().join(format!("killed-{number}.db"));
        image(&self.folder.path().join("records.db"), &copy);
        SqliteCatalog::open(&copy).await.unwrap()
    }
}

tidegate_model::port_contract!(crate::contract::folder());
