//! `GET /mcp/tools`, in the shape go-micro's gateway has for its clients.

use bytes::{BufMut, BytesMut};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use micro_runtime::http::Body;

use super::{
    http::{Site, json},
    plain,
};

/// `{"tools":[{"name","description","inputSchema","service","endpoint",("scopes")}]}`.
pub(super) fn tools(site: &Site, request: &Request<Incoming>) -> Response<Body> {
    let caller = match site.caller(request.extensions()) {
        Ok(caller) => caller,
        Err(error) => return plain::refused(site, request.headers(), &error),
    };
    let mut body = BytesMut::from(&br#"{"tools":["#[..]);
    let catalog = site.pipeline.catalog.load();
    for (i, (_, tool)) in catalog.visible(&caller).enumerate() {
        if i > 0 {
            body.put_u8(b',');
        }
        body.put_slice(&tool.compat());
    }
    body.put_slice(b"]}");
    json(StatusCode::OK, body.freeze())
}
