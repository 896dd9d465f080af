//! Why an endpoint has no good answer, and what it says instead.

use http::{HeaderValue, Response, StatusCode, header};
use micro_policy::oauth::{ErrorCode, Refused};
use micro_runtime::http::Body;
use serde_json::json;

/// No good answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Failure {
    /// The request is at fault.
    Refused(Refused),
    /// The caller must wait, for so many seconds.
    Throttled(u64),
    /// The store, or something else here, is at fault.
    Internal,
}

impl Failure {
    /// What the client is told.
    pub(super) fn told(&self) -> Refused {
        match self {
            Self::Refused(refused) => *refused,
            Self::Throttled(_) => {
                Refused::new(ErrorCode::TemporarilyUnavailable, "there were too many tries; wait a while")
            }
            Self::Internal => Refused::new(ErrorCode::ServerError, "something is wrong here"),
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Refused(refused) if refused.code == ErrorCode::InvalidClient => StatusCode::UNAUTHORIZED,
            Self::Refused(refused) if refused.code == ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Refused(_) => StatusCode::BAD_REQUEST,
            Self::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer of an endpoint for programs (RFC 6749 §5.2).
    pub(super) fn into_response(self) -> Response<Body> {
        let told = self.told();
        let mut response =
            answer(self.status(), &json!({ "error": told.code.as_str(), "error_description": told.why }));
        let headers = response.headers_mut();
        if told.code == ErrorCode::InvalidClient {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(r#"Basic realm="oauth""#));
        }
        if let Self::Throttled(seconds) = self {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// A JSON answer that nobody keeps (RFC 6749 §5.1).
pub(super) fn answer(status: StatusCode, json: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(json.to_string().into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<micro_store::Error> for Failure {
    fn from(error: micro_store::Error) -> Self {
        tracing::error!(error = %error, "the authorization server's store failed");
        Self::Internal
    }
}
