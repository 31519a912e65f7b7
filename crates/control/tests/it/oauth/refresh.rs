//! Refresh tokens: one winner, families that end together, and tokens that are given back.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};

use axum::http::Method;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tidegate_model::{
    command::{ChangeUser, Command},
    id::UserId,
    port::{Catalog as _, Clock as _},
    revocation::Revoked,
    role::Role,
    user::{Actor, Secret, UserState},
};
use tidegate_oauth::{mark, secret};

use crate::support::ORIGIN;

use super::client::{Stage, claims, form};

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_refresh_token_is_exchanged_once_for_the_next() {
    let stage = Stage::new().await;
    let first = stage.tokens("openid profile").await;
    stage.house.clock.0.fetch_add(100_000, Ordering::Relaxed);
    let next = stage.refresh(&text(&first, "refresh_token")).await.is(200).json();
    assert_ne!(
        (&next["refresh_token"], &next["access_token"]),
        (&first["refresh_token"], &first["access_token"])
    );
    let (before, after) = (claims(&text(&first, "id_token")), claims(&text(&next, "id_token")));
    assert_eq!((&before["sub"], &before["auth_time"]), (&after["sub"], &after["auth_time"]));
    assert_eq!(after.get("nonce"), None, "it belonged to the first");
    let access = claims(&text(&next, "access_token"));
    assert_eq!(access["grant_id"], claims(&text(&first, "access_token"))["grant_id"]);
    assert_eq!(access["scope"], "openid profile");
}

#[tokio::test]
async fn a_person_sees_what_they_allowed_and_withdraws_it() {
    const OWN: &str = "/api/v1/account/authorizations";
    let stage = Stage::new().await;
    let listed = async |person| stage.house.get(person, OWN).await.is(200).json()["items"].clone();
    assert_eq!(listed(&stage.ada).await, json!([]));
    let (one, two) = (stage.tokens("openid").await, stage.tokens("openid profile").await);
    let items = listed(&stage.ada).await;
    assert_eq!(
        items,
        json!([{
            "client_id": stage.client.id, "application": "Shop <b>", "owner": "dev", "scopes": ["openid", "profile"],
            "since": items[0]["since"], "last": items[0]["last"],
        }])
    );
    assert_eq!(listed(&stage.owner).await, json!([]), "one's own alone");
    let path = format!("{OWN}/{}", stage.client.id);
    stage.house.call(&stage.owner, Method::DELETE, &path, None).await.is(404);
    assert!(stage.is_active(&text(&one, "access_token")).await);
    stage.house.call(&stage.ada, Method::DELETE, &path, None).await.is(204);
    for tokens in [&one, &two] {
        assert!(!stage.is_active(&text(tokens, "access_token")).await);
        assert_eq!(
            stage.refresh(&text(tokens, "refresh_token")).await.is(400).json()["error"],
            "invalid_grant"
        );
    }
    assert_eq!(listed(&stage.ada).await, json!([]));
    stage.house.call(&stage.ada, Method::DELETE, &path, None).await.is(404);
    stage.authorize(&stage.ada, &form(&stage.asking("openid"))).await.is(200);
}

#[tokio::test]
async fn scopes_become_less_and_never_more() {
    let stage = Stage::new().await;
    let first = stage.tokens("openid").await;
    let ask = async |token: &str, scope: &str| {
        let mut pairs = stage.refreshing(token);
        pairs.push(("scope", scope));
        stage.token(&form(&pairs)).await
    };
    for wider in ["openid profile", "profile", "OPENID", "openid admin", "\"openid\""] {
        assert_eq!(
            ask(&text(&first, "refresh_token"), wider).await.is(400).json()["error"],
            "invalid_scope",
            "{wider}"
        );
    }
    let next = ask(&text(&first, "refresh_token"), " openid  openid ").await.is(200).json();
    assert_eq!(next["scope"], "openid");
    let two = stage.tokens("openid profile").await;
    let less = ask(&text(&two, "refresh_token"), "profile").await.is(200).json();
    assert_eq!((&less["scope"], less.get("id_token")), (&json!("profile"), None));
    let again = stage.refresh(&text(&less, "refresh_token")).await.is(200).json();
    assert_eq!(again["scope"], "openid profile", "the person allowed both");
}

