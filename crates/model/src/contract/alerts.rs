//! Alerts: one of each threshold in a window, whatever is repeated, and read by those whom they concern.

use std::sync::Arc;

use super::*;
use crate::{
    alert::{
        Alert, AlertQuery, AlertSettings, AlertsOf, Watch, Watched,
        channel::{Channel, ChannelOf, DeliveryState, PAUSES_MILLIS, Target, Tried},
    },
    command::AlertCommand,
    fact::{Appended, Batch},
    holder::{BudgetKey, Holder},
    id::{BootId, ChannelId},
    limit::{Limit, Window},
    policy::Policy,
    snapshot::{ApiFacts, ApplicationFacts, Snapshot, SubscriptionFacts},
    usage::{Usage, Used},
};

const HOUR: i64 = 3_600_000;
const ALL: AlertQuery = AlertQuery { of: AlertsOf::Everyone, application: None, api: None };

/// An application that may send ten messages in each hour.
fn watched(application: ApplicationId, per: Window) -> Watched {
    let limit = Limit::messages(10, per);
    Watched {
        key: BudgetKey { holder: Holder::Application(application), shape: limit.shape() },
        limit,
        policy: Arc::new(Policy { name: "10".to_owned(), limits: vec![limit], ..Policy::default() }),
        application: Some(Arc::new(ApplicationFacts {
            id: application,
            name: "Shop".to_owned(),
            policy: "10".to_owned(),
            owner: None,
        })),
        api: None,
    }
}

fn some_application(number: u128) -> ApplicationId {
    ApplicationId(Uuid::from_u128(0xc0 + number))
}

/// Tells that so many units more were used in the window so many hours after the start.
async fn tell(port: &impl EventLog, number: u64, one: &Watched, hours: i64, units: u64) -> Appended {
    tell_of(port, (1, number), &[(one, units)], hours).await
}

async fn tell_of(
    port: &impl EventLog,
    (run, number): (u128, u64),
    told: &[(&Watched, u64)],
    hours: i64,
) -> Appended {
    let now = START.plus_millis(hours * HOUR + 5);
    let usage = told.iter().map(|(one, units)| {
        let used = Used::Calendar { window: one.limit.per.number(now), units: *units };
        Usage { key: one.key.clone(), used, at: now }
    });
    let boot = BootId(Uuid::from_u128(0xb007_0000 + run));
    let batch = Batch { boot, number, counts: Vec::new(), sessions: Vec::new(), usage: usage.collect() };
    // The clock of a gateway may be far ahead, and not that by which alerts are kept.
    let now = now.min(START.plus_millis(24 * HOUR));
    let watch = Watch { limits: told.iter().map(|(one, _)| (*one).clone()).collect(), now };
    port.append_watched(&batch, &watch).await.unwrap()
}

async fn alerts(port: &impl Catalog, query: &AlertQuery) -> Vec<Alert> {
    port.alerts(query, &PageRequest::default()).await.unwrap().items
}

fn thresholds(alerts: &[Alert]) -> Vec<u8> {
    let mut all: Vec<_> = alerts.iter().map(|alert| alert.threshold).collect();
    all.sort_unstable();
    all
}

pub async fn an_alert_is_made_once_for_each_threshold_of_a_window(ground: &impl Ground) {
    let port = ground.open().await;
    let one = watched(some_application(1), Window::Hour);
    tell(&port, 1, &one, 0, 7).await;
    assert_eq!(alerts(&port, &ALL).await, []);
    assert_eq!(tell(&port, 2, &one, 0, 1).await, Appended::Stored);
    assert_eq!(tell(&port, 2, &one, 0, 1).await, Appended::Repeated);
    // Another gateway tells of what it took: together it is nine of ten.
    tell_of(&port, (2, 1), &[(&one, 1)], 0).await;
    let made = alerts(&port, &ALL).await;
    assert_eq!(made.len(), 1, "{made:?}");
    let alert = &made[0];
    assert_eq!((alert.threshold, alert.used, &*alert.policy), (80, 8, "10"));
    assert_eq!(alert.key, one.key);
    assert_eq!(alert.renewed_at(), Window::Hour.begin(Window::Hour.number(START) + 1));
    tell(&port, 3, &one, 0, 3).await;
    tell(&port, 4, &one, 0, 100).await;
    assert_eq!(thresholds(&alerts(&port, &ALL).await), [80, 100]);
    // Whoever was at nothing and is beyond the limit is told of both, and the newest stands first.
    let other = watched(some_application(2), Window::Hour);
    tell(&port, 5, &other, 0, 10).await;
    let about = AlertQuery { application: Some(some_application(2)), ..ALL };
    assert_eq!(thresholds(&alerts(&port, &about).await), [80, 100]);
    let page = port.alerts(&ALL, &PageRequest { limit: 3, cursor: None }).await.unwrap();
    let rest = port.alerts(&ALL, &PageRequest { limit: 3, cursor: page.next }).await.unwrap();
    let ids: Vec<_> = page.items.iter().chain(&rest.items).map(|alert| alert.id).collect();
    assert!(ids.is_sorted_by(|earlier, later| earlier > later), "{ids:?}");
    assert_eq!((ids.len(), rest.next), (4, None));
}

