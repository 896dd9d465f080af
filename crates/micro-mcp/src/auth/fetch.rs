//! Requests to addresses that servers named: guarded, bounded, timed.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION},
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

/// Asks addresses that a server named, within bounds: of size, of time, and of what the server may name at all, which is
/// nothing more private than where it is itself. Names are judged by what they resolve to, each redirect like the first
/// address.
///
/// The client of this crate finds its authorization servers with it; whoever else follows URLs that others write, say a
/// gateway that fetches the keys of an issuer, may too.
#[derive(Debug, Clone)]
pub struct Fetch {
    client: reqwest::Client,
    guard: Arc<Guard>,
    switches: Switches,
}

/// What the owner of a [`Fetch`] allows beyond the usual.
#[derive(Debug, Clone, Copy, Default)]
pub struct Switches {
    /// Addresses that are more private than the server's own.
    pub private: bool,
    /// Addresses without TLS on other machines.
    pub plain_http: bool,
    /// Requests go the way the system says, and the proxy's rules hold for what names resolve to.
    pub proxy: bool,
}

/// What is at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// A document, and the tag of this version of it, if the server gave one.
    Document(Bytes, Option<HeaderValue>),
    /// The version that was known already.
    Unchanged,
    /// None: a status of 4xx, or something that is not JSON.
    Absent,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Fetch {
    /// Asks what this server may name.
    ///
    /// # Errors
    /// When there is no TLS to ask with.
    pub fn new(server: &Url, switches: Switches) -> Result<Self, reqwest::Error> {
        let guard = Arc::new(Guard::new(server, switches.private, switches.plain_http));
        let mut client = reqwest::Client::builder()
            .dns_resolver(Resolver(guard.clone()))
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT);
        if !switches.proxy {
            client = client.no_proxy();
        }
        Ok(Self { client: client.build()?, guard, switches })
    }

    /// The same for what another server may name.
    pub(crate) fn around(&self, server: &Url) -> Result<Self, reqwest::Error> {
        Self::new(server, self.switches)
    }

    /// A metadata document; `None` when there is none at this place (a status of 4xx, or something that is not JSON).
    ///
    /// # Errors
    /// When the address must not be asked, or does not answer with a document.
    pub async fn document(&self, what: Document, url: &Url) -> Result<Option<Bytes>, Error> {
        match self.document_since(what, url, None).await? {
            Fetched::Document(body, _) => Ok(Some(body)),
            Fetched::Absent => Ok(None),
            Fetched::Unchanged => Err(Error::Malformed(what)), // than what?
        }
    }

    /// The same, when the version of this tag is known (`ETag`, RFC 9110 §8.8.3).
    ///
    /// # Errors
    /// When the address must not be asked, or does not answer with a document.
    pub async fn document_since(
        &self,
        what: Document,
        url: &Url,
        known: Option<&HeaderValue>,
    ) -> Result<Fetched, Error> {
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
            headers.extend(known.map(|tag| (IF_NONE_MATCH, tag.clone())));
            let answer = self.send(what, Method::GET, &url, headers, None).await?;
            if answer.status == StatusCode::NOT_MODIFIED {
                return Ok(Fetched::Unchanged);
            }
            if answer.status.is_redirection() {
                let target = answer.headers.get(LOCATION).and_then(|target| target.to_str().ok());
                url = target.and_then(|target| url.join(target).ok()).ok_or(Error::Malformed(what))?;
                continue;
            }
            if answer.status.is_client_error() {
                return Ok(Fetched::Absent);
            }
            if answer.status != StatusCode::OK {
                return Err(Error::Malformed(what));
            }
            // A web app that answers its start page for every path publishes nothing.
            if !answer.body.trim_ascii_start().starts_with(b"{") {
                return Ok(Fetched::Absent);
            }
            return Ok(Fetched::Document(answer.body, answer.headers.get(ETAG).cloned()));
        }
        Err(Error::Malformed(what))
    }

    /// What is at this very address; `None` when nothing good is. Redirects are not followed.
    ///
    /// # Errors
    /// When the address must not be asked, cannot be reached, or answers too much.
    pub async fn at(&self, what: Document, url: &Url) -> Result<Option<Bytes>, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let answer = self.send(what, Method::GET, url, headers, None).await?;
        Ok((answer.status == StatusCode::OK).then_some(answer.body))
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
    ///
    /// # Errors
    /// When it is none, or must not be asked.
    pub fn url(&self, what: Document, text: &str) -> Result<Url, Error> {
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

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    /// A server on this machine that gives every request the same answer.
    async fn answering(answer: String) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Url::parse(&url).unwrap()
    }

    fn fetch(server: &str) -> Fetch {
        Fetch::new(&Url::parse(server).unwrap(), Switches::default()).unwrap()
    }

    async fn outcome(fetch: &Fetch, url: &Url) -> String {
        match fetch.document(Document::ProtectedResource, url).await {
            Ok(Some(body)) => format!("{} bytes", body.len()),
            Ok(None) => "none".to_owned(),
            Err(error) => format!("{error:?}"),
        }
    }

    #[tokio::test]
    async fn an_answer_is_a_document_or_none_or_an_error() {
        let ok = |body: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let to = |target: &str| format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n");
        for (answer, expected) in [
            (ok("{}"), "2 bytes"),
            (ok("<html>"), "none"),
            ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned(), "none"),
            ("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n".to_owned(), "Malformed(ProtectedResource)"),
            (ok(&" ".repeat(MAX_BODY + 1)), "Malformed(ProtectedResource)"),
            (to("/again"), "Malformed(ProtectedResource)"),
            (to("http://169.254.169.254/latest/meta-data"), "Blocked(Private)"),
            (to("http://as.example/"), "Blocked(Scheme)"),
            (to("file:///etc/passwd"), "Blocked(Authority)"),
        ] {
            let url = answering(answer.clone()).await;
            let shown = outcome(&fetch(url.as_str()), &url).await;
            assert_eq!(shown, expected, "{}", answer.lines().take(2).collect::<Vec<_>>().join(" "));
        }
    }

    #[tokio::test]
    async fn a_name_is_refused_when_it_resolves_to_this_machine() {
        let here = answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_owned()).await;
        let named = Url::parse(&format!("https://localhost:{}/", here.port().unwrap())).unwrap();
        assert_eq!(outcome(&fetch("https://mcp.example/mcp"), &named).await, "Blocked(Private)");
        let plain = Url::parse(&format!("http://localhost:{}/", here.port().unwrap())).unwrap();
        assert_eq!(outcome(&fetch("http://localhost/mcp"), &plain).await, "2 bytes");
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_told_without_its_address() {
        let url = {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            Url::parse(&format!("http://{}/secret-path", listener.local_addr().unwrap())).unwrap()
        };
        let error = fetch(url.as_str()).document(Document::Token, &url).await.unwrap_err();
        assert_eq!(error.to_string(), "could not reach the token endpoint");
        assert!(!format!("{error:?}").contains("secret-path"));
    }

    #[test]
    fn what_the_owner_allows_holds_for_every_server() {
        let (server, other) =
            (Url::parse("https://mcp.example/").unwrap(), Url::parse("https://idp.example/").unwrap());
        for allowed in [true, false] {
            let switches = Switches { private: allowed, plain_http: allowed, proxy: false };
            let fetch = Fetch::new(&server, switches).unwrap().around(&other).unwrap();
            for url in ["http://idp.example/token", "https://10.0.0.1/token"] {
                let outcome = fetch.url(Document::AuthorizationServer, url);
                assert_eq!(outcome.is_ok(), allowed, "{url}: {outcome:?}");
            }
        }
    }
}
