//! Cut anywhere, finished by the next start; what people changed stays.

use std::os::unix::fs::PermissionsExt as _;

use tidegate_control::generate_password;
use tidegate_model::{lifecycle::State, port::ApiQuery};
use tidegate_oauth::secret;
use tidegate_store::SqliteCatalog;

use super::{demo::URL_PATH, *};
use crate::clock::{SystemClock, SystemEntropy};

struct Place {
    _temporary: tempfile::TempDir,
    folder: DataFolder,
    catalog: SqliteCatalog,
}

async fn place() -> Place {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = DataFolder::at(temporary.path());
    let catalog = SqliteCatalog::open(&folder.database()).await.expect("a new database");
    Place { _temporary: temporary, folder, catalog }
}

impl Place {
    async fn start(&self, chosen: Option<&str>, echo: Option<&str>) -> Result<()> {
        let (clock, entropy) = (SystemClock, SystemEntropy::default());
        let start =
            FirstStart { folder: &self.folder, catalog: &self.catalog, clock: &clock, entropy: &entropy };
        start.admin(chosen.map(|password| Secret(password.to_owned())).as_ref()).await?;
        match echo {
            Some(echo) => keep_up_demo(&start, echo).await,
            None => Ok(()),
        }
    }

    async fn demo_endpoints(&self) -> (State, String, String) {
        let page = PageRequest::default();
        let apis = self.catalog.apis(&ApiQuery::default(), &page).await.expect("readable").items;
        let [api] = &apis[..] else { panic!("there is one API, not {}", apis.len()) };
        let url = |design: &tidegate_model::api::Design| {
            design.endpoints.production.as_ref().expect("there is an endpoint").url.clone()
        };
        (api.state, url(&api.design), url(&api.live.as_ref().expect("it is live").design))
    }

    async fn signs_in(&self, name: &str, password: &str) -> bool {
        let account = self.catalog.account(name).await.expect("readable").expect("there is such a user");
        tidegate_control::password_matches(password, &account.password_hash.0)
    }

    fn record(&self) -> Record {
        Record::read(&self.folder).expect("readable")
    }
}

#[tokio::test]
async fn a_first_start_makes_users_whose_passwords_are_on_disk_for_the_owner_alone() {
    let place = place().await;
    place.start(None, Some("ws://localhost:1")).await.expect("it starts");
    let record = place.record();
    let names: Vec<_> = record.users.keys().map(String::as_str).collect();
    assert_eq!(names, ["admin", "creator", "developer", "publisher"]);
    let mode = fs::metadata(place.folder.first_start()).expect("written").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for (name, person) in &record.users {
        assert!(place.signs_in(name, person.password.as_deref().expect("generated")).await, "{name}");
    }
}

#[tokio::test]
async fn a_start_that_was_cut_is_finished_with_the_passwords_on_disk() {
    let place = place().await;
    let mut record = Record::default();
    let admin = Person { password: Some("noted-before-the-cut".into()), roles: vec![Role::Admin] };
    record.users.insert("admin".into(), admin);
    let mut random = |bytes: &mut [u8]| SystemEntropy::default().fill(bytes);
    let secret = secret::generate(secret::Kind::ClientSecret, &mut random);
    let key = DemoKey {
        client_id: "demo-noted".into(),
        client_secret: secret.clone(),
        url_path: URL_PATH.into(),
        echo: vec!["ws://localhost:1".into()],
    };
    record.demo = Some(key);
    record.write(&place.folder).expect("written");
    place.start(None, Some("ws://localhost:2")).await.expect("it starts");
    assert!(place.signs_in("admin", "noted-before-the-cut").await);
    let key = place.catalog.key("demo-noted").await.expect("readable").expect("made");
    assert!(secret::matches(&secret, &key.secret_hash.0));
    assert_eq!(place.record().demo.expect("noted").echo, ["ws://localhost:2"]);
}

