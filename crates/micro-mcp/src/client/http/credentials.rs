//! Who the client says it is: the seam between HTTP and whatever gets tokens.

use std::{borrow::Cow, fmt};

use futures_core::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header::AUTHORIZATION};
use url::Url;

/// Gives each HTTP request its credentials, and reacts when they were not enough.
///
/// [`Bearer`] is the one that knows a token already. Implementations serve many requests at once and
/// never show secrets in `Debug` or errors.
///
/// ```
/// use futures_core::future::BoxFuture;
/// use http::{HeaderMap, HeaderValue, Method};
/// use micro_mcp::client::{AuthError, Client, Credentials, Refused, Retry};
/// use url::Url;
///
/// /// A key in a header of the company's own.
/// struct ApiKey(HeaderValue);
///
/// impl Credentials for ApiKey {
///     fn authorize<'a>(
///         &'a self,
///         headers: &'a mut HeaderMap,
///         _: &'a Url,
///         _: &'a Method,
///     ) -> BoxFuture<'a, Result<(), AuthError>> {
///         headers.insert("x-api-key", self.0.clone());
///         Box::pin(std::future::ready(Ok(())))
///     }
///
///     fn challenged<'a>(&'a self, _: Refused<'a>) -> BoxFuture<'a, Result<Retry, AuthError>> {
///         Box::pin(std::future::ready(Ok(Retry::No)))
///     }
/// }
/// # impl std::fmt::Debug for ApiKey {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("ApiKey(…)") }
/// # }
///
/// let client = Client::builder().credentials(ApiKey(HeaderValue::from_static("s3cret")));
/// ```
pub trait Credentials: fmt::Debug + Send + Sync + 'static {
    /// Adds what this request needs to its headers. Runs before every request, and anew before one
    /// that is sent again. The URL and the method are given because proofs of possession name them
    /// (RFC 9449).
    ///
    /// # Errors
    /// When there are no credentials to be had; the request is then not sent.
    fn authorize<'a>(
        &'a self,
        headers: &'a mut HeaderMap,
        url: &'a Url,
        method: &'a Method,
    ) -> BoxFuture<'a, Result<(), AuthError>>;

    /// The server answered 401 or 403. Implementations bound how often they say [`Retry::Again`]; the
    /// client bounds it too.
    ///
    /// # Errors
    /// When getting better credentials failed.
    fn challenged<'a>(&'a self, refused: Refused<'a>) -> BoxFuture<'a, Result<Retry, AuthError>>;

    /// The server answered something else; its headers may hold a new nonce (RFC 9449, section 8.2).
    fn answered(&self, url: &Url, headers: &HeaderMap) {
        let _ = (url, headers);
    }
}

/// A request that was turned away, and the answer.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a> {
    /// Where the request went.
    pub url: &'a Url,
    /// The request's headers as [`Credentials::authorize`] left them: of many requests that were refused at
    /// once, only those with the newest credentials are a reason to get others.
    pub sent: &'a HeaderMap,
    /// How often this very request had been sent again before; 0 the first time.
    pub attempt: u32,
    /// The answer's status, 401 or 403.
    pub status: StatusCode,
    /// The answer's headers, with its challenges.
    pub headers: &'a HeaderMap,
}

/// What to do with a request that was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Send it again: the next [`Credentials::authorize`] has something better.
    Again,
    /// The refusal is final.
    No,
}

/// Why there are no credentials. Carries no secrets.
#[derive(Debug, thiserror::Error)]
#[error("authorization failed: {message}")]
pub struct AuthError {
    message: Cow<'static, str>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl AuthError {
    /// An error with these words.
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), source: None }
    }

    /// The same error with what caused it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// A token that is known beforehand, sent as `Authorization: Bearer` (RFC 6750).
#[derive(Clone)]
pub struct Bearer(HeaderValue);

impl Bearer {
    /// Credentials of this token.
    ///
    /// # Errors
    /// When the token holds characters that no header can.
    pub fn new(token: &str) -> Result<Self, AuthError> {
        let value = HeaderValue::try_from(format!("Bearer {token}"));
        let mut value = value.map_err(|_| AuthError::new("the token is no header value"))?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(…)")
    }
}

impl Credentials for Bearer {
    fn authorize<'a>(
        &'a self,
        headers: &'a mut HeaderMap,
        _: &'a Url,
        _: &'a Method,
    ) -> BoxFuture<'a, Result<(), AuthError>> {
        headers.insert(AUTHORIZATION, self.0.clone());
        Box::pin(std::future::ready(Ok(())))
    }

    fn challenged<'a>(&'a self, _: Refused<'a>) -> BoxFuture<'a, Result<Retry, AuthError>> {
        Box::pin(std::future::ready(Ok(Retry::No)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_bearer_token_is_sent_and_never_shown() {
        let bearer = Bearer::new("s3cret").unwrap();
        let (url, mut headers) = (Url::parse("http://127.0.0.1/mcp").unwrap(), HeaderMap::new());
        bearer.authorize(&mut headers, &url, &Method::POST).await.unwrap();
        assert_eq!(headers[AUTHORIZATION], "Bearer s3cret");
        assert!(!format!("{bearer:?} {headers:?}").contains("s3cret"));
        assert!(Bearer::new("a\nb").is_err());
    }
}
