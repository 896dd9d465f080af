//! A balancer in front of replicas: each request goes to the next one that lives.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context, Result};
use hyper::{
    Request, Response, body::Incoming, client::conn::http1 as client, server::conn::http1 as server,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};

use crate::http;

/// Hands out requests in turn, one connection to a replica each, and knows nothing of what they mean.
/// Bodies flow as they come; who hangs up in front hangs up behind. Dropping it ends it.
#[derive(Debug)]
pub struct Balancer {
    address: SocketAddr,
    _runtime: Runtime,
}

#[derive(Debug)]
struct Replicas {
    addresses: Vec<SocketAddr>,
    turn: AtomicUsize,
}

impl Balancer {
    /// Listens on a free port of loopback, in front of the servers at these URLs.
    ///
    /// # Errors
    /// When a URL is none of ours, or there is no port.
    pub fn start(urls: &[&str]) -> Result<Self> {
        let addresses = urls.iter().map(|url| http::split(url)?.0.parse().context("a URL names no address"));
        let replicas = Replicas { addresses: addresses.collect::<Result<_>>()?, turn: AtomicUsize::new(0) };
        let runtime = Runtime::new()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        runtime.spawn(accept(listener, Arc::new(replicas)));
        Ok(Self { address, _runtime: runtime })
    }

    /// Where a path of the servers is to be had.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Replicas {
    /// A connection to the next replica; those that are gone are passed over.
    async fn connect(&self) -> io::Result<TcpStream> {
        let mut last = io::ErrorKind::NotConnected.into();
        for _ in &self.addresses {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            match TcpStream::connect(self.addresses[turn % self.addresses.len()]).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

async fn accept(listener: TcpListener, replicas: Arc<Replicas>) {
    while let Ok((stream, _)) = listener.accept().await {
        let replicas = replicas.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| forward(replicas.clone(), request));
            // A client that goes away is its own business.
            let _ = server::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Sends a request on as it is, `Host` included; an error cuts the client's connection.
async fn forward(replicas: Arc<Replicas>, request: Request<Incoming>) -> Result<Response<Incoming>> {
    let stream = TokioIo::new(replicas.connect().await?);
    let (mut sender, connection) = client::handshake(stream).await?;
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}

#[cfg(test)]
mod tests;
