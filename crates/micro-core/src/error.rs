//! The one error of services and of the calls between them.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// `Result` with Micro's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed: an HTTP-like code, a short text for the caller, and the service it came from.
///
/// On the wire it is go-micro's `{"id","code","detail","status"}`. Any standard error converts into
/// an internal error with `?`; its text stays on this side (it is kept as [`Error::source`] for the
/// logs) and the caller reads only "internal error". For that reason this type does not itself
/// implement [`std::error::Error`]; use [`Error::into_std`] where a library wants one.
#[derive(Clone, Serialize, Deserialize)]
pub struct Error {
    /// The service that failed, empty when it is the caller's own side.
    #[serde(default)]
    pub id: String,
    /// HTTP status code that says the same.
    pub code: u16,
    /// What the caller may read.
    #[serde(default)]
    pub detail: String,
    /// The code in words.
    #[serde(default)]
    pub status: String,
    #[serde(skip)]
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal $text:literal;)*) => {
        impl Error {
            $($(#[$doc])* pub fn $name(detail: impl Into<String>) -> Self { Self::new($code, detail) })*
        }
        fn status_text(code: u16) -> &'static str {
            match code { $($code => $text,)* _ => "Error" }
        }
    };
}

kinds! {
    /// 400: the request is malformed or its values make no sense.
    bad_request = 400 "Bad Request";
    /// 401: the caller did not say who it is.
    unauthorized = 401 "Unauthorized";
    /// 403: the caller may not do this.
    forbidden = 403 "Forbidden";
    /// 404: no such thing.
    not_found = 404 "Not Found";
    /// 408: the deadline passed.
    timeout = 408 "Request Timeout";
    /// 409: the state of the thing forbids it.
    conflict = 409 "Conflict";
    /// 413: the body is larger than allowed.
    too_large = 413 "Payload Too Large";
    /// 429: too many calls.
    too_many = 429 "Too Many Requests";
    /// 500: the service failed; the detail should not tell why.
    internal = 500 "Internal Server Error";
    /// 503: nobody can answer now.
    unavailable = 503 "Service Unavailable";
}

impl Error {
    /// An error with any HTTP status code.
    pub fn new(code: u16, detail: impl Into<String>) -> Self {
        Self { id: String::new(), code, detail: detail.into(), status: status_text(code).to_owned(), source: None }
    }

    /// Names the service that failed, unless one is named already.
    #[must_use]
    pub fn with_id(mut self, id: &str) -> Self {
        if self.id.is_empty() {
            id.clone_into(&mut self.id);
        }
        self
    }

    /// The code as the status of an HTTP response: 500 when it is none for an error.
    pub fn http_status(&self) -> u16 {
        if (400..600).contains(&self.code) { self.code } else { 500 }
    }

    /// Keeps the cause for the logs. It is never sent to the caller.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// The cause, for logs only.
    pub fn source(&self) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }

    /// The same error as a [`std::error::Error`].
    pub fn into_std(self) -> impl std::error::Error + Send + Sync + 'static {
        StdError(self)
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(source: E) -> Self {
        Self::internal("internal error").with_source(source)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.id.is_empty() {
            write!(f, "{}: ", self.id)?;
        }
        write!(f, "{} ({} {})", self.detail, self.code, self.status)
    }
}

/// Prints the whole chain, since this is what `main` shows when it returns an error.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = self.source.as_deref().map(|e| e as &dyn std::error::Error);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

struct StdError(Error);

impl fmt::Display for StdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for StdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::error::Error for StdError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|e| e as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_is_go_micros() {
        let error = Error::not_found("no user 7").with_id("users");
        let json = serde_json::to_string(&error).unwrap();
        assert_eq!(json, r#"{"id":"users","code":404,"detail":"no user 7","status":"Not Found"}"#);
    }

    #[test]
    fn a_foreign_error_hides_its_text_from_the_caller_but_not_from_the_logs() {
        let error: Error = std::io::Error::other("disk /secret is full").into();
        assert!(!serde_json::to_string(&error).unwrap().contains("secret"));
        assert!(!error.to_string().contains("secret"));
        assert!(format!("{error:?}").contains("disk /secret is full"));
    }
}
