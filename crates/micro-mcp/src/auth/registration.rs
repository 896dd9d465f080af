//! How a client is known to an authorization server: registered before, by a URL, or by asking (RFC 7591).

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, StatusCode, header::AUTHORIZATION};
use serde::{Deserialize, Serialize};
use url::{Host, Url, form_urlencoded};

use super::{
    error::{Code, Document, Error},
    fetch::{Answer, Fetch},
    jwt::{SigningKey, now},
    metadata::ServerMetadata,
    secret::Secret,
};

/// A client that was registered by hand, or by whoever runs the authorization server.
#[derive(Clone)]
pub struct KnownClient {
    pub(crate) id: String,
    pub(crate) issuer: Option<String>,
    pub(crate) proof: Proof,
}

/// How a client shows that it is itself.
#[derive(Clone, Debug)]
pub(crate) enum Proof {
    None,
    Secret(Secret),
    Key(SigningKey),
}

impl KnownClient {
    /// A client without a secret: anybody can say to be it, and PKCE makes up for that.
    pub fn public(id: impl Into<String>) -> Self {
        Self { id: id.into(), issuer: None, proof: Proof::None }
    }

    /// A client with a secret, sent in the way the authorization server prefers.
    pub fn with_secret(id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        Self { id: id.into(), issuer: None, proof: Proof::Secret(secret.into()) }
    }

    /// A client that signs its requests (`private_key_jwt`, RFC 7523). The key is PEM: PKCS#8 with P-256 or P-384, or
    /// RSA.
    ///
    /// # Errors
    /// [`Error::Key`] when the key is none of these.
    pub fn with_key(id: impl Into<String>, pem: &str) -> Result<Self, Error> {
        Ok(Self { id: id.into(), issuer: None, proof: Proof::Key(SigningKey::from_pem(pem)?) })
    }

    /// Names the authorization server that knows this client; no other will hear of it. Without this, it is the first
    /// one that the MCP server names.
    #[must_use]
    pub fn at(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }
}

impl fmt::Debug for KnownClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownClient").field("id", &self.id).field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// What the client tells an authorization server that does not know it.
#[derive(Debug, Serialize)]
pub(crate) struct Request<'a> {
    pub(crate) client_name: &'a str,
    pub(crate) redirect_uris: [&'a str; 1],
    pub(crate) grant_types: [&'a str; 2],
    pub(crate) response_types: [&'a str; 1],
    pub(crate) token_endpoint_auth_method: &'a str,
    pub(crate) application_type: &'a str,
}

impl<'a> Request<'a> {
    pub(crate) fn new(client_name: &'a str, redirect_uri: &'a str, server: &ServerMetadata) -> Self {
        Self {
            client_name,
            redirect_uris: [redirect_uri],
            grant_types: ["authorization_code", "refresh_token"],
            response_types: ["code"],
            token_endpoint_auth_method: wanted_method(server),
            application_type: application_type(redirect_uri),
        }
    }
}

/// A secret in a program that users hold is none, so the client asks for none where it may.
fn wanted_method(server: &ServerMetadata) -> &'static str {
    let Some(methods) = &server.token_endpoint_auth_methods_supported else { return Method::Basic.as_str() };
    let order = [Method::None, Method::Basic, Method::Post];
    order.into_iter().map(Method::as_str).find(|method| methods.iter().any(|m| m == method)).unwrap_or("none")
}

/// A program on the user's machine is `native`, a site is `web` (OpenID registration section 2).
fn application_type(redirect_uri: &str) -> &'static str {
    let site = Url::parse(redirect_uri).is_ok_and(|url| {
        let host = url.host_str().unwrap_or_default();
        url.scheme() == "https" && !matches!(host, "localhost" | "127.0.0.1" | "[::1]")
    });
    if site { "web" } else { "native" }
}

/// What an authorization server knows a client by after it asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Registration {
    pub(crate) client_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_endpoint_auth_method: Option<String>,
    /// Seconds since 1970; 0 is never.
    #[serde(default)]
    pub(crate) client_secret_expires_at: u64,
    /// The redirect that was registered. Ours; an answer has a list instead.
    #[serde(default)]
    pub(crate) redirect_uri: String,
}

impl Registration {
    /// Whether it can be used for this redirect now.
    pub(crate) fn serves(&self, redirect_uri: &str) -> bool {
        (self.redirect_uri == redirect_uri || is_same_loopback(&self.redirect_uri, redirect_uri))
            && (self.client_secret_expires_at == 0 || self.client_secret_expires_at > now())
    }
}

