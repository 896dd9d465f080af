//! The wire between services: go-micro's HTTP form, and its curl-friendly twin.
//!
//! `POST /` with `Micro-Service` and `Micro-Endpoint` headers is answered 200 always, errors in
//! `Micro-Error`, since go-micro's client reads nothing else. `POST /Users.Get` without them gets the
//! HTTP status that says the same, and the error as a JSON body.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header, request::Parts};
use micro_core::{Context, Error, Metadata, header as micro};
use micro_runtime::http::Body;

use crate::{Outgoing, Reply, ndjson};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NDJSON: HeaderValue = HeaderValue::from_static(ndjson::CONTENT_TYPE);

/// Headers that belong to the connection or to HTTP itself, and credentials: a caller's token is
/// never passed on.
const NOT_METADATA: [&str; 14] = [
    "host",
    "connection",
    "content-length",
    "content-type",
    "transfer-encoding",
    "accept",
    "accept-encoding",
    "user-agent",
    "upgrade",
    "te",
    "expect",
    "authorization",
    "cookie",
    micro::TIMEOUT,
];

/// Whether a header field of this lower-case name is metadata.
fn is_metadata(name: &str) -> bool {
    !name.starts_with("micro-") && !NOT_METADATA.contains(&name)
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) endpoint: String,
    /// The caller reads `Micro-Error`.
    pub(crate) go_wire: bool,
}

/// Reads the endpoint from headers or path; with neither there is nothing to call.
pub(crate) fn target(parts: &Parts) -> Option<Target> {
    let text = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok());
    let named = [micro::ENDPOINT, micro::METHOD, "x-micro-endpoint", "x-micro-method"].into_iter().find_map(text);
    let go_wire = named.is_some();
    let endpoint = named.or_else(|| parts.uri.path().strip_prefix('/').filter(|p| !p.is_empty()))?;
    Some(Target { endpoint: endpoint.to_owned(), go_wire })
}

/// Reads metadata and deadline.
pub(crate) fn context(headers: &HeaderMap, now: Instant) -> Context {
    let metadata: Metadata = headers
        .iter()
        // An assertion is for this service: a call that it makes in turn must not bring it along.
        .filter(|(name, _)| is_metadata(name.as_str()) && *name != micro::ASSERTION)
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let timeout = headers.get(micro::TIMEOUT).and_then(|v| v.to_str().ok()?.parse().ok()).map(Duration::from_nanos);
    Context { metadata, deadline: timeout.and_then(|t| now.checked_add(t)) }
}

