//! Policies as rows, and changes to them. What uses one is counted here.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _,
};
use tidegate_model::{
    api::Design,
    application::Application,
    command::{ChangePolicy, Command, ImportPolicies, Imported, Outcome, Refused},
    decide::{
        self,
        policies::{self, Step, Usage},
    },
    policy::{KeptPolicy, Policy, PolicyKind},
    terms::Terms,
};

use crate::{
    apis,
    entity::{self, plan},
    execute::{At, Done},
    reads::{parsed, written},
    roles,
};

pub(crate) fn row(kind: PolicyKind, kept: &KeptPolicy, place: i32) -> Result<plan::ActiveModel, DbErr> {
    Ok(plan::ActiveModel { place: Set(place), ..changed(kind, kept)? })
}

/// The same without its place among the others, which stays.
fn changed(kind: PolicyKind, kept: &KeptPolicy) -> Result<plan::ActiveModel, DbErr> {
    Ok(plan::ActiveModel {
        kind: Set(kind.as_str().to_owned()),
        name: Set(kept.policy.name.clone()),
        body: Set(written(kept)?),
        ..Default::default()
    })
}

pub(crate) async fn all(
    connection: &impl ConnectionTrait,
    kind: PolicyKind,
) -> Result<Vec<KeptPolicy>, DbErr> {
    let rows = plan::Entity::find()
        .filter(plan::Column::Kind.eq(kind.as_str()))
        .order_by_asc(plan::Column::Place)
        .all(connection)
        .await?;
    rows.iter().map(|row| parsed(&row.body)).collect()
}

/// As gateways know them: without what people agree on.
pub(crate) async fn facts(connection: &impl ConnectionTrait, kind: PolicyKind) -> Result<Vec<Policy>, DbErr> {
    let told = |kept: KeptPolicy| Policy { terms: Terms::default(), ..kept.policy };
    Ok(all(connection, kind).await?.into_iter().map(told).collect())
}

/// The terms of a business plan; of one that is not there, none.
pub(crate) async fn terms(connection: &impl ConnectionTrait, plan: &str) -> Result<Terms, DbErr> {
    let found = plan::Entity::find_by_id((PolicyKind::Business.as_str().to_owned(), plan.to_owned()));
    let row = found.one(connection).await?;
    let kept: Option<KeptPolicy> = row.map(|row| parsed(&row.body)).transpose()?;
    Ok(kept.map(|kept| kept.policy.terms).unwrap_or_default())
}

pub(crate) async fn names(connection: &impl ConnectionTrait, kind: PolicyKind) -> Result<Vec<String>, DbErr> {
    Ok(all(connection, kind).await?.into_iter().map(|kept| kept.policy.name).collect())
}

/// Names of what a design may name.
pub(crate) struct Known {
    plans: Vec<String>,
    api_policies: Vec<String>,
}

impl Known {
    pub(crate) fn as_ref(&self) -> decide::Known<'_> {
        decide::Known { plans: &self.plans, api_policies: &self.api_policies }
    }
}

pub(crate) async fn known(connection: &impl ConnectionTrait) -> Result<Known, DbErr> {
    let plans = names(connection, PolicyKind::Business).await?;
    Ok(Known { plans, api_policies: names(connection, PolicyKind::Api).await? })
}

/// The place after the last of its kind.
async fn place_after_all(connection: &impl ConnectionTrait, kind: PolicyKind) -> Result<i32, DbErr> {
    let last = plan::Entity::find()
        .filter(plan::Column::Kind.eq(kind.as_str()))
        .order_by_desc(plan::Column::Place)
        .one(connection)
        .await?;
    Ok(last.map_or(0, |row| row.place.saturating_add(1)))
}

