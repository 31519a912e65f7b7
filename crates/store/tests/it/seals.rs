//! Secrets in the file: never as they are, and only with their key.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use sqlx::{ConnectOptions as _, Connection as _, Executor as _, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tidegate_model::{
    api::Design,
    command::{Command, CreateApi, KeyPurpose, SigningKeyRecord},
    endpoint::{Credential, Endpoint, Endpoints},
    id::{ApiId, ProviderId},
    port::Catalog as _,
    provider::{CreateProvider, Newcomers, SignInTrust},
    time::Timestamp,
    user::{Actor, Secret},
};
use tidegate_store::{KeyError, OpenError, SqliteCatalog};

/// What must be found nowhere, one for each kind of secret.
const CANARIES: [&str; 5] =
    ["canary-password", "canary-header-value", "canary-client-secret", "canary-signing", "canary-of-sign-in"];

struct House {
    folder: TempDir,
}

impl House {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("records.db")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("secrets.key")
    }

    async fn open(&self) -> SqliteCatalog {
        SqliteCatalog::open(&self.database()).await.unwrap()
    }

    /// Makes it a file of before there was a key.
    async fn as_before(&self) {
        let plain = [
            "UPDATE apis SET body = json_set(body, '$.design.endpoints.production.credential.password', 'canary-password', \
             '$.live.design.endpoints.production.credential.password', 'canary-password') WHERE name_key = 'api1'",
            "UPDATE revisions SET design = json_set(design, '$.endpoints.production.credential.password', 'canary-password') \
             WHERE design LIKE '%\"basic\"%'",
            "DELETE FROM apis WHERE name_key <> 'api1'",
            "DELETE FROM sign_in_providers",
            "UPDATE signing_keys SET private_key = 'canary-signing'",
            "DELETE FROM seals",
        ];
        altered(&self.database(), &plain).await;
        fs::remove_file(self.key()).unwrap();
        assert!(!self.holding(&CANARIES).is_empty(), "this is a file of before");
    }

    async fn refused(&self) -> KeyError {
        match SqliteCatalog::open(&self.database()).await.err() {
            Some(OpenError::Key(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    /// The files of the database that hold one of these texts.
    fn holding(&self, texts: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        for file in fs::read_dir(self.folder.path()).unwrap() {
            let path = file.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            for text in texts {
                if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                    found.push(format!("{text} in {}", path.display()));
                }
            }
        }
        found
    }
}

async fn altered(path: &Path, statements: &[&'static str]) {
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    for statement in statements {
        connection.execute(*statement).await.unwrap();
    }
    connection.close().await.unwrap();
}

fn id(number: u8) -> ApiId {
    ApiId::new(Timestamp(i64::from(number)), [number; 10])
}

fn creation(number: u8, credential: Credential) -> Command {
    let mut endpoint = Endpoint::new("wss://backend");
    endpoint.credential = Box::new(credential);
    let endpoints = Endpoints { production: Some(endpoint), sandbox: None };
    let design = Design { endpoints, plans: vec!["Gold".to_owned()], ..Design::default() };
    Command::CreateApi(CreateApi {
        id: id(number),
        name: format!("Api{number}"),
        context: format!("/api{number}"),
        version: "1.0".to_owned(),
        design,
        publish: true,
        demo: false,
    })
}

fn secret(text: &str) -> Secret {
    Secret(text.to_owned())
}

fn basic() -> Credential {
    Credential::Basic { username: "gateway".to_owned(), password: secret(CANARIES[0]) }
}

fn signing_key() -> SigningKeyRecord {
    SigningKeyRecord {
        purpose: KeyPurpose::AccessTokens,
        kid: "first".to_owned(),
        algorithm: "ES256".to_owned(),
        private_key: secret(CANARIES[3]),
        created_at: Timestamp(1),
        signs_from: Timestamp(1),
    }
}

fn provider() -> CreateProvider {
    let trust = SignInTrust {
        issuer: "https://sso.example".to_owned(),
        discovery_url: "https://sso.example/discovery".to_owned(),
        client_id: "tidegate".to_owned(),
        client_secret: secret(CANARIES[4]),
        scopes: Vec::new(),
        username_claim: "sub".to_owned(),
        roles: [].into(),
        role_claim: None,
        newcomers: Newcomers::Refused,
        enabled: true,
    };
    CreateProvider { id: ProviderId(uuid::Uuid::from_u128(1)), name: "SSO".to_owned(), trust }
}

async fn furnished(catalog: &SqliteCatalog) {
    let header = Credential::Header { name: "X-Api-Key".to_owned(), value: secret(CANARIES[1]) };
    let oauth = Credential::OAuth {
        token_url: "https://issuer.example/token".to_owned(),
        client_id: "gateway".to_owned(),
        client_secret: secret(CANARIES[2]),
        scope: String::new(),
    };
    let commands = [
        creation(1, basic()),
        creation(2, header),
        creation(3, oauth),
        Command::StoreSigningKey(signing_key()),
        Command::CreateProvider(Box::new(provider())),
    ];
    for command in commands {
        catalog.execute(&Actor::product(), Timestamp(1), command).await.unwrap();
    }
}

async fn credential_of(catalog: &SqliteCatalog, number: u8) -> Credential {
    let api = catalog.api(id(number)).await.unwrap().unwrap();
    let of = |design: &Design| design.endpoints.production.as_ref().unwrap().credential.as_ref().clone();
    let live = of(&api.live.as_ref().unwrap().design);
    let revisions = catalog.revisions(id(number)).await.unwrap();
    assert_eq!((of(&revisions[0].design), of(&api.design)), (live.clone(), live.clone()));
    live
}

#[tokio::test]
async fn no_secret_is_in_the_file_or_its_log_and_all_of_them_come_back() {
    let house = House::new();
    let catalog = house.open().await;
    furnished(&catalog).await;
    assert_eq!(house.holding(&CANARIES), [""; 0]);
    assert!(!house.holding(&["sealed:1:"]).is_empty(), "the search finds what is there");
    drop(catalog);
    altered(&house.database(), &["PRAGMA wal_checkpoint(TRUNCATE)"]).await;
    assert_eq!(house.holding(&CANARIES), [""; 0]);
    assert_eq!(house.key().metadata().unwrap().permissions().mode() & 0o777, 0o600);

    let catalog = house.open().await;
    assert_eq!(credential_of(&catalog, 1).await, basic());
    assert_eq!(catalog.signing_keys().await.unwrap(), [signing_key()]);
    let providers = catalog.sign_in_providers().await.unwrap();
    assert_eq!(providers[0].trust.client_secret, secret(CANARIES[4]));
    let parts = catalog.snapshot_parts().await.unwrap();
    let served = parts.apis.iter().find(|api| api.id == id(1)).unwrap().endpoints.production.clone().unwrap();
    assert_eq!(*served.credential, basic(), "gateways have what they need");
}

#[tokio::test]
async fn what_was_written_before_there_was_a_key_is_sealed_and_leaves_nothing_plain() {
    let house = House::new();
    let catalog = house.open().await;
    furnished(&catalog).await;
    drop(catalog);
    house.as_before().await;

    let catalog = house.open().await;
    assert_eq!(house.holding(&CANARIES), [""; 0]);
    assert_eq!(credential_of(&catalog, 1).await, basic());
    assert_eq!(catalog.signing_keys().await.unwrap(), [signing_key()]);
    drop(catalog);
    assert_eq!(credential_of(&house.open().await, 1).await, basic(), "it is sealed once, and not again");
}

#[tokio::test]
async fn a_key_that_is_missing_or_another_is_told_and_never_replaced() {
    let (house, other) = (House::new(), House::new());
    furnished(&house.open().await).await;
    drop(other.open().await);
    let kept = fs::read(house.key()).unwrap();

    fs::remove_file(house.key()).unwrap();
    let missing = house.refused().await;
    assert!(matches!(missing, KeyError::Missing(_)), "{missing}");
    assert!(
        missing.to_string().contains("secrets.key") && missing.to_string().contains("--secrets-key-file")
    );
    assert!(!house.key().exists(), "no new key is made for what is sealed");

    fs::copy(other.key(), house.key()).unwrap();
    let wrong = house.refused().await;
    assert!(matches!(wrong, KeyError::Wrong(_)), "{wrong}");
    fs::write(house.key(), "something else").unwrap();
    let unreadable = house.refused().await;
    assert!(matches!(unreadable, KeyError::Unreadable(_)), "{unreadable}");
    assert_eq!(fs::read(house.key()).unwrap(), b"something else", "what is there is left alone");

    let elsewhere = house.folder.path().join("elsewhere.key");
    fs::write(&elsewhere, kept).unwrap();
    let catalog = SqliteCatalog::open_with_key(&house.database(), &elsewhere).await.unwrap();
    assert_eq!(credential_of(&catalog, 1).await, basic());
}

#[tokio::test]
async fn a_sealed_secret_is_of_no_use_in_another_place() {
    let house = House::new();
    furnished(&house.open().await).await;
    let stolen = ["UPDATE apis SET body = json_set(body, '$.design.endpoints.production.credential.value', \
         (SELECT json_extract(body, '$.design.endpoints.production.credential.password') FROM apis WHERE name_key = 'api1')) \
         WHERE name_key = 'api2'"];
    altered(&house.database(), &stolen).await;
    let catalog = house.open().await;
    assert!(catalog.api(id(2)).await.is_err());
    assert_eq!(credential_of(&catalog, 1).await, basic(), "the others are as before");
}

/// A reader keeps the log from being written anew, as a kill between the sealing and that would.
#[tokio::test]
async fn what_was_plain_is_cleared_away_by_a_later_start_where_the_first_was_cut() {
    let house = House::new();
    furnished(&house.open().await).await;
    house.as_before().await;
    let mut reader = SqliteConnectOptions::new().filename(house.database()).connect().await.unwrap();
    reader.execute("BEGIN; SELECT count(*) FROM apis").await.unwrap();
    drop(house.open().await);
    assert!(!house.holding(&CANARIES).is_empty(), "the reader held it up");
    reader.execute("COMMIT").await.unwrap();
    reader.close().await.unwrap();
    let catalog = house.open().await;
    assert_eq!(house.holding(&CANARIES), [""; 0]);
    assert_eq!(credential_of(&catalog, 1).await, basic());
}

#[tokio::test]
async fn a_start_that_was_cut_while_the_key_was_made_does_not_stop_the_next() {
    let house = House::new();
    fs::write(house.key(), "").unwrap();
    furnished(&house.open().await).await;
    assert_eq!(credential_of(&house.open().await, 1).await, basic());
    let files = fs::read_dir(house.folder.path()).unwrap().map(|file| file.unwrap().file_name());
    let drafts: Vec<_> = files.filter(|name| name.to_string_lossy().starts_with('.')).collect();
    assert!(drafts.is_empty(), "{drafts:?}");
    // Where something is sealed, an empty file is no key, and is left alone.
    fs::write(house.key(), "").unwrap();
    assert!(matches!(house.refused().await, KeyError::Unreadable(_)));
}

#[tokio::test]
async fn a_guest_changes_neither_schema_nor_seals() {
    let house = House::new();
    let running = house.open().await;
    furnished(&running).await;
    let beside = async || SqliteCatalog::open_beside(&house.database(), &house.key()).await;
    assert_eq!(beside().await.unwrap().signing_keys().await.unwrap(), [signing_key()]);
    house.as_before().await;
    assert!(matches!(beside().await.err(), Some(OpenError::OtherVersion { .. })));
    assert!(!house.key().exists() && !house.holding(&CANARIES).is_empty(), "it is as it was");
    let newest = "DELETE FROM seaql_migrations WHERE version = (SELECT max(version) FROM seaql_migrations)";
    altered(&house.database(), &[newest]).await;
    assert!(matches!(beside().await.err(), Some(OpenError::OtherVersion { .. })));
    altered(&house.database(), &["INSERT INTO seaql_migrations VALUES ('m9999_later', 1)"]).await;
    assert!(matches!(beside().await.err(), Some(OpenError::Newer { .. })));
}
