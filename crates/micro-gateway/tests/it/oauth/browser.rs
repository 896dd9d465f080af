//! A gateway with users, a browser that does as it is told, and an app that asks.

use std::{path::PathBuf, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use micro_gateway::{NewUser, Users};
use micro_registry::MemoryRegistry;
use micro_store::Location;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::fixture::{Answer, Running, empty, serve, until};

pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const REDIRECT: &str = "http://127.0.0.1:4711/callback";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Of the client in the config.
pub(crate) const SECRET: &str = "a-secret-of-the-operator";

/// A gateway with an authorization server, and a store that outlives it.
pub(crate) struct Site {
    pub(crate) gateway: Running,
    store: PathBuf,
    issuer: String,
    folder: Arc<tempfile::TempDir>,
    registry: MemoryRegistry,
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::with("").await
    }

    /// Under another name than that of its socket, without services.
    pub(crate) async fn at_url(url: &str) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self::at(folder, MemoryRegistry::default(), &format!("url = '{url}'\n"), "").await
    }

    /// With more lines in `[auth.embedded]`.
    pub(crate) async fn with(more: &str) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let registry = MemoryRegistry::default();
        let site = Self::at(folder, registry.clone(), "", more).await;
        serve(&registry, "notes", site.gateway.drain.clone());
        until(&site.gateway.catalog, |tools| tools > 0).await;
        site
    }

    async fn at(folder: Arc<tempfile::TempDir>, registry: MemoryRegistry, top: &str, more: &str) -> Self {
        let store = folder.path().join("micro.db");
        let toml = format!(
            "{top}store = 'sqlite:{}'\n[auth]\nmode = 'embedded'\n[auth.embedded]\n{more}\n\
             [[auth.embedded.clients]]\nid = 'machine'\nsecret = '{SECRET}'\n\
             grants = ['client_credentials']\nscopes = ['notes:read']\n",
            store.display()
        );
        let gateway = empty(&toml, registry.clone()).await;
        let issuer = format!("http://{}", gateway.address);
        Self { gateway, store, issuer, folder, registry }
    }

    /// Another gateway that says to be the same, with the same store.
    pub(crate) async fn replica(&self) -> Self {
        let top = format!("url = '{}'\n", self.issuer);
        let other = Self::at(self.folder.clone(), self.registry.clone(), &top, "").await;
        until(&other.gateway.catalog, |tools| tools > 0).await;
        Self { issuer: self.issuer.clone(), ..other }
    }

    pub(crate) fn issuer(&self) -> String {
        self.issuer.clone()
    }

    pub(crate) fn users(&self) -> Users {
        Users::new(Location::Sqlite(self.store.clone()).open().unwrap())
    }

    pub(crate) async fn user(&self, name: &str, scopes: &str) {
        self.user_in(name, scopes, &[]).await;
    }

    pub(crate) async fn user_in(&self, name: &str, scopes: &str, roles: &[&str]) {
        let new = NewUser {
            name: name.into(),
            password: PASSWORD.into(),
            scopes: scopes.split_whitespace().collect(),
            roles: roles.iter().map(|&role| role.to_owned()).collect(),
            tenant: None,
        };
        self.users().add(new).await.unwrap();
    }

    async fn rest(&self, endpoint: &str, token: &str, body: &str) -> u16 {
        let bearer = format!("Bearer {token}");
        let path = format!("/api/notes/Notes.{endpoint}");
        self.gateway.send("POST", &path, &[("authorization", &bearer)], body).await.status.as_u16()
    }

    /// Calls the tool that writes.
    pub(crate) async fn keep(&self, token: &str) -> u16 {
        self.rest("Keep", token, r#"{"text":"a"}"#).await
    }

    /// Calls the tool that reads.
    pub(crate) async fn count(&self, token: &str) -> u16 {
        self.rest("Count", token, "").await
    }

    /// A revocation reaches every gateway within a second.
    pub(crate) async fn refused_soon(&self, token: &str) {
        let refused = async {
            while self.keep(token).await != 401 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(2), refused).await.expect("it is refused in time");
    }

    /// Goes where a redirect leads.
    pub(crate) async fn visit(&self, url: &Url) {
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        client.get(url.as_str().parse().unwrap()).await.unwrap();
    }

    pub(crate) async fn form(&self, path: &str, headers: &[(&str, &str)], pairs: &[(&str, &str)]) -> Answer {
        let body = encoded(pairs);
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend(headers);
        self.gateway.send("POST", path, &all, &body).await
    }

    /// Asks for the page.
    pub(crate) async fn page(&self, query: &str) -> Answer {
        self.gateway.send("GET", &format!("/oauth/authorize?{query}"), &[], "").await
    }
}

