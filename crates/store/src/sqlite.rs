//! Opening a SQLite file: durable (WAL, `synchronous=FULL`), one connection that writes, a few that read.
//!
//! Separate pools, since a read that turns into a write while another connection writes cannot be retried by
//! SQLite itself.

use std::{path::Path, sync::Arc, time::Duration};

use sea_orm::{
    ActiveValue::Set, ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbBackend, DbErr,
    EntityTrait as _, Statement, TransactionTrait as _,
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

/// The row that says that what is sealed now was plain before, and may still be in free pages and in the log.
const PLAIN_LEFT: &str = "plain left";

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
    /// Another version of the product has it open.
    #[error(
        "the database {path} is in use by another version of Tidegate; use that version, or stop it first"
    )]
    OtherVersion {
        /// The file.
        path: String,
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
        Self::open_as(path, key, Guest::No).await
    }

    /// Opens a file that a running product has open, and leaves it as that product made it: neither is the schema brought
    /// up to date nor anything sealed.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::OtherVersion`] where something would have to be changed first.
    pub async fn open_beside(path: &Path, key: &Path) -> Result<Self, OpenError> {
        Self::open_as(path, key, Guest::Yes).await
    }

    async fn open_as(path: &Path, key: &Path, guest: Guest) -> Result<Self, OpenError> {
        let shown = path.display().to_string();
        let unreachable = |source| match damage(&source) {
            Some(detail) => OpenError::Damaged { path: shown.clone(), detail },
            None => OpenError::Unreachable { path: shown.clone(), source },
        };
        make_private(path).map_err(|error| unreachable(DbErr::Custom(error.to_string())))?;
        let writing = connect(path, 1, false).await.map_err(unreachable)?;
        check(&writing).await.map_err(|detail| OpenError::Damaged { path: shown.clone(), detail })?;
        let other = || OpenError::OtherVersion { path: shown.clone() };
        let migrated = match guest {
            Guest::No => Migrator::up(&writing, None).await,
            Guest::Yes => match Migrator::get_pending_migrations(&writing).await {
                Ok(pending) if pending.is_empty() => Ok(()),
                Ok(_) => return Err(other()),
                Err(error) => Err(error),
            },
        };
        migrated.map_err(|error| {
            if error.to_string().contains("is missing, this migration has been applied") {
                OpenError::Newer { path: shown.clone() }
            } else {
                unreachable(error)
            }
        })?;
        let vault = match guest {
            Guest::No => unlock(&writing, key, &shown).await?,
            Guest::Yes => sealed_with(&writing, key, &shown).await?.ok_or_else(other)?,
        };
        let vault = Arc::new(vault);
        let readers = connect(path, READERS, true).await.map_err(unreachable)?;
        Ok(Self { writer: Writer::start(writing), readers, vault })
    }
}

/// Whether another process has the file open by right.
#[derive(Debug, Clone, Copy)]
enum Guest {
    No,
    Yes,
}

/// The vault of this database: the one it was sealed with before, or one that seals what it holds now.
async fn unlock(writing: &DatabaseConnection, key: &Path, shown: &str) -> Result<Vault, OpenError> {
    let unreachable = |source| OpenError::Unreachable { path: shown.to_owned(), source };
    let vault = if let Some(vault) = sealed_with(writing, key, shown).await? {
        vault
    } else {
        Vault::clear_stump(key)?;
        // A start that was cut after the key was made finds it here.
        let vault = match Vault::read(key)? {
            Some(vault) => vault,
            None => Vault::make(key)?,
        };
        seal_all(writing, &vault).await.map_err(unreachable)?;
        vault
    };
    forget_plain(writing).await.map_err(unreachable)?;
    Ok(vault)
}

/// The vault that the database was sealed with; `None` where nothing is sealed yet.
async fn sealed_with(
    writing: &DatabaseConnection,
    key: &Path,
    shown: &str,
) -> Result<Option<Vault>, OpenError> {
    let unreachable = |source| OpenError::Unreachable { path: shown.to_owned(), source };
    let check = entity::seal::Entity::find_by_id(SEAL_CHECK).one(writing).await.map_err(unreachable)?;
    let Some(check) = check else { return Ok(None) };
    let vault = Vault::read(key)?.ok_or_else(|| KeyError::Missing(key.to_owned()))?;
    let opened = vault.open(SEAL_CHECK, &Secret(check.value));
    opened.map_err(|_| KeyError::Wrong(key.to_owned()))?;
    Ok(Some(vault))
}

/// Seals everything, and notes with which key and whether anything was plain, as one unit.
async fn seal_all(writing: &DatabaseConnection, vault: &Vault) -> Result<(), DbErr> {
    let transaction = writing.begin().await?;
    let apis = crate::apis::seal_all(&transaction, vault).await?;
    let keys = crate::users::seal_all(&transaction, vault).await?;
    let check = vault.seal(SEAL_CHECK, &Secret(SEAL_CHECK.to_owned()))?;
    let note =
        |name: &str, value| entity::seal::ActiveModel { name: Set(name.to_owned()), value: Set(value) };
    entity::seal::Entity::insert(note(SEAL_CHECK, check.0)).exec_without_returning(&transaction).await?;
    if apis || keys {
        let left = note(PLAIN_LEFT, String::new());
        entity::seal::Entity::insert(left).exec_without_returning(&transaction).await?;
    }
    transaction.commit().await
}

/// What was plain is in pages that are free now, and in the log: both are written anew. Until that is done, each start does
/// it again.
async fn forget_plain(writing: &DatabaseConnection) -> Result<(), DbErr> {
    if entity::seal::Entity::find_by_id(PLAIN_LEFT).one(writing).await?.is_none() {
        return Ok(());
    }
    writing.execute_unprepared("VACUUM").await?;
    let statement = Statement::from_string(DbBackend::Sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
    let row = writing.query_one_raw(statement).await?;
    let is_blocked = row.map_or(Ok(0), |row| row.try_get_by_index::<i32>(0))? != 0;
    if is_blocked {
        tracing::warn!(
            "secrets that were plain before may still be in the database's log, which another process reads; the next \
             start clears it"
        );
        return Ok(());
    }
    entity::seal::Entity::delete_by_id(PLAIN_LEFT).exec(writing).await.map(drop)
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
    let statement = Statement::from_string(DbBackend::Sqlite, "PRAGMA quick_check(1)");
    let row = connection.query_one_raw(statement).await.map_err(|error| error.to_string())?;
    let found: String =
        row.map_or(Ok(String::new()), |row| row.try_get_by_index(0)).map_err(|error| error.to_string())?;
    if found == "ok" { Ok(()) } else { Err(found) }
}