/// Whether two redirects lead to the same loopback address: authorization servers allow any port there (RFC 8252
/// section 7.3). One that does not is noticed when the user does not come back.
fn is_same_loopback(one: &str, other: &str) -> bool {
    let without_port = |text: &str| {
        let mut url = Url::parse(text).ok().filter(|url| url.scheme() == "http")?;
        let loopback = match url.host()? {
            Host::Ipv4(ip) => ip.is_loopback(),
            Host::Ipv6(ip) => ip.is_loopback(),
            Host::Domain(_) => false,
        };
        url.set_port(None).ok()?;
        loopback.then_some(url)
    };
    without_port(one).is_some_and(|one| without_port(other) == Some(one))
}

/// Asks to be known (RFC 7591 section 3).
pub(crate) async fn register(fetch: &Fetch, endpoint: &str, request: &Request<'_>) -> Result<Registration, Error> {
    let url = fetch.url(Document::AuthorizationServer, endpoint)?;
    let body = serde_json::to_vec(request).map_err(|_| Error::Malformed(Document::Registration))?;
    let answer = fetch.json(Document::Registration, &url, body.into()).await?;
    if !matches!(answer.status, StatusCode::OK | StatusCode::CREATED) {
        return Err(refusal(Document::Registration, &answer));
    }
    let mut registration: Registration =
        serde_json::from_slice(&answer.body).map_err(|_| Error::Malformed(Document::Registration))?;
    registration.redirect_uri = request.redirect_uris[0].to_owned();
    Ok(registration)
}

/// What an endpoint's error answer means.
pub(crate) fn refusal(what: Document, answer: &Answer) -> Error {
    #[derive(Deserialize)]
    struct Body {
        error: String,
    }
    match serde_json::from_slice::<Body>(&answer.body) {
        Ok(body) => Error::Refused(what, Code::of(&body.error)),
        Err(_) => Error::Malformed(what),
    }
}

/// Ways of client authentication at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    None,
    Basic,
    Post,
    PrivateKeyJwt,
}

impl Method {
    fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }
}

/// A client as the token endpoint sees it.
#[derive(Debug, Clone)]
pub(crate) struct ClientAuth {
    pub(crate) id: String,
    proof: Proof,
    method: Method,
}

impl ClientAuth {
    /// The client that was registered beforehand.
    pub(crate) fn known(client: &KnownClient, server: &ServerMetadata) -> Result<Self, Error> {
        let method = choose(&client.proof, None, server)?;
        Ok(Self { id: client.id.clone(), proof: client.proof.clone(), method })
    }

    /// The client whose name is a URL.
    pub(crate) fn url(url: &Url) -> Self {
        Self { id: url.as_str().to_owned(), proof: Proof::None, method: Method::None }
    }

    /// The client that registered itself.
    pub(crate) fn registered(registration: Registration, server: &ServerMetadata) -> Result<Self, Error> {
        let proof = registration.client_secret.map_or(Proof::None, Proof::Secret);
        let method = choose(&proof, registration.token_endpoint_auth_method.as_deref(), server)?;
        Ok(Self { id: registration.client_id, proof, method })
    }

    /// Adds the client's name and proof to a token request. The audience of a signed proof is the issuer.
    pub(crate) fn apply(
        &self,
        issuer: &str,
        form: &mut Vec<(&'static str, String)>,
        headers: &mut HeaderMap,
    ) -> Result<(), Error> {
        match (self.method, &self.proof) {
            (Method::Basic, Proof::Secret(secret)) => {
                headers.insert(AUTHORIZATION, basic(&self.id, secret)?);
            }
            (Method::Post, Proof::Secret(secret)) => {
                form.push(("client_id", self.id.clone()));
                form.push(("client_secret", secret.expose().to_owned()));
            }
            (Method::PrivateKeyJwt, Proof::Key(key)) => {
                form.push(("client_id", self.id.clone()));
                let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                form.push(("client_assertion_type", kind.to_owned()));
                form.push(("client_assertion", key.assertion(&self.id, issuer)?));
            }
            _ => form.push(("client_id", self.id.clone())),
        }
        Ok(())
    }
}

/// Id and secret as RFC 6749 section 2.3.1 wants them: form-encoded first, then base64.
fn basic(id: &str, secret: &Secret) -> Result<HeaderValue, Error> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(id), encoded(secret.expose()));
    let mut value =
        HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).map_err(|_| Error::NoClientAuthentication)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The way this proof is shown: as registered, else the best that the server takes.
