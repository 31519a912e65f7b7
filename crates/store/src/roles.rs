//! Own roles as rows, and changes to them. What uses one is counted here.

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _,
};
use tidegate_model::{
    api::Design,
    command::{ChangeRole, Outcome},
    decide::roles::{self, Usage},
    policy::PolicyKind,
    role::{OwnRole, Permission, RoleName},
};

use crate::{
    apis,
    entity::{self, own_role},
    execute::{At, Done},
    policies, providers,
    reads::{parsed, written},
    users,
    writer::Failed,
};

/// All of them, by name.
pub(crate) async fn all(connection: &impl ConnectionTrait) -> Result<Vec<OwnRole>, DbErr> {
    let rows = own_role::Entity::find().order_by_asc(own_role::Column::Name).all(connection).await?;
    rows.iter().map(|row| parsed(&row.body)).collect()
}

fn row(role: &OwnRole) -> Result<own_role::ActiveModel, DbErr> {
    Ok(own_role::ActiveModel { name: Set(role.name.to_string()), body: Set(written(role)?) })
}

impl At<'_> {
    pub(crate) async fn change_role(&self, change: ChangeRole) -> Done {
        // Whoever may not change any is not told which there are.
        self.needs(Permission::Administer)?;
        let all = all(self.db).await?;
        match change {
            ChangeRole::Create(role) => {
                let role = roles::create(role, self.actor, &all)?;
                own_role::Entity::insert(row(&role)?).exec_without_returning(self.db).await?;
                self.kept_role("made", None, Some(&role)).await?;
                Ok(Outcome::Role(role))
            }
            ChangeRole::Update { name, based_on, description, means } => {
                let was = roles::own(&name, &all)?;
                let is = roles::update(was, based_on, description, means, self.actor)?;
                own_role::Entity::update(row(&is)?).exec(self.db).await?;
                self.kept_role("changed", Some(was), Some(&is)).await?;
                Ok(Outcome::Role(is))
            }
            ChangeRole::Delete { name, based_on } => {
                let role = roles::own(&name, &all)?;
                roles::delete(role, based_on, self.actor, &self.role_usage(&name).await?)?;
                own_role::Entity::delete_by_id(name.to_string()).exec(self.db).await?;
                self.kept_role("deleted", Some(role), None).await?;
                Ok(Outcome::Done)
            }
        }
    }

    async fn kept_role(&self, verb: &str, was: Option<&OwnRole>, is: Option<&OwnRole>) -> Result<(), DbErr> {
        let Some(role) = is.or(was) else { return Ok(()) };
        self.differs(role.name.as_str(), (&format!("{verb} a role"), role.name.as_str()), was, is).await
    }

    /// What uses a role. All APIs and providers are read: roles are deleted seldom.
    async fn role_usage(&self, name: &RoleName) -> Result<Usage, Failed> {
        let given = users::holds_one_of(std::iter::once(name));
        let asks = |design: &Design| design.scopes.iter().any(|scope| scope.roles.contains(name));
        let mut usage = Usage {
            users: entity::user::Entity::find().filter(given).count(self.db).await?,
            apis: apis::names_where(self.db, self.vault, asks).await?,
            providers: Vec::new(),
            plans: Vec::new(),
        };
        for kept in policies::all(self.db, PolicyKind::Business).await? {
            if kept.policy.terms.roles.contains(name) {
                usage.plans.push(kept.policy.name);
            }
        }
        for provider in providers::all(self.db, self.vault).await? {
            let trust = &provider.trust;
            let mut meant = trust.role_claim.iter().flat_map(|claim| &claim.values);
            if trust.roles.contains(name) || meant.any(|known| known.roles.contains(name)) {
                usage.providers.push(provider.name);
            }
        }
        Ok(usage)
    }
}