pub async fn a_new_window_has_alerts_of_its_own(ground: &impl Ground) {
    let port = ground.open().await;
    let one = watched(some_application(1), Window::Hour);
    for (number, hour) in [(1, 0), (2, 1), (3, 1)] {
        tell(&port, number, &one, hour, 8).await;
    }
    let made = alerts(&port, &ALL).await;
    let windows: Vec<_> = made.iter().map(|alert| (alert.window, alert.threshold)).collect();
    let hour = Window::Hour.number(START);
    assert_eq!(made.len(), 3, "{made:?}");
    for expected in [(hour, 80), (hour + 1, 80), (hour + 1, 100)] {
        assert!(windows.contains(&expected), "{windows:?}");
    }
    // What is told late of the hour before belongs to no window that is counted, and a clock far ahead that was set right
    // again makes none twice.
    tell(&port, 4, &one, 24 * 400, 8).await;
    tell(&port, 5, &one, 1, 16).await;
    let made = alerts(&port, &ALL).await;
    assert_eq!(made.len(), 4, "{made:?}");
}

pub async fn settings_say_which_alerts_are_made(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    assert_eq!(stage.port.alert_settings().await.unwrap(), AlertSettings::default());
    let change = |based_on, thresholds: &[u8], windows: &[Window]| {
        Command::Alert(AlertCommand::ChangeSettings {
            based_on,
            thresholds: thresholds.to_vec(),
            windows: windows.to_vec(),
        })
    };
    let ada = stage.user("ada", Role::Publisher).await;
    assert!(matches!(
        stage.execute(&ada, change(None, &[50], &[Window::Hour])).await,
        Err(Refused::Forbidden(_))
    ));
    let six = [1, 2, 3, 4, 5, 6];
    for (thresholds, window) in
        [(&six[..], Window::Hour), (&[0], Window::Hour), (&[101], Window::Hour), (&[50], Window::Second)]
    {
        let refused = stage.execute(&Actor::product(), change(None, thresholds, &[window])).await;
        assert!(matches!(refused, Err(Refused::Invalid(_))), "{thresholds:?}");
    }
    let stale = stage.execute(&Actor::product(), change(Some(7), &[50], &[])).await;
    assert!(matches!(stale, Err(Refused::Stale { current: 1 })), "{stale:?}");
    stage.done(change(Some(1), &[90, 50, 90], &[Window::Day, Window::Minute])).await;
    let is = stage.port.alert_settings().await.unwrap();
    assert_eq!(
        is,
        AlertSettings { thresholds: vec![50, 90], windows: vec![Window::Minute, Window::Day], etag: 2 }
    );
    let [minute, hour] = [Window::Minute, Window::Hour].map(|per| watched(some_application(1), per));
    tell_of(&stage.port, (1, 1), &[(&minute, 5), (&hour, 10)], 0).await;
    let made = alerts(&stage.port, &ALL).await;
    assert_eq!(
        made.iter().map(|alert| (alert.limit.per, alert.threshold)).collect::<Vec<_>>(),
        [(Window::Minute, 50)]
    );
    // A threshold that is added below what was told of already is told in the next window.
    stage.done(change(None, &[20, 50], &[Window::Minute])).await;
    tell(&stage.port, 2, &minute, 0, 1).await;
    assert_eq!(alerts(&stage.port, &ALL).await.len(), 1);
    stage.done(change(None, &[], &[Window::Minute])).await;
    tell(&stage.port, 3, &minute, 1, 10).await;
    assert_eq!(alerts(&stage.port, &ALL).await.len(), 1, "without a threshold there are no alerts");
}