#[tokio::test]
async fn an_administrator_who_was_deleted_does_not_come_back() {
    use tidegate_model::id::UserId;
    let place = place().await;
    place.start(None, None).await.expect("it starts");
    let (clock, entropy) = (SystemClock, SystemEntropy::default());
    let id = UserId::new(clock.now(), entropy.id_bytes());
    let ada = User::new(id, "ada".to_owned(), [Role::Admin].into(), clock.now());
    let made = Command::CreateUser(Account { user: ada, password_hash: Secret("hash".to_owned()) });
    let admin = place.catalog.account("admin").await.expect("readable").expect("made").user.id;
    let subject = [1; 8].into();
    let deleted = Command::DeleteUser { id: admin, based_on: None, heir: None, subject };
    for command in [made, deleted] {
        place.catalog.execute(&Actor::product(), clock.now(), command).await.expect("executed");
    }
    for chosen in [None, Some("chosen by the operator")] {
        place.start(chosen, None).await.expect("it starts");
        assert_eq!(place.catalog.account("admin").await.expect("readable"), None);
    }
    assert_eq!(place.record().users["admin"].password, None);
}

#[tokio::test]
async fn the_demo_follows_the_echo_backend_and_nothing_is_made_twice() {
    let place = place().await;
    for echo in ["ws://localhost:1", "ws://localhost:2", "ws://localhost:2"] {
        place.start(None, Some(echo)).await.expect("it starts");
        assert_eq!(place.demo_endpoints().await, (State::Published, echo.into(), echo.into()));
    }
}

#[tokio::test]
async fn a_demo_that_a_person_pointed_elsewhere_stays_there() {
    use tidegate_model::command::UpdateApi;
    let place = place().await;
    place.start(None, Some("ws://localhost:1")).await.expect("it starts");
    let page = PageRequest::default();
    let api = place.catalog.apis(&ApiQuery::default(), &page).await.expect("readable").items.remove(0);
    let mut design = api.design.clone();
    design.endpoints.production.as_mut().expect("there").url = "ws://mine".into();
    let update = UpdateApi { id: api.id, based_on: None, design, is_default_version: None };
    let actor = Actor::product();
    place.catalog.execute(&actor, SystemClock.now(), Command::UpdateApi(update)).await.expect("changed");
    place.start(None, Some("ws://localhost:2")).await.expect("it starts");
    assert_eq!(place.demo_endpoints().await.1, "ws://mine");
}

#[tokio::test]
async fn a_lost_record_gets_the_demo_a_new_secret() {
    let place = place().await;
    place.start(None, Some("ws://localhost:1")).await.expect("it starts");
    let before = place.record().demo.expect("noted");
    fs::remove_file(place.folder.first_start()).expect("there");
    place.start(None, Some("ws://localhost:1")).await.expect("it starts");
    let after = place.record().demo.expect("noted");
    assert_eq!(after.client_id, before.client_id);
    let key = place.catalog.key(&after.client_id).await.expect("readable").expect("there");
    assert!(secret::matches(&after.client_secret, &key.secret_hash.0));
    assert!(place.record().users.is_empty(), "users who exist keep passwords that nobody knows here");
}

#[tokio::test]
async fn a_chosen_password_is_not_written_and_holds_from_the_next_start() {
    let place = place().await;
    place.start(Some("first-choice"), None).await.expect("it starts");
    let text = fs::read_to_string(place.folder.first_start()).expect("written");
    assert!(!text.contains("first-choice"), "{text}");
    place.start(Some("second-choice"), None).await.expect("it starts");
    assert!(place.signs_in("admin", "second-choice").await);
}

#[test]
fn passwords_have_five_groups_and_differ() {
    let (one, other) =
        (generate_password(&SystemEntropy::default()), generate_password(&SystemEntropy::default()));
    assert_ne!(one, other);
    assert!(one.split('-').all(|group| group.len() == 4) && one.split('-').count() == 5, "{one}");
}
