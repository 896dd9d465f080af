//! Who asks for tokens, and how it shows that it is itself (RFC 6749 §2).

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    error::{ErrorCode, Refused},
    params::Params,
    redirect::RedirectUri,
};
use crate::{Digest, Scopes};

/// A client that this server knows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its name in the protocol.
    pub id: String,
    /// Its name for users, as it says itself.
    pub name: String,
    /// Where its users may be sent back to.
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may ask with.
    pub grants: Vec<GrantType>,
    /// What is kept of its secret; a client without one is public.
    pub secret: Option<Digest>,
    /// What it can be granted at most; `None` sets no bound. A client that acts for itself has exactly these.
    pub scopes: Option<Scopes>,
}

/// What a token can be got with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum GrantType {
    /// A user's consent.
    #[serde(rename = "authorization_code")]
    AuthorizationCode,
    /// An earlier token.
    #[serde(rename = "refresh_token")]
    RefreshToken,
    /// The client's own secret.
    #[serde(rename = "client_credentials")]
    ClientCredentials,
    /// Somebody's token (RFC 8693).
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
}

impl GrantType {
    /// Each of them.
    pub const ALL: [Self; 4] =
        [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials, Self::TokenExchange];

    /// The value of `grant_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
        }
    }

    /// The grant of this name.
    ///
    /// # Errors
    /// `unsupported_grant_type` when there is none.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let unknown = Refused::new(ErrorCode::UnsupportedGrantType, "there is no such grant here");
        Self::ALL.into_iter().find(|grant| grant.as_str() == text).ok_or(unknown)
    }
}

/// Shows nothing of the secret: operators choose some that could be guessed.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.id).field("grants", &self.grants).finish_non_exhaustive()
    }
}

impl Client {
    /// Whether the client may use this grant.
    ///
    /// # Errors
    /// `unauthorized_client` when it may not.
    pub fn may(&self, grant: GrantType) -> Result<(), Refused> {
        let refused = Refused::new(ErrorCode::UnauthorizedClient, "the client may not use this grant");
        if self.grants.contains(&grant) { Ok(()) } else { Err(refused) }
    }

    /// Whether what was shown is this client's.
    ///
    /// # Errors
    /// `invalid_client` when the secret is missing, wrong, or shown by a client that has none.
    pub fn check(&self, presented: &Presented) -> Result<(), Refused> {
        let good = match (&self.secret, &presented.secret) {
            (None, None) => true,
            (Some(digest), Some(secret)) => digest.is_of(secret),
            _ => false,
        };
        if good { Ok(()) } else { Err(UNKNOWN) }
    }

    /// What the client gets of these scopes.
    pub fn bound(&self, scopes: Scopes) -> Scopes {
        match &self.scopes {
            None => scopes,
            Some(most) => scopes.shared_with(most),
        }
    }
}

/// No client of that name, or not itself: the same words for both.
pub const UNKNOWN: Refused =
    Refused::new(ErrorCode::InvalidClient, "the client is not known, or did not show that it is itself");

/// How a client may show that it is itself (`token_endpoint_auth_method`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// Not at all.
    None,
    /// With its secret in the `Authorization` header.
    Basic,
    /// With its secret in the form.
    Post,
}

impl ClientAuth {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::None, Self::Basic, Self::Post];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
        }
    }

    /// The method of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }
}

/// What a client shows of itself at the token endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct Presented {
    /// Its name.
    pub id: String,
    /// Its secret.
    pub secret: Option<String>,
}

impl Presented {
    /// Reads the `Authorization` header and the form; `None` when neither names a client.
    ///
    /// # Errors
    /// `invalid_request` when the client shows itself in two ways, `invalid_client` when the header makes no sense.
    pub fn read(params: &Params, authorization: Option<&str>) -> Result<Option<Self>, Refused> {
        let (id, secret) = (params.one("client_id")?, params.one("client_secret")?);
        let Some(header) = authorization else {
            return match (id, secret) {
                (Some(id), secret) => Ok(Some(Self { id: id.to_owned(), secret: secret.map(str::to_owned) })),
                (None, Some(_)) => Err(Refused::request("client_id is needed")),
                (None, None) => Ok(None),
            };
        };
        if secret.is_some() {
            return Err(Refused::request("the client shows itself in two ways"));
        }
        let shown = basic(header).ok_or(UNKNOWN)?;
        if id.is_some_and(|id| id != shown.id) {
            return Err(Refused::request("client_id names another client than the Authorization header"));
        }
        Ok(Some(shown))
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented").field("id", &self.id).finish_non_exhaustive()
    }
}

