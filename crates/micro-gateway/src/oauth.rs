//! The embedded authorization server (OAuth 2.1): its endpoints, and what they keep.
//!
//! What is decided is decided in `micro_policy::oauth`. Whatever is kept is in the store, so that any gateway that shares
//! it goes on where another left off.

mod authorize;
mod clients;
mod exchange;
mod failure;
mod inspect;
mod keys;
mod page;
mod provider;
mod records;
mod token;
mod users;

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use jiff::Timestamp;
use micro_policy::{
    Algorithm, Claims as ClaimNames, Identity, Issuer, Scopes,
    oauth::{Client, ErrorCode, GrantType, Params, Refused, Resources, ServerMetadata},
};
use micro_runtime::http::{Body, Peer, read_within};
use micro_store::{Location, Store};
use url::{Host, Url};

pub use self::users::{NewUser, Users};
use self::{clients::Clients, failure::Failure, failure::answer, keys::Keys, records::Records};
use crate::{AuthMode, Config, EmbeddedConfig, InvalidConfig, identity, pipeline::Pipeline};
pub use micro_policy::oauth::User;

/// Where the metadata is (RFC 8414 §3).
pub(crate) const METADATA: &str = "/.well-known/oauth-authorization-server";

/// How long a request's body may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// An authorization server.
pub(crate) struct Server {
    issuer: String,
    /// How its tokens are checked.
    trusted: Issuer,
    records: Records,
    users: Users,
    keys: Keys,
    clients: Clients,
    resources: Resources,
    settings: Arc<ArcSwap<Settings>>,
}

/// What the config says of the server that may change while it runs: `[gateway.auth.embedded]`.
pub(crate) struct Settings {
    /// Clients that are known beforehand, by id.
    clients: HashMap<String, Client>,
    /// Whether strangers may register clients.
    registration: bool,
    /// How long an access token is good, in seconds.
    access_lifetime: u64,
    /// How long a consent lasts, in seconds.
    refresh_lifetime: u64,
}

impl Settings {
    /// What a config says; none when the gateway is no authorization server.
    ///
    /// # Errors
    /// When a setting makes no sense.
    pub(crate) fn of(config: &Config, env: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, InvalidConfig> {
        if config.auth.mode != AuthMode::Embedded {
            return Ok(None);
        }
        if config.store == Location::Memory {
            let why = "users and clients must outlive the process: `sqlite:` and a file";
            return Err(InvalidConfig::Value { key: "store".to_owned(), why });
        }
        let config = &config.auth.embedded;
        config.check()?;
        let clients = config.clients(env)?.into_iter().map(|client| (client.id.clone(), client)).collect();
        let EmbeddedConfig { registration, access_lifetime, refresh_lifetime, .. } = *config;
        Ok(Some(Self { clients, registration, access_lifetime, refresh_lifetime }))
    }
}

impl Server {
    /// The server that a config describes; none when it describes none. `config.address` must be where the gateway
    /// listens.
    ///
    /// # Errors
    /// When a setting makes no sense.
    pub(crate) fn new(
        config: &Config,
        store: Store,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, InvalidConfig> {
        let (Some(url), Some(settings)) = (issuer(config)?, Settings::of(config, env)?) else { return Ok(None) };
        let settings = Arc::new(ArcSwap::from_pointee(settings));
        let issuer = url.origin().ascii_serialization();
        let records = Records::new(store.clone());
        let clients = Clients::new(records.clone(), settings.clone(), &url).map_err(|_| InvalidConfig::Value {
            key: "auth.mode".to_owned(),
            why: "documents of clients cannot be fetched: there is no TLS",
        })?;
        let others = ["", "/api"].map(|path| format!("{issuer}{path}"));
        let resources = Resources::new(&format!("{issuer}/mcp"), others);
        let trusted = Issuer {
            name: issuer.clone(),
            audience: resources.iter().map(str::to_owned).collect(),
            algorithms: vec![Algorithm::ES256],
            claims: ClaimNames::default(),
            skew: Duration::ZERO,
        };
        Ok(Some(Self {
            trusted,
            users: Users::new(store),
            keys: Keys::new(records.clone()),
            clients,
            resources,
            records,
            settings,
            issuer,
        }))
    }

    /// Goes by other settings from now on.
    pub(crate) fn replace(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    /// Its name.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether a path is one of this server's.
    pub(crate) fn owns(path: &str) -> bool {
        path == METADATA || path.starts_with("/oauth/")
    }

    /// Answers a request to one of its paths.
    pub(crate) async fn answer(&self, request: Request<Incoming>, pipeline: &Pipeline) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let (headers, query) = (&parts.headers, parts.uri.query().unwrap_or_default());
        let from = parts.extensions.get::<Peer>().map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0.ip());
        let known = ["authorize", "token", "register", "revoke", "introspect", "jwks"];
        let name = parts.uri.path().strip_prefix("/oauth/").unwrap_or_default();
        match (&parts.method, name) {
            (&Method::GET, "") if parts.uri.path() == METADATA => self.metadata(),
            (&Method::GET, "jwks") => self.jwks().await,
            (&Method::GET, "authorize") => self.show_consent(query, headers).await,
            (&Method::POST, "authorize" | "token" | "register" | "revoke" | "introspect") => {
                match read_within(body, Params::MAX_LEN, PATIENCE).await {
                    Ok(Some(body)) if name == "authorize" => self.take_consent(&body, headers, from, pipeline).await,
                    Ok(Some(body)) => self.post(name, &body, headers, from, pipeline).await,
                    Ok(None) => refused(StatusCode::PAYLOAD_TOO_LARGE, "the request is too long"),
                    Err(_) => refused(StatusCode::BAD_REQUEST, "the request broke off"),
                }
            }
            (_, name) if known.contains(&name) || parts.uri.path() == METADATA => {
                refused(StatusCode::METHOD_NOT_ALLOWED, "this path does not take that method")
            }
            _ => refused(StatusCode::NOT_FOUND, "nothing is here"),
        }
    }

