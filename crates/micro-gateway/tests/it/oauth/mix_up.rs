//! Our client between two authorization servers, one of which is a thief (RFC 9207, OAuth 2.0 Security BCP §4.4).

use std::sync::{Arc, Mutex};

use micro_mcp::{
    Key,
    auth::{Consent, FileStore, OAuth},
    client::Client,
};
use serde_json::json;
use url::Url;

use super::browser::{PASSWORD, Page, Site, encoded, location, query};
use crate::fixture::{host, ok, site};

/// An MCP server with an authorization server of its own, and what it was asked. It makes tokens for any code.
async fn thief() -> (String, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    let (origin, _) = site(move |head| {
        seen.lock().unwrap().push(head.to_owned());
        let me = format!("http://{}", host(head));
        match head.split(' ').nth(1).unwrap_or_default() {
            "/.well-known/oauth-protected-resource/mcp" => {
                ok(&json!({ "resource": format!("{me}/mcp"), "authorization_servers": [me] }))
            }
            "/.well-known/oauth-authorization-server" => ok(&json!({
                "issuer": me,
                "authorization_endpoint": format!("{me}/authorize"),
                "token_endpoint": format!("{me}/token"),
                "registration_endpoint": format!("{me}/register"),
                "response_types_supported": ["code"],
                "code_challenge_methods_supported": ["S256"],
            })),
            "/register" => {
                let answer = ok(&json!({ "client_id": "any", "token_endpoint_auth_method": "none" }));
                answer.replacen("200 OK", "201 Created", 1)
            }
            "/token" => ok(&json!({ "access_token": "any", "token_type": "Bearer" })),
            _ => "HTTP/1.1 401 Unauthorized\r\nconnection: close\r\nwww-authenticate: Bearer\r\ncontent-length: 0\r\n\r\n"
                .to_owned(),
        }
    })
    .await;
    (origin, asked)
}

/// A user who agrees to whatever the honest server asks. A visit to the thief's page leads there too, with what the thief
/// makes of it: a request for the client that the honest server knows.
fn agreeing(honest: &Arc<Site>, client_id: &Arc<Mutex<Option<String>>>) -> Consent {
    let (honest, client_id) = (honest.clone(), client_id.clone());
    Consent::opened_by(move |url| {
        let (honest, url, client_id) = (honest.clone(), url.clone(), client_id.clone());
        tokio::spawn(async move {
            let asked = if url.as_str().starts_with(&honest.issuer()) {
                *client_id.lock().unwrap() = query(&url, "client_id");
                url.query().unwrap().to_owned()
            } else {
                let known = client_id.lock().unwrap().clone().expect("the client was at the honest server before");
                turned(&url, &known, &format!("{}/mcp", honest.issuer()))
            };
            let page = Page::of(&honest.page(&asked).await);
            let back = location(&page.send(&honest, "alice", PASSWORD, "allow").await);
            assert!(query(&back, "code").is_some(), "{back}");
            honest.visit(&back).await;
        });
        Ok(())
    })
}

/// The same request as another client's, for another resource.
fn turned(url: &Url, client_id: &str, resource: &str) -> String {
    let pairs: Vec<_> = url.query_pairs().collect();
    let pairs = pairs.iter().map(|(name, value)| match &**name {
        "client_id" => ("client_id", client_id),
        "resource" => ("resource", resource),
        _ => (&**name, &**value),
    });
    encoded(&pairs.collect::<Vec<_>>())
}

#[tokio::test]
async fn a_code_of_one_server_never_comes_to_another() {
    let honest = Arc::new(Site::start().await);
    honest.user("alice", "notes:write").await;
    let (thief, asked) = thief().await;
    let (folder, key, client_id) = (tempfile::tempdir().unwrap(), Key::random(), Arc::default());
    let connect = async |origin: &str| {
        let url = format!("{origin}/mcp");
        let consent = agreeing(&honest, &client_id);
        let store = FileStore::new(folder.path().join("credentials"), key.clone());
        let user = OAuth::for_user(&url).store(store).consent(consent).build().unwrap();
        let client = Client::builder().credentials(user).connect(&url).await?;
        client.tools().await.map(|tools| tools.len())
    };
    assert!(connect(&honest.issuer()).await.unwrap() > 0);
    let error = connect(&thief).await.unwrap_err();
    let said = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    let said: Vec<String> = said.map(ToString::to_string).collect();
    assert!(said.iter().any(|text| text.contains("another authorization server than the one asked")), "{said:?}");
    let asked = asked.lock().unwrap();
    assert!(asked.iter().any(|head| head.contains("/register ")), "the client went to the thief: {asked:?}");
    assert!(!asked.iter().any(|head| head.contains("/token ")), "the thief has the code: {asked:?}");
    // Nor does what the honest server gave.
    assert!(!asked.iter().any(|head| head.to_ascii_lowercase().contains("authorization:")), "{asked:?}");
}