pub async fn alerts_are_read_by_those_whom_they_concern(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let api = stage.published("Echo", "1.0").await;
    let [ada, bob] = [stage.user("ada", Role::Subscriber).await, stage.user("bob", Role::Subscriber).await];
    let [shop, mill] = [stage.application(&ada, "Shop").await, stage.application(&bob, "Mill").await];
    let subscription = stage.subscription(&bob, mill.id, api.id, "Gold").await;
    let limit = Limit::messages(10, Window::Day);
    let plan = Policy { name: "Gold".to_owned(), limits: vec![limit], ..Policy::default() };
    let snapshot = Snapshot::new(SnapshotParts {
        apis: vec![ApiFacts { api_policy: Some("Gold".to_owned()), ..api_facts(&api) }],
        applications: [&shop, &mill].map(application_facts).to_vec(),
        subscriptions: vec![SubscriptionFacts {
            id: subscription.id,
            application: mill.id,
            api: api.id,
            plan: "Gold".to_owned(),
        }],
        plans: vec![plan.clone()],
        application_policies: vec![Policy { name: "Unlimited".to_owned(), ..plan.clone() }],
        api_policies: vec![plan],
        ..SnapshotParts::default()
    });
    let of_mill = Holder::Subscription { id: subscription.id, application: mill.id, api: api.id };
    let holders = [Holder::Application(shop.id), of_mill, Holder::Api(api.id)];
    let told: Vec<_> = holders
        .into_iter()
        .map(|holder| Usage {
            key: BudgetKey { holder, shape: limit.shape() },
            used: Used::Calendar { window: Window::Day.number(START), units: 8 },
            at: START,
        })
        .collect();
    let watch = Watch { limits: crate::alert::watched(&snapshot, &told), now: START };
    assert_eq!(watch.limits.len(), 3);
    let boot = BootId(Uuid::from_u128(0xb007_0000));
    let batch = Batch { boot, number: 1, counts: Vec::new(), sessions: Vec::new(), usage: told };
    stage.port.append_watched(&batch, &watch).await.unwrap();
    let seen = async |of: AlertsOf, query: AlertQuery| {
        let found = alerts(&stage.port, &AlertQuery { of, ..query }).await;
        let mut levels: Vec<_> = found.iter().map(|alert| alert.level().as_str()).collect();
        levels.sort_unstable();
        levels
    };
    let person = |actor: &Actor, of_apis| AlertsOf::Person { owner: actor.user.unwrap(), of_apis };
    assert_eq!(seen(AlertsOf::Everyone, ALL).await, ["api", "application", "subscription"]);
    assert_eq!(seen(person(&ada, false), ALL).await, ["application"]);
    assert_eq!(seen(person(&bob, false), ALL).await, ["subscription"]);
    assert_eq!(seen(person(&ada, true), ALL).await, ["api", "application", "subscription"]);
    let of_api = AlertQuery { api: Some(api.id), ..ALL };
    assert_eq!(seen(AlertsOf::Everyone, of_api).await, ["api", "subscription"]);
    assert_eq!(seen(person(&ada, false), of_api).await, [""; 0]);
    let of_mill = AlertQuery { application: Some(mill.id), ..ALL };
    assert_eq!(seen(person(&bob, false), of_mill).await, ["subscription"]);
    assert_eq!(seen(person(&ada, false), of_mill).await, [""; 0]);
}

pub async fn an_alert_is_there_after_a_kill_and_is_made_no_second_time(ground: &impl Ground) {
    let port = ground.open().await;
    let one = watched(some_application(1), Window::Month);
    tell(&port, 1, &one, 0, 9).await;
    let killed = ground.open_as_after_a_kill().await;
    tell_of(&killed, (2, 1), &[(&one, 1)], 0).await;
    tell_of(&killed, (2, 2), &[(&one, 1)], 0).await;
    assert_eq!(thresholds(&alerts(&killed, &ALL).await), [80, 100]);
}

fn webhook(number: u128, of: ChannelOf) -> Channel {
    Channel {
        id: ChannelId(Uuid::from_u128(0xc4a0 + number)),
        of,
        target: Target::Webhook {
            url: "https://hooks.example.com/".to_owned(),
            secret: Secret("whsec_c2VjcmV0".to_owned()),
        },
        created_at: START,
        created_by: String::new(),
    }
}

fn created(channel: &Channel) -> Command {
    Command::Alert(AlertCommand::CreateChannel(Box::new(channel.clone())))
}

/// States and tries of what a channel was told.
async fn states(port: &impl Outbox, channel: ChannelId) -> Vec<(DeliveryState, u32, String)> {
    let found = port.deliveries(channel, &PageRequest::default()).await.unwrap().items;
    found.into_iter().map(|one| (one.state, one.tries, one.problem)).collect()
}

