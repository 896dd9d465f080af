//! A process that is one HTTP server and nothing else, in one line.

use std::{io, sync::Arc, time::Duration};

use http::StatusCode;
use micro_runtime::{
    Drain,
    http::{Body, Guard, Limits, serve},
    shutdown_signal,
};
use tokio::net::{TcpListener, ToSocketAddrs};

use super::{Config, StreamableHttp};
use crate::Server;

/// How long calls in flight may take once the process is asked to end.
const GRACE: Duration = Duration::from_secs(10);

impl Server {
    /// Serves Streamable HTTP at `/mcp` of this address until the process is asked to end (SIGINT, SIGTERM);
    /// calls in flight then have ten seconds. Session ids are sealed with [`crate::Builder::keys`]. A loopback
    /// address answers only those who call it by a loopback name; pages in a browser are answered nowhere.
    ///
    /// For layers, other paths, other limits, or an app that has more to serve: [`StreamableHttp`].
    ///
    /// ```no_run
    /// use micro_mcp::{NoArgs, Server};
    ///
    /// #[tokio::main]
    /// async fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     let server = Server::builder("greeter", "1.0").tool("hi").handler(|_: NoArgs| async { "Hello!" }).build()?;
    ///     Ok(server.serve_http("127.0.0.1:3000").await?)
    /// }
    /// ```
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn serve_http(self, address: impl ToSocketAddrs) -> io::Result<()> {
        let listener = TcpListener::bind(address).await?;
        let drain = Drain::new();
        let (asked, signal) = (drain.clone(), shutdown_signal());
        drain.spawn_until(async move {
            signal.await;
            asked.begin();
        });
        self.serve_listener(listener, drain).await
    }

    /// The same until the drain begins.
    async fn serve_listener(self, listener: TcpListener, drain: Drain) -> io::Result<()> {
        let address = listener.local_addr()?;
        tracing::info!(url = format!("http://{address}/mcp"), "serving MCP");
        let keys = self.keys();
        let config = Config { guard: Guard::of(address), keys, drain: drain.clone(), ..Config::default() };
        let endpoint = StreamableHttp::new(Arc::new(self), config);
        let serving = serve(listener, Limits::default(), drain.clone(), move |request| {
            let endpoint = endpoint.clone();
            async move { if request.uri().path() == "/mcp" { endpoint.handle(request).await } else { nothing_here() } }
        });
        let late = async {
            drain.begun().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            () = serving => {}
            () = late => {}
        }
        Ok(())
    }
}

fn nothing_here() -> http::Response<Body> {
    let mut response = http::Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    use super::*;

    async fn post(address: std::net::SocketAddr, path: &str, host: &str) -> String {
        let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        let head = format!("{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", ping.len());
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all((head + ping).as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn one_line_serves_http_at_one_path_to_those_who_name_it_right() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, drain) = (listener.local_addr().unwrap(), Drain::new());
        let server = Server::builder("greeter", "1.0").build().unwrap();
        let serving = tokio::spawn(server.serve_listener(listener, drain.clone()));
        let cases = [("/mcp", "localhost", "200"), ("/", "localhost", "404"), ("/mcp", "rebound.example", "403")];
        for (path, host, status) in cases {
            let answer = post(address, path, host).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path} of {host}: {answer}");
        }
        drain.begin();
        serving.await.unwrap().unwrap();
    }
}
