//! Calls that cannot reach a service.

use std::{sync::Arc, time::Duration};

use futures_core::future::BoxFuture;
use futures_util::{StreamExt, stream};
use micro_registry::{Event, Events, Instance, MemoryRegistry, Registry, Result};
use micro_rpc::{Caller, Client, Outgoing, Router};

use crate::fixture::{Probe, client, outgoing, start, text};

/// Puts a node into the registry at an address where nobody listens.
async fn dead_node(registry: &MemoryRegistry) {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let router = Router::new("probe", "1").handle(Probe::default());
    let instance = Instance::new(router.descriptor(), "dead", &gone.to_string());
    registry.register(&instance, Duration::from_secs(60)).await.unwrap();
}

#[tokio::test]
async fn an_idempotent_call_moves_on_to_a_living_node() {
    let registry = MemoryRegistry::default();
    dead_node(&registry).await;
    let _node = start(&registry, Probe::default()).await;
    let client = client(&registry);
    for _ in 0..20 {
        let call = Outgoing { idempotent: true, ..outgoing("Echo", "1") };
        assert_eq!(text(client.call(call).await).await.unwrap(), "1");
    }
}

#[tokio::test]
async fn other_calls_are_not_repeated_but_the_dead_node_is_avoided_after_one() {
    let registry = MemoryRegistry::default();
    dead_node(&registry).await;
    let _node = start(&registry, Probe::default()).await;
    let client = client(&registry);
    let mut failed = 0;
    for _ in 0..20 {
        failed += u32::from(client.call(outgoing("Echo", "1")).await.is_err());
    }
    assert!(failed <= 1, "{failed} calls went to the dead node");
}

#[tokio::test]
async fn a_node_that_hangs_is_preferred_no_longer() {
    let registry = MemoryRegistry::default();
    let hangs = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap(); // accepts, and says nothing
    let router = Router::new("probe", "1").handle(Probe::default());
    let instance = Instance::new(router.descriptor(), "hangs", &hangs.local_addr().unwrap().to_string());
    registry.register(&instance, Duration::from_secs(60)).await.unwrap();
    let _node = start(&registry, Probe::default()).await;
    let client = client(&registry);
    let mut failed = 0;
    for _ in 0..20 {
        let call = Outgoing { timeout: Some(Duration::from_millis(200)), ..outgoing("Echo", "1") };
        failed += u32::from(client.call(call).await.is_err());
    }
    assert!(failed <= 1, "{failed} calls went to the node that hangs");
}

#[tokio::test]
async fn with_only_dead_nodes_the_service_is_unavailable() {
    let registry = MemoryRegistry::default();
    dead_node(&registry).await;
    let call = Outgoing { idempotent: true, ..outgoing("Echo", "1") };
    assert_eq!(client(&registry).call(call).await.unwrap_err().code, 503);
}

#[tokio::test]
async fn an_unknown_service_and_an_unknown_endpoint_are_not_found() {
    let registry = MemoryRegistry::default();
    assert_eq!(client(&registry).call(outgoing("Echo", "1")).await.unwrap_err().code, 404);
    let _node = start(&registry, Probe::default()).await;
    let error = client(&registry).call(outgoing("Nothing", "1")).await.unwrap_err();
    assert_eq!((error.code, &*error.id), (404, "probe"));
}

/// A registry whose store cannot be reached.
#[derive(Debug)]
struct Down;

impl Registry for Down {
    fn register<'a>(&'a self, _: &'a Instance, _: Duration) -> BoxFuture<'a, Result<()>> {
        Box::pin(std::future::pending())
    }
    fn deregister<'a>(&'a self, _: &'a Instance) -> BoxFuture<'a, Result<()>> {
        Box::pin(std::future::pending())
    }
    fn list(&self) -> BoxFuture<'_, Result<Vec<Arc<Instance>>>> {
        Box::pin(std::future::pending())
    }
    fn watch(&self) -> Events {
        stream::iter([Event::Problem("connection refused".into())]).chain(stream::pending()).boxed()
    }
}

#[tokio::test]
async fn a_registry_that_is_down_is_not_an_unknown_service() {
    let error = Client::new(Arc::new(Down)).call(outgoing("Echo", "1")).await.unwrap_err();
    assert_eq!(error.code, 503);
    assert!(error.detail.contains("connection refused"), "{}", error.detail);
}
