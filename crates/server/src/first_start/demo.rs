//! The demo: three users, one published API on the echo backend, one application with its key and subscription.
//!
//! Each start makes what lacks and points the API to where the echo backend listens now, unless a person pointed
//! it elsewhere. Nothing that a person changed is changed back.

use anyhow::Result;
use tidegate_model::{
    api::{Api, Design},
    application::Application,
    client::ClientSettings,
    command::{
        Command, CreateApi, CreateApplication, CreateKey, CreateSubscription, Outcome, Refused, UpdateApi,
    },
    endpoint::{Endpoint, Endpoints, Environment},
    id::{ApiId, ApplicationId, SubscriptionId},
    lifecycle::State,
    policy::DEFAULT_APPLICATION_POLICY,
    port::{ApiQuery, CommandError, PageRequest, SubscriptionQuery},
    role::Role,
    user::{Actor, Secret, User},
};
use tidegate_oauth::secret::{self, Kind};

use super::{DemoKey, FirstStart, Record};

/// Name of the demo API.
const NAME: &str = "Demo Echo";
/// Its context.
const CONTEXT: &str = "/demo-echo";
/// Its version.
const VERSION: &str = "1.0";
/// Where it answers.
pub(super) const URL_PATH: &str = "/demo-echo/1.0";
/// Plans to choose from; the first is the demo application's.
const PLANS: [&str; 4] = ["Gold", "Silver", "Bronze", "Unlimited"];
/// Name of the demo application.
const APPLICATION: &str = "Demo application";

/// Makes and keeps up the demo. `echo` is where the echo backend answers.
pub(crate) async fn keep_up(start: &FirstStart<'_>, echo: &str) -> Result<()> {
    start.person("creator", &[Role::Creator], true).await?;
    start.person("publisher", &[Role::Publisher], true).await?;
    let developer = start.person("developer", &[Role::Subscriber], true).await?;
    let demo = Demo { start, echo };
    let mut key = demo.noted_key()?;
    let Some(api) = demo.api(&mut key).await? else { return Ok(()) };
    let application = demo.application(&developer).await?;
    demo.key(&application, &mut key).await?;
    demo.subscription(&application, &api, &developer).await
}

struct Demo<'a> {
    start: &'a FirstStart<'a>,
    echo: &'a str,
}

