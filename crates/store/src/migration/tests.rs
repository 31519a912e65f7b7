//! What holds for every table there is.

use sea_orm::{Database, DatabaseConnection, DbBackend, Statement};

use super::*;

async fn newest() -> DatabaseConnection {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    Migrator::up(&db, None).await.unwrap();
    db
}

async fn texts(db: &DatabaseConnection, query: &str) -> Vec<String> {
    let rows = db.query_all_raw(Statement::from_string(DbBackend::Sqlite, query)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// Whoever deletes a person or a client would otherwise read every row that could be theirs.
#[tokio::test]
async fn what_goes_with_another_record_is_found_by_an_index() {
    let db = newest().await;
    let references = "SELECT tables.name || '.' || found.\"from\" FROM sqlite_master AS tables, \
        pragma_foreign_key_list(tables.name) AS found WHERE tables.type = 'table' ORDER BY 1";
    let indexed = "SELECT DISTINCT tables.name || '.' || columns.name FROM sqlite_master AS tables, \
        pragma_index_list(tables.name) AS indexes, pragma_index_info(indexes.name) AS columns \
        WHERE tables.type = 'table' AND columns.seqno = 0 AND indexes.partial = 0";
    let indexed = texts(&db, indexed).await;
    let references = texts(&db, references).await;
    assert!(references.len() > 10, "{references:?}");
    let slow: Vec<_> = references.iter().filter(|column| !indexed.contains(column)).collect();
    assert!(slow.is_empty(), "{slow:?}");
}

/// A rule that is looked at only when all is committed would fail a whole group of changes for one of them.
#[tokio::test]
async fn no_rule_waits_for_the_commit() {
    let late = "SELECT name FROM sqlite_master WHERE upper(sql) LIKE '%DEFER%'";
    assert_eq!(texts(&newest().await, late).await, [""; 0]);
}
