//! The client signs in at a real OpenID provider, to a server of ours that takes its tokens only.

mod provider;
mod site;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use micro_mcp::{
    Key,
    auth::{Consent, ConsentError, Dpop, FileStore, KnownClient, OAuth},
    client::Client,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use self::{
    provider::{Provider, browse},
    site::Site,
};

async fn client(site: &Site, oauth: &OAuth) -> Client {
    Client::builder().credentials(oauth.clone()).connect(&site.url).await.expect("it connects")
}

async fn add(client: &Client) {
    let sum: Value = client.call("add").args(&json!({ "a": 1, "b": 2 })).json().await.expect("the call is let in");
    assert_eq!(sum, json!({ "sum": 3 }));
}

/// A user who agrees at once, and how often that was asked for.
fn agreeing() -> (Consent, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let consent = Consent::opened_by(move |url| {
        count.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(browse(url.clone()));
        Ok(())
    });
    (consent, asked)
}

#[tokio::test]
async fn a_user_is_asked_once_and_for_each_step_up() {
    let provider = Provider::start();
    let site = Site::start(&provider, false).await;
    let folder = tempfile::tempdir().unwrap();
    let (key, (consent, asked)) = (Key::random(), agreeing());
    let store = || FileStore::new(folder.path().join("credentials"), key.clone());
    let oauth = OAuth::for_user(&site.url).name("test").store(store()).consent(consent.clone()).build().unwrap();

    // Eight requests are refused at once; the user sees one page.
    let first = client(&site, &oauth).await;
    join_all((0..8).map(|_| add(&first))).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(provider.count("registration").await, 1);
    assert_eq!(provider.count("authorization_code").await, 1);

    // The token is revoked; eight requests get one new token, and the user is left alone.
    site.revoke();
    join_all((0..8).map(|_| add(&first))).await;
    assert_eq!(provider.count("refresh_token").await, 1);
    site.revoke();
    add(&first).await;
    assert_eq!(provider.count("refresh_token").await, 2, "the rotated refresh token was kept");
    assert_eq!(asked.load(Ordering::SeqCst), 1);

    // A tool wants a scope that the token has not: the user is asked for both.
    assert_eq!(site.last_scopes(), "mcp:read");
    first.call("anything").args(&json!({})).await.expect("after the step-up");
    assert_eq!(site.last_scopes(), "mcp:read mcp:write");
    assert_eq!(asked.load(Ordering::SeqCst), 2);

    // The next run finds it all in the file.
    let oauth = OAuth::for_user(&site.url).store(store()).consent(consent).build().unwrap();
    let again = client(&site, &oauth).await;
    again.call("anything").args(&json!({})).await.expect("with the kept token");
    site.revoke();
    add(&again).await;
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!(provider.count("refresh_token").await, 3);
}

#[tokio::test]
async fn a_sign_in_outlives_the_call_that_began_it() {
    let provider = Provider::start();
    let site = Site::start(&provider, false).await;
    let (tell, mut told) = mpsc::unbounded_channel();
    let consent = Consent::opened_by(move |url| tell.send(url.clone()).map_err(|_| ConsentError::NoBrowser));
    let oauth = OAuth::for_user(&site.url).consent(consent).build().unwrap();
    let begun = tokio::select! {
        _ = async { client(&site, &oauth).await.tools().await } => panic!("nobody has agreed"),
        url = told.recv() => url.unwrap(),
    };
    browse(begun).await;
    add(&client(&site, &oauth).await).await;
    assert!(told.try_recv().is_err(), "the user was asked once");
}

#[tokio::test]
async fn tokens_are_bound_to_the_clients_key_where_the_server_asks_for_it() {
    let provider = Provider::start();
    let site = Site::start(&provider, true).await;
    let (consent, asked) = agreeing();
    let oauth = OAuth::for_user(&site.url).consent(consent.clone()).build().unwrap();
    let client_ = client(&site, &oauth).await;
    add(&client_).await;
    site.revoke();
    add(&client_).await; // the refresh needs the same key
    assert_eq!(provider.count("refresh_token").await, 1);
    assert_eq!(asked.load(Ordering::SeqCst), 1);

    let plain = OAuth::for_user(&site.url).consent(consent).dpop(Dpop::Never).build().unwrap();
    let refused = Client::builder().credentials(plain).connect(&site.url).await;
    let refused = match refused {
        Ok(client) => client.tools().await.map(drop),
        Err(error) => Err(error),
    };
    assert!(refused.is_err(), "a plain token is not taken");
}

#[tokio::test]
async fn machines_show_a_secret_or_sign() {
    let provider = Provider::start();
    let site = Site::start(&provider, false).await;
    for known in [
        KnownClient::with_secret("with secret", "a secret: with/odd+signs"),
        KnownClient::with_key("with-key", &provider.key).unwrap().at(&provider.issuer),
    ] {
        let oauth = OAuth::for_machine(&site.url, known).scopes("mcp:write").build().unwrap();
        add(&client(&site, &oauth).await).await;
        assert_eq!(site.last_scopes(), "mcp:read mcp:write");
    }
    assert_eq!(provider.count("client_credentials").await, 2);

    let stranger = KnownClient::with_secret("with secret", "a secret: with/odd+signs").at("https://elsewhere.example");
    let oauth = OAuth::for_machine(&site.url, stranger).build().unwrap();
    let refused = Client::builder().credentials(oauth).connect(&site.url).await;
    let refused = match refused {
        Ok(client) => client.tools().await.map(drop),
        Err(error) => Err(error),
    };
    let text = refused.expect_err("the secret is another issuer's").to_string();
    assert!(text.contains("does not know this client") && !text.contains("odd"), "{text}");
    assert_eq!(provider.count("client_credentials").await, 2);
}
