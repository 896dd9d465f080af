//! The embedded authorization server, as browsers, clients and thieves meet it.

mod attacks;
mod browser;
mod clients;
mod intents;
mod mix_up;

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use micro_mcp::{
    auth::{Consent, OAuth},
    client::Client,
};
use serde_json::{Value, json};

use self::browser::{App, PASSWORD, Page, Site, location};

#[tokio::test]
async fn a_client_finds_the_server_registers_asks_the_user_calls_refreshes_and_gives_back() {
    let site = Site::start().await;
    site.user("alice", "notes:write notes:read").await;
    let metadata = site.gateway.send("GET", "/.well-known/oauth-authorization-server", &[], "").await;
    let metadata = metadata.json();
    assert_eq!(metadata["issuer"], site.issuer());
    for endpoint in ["authorization_endpoint", "token_endpoint", "registration_endpoint", "jwks_uri"] {
        assert!(metadata[endpoint].as_str().unwrap().starts_with(&site.issuer()), "{metadata}");
    }

    let app = App::register(&site, json!({})).await;
    let code = app.consent(&site, "alice", "scope=notes:write").await;
    let tokens = app.redeem(&site, &code).await.json();
    assert_eq!((&tokens["token_type"], &tokens["scope"]), (&"Bearer".into(), &"notes:write".into()));
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(site.keep(access).await, 200);
    assert_eq!(site.count(access).await, 403, "it was not asked for");

    let refreshed = app.refresh(&site, tokens["refresh_token"].as_str().unwrap()).await.json();
    let access = refreshed["access_token"].as_str().unwrap();
    assert_eq!(site.keep(access).await, 200);
    let gone = app.post(&site, "revoke", &[("token", refreshed["refresh_token"].as_str().unwrap())]).await;
    assert_eq!(gone.status, 200);
    site.refused_soon(access).await;
    assert_eq!(app.refresh(&site, refreshed["refresh_token"].as_str().unwrap()).await.status, 400);
}

#[tokio::test]
async fn a_token_says_what_rfc_9068_wants_and_any_verifier_can_check_it() {
    let site = Site::start().await;
    site.user("alice", "notes:write").await;
    let app = App::register(&site, json!({})).await;
    let tokens = app.sign_in(&site, "alice", "").await;
    let access = tokens["access_token"].as_str().unwrap();
    let header = jsonwebtoken::decode_header(access).unwrap();
    assert_eq!((header.typ.as_deref(), header.alg), (Some("at+jwt"), jsonwebtoken::Algorithm::ES256));
    let jwks = site.gateway.send("GET", "/oauth/jwks", &[], "").await;
    let jwks: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&jwks.text).unwrap();
    let key = jwks.find(&header.kid.unwrap()).unwrap();
    assert!(!serde_json::to_string(key).unwrap().contains("\"d\""));
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
    rules.set_audience(&[format!("{}/mcp", site.issuer())]);
    rules.set_issuer(&[site.issuer()]);
    let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
    let claims = jsonwebtoken::decode::<Value>(access, &key, &rules).unwrap().claims;
    assert_eq!((&claims["sub"], &claims["client_id"]), (&"alice".into(), &app.id.as_str().into()));
    for claim in ["exp", "iat", "jti", "scope"] {
        assert!(!claims[claim].is_null(), "{claim} is missing in {claims}");
    }
}

#[tokio::test]
async fn gateways_that_share_a_store_take_each_others_tokens_and_users() {
    let site = Site::start().await;
    let other = site.replica().await;
    site.user("alice", "notes:write").await;
    let app = App::register(&site, json!({})).await;
    let code = app.consent(&site, "alice", "").await;
    let tokens = app.redeem(&other, &code).await.json();
    for site in [&site, &other] {
        assert_eq!(site.keep(tokens["access_token"].as_str().unwrap()).await, 200);
    }
    app.post(&site, "revoke", &[("token", tokens["access_token"].as_str().unwrap())]).await;
    other.refused_soon(tokens["access_token"].as_str().unwrap()).await;
    let refreshed = app.refresh(&site, tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refreshed.status, 400, "a refresh must not bring back what was revoked");
}

