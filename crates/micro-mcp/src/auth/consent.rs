//! How the user says yes: a browser on this machine, or whatever the host has.

mod browser;
mod loopback;

use std::{fmt, sync::Arc, time::Duration};

use futures_core::future::BoxFuture;
use subtle::ConstantTimeEq;
use url::Url;

use self::loopback::Loopback;
use super::error::{Code, ConsentError, Document, Error};

/// How long a user may take, unless said otherwise.
const PATIENCE: Duration = Duration::from_secs(300);

type Callback = dyn Fn(Url) -> BoxFuture<'static, Result<Url, ConsentError>> + Send + Sync;
type Opener = dyn Fn(&Url) -> Result<(), ConsentError> + Send + Sync;

/// How a user is brought to the authorization server and back.
#[derive(Clone)]
pub struct Consent(Way);

#[derive(Clone)]
enum Way {
    /// A redirect to this machine is waited for, while a browser has the user.
    Loopback { open: Arc<Opener>, port: u16, patience: Duration },
    /// Somebody else has the user.
    Callback { redirect_uri: String, callback: Arc<Callback> },
}

impl Consent {
    /// Opens the user's browser and receives the redirect on a free port of 127.0.0.1 (RFC 8252 section 7.3).
    pub fn browser() -> Self {
        Self::opened_by(browser::open)
    }

    /// The same, with another way to show the user a URL: print it, send it to a phone. Only http and https URLs are
    /// given to it.
    ///
    /// ```
    /// use micro_mcp::auth::{Consent, OAuth};
    ///
    /// let consent = Consent::opened_by(|url| {
    ///     eprintln!("open this page to sign in: {url}");
    ///     Ok(())
    /// });
    /// let user = OAuth::for_user("https://mcp.example/mcp").consent(consent).build()?;
    /// # Ok::<(), micro_mcp::auth::Error>(())
    /// ```
    pub fn opened_by(open: impl Fn(&Url) -> Result<(), ConsentError> + Send + Sync + 'static) -> Self {
        Self(Way::Loopback { open: Arc::new(open), port: 0, patience: PATIENCE })
    }

    /// For hosts that receive redirects themselves: `callback` gets the URL the user must see and gives back the one
    /// the user was sent to, which begins with `redirect_uri`.
    pub fn callback<F>(redirect_uri: impl Into<String>, callback: impl Fn(Url) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Url, ConsentError>> + Send + 'static,
    {
        let callback = move |url| -> BoxFuture<'static, _> { Box::pin(callback(url)) };
        Self(Way::Callback { redirect_uri: redirect_uri.into(), callback: Arc::new(callback) })
    }

    /// Receives redirects on this port instead of a free one, for authorization servers that compare it.
    #[must_use]
    pub fn on_port(mut self, number: u16) -> Self {
        if let Way::Loopback { port, .. } = &mut self.0 {
            *port = number;
        }
        self
    }

    /// How long the user may take; five minutes if nothing is said. A callback minds its own time.
    #[must_use]
    pub fn patience(mut self, time: Duration) -> Self {
        if let Way::Loopback { patience, .. } = &mut self.0 {
            *patience = time;
        }
        self
    }

    /// Gets ready to receive one redirect.
    pub(crate) async fn prepare(&self) -> Result<Visit, ConsentError> {
        match &self.0 {
            Way::Loopback { open, port, patience } => {
                let loopback = Loopback::bind(*port).await?;
                Ok(Visit::Loopback { loopback, open: open.clone(), patience: *patience })
            }
            Way::Callback { redirect_uri, callback } => {
                Ok(Visit::Callback { redirect_uri: redirect_uri.clone(), callback: callback.clone() })
            }
        }
    }
}

impl fmt::Debug for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Way::Loopback { .. } => "Consent::Loopback",
            Way::Callback { .. } => "Consent::Callback",
        })
    }
}

/// One visit to the authorization server.
pub(crate) enum Visit {
    Loopback { loopback: Loopback, open: Arc<Opener>, patience: Duration },
    Callback { redirect_uri: String, callback: Arc<Callback> },
}

impl Visit {
    /// Where the user comes back to.
    pub(crate) fn redirect_uri(&self) -> &str {
        match self {
            Self::Loopback { loopback, .. } => loopback.uri(),
            Self::Callback { redirect_uri, .. } => redirect_uri,
        }
    }

