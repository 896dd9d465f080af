//! The ways to a token, and the parameters each sends (RFC 6749, RFC 7523, RFC 8693, ID-JAG).

use std::{fmt, path::PathBuf, sync::Arc};

use futures_core::future::BoxFuture;
use serde::Deserialize;
use url::Url;

use super::{
    consent::Consent,
    discovery::{Found, authorization_server},
    error::{Document, Error},
    fetch::Fetch,
    registration::{ClientAuth, KnownClient, refusal},
    scopes::Scopes,
    secret::Secret,
    token::Endpoint,
};

/// Longest subject token that is read from a file, in bytes.
const MAX_SUBJECT_TOKEN: u64 = 64 * 1024;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_JAG: &str = "urn:ietf:params:oauth:token-type:id-jag";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// On whose behalf tokens are got.
#[derive(Debug)]
pub(crate) enum Grant {
    /// A user, who is asked (authorization code with PKCE).
    User(User),
    /// The client itself (client credentials).
    Machine(KnownClient),
    /// A workload with a token of its platform (JWT bearer).
    Workload(KnownClient, SubjectToken),
    /// A user whose company has decided already (ID-JAG).
    Enterprise(KnownClient, IdentityProvider),
}

impl Grant {
    /// The client that was registered beforehand, if there is one.
    pub(crate) fn known(&self) -> Option<&KnownClient> {
        match self {
            Self::User(user) => user.client.as_ref(),
            Self::Machine(client) | Self::Workload(client, _) | Self::Enterprise(client, _) => Some(client),
        }
    }
}

/// How a user is asked, and as whom the client asks.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) consent: Consent,
    /// The client's name, for people.
    pub(crate) name: String,
    pub(crate) client: Option<KnownClient>,
    /// Where the client's metadata document is.
    pub(crate) client_url: Option<Url>,
}

type Source = dyn Fn() -> BoxFuture<'static, Result<Secret, Error>> + Send + Sync;

/// Where a token that says who somebody is comes from. It is asked anew each time, since such tokens are short-lived.
#[derive(Clone)]
pub struct SubjectToken(Arc<Source>);

impl SubjectToken {
    /// Always this one.
    pub fn fixed(token: impl Into<Secret>) -> Self {
        let token = token.into();
        Self::from_fn(move || std::future::ready(Ok(token.clone())))
    }

    /// What a file holds at the time, as platforms mount it for workloads.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self::from_fn(move || read(path.clone()))
    }

    /// What a function gives.
    pub fn from_fn<F>(source: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Secret, Error>> + Send + 'static,
    {
        Self(Arc::new(move || -> BoxFuture<'static, _> { Box::pin(source()) }))
    }

    async fn get(&self) -> Result<Secret, Error> {
        (self.0)().await
    }
}

impl fmt::Debug for SubjectToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectToken(…)")
    }
}

async fn read(path: PathBuf) -> Result<Secret, Error> {
    use tokio::io::AsyncReadExt;
    let mut text = String::new();
    let file = tokio::fs::File::open(path).await.map_err(|_| Error::SubjectToken)?;
    file.take(MAX_SUBJECT_TOKEN).read_to_string(&mut text).await.map_err(|_| Error::SubjectToken)?;
    let token = text.trim();
    if token.is_empty() { Err(Error::SubjectToken) } else { Ok(token.into()) }
}

/// A company's identity provider, which says what its people may use (enterprise-managed authorization).
#[derive(Debug, Clone)]
pub struct IdentityProvider {
    issuer: String,
    client: KnownClient,
    id_token: SubjectToken,
}

impl IdentityProvider {
    /// The provider with this issuer, which knows the client as `client` and gave the user this ID token.
    pub fn new(issuer: impl Into<String>, client: KnownClient, id_token: SubjectToken) -> Self {
        Self { issuer: issuer.into(), client, id_token }
    }

    /// Exchanges the user's ID token for an assertion that the MCP server's authorization server takes (RFC 8693).
    async fn assertion(&self, fetch: &Fetch, found: &Found, scopes: Option<&Scopes>) -> Result<Secret, Error> {
        #[derive(Deserialize)]
        struct Exchanged {
            access_token: Secret,
            issued_token_type: String,
        }
        let malformed = Error::Malformed(Document::Token);
        // The provider was named by the client's owner, not by the server: it may be where the owner says.
        let url = Url::parse(&self.issuer).map_err(|_| Error::NoMetadata)?;
        let fetch =
            fetch.around(&url).map_err(|error| Error::Unreachable(Document::AuthorizationServer, Some(error)))?;
        let server = authorization_server(&fetch, &self.issuer, false).await?;
        let client = ClientAuth::known(&self.client, &server)?;
        let endpoint = Endpoint {
            fetch: &fetch,
            url: fetch.url(Document::AuthorizationServer, &server.token_endpoint)?,
            issuer: &self.issuer,
            client: &client,
            proofs: None,
        };
        let mut form = vec![
            ("grant_type", TOKEN_EXCHANGE.to_owned()),
            ("requested_token_type", ID_JAG.to_owned()),
            ("audience", found.server.issuer.clone()),
            ("resource", found.resource.clone()),
            ("subject_token", self.id_token.get().await?.expose().to_owned()),
            ("subject_token_type", ID_TOKEN.to_owned()),
        ];
        form.extend(scopes.map(|scopes| ("scope", scopes.to_string())));
        let answer = endpoint.ask(&form).await?;
        if answer.status != http::StatusCode::OK {
            return Err(refusal(Document::Token, &answer));
        }
        match serde_json::from_slice::<Exchanged>(&answer.body) {
            Ok(exchanged) if exchanged.issued_token_type == ID_JAG => Ok(exchanged.access_token),
            _ => Err(malformed),
        }
    }
}

/// The parameters of a token request that needs no user; `resource` and `scope` are the caller's.
pub(crate) async fn parameters(
    fetch: &Fetch,
    grant: &Grant,
    found: &Found,
    scopes: Option<&Scopes>,
) -> Result<Vec<(&'static str, String)>, Error> {
    let assertion = match grant {
        Grant::User(_) | Grant::Machine(_) => return Ok(vec![("grant_type", "client_credentials".to_owned())]),
        Grant::Workload(_, token) => token.get().await?,
        Grant::Enterprise(_, provider) => provider.assertion(fetch, found, scopes).await?,
    };
    Ok(vec![("grant_type", JWT_BEARER.to_owned()), ("assertion", assertion.expose().to_owned())])
}
