//! `GET /mcp/tools` and `POST /mcp/call`, in the shapes go-micro's gateway has for its clients.

use bytes::{BufMut, BytesMut};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use micro_core::header::TRACE_ID;
use micro_policy::Caller;
use micro_runtime::http::{Body, read};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    http::{Site, json},
    trace,
};
use crate::{
    pipeline::{Call, Credential, Error, Json, Silent},
    wire,
};

/// `{"tools":[{"name","description","inputSchema","service","endpoint",("scopes")}]}`.
pub(super) fn tools(site: &Site, request: &Request<Incoming>) -> Response<Body> {
    let caller = match site.pipeline.authenticate(&Credential::of(request.headers()), site.auth_needed) {
        Ok(caller) => caller,
        Err(error) => return failed(&error),
    };
    let mut body = BytesMut::from(&br#"{"tools":["#[..]);
    let catalog = site.pipeline.catalog.load();
    let visible = catalog.tools().filter(|(_, tool)| tool.requirement.check(caller.scopes()).is_ok());
    for (i, (_, tool)) in visible.enumerate() {
        if i > 0 {
            body.put_u8(b',');
        }
        body.put_slice(&tool.compat());
    }
    body.put_slice(b"]}");
    json(StatusCode::OK, body.freeze())
}

/// Both dialects: `{"tool","input"}` and `{"name","arguments"}`.
#[derive(Deserialize)]
struct CallBody<'a> {
    #[serde(alias = "name")]
    tool: String,
    #[serde(borrow, alias = "arguments")]
    input: Option<&'a RawValue>,
}

/// `{"result":…,"trace_id":…}`; errors are plain text with go-micro's status codes.
pub(super) async fn call(site: &Site, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = match read(body, site.body_limit).await {
        Ok(Some(body)) => body,
        Ok(None) => return text(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large".into()),
        Err(_) => return text(StatusCode::BAD_REQUEST, "the request broke off".into()),
    };
    let CallBody { tool, input } = match serde_json::from_slice(&body) {
        Ok(call) => call,
        Err(error) => return text(StatusCode::BAD_REQUEST, format!("invalid request: {error}")),
    };
    let trace = trace::of(None, Some(&parts.headers));
    let call = Call { front: "compat", tool: &tool, arguments: input.map(RawValue::get), trace, progress: &Silent };
    match answer(site, &Credential::of(&parts.headers), call).await {
        Err(error) => failed(&error),
        Ok(result) => {
            let trace = trace.id.to_string();
            let mut body = BytesMut::with_capacity(result.as_str().len() + 64);
            body.put_slice(br#"{"result":"#);
            body.put_slice(result.as_str().as_bytes());
            body.put_slice(format!(r#","trace_id":"{trace}"}}"#).as_bytes());
            let mut response = json(StatusCode::OK, body.freeze());
            let trace = HeaderValue::from_str(&trace).expect("hex digits");
            response.headers_mut().insert(HeaderName::from_static(TRACE_ID), trace);
            response
        }
    }
}

/// Authenticates and calls: what the plain fronts have in common.
pub(super) async fn answer(site: &Site, credential: &Credential<'_>, call: Call<'_>) -> Result<Json, Error> {
    let caller: Caller = match site.pipeline.authenticate(credential, site.auth_needed) {
        Ok(caller) => caller,
        Err(error) => {
            site.pipeline.refuse(&call, &error);
            return Err(error);
        }
    };
    site.pipeline.call(&caller, call).await
}

fn failed(error: &Error) -> Response<Body> {
    let (status, why) = wire::plain(error);
    let mut response = text(status, why);
    if let Some(challenge) = wire::challenge(error) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

fn text(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