#[tokio::test]
async fn a_user_who_is_removed_is_gone_with_everything_given_in_their_name() {
    let site = Site::start().await;
    site.user("alice", "notes:write").await;
    let app = App::register(&site, json!({})).await;
    let tokens = app.sign_in(&site, "alice", "").await;
    assert!(site.users().remove("alice").await.unwrap());
    site.refused_soon(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(app.refresh(&site, tokens["refresh_token"].as_str().unwrap()).await.status, 400);
    assert!(!site.users().remove("alice").await.unwrap());

    site.user("alice", "notes:write").await;
    assert_eq!(site.users().list().await.unwrap().len(), 1);
    let old = app.refresh(&site, tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(old.status, 400, "the next of that name has agreed to nothing: {}", old.text);
    let again = app.sign_in(&site, "alice", "").await;
    assert_eq!(site.keep(again["access_token"].as_str().unwrap()).await, 200, "the next of that name is another");
}

#[tokio::test]
async fn an_embedder_takes_back_a_consent_an_intent_or_all_of_a_user() {
    let site = Site::start().await;
    site.user("alice", "notes:write").await;
    let app = App::register(&site, json!({})).await;
    let handle = site.gateway.handle.clone();
    let consent = |access: &str| {
        let payload = URL_SAFE_NO_PAD.decode(access.split('.').nth(1).unwrap()).unwrap();
        serde_json::from_slice::<Value>(&payload).unwrap()["sid"].as_str().unwrap().to_owned()
    };
    let user = site.users().list().await.unwrap()[0].owner().credential();
    for name in ["consent", "user"] {
        let (one, other) = (app.sign_in(&site, "alice", "").await, app.sign_in(&site, "alice", "").await);
        let access = |tokens: &Value| tokens["access_token"].as_str().unwrap().to_owned();
        let refresh = |tokens: &Value| tokens["refresh_token"].as_str().unwrap().to_owned();
        let named = if name == "consent" { consent(&access(&one)) } else { user.clone() };
        assert!(named.starts_with(&user), "{named}");
        assert!(handle.revoke(&named).await.unwrap());
        site.refused_soon(&access(&one)).await;
        match app.refresh(&site, &refresh(&one)).await {
            answer if name == "consent" => assert_eq!(answer.status, 400),
            answer => site.refused_soon(answer.json()["access_token"].as_str().unwrap()).await,
        }
        assert_eq!(site.keep(&access(&other)).await, if name == "consent" { 200 } else { 401 }, "{name}");
    }
    let intent = format!("{user}/consent/int_1");
    for (named, known) in [(&*intent, true), ("token/1/int_1", true), ("made-up", false), ("oauth", false), ("", false)]
    {
        assert_eq!(handle.revoke(named).await.unwrap(), known, "{named}");
    }
}

#[tokio::test]
async fn what_roles_come_to_is_the_users_to_give_and_a_consent_bounds_it() {
    let site = Site::with("[roles.writer]\nscopes = ['notes:write', 'notes:read']").await;
    site.user_in("alice", "", &["writer"]).await;
    let app = App::register(&site, json!({})).await;
    assert_eq!(app.sign_in(&site, "alice", "").await["scope"], "notes:read notes:write");
    let tokens = app.sign_in(&site, "alice", "scope=notes:read").await;
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!((site.count(access).await, site.keep(access).await), (200, 403));
    let refreshed = app.refresh(&site, tokens["refresh_token"].as_str().unwrap()).await.json();
    assert_eq!(refreshed["scope"], "notes:read");
}

#[tokio::test]
async fn without_a_credential_the_gateway_is_closed_and_makes_no_token_of_its_own() {
    let site = Site::start().await;
    assert_eq!(site.gateway.token, None);
    assert_eq!(site.keep("nothing").await, 401);
    let answer = site.gateway.modern("tools/list", json!({}), None).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn our_own_client_signs_in_by_itself() {
    let site = Arc::new(Site::start().await);
    site.user("alice", "notes:write").await;
    let browser = site.clone();
    let consent = Consent::opened_by(move |url| {
        let (site, query) = (browser.clone(), url.query().unwrap_or_default().to_owned());
        tokio::spawn(async move {
            let page = Page::of(&site.page(&query).await);
            let back = location(&page.send(&site, "alice", PASSWORD, "allow").await);
            site.visit(&back).await;
        });
        Ok(())
    });
    let url = format!("{}/mcp", site.issuer());
    let user = OAuth::for_user(&url).name("Notes").consent(consent).build().unwrap();
    let client = Client::builder().credentials(user).connect(&url).await.unwrap();
    let names: Vec<_> = client.tools().await.unwrap().iter().map(|tool| tool.name.to_string()).collect();
    assert!(names.contains(&"notes_Keep".to_owned()) && !names.contains(&"notes_Count".to_owned()), "{names:?}");
    let kept: Value = client.call("notes_Keep").args(&json!({ "text": "a" })).json().await.unwrap();
    assert_eq!(kept["text"], "a");
}
