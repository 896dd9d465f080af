//! How clients become known, and what those with a secret may do.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use super::browser::{App, REDIRECT, SECRET, Site, encoded};
use crate::fixture::{host, moved, ok, site};

/// A machine that the operator knows.
fn machine() -> App {
    App { id: "machine".into(), secret: Some(SECRET.into()) }
}

#[tokio::test]
async fn a_machine_gets_what_the_operator_gave_it_and_no_more() {
    let site = Site::start().await;
    let ask = async |pairs: &[(&str, &str)]| {
        let mut all = vec![("grant_type", "client_credentials")];
        all.extend(pairs);
        machine().post(&site, "token", &all).await
    };
    let answer = ask(&[]).await.json();
    assert_eq!(answer["scope"], "notes:read");
    assert!(answer.get("refresh_token").is_none());
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!((site.count(token).await, site.keep(token).await), (200, 403));
    assert_eq!(ask(&[("scope", "notes:write")]).await.json()["error"], "invalid_scope");
    assert_eq!(ask(&[("resource", "https://elsewhere.example/mcp")]).await.json()["error"], "invalid_target");
    assert_eq!(ask(&[("client_id", "machine")]).await.json()["error"], "invalid_request", "given twice");
    assert_eq!(
        machine().post(&site, "token", &[("grant_type", "refresh_token"), ("refresh_token", "mrt_a.b")]).await.json()["error"],
        "unauthorized_client"
    );
    for secret in [None, Some("wrong"), Some("")] {
        let app = App { id: "machine".into(), secret: secret.map(str::to_owned) };
        let answer = app.post(&site, "token", &[("grant_type", "client_credentials")]).await;
        assert_eq!((answer.status.as_u16(), answer.json()["error"].clone()), (401, "invalid_client".into()));
        assert!(answer.headers.contains_key("www-authenticate"));
    }
    let basic = format!("Basic {}", STANDARD.encode(format!("machine:{SECRET}")));
    let answer = site.form("/oauth/token", &[("authorization", &basic)], &[("grant_type", "client_credentials")]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn clients_of_the_config_come_and_go_while_the_gateway_runs_and_its_name_stays() {
    let site = Site::start().await;
    let reload = async |embedded: &str| {
        let (issuer, config) =
            ("https://elsewhere.example", format!("[auth]\nmode = 'on'\n[auth.embedded]\n{embedded}"));
        let config = toml::from_str(&format!("store = 'sqlite:elsewhere.db'\nurl = '{issuer}'\n{config}")).unwrap();
        site.gateway.handle.reload(&config).await
    };
    let ask = async |id: &str, secret: &str| {
        let app = App { id: id.into(), secret: Some(secret.into()) };
        app.post(&site, "token", &[("grant_type", "client_credentials")]).await
    };
    let client = "[[clients]]\nid = 'other'\nsecret = 'another-secret-of-his'\ngrants = ['client_credentials']\n";
    let client = client.replace("[[clients]]", "[[auth.embedded.clients]]");
    reload(&format!("registration = false\naccess_lifetime = 77\n{client}")).await.unwrap();
    assert_eq!(ask("machine", SECRET).await.status, 401, "it is not in the config any more");
    assert_eq!(ask("other", "another-secret-of-his").await.json()["expires_in"], 77);
    assert_eq!(super::browser::register(&site, json!({})).await.json()["error"], "access_denied");
    let bad = reload("access_lifetime = 0").await.unwrap_err();
    assert!(bad.to_string().contains("access_lifetime"), "{bad}");
    assert_eq!(ask("other", "another-secret-of-his").await.status, 200, "what held before goes on");
    // What needs a restart is not taken over by halves.
    let document = site.gateway.send("GET", "/.well-known/oauth-protected-resource/mcp", &[], "").await.json();
    assert_eq!(document["authorization_servers"], json!([site.issuer()]));
    assert_eq!(document["resource"], format!("{}/mcp", site.issuer()));
}

#[tokio::test]
async fn a_client_that_registers_itself_cannot_act_without_a_user() {
    let site = Site::start().await;
    let grants = json!({
        "grant_types": ["authorization_code", "client_credentials"],
        "token_endpoint_auth_method": "client_secret_post",
    });
    let app = App::register(&site, grants).await;
    assert!(app.secret.is_some());
    let answer = app.post(&site, "token", &[("grant_type", "client_credentials")]).await;
    assert_eq!(answer.json()["error"], "unauthorized_client");
    let closed = Site::with("registration = false").await;
    let answer = super::browser::register(&closed, json!({})).await;
    assert_eq!(answer.json()["error"], "access_denied");
    let metadata = closed.gateway.send("GET", "/.well-known/oauth-authorization-server", &[], "").await.json();
    assert!(metadata.get("registration_endpoint").is_none());
}

#[tokio::test]
async fn strangers_cannot_fill_the_store_with_clients() {
    let site = Site::start().await;
    let mut outcomes = Vec::new();
    for _ in 0..61 {
        outcomes.push(super::browser::register(&site, json!({})).await.status.as_u16());
    }
    assert_eq!((outcomes[59], outcomes[60]), (201, 429));
    let long = json!({ "client_name": "x".repeat(20_000) });
    assert_eq!(Site::start().await.register_status(long).await, 400);
}

impl Site {
    async fn register_status(&self, more: serde_json::Value) -> u16 {
        super::browser::register(self, more).await.status.as_u16()
    }
}

#[tokio::test]
async fn only_who_has_a_secret_is_told_what_a_token_is_good_for() {
    let site = Site::start().await;
    site.user("alice", "notes:write").await;
    let app = App::register(&site, json!({})).await;
    let tokens = app.sign_in(&site, "alice", "").await;
    for name in ["access_token", "refresh_token"] {
        let token = tokens[name].as_str().unwrap();
        let told = machine().post(&site, "introspect", &[("token", token)]).await.json();
        assert_eq!(
            (&told["active"], &told["sub"], &told["scope"]),
            (&true.into(), &"alice".into(), &"notes:write".into())
        );
        assert_eq!(app.post(&site, "introspect", &[("token", token)]).await.json()["error"], "unauthorized_client");
        assert_eq!(site.form("/oauth/introspect", &[], &[("token", token)]).await.status, 401);
        // Nor does anybody take back what is another's.
        assert_eq!(machine().post(&site, "revoke", &[("token", token)]).await.json()["error"], "invalid_grant");
    }
    for token in ["x", "a.b.c", "mrt_a.b"] {
        assert_eq!(machine().post(&site, "introspect", &[("token", token)]).await.json(), json!({ "active": false }));
        assert_eq!(app.post(&site, "revoke", &[("token", token)]).await.status, 200, "it is of no use already");
    }
    app.post(&site, "revoke", &[("token", tokens["refresh_token"].as_str().unwrap())]).await;
    let told = machine().post(&site, "introspect", &[("token", tokens["refresh_token"].as_str().unwrap())]).await;
    assert_eq!(told.json(), json!({ "active": false }));
}

/// A client's document at an address of this machine, and who asked for it. `{url}` in it is that address.
async fn published(document: Value) -> (String, UnboundedReceiver<String>) {
    let (origin, asked) = site(move |head| {
        let url = format!("http://{}/client.json", host(head));
        ok(&serde_json::from_str(&document.to_string().replace("{url}", &url)).unwrap())
    })
    .await;
    (format!("{origin}/client.json"), asked)
}

#[tokio::test]
async fn a_client_may_be_known_by_the_document_at_its_url() {
    let site = Site::start().await;
    site.user("alice", "notes:write").await;
    let document = json!({ "client_id": "{url}", "client_name": "Published", "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "refresh_token"] });
    let (url, mut asked) = published(document).await;
    let app = App { id: url, secret: None };
    let tokens = app.sign_in(&site, "alice", "").await;
    assert_eq!(site.keep(tokens["access_token"].as_str().unwrap()).await, 200);
    assert_eq!(app.refresh(&site, tokens["refresh_token"].as_str().unwrap()).await.status, 200);
    asked.try_recv().unwrap();
    asked.try_recv().expect_err("it is believed for a while");
}

#[tokio::test]
async fn a_document_for_somebody_else_or_nowhere_is_no_client() {
    let site = Site::start().await;
    let (lying, _) = published(json!({ "client_id": "https://app.example/c", "redirect_uris": [REDIRECT] })).await;
    let (secret, _) =
        published(json!({ "client_id": "{url}", "redirect_uris": [REDIRECT], "client_secret": "s" })).await;
    let (wrong, mut asked) = published(json!(["no client"])).await;
    for id in [lying.as_str(), &secret, &wrong, "http://app.example/c", "https://127.0.0.1:1/c"] {
        let answer = site.page(&App { id: id.into(), secret: None }.query("")).await;
        assert!(matches!(answer.status.as_u16(), 400 | 401), "{id}: {}", answer.text);
        assert!(!answer.headers.contains_key("location") && !answer.text.contains("<form"), "{id}");
    }
    for _ in 0..5 {
        site.page(&App { id: wrong.clone(), secret: None }.query("")).await;
    }
    asked.try_recv().unwrap();
    asked.try_recv().expect_err("nobody makes the gateway knock again and again");
}

#[tokio::test]
async fn a_client_cannot_make_the_gateway_ask_where_it_must_not() {
    let (bait, mut baited) = crate::fixture::site(|_| ok(&json!({}))).await;
    let port = bait.rsplit(':').next().unwrap();
    let elsewhere = bait.clone();
    let (moving, _) = crate::fixture::site(move |_| moved(&format!("{elsewhere}/client.json"))).await;
    let (here, public) = (Site::start().await, Site::at_url("https://gateway.example").await);
    // All of them lead to the same listener, for whoever asks them. Who is on this machine may name this machine.
    for (site, id, asked) in [
        (&here, format!("{bait}/client.json"), true),
        (&here, format!("{moving}/client.json"), false),
        (&here, format!("https://0.0.0.0:{port}/client.json"), false),
        (&here, format!("https://[::ffff:0:0]:{port}/client.json"), false),
        (&here, format!("https://app@127.0.0.1:{port}/client.json"), false),
        (&public, format!("{bait}/client.json"), false),
        (&public, format!("https://127.0.0.1:{port}/client.json"), false),
        (&public, format!("https://localhost:{port}/client.json"), false),
    ] {
        let answer = site.page(&App { id: id.clone(), secret: None }.query("")).await;
        assert!(matches!(answer.status.as_u16(), 400 | 401), "{id}: {}", answer.text);
        assert_eq!(baited.try_recv().is_ok(), asked, "{id}");
        while baited.try_recv().is_ok() {}
    }
}

#[tokio::test]
async fn requests_that_are_none_are_refused_in_the_words_of_the_rfcs() {
    let site = Site::start().await;
    let post = async |path: &str, body: &str| site.gateway.send("POST", path, &[], body).await;
    for (path, body, status, error) in [
        ("/oauth/token", "", 400, "invalid_request"),
        ("/oauth/token", "grant_type=password", 400, "unsupported_grant_type"),
        ("/oauth/token", "grant_type=refresh_token", 401, "invalid_client"),
        ("/oauth/token", "grant_type=refresh_token&client_id=nobody", 401, "invalid_client"),
        ("/oauth/token", "grant_type=a&grant_type=b", 400, "invalid_request"),
        ("/oauth/token", "client_id=%00", 400, "invalid_request"),
        ("/oauth/register", "{", 400, "invalid_client_metadata"),
        ("/oauth/elsewhere", "", 404, "invalid_request"),
        ("/oauth/jwks", "", 405, "invalid_request"),
    ] {
        let answer = post(path, body).await;
        assert_eq!((answer.status.as_u16(), answer.json()["error"].clone()), (status, error.into()), "{path} {body}");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
    let long = encoded(&[("x", &"y".repeat(70_000))]);
    assert_eq!(post("/oauth/token", &long).await.status, 413);
}
