//! One HTTP listener: routes requests to the fronts.

use std::{net::SocketAddr, sync::Arc};

use http::{Extensions, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use micro_mcp::http::{Config as McpConfig, StreamableHttp};
use micro_policy::Caller;
use micro_runtime::{
    Drain,
    http::{Body, Guard, Limits, Tls, serve, serve_tls},
};
use serde_json::json;
use tokio::net::TcpListener;

use super::{
    Mcp, compat, health,
    plain::{self, Form},
    resource::{self, WELL_KNOWN},
};
use crate::{
    Config,
    identity::Shown,
    oauth,
    pipeline::{Error, Pipeline},
};

/// Everything one listener serves. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Http(Arc<Inner>);

struct Inner {
    mcp: StreamableHttp,
    pub(super) site: Site,
    /// REST and the index are served too.
    everything: bool,
}

/// What the plain HTTP fronts share.
pub(super) struct Site {
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) guard: Guard,
    pub(super) auth_needed: bool,
    pub(super) scheme: &'static str,
    pub(super) body_limit: usize,
    pub(super) drain: Drain,
}

impl Http {
    pub(crate) fn new(
        config: &Config,
        address: SocketAddr,
        everything: bool,
        pipeline: Arc<Pipeline>,
        drain: Drain,
    ) -> Self {
        let mut guard = Guard::of(address);
        for host in &config.allowed_hosts {
            guard = guard.allow_host(host);
        }
        for origin in &config.allowed_origins {
            guard = guard.allow_origin(origin);
        }
        if let Some(server) = &pipeline.oauth {
            guard = guard.allow_origin(server.issuer()); // its own page
        }
        let (auth_needed, scheme) = (config.auth.needed_on(address), config.scheme());
        let settings = McpConfig {
            guard: guard.clone(),
            body_limit: config.body_limit,
            drain: drain.clone(),
            ..McpConfig::default()
        };
        let mcp =
            StreamableHttp::new(Arc::new(Mcp::new(pipeline.clone(), auth_needed, scheme, Shown::Nothing)), settings);
        let site = Site { pipeline, guard, auth_needed, scheme, body_limit: config.body_limit, drain };
        Self(Arc::new(Inner { mcp, site, everything }))
    }

    /// Serves until the drain begins and open requests are done.
    pub(crate) async fn serve(self, listener: TcpListener, tls: Option<Tls>) {
        let drain = self.0.site.drain.clone();
        let handler = move |request| {
            let front = self.clone();
            async move { front.answer(request).await }
        };
        match tls {
            None => serve(listener, Limits::default(), drain, handler).await,
            Some(tls) => serve_tls(listener, tls, Limits::default(), drain, handler).await,
        }
    }

    async fn answer(&self, mut request: Request<Incoming>) -> Response<Body> {
        let Inner { mcp, site, everything } = &*self.0;
        // HTTP/2 says it in another place; what comes next looks in one.
        if let (None, Some(host)) = (request.headers().get(header::HOST), request.uri().authority())
            && let Ok(host) = HeaderValue::from_str(host.as_str())
        {
            request.headers_mut().insert(header::HOST, host);
        }
        if let Some(server) = &site.pipeline.oauth
            && oauth::Server::owns(request.uri().path())
        {
            return match site.guard.check(request.uri(), request.headers()) {
                // Rare, and large: the way of a call stays small.
                Ok(()) => Box::pin(server.answer(request, &site.pipeline)).await,
                Err(refused) => error(StatusCode::FORBIDDEN, &refused.to_string()),
            };
        }
        match site.guard.check(request.uri(), request.headers()) {
            Ok(()) => site.pipeline.identities.identify(&mut request).await,
            Err(_) if request.uri().path() == "/mcp" => {} // has its own guard, with JSON-RPC errors
            Err(refused) => return error(StatusCode::FORBIDDEN, &refused.to_string()),
        }
        let path = request.uri().path();
        if path == "/mcp" {
            return mcp.handle(request).await;
        }
        match (request.method(), path) {
            (&Method::GET, "/health" | "/health/ready") => health::ready(site),
            (&Method::GET, "/health/live") => health::live(),
            (&Method::GET, path) if path.starts_with(WELL_KNOWN) => {
                resource::document(&site.pipeline, site.scheme, request.headers(), &path[WELL_KNOWN.len()..])
            }
            (&Method::GET, "/mcp/tools") => compat::tools(site, &request),
            (&Method::POST, "/mcp/call") => plain::call(site, &Form::Compat, request).await,
            (&Method::POST, path) if *everything && path.starts_with("/api/") => match Form::rest(path) {
                Some(form) => plain::call(site, &form, request).await,
                None => error(StatusCode::NOT_FOUND, "the path is /api/{service}/{Type.Method}"),
            },
            (&Method::GET, "/") if *everything => index(),
            (_, "/health" | "/health/ready" | "/health/live" | "/mcp/tools" | "/mcp/call" | "/") => {
                error(StatusCode::METHOD_NOT_ALLOWED, "this path does not take that method")
            }
            (_, path) if *everything && path.starts_with("/api/") => {
                error(StatusCode::METHOD_NOT_ALLOWED, "call endpoints with POST /api/{service}/{Type.Method}")
            }
            _ => error(StatusCode::NOT_FOUND, "nothing is here; GET / lists what is"),
        }
    }
}

impl Site {
    /// Who calls, by what was found out when the request came.
    pub(super) fn caller(&self, extensions: &Extensions) -> Result<Caller, Error> {
        let shown = extensions.get::<Shown>().unwrap_or(&Shown::Nothing);
        let verified = self.pipeline.authenticate(shown, self.auth_needed)?;
        Ok(verified.map_or(Caller::Trusted, |verified| Caller::Account(verified.identity.clone())))
    }
}

fn index() -> Response<Body> {
    let links = json!({
        "mcp": "/mcp",
        "tools": "GET /mcp/tools",
        "call": "POST /mcp/call {\"tool\": …, \"input\": …}",
        "api": "POST /api/{service}/{Type.Method}",
        "health": "GET /health",
    });
    json(StatusCode::OK, links.to_string())
}

/// A JSON response.
pub(super) fn json(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// `{"error":…}`.
pub(super) fn error(status: StatusCode, text: &str) -> Response<Body> {
    json(status, json!({ "error": text }).to_string())
}
