//! The one writer: takes waiting work, does it in one transaction with a savepoint for each, commits, and only then
//! answers. A piece that is refused or panics rolls back its savepoint and nothing else; a commit that fails fails all
//! of the group, those refused among them, since what they were refused for may never have been written.
//!
//! Grouping makes the disk's flush, by far the slowest step, serve everyone who waits.

use std::{future::Future, panic::AssertUnwindSafe, pin::Pin};

use futures_util::FutureExt as _;
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
    /// A fault of ours; the panic itself was reported where it happened.
    Panicked,
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
            Failed::Panicked => {
                Self::Port(PortError::internal("a change failed half-way and was taken back"))
            }
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
type Doing<'t, T> = Pin<Box<dyn Future<Output = T> + Send + 't>>;

/// A piece of work that waits, and whoever waits for it.
trait Work: Send {
    /// Does it within the savepoint. Answers how to answer, and whether the savepoint is kept.
    fn run(self: Box<Self>, savepoint: &DatabaseTransaction) -> Doing<'_, (Reply, bool)>;

    /// Answers that it could not even be begun.
    fn fail(self: Box<Self>, reason: DbErr);
}

struct Piece<T, F> {
    work: F,
    waiting: oneshot::Sender<Result<T, Failed>>,
}

impl<T, F> Work for Piece<T, F>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t DatabaseTransaction) -> Doing<'t, Result<T, Failed>> + Send + 'static,
{
    fn run(self: Box<Self>, savepoint: &DatabaseTransaction) -> Doing<'_, (Reply, bool)> {
        Box::pin(async move {
            let Self { work, waiting } = *self;
            // Whatever a panic leaves half done is in the savepoint, and that is taken back.
            let outcome = AssertUnwindSafe(async move { work(savepoint).await }).catch_unwind().await;
            let outcome = outcome.unwrap_or(Err(Failed::Panicked));
            let keep = outcome.is_ok();
            let reply: Reply = Box::new(move |committed| {
                // The caller may be gone; what was done stays done.
                let _ = waiting.send(committed.map_err(Failed::Database).and(outcome));
            });
            (reply, keep)
        })
    }

    fn fail(self: Box<Self>, reason: DbErr) {
        let _ = self.waiting.send(Err(Failed::Database(reason)));
    }
}

/// A way to the writer; clones lead to the same one.
#[derive(Clone)]
pub(crate) struct Writer(mpsc::Sender<Box<dyn Work>>);

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
        F: for<'t> FnOnce(&'t DatabaseTransaction) -> Doing<'t, Result<T, Failed>> + Send + 'static,
    {
        let (waiting, receiver) = oneshot::channel();
        let gone = || {
            Failed::Database(DbErr::Conn(sea_orm::RuntimeErr::Internal("the writer has ended".to_owned())))
        };
        self.0.send(Box::new(Piece { work, waiting })).await.map_err(|_| gone())?;
        receiver.await.unwrap_or_else(|_| Err(gone()))
    }
}

async fn run(connection: DatabaseConnection, mut waiting: mpsc::Receiver<Box<dyn Work>>) {
    let mut group = Vec::new();
    while waiting.recv_many(&mut group, GROUP_MAX).await > 0 {
        let mut replies = Vec::with_capacity(group.len());
        let mut works = group.drain(..);
        let committed = commit(&connection, &mut works, &mut replies).await;
        if let Err(error) = &committed {
            tracing::error!(%error, "a group of changes could not be committed");
            works.for_each(|work| work.fail(error.clone()));
        }
        for reply in replies {
            reply(committed.clone());
        }
    }
}

/// Works that were not begun when it fails are left to the caller.
async fn commit(
    connection: &DatabaseConnection,
    group: &mut impl Iterator<Item = Box<dyn Work>>,
    replies: &mut Vec<Reply>,
) -> Result<(), DbErr> {
    // Immediate: a transaction that reads first and then finds another process writing could not go on.
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = connection.begin_with_options(options).await?;
    for work in group {
        let savepoint = match transaction.begin().await {
            Ok(savepoint) => savepoint,
            Err(error) => {
                work.fail(error.clone());
                return Err(error);
            }
        };
        let (reply, keep) = work.run(&savepoint).await;
        replies.push(reply);
        if keep { savepoint.commit().await? } else { savepoint.rollback().await? }
    }
    transaction.commit().await
}

#[cfg(test)]
mod tests;