#[tokio::test]
async fn a_token_that_comes_twice_ends_all_that_came_from_its_code() {
    let stage = Stage::new().await;
    let first = stage.tokens("openid").await;
    let second = stage.refresh(&text(&first, "refresh_token")).await.is(200).json();
    let third = stage.refresh(&text(&second, "refresh_token")).await.is(200).json();
    assert!(stage.is_active(&text(&third, "access_token")).await);
    let apart = stage.tokens("openid").await;
    let refused = stage.refresh(&text(&first, "refresh_token")).await.is(400).json();
    assert_eq!(refused["error"], "invalid_grant");
    for tokens in [&first, &second, &third] {
        assert_eq!(
            stage.refresh(&text(tokens, "refresh_token")).await.is(400).json()["error"],
            "invalid_grant"
        );
        assert!(!stage.is_active(&text(tokens, "access_token")).await);
        assert!(!stage.is_active(&text(tokens, "refresh_token")).await);
        stage.userinfo(&text(tokens, "access_token")).await.is(401);
    }
    assert!(stage.is_active(&text(&apart, "access_token")).await, "what came from another code goes on");
    stage.refresh(&text(&apart, "refresh_token")).await.is(200);
}

#[tokio::test]
async fn of_a_hundred_at_once_one_wins_and_the_family_has_ended() {
    let stage = Arc::new(Stage::new().await);
    let token = text(&stage.tokens("openid").await, "refresh_token");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (stage, token) = (Arc::clone(&stage), token.clone());
        tasks.spawn(async move { stage.refresh(&token).await });
    }
    let answers = tasks.join_all().await;
    let winners: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(winners.len(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        // On a busy machine a read may be told to come again; nobody but the winner may get tokens.
        assert!(answer.status == 503 || answer.json()["error"] == "invalid_grant", "{answer:?}");
    }
    let won = winners[0].json();
    assert_eq!(stage.refresh(&text(&won, "refresh_token")).await.is(400).json()["error"], "invalid_grant");
    assert!(!stage.is_active(&text(&won, "access_token")).await);
}

#[tokio::test]
async fn of_a_hundred_that_present_a_code_one_wins_and_its_tokens_have_ended() {
    let stage = Arc::new(Stage::new().await);
    let code = stage.code("openid").await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (stage, code) = (Arc::clone(&stage), code.clone());
        tasks.spawn(async move { stage.token(&form(&stage.redeeming(&code))).await });
    }
    let answers = tasks.join_all().await;
    let winners: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(winners.len(), 1);
    let won = winners[0].json();
    assert!(!stage.is_active(&text(&won, "access_token")).await);
    stage.refresh(&text(&won, "refresh_token")).await.is(400);
}