pub(crate) fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The page, as a browser has it.
pub(crate) struct Page {
    pub(crate) cookie: String,
    pub(crate) request: String,
    pub(crate) token: String,
}

impl Page {
    pub(crate) fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.text);
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
        Self {
            cookie: cookie.split(';').next().unwrap().to_owned(),
            request: field(&answer.text, "request"),
            token: field(&answer.text, "token"),
        }
    }

    /// Fills the form in and sends it.
    pub(crate) async fn send(&self, site: &Site, account: &str, password: &str, answer: &str) -> Answer {
        let fields = [
            ("request", self.request.as_str()),
            ("token", &self.token),
            ("account", account),
            ("password", password),
            ("answer", answer),
        ];
        site.form("/oauth/authorize", &[("cookie", &self.cookie)], &fields).await
    }
}

fn field(html: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let rest = &html[html.find(&start).unwrap_or_else(|| panic!("no {name} in {html}")) + start.len()..];
    rest[..rest.find('"').unwrap()].replace("&amp;", "&")
}

/// What the browser was told to go to.
pub(crate) fn location(answer: &Answer) -> Url {
    assert_eq!(answer.status, 303, "{}", answer.text);
    Url::parse(answer.headers["location"].to_str().unwrap()).unwrap()
}

pub(crate) fn query(url: &Url, name: &str) -> Option<String> {
    let mut values = url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let value = values.next();
    assert_eq!(values.next(), None, "{url}");
    value
}

/// A client.
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) secret: Option<String>,
}

impl App {
    /// Registers with these members more.
    pub(crate) async fn register(site: &Site, more: Value) -> Self {
        let answer = register(site, more).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let told = answer.json();
        let text = |name: &str| told[name].as_str().map(str::to_owned);
        Self { id: text("client_id").unwrap(), secret: text("client_secret") }
    }

    pub(crate) fn query(&self, more: &str) -> String {
        let pairs = [
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", REDIRECT),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("state", "a state"),
        ];
        format!("{}&{more}", encoded(&pairs))
    }

    /// The user says yes; the code.
    pub(crate) async fn consent(&self, site: &Site, account: &str, more: &str) -> String {
        let page = Page::of(&site.page(&self.query(more)).await);
        let url = location(&page.send(site, account, PASSWORD, "allow").await);
        assert!(url.as_str().starts_with(REDIRECT), "{url}");
        assert_eq!(query(&url, "state").as_deref(), Some("a state"));
        assert_eq!(query(&url, "iss"), Some(site.issuer()));
        query(&url, "code").unwrap_or_else(|| panic!("no code in {url}"))
    }

    pub(crate) async fn post(&self, site: &Site, endpoint: &str, pairs: &[(&str, &str)]) -> Answer {
        let mut all = vec![("client_id", self.id.as_str())];
        all.extend(self.secret.as_deref().map(|secret| ("client_secret", secret)));
        all.extend(pairs);
        site.form(&format!("/oauth/{endpoint}"), &[], &all).await
    }

    pub(crate) async fn redeem(&self, site: &Site, code: &str) -> Answer {
        self.redeem_with(site, code, VERIFIER, REDIRECT).await
    }

    pub(crate) async fn redeem_with(&self, site: &Site, code: &str, verifier: &str, redirect: &str) -> Answer {
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ];
        self.post(site, "token", &pairs).await
    }

    pub(crate) async fn refresh(&self, site: &Site, token: &str) -> Answer {
        self.post(site, "token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub(crate) async fn sign_in(&self, site: &Site, account: &str, more: &str) -> Value {
        let code = self.consent(site, account, more).await;
        let answer = self.redeem(site, &code).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.headers["cache-control"], "no-store");
        answer.json()
    }
}

pub(crate) async fn register(site: &Site, more: Value) -> Answer {
    let mut body = json!({
        "client_name": "Notes app",
        "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    site.gateway.send("POST", "/oauth/register", &[("content-type", "application/json")], &body.to_string()).await
}

/// A verifier that is another.
pub(crate) fn other_verifier() -> String {
    URL_SAFE_NO_PAD.encode([7; 32])
}