/// A reply on the wire.
pub(crate) fn response(reply: Result<Reply, Error>, go_wire: bool) -> Response<Body> {
    let (content_type, body) = match reply {
        Ok(Reply::Value(json)) => (JSON, json.into()),
        Ok(Reply::Stream(items)) => (NDJSON, ndjson::encode(items)),
        Err(error) => return failure(&error, go_wire),
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

fn failure(error: &Error, go_wire: bool) -> Response<Body> {
    let json = serde_json::to_string(error).expect("an error is plain JSON");
    let mut response = Response::new(Body::Empty);
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    if go_wire {
        // serde_json escapes control characters, so only non-ASCII text can be no header value.
        let value = HeaderValue::from_bytes(json.as_bytes()).unwrap_or(HeaderValue::from_static("internal error"));
        response.headers_mut().insert(HeaderName::from_static(micro::ERROR), value);
    } else {
        *response.status_mut() = StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.body_mut() = json.into();
    }
    response
}

/// The head of a call's request, to a node at this `host:port`.
///
/// # Errors
/// When a name cannot be sent.
pub(crate) fn request(call: &Outgoing, node: &str, left: Duration) -> Result<Vec<u8>, Error> {
    let mut head = Vec::with_capacity(512);
    head.extend_from_slice(b"POST / HTTP/1.1\r\n");
    let mut required = |name, value: &str| {
        field(&mut head, name, value)
            .then_some(())
            .ok_or_else(|| Error::bad_request(format!("the {name} cannot be sent")))
    };
    required("host", node)?;
    required("content-type", "application/json")?;
    required(micro::SERVICE, &call.service)?;
    required(micro::ENDPOINT, &call.endpoint)?;
    for (name, value) in call.cx.metadata.iter() {
        // Metadata that is no header (odd names, control characters) stays behind, as in go-micro.
        if is_token(name) && is_metadata(name) {
            field(&mut head, name, value);
        }
    }
    write!(head, "{}: {}\r\ncontent-length: {}\r\n\r\n", micro::TIMEOUT, nanos(left), call.body.len())
        .expect("a vector takes everything");
    Ok(head)
}

/// Adds a header field, unless its value holds what no field may hold (RFC 9110 §5.5).
fn field(head: &mut Vec<u8>, name: &str, value: &str) -> bool {
    let allowed = value.bytes().all(|b| b == b'\t' || (b >= 0x20 && b != 0x7f));
    if allowed {
        for part in [name, ": ", value, "\r\n"] {
            head.extend_from_slice(part.as_bytes());
        }
    }
    allowed
}

/// Whether a text can name a header field (RFC 9110 §5.6.2).
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The error a response carries, if it does. `stated` is its `Micro-Error`.
pub(crate) fn failed(status: StatusCode, stated: Option<&[u8]>, service: &str) -> Option<Error> {
    if let Some(value) = stated {
        let text = String::from_utf8_lossy(value);
        // A bare text is a foreign error that nobody meant for callers: for the logs only.
        let bare = || Error::internal("internal error").with_source(std::io::Error::other(text.clone().into_owned()));
        let error = serde_json::from_str(&text).unwrap_or_else(|_| bare());
        return Some(Error::with_id(error, service));
    }
    (!status.is_success())
        .then(|| Error::new(status.as_u16(), format!("`{service}` answered {status}")).with_id(service))
}

/// Whether the response is a stream of items.
pub(crate) fn streams(content_type: Option<&[u8]>) -> bool {
    content_type == Some(ndjson::CONTENT_TYPE.as_bytes())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(path: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn an_endpoint_is_named_by_header_or_path() {
        let target = |path, headers: &[_]| target(&parts(path, headers)).map(|t| (t.endpoint, t.go_wire));
        assert_eq!(target("/", &[("Micro-Endpoint", "Users.Get")]), Some(("Users.Get".into(), true)));
        assert_eq!(target("/", &[("X-Micro-Method", "Users.Get")]), Some(("Users.Get".into(), true)));
        assert_eq!(target("/Users.Get", &[]), Some(("Users.Get".into(), false)));
        assert_eq!(target("/", &[]), None);
    }

    #[test]
    fn credentials_and_plumbing_are_no_metadata() {
        let headers = parts(
            "/",
            &[("authorization", "Bearer x"), ("host", "h"), ("timeout", "5000000000"), ("mcp-trace-id", "t")],
        )
        .headers;
        let now = Instant::now();
        let cx = context(&headers, now);
        assert_eq!(cx.metadata.iter().collect::<Vec<_>>(), [("mcp-trace-id", "t")]);
        assert_eq!(cx.deadline, Some(now + Duration::from_secs(5)));
    }

    #[test]
    fn an_error_reaches_both_kinds_of_caller() {
        let error = || Err(Error::not_found("no Zoë").with_id("users"));
        let go = response(error(), true);
        assert_eq!(go.status(), 200);
        let stated = go.headers().get(micro::ERROR).map(HeaderValue::as_bytes);
        assert_eq!(failed(go.status(), stated, "x").unwrap().detail, "no Zoë");
        assert_eq!(response(error(), false).status(), 404);
    }

    #[test]
    fn free_text_and_bare_statuses_are_errors_too() {
        assert_eq!(failed(StatusCode::BAD_GATEWAY, None, "users").unwrap().code, 502);
        let error = failed(StatusCode::OK, Some(b"boom"), "users").unwrap();
        assert_eq!(error.detail, "internal error", "who wrote the text did not mean it for callers");
        assert_eq!(error.source().unwrap().to_string(), "boom");
    }
}