fn choose(proof: &Proof, registered: Option<&str>, server: &ServerMetadata) -> Result<Method, Error> {
    let usable: &[Method] = match proof {
        Proof::None => return Ok(Method::None),
        Proof::Secret(_) => &[Method::Basic, Method::Post, Method::None],
        Proof::Key(_) => &[Method::PrivateKeyJwt],
    };
    let supported = match (registered, &server.token_endpoint_auth_methods_supported) {
        (Some(method), _) => vec![method],
        (None, Some(methods)) => methods.iter().map(String::as_str).collect(),
        (None, None) => return Ok(usable[0]),
    };
    let fits = |method: &&Method| supported.contains(&method.as_str());
    usable.iter().find(fits).copied().ok_or(Error::NoClientAuthentication)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(methods: Option<&[&str]>) -> ServerMetadata {
        let mut server = ServerMetadata::fallback("https://as");
        server.token_endpoint_auth_methods_supported =
            methods.map(|methods| methods.iter().map(|method| (*method).to_owned()).collect());
        server
    }

    #[test]
    fn a_client_authenticates_as_registered_else_as_the_server_takes_it() {
        let secret = || Proof::Secret("s".into());
        let key = Proof::Key(SigningKey::from_pkcs8(&SigningKey::generate().unwrap()).unwrap());
        let (basic, post, none) = ("client_secret_basic", "client_secret_post", "none");
        for (proof, registered, supported, expected) in [
            (Proof::None, None, Some(vec![basic]), Some(Method::None)),
            (secret(), None, None, Some(Method::Basic)),
            (secret(), None, Some(vec![post, basic]), Some(Method::Basic)),
            (secret(), None, Some(vec![post]), Some(Method::Post)),
            (secret(), None, Some(vec![none]), Some(Method::None)),
            (secret(), Some(post), Some(vec![basic]), Some(Method::Post)),
            (secret(), Some("tls_client_auth"), None, None),
            (secret(), None, Some(vec!["private_key_jwt"]), None),
            (key.clone(), None, Some(vec![basic, "private_key_jwt"]), Some(Method::PrivateKeyJwt)),
            (key, None, Some(vec![basic]), None),
        ] {
            let chosen = choose(&proof, registered, &server(supported.as_deref())).ok();
            assert_eq!(chosen, expected, "{proof:?} {registered:?} {supported:?}");
        }
    }

    #[test]
    fn a_registration_serves_every_port_of_its_loopback_address() {
        let registered = "http://127.0.0.1:4000/callback";
        for (registered, redirect, serves) in [
            (registered, registered, true),
            (registered, "http://127.0.0.1:5000/callback", true),
            ("http://[::1]:4000/callback", "http://[::1]:5000/callback", true),
            (registered, "http://127.0.0.1:5000/other", false),
            (registered, "https://127.0.0.1:5000/callback", false),
            (registered, "http://[::1]:4000/callback", false),
            ("http://localhost:4000/cb", "http://localhost:5000/cb", false),
            ("https://app.example:1/cb", "https://app.example:2/cb", false),
            ("https://app.example/cb", "https://app.example/cb", true),
        ] {
            let json = serde_json::json!({ "client_id": "c", "redirect_uri": registered });
            let registration: Registration = serde_json::from_value(json).unwrap();
            assert_eq!(registration.serves(redirect), serves, "{registered} {redirect}");
        }
    }

    #[test]
    fn a_client_asks_for_no_secret_where_it_may() {
        for (methods, expected) in [
            (None, "client_secret_basic"),
            (Some(vec!["client_secret_post", "none"]), "none"),
            (Some(vec!["client_secret_post"]), "client_secret_post"),
        ] {
            assert_eq!(wanted_method(&server(methods.as_deref())), expected);
        }
        for (uri, expected) in [
            ("http://127.0.0.1:1/callback", "native"),
            ("https://localhost/callback", "native"),
            ("com.example.app:/callback", "native"),
            ("https://app.example/callback", "web"),
        ] {
            assert_eq!(application_type(uri), expected, "{uri}");
        }
    }

    #[test]
    fn ids_and_secrets_are_form_encoded_before_base64() {
        let value = basic("a:b", &"ü /".into()).unwrap();
        let plain = STANDARD.decode(value.to_str().unwrap().strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(String::from_utf8(plain).unwrap(), "a%3Ab:%C3%BC+%2F");
        assert!(value.is_sensitive());
    }

    #[test]
    fn debug_shows_no_secret() {
        let client = KnownClient::with_secret("id", "s3cret").at("https://as");
        let auth = ClientAuth::known(&client, &server(None)).unwrap();
        assert!(!format!("{client:?} {auth:?}").contains("s3cret"));
    }
}
