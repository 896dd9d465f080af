//! A service written by hand, and the means to run and call it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::{StreamExt, stream};
use micro_core::{Context, EndpointDescriptor, Error, HandlerDescriptor, Hints, Result, Schema};
use micro_registry::{MemoryRegistry, Registry};
use micro_rpc::{Client, Config, Outgoing, Reply, Router, Server, Service};
use micro_runtime::Drain;
use tokio::{sync::Notify, task::JoinHandle};

/// Endpoints that do what their names say.
#[derive(Default)]
pub(crate) struct Probe {
    /// Told when a waiting endpoint begins and when it is dropped.
    pub(crate) began: Arc<Notify>,
    pub(crate) dropped: Arc<Notify>,
    /// Lets `Wait` finish.
    pub(crate) release: Arc<Notify>,
}

const ENDPOINTS: [&str; 8] = ["Echo", "Fail", "Panic", "Wait", "Count", "Forever", "Silent", "Context"];

struct OnDrop(Arc<Notify>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Service for Probe {
    fn descriptor() -> HandlerDescriptor {
        let endpoint = |name: &&str| EndpointDescriptor {
            name: format!("Probe.{name}"),
            title: None,
            description: format!("Does {name}."),
            examples: Vec::new(),
            scopes: Vec::new(),
            hints: Hints::default(),
            timeout: None,
            cost: None,
            cache: None,
            input: Schema::parse(r#"{"type":"object"}"#).unwrap(),
            output: None,
            streaming: false,
        };
        HandlerDescriptor {
            name: "Probe".into(),
            description: "A probe.".into(),
            endpoints: ENDPOINTS.iter().map(endpoint).collect(),
        }
    }

    fn dispatch(self: Arc<Self>, endpoint: usize, cx: Context, body: Bytes) -> BoxFuture<'static, Result<Reply>> {
        Box::pin(async move {
            match ENDPOINTS[endpoint] {
                "Echo" => Ok(Reply::Value(body)),
                "Fail" => Err(Error::conflict("the name is taken")),
                "Panic" => panic!("as asked"),
                "Wait" => {
                    let _guard = OnDrop(self.dropped.clone());
                    self.began.notify_one();
                    self.release.notified().await;
                    Ok(Reply::Value("\"released\"".into()))
                }
                "Count" => Ok(Reply::Stream(stream::iter((1..=3).map(|n| Ok(n.to_string().into()))).boxed())),
                "Silent" => {
                    let guard = OnDrop(self.dropped.clone());
                    Ok(Reply::Stream(stream::pending().inspect(move |_| _ = &guard).boxed()))
                }
                "Forever" => {
                    let guard = OnDrop(self.dropped.clone());
                    let items = stream::unfold(0_u32, |n| async move {
                        tokio::task::yield_now().await;
                        Some((Ok(n.to_string().into()), n + 1))
                    });
                    Ok(Reply::Stream(items.inspect(move |_| _ = &guard).boxed()))
                }
                _ => {
                    let left =
                        cx.deadline.map(|d| d.saturating_duration_since(std::time::Instant::now()).as_secs_f64());
                    let pairs: Vec<_> = cx.metadata.iter().collect();
                    Ok(Reply::Value(serde_json::to_vec(&(left, pairs)).unwrap().into()))
                }
            }
        })
    }
}

/// A running node of the service `probe`.
pub(crate) struct Running {
    pub(crate) address: std::net::SocketAddr,
    pub(crate) drain: Drain,
    pub(crate) serving: JoinHandle<Result<()>>,
}

pub(crate) async fn start(registry: &MemoryRegistry, probe: Probe) -> Running {
    let config = Config { linger: Duration::ZERO, body_limit: 1024, ..Config::default() };
    let router = Router::new("probe", "1").handle(probe);
    let server: Server = config.build(router, Arc::new(registry.clone())).await.unwrap();
    let (address, drain) = (server.address(), Drain::new());
    let serving = tokio::spawn(server.run(drain.clone()));
    registered(registry, address).await;
    Running { address, drain, serving }
}

/// Waits until the registry shows a node at this address.
pub(crate) async fn registered(registry: &MemoryRegistry, address: std::net::SocketAddr) {
    let mut known = micro_registry::Snapshot::default();
    let mut events = registry.watch();
    while !known.instances().any(|i| i.node.address == address.to_string()) {
        known.apply(&events.next().await.unwrap());
    }
}

pub(crate) fn outgoing(endpoint: &str, body: &str) -> Outgoing {
    Outgoing {
        service: "probe".into(),
        endpoint: format!("Probe.{endpoint}").into(),
        cx: Context::default(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        idempotent: false,
        timeout: None,
    }
}

pub(crate) fn client(registry: &MemoryRegistry) -> Client {
    Client::new(Arc::new(registry.clone()))
}

/// The whole answer as text.
pub(crate) async fn text(reply: Result<Reply>) -> Result<String> {
    match reply? {
        Reply::Value(json) => Ok(String::from_utf8(json.to_vec()).unwrap()),
        Reply::Stream(items) => {
            let items: Vec<Result<Bytes>> = items.collect().await;
            let items: Result<Vec<Bytes>> = items.into_iter().collect();
            Ok(items?.iter().map(|i| String::from_utf8_lossy(i).into_owned()).collect::<Vec<_>>().join(" "))
        }
    }
}
