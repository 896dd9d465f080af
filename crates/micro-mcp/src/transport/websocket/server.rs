//! The end of a WebSocket that is connected to.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, Method, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use micro_mcp_proto::RpcError;
use micro_runtime::{
    Drain,
    http::{Body, Guard, Peer as PeerAddress},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{handshake::derive_accept_key, protocol::Role},
};

use super::{SUBPROTOCOL, config, pipe};
use crate::{
    Handler, Peer, Refusal, Request, Transport,
    engine::Caller,
    transport::{MESSAGE_LIMIT, serve_caller},
};

/// A WebSocket endpoint. Cheap to clone; which path it has is the caller's business, and so is a server that
/// lets connections be upgraded.
///
/// ```
/// # use std::sync::Arc;
/// # use micro_mcp::{Drain, Guard, NoArgs, Server, client::Client, transport::websocket::WebSocket};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::{Router, extract::Request, routing::get};
///
/// let server = Server::builder("greeter", "1.0").tool("hi").handler(|_: NoArgs| async { "Hello!" }).build()?;
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let address = listener.local_addr()?;
/// let endpoint = WebSocket::new(Arc::new(server), Guard::of(address), Drain::new());
/// let app: Router = Router::new().route("/ws", get(async move |request: Request| endpoint.handle(request)));
/// tokio::spawn(async { axum::serve(listener, app).await });
///
/// let client = Client::connect(&format!("ws://{address}/ws")).await?;
/// assert_eq!(client.call("hi").text().await?, "Hello!");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct WebSocket(Arc<Endpoint>);

struct Endpoint {
    handler: Arc<dyn Handler>,
    guard: Guard,
    drain: Drain,
    limit: usize,
}

impl WebSocket {
    /// An endpoint that this handler answers. The guard says which `Host` and `Origin` may come in: browsers
    /// let any page open a WebSocket.
    pub fn new(handler: Arc<dyn Handler>, guard: Guard, drain: Drain) -> Self {
        Self(Arc::new(Endpoint { handler, guard, drain, limit: MESSAGE_LIMIT }))
    }

    /// Answers one HTTP request. The connection is served by a task of the drain's, from the moment it is upgraded.
    pub fn handle<B>(&self, mut request: http::Request<B>) -> Response<Body> {
        let upgrade = hyper::upgrade::on(&mut request);
        let (parts, _) = request.into_parts();
        let address = parts.extensions.get::<PeerAddress>().map(|peer| peer.0);
        let key = match self.0.admit(&parts, address) {
            Ok(key) => key,
            Err(refusal) => return refused(&refusal),
        };
        let endpoint = self.0.clone();
        let (headers, extensions) = (Some(parts.headers), Some(parts.extensions));
        self.0.drain.spawn(async move {
            let io = match upgrade.await {
                Ok(upgraded) => TokioIo::new(upgraded),
                Err(error) => return tracing::debug!(%error, "a connection was not upgraded"),
            };
            let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config(endpoint.limit))).await;
            let caller = Caller { headers, extensions, address, transport: Transport::WebSocket };
            let serving = serve_caller(endpoint.handler.clone(), pipe(socket), endpoint.drain.clone(), caller);
            if let Err(error) = serving.await {
                tracing::debug!(%error, "a connection broke");
            }
        });
        let mut response = Response::new(Body::Empty);
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL);
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, key);
        response
    }
}

impl Endpoint {
    /// What to answer the key of a handshake that is in order.
    fn admit(
        &self,
        parts: &http::request::Parts,
        address: Option<std::net::SocketAddr>,
    ) -> Result<HeaderValue, Refusal> {
        let refuse = |status, why: String| Refusal::new(status, RpcError::invalid_request(why));
        let headers = &parts.headers;
        self.guard.check(&parts.uri, headers).map_err(|why| refuse(StatusCode::FORBIDDEN, why.to_string()))?;
        let names = |name, wanted: &str| {
            let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(wanted))
        };
        let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|key| {
            parts.method == Method::GET
                && names(header::UPGRADE, "websocket")
                && names(header::CONNECTION, "upgrade")
                && names(header::SEC_WEBSOCKET_VERSION, "13")
                && STANDARD.decode(key).is_ok_and(|key| key.len() == 16)
        });
        let key = key.ok_or_else(|| refuse(StatusCode::UPGRADE_REQUIRED, "this is a WebSocket endpoint".into()))?;
        if !names(header::SEC_WEBSOCKET_PROTOCOL, "mcp") {
            return Err(refuse(StatusCode::BAD_REQUEST, "the subprotocol must be mcp".into()));
        }
        let extensions = Some(&parts.extensions);
        let peer = Peer { headers: Some(headers), extensions, address, transport: Transport::WebSocket };
        self.handler.authenticate(&peer, &Request::Other { method: "GET".into(), params: None })?;
        Ok(HeaderValue::try_from(derive_accept_key(key.as_bytes())).expect("base64 is a header value"))
    }
}

fn refused(refusal: &Refusal) -> Response<Body> {
    let mut response = Response::new(Body::Full(micro_mcp_proto::write::error(None, &refusal.error).into()));
    *response.status_mut() = refusal.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(challenge) = &refusal.challenge {
        headers.insert(header::WWW_AUTHENTICATE, challenge.clone());
    }
    if refusal.status == StatusCode::UPGRADE_REQUIRED {
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    }
    response
}
