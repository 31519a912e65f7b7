//! Opening a SQLite file: durable (WAL, `synchronous=FULL`), one connection that writes, a few that read.
//!
//! Separate pools, since a read that turns into a write while another connection writes cannot be retried by
//! SQLite itself.

use std::{path::Path, time::Duration};

use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbErr};
use sea_orm_migration::MigratorTrait as _;
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};

use crate::{migration::Migrator, writer::Writer};

/// Connections that read. Reads take well under a millisecond; more would only compete for two cores.
const READERS: u32 = 4;
/// How long a statement waits for another process that writes (`tidegate user reset` beside a running product).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a read waits for a free connection before it answers "unavailable".
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a database cannot be used. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be opened or made.
    #[error("cannot open the database {path}: {source}")]
    Unreachable {
        /// The file.
        path: String,
        /// Why.
        source: DbErr,
    },
    /// The file is not a database of ours, or is damaged.
    #[error("the database {path} is damaged ({detail}); restore it from a backup")]
    Damaged {
        /// The file.
        path: String,
        /// What the check found.
        detail: String,
    },
    /// A newer version of the product made the file.
    #[error("the database {path} was made by a newer version of Tidegate; use that version or a backup")]
    Newer {
        /// The file.
        path: String,
    },
}

/// Records and facts in one SQLite file. Clones share the file.
#[derive(Clone)]
pub struct SqliteCatalog {
    pub(crate) writer: Writer,
    pub(crate) readers: DatabaseConnection,
}

impl SqliteCatalog {
    /// Opens or makes the file and brings its schema up to date. Needs a tokio runtime to live in.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let shown = path.display().to_string();
        let unreachable = |source| match damage(&source) {
            Some(detail) => OpenError::Damaged { path: shown.clone(), detail },
            None => OpenError::Unreachable { path: shown.clone(), source },
        };
        make_private(path).map_err(|error| unreachable(DbErr::Custom(error.to_string())))?;
        let writing = connect(path, 1, false).await.map_err(unreachable)?;
        check(&writing).await.map_err(|detail| OpenError::Damaged { path: shown.clone(), detail })?;
        Migrator::up(&writing, None).await.map_err(|error| {
            if error.to_string().contains("is missing, this migration has been applied") {
                OpenError::Newer { path: shown.clone() }
            } else {
                unreachable(error)
            }
        })?;
        let readers = connect(path, READERS, true).await.map_err(unreachable)?;
        Ok(Self { writer: Writer::start(writing), readers })
    }
}

/// The file exists and only its owner may read it: it holds hashes and the issuer's private keys.
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

async fn connect(path: &Path, connections: u32, read_only: bool) -> Result<DatabaseConnection, DbErr> {
    let path = path.to_owned();
    let mut options = ConnectOptions::new("sqlite::memory:");
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .filename(&path)
                .in_memory(false)
                .shared_cache(false)
                .read_only(read_only)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(BUSY_TIMEOUT)
        });
    Database::connect(options).await
}

/// What SQLite says of a file that it cannot make sense of, however far it came with it.
fn damage(error: &DbErr) -> Option<String> {
    /// The file is not as its own format asks (`SQLITE_CORRUPT`).
    const CORRUPT: i32 = 11;
    /// The file is something else (`SQLITE_NOTADB`).
    const NOT_A_DATABASE: i32 = 26;
    let (DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause)) = error else { return None };
    let sea_orm::RuntimeErr::SqlxError(cause) = cause else { return None };
    let cause = cause.as_database_error()?;
    // The low byte is the kind, what is above it only says where.
    let kind = cause.code()?.parse::<i32>().ok()? & 0xff;
    matches!(kind, CORRUPT | NOT_A_DATABASE).then(|| cause.message().to_owned())
}

async fn check(connection: &DatabaseConnection) -> Result<(), String> {
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, "PRAGMA quick_check(1)");
    let row = connection.query_one_raw(statement).await.map_err(|error| error.to_string())?;
    let found: String =
        row.map_or(Ok(String::new()), |row| row.try_get_by_index(0)).map_err(|error| error.to_string())?;
    if found == "ok" { Ok(()) } else { Err(found) }
}