#[tokio::test]
async fn a_refresh_token_ends_with_its_time_and_its_authorization_with_its_own() {
    let stage = Stage::with(json!({"refresh_token_seconds": 300})).await;
    let mut tokens = stage.tokens("openid").await;
    let later = |millis: i64| stage.house.clock.0.fetch_add(millis, Ordering::Relaxed);
    later(299_999);
    tokens = stage.refresh(&text(&tokens, "refresh_token")).await.is(200).json();
    later(300_000);
    assert_eq!(stage.refresh(&text(&tokens, "refresh_token")).await.is(400).json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_client_gives_its_tokens_back() {
    for format in ["jwt", "opaque"] {
        let stage = Stage::with(json!({"token_format": format})).await;
        let revoke = async |token: &str, hint: &str| {
            let mut pairs = vec![("token", token), ("token_type_hint", hint)];
            pairs.extend(stage.client.proof());
            stage.post_form(None, "/oauth2/revoke", &form(&pairs)).await
        };
        let tokens = stage.tokens("openid").await;
        let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
        assert!(stage.is_active(&access).await && stage.is_active(&refresh).await);
        for unknown in ["x", "tgr_unknown", "a.b.c", &format!("{refresh}x"), &format!("{access}x")] {
            assert_eq!(revoke(unknown, "refresh_token").await.is(200).text, "");
        }
        assert!(stage.is_active(&access).await && stage.is_active(&refresh).await);
        revoke(&access, "nonsense").await.is(200);
        assert!(!stage.is_active(&access).await && stage.is_active(&refresh).await, "{format}");
        revoke(&access, "").await.is(200);
        let next = stage.refresh(&refresh).await.is(200).json();
        // The wrong hint.
        revoke(&text(&next, "refresh_token"), "access_token").await.is(200);
        assert!(!stage.is_active(&text(&next, "access_token")).await, "{format}");
        stage.refresh(&text(&next, "refresh_token")).await.is(400);
        // Gateways were told of the token, and then of all that came from the authorization.
        let told = stage.house.revoked.lock().await.iter().map(|it| it.what.word()).collect::<Vec<_>>();
        let (first, last) = (told.first(), told.last());
        assert_eq!((first, last), (Some(&"credential"), Some(&"grant")), "{format}: {told:?}");
    }
}

#[tokio::test]
async fn a_client_learns_nothing_of_anothers_tokens_and_ends_none() {
    let stage = Stage::with(json!({"token_format": "opaque"})).await;
    let tokens = stage.tokens("openid").await;
    let other = stage.other(json!({})).await;
    for kind in ["access_token", "refresh_token"] {
        let token = text(&tokens, kind);
        let mut pairs = vec![("token", token.as_str())];
        pairs.extend(other.proof());
        let told = stage.post_form(None, "/oauth2/introspect", &form(&pairs)).await.is(200).json();
        assert_eq!(told, json!({"active": false}), "{kind}");
        let refused = stage.post_form(None, "/oauth2/revoke", &form(&pairs)).await.is(400).json();
        assert_eq!(refused["error"], "invalid_request", "{kind}");
        assert!(stage.is_active(&token).await, "{kind}");
    }
}

#[tokio::test]
async fn introspection_says_what_a_token_stands_for() {
    for format in ["jwt", "opaque"] {
        let stage = Stage::with(json!({"token_format": format})).await;
        let tokens = stage.tokens("openid profile").await;
        let user = stage.house.get(&stage.ada, "/api/v1/session").await.json()["user"]["id"].clone();
        let told = stage.introspect(&text(&tokens, "access_token")).await;
        assert_eq!(
            (&told["active"], &told["sub"], &told["scope"]),
            (&json!(true), &user, &json!("openid profile"))
        );
        assert_eq!((&told["client_id"], &told["exp"]), (&json!(stage.client.id), &json!(1_800_003_600)));
        assert_eq!(text(&tokens, "access_token").starts_with("tga_"), format == "opaque");
        let info = stage.userinfo(&text(&tokens, "access_token")).await.is(200).json();
        assert_eq!(info["sub"], user, "{format}");
        stage.house.clock.0.fetch_add(3_600_000, Ordering::Relaxed);
        assert_eq!(stage.introspect(&text(&tokens, "access_token")).await, json!({"active": false}));
    }
}

#[tokio::test]
async fn what_a_client_may_do_ends_with_its_key_and_with_its_grants() {
    let stage = Stage::new().await;
    let tokens = stage.tokens("openid").await;
    let code = stage.code("openid").await;
    let refresh = text(&tokens, "refresh_token");
    stage.update_key(json!({"grants": ["client_credentials"]})).await.is(200);
    assert_eq!(stage.refresh(&refresh).await.is(400).json()["error"], "unauthorized_client");
    let redeemed = stage.token(&form(&stage.redeeming(&code))).await.is(400).json();
    assert_eq!(redeemed["error"], "unauthorized_client");
    let path = format!("{}/{}", stage.keys, stage.client.id);
    stage.house.call(&stage.owner, axum::http::Method::DELETE, &path, None).await.is(204);
    assert_eq!(stage.refresh(&refresh).await.is(401).json()["error"], "invalid_client");
    stage.userinfo(&text(&tokens, "access_token")).await.is(401);
}

#[tokio::test]
async fn opaque_tokens_say_nothing_and_differ() {
    let stage = Stage::with(json!({"token_format": "opaque"})).await;
    let mut seen = BTreeSet::new();
    for _ in 0..3 {
        let mut pairs = vec![("grant_type", "client_credentials")];
        pairs.extend(stage.client.proof());
        let answer = stage.token(&form(&pairs)).await.is(200).json();
        assert_eq!(answer.get("refresh_token"), None, "a program asks again");
        let token = text(&answer, "access_token");
        assert!(token.starts_with("tga_") && !token.contains(&stage.client.id));
        assert_eq!(stage.introspect(&token).await["sub"], json!(stage.client.id));
        assert!(seen.insert(token));
    }
}

/// A program that asks for a token before each connection costs gateways one fact a token, whatever else they know.
#[tokio::test]
async fn two_hundred_opaque_tokens_are_two_hundred_facts_and_no_snapshot() {
    let stage = Stage::with(json!({"token_format": "opaque"})).await;
    let mut pairs = vec![("grant_type", "client_credentials")];
    pairs.extend(stage.client.proof());
    let asking = form(&pairs);
    let before = stage.house.snapshots.load(Ordering::Relaxed);
    for _ in 0..20 {
        for answer in join_all((0..10).map(|_| stage.token(&asking))).await {
            let token = text(&answer.is(200).json(), "access_token");
            let hash = Secret(secret::hash(&token));
            let told = stage.house.tokens.lock().await.iter().filter(|told| told.token_hash == hash).count();
            assert_eq!(told, 1, "the gateway knows it before its client does");
        }
    }
    let (snapshots, facts) =
        (stage.house.snapshots.load(Ordering::Relaxed), stage.house.tokens.lock().await.len());
    assert_eq!((snapshots - before, facts), (0, 200));
}

#[tokio::test]
async fn nothing_is_worth_anything_for_somebody_who_was_disabled() {
    let stage = Stage::new().await;
    let tokens = stage.tokens("openid").await;
    let code = stage.code("openid").await;
    let user = stage.house.get(&stage.ada, "/api/v1/session").await.json()["user"]["id"].clone();
    let id = UserId(user.as_str().unwrap().parse().unwrap());
    let found = stage.house.catalog.user(id).await.unwrap().unwrap();
    let (state, subject) = (UserState::Disabled, mark::subject(ORIGIN, &id.to_string()).into());
    let roles = found.roles.given().clone();
    let change = ChangeUser { id, based_on: None, roles, state, subject };
    let now = stage.house.clock.now();
    stage.house.catalog.execute(&Actor::product(), now, Command::ChangeUser(change)).await.unwrap();
    let redeemed = stage.token(&form(&stage.redeeming(&code))).await.is(400).json();
    assert_eq!(redeemed["error"], "invalid_grant");
    let renewed = stage.refresh(&text(&tokens, "refresh_token")).await.is(400).json();
    assert_eq!(renewed["error"], "invalid_grant");
    stage.userinfo(&text(&tokens, "access_token")).await.is(401);
    assert!(!stage.is_active(&text(&tokens, "access_token")).await);
    let sent = stage.authorize(&stage.ada, &form(&stage.asking("openid"))).await.is(303);
    assert!(sent.header("location").starts_with("/sign-in?to="));
}

#[tokio::test]
async fn gateways_are_told_of_whoever_is_disabled_or_deleted() {
    let stage = Stage::new().await;
    let admin = stage.house.person("admin", &[Role::Admin]).await;
    let token = text(&stage.tokens("openid").await, "access_token");
    let id = claims(&token)["sub"].as_str().unwrap().to_owned();
    let what = Revoked::Subject(mark::subject(ORIGIN, &id).into());
    let told =
        async || stage.house.revoked.lock().await.iter().filter(|revocation| revocation.what == what).count();
    stage.house.change_user(&admin, &id, &["subscriber"], "active").await.is(200);
    assert_eq!(told().await, 0, "who may go on is not told of");
    stage.house.change_user(&admin, &id, &["subscriber"], "disabled").await.is(200);
    assert_eq!(told().await, 1);
    stage.house.change_user(&admin, &id, &["subscriber"], "active").await.is(200);
    assert!(!stage.is_active(&token).await, "what ended does not come back");
    stage.house.call(&admin, Method::DELETE, &format!("/api/v1/users/{id}"), None).await.is(204);
    assert_eq!(told().await, 2);
}

#[tokio::test]
async fn an_opaque_token_is_worth_nothing_when_all_tokens_of_its_key_were_ended() {
    let stage = Stage::with(json!({"token_format": "opaque"})).await;
    let token = text(&stage.tokens("openid").await, "access_token");
    assert!(stage.is_active(&token).await);
    let tokens = format!("{}/{}/tokens", stage.keys, stage.client.id);
    stage.house.call(&stage.owner, Method::DELETE, &tokens, None).await.is(204);
    assert!(!stage.is_active(&token).await);
    stage.userinfo(&token).await.is(401);
}