    async fn post(
        &self,
        name: &str,
        body: &Bytes,
        headers: &HeaderMap,
        from: IpAddr,
        pipeline: &Pipeline,
    ) -> Response<Body> {
        let outcome = match name {
            "register" => self.register(body, from).await.map(|told| answer(StatusCode::CREATED, &told)),
            _ => self.asked(name, body, headers, pipeline).await,
        };
        outcome.unwrap_or_else(Failure::into_response)
    }

    async fn register(&self, body: &Bytes, from: IpAddr) -> Result<serde_json::Value, Failure> {
        if !self.settings.load().registration {
            return Err(Refused::new(ErrorCode::AccessDenied, "clients do not register themselves here").into());
        }
        self.clients.register(body, from).await
    }

    /// Requests of clients that show themselves.
    async fn asked(
        &self,
        name: &str,
        body: &Bytes,
        headers: &HeaderMap,
        pipeline: &Pipeline,
    ) -> Result<Response<Body>, Failure> {
        const UNNAMED: Refused = Refused::new(ErrorCode::InvalidClient, "the client must say who it is");
        let params = Params::parse(body)?;
        let authorization = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
        let client = self.clients.authenticate(&params, authorization).await?;
        let json = match name {
            "token" => match GrantType::parse(params.need("grant_type", "grant_type is needed")?)? {
                GrantType::TokenExchange => self.exchange(&params, client.as_ref(), pipeline).await?,
                grant => self.token(&params, grant, client.as_ref().ok_or(UNNAMED)?, pipeline).await?,
            },
            "introspect" => self.introspect(&params, client.as_ref().ok_or(UNNAMED)?, pipeline).await?,
            _ => {
                self.take_back(&params, client.as_ref(), pipeline).await?;
                serde_json::json!({})
            }
        };
        Ok(answer(StatusCode::OK, &json))
    }

    fn metadata(&self) -> Response<Body> {
        let metadata = ServerMetadata::new(&self.issuer, self.settings.load().registration);
        let mut response = Response::new(serde_json::to_vec(&metadata).unwrap_or_default().into());
        public(&mut response);
        response
    }