    /// Sends the user and waits for the return. The URL is http or https.
    pub(crate) async fn go(self, url: Url, state: &str) -> Result<Redirect, Error> {
        match self {
            Self::Loopback { loopback, open, patience } => {
                open(&url)?;
                let wait = tokio::time::timeout(patience, loopback.receive(state));
                Ok(wait.await.map_err(|_| ConsentError::TimedOut)??)
            }
            Self::Callback { callback, .. } => {
                let redirect = Redirect::parse(&callback(url).await?);
                if redirect.is_for(state) { Ok(redirect) } else { Err(Error::WrongState) }
            }
        }
    }
}

/// What the authorization server gave the user to bring back.
#[derive(Default)]
pub(crate) struct Redirect {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

impl Redirect {
    /// Reads the query of the URL that the user was sent to.
    pub(crate) fn parse(url: &Url) -> Self {
        let mut redirect = Self::default();
        for (name, value) in url.query_pairs() {
            let field = match &*name {
                "code" => &mut redirect.code,
                "state" => &mut redirect.state,
                "iss" => &mut redirect.iss,
                "error" => &mut redirect.error,
                _ => continue,
            };
            *field = Some(value.into_owned());
        }
        redirect
    }

    /// Whether it belongs to the request with this state.
    pub(crate) fn is_for(&self, state: &str) -> bool {
        self.state.as_deref().is_some_and(|given| given.as_bytes().ct_eq(state.as_bytes()).into())
    }

    /// The code, if it comes from this issuer (RFC 9207: the strings are compared as they are, and nothing else in a
    /// redirect of another issuer is looked at).
    pub(crate) fn code(self, issuer: &str, iss_promised: bool) -> Result<String, Error> {
        match self.iss {
            Some(iss) if iss != issuer => return Err(Error::IssuerMismatch),
            None if iss_promised => return Err(Error::IssuerMismatch),
            _ => {}
        }
        match (self.error, self.code) {
            (Some(error), _) => Err(Error::Refused(Document::Authorization, Code::of(&error))),
            (None, Some(code)) => Ok(code),
            (None, None) => Err(Error::Malformed(Document::Authorization)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_counts_when_it_comes_from_the_issuer_that_was_asked() {
        // query, whether the issuer promised `iss` → outcome
        for (query, promised, expected) in [
            ("code=c", false, "c"),
            ("code=c", true, "the answer is of another authorization server than the one asked"),
            ("code=c&iss=https://as", true, "c"),
            ("code=c&iss=https://as", false, "c"),
            ("code=c&iss=https://as/", false, "the answer is of another authorization server than the one asked"),
            ("code=c&iss=HTTPS://as", true, "the answer is of another authorization server than the one asked"),
            (
                "error=access_denied&iss=https://evil",
                true,
                "the answer is of another authorization server than the one asked",
            ),
            ("error=access_denied", false, "the authorization endpoint refused: access_denied"),
            ("error=%3Cscript%3E&code=c", false, "the authorization endpoint refused: unknown_error"),
            ("", false, "the answer of the authorization endpoint is malformed"),
        ] {
            let url = Url::parse(&format!("http://127.0.0.1/callback?{query}")).unwrap();
            let outcome = Redirect::parse(&url).code("https://as", promised);
            assert_eq!(outcome.unwrap_or_else(|error| error.to_string()), expected, "{query} {promised}");
        }
    }

    #[test]
    fn a_state_must_be_there_and_the_same() {
        for (query, ok) in [("state=abc", true), ("state=abcd", false), ("state=", false), ("code=abc", false)] {
            let url = Url::parse(&format!("http://127.0.0.1/callback?{query}")).unwrap();
            assert_eq!(Redirect::parse(&url).is_for("abc"), ok, "{query}");
        }
    }

    #[tokio::test]
    async fn a_callbacks_redirect_with_another_state_is_refused() {
        let consent =
            Consent::callback("https://app/cb", |_| async { Ok(Url::parse("https://app/cb?code=c&state=x").unwrap()) });
        let visit = consent.prepare().await.unwrap();
        assert_eq!(visit.redirect_uri(), "https://app/cb");
        let outcome = visit.go(Url::parse("https://as/authorize").unwrap(), "y").await;
        assert!(matches!(outcome, Err(Error::WrongState)));
    }
}
