//! The one writer: takes waiting work, does it in one transaction with a savepoint for each, commits, and only then
//! answers. A refused piece rolls back its savepoint and nothing else; a commit that fails fails all of the group.
//!
//! Grouping makes the disk's flush, by far the slowest step, serve everyone who waits.

use std::{future::Future, pin::Pin};

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait as _,
};
use tidegate_model::{
    command::Refused,
    port::{CommandError, PortError},
};
use tokio::sync::{mpsc, oneshot};

/// Pieces that may wait. Beyond it callers wait for a place: the queue bounds memory, the disk bounds speed.
const WAITING_MAX: usize = 1_024;
/// Pieces in one commit; more would let the first wait for the last.
const GROUP_MAX: usize = 128;

/// Why a piece of work was not done.
#[derive(Debug)]
pub(crate) enum Failed {
    Refused(Refused),
    Database(DbErr),
}

impl From<DbErr> for Failed {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Failed> for CommandError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Refused(refused) => Self::Refused(refused),
            Failed::Database(error) => Self::Port(trouble(error)),
        }
    }
}

/// The database's own trouble.
pub(crate) fn trouble(error: DbErr) -> PortError {
    match error {
        DbErr::Custom(_) | DbErr::Json(_) | DbErr::Type(_) => {
            PortError::corrupt("a record cannot be read back", error)
        }
        error => PortError::unavailable("the database does not answer", error),
    }
}

type Reply = Box<dyn FnOnce(Result<(), DbErr>) + Send>;
type Running<'t> = Pin<Box<dyn Future<Output = (Reply, bool)> + Send + 't>>;
type Work = Box<dyn for<'t> FnOnce(&'t DatabaseTransaction) -> Running<'t> + Send>;

/// A way to the writer; clones lead to the same one.
#[derive(Clone)]
pub(crate) struct Writer(mpsc::Sender<Work>);

impl Writer {
    /// Starts the writer on its own connection. It ends when the last way to it is dropped.
    pub(crate) fn start(connection: DatabaseConnection) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        tokio::spawn(run(connection, receiver));
        Self(sender)
    }

    /// Does the work within a savepoint and answers after it is on disk. Dropping the future abandons the answer;
    /// the work is done as a whole or not at all.
    pub(crate) async fn execute<T, F>(&self, work: F) -> Result<T, Failed>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(
                &'t DatabaseTransaction,
            ) -> Pin<Box<dyn Future<Output = Result<T, Failed>> + Send + 't>>
            + Send
            + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let work: Work = Box::new(move |savepoint| {
            Box::pin(async move {
                let outcome = work(savepoint).await;
                let keep = outcome.is_ok();
                let reply: Reply = Box::new(move |committed| {
                    let outcome = match committed {
                        Err(error) if keep => Err(Failed::Database(error)),
                        _ => outcome,
                    };
                    // The caller may be gone; what was done stays done.
                    let _ = sender.send(outcome);
                });
                (reply, keep)
            })
        });
        let gone = || {
            Failed::Database(DbErr::Conn(sea_orm::RuntimeErr::Internal("the writer has ended".to_owned())))
        };
        self.0.send(work).await.map_err(|_| gone())?;
        receiver.await.unwrap_or_else(|_| Err(gone()))
    }
}

async fn run(connection: DatabaseConnection, mut waiting: mpsc::Receiver<Work>) {
    let mut group = Vec::new();
    while waiting.recv_many(&mut group, GROUP_MAX).await > 0 {
        let mut replies = Vec::with_capacity(group.len());
        let committed = commit(&connection, group.drain(..), &mut replies).await;
        for reply in replies {
            reply(match &committed {
                Ok(()) => Ok(()),
                Err(error) => Err(DbErr::Conn(sea_orm::RuntimeErr::Internal(error.to_string()))),
            });
        }
        if let Err(error) = committed {
            tracing::error!(%error, "a group of changes could not be committed");
        }
    }
}

async fn commit(
    connection: &DatabaseConnection,
    group: impl Iterator<Item = Work>,
    replies: &mut Vec<Reply>,
) -> Result<(), DbErr> {
    // Immediate: a transaction that reads first and then finds another process writing could not go on.
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = connection.begin_with_options(options).await?;
    for work in group {
        let savepoint = transaction.begin().await?;
        let (reply, keep) = work(&savepoint).await;
        replies.push(reply);
        if keep { savepoint.commit().await? } else { savepoint.rollback().await? }
    }
    transaction.commit().await
}
