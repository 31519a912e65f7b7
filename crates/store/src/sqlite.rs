//! Opening a SQLite file: durable (WAL, `synchronous=FULL`), one connection that writes, a few that read.
//!
//! Separate pools, since a read that turns into a write while another connection writes cannot be retried by
//! SQLite itself.

use std::{path::Path, sync::Arc, time::Duration};

use sea_orm::{
    ActiveValue::Set, ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbErr,
    EntityTrait as _, TransactionTrait as _,
};
use sea_orm_migration::MigratorTrait as _;
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};

use tidegate_model::user::Secret;

use crate::{
    entity,
    migration::Migrator,
    vault::{KeyError, Vault},
    writer::Writer,
};

/// Name of the key's file where none is given, beside the database.
const SECRETS_KEY: &str = "secrets.key";
/// The row that says with which key the database is sealed: its own name, sealed.
const SEAL_CHECK: &str = "check";

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
    /// The key of the secrets is missing, or another one.
    #[error(transparent)]
    Key(#[from] KeyError),
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
    pub(crate) vault: Arc<Vault>,
}

impl SqliteCatalog {
    /// As [`SqliteCatalog::open_with_key`], with the key of the secrets in `secrets.key` beside the file.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_with_key(path, &path.with_file_name(SECRETS_KEY)).await
    }

    /// Opens or makes the file and brings its schema up to date. Secrets are sealed with the key in the file `key`,
    /// which is made where nothing is sealed yet. Needs a tokio runtime to live in.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open_with_key(path: &Path, key: &Path) -> Result<Self, OpenError> {
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
        let vault = Arc::new(unlock(&writing, key, &shown).await?);
        let readers = connect(path, READERS, true).await.map_err(unreachable)?;
        Ok(Self { writer: Writer::start(writing), readers, vault })
    }
}

/// The vault of this database: the one it was sealed with before, or one that seals what it holds now.
async fn unlock(writing: &DatabaseConnection, key: &Path, shown: &str) -> Result<Vault, OpenError> {
    let unreachable = |source| OpenError::Unreachable { path: shown.to_owned(), source };
    let check = entity::seal::Entity::find_by_id(SEAL_CHECK).one(writing).await.map_err(unreachable)?;
    if let Some(check) = check {
        let vault = Vault::read(key)?.ok_or_else(|| KeyError::Missing(key.to_owned()))?;
        let opened = vault.open(SEAL_CHECK, &Secret(check.value));
        opened.map_err(|_| KeyError::Wrong(key.to_owned()))?;
        return Ok(vault);
    }
    // A start that was cut after the key was made finds it here.
    let vault = match Vault::read(key)? {
        Some(vault) => vault,
        None => Vault::make(key)?,
    };
    let was_plain = seal_all(writing, &vault).await.map_err(unreachable)?;
    if was_plain {
        forget_plain(writing).await.map_err(unreachable)?;
    }
    Ok(vault)
}

/// Seals everything, and notes with which key, as one unit. Answers whether there was anything to seal.
async fn seal_all(writing: &DatabaseConnection, vault: &Vault) -> Result<bool, DbErr> {
    let transaction = writing.begin().await?;
    let apis = crate::apis::seal_all(&transaction, vault).await?;
    let keys = crate::users::seal_all(&transaction, vault).await?;
    let check = vault.seal(SEAL_CHECK, &Secret(SEAL_CHECK.to_owned()))?;
    let row = entity::seal::ActiveModel { name: Set(SEAL_CHECK.to_owned()), value: Set(check.0) };
    entity::seal::Entity::insert(row).exec_without_returning(&transaction).await?;
    transaction.commit().await?;
    Ok(apis || keys)
}

/// What was plain is in pages that are free now, and in the log: both are written anew.
async fn forget_plain(writing: &DatabaseConnection) -> Result<(), DbErr> {
    for statement in ["VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"] {
        writing.execute_unprepared(statement).await?;
    }
    Ok(())
}

/// The file exists and only its owner may read it: it holds hashes and sealed secrets.
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
