//! Lists and calls.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use micro_mcp::{
    Cx, Failure, Layer, Refusal, Request,
    client::{AuthError, Client, Credentials, Error, Progress, Refused, Retry},
    layer::{self, Next},
    proto::{Revision, RpcError},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use url::Url;

use super::{REVISIONS, connect, connect_with};
use crate::fixture::{Endpoint, server, taken, waiting};

#[tokio::test]
async fn every_revision_lists_and_calls() {
    let endpoint = Endpoint::start().await;
    for revision in REVISIONS {
        let client = connect(&endpoint, revision).await;
        assert_eq!(client.revision().await.unwrap(), revision);
        assert_eq!(client.server().await.unwrap().capabilities.tools.map(|t| t.list_changed), Some(true));
        let tools = client.tools().await.unwrap(); // two on each page
        let named = |name: &str| tools.iter().any(|tool| tool.name == name);
        assert!(["add", "wait", "talk", "log", "region", "anything"].into_iter().all(named), "{revision}");
        let sum: Value = client.call("add").args(&json!({ "a": 1, "b": 2 })).json().await.unwrap();
        assert_eq!(sum, json!({ "sum": 3 }), "{revision}");
    }
}

#[tokio::test]
async fn without_a_wish_the_newest_revision_is_spoken() {
    let endpoint = Endpoint::start().await;
    let client = Client::connect(&format!("http://{}/mcp", endpoint.address)).await.unwrap();
    assert_eq!(client.revision().await.unwrap(), Revision::LATEST);
    assert_eq!(client.server().await.unwrap().implementation.name, "calculator");
}

#[tokio::test]
async fn progress_is_told_in_order() {
    let endpoint = Endpoint::start().await;
    for revision in REVISIONS {
        let client = connect(&endpoint, revision).await;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = seen.clone();
        let call = client.call("talk").progress(move |Progress { progress, .. }| told.lock().push(progress));
        assert!(!call.await.unwrap().is_error);
        assert_eq!(*seen.lock(), (0..200).map(f64::from).collect::<Vec<_>>(), "{revision}");
    }
}

#[tokio::test]
async fn a_dropped_call_is_cancelled() {
    let endpoint = Endpoint::start().await;
    for revision in REVISIONS {
        let client = connect(&endpoint, revision).await;
        {
            let call = client.call("wait").args(&json!({}));
            tokio::select! {
                outcome = call => panic!("{revision}: {outcome:?}"),
                () = taken(&endpoint.waiting.begun) => {}
            }
        }
        taken(&endpoint.waiting.dropped).await;
    }
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_given_up() {
    let endpoint = Endpoint::start().await;
    let client = connect(&endpoint, Revision::LATEST).await;
    for call in [
        client.call("wait").timeout(Duration::from_millis(50)),
        client.call("wait").deadline(Duration::from_millis(50)),
    ] {
        assert!(matches!(call.args(&json!({})).await, Err(Error::Timeout)));
        taken(&endpoint.waiting.dropped).await;
    }
}

/// Notes the session that the server gives.
#[derive(Debug, Clone, Default)]
struct Session(Arc<Mutex<Option<HeaderValue>>>);

impl Credentials for Session {
    fn authorize<'a>(
        &'a self,
        _: &'a mut HeaderMap,
        _: &'a Url,
        _: &'a Method,
    ) -> BoxFuture<'a, Result<(), AuthError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn challenged<'a>(&'a self, _: Refused<'a>) -> BoxFuture<'a, Result<Retry, AuthError>> {
        Box::pin(std::future::ready(Ok(Retry::No)))
    }

    fn answered(&self, _: &Url, headers: &HeaderMap) {
        if let Some(id) = headers.get("mcp-session-id") {
            *self.0.lock() = Some(id.clone());
        }
    }
}

#[tokio::test]
async fn a_lost_session_is_begun_anew() {
    let (endpoint, session) = (Endpoint::start().await, Session::default());
    let builder = Client::builder().revision(Revision::V2025_06_18).credentials(session.clone());
    let client = connect_with(&endpoint, builder).await;
    let id = session.0.lock().clone().expect("a session");
    endpoint.send("DELETE", &[("Mcp-Session-Id", id.to_str().unwrap())], b"").await.whole().await;
    let sum: Value = client.call("add").args(&json!({ "a": 1, "b": 2 })).json().await.unwrap();
    assert_eq!(sum["sum"], 3);
    assert_ne!(session.0.lock().clone(), Some(id), "in another session");
}

/// Turns the first two calls away.
struct Busy(AtomicUsize);

impl Layer for Busy {
    fn handle<'a>(
        &'a self,
        cx: &'a Cx<'a>,
        request: &'a Request<'a>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Bytes, Failure>> {
        Box::pin(async move {
            if request.method() == "tools/call" && self.0.fetch_add(1, Ordering::SeqCst) < 2 {
                let error = RpcError::new(-31_429, "too many");
                let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, error);
                return Err(Refusal { retry_after: Some(1), ..refusal }.into());
            }
            next.handle(cx, request).await
        })
    }
}

#[tokio::test]
async fn a_server_that_has_too_much_to_do_is_asked_again_when_it_says() {
    for revision in [Revision::V2025_11_25, Revision::V2026_07_28] {
        let waiting = waiting();
        let server = server(&waiting);
        let notifier = server.notifier();
        let busy = Busy(AtomicUsize::new(0)).around(Arc::new(server));
        let endpoint = Endpoint::answering(busy, notifier, waiting, |config| config).await;
        let builder = || Client::builder().revision(revision);
        let refused = connect_with(&endpoint, builder()).await.call("add").await.unwrap_err();
        assert!(refused.is_transient() && refused.code() == Some(-31_429), "{revision}: {refused:?}");
        let retry = layer::Retry::new(2).idempotent("add").pauses(Duration::from_millis(1), Duration::from_secs(5));
        let client = connect_with(&endpoint, builder().layer(retry)).await;
        let begun = Instant::now();
        let sum: Value = client.call("add").args(&json!({ "a": 1, "b": 2 })).json().await.unwrap();
        assert_eq!(sum["sum"], 3, "{revision}");
        assert!(begun.elapsed() >= Duration::from_secs(1), "{revision}: not before it said");
    }
}

#[tokio::test]
async fn failures_say_what_failed() {
    let endpoint = Endpoint::start().await;
    let client = connect(&endpoint, Revision::LATEST).await;
    assert_eq!(client.call("nothing").await.unwrap_err().code(), Some(-32602));
    let wrong = client.call("add").args(&json!({ "a": "x" })).json::<Value>().await;
    assert!(matches!(wrong, Err(Error::Tool(_))), "{wrong:?}");
    assert_eq!(client.request("no/such", &json!({})).await.unwrap_err().code(), Some(-32601));
    let closed = Client::connect("http://127.0.0.1:1/mcp").await;
    assert!(matches!(closed, Err(Error::Unreachable(_))));
    assert!(matches!(Client::connect("ftp://x").await, Err(Error::Address(_))));
}

#[tokio::test]
async fn mirrored_arguments_are_learned_from_the_list() {
    let endpoint = Endpoint::start().await;
    let client = connect(&endpoint, Revision::LATEST).await;
    // The tool was never listed: the server refuses, the client looks, and tries again.
    let result = client.call("region").args(&json!({ "region": "東" })).await.unwrap();
    assert_eq!(serde_json::to_value(&result.content).unwrap()[0]["text"], "東");
}
