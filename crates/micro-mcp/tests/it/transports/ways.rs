//! Every way from a client to the fixture's server, with a place to cut it.

use std::{net::SocketAddr, sync::Arc};

use http::Request;
use hyper::body::Incoming;
use micro_mcp::{
    Handler, Notifier,
    client::{Builder, Client, Error},
    http::{Config, LegacySse, StreamableHttp},
    proto::{Era, Revision},
    transport::{self, Pipe, memory, websocket::WebSocket},
};
use micro_runtime::{
    Drain,
    http::{Guard, Limits, serve},
};
use parking_lot::Mutex;
use tokio::{
    io::{copy_bidirectional, duplex, split},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::fixture::{Waiting, server, waiting};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Http,
    HttpSse,
    WebSocket,
    Memory,
    Lines,
}

/// What is put into every request over HTTP on its way to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Door(pub(crate) Way);

/// A server, and the way to it.
pub(crate) struct Place {
    pub(crate) way: Way,
    pub(crate) waiting: Arc<Waiting>,
    pub(crate) notifier: Notifier,
    server: Arc<dyn Handler>,
    /// Where network clients connect to.
    pub(crate) address: SocketAddr,
    /// What carries bytes now, and accepts more.
    carriers: Arc<Mutex<JoinSet<()>>>,
    door: Mutex<Option<tokio_util::task::AbortOnDropHandle<()>>>,
    drain: Drain,
}

impl Way {
    pub(crate) const ALL: [Self; 5] = [Self::Http, Self::HttpSse, Self::WebSocket, Self::Memory, Self::Lines];

    pub(crate) fn speaks(self, revision: Revision) -> bool {
        match self {
            Self::Http => revision != Revision::V2024_11_05,
            Self::HttpSse => revision.era() == Era::Legacy,
            Self::WebSocket | Self::Memory | Self::Lines => true,
        }
    }

    pub(crate) fn is_limited_by_the_client(self) -> bool {
        !matches!(self, Self::Memory | Self::Lines)
    }
}

impl Place {
    pub(crate) async fn open(way: Way) -> Self {
        let waiting = waiting();
        let server = server(&waiting);
        let notifier = server.notifier();
        Self::serving(way, Arc::new(server), notifier, waiting).await
    }

    /// The same way to another server than the calculator.
    pub(crate) async fn serving(way: Way, server: Arc<dyn Handler>, notifier: Notifier, waiting: Arc<Waiting>) -> Self {
        let drain = Drain::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let behind = listener.local_addr().unwrap();
        let config = || Config { guard: Guard::default(), drain: drain.clone(), ..Config::default() };
        let http = StreamableHttp::new(server.clone(), config());
        let sse = LegacySse::new(server.clone(), config());
        let websocket = WebSocket::new(server.clone(), Guard::default(), drain.clone());
        let answer = move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Door(way));
            let (http, sse, websocket) = (http.clone(), sse.clone(), websocket.clone());
            async move {
                match way {
                    Way::HttpSse => sse.handle(request).await,
                    Way::WebSocket => websocket.handle(request),
                    _ => http.handle(request).await,
                }
            }
        };
        tokio::spawn(serve(listener, Limits::default(), drain.clone(), answer));

        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = door.local_addr().unwrap();
        let carriers: Arc<Mutex<JoinSet<()>>> = Arc::default();
        let carried = carriers.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((mut near, _)) = door.accept().await {
                carried.lock().spawn(async move {
                    if let Ok(mut far) = TcpStream::connect(behind).await {
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        });
        let door = Mutex::new(Some(tokio_util::task::AbortOnDropHandle::new(accepting)));
        Self { way, waiting, notifier, server, address, carriers, door, drain }
    }

    pub(crate) async fn connect(&self, builder: Builder) -> Result<Client, Error> {
        let address = self.address;
        match self.way {
            Way::Http | Way::HttpSse => builder.connect(&format!("http://{address}/mcp")).await,
            Way::WebSocket => builder.connect(&format!("ws://{address}/mcp")).await,
            Way::Memory | Way::Lines => {
                let (way, server, carriers, drain) =
                    (self.way, self.server.clone(), self.carriers.clone(), self.drain.clone());
                let make = move || {
                    let (ours, theirs) = match way {
                        Way::Memory => memory::pair(),
                        _ => {
                            let (ours, theirs) = duplex(64 << 10);
                            let lines = |end| {
                                let (reader, writer) = split(end);
                                Pipe::lines(reader, writer)
                            };
                            (lines(ours), lines(theirs))
                        }
                    };
                    let serving = transport::serve(server.clone(), theirs, drain.clone());
                    carriers.lock().spawn(async move { serving.await.unwrap_or_default() });
                    std::future::ready(Ok(ours))
                };
                builder.pipes(make).await
            }
        }
    }

    /// Breaks every connection. New ones can be made.
    pub(crate) fn cut(&self) {
        self.carriers.lock().abort_all();
    }

    /// Breaks every connection, and makes no other.
    pub(crate) fn kill(&self) {
        self.door.lock().take();
        self.cut();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.drain.begin();
    }
}