    async fn jwks(&self) -> Response<Body> {
        match self.keys.current().await {
            Ok(keys) => {
                let mut response = Response::new(keys.jwks.clone().into());
                public(&mut response);
                response
            }
            Err(failure) => failure.into_response(),
        }
    }
}

/// The name of the authorization server that a config describes, if it describes one: an origin that browsers trust.
///
/// # Errors
/// When it has no such name.
pub(crate) fn issuer(config: &Config) -> Result<Option<Url>, InvalidConfig> {
    if config.auth.mode != AuthMode::Embedded {
        return Ok(None);
    }
    let nameless = || InvalidConfig::Value {
        key: "url".to_owned(),
        why: "with the embedded authorization server it is `https://` and a host, or `http://` on loopback",
    };
    let own = format!("http://{}", config.address);
    let text = config.url.as_deref().unwrap_or(&own).trim_end_matches('/');
    let url = Url::parse(text).map_err(|_| nameless())?;
    let here = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let safe = url.scheme() == "https" || (url.scheme() == "http" && here);
    if safe && url.origin().ascii_serialization() == text { Ok(Some(url)) } else { Err(nameless()) }
}

/// What everybody may read, and keep for a while.
fn public(response: &mut Response<Body>) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
}

fn refused(status: StatusCode, why: &'static str) -> Response<Body> {
    let mut response = Failure::from(Refused::new(ErrorCode::InvalidRequest, why)).into_response();
    *response.status_mut() = status;
    response
}

/// Whom an address stands for when tries are counted: with IPv6 a whole network, which one host has to itself.
fn place(from: IpAddr) -> String {
    match from.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::")
        }
    }
}

/// What a user has to give: scopes of their own, and those that their roles come to.
fn scopes(user: &User, pipeline: &Pipeline) -> Scopes {
    let identity = Identity {
        scopes: Some(user.scopes.clone()),
        roles: user.roles.iter().cloned().collect(),
        ..Identity::named(user.name.clone(), user.owner().credential())
    };
    pipeline.identities.policies().access.roles.grant(identity).scopes.unwrap_or_default()
}

/// No token that this server gives is good for longer, whatever the config says.
const LONGEST: Duration = Duration::from_secs(25 * 3600);

/// Takes back everything that is named so, or below it.
async fn revoke(store: &Store, credential: &str) -> Result<(), Failure> {
    Ok(identity::revoke(store, credential, Timestamp::now(), Timestamp::now() + LONGEST).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_an_origin_that_a_browser_can_trust() {
        for (url, own, expected) in [
            (None, "127.0.0.1:8080", Some("http://127.0.0.1:8080/")),
            (None, "[::1]:8080", Some("http://[::1]:8080/")),
            (None, "0.0.0.0:8080", None),
            (Some("https://gateway.example/"), "0.0.0.0:8080", Some("https://gateway.example/")),
            (Some("https://gateway.example:8443"), "0.0.0.0:8080", Some("https://gateway.example:8443/")),
            (Some("http://localhost:8080"), "127.0.0.1:8080", Some("http://localhost:8080/")),
            (Some("http://gateway.example"), "0.0.0.0:8080", None),
            (Some("https://gateway.example/path"), "0.0.0.0:8080", None),
            (Some("https://user@gateway.example"), "0.0.0.0:8080", None),
            (Some("gateway.example"), "0.0.0.0:8080", None),
        ] {
            let mut config = Config { address: own.parse().unwrap(), url: url.map(str::to_owned), ..Config::default() };
            assert_eq!(issuer(&config), Ok(None));
            config.auth.mode = AuthMode::Embedded;
            let issuer = issuer(&config).ok().flatten();
            assert_eq!(issuer.as_ref().map(Url::as_str), expected, "{url:?} {own}");
        }
    }

    #[test]
    fn tries_are_counted_by_network() {
        for (from, expected) in [
            ("10.0.0.1", "10.0.0.1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ] {
            assert_eq!(place(from.parse().unwrap()), expected);
        }
    }
}