impl At<'_> {
    pub(crate) async fn change_policy(&self, command: Command) -> Done {
        match command {
            Command::CreatePolicy(kind, policy) => {
                let kept = policies::create(
                    kind,
                    policy,
                    self.actor,
                    &all(self.db, kind).await?,
                    &roles::all(self.db).await?,
                )?;
                self.insert_policy(kind, &kept).await?;
                self.keep_policy_change(kind, None, Some(&kept)).await?;
                self.bump().await?;
                Ok(Outcome::Policy(Box::new(kept)))
            }
            Command::ChangePolicy(ChangePolicy { kind, based_on, policy }) => {
                let was = self.policy(kind, &policy.name).await?;
                let (all, own) = (all(self.db, kind).await?, roles::all(self.db).await?);
                let kept = policies::change(kind, &was, policy, based_on, self.actor, (&all, &own))?;
                plan::Entity::update(changed(kind, &kept)?).exec(self.db).await?;
                self.keep_policy_change(kind, Some(&was), Some(&kept)).await?;
                self.bump().await?;
                Ok(Outcome::Policy(Box::new(kept)))
            }
            Command::DeletePolicy { kind, name, based_on } => {
                let kept = self.policy(kind, &name).await?;
                let usage = self.usage(kind, &name).await?;
                policies::delete(kind, &kept, based_on, self.actor, &usage)?;
                plan::Entity::delete_by_id((kind.as_str().to_owned(), name)).exec(self.db).await?;
                self.keep_policy_change(kind, Some(&kept), None).await?;
                self.bump().await?;
                Ok(Outcome::Done)
            }
            Command::ImportPolicies(told) => self.import_policies(told).await,
            _ => Err(DbErr::Custom("not a change to a policy".to_owned()).into()),
        }
    }

    async fn import_policies(&self, told: ImportPolicies) -> Done {
        let plans = all(self.db, PolicyKind::Business).await?;
        let application_policies = all(self.db, PolicyKind::Application).await?;
        let api_policies = all(self.db, PolicyKind::Api).await?;
        let told = [
            (PolicyKind::Business, told.plans, &plans[..]),
            (PolicyKind::Application, told.application_policies, &application_policies[..]),
            (PolicyKind::Api, told.api_policies, &api_policies[..]),
        ];
        let mut imported = Imported::default();
        for Step { kind, was, is } in policies::import(told, self.actor, &roles::all(self.db).await?)? {
            match &was {
                None => {
                    self.insert_policy(kind, &is).await?;
                    imported.created += 1;
                }
                Some(was) if *was == is => {
                    imported.unchanged += 1;
                    continue;
                }
                Some(_) => {
                    plan::Entity::update(changed(kind, &is)?).exec(self.db).await?;
                    imported.changed += 1;
                }
            }
            self.keep_policy_change(kind, was.as_ref(), Some(&is)).await?;
        }
        if imported.created + imported.changed > 0 {
            self.bump().await?;
        }
        Ok(Outcome::Imported(imported))
    }

    async fn policy(&self, kind: PolicyKind, name: &str) -> Result<KeptPolicy, crate::writer::Failed> {
        let row = plan::Entity::find_by_id((kind.as_str().to_owned(), name.to_owned())).one(self.db).await?;
        let row = row.ok_or(Refused::NotFound(kind.noun()))?;
        Ok(parsed(&row.body)?)
    }

    async fn insert_policy(&self, kind: PolicyKind, kept: &KeptPolicy) -> Result<(), DbErr> {
        let row = row(kind, kept, place_after_all(self.db, kind).await?)?;
        plan::Entity::insert(row).exec_without_returning(self.db).await.map(drop)
    }

    /// What uses a policy. All APIs and applications are read: policies are deleted seldom.
    async fn usage(&self, kind: PolicyKind, name: &str) -> Result<Usage, DbErr> {
        let mut usage = Usage::default();
        match kind {
            PolicyKind::Business => {
                let under = entity::subscription::Column::Plan.eq(name);
                usage.subscriptions =
                    entity::subscription::Entity::find().filter(under).count(self.db).await?;
                let offers = |design: &Design| design.plans.iter().any(|plan| plan == name);
                usage.apis = apis::names_where(self.db, self.vault, offers).await?;
            }
            PolicyKind::Api => {
                let names = |design: &Design| design.api_policies().any(|(_, policy)| policy == name);
                usage.apis = apis::names_where(self.db, self.vault, names).await?;
            }
            PolicyKind::Application => {
                for row in entity::application::Entity::find().all(self.db).await? {
                    let application: Application = parsed(&row.body)?;
                    usage.applications += u64::from(application.policy == name);
                }
            }
        }
        Ok(usage)
    }

    async fn keep_policy_change(
        &self,
        kind: PolicyKind,
        was: Option<&KeptPolicy>,
        is: Option<&KeptPolicy>,
    ) -> Result<(), DbErr> {
        let Some(kept) = is.or(was) else { return Ok(()) };
        let verb = match (was, is) {
            (None, _) => "made",
            (Some(_), Some(_)) => "changed",
            (Some(_), None) => "deleted",
        };
        let article = if kind == PolicyKind::Business { "a" } else { "an" };
        let action = format!("{verb} {article} {}", kind.noun());
        self.differs(&kept.policy.name, (&action, &kept.policy.name), was, is).await
    }
}
