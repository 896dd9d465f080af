//! Calls over plain HTTP: `POST /api/{service}/{Type.Method}`, and go-micro's `POST /mcp/call`.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header, request::Parts};
use hyper::body::Incoming;
use micro_core::{TraceContext, header::TRACE_ID};
use micro_runtime::http::{Body, read};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    http::{Site, error, json},
    resource, trace,
};
use crate::{
    pipeline::{Call, Error, Json, Silent},
    wire,
};

/// How a call is written.
pub(super) enum Form {
    /// The path names the tool, the body is its arguments, the answer its result; errors are
    /// `{"error":…}`.
    Rest {
        /// By its canonical name.
        tool: String,
    },
    /// The body is `{"tool","input"}` or `{"name","arguments"}`, the answer `{"result":…,"trace_id":…}`;
    /// errors are plain text, with go-micro's status codes.
    Compat,
}

/// Why there is no result, for the outside.
struct Failure {
    status: StatusCode,
    text: String,
    challenge: Option<HeaderValue>,
}

#[derive(Deserialize)]
struct CompatBody<'a> {
    #[serde(alias = "name")]
    tool: String,
    #[serde(borrow, alias = "arguments")]
    input: Option<&'a RawValue>,
}

/// Makes one call. Whatever comes of it, the answer names its trace.
pub(super) async fn call(site: &Site, form: &Form, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let trace = trace::of(None, Some(&parts.headers));
    let mut response = match answer(site, form, &parts, body, trace).await {
        Ok(result) => form.result(result, trace),
        Err(failure) => form.failed(failure),
    };
    let id = HeaderValue::from_str(&trace.id.to_string()).expect("hex digits");
    response.headers_mut().insert(HeaderName::from_static(TRACE_ID), id);
    response
}

async fn answer(site: &Site, form: &Form, parts: &Parts, body: Incoming, trace: TraceContext) -> Result<Json, Failure> {
    let call = |tool, arguments| Call { front: form.name(), tool, arguments, trace, progress: &Silent };
    let caller = || {
        site.caller(&parts.extensions).map_err(|error| {
            site.pipeline.refuse(&call(form.named(), None), &error);
            Failure::of(&error, site, parts)
        })
    };
    caller()?; // before the body is read: strangers are not given memory and time
    let body = match read(body, site.body_limit).await {
        Ok(Some(body)) => body,
        Ok(None) => return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large")),
        Err(_) => return Err(Failure::new(StatusCode::BAD_REQUEST, "the request broke off")),
    };
    let caller = caller()?; // a body may take long, and what was good be taken back meanwhile
    let (tool, arguments) = form.read(&body).map_err(|why| Failure::new(StatusCode::BAD_REQUEST, why))?;
    let call = call(&tool, arguments.map(RawValue::get));
    site.pipeline.call(&caller, call).await.map_err(|error| Failure::of(&error, site, parts))
}

impl Form {
    /// The form of `/api/users/Users.Get` and `/api/users/Users/Get`.
    pub(super) fn rest(path: &str) -> Option<Self> {
        let (service, endpoint) = path.strip_prefix("/api/")?.split_once('/')?;
        let endpoint = endpoint.trim_end_matches('/').replace('/', ".");
        let tool = format!("{service}.{endpoint}");
        (!service.is_empty() && !endpoint.is_empty()).then_some(Self::Rest { tool })
    }

    /// As audit records call it.
    fn name(&self) -> &'static str {
        match self {
            Self::Rest { .. } => "rest",
            Self::Compat => "compat",
        }
    }

    /// The tool, as far as it is known before the body.
    fn named(&self) -> &str {
        match self {
            Self::Rest { tool } => tool,
            Self::Compat => "",
        }
    }

    /// The tool and its arguments.
    fn read<'a>(&'a self, body: &'a [u8]) -> Result<(Cow<'a, str>, Option<&'a RawValue>), String> {
        match self {
            Self::Rest { tool } => {
                let arguments = if body.is_empty() { Ok(None) } else { serde_json::from_slice(body).map(Some) };
                Ok((tool.into(), arguments.map_err(|e| format!("the body is not JSON: {e}"))?))
            }
            Self::Compat => {
                let CompatBody { tool, input } =
                    serde_json::from_slice(body).map_err(|e| format!("invalid request: {e}"))?;
                Ok((tool.into(), input))
            }
        }
    }

    fn result(&self, result: Json, trace: TraceContext) -> Response<Body> {
        let body = match self {
            Self::Rest { .. } => result.into_bytes(),
            Self::Compat => {
                let mut body = BytesMut::with_capacity(result.as_str().len() + 64);
                body.put_slice(br#"{"result":"#);
                body.put_slice(result.as_str().as_bytes());
                body.put_slice(format!(r#","trace_id":"{}"}}"#, trace.id).as_bytes());
                body.freeze()
            }
        };
        json(StatusCode::OK, body)
    }

    fn failed(&self, Failure { status, text, challenge }: Failure) -> Response<Body> {
        let mut response = match self {
            Self::Rest { .. } => error(status, &text),
            Self::Compat => {
                let mut response = Response::new(text.into());
                *response.status_mut() = status;
                let plain = HeaderValue::from_static("text/plain; charset=utf-8");
                response.headers_mut().insert(header::CONTENT_TYPE, plain);
                response
            }
        };
        response.headers_mut().extend(challenge.map(|challenge| (header::WWW_AUTHENTICATE, challenge)));
        response
    }
}

/// The refusal of a request that is no call, in go-micro's form.
pub(super) fn refused(site: &Site, headers: &HeaderMap, error: &Error) -> Response<Body> {
    Form::Compat.failed(Failure::at(error, site, headers, "/mcp"))
}

impl Failure {
    fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), challenge: None }
    }

    fn of(error: &Error, site: &Site, parts: &Parts) -> Self {
        Self::at(error, site, &parts.headers, parts.uri.path())
    }

    fn at(error: &Error, site: &Site, headers: &HeaderMap, path: &str) -> Self {
        let metadata = resource::location(&site.pipeline, site.scheme, headers, path);
        let hints = wire::Hints { metadata: metadata.as_deref(), scopes: None };
        let (status, text) = wire::plain(error);
        Self { status, text, challenge: wire::challenge(error, hints) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_tool() {
        let tool = |path| Form::rest(path).map(|form| form.named().to_owned());
        assert_eq!(tool("/api/users/Users.Get").as_deref(), Some("users.Users.Get"));
        assert_eq!(tool("/api/users/Users/Get/").as_deref(), Some("users.Users.Get"));
        assert_eq!(tool("/api/users"), None);
        assert_eq!(tool("/api//Users.Get"), None);
    }
}
