//! What a key's client is told to be, through REST.

use serde_json::json;

use super::client::{REDIRECT, Stage, form};

#[tokio::test]
async fn a_key_is_told_what_its_client_is_and_keeps_what_is_not_said() {
    let stage = Stage::new().await;
    let listed = stage.house.get(&stage.owner, &stage.keys).await.is(200).json();
    let key = &listed["items"][0];
    assert_eq!(
        (
            &key["client_type"],
            &key["token_format"],
            &key["access_token_seconds"],
            &key["refresh_token_seconds"]
        ),
        (&json!("confidential"), &json!("jwt"), &json!(3_600), &json!(86_400))
    );
    assert_eq!(key["redirect_uris"], json!([REDIRECT]));
    let changed =
        stage.update_key(json!({"access_token_seconds": 60, "token_format": "opaque"})).await.is(200).json();
    assert_eq!((&changed["access_token_seconds"], &changed["token_format"]), (&json!(60), &json!("opaque")));
    assert_eq!((&changed["redirect_uris"], &changed["grants"]), (&key["redirect_uris"], &key["grants"]));
    assert_eq!(stage.house.get(&stage.owner, &stage.keys).await.json()["items"][0], changed);
}

#[tokio::test]
async fn a_key_refuses_what_breaks_a_rule_and_names_the_field() {
    let stage = Stage::new().await;
    for (body, pointer) in [
        (json!({"client_type": "trusted"}), "/client_type"),
        (json!({"token_format": "paseto"}), "/token_format"),
        (json!({"grants": ["password"]}), "/grants/0"),
        (json!({"grants": ["implicit"]}), "/grants/0"),
        (json!({"grants": ["authorization_code"], "redirect_uris": []}), "/redirect_uris"),
        (json!({"redirect_uris": ["https://client.test/*#x"]}), "/redirect_uris/0"),
        (json!({"redirect_uris": [REDIRECT, "http://client.test/"]}), "/redirect_uris/1"),
        (json!({"redirect_uris": ["com.example.app:/cb"]}), "/redirect_uris/0"),
        (json!({"post_logout_redirect_uris": ["javascript:alert(1)"]}), "/post_logout_redirect_uris/0"),
        (json!({"client_type": "browser"}), "/grants/0"),
        (json!({"access_token_seconds": 59}), "/access_token_seconds"),
        (json!({"refresh_token_seconds": 10_000_000}), "/refresh_token_seconds"),
        (json!({"owner": "me"}), "/owner"),
    ] {
        let shown = body.to_string();
        let answer = stage.update_key(body).await.is(400).json();
        assert_eq!(answer["errors"][0]["pointer"], pointer, "{shown}");
    }
    let odd = json!({"type": "sandbox", "trusted": true});
    let answer = stage.house.post(&stage.owner, &stage.keys, odd).await.is(400).json();
    assert_eq!(answer["errors"][0]["pointer"], "/trusted");
    stage
        .house
        .call(
            &stage.ada,
            axum::http::Method::PATCH,
            &format!("{}/{}", stage.keys, stage.client.id),
            Some(json!({})),
        )
        .await
        .is(403);
}

#[tokio::test]
async fn a_client_that_becomes_public_loses_its_secret() {
    let stage = Stage::new().await;
    let grants = json!({"client_type": "native", "grants": ["authorization_code", "refresh_token"]});
    stage.update_key(grants).await.is(200);
    let code = stage.code("").await;
    stage.token(&form(&stage.redeeming(&code))).await.is(401);
    let path = format!("{}/{}/secret", stage.keys, stage.client.id);
    stage.house.post(&stage.owner, &path, json!({})).await.is(409);
    stage.update_key(json!({"client_type": "confidential"})).await.is(200);
    stage.token(&form(&stage.redeeming(&code))).await.is(401);
    stage.house.post(&stage.owner, &path, json!({})).await.is(200);
}