/// `Basic` with both parts form-encoded first (RFC 6749 §2.3.1). An empty secret is none.
fn basic(header: &str) -> Option<Presented> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > 8 * 1024 {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decoded = |part: &str| {
        let pair = format!("x={part}");
        let mut pairs = url::form_urlencoded::parse(pair.as_bytes());
        match (pairs.next(), pairs.next()) {
            (Some((_, value)), None) => Some(value.into_owned()),
            _ => None,
        }
    };
    Some(Presented { id: decoded(id)?, secret: Some(decoded(secret)?).filter(|secret| !secret.is_empty()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &str, header: Option<&str>) -> Result<Option<(String, Option<String>)>, ErrorCode> {
        let params = Params::parse(form.as_bytes()).unwrap();
        let header = header.map(|pair| format!("Basic {}", STANDARD.encode(pair)));
        match Presented::read(&params, header.as_deref()) {
            Ok(shown) => Ok(shown.map(|shown| (shown.id, shown.secret))),
            Err(refused) => Err(refused.code),
        }
    }

    #[test]
    fn a_client_shows_itself_in_one_way() {
        let shown = |id: &str, secret: Option<&str>| Ok(Some((id.to_owned(), secret.map(str::to_owned))));
        for (form, header, expected) in [
            ("", None, Ok(None)),
            ("client_id=a", None, shown("a", None)),
            ("client_id=a&client_secret=", None, shown("a", None)),
            ("client_id=a&client_secret=s", None, shown("a", Some("s"))),
            ("client_secret=s", None, Err(ErrorCode::InvalidRequest)),
            ("", Some("a:s"), shown("a", Some("s"))),
            ("", Some("a:"), shown("a", None)),
            ("", Some("a%3Ab:%C3%BC+%2F"), shown("a:b", Some("ü /"))),
            ("client_id=a", Some("a:s"), shown("a", Some("s"))),
            ("client_id=b", Some("a:s"), Err(ErrorCode::InvalidRequest)),
            ("client_id=a&client_secret=s", Some("a:s"), Err(ErrorCode::InvalidRequest)),
            ("", Some("a"), Err(ErrorCode::InvalidClient)),
            ("", Some("a&b:s"), Err(ErrorCode::InvalidClient)),
        ] {
            assert_eq!(read(form, header), expected, "{form} {header:?}");
        }
        let params = Params::parse(b"client_id=a").unwrap();
        for header in ["Basic ???", "Bearer abc", "Basic", ""] {
            assert_eq!(Presented::read(&params, Some(header)).unwrap_err().code, ErrorCode::InvalidClient, "{header}");
        }
    }

    #[test]
    fn a_secret_is_the_right_one_or_there_is_none() {
        let client = |secret: Option<&str>| Client {
            id: "a".into(),
            name: String::new(),
            redirect_uris: Vec::new(),
            grants: vec![GrantType::RefreshToken],
            secret: secret.map(Digest::of),
            scopes: None,
        };
        for (kept, shown, ok) in [
            (Some("s"), Some("s"), true),
            (Some("s"), Some("t"), false),
            (Some("s"), None, false),
            (None, None, true),
            (None, Some("s"), false),
        ] {
            let presented = Presented { id: "a".into(), secret: shown.map(str::to_owned) };
            assert_eq!(client(kept).check(&presented).is_ok(), ok, "{kept:?} {shown:?}");
            assert!(!format!("{:?}", Presented { id: "a".into(), secret: Some("s3cret".into()) }).contains("s3cret"));
        }
        assert!(client(None).may(GrantType::RefreshToken).is_ok());
        assert!(client(None).may(GrantType::ClientCredentials).is_err());
    }

    #[test]
    fn a_grant_is_known_by_its_name() {
        for grant in GrantType::ALL {
            assert_eq!(GrantType::parse(grant.as_str()), Ok(grant));
            assert_eq!(serde_json::to_value(grant).unwrap(), grant.as_str());
        }
        assert_eq!(GrantType::parse("password").unwrap_err().code, ErrorCode::UnsupportedGrantType);
    }
}
