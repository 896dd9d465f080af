//! Requests to addresses that servers named: guarded, bounded, timed.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, LOCATION},
};
use reqwest::{
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use url::{Url, form_urlencoded};

use super::{
    error::{Document, Error},
    guard::{Blocked, Guard},
};

/// Longest answer that is read, in bytes.
const MAX_BODY: usize = 256 * 1024;

/// Redirects of a document that are followed.
const MAX_REDIRECTS: usize = 3;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a request may take, answer included.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Asks what the guard lets through.
#[derive(Debug, Clone)]
pub(crate) struct Fetch {
    client: reqwest::Client,
    guard: Arc<Guard>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Fetch {
    /// With `proxy`, requests go the way the system says, and the proxy's rules hold for what names resolve to.
    pub(crate) fn new(guard: Guard, proxy: bool) -> Result<Self, reqwest::Error> {
        let guard = Arc::new(guard);
        let mut client = reqwest::Client::builder()
            .dns_resolver(Resolver(guard.clone()))
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT);
        if !proxy {
            client = client.no_proxy();
        }
        Ok(Self { client: client.build()?, guard })
    }

    /// A metadata document; `None` when there is none at this place (a status of 4xx, or something that is not JSON).
    pub(crate) async fn document(&self, what: Document, url: &Url) -> Result<Option<Bytes>, Error> {
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
            let answer = self.send(what, Method::GET, &url, headers, None).await?;
            if answer.status.is_redirection() {
                let target = answer.headers.get(LOCATION).and_then(|target| target.to_str().ok());
                url = target.and_then(|target| url.join(target).ok()).ok_or(Error::Malformed(what))?;
                continue;
            }
            if answer.status.is_client_error() {
                return Ok(None);
            }
            if answer.status != StatusCode::OK {
                return Err(Error::Malformed(what));
            }
            // A web app that answers its start page for every path publishes nothing.
            return Ok(answer.body.trim_ascii_start().starts_with(b"{").then_some(answer.body));
        }
        Err(Error::Malformed(what))
    }

    /// A form, sent once and to this address only.
    pub(crate) async fn form(
        &self,
        what: Document,
        url: &Url,
        mut headers: HeaderMap,
        form: &[(&str, &str)],
    ) -> Result<Answer, Error> {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send(what, Method::POST, url, headers, Some(body.into())).await
    }

    /// A JSON text, sent once and to this address only.
    pub(crate) async fn json(&self, what: Document, url: &Url, body: Bytes) -> Result<Answer, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        self.send(what, Method::POST, url, headers, Some(body)).await
    }

    /// An address that a document names, checked.
    pub(crate) fn url(&self, what: Document, text: &str) -> Result<Url, Error> {
        let url = Url::parse(text).map_err(|_| Error::Malformed(what))?;
        self.guard.check(&url)?;
        Ok(url)
    }

    async fn send(
        &self,
        what: Document,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: Option<Bytes>,
    ) -> Result<Answer, Error> {
        self.guard.check(url)?;
        let mut request = self.client.request(method, url.clone()).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let mut response = request.send().await.map_err(|error| failed(what, error))?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(what, error))? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(Error::Malformed(what));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: response.status(), headers: std::mem::take(response.headers_mut()), body: body.into() })
    }
}

/// A guard's refusal inside the connector comes out as what it is.
fn failed(what: Document, error: reqwest::Error) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        if let Some(blocked) = inner.downcast_ref::<Blocked>() {
            return Error::Blocked(*blocked);
        }
        cause = inner.source();
    }
    Error::Unreachable(what, Some(error.without_url()))
}

/// Resolves names to addresses that may be asked. The connector uses what comes out of here, so a name cannot
/// resolve differently after it was checked.
struct Resolver(Arc<Guard>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            let name = name.as_str();
            let found = tokio::net::lookup_host((name, 0)).await?;
            let mut refusal = None;
            let allowed: Vec<SocketAddr> = found
                .filter(|address| match guard.check_resolved(name, address.ip()) {
                    Ok(()) => true,
                    Err(blocked) => {
                        refusal = Some(blocked);
                        false
                    }
                })
                .collect();
            match refusal {
                Some(blocked) if allowed.is_empty() => Err(blocked.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}
