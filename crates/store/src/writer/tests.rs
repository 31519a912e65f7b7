//! What one piece of work does to the others of its group, and to the writer.

use std::{path::Path, time::Duration};

use futures_util::future::join_all;
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database};

use super::*;

/// A database with a table whose rule is looked at only when all is committed.
async fn connect(path: &Path) -> DatabaseConnection {
    let path = path.join("test.db");
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(1).map_sqlx_sqlite_opts(move |sqlite| {
        let sqlite = sqlite.filename(&path).in_memory(false).shared_cache(false).create_if_missing(true);
        sqlite.foreign_keys(true).busy_timeout(Duration::ZERO)
    });
    let connection = Database::connect(options).await.unwrap();
    let tables = "CREATE TABLE IF NOT EXISTS words (word TEXT PRIMARY KEY NOT NULL,
        after TEXT REFERENCES words (word) DEFERRABLE INITIALLY DEFERRED)";
    connection.execute_unprepared(tables).await.unwrap();
    connection
}

/// One piece of work of a test.
#[derive(Clone, Copy)]
enum Todo {
    Write(&'static str),
    /// The rule is broken, which the commit finds out.
    WriteAfterNothing,
    WriteAndRefuse,
    WriteAndPanic,
}

async fn write(savepoint: &DatabaseTransaction, word: &str, after: &str) -> Result<(), Failed> {
    let statement = format!("INSERT INTO words VALUES ('{word}', {after})");
    Ok(savepoint.execute_unprepared(&statement).await.map(drop)?)
}

async fn work(writer: &Writer, todo: Todo) -> String {
    let done = writer.execute(move |savepoint| {
        Box::pin(async move {
            match todo {
                Todo::Write(word) => write(savepoint, word, "NULL").await,
                Todo::WriteAfterNothing => write(savepoint, "lost", "'nothing'").await,
                Todo::WriteAndRefuse => {
                    write(savepoint, "refused", "NULL").await?;
                    Err(Refused::NotFound("word").into())
                }
                Todo::WriteAndPanic => {
                    write(savepoint, "panicked", "NULL").await?;
                    panic!("on purpose")
                }
            }
        })
    });
    match done.await.map_err(CommandError::from) {
        Ok(()) => "ok".to_owned(),
        Err(CommandError::Refused(refused)) => refused.to_string(),
        Err(CommandError::Port(error)) => {
            let cause =
                std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            format!("{error}{cause}")
        }
    }
}

/// What becomes of works that wait for the same commit: on the one thread of a test, all are asked for before the writer
/// has its turn.
async fn together<const N: usize>(writer: &Writer, todos: [Todo; N]) -> Vec<String> {
    join_all(todos.map(|todo| work(writer, todo))).await
}

async fn words(connection: &DatabaseConnection) -> Vec<String> {
    let statement =
        sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, "SELECT word FROM words ORDER BY rowid");
    let rows = connection.query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

#[tokio::test]
async fn a_piece_that_panics_fails_alone_and_the_writer_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let writer = Writer::start(connect(place.path()).await);
    let todos = [Todo::Write("one"), Todo::WriteAndPanic, Todo::WriteAndRefuse, Todo::Write("two")];
    let expected = ["ok", "a change failed half-way and was taken back", "no such word", "ok"];
    assert_eq!(together(&writer, todos).await, expected);
    assert_eq!(work(&writer, Todo::Write("three")).await, "ok");
    assert_eq!(words(&connect(place.path()).await).await, ["one", "two", "three"]);
}

#[tokio::test]
async fn a_commit_that_fails_tells_everybody_who_waits_why() {
    let place = tempfile::tempdir().unwrap();
    let writer = Writer::start(connect(place.path()).await);
    let todos = [Todo::Write("one"), Todo::WriteAndRefuse, Todo::WriteAfterNothing, Todo::Write("two")];
    let outcomes = together(&writer, todos).await;
    for outcome in &outcomes {
        assert_eq!(outcome, &outcomes[0]);
        assert!(outcome.contains("FOREIGN KEY constraint failed"), "{outcome}");
    }
    assert_eq!(work(&writer, Todo::Write("three")).await, "ok");
    assert_eq!(words(&connect(place.path()).await).await, ["three"]);
}

#[tokio::test]
async fn a_group_that_cannot_even_begin_is_told_why() {
    let place = tempfile::tempdir().unwrap();
    let writer = Writer::start(connect(place.path()).await);
    let other = connect(place.path()).await;
    other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    let todos = [Todo::Write("one"), Todo::WriteAndRefuse, Todo::Write("two")];
    let outcomes = together(&writer, todos).await;
    for outcome in &outcomes {
        assert!(outcome.contains("database is locked"), "{outcome}");
    }
    other.execute_unprepared("COMMIT").await.unwrap();
    assert_eq!(work(&writer, Todo::Write("three")).await, "ok");
    assert_eq!(words(&other).await, ["three"]);
}
