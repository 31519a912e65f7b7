//! What only a file can do: be private, damaged, newer, or open in two processes.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use futures_util::future::join_all;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, sqlite::SqliteConnectOptions};
use tidegate_model::{
    command::{Command, CreateApplication, KeyPurpose, Refused, SigningKeyRecord},
    id::ApplicationId,
    policy::{KeptPolicy, PolicyKind, api_policies, application_policies, business_plans},
    port::{Catalog as _, CommandError, PageRequest},
    time::Timestamp,
    user::{Actor, Secret},
};
use tidegate_store::{OpenError, SqliteCatalog};
use uuid::Uuid;

async fn altered(path: &Path, statement: &'static str) {
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    connection.execute(statement).await.unwrap();
    connection.close().await.unwrap();
}

fn creation(number: u32, name: &str) -> Command {
    Command::CreateApplication(CreateApplication {
        id: ApplicationId(Uuid::from_u128(u128::from(number))),
        name: name.to_owned(),
        description: String::new(),
        policy: "Unlimited".to_owned(),
        demo: false,
    })
}

async fn names(catalog: &SqliteCatalog) -> Vec<String> {
    let page = PageRequest { limit: 200, cursor: None };
    catalog.applications(None, &page).await.unwrap().items.into_iter().map(|found| found.name).collect()
}

#[tokio::test]
async fn only_the_owner_may_read_the_file_and_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let _catalog = SqliteCatalog::open(&path).await.unwrap();
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    let text = "these are my holiday pictures, all of them, and no database at all\n".repeat(100);
    fs::write(&path, &text).unwrap();
    let refused = SqliteCatalog::open(&path).await.err().unwrap();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused:?}");
    assert!(refused.to_string().contains("restore it from a backup"), "{refused}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_damaged_page_is_found_when_the_file_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    let catalog = SqliteCatalog::open(&path).await.unwrap();
    for number in 0..40 {
        catalog
            .execute(&Actor::product(), Timestamp(1), creation(number, &format!("app{number}")))
            .await
            .unwrap();
    }
    drop(catalog);
    altered(&path, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    let mut bytes = fs::read(&path).unwrap();
    let length = bytes.len();
    bytes[4_096..length].chunks_mut(4_096).for_each(|page| page[..64].fill(0xff));
    fs::write(&path, bytes).unwrap();
    let _ = fs::remove_file(folder.path().join("records.db-wal"));
    let refused = SqliteCatalog::open(&path).await.err().unwrap();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    drop(SqliteCatalog::open(&path).await.unwrap());
    altered(&path, "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 1)").await;
    let refused = SqliteCatalog::open(&path).await.err().unwrap();
    assert!(matches!(refused, OpenError::Newer { .. }), "{refused:?}");
}

#[tokio::test]
async fn keys_of_a_file_from_before_purposes_sign_access_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    let key = SigningKeyRecord {
        purpose: KeyPurpose::AccessTokens,
        kid: "first".to_owned(),
        algorithm: "ES256".to_owned(),
        private_key: Secret("private".to_owned()),
        created_at: Timestamp(1),
        signs_from: Timestamp(1),
    };
    let catalog = SqliteCatalog::open(&path).await.unwrap();
    catalog.execute(&Actor::product(), Timestamp(1), Command::StoreSigningKey(key.clone())).await.unwrap();
    drop(catalog);
    for change in [
        "ALTER TABLE signing_keys DROP COLUMN purpose",
        "ALTER TABLE signing_keys DROP COLUMN algorithm",
        "ALTER TABLE signing_keys DROP COLUMN signs_from",
        "DELETE FROM seaql_migrations WHERE version IN ('m0002_key_purpose', 'm0008_signing_keys')",
    ] {
        altered(&path, change).await;
    }
    let catalog = SqliteCatalog::open(&path).await.unwrap();
    assert_eq!(catalog.signing_keys().await.unwrap(), [key]);
}

/// Plans and policies as they were written when each had at most one limit, on messages.
const ONE_LIMIT_EACH: &str = r#"UPDATE plans SET body = '{"name":' || json_quote(name) || ',"description":'
    || '"Up to 7 messages per day, both directions together"' || ',"limit":' || CASE json_array_length(body, '$.limits')
    WHEN 0 THEN 'null' ELSE '{"messages":' || json_extract(body, '$.limits[0].amount') || ',"per":"'
    || json_extract(body, '$.limits[0].per') || '"}' END || '}'"#;

#[tokio::test]
async fn plans_of_a_file_from_before_lists_of_limits_hold_as_they_did() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    drop(SqliteCatalog::open(&path).await.unwrap());
    altered(&path, ONE_LIMIT_EACH).await;
    altered(&path, "DELETE FROM seaql_migrations WHERE version IN ('m0030_policies', 'm0031_descriptions')")
        .await;
    for _ in 0..2 {
        let catalog = SqliteCatalog::open(&path).await.unwrap();
        for (kind, shipped) in
            PolicyKind::ALL.into_iter().zip([business_plans(), application_policies(), api_policies()])
        {
            let kept: Vec<_> = shipped.into_iter().map(KeptPolicy::from).collect();
            assert_eq!(catalog.policies(kind).await.unwrap(), kept);
        }
    }
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nowhere").join("records.db");
    let refused = SqliteCatalog::open(&path).await.err().unwrap();
    assert!(matches!(refused, OpenError::Unreachable { .. }), "{refused:?}");
    assert!(refused.to_string().contains("nowhere/records.db"), "{refused}");
}

