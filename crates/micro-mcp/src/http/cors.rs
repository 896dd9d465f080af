//! What browsers ask and are told, for pages of an origin that the guard has let in (Fetch standard,
//! "CORS protocol").

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use micro_runtime::http::Body;

use super::empty;

/// What an endpoint takes. `GET` and `DELETE` are for legacy sessions.
const METHODS: &str = "POST, GET, DELETE";
/// What a page may read beside the body.
const EXPOSED: HeaderValue = HeaderValue::from_static("Mcp-Session-Id, WWW-Authenticate, Retry-After");
/// How long a browser may go without asking again, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// The answer to the question that comes before a request. Mirrored arguments make header names that
/// nobody can list, so whatever an allowed page wants to send is allowed.
pub(super) fn preflight(asked: &HeaderMap) -> Response<Body> {
    let mut response = empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    if let Some(wanted) = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        headers.append(header::VARY, HeaderValue::from_static("Access-Control-Request-Headers"));
    }
    response
}

/// Lets pages of an origin read an answer. Cookies are not part of it: callers have tokens.
pub(super) fn let_read(response: &mut Response<Body>, origin: HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
}
