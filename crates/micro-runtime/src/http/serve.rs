//! The accept loop: HTTP/1.1 and h2c on one port, bounded connections, graceful end.

use std::{convert::Infallible, future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use http::{Extensions, Request, Response};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

use super::Body;
#[cfg(feature = "tls")]
use super::Tls;
use crate::Drain;

/// Bounds of a listener.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections open at once; more wait in the kernel's queue.
    pub connections: usize,
    /// Time a client may take to send its headers, and to send nothing on a kept connection.
    pub header_timeout: Duration,
    /// Concurrent streams on one HTTP/2 connection.
    pub streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 16_384, header_timeout: Duration::from_secs(75), streams: 256 }
    }
}

/// Who is at the other end of the connection; handlers find it in the request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Serves requests until the drain begins, then lets open requests finish.
///
/// Returns when no connection is left; bound the wait with [`Drain::finish`].
pub async fn serve<H, F>(listener: TcpListener, limits: Limits, drain: Drain, handler: H)
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let plain = |stream| std::future::ready(Ok((stream, Extensions::new())));
    accept(listener, limits, drain, plain, handler).await;
}

/// The same over TLS. The certificate of a client that has shown one is in its requests' extensions, as
/// [`super::ClientCertificate`].
#[cfg(feature = "tls")]
pub async fn serve_tls<H, F>(listener: TcpListener, tls: Tls, limits: Limits, drain: Drain, handler: H)
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let encrypted = move |stream| {
        let tls = tls.clone();
        async move {
            let (stream, certificate) = tls.accept(stream).await?;
            let mut extensions = Extensions::new();
            if let Some(certificate) = certificate {
                extensions.insert(certificate);
            }
            Ok((stream, extensions))
        }
    };
    accept(listener, limits, drain, encrypted, handler).await;
}

/// Accepts until the drain begins. `shake` makes of a connection one that carries HTTP, and says what its requests are
/// to carry along.
async fn accept<S, W, I, H, F>(listener: TcpListener, limits: Limits, drain: Drain, shake: S, handler: H)
where
    S: Fn(TcpStream) -> W,
    W: Future<Output = io::Result<(I, Extensions)>> + Send + 'static,
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(limits.header_timeout);
    http.http2().timer(TokioTimer::new()).max_concurrent_streams(limits.streams);
    let http = Arc::new(http);
    let slots = Arc::new(Semaphore::new(limits.connections));
    let connections = drain.child();

    loop {
        let slot = slots.clone().acquire_owned().await.expect("the semaphore is never closed");
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = drain.begun() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: give others time to close theirs.
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true); // fails only on a socket that is gone already
        let (http, handler, drain) = (http.clone(), handler.clone(), drain.clone());
        let shaking = shake(stream);
        connections.spawn(async move {
            let (stream, carried) = tokio::select! {
                shaken = shaking => match shaken {
                    Ok(shaken) => shaken,
                    Err(error) => return tracing::debug!(%peer, %error, "no handshake"),
                },
                () = drain.begun() => return,
            };
            let service = service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(Peer(peer));
                if !carried.is_empty() {
                    request.extensions_mut().extend(carried.clone());
                }
                let response = handler(request);
                async move { Ok::<_, Infallible>(response.await) }
            });
            let connection = http.serve_connection_with_upgrades(TokioIo::new(stream), service);
            tokio::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = drain.begun() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%peer, error, "connection ended early");
            }
            drop(slot);
        });
    }
    drop(listener);
    // The caller bounds the whole drain; a connection that never ends is its decision.
    connections.finish(Duration::from_secs(3600)).await;
}