pub async fn what_is_to_be_told_waits_until_it_was_taken_also_over_a_kill(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let channel = webhook(1, ChannelOf::Everyone);
    stage.done(created(&channel)).await;
    let one = watched(some_application(1), Window::Hour);
    tell(&stage.port, 1, &one, 0, 8).await;
    tell(&stage.port, 1, &one, 0, 8).await;
    let made = START.plus_millis(5);
    assert_eq!(stage.port.due_channels(made.plus_millis(-1), 9).await.unwrap(), []);
    assert_eq!(stage.port.due_channels(made, 9).await.unwrap(), [channel.id]);
    let found = stage.port.due(channel.id, made).await.unwrap().unwrap();
    assert_eq!((found.alert.threshold, &found.channel.target), (80, &channel.target), "with its secret");
    let tried = |problem: Option<&str>| {
        let problem = problem.map(str::to_owned);
        let tried = Tried { channel: channel.id, alert: found.alert.id, problem };
        Command::Alert(AlertCommand::KeepTry(tried))
    };
    let stranger = stage.user("eve", Role::Publisher).await;
    assert!(stage.execute(&stranger, tried(None)).await.is_err());
    stage.execute_at(made, &Actor::product(), tried(Some(&"too long ".repeat(100)))).await.unwrap();
    let killed = ground.open_as_after_a_kill().await;
    let again = made.plus_millis(PAUSES_MILLIS[0]);
    assert_eq!(killed.due_channels(again.plus_millis(-1), 9).await.unwrap(), []);
    assert_eq!(killed.due_channels(again, 9).await.unwrap(), [channel.id]);
    assert_eq!(killed.due(channel.id, again).await.unwrap().unwrap().alert, found.alert);
    let (state, tries, problem) = states(&killed, channel.id).await.remove(0);
    assert_eq!((state, tries, problem.chars().count()), (DeliveryState::Waiting, 1, 200));
    let stage = Stage::on(killed);
    stage.done(tried(None)).await;
    assert_eq!(states(&stage.port, channel.id).await, [(DeliveryState::Delivered, 2, String::new())]);
    assert_eq!(stage.port.due_channels(made.plus_millis(24 * 40 * HOUR), 9).await.unwrap(), []);
}

pub async fn a_channel_ends_with_what_it_is_of_and_takes_along_what_it_was_to_tell(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let ada = stage.user("ada", Role::Subscriber).await;
    let shop = stage.application(&ada, "Shop").await;
    let [all, of_shop] = [webhook(1, ChannelOf::Everyone), webhook(2, ChannelOf::Application(shop.id))];
    assert!(matches!(stage.execute(&ada, created(&all)).await, Err(Refused::Forbidden(_))));
    stage.done(created(&all)).await;
    let twin = Channel { id: webhook(3, all.of).id, ..all.clone() };
    assert!(matches!(stage.execute(&Actor::product(), created(&twin)).await, Err(Refused::Duplicate(_))));
    stage.execute(&ada, created(&of_shop)).await.unwrap();
    tell(&stage.port, 1, &watched(shop.id, Window::Day), 0, 8).await;
    let due = async || {
        let mut due = stage.port.due_channels(START.plus_millis(HOUR), 9).await.unwrap();
        due.sort_unstable();
        due
    };
    assert_eq!(due().await, [all.id, of_shop.id]);
    stage.execute(&ada, Command::DeleteApplication { id: shop.id }).await.unwrap();
    assert_eq!(stage.port.channel(of_shop.id).await.unwrap(), None);
    assert_eq!(due().await, [all.id], "an alert outlives what it is about");
    let delete = Command::Alert(AlertCommand::DeleteChannel { id: all.id });
    assert!(matches!(stage.execute(&ada, delete.clone()).await, Err(Refused::NotFound(_))));
    stage.done(delete).await;
    assert_eq!(due().await, []);
    assert_eq!(alerts(&stage.port, &ALL).await.len(), 1);
}

fn api_facts(api: &Api) -> ApiFacts {
    ApiFacts {
        id: api.id,
        name: api.name.clone(),
        context: api.context.clone(),
        version: api.version.clone(),
        state: api.state,
        is_default_version: api.is_default_version,
        revision: 1,
        endpoints: Endpoints::default(),
        protocol: crate::protocol::Protocol::default(),
        notice: None,
        headers: crate::headers::HeaderRules::default(),
        mappings: Vec::new(),
        topics: crate::topic::Topics::default(),
        scopes: Vec::new(),
        security: crate::security::Security::default(),
        issuers: crate::issuer::AcceptedIssuers::default(),
        api_policy: None,
    }
}

fn application_facts(application: &Application) -> ApplicationFacts {
    ApplicationFacts {
        id: application.id,
        name: application.name.clone(),
        policy: application.policy.clone(),
        owner: application.owner,
    }
}
