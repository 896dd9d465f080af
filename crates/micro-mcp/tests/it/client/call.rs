//! Lists and calls.

use std::{sync::Arc, time::Duration};

use micro_mcp::{
    client::{Client, Error, Progress},
    proto::Revision,
};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{REVISIONS, connect};
use crate::fixture::{Endpoint, taken};

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

#[tokio::test]
async fn a_lost_session_is_begun_anew() {
    let endpoint = Endpoint::start().await;
    let client = connect(&endpoint, Revision::V2025_06_18).await;
    client.close().await;
    let sum: Value = client.call("add").args(&json!({ "a": 1, "b": 2 })).json().await.unwrap();
    assert_eq!(sum["sum"], 3);
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