/// As `tidegate user reset` does beside a running product.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_file_lose_nothing_of_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    let catalogs = [SqliteCatalog::open(&path).await.unwrap(), SqliteCatalog::open(&path).await.unwrap()];
    let product = Actor::product();
    let wishes = (0..60_u32).map(|number| {
        // Names meet in pairs, one from each process.
        let command = creation(number, &format!("app{:02}", number / 2));
        catalogs[usize::from(number % 2 == 1)].execute(&product, Timestamp(1), command)
    });
    let mut made = 0;
    for outcome in join_all(wishes).await {
        match outcome {
            Ok(_) => made += 1,
            Err(CommandError::Refused(Refused::Duplicate(_))) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    let expected: Vec<_> = (0..30).map(|number| format!("app{number:02}")).collect();
    assert_eq!(made, 30);
    for catalog in &catalogs {
        assert_eq!(names(catalog).await, expected);
        assert_eq!(catalog.snapshot_parts().await.unwrap().number, 31);
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_back_is_our_fault_and_not_a_passing_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    let catalog = SqliteCatalog::open(&path).await.unwrap();
    let product = Actor::product();
    catalog.execute(&product, Timestamp(1), creation(1, "whole")).await.unwrap();
    altered(&path, "UPDATE applications SET body = '{}'").await;
    let id = ApplicationId(Uuid::from_u128(1));
    assert!(!catalog.application(id).await.unwrap_err().is_unavailable());
    assert!(!catalog.snapshot_parts().await.unwrap_err().is_unavailable());
    let outcome = catalog.execute(&product, Timestamp(1), Command::DeleteApplication { id }).await;
    assert!(matches!(outcome, Err(CommandError::Port(error)) if !error.is_unavailable()));
    catalog.execute(&product, Timestamp(1), creation(2, "next")).await.unwrap();
}

/// A full disk makes SQLite take back the whole transaction in the middle of a command; a trigger that does the same
/// stands for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_the_database_takes_back_is_acknowledged_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    let catalog = SqliteCatalog::open(&path).await.unwrap();
    altered(
        &path,
        "CREATE TRIGGER full BEFORE INSERT ON applications WHEN NEW.name_key LIKE 'poison%'
         BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END",
    )
    .await;
    let product = Actor::product();
    let mut acknowledged = Vec::new();
    for round in 0..10_u32 {
        let wishes = (0..20).map(|place| {
            // Where it stands in its group differs from round to round; in some there are two.
            let poisons = place == round * 2 || (round % 3 == 0 && place == 13);
            let name = format!("{}{round}-{place:02}", if poisons { "poison" } else { "app" });
            let wish = catalog.execute(&product, Timestamp(1), creation(round * 100 + place, &name));
            async { (name, wish.await) }
        });
        for (name, outcome) in join_all(wishes).await {
            match outcome {
                Ok(_) => acknowledged.push(name),
                Err(CommandError::Port(error)) => assert!(error.is_unavailable(), "{name}"),
                Err(other) => panic!("{name}: {other:?}"),
            }
        }
        assert_eq!(names(&catalog).await, acknowledged, "what was answered is what is there");
        let calm = format!("app{round}-99");
        catalog.execute(&product, Timestamp(1), creation(round * 100 + 99, &calm)).await.unwrap();
        acknowledged.push(calm);
    }
    assert_eq!(catalog.snapshot_parts().await.unwrap().number, 1 + acknowledged.len() as u64);
    drop(catalog);
    assert_eq!(names(&SqliteCatalog::open(&path).await.unwrap()).await, acknowledged);
}

/// The same when only the commit fails, after every command of the group went well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_fails_is_acknowledged_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    let catalog = SqliteCatalog::open(&path).await.unwrap();
    altered(
        &path,
        "CREATE TABLE held (name TEXT REFERENCES meta (name) DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER late BEFORE INSERT ON applications WHEN NEW.name_key LIKE 'poison%'
         BEGIN INSERT INTO held VALUES ('nothing by this name'); END",
    )
    .await;
    let product = Actor::product();
    let wishes = (0..20_u32).map(|place| {
        let name = format!("{}{place:02}", if place == 11 { "poison" } else { "app" });
        let wish = catalog.execute(&product, Timestamp(1), creation(place, &name));
        async { (name, wish.await) }
    });
    let mut acknowledged = Vec::new();
    for (name, outcome) in join_all(wishes).await {
        match outcome {
            Ok(_) => acknowledged.push(name),
            Err(CommandError::Port(error)) => assert!(error.is_unavailable(), "{name}"),
            Err(other) => panic!("{name}: {other:?}"),
        }
    }
    assert!(acknowledged.iter().all(|name| !name.starts_with("poison")));
    assert_eq!(names(&catalog).await, acknowledged);
    catalog.execute(&product, Timestamp(1), creation(99, "app99")).await.unwrap();
    acknowledged.push("app99".to_owned());
    drop(catalog);
    assert_eq!(names(&SqliteCatalog::open(&path).await.unwrap()).await, acknowledged);
}