impl Demo<'_> {
    /// The key as it is on disk, made if there is none.
    fn noted_key(&self) -> Result<DemoKey> {
        if let Some(key) = Record::read(self.start.folder)?.demo {
            return Ok(key);
        }
        let mut random = |bytes: &mut [u8]| self.start.entropy.fill(bytes);
        let key = DemoKey {
            client_id: format!(
                "demo-{}",
                ApplicationId::new(self.start.clock.now(), self.start.entropy.id_bytes())
            ),
            client_secret: secret::generate(Kind::ClientSecret, &mut random),
            url_path: URL_PATH.to_owned(),
            echo: Vec::new(),
        };
        self.note(&key)?;
        Ok(key)
    }

    fn note(&self, key: &DemoKey) -> Result<()> {
        let mut record = Record::read(self.start.folder)?;
        record.demo = Some(key.clone());
        record.write(self.start.folder)
    }

    /// The demo API, pointing to the echo backend; `None` where an API of a person answers at its address.
    async fn api(&self, key: &mut DemoKey) -> Result<Option<Api>> {
        let query = ApiQuery { text: CONTEXT.to_owned(), states: Vec::new() };
        let page = PageRequest { limit: 200, cursor: None };
        let found = self.start.catalog.apis(&query, &page).await?.items;
        let own = found.into_iter().find(|api| api.demo && api.context == CONTEXT && api.version == VERSION);
        if key.echo != [self.echo] {
            // Noted before it is used, so that a start cut here still knows the address as ours.
            key.echo.push(self.echo.to_owned());
            self.note(key)?;
        }
        let api = match own {
            Some(api) => self.follow_echo(api, key).await?,
            None => match self.create_api().await {
                Ok(Outcome::Api(api)) => *api,
                Ok(_) => return Ok(None),
                Err(CommandError::Refused(Refused::Duplicate(taken))) => {
                    tracing::warn!("the demo API is not made: {}", taken.detail);
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            },
        };
        if key.echo.len() > 1 {
            key.echo = vec![self.echo.to_owned()];
            self.note(key)?;
        }
        Ok(Some(api))
    }

    async fn create_api(&self) -> Result<Outcome, CommandError> {
        let description = "Demo: sends back every message. Made by tidegate serve --demo.".to_owned();
        let endpoints = Endpoints { production: Some(Endpoint::new(self.echo)), sandbox: None };
        let plans = PLANS.map(str::to_owned).to_vec();
        let design = Design { description, endpoints, plans, ..Design::default() };
        let id = ApiId::new(self.start.clock.now(), self.start.entropy.id_bytes());
        let (name, context, version) = (NAME.to_owned(), CONTEXT.to_owned(), VERSION.to_owned());
        let create = CreateApi { id, name, context, version, design, publish: true, demo: true };
        self.execute(Command::CreateApi(create)).await
    }

    /// Points the working copy, and what is live, to the echo backend of this start where we set the address.
    async fn follow_echo(&self, mut api: Api, key: &DemoKey) -> Result<Api> {
        let echo = self.echo;
        let stray = |design: &Design| {
            let url = design.endpoints.production.as_ref().map(|endpoint| endpoint.url.clone());
            url.is_some_and(|url| url != echo && key.echo.contains(&url))
        };
        if api.state == State::Retired {
            return Ok(api);
        }
        if stray(&api.design) {
            let mut design = api.design.clone();
            if let Some(endpoint) = &mut design.endpoints.production {
                echo.clone_into(&mut endpoint.url);
            }
            let update = UpdateApi { id: api.id, based_on: None, design, is_default_version: None };
            if let Outcome::Api(updated) = self.execute(Command::UpdateApi(update)).await? {
                api = *updated;
            }
        }
        let now_live = |api: &Api| api.live.as_ref().is_some_and(|live| stray(&live.design));
        if now_live(&api) && !stray(&api.design) {
            self.execute(Command::DeployApi { id: api.id, based_on: None }).await?;
            tracing::info!(echo, "the demo API follows the echo backend");
        }
        Ok(api)
    }

    async fn application(&self, developer: &User) -> Result<Application> {
        let mut page = PageRequest { limit: 200, cursor: None };
        loop {
            let found = self.start.catalog.applications(Some(developer.id), &page).await?;
            if let Some(own) = found.items.into_iter().find(|application| application.demo) {
                return Ok(own);
            }
            let Some(next) = found.next else { break };
            page.cursor = Some(next);
        }
        let create = CreateApplication {
            id: ApplicationId::new(self.start.clock.now(), self.start.entropy.id_bytes()),
            name: APPLICATION.to_owned(),
            description: "Demo: what tidegate connect --demo presents itself as.".to_owned(),
            policy: DEFAULT_APPLICATION_POLICY.to_owned(),
            demo: true,
        };
        match self.execute_as(&Actor::person(developer), Command::CreateApplication(create)).await? {
            Outcome::Application(application) => Ok(application),
            _ => anyhow::bail!("making the demo application was answered with something else"),
        }
    }

    /// Makes the catalog's key the one that is on disk.
    async fn key(&self, application: &Application, key: &mut DemoKey) -> Result<()> {
        let keys = self.start.catalog.keys(application.id).await?;
        let production = keys.into_iter().find(|key| key.environment == Environment::Production);
        if let Some(existing) = production {
            if existing.client_id != key.client_id {
                key.client_id.clone_from(&existing.client_id);
                self.note(key)?;
            }
            if !secret::matches(&key.client_secret, &existing.secret_hash.0) {
                let replace = Command::ReplaceSecret {
                    application: application.id,
                    client_id: existing.client_id,
                    secret_hash: Secret(secret::hash(&key.client_secret)),
                };
                self.execute(replace).await?;
            }
            return Ok(());
        }
        let create = CreateKey {
            application: application.id,
            client_id: key.client_id.clone(),
            secret_hash: Secret(secret::hash(&key.client_secret)),
            environment: Environment::Production,
            grants: vec!["client_credentials".to_owned()],
            settings: ClientSettings::default(),
        };
        self.execute(Command::CreateKey(create)).await?;
        Ok(())
    }

    async fn subscription(&self, application: &Application, api: &Api, developer: &User) -> Result<()> {
        let query = SubscriptionQuery { application: Some(application.id), api: Some(api.id), owner: None };
        let existing = self.start.catalog.subscriptions(query, &PageRequest::default()).await?;
        if !existing.items.is_empty() {
            return Ok(());
        }
        let offered = api.live.as_ref().map_or(&api.design.plans, |live| &live.design.plans);
        let wanted = PLANS.iter().find(|plan| offered.iter().any(|offer| offer == **plan));
        let Some(plan) = wanted else { return Ok(()) };
        let create = CreateSubscription {
            id: SubscriptionId::new(self.start.clock.now(), self.start.entropy.id_bytes()),
            application: application.id,
            api: api.id,
            plan: (*plan).to_owned(),
        };
        let actor = Actor::person(developer);
        match self.execute_as(&actor, Command::CreateSubscription(create)).await {
            // A person moved the API on; the demo is theirs now.
            Err(CommandError::Refused(refused)) => {
                tracing::warn!("the demo application is not subscribed: {refused}");
                Ok(())
            }
            result => Ok(result.map(drop)?),
        }
    }

    async fn execute(&self, command: Command) -> Result<Outcome, CommandError> {
        self.execute_as(&Actor::product(), command).await
    }

    async fn execute_as(&self, actor: &Actor, command: Command) -> Result<Outcome, CommandError> {
        self.start.catalog.execute(actor, self.start.clock.now(), command).await
    }
}
