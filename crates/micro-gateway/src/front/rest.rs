//! `POST /api/{service}/{Type.Method}`: the arguments as body, the result as answer.

use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use micro_core::header::TRACE_ID;
use micro_runtime::http::{Body, read};
use serde_json::value::RawValue;

use super::{
    compat::answer,
    http::{Site, error, json},
    trace,
};
use crate::{
    pipeline::{Call, Credential, Silent},
    wire,
};

pub(super) async fn call(site: &Site, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Some(tool) = tool(parts.uri.path()) else {
        return error(StatusCode::NOT_FOUND, "the path is /api/{service}/{Type.Method}");
    };
    let body = match read(body, site.body_limit).await {
        Ok(Some(body)) => body,
        Ok(None) => return error(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large"),
        Err(_) => return error(StatusCode::BAD_REQUEST, "the request broke off"),
    };
    let arguments: Option<&RawValue> = match &body[..] {
        [] => None,
        json => match serde_json::from_slice(json) {
            Ok(arguments) => Some(arguments),
            Err(e) => return error(StatusCode::BAD_REQUEST, &format!("the body is not JSON: {e}")),
        },
    };
    let trace = trace::of(None, Some(&parts.headers));
    let call = Call { front: "rest", tool: &tool, arguments: arguments.map(RawValue::get), trace, progress: &Silent };
    let mut response = match answer(site, &Credential::of(&parts.headers), call).await {
        Ok(result) => json(StatusCode::OK, result.into_bytes()),
        Err(failure) => {
            let (status, text) = wire::plain(&failure);
            let mut response = error(status, &text);
            if let Some(challenge) = wire::challenge(&failure) {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            }
            response
        }
    };
    let trace = HeaderValue::from_str(&trace.id.to_string()).expect("hex digits");
    response.headers_mut().insert(HeaderName::from_static(TRACE_ID), trace);
    response
}

/// The canonical tool name a path means: `/api/users/Users.Get` and `/api/users/Users/Get`.
fn tool(path: &str) -> Option<String> {
    let (service, endpoint) = path.strip_prefix("/api/")?.split_once('/')?;
    let endpoint = endpoint.trim_end_matches('/').replace('/', ".");
    (!service.is_empty() && !endpoint.is_empty()).then(|| format!("{service}.{endpoint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_tool() {
        assert_eq!(tool("/api/users/Users.Get").as_deref(), Some("users.Users.Get"));
        assert_eq!(tool("/api/users/Users/Get/").as_deref(), Some("users.Users.Get"));
        assert_eq!(tool("/api/users"), None);
        assert_eq!(tool("/api//Users.Get"), None);
    }
}
