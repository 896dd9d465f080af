//! A service on the network: listens, registers, answers, drains.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::Arc,
    time::{Duration, Instant},
};

use http::{Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use micro_core::{Error, Result};
use micro_registry::{Announcement, Instance, Registry};
use micro_runtime::{
    Drain,
    http::{Body, Limits, read, serve},
};
use tokio::net::TcpListener;

use crate::{GatewayKeys, Router, wire};

/// How a service listens and makes itself known.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// The `host:port` others should call, when it is not the listening address.
    pub advertise: Option<String>,
    /// What makes the node's id unique; a fresh UUID by default. A supervisor sets it to recognise
    /// the process it started.
    pub node_id: Option<String>,
    /// How long the registry keeps a node that has stopped refreshing itself.
    pub ttl: Duration,
    /// Largest request body, in bytes.
    pub body_limit: usize,
    /// Bounds of the listener.
    pub limits: Limits,
    /// The gateways whose word is taken for who calls. With some, `Mcp-Account-Id` and its like count for nothing
    /// unless one of them signed it; without, they are believed. Default: none.
    pub gateway_keys: Option<GatewayKeys>,
    /// Time between leaving the registry and closing the door, so that callers have heard of it.
    pub linger: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            advertise: None,
            node_id: None,
            ttl: Duration::from_secs(6),
            body_limit: 4 * 1024 * 1024,
            limits: Limits::default(),
            gateway_keys: None,
            linger: Duration::from_millis(250),
        }
    }
}

/// A bound service: it has a port, but accepts and registers only in [`Server::run`].
#[derive(Debug)]
pub struct Server {
    config: Config,
    router: Router,
    registry: Arc<dyn Registry>,
    listener: TcpListener,
    address: SocketAddr,
}

/// What holds for every request.
#[derive(Debug)]
struct Rules {
    body_limit: usize,
    gateway_keys: Option<GatewayKeys>,
}

impl Config {
    /// Checks the service and binds its port.
    ///
    /// # Errors
    /// When the service cannot be offered ([`crate::InvalidService`]) or the address is taken.
    pub async fn build(self, router: Router, registry: Arc<dyn Registry>) -> Result<Server> {
        router.check()?;
        let taken = |e: std::io::Error| Error::internal(format!("cannot listen on {}", self.address)).with_source(e);
        let listener = TcpListener::bind(self.address).await.map_err(taken)?;
        let address = listener.local_addr()?;
        Ok(Server { config: self, router, registry, listener, address })
    }
}

impl Server {
    /// Where the service listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Registers and answers until the drain begins; then leaves the registry, lets open calls finish
    /// and returns.
    ///
    /// # Errors
    /// When the registry does not take the first registration. Later failures are retried.
    pub async fn run(self, drain: Drain) -> Result<()> {
        let Self { config, router, registry, listener, address } = self;
        let advertised = config.advertise.unwrap_or_else(|| reachable(address).to_string());
        let id = config.node_id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        let instance = Instance::new(router.descriptor(), &id, &advertised);
        let (service, version) = (router.descriptor().name.clone(), router.descriptor().version.clone());

        let door = Drain::new();
        let rules = Arc::new(Rules { body_limit: config.body_limit, gateway_keys: config.gateway_keys });
        let answering = tokio::spawn(serve(listener, config.limits, door.clone(), move |request| {
            let (router, rules) = (router.clone(), rules.clone());
            async move { answer(&router, request, &rules).await }
        }));
        let announcement = Announcement::start(registry, instance, config.ttl).await?;
        tracing::info!(service, version, address = advertised, "service is up");

        drain.begun().await;
        if let Err(error) = announcement.stop().await {
            tracing::warn!(%error, "left the registry without a word; the record will expire");
        }
        tokio::time::sleep(config.linger).await;
        door.begin();
        answering.await?;
        tracing::info!(service, "service has stopped");
        Ok(())
    }
}

/// The address others reach an unspecified one (`0.0.0.0`) by: that of the interface the default
/// route leaves from. Connecting a UDP socket only looks the route up; nothing is sent.
fn reachable(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    let outward = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.connect("192.0.2.1:9")?; // TEST-NET-1, RFC 5737
        socket.local_addr()
    });
    SocketAddr::new(outward.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |a| a.ip()), address.port())
}

async fn answer(router: &Router, request: Request<Incoming>, rules: &Rules) -> Response<Body> {
    let (parts, body) = request.into_parts();
    match (&parts.method, parts.uri.path()) {
        (&Method::POST, _) => {}
        (&Method::GET, "/health") => return Response::new(r#"{"status":"ok"}"#.into()),
        _ => return refused(StatusCode::METHOD_NOT_ALLOWED, "call endpoints with POST"),
    }
    // Services talk to services. A browser page that got here was sent by somebody else's site.
    if parts.headers.contains_key(header::ORIGIN) {
        return refused(StatusCode::FORBIDDEN, "services are not called from web pages; use the gateway");
    }
    let Some(target) = wire::target(&parts) else {
        return refused(StatusCode::NOT_FOUND, "name an endpoint: POST /Type.Method, or the Micro-Endpoint header");
    };
    let reply = match router.offers(&target.endpoint) {
        Ok(()) => call(router, &target.endpoint, &parts, body, rules).await,
        Err(unknown) => Err(unknown), // before the body is read
    };
    if let Err(error) = &reply
        && let Some(source) = error.source()
    {
        tracing::error!(endpoint = target.endpoint, error = ?error, "call failed: {source}");
    }
    wire::response(reply, target.go_wire)
}

async fn call(
    router: &Router,
    endpoint: &str,
    parts: &http::request::Parts,
    body: Incoming,
    rules: &Rules,
) -> Result<crate::Reply> {
    let mut cx = wire::context(&parts.headers, Instant::now());
    if let Some(keys) = &rules.gateway_keys {
        keys.apply(&mut cx.metadata, &parts.headers, &router.descriptor().name)?;
    }
    let limit = rules.body_limit;
    let Some(body) = read(body, limit).await.map_err(|_| Error::bad_request("the request broke off"))? else {
        return Err(Error::too_large(format!("the request is larger than {limit} bytes")));
    };
    let Some(deadline) = cx.deadline else {
        return router.dispatch(endpoint, cx, body).await;
    };
    // Dropping the dispatch stops the handler; the same happens when the caller hangs up.
    match tokio::time::timeout_at(deadline.into(), router.dispatch(endpoint, cx, body)).await {
        Ok(reply) => reply,
        Err(_) => Err(Error::timeout(format!("`{endpoint}` did not answer within the deadline"))),
    }
}

fn refused(status: StatusCode, why: &str) -> Response<Body> {
    let json = serde_json::to_string(&Error::new(status.as_u16(), why)).expect("an error is plain JSON");
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}
