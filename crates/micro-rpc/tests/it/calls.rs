//! Calls that reach a service.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use micro_core::Context;
use micro_registry::MemoryRegistry;
use micro_rpc::{Caller, Outgoing, Reply};

use crate::fixture::{Probe, client, outgoing, start, text};

#[tokio::test]
async fn arguments_and_results_travel_untouched() {
    let registry = MemoryRegistry::default();
    let _node = start(&registry, Probe::default()).await;
    let body = r#"{ "odd" : 1.0e0, "unicode":"é\u0000" }"#;
    assert_eq!(text(client(&registry).call(outgoing("Echo", body)).await).await.unwrap(), body);
}

#[tokio::test]
async fn metadata_and_the_deadline_are_carried_over_the_wire() {
    let registry = MemoryRegistry::default();
    let _node = start(&registry, Probe::default()).await;
    let mut cx = Context::default().until(Instant::now() + Duration::from_secs(7));
    cx.metadata.set("Mcp-Account-Id", "alice");
    cx.metadata.set("authorization", "Bearer secret");
    let reply = client(&registry).call(Outgoing { cx, ..outgoing("Context", "{}") }).await;
    let (left, pairs): (f64, Vec<(String, String)>) = serde_json::from_str(&text(reply).await.unwrap()).unwrap();
    assert!((5.0..=7.0).contains(&left), "{left}");
    assert_eq!(pairs, [("mcp-account-id".to_owned(), "alice".to_owned())]);
}

#[tokio::test]
async fn an_error_keeps_its_code_and_detail() {
    let registry = MemoryRegistry::default();
    let _node = start(&registry, Probe::default()).await;
    let error = client(&registry).call(outgoing("Fail", "{}")).await.unwrap_err();
    assert_eq!((error.code, &*error.detail, &*error.id), (409, "the name is taken", "probe"));
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_the_service_lives() {
    let registry = MemoryRegistry::default();
    let _node = start(&registry, Probe::default()).await;
    let client = client(&registry);
    assert_eq!(client.call(outgoing("Panic", "{}")).await.unwrap_err().code, 500);
    assert_eq!(text(client.call(outgoing("Echo", "1")).await).await.unwrap(), "1");
}

#[tokio::test]
async fn a_stream_comes_item_by_item() {
    let registry = MemoryRegistry::default();
    let _node = start(&registry, Probe::default()).await;
    assert_eq!(text(client(&registry).call(outgoing("Count", "{}")).await).await.unwrap(), "1 2 3");
}

#[tokio::test]
async fn dropping_a_stream_stops_the_handler() {
    let registry = MemoryRegistry::default();
    let probe = Probe::default();
    let dropped = probe.dropped.clone();
    let _node = start(&registry, probe).await;
    let Ok(Reply::Stream(mut items)) = client(&registry).call(outgoing("Forever", "{}")).await else { panic!() };
    assert_eq!(items.next().await.unwrap().unwrap(), "0");
    drop(items);
    dropped.notified().await;
}

#[tokio::test]
async fn a_stream_that_falls_silent_ends_with_an_error_and_stops_the_handler() {
    let registry = MemoryRegistry::default();
    let probe = Probe::default();
    let dropped = probe.dropped.clone();
    let _node = start(&registry, probe).await;
    let call = Outgoing { timeout: Some(Duration::from_millis(100)), ..outgoing("Silent", "{}") };
    assert_eq!(text(client(&registry).call(call).await).await.unwrap_err().code, 408);
    dropped.notified().await;
}

#[tokio::test]
async fn a_caller_that_goes_away_cancels_the_handler() {
    let registry = MemoryRegistry::default();
    let probe = Probe::default();
    let (began, dropped) = (probe.began.clone(), probe.dropped.clone());
    let _node = start(&registry, probe).await;
    let client = client(&registry);
    let call = tokio::spawn(async move { client.call(outgoing("Wait", "{}")).await });
    began.notified().await;
    call.abort();
    dropped.notified().await;
}

#[tokio::test]
async fn the_deadline_ends_the_call_on_both_sides() {
    let registry = MemoryRegistry::default();
    let probe = Probe::default();
    let dropped = probe.dropped.clone();
    let _node = start(&registry, probe).await;
    let call = Outgoing { timeout: Some(Duration::from_millis(50)), ..outgoing("Wait", "{}") };
    assert_eq!(client(&registry).call(call).await.unwrap_err().code, 408);
    dropped.notified().await;
}

#[tokio::test]
async fn a_drain_lets_open_calls_finish_and_takes_no_new_ones() {
    let registry = MemoryRegistry::default();
    let probe = Probe::default();
    let (began, release) = (probe.began.clone(), probe.release.clone());
    let node = start(&registry, probe).await;
    let client = client(&registry);
    let open = tokio::spawn({
        let client = client.clone();
        async move { text(client.call(outgoing("Wait", "{}")).await).await }
    });
    began.notified().await;
    node.drain.begin();
    // Refused as soon as the listener is gone.
    while tokio::net::TcpStream::connect(node.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    release.notify_one();
    assert_eq!(open.await.unwrap().unwrap(), "\"released\"");
    node.serving.await.unwrap().unwrap();
    // Unreachable until the client has heard of it; then nobody offers it.
    let heard = async {
        while client.call(outgoing("Echo", "1")).await.unwrap_err().code == 503 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), heard).await.expect("the client hears of it");
    assert_eq!(client.call(outgoing("Echo", "1")).await.unwrap_err().code, 404);
}
