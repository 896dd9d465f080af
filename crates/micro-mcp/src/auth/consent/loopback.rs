//! Receiving the redirect on this machine (RFC 8252 section 7.3).

use std::time::Duration;

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use url::Url;

use super::{ConsentError, Redirect};

/// The path of the redirect.
const PATH: &str = "/callback";

/// Longest request that is read, in bytes.
const MAX_REQUEST: usize = 16 * 1024;

/// Connections that are served at the same time; browsers open some that they never use.
const MAX_CONNECTIONS: usize = 32;

/// How long a connection may take to say what it wants.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A port of this machine that waits for one redirect.
pub(crate) struct Loopback {
    listener: TcpListener,
    uri: String,
}

impl Loopback {
    /// Takes a port; 0 is any.
    pub(crate) async fn bind(port: u16) -> Result<Self, ConsentError> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|_| ConsentError::NoPort)?;
        let port = listener.local_addr().map_err(|_| ConsentError::NoPort)?.port();
        Ok(Self { listener, uri: format!("http://127.0.0.1:{port}{PATH}") })
    }

    /// Where the user must be sent.
    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// The redirect with this state. Every other request is answered and forgotten: a page that the user happens to
    /// have open can neither end the wait nor slip in a code of its own.
    pub(crate) async fn receive(self, state: &str) -> Result<Redirect, ConsentError> {
        let mut open = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if open.len() < MAX_CONNECTIONS => {
                    let (stream, _) = accepted.map_err(|_| ConsentError::NoPort)?;
                    open.push(timeout(TIMEOUT, self.serve(stream, state)));
                }
                Some(served) = open.next() => {
                    if let Ok(Some(redirect)) = served {
                        return Ok(redirect);
                    }
                }
            }
        }
    }

    async fn serve(&self, mut stream: TcpStream, state: &str) -> Option<Redirect> {
        let target = target(&mut stream).await?;
        let url = Url::parse(&self.uri).ok()?.join(&target).ok()?;
        let redirect = Redirect::parse(&url);
        let ours = target.starts_with(PATH) && url.path() == PATH && redirect.is_for(state);
        let (status, text) = match (ours, &redirect.error) {
            (false, _) => ("404 Not Found", "Nothing is here."),
            (true, None) => ("200 OK", "You are signed in. You can close this page."),
            (true, Some(_)) => ("200 OK", "You are not signed in. You can close this page."),
        };
        // The browser may be gone already; the redirect counts all the same.
        let _ = stream.write_all(page(status, text).as_bytes()).await;
        let _ = stream.shutdown().await;
        ours.then_some(redirect)
    }
}

/// The target of a GET request, once its head is complete.
async fn target(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut buffer = [0; 2048];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let n = stream.read(&mut buffer).await.ok().filter(|n| *n > 0)?;
        head.extend_from_slice(&buffer[..n]);
        if head.len() > MAX_REQUEST {
            return None;
        }
    }
    let line = head.split(|b| *b == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    (words.next() == Some("GET")).then_some(())?;
    words.next().filter(|target| target.starts_with('/') && !target.starts_with("//")).map(str::to_owned)
}

/// A page without scripts, styles or anything of the request.
fn page(status: &str, text: &str) -> String {
    let body = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sign-in</title><p>{text}</p></html>\n"
    );
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\ncontent-security-policy: default-src 'none'\r\nreferrer-policy: no-referrer\r\n\
         x-content-type-options: nosniff\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends bytes and reads all that comes back.
    async fn ask(uri: &Url, request: &str) -> String {
        let mut stream = TcpStream::connect((uri.host_str().unwrap(), uri.port().unwrap())).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn only_the_redirect_with_the_right_state_ends_the_wait() {
        let loopback = Loopback::bind(0).await.unwrap();
        let uri = Url::parse(loopback.uri()).unwrap();
        let wait = tokio::spawn(async move { loopback.receive("right").await });
        let idle = TcpStream::connect((uri.host_str().unwrap(), uri.port().unwrap())).await.unwrap();
        for target in [
            "/favicon.ico",
            "/callback",
            "/callback?code=evil&state=wrong",
            "/callback/x?code=evil&state=right",
            "//evil/callback?code=evil&state=right",
            "http://evil/callback?code=evil&state=right",
        ] {
            let answer = ask(&uri, &format!("GET {target} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 404"), "{target}: {answer}");
        }
        assert!(ask(&uri, "POST /callback?code=evil&state=right HTTP/1.1\r\n\r\n").await.is_empty());
        let answer = ask(&uri, "GET /callback?code=good&state=right HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("good"), "{answer}");
        let redirect = wait.await.unwrap().unwrap();
        assert_eq!(redirect.code("https://as", false).unwrap(), "good");
        drop(idle);
    }
}
