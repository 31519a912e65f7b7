//! What is forgotten is found without looking at everything that is kept.

use sea_orm::Database;
use sea_orm_migration::MigratorTrait as _;

use super::*;
use crate::migration::Migrator;

#[tokio::test]
async fn forgetting_looks_at_what_is_over_alone() {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    Migrator::up(&db, None).await.unwrap();
    for statement in forgetting(DbBackend::Sqlite, Timestamp(1 << 40)) {
        let asked = statement.to_string();
        let plan = Statement::from_string(DbBackend::Sqlite, format!("EXPLAIN QUERY PLAN {asked}"));
        let steps = db.query_all_raw(plan).await.unwrap();
        let steps: Vec<String> = steps.iter().map(|step| step.try_get("", "detail").unwrap()).collect();
        assert!(!steps.is_empty() && steps.iter().all(|step| !step.contains("SCAN")), "{asked}: {steps:?}");
    }
}
