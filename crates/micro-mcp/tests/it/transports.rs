//! One set of behaviours, over every transport, in both eras.

mod child;
mod tls;
pub(crate) mod ways;

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use http::StatusCode;
use micro_mcp::{
    Change, Handler, Layer, Peer, Principal, Refusal, Request,
    client::{Builder, Changed, Client, Error},
    proto::{CreateMessageResult, ElicitResult, LogLevel, Revision, Root, RpcError},
};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use self::ways::{Door, Place, Way};
use crate::fixture::{server, taken, waiting};

/// The newest of both eras, and the one the first HTTP transport was made for.
const REVISIONS: [Revision; 3] = [Revision::V2026_07_28, Revision::V2025_11_25, Revision::V2024_11_05];

/// Runs a behaviour over every transport in every era that it has.
async fn everywhere(behaviour: impl AsyncFn(&Place, Client)) {
    everywhere_with(|builder| builder, behaviour).await;
}

async fn everywhere_with(configure: impl Fn(Builder) -> Builder, behaviour: impl AsyncFn(&Place, Client)) {
    for way in Way::ALL {
        for revision in REVISIONS {
            if way.speaks(revision) {
                let place = Place::open(way).await;
                let client = place.connect(configure(Client::builder().revision(revision))).await;
                let client = client.unwrap_or_else(|error| panic!("{way:?} {revision}: {error:?}"));
                let behaving = tokio::time::timeout(Duration::from_secs(30), behaviour(&place, client));
                behaving.await.unwrap_or_else(|_| panic!("{way:?} {revision}: it takes too long"));
            }
        }
    }
}

#[tokio::test]
async fn tools_are_listed_and_called() {
    everywhere(async |place, client| {
        let tools = client.tools().await.unwrap();
        assert!(tools.iter().any(|tool| tool.name == "add"), "{:?}", place.way);
        let sum: Value = client.call("add").args(&json!({ "a": 1, "b": 2 })).json().await.unwrap();
        assert_eq!(sum["sum"], 3);
        assert_eq!(client.call("nothing").await.unwrap_err().code(), Some(-32602));
    })
    .await;
}

/// Lets in who came through the door of its way.
struct Porter(Way);

impl Layer for Porter {
    fn authenticate(&self, peer: &Peer<'_>, _: &Request<'_>, _: &dyn Handler) -> Result<Principal, Refusal> {
        let door = peer.extensions.and_then(|extensions| extensions.get::<Door>());
        let known = door == Some(&Door(self.0)) || peer.headers.is_none();
        let stranger = || Refusal::new(StatusCode::FORBIDDEN, RpcError::invalid_request("no door"));
        known.then(|| Principal::named("guest")).ok_or_else(stranger)
    }
}

#[tokio::test]
async fn what_was_put_into_a_request_is_shown_with_each_message() {
    for way in Way::ALL {
        let waiting = waiting();
        let server = server(&waiting);
        let notifier = server.notifier();
        let place = Place::serving(way, Porter(way).around(Arc::new(server)), notifier, waiting).await;
        let client = place.connect(Client::builder()).await.unwrap_or_else(|error| panic!("{way:?}: {error:?}"));
        let sum: Value = client.call("add").args(&json!({ "a": 1, "b": 2 })).json().await.unwrap();
        assert_eq!(sum["sum"], 3, "{way:?}");
    }
}

#[tokio::test]
async fn the_era_is_found_out() {
    for way in Way::ALL {
        let place = Place::open(way).await;
        let client = place.connect(Client::builder()).await.unwrap_or_else(|error| panic!("{way:?}: {error:?}"));
        let newest = REVISIONS.into_iter().find(|revision| way.speaks(*revision)).unwrap();
        assert_eq!(client.revision().await.unwrap(), newest, "{way:?}");
        assert_eq!(client.server().await.unwrap().implementation.name, "calculator");
    }
}

#[tokio::test]
async fn calls_run_side_by_side() {
    everywhere(async |_, client| {
        let call = async |n: i64| client.call("add").args(&json!({ "a": n, "b": n })).json::<Value>().await.unwrap();
        let calls: FuturesUnordered<_> = (0..50).map(async |n| (n, call(n).await)).collect();
        let sums: Vec<_> = calls.collect().await;
        assert!(sums.len() == 50 && sums.iter().all(|(n, sum)| sum["sum"] == 2 * n), "{sums:?}");
    })
    .await;
}

#[tokio::test]
async fn progress_is_told_in_order() {
    everywhere(async |place, client| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = seen.clone();
        client.call("talk").progress(move |how_far| told.lock().push(how_far.progress)).await.unwrap();
        assert_eq!(*seen.lock(), (0..200).map(f64::from).collect::<Vec<_>>(), "{:?}", place.way);
    })
    .await;
}

#[tokio::test]
async fn the_log_is_told() {
    let (told, lines) = mpsc::unbounded_channel();
    let lines = tokio::sync::Mutex::new(lines);
    let configure = |builder: Builder| {
        let told = told.clone();
        builder.on_log(LogLevel::Info, move |line| told.send(line.level).unwrap_or_default())
    };
    everywhere_with(configure, async |_, client| {
        client.call("log").await.unwrap();
        let mut lines = lines.lock().await;
        assert_eq!((lines.recv().await, lines.recv().await), (Some(LogLevel::Info), Some(LogLevel::Error)));
    })
    .await;
}

#[tokio::test]
async fn the_server_may_ask_back() {
    let configure = |builder: Builder| {
        let builder = builder.on_roots(|| async { vec![Root::default(), Root::default()] });
        let builder = builder.on_sampling(|asked| async move {
            assert_eq!(asked.max_tokens, 10);
            Ok(CreateMessageResult::text("m", "Yes"))
        });
        // The town is left out: its default is in the schema.
        builder.on_form(|_| async { ElicitResult::accept(Map::from_iter([("name".to_owned(), "Ann".into())])) })
    };
    everywhere_with(configure, async |place, client| {
        let revision = client.revision().await.unwrap();
        let asked = client.call("ask").await.unwrap();
        assert_eq!(asked.content[0].as_text(), Some("Yes in 2 roots"), "{:?} {revision}", place.way);
        if revision >= Revision::V2025_06_18 {
            let greeted = client.call("greet").await.unwrap();
            assert_eq!(greeted.content[0].as_text(), Some("Ann of Nowhere"), "{:?} {revision}", place.way);
        }
    })
    .await;
}

#[tokio::test]
async fn a_callback_that_panics_fails_its_call_and_nothing_else() {
    let configure = |builder: Builder| {
        let builder = builder.on_sampling(|_| async { panic!("a callback panics") });
        builder.on_roots(|| async { Vec::new() })
    };
    everywhere_with(configure, async |place, client| {
        let outcome = client.call("ask").await;
        assert!(outcome.as_ref().map_or(true, |result| result.is_error), "{:?}: {outcome:?}", place.way);
        assert!(client.call("add").args(&json!({ "a": 1, "b": 2 })).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_tool_that_panics_fails_its_call_and_nothing_else() {
    everywhere(async |place, client| {
        // One that has spoken before has a stream, which must end too.
        for outcome in [client.call("panic").await, client.call("panic").progress(|_| ()).await] {
            assert_eq!(outcome.map_err(|error| error.code()), Err(Some(-32603)), "{:?}", place.way);
        }
        assert!(client.call("add").args(&json!({ "a": 1, "b": 2 })).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn mirrored_arguments_are_asked_for_where_messages_have_headers_only() {
    everywhere(async |place, client| {
        client.tools().await.unwrap(); // says which are mirrored
        let region = client.call("region").args(&json!({ "region": "eu" })).await.unwrap();
        assert_eq!(region.content[0].as_text(), Some("eu"), "{:?}", place.way);
    })
    .await;
}

#[tokio::test]
async fn where_answers_need_the_connection_calls_end_with_it() {
    for way in [Way::WebSocket, Way::HttpSse] {
        let place = Place::open(way).await;
        let client = place.connect(Client::builder().revision(Revision::V2025_06_18)).await.unwrap();
        let (outcome, ()) = tokio::join!(client.call("wait").into_future(), async {
            taken(&place.waiting.begun).await;
            place.kill();
            taken(&place.waiting.dropped).await;
        });
        assert!(outcome.is_err(), "{way:?}");
    }
}

#[tokio::test]
async fn a_dropped_call_is_cancelled() {
    everywhere(async |place, client| {
        {
            let call = client.call("wait");
            tokio::select! {
                outcome = call => panic!("{:?}: {outcome:?}", place.way),
                () = taken(&place.waiting.begun) => {}
            }
        }
        taken(&place.waiting.dropped).await;
        // What was cancelled is nobody else's trouble.
        assert!(client.call("add").args(&json!({ "a": 1, "b": 2 })).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn changes_are_heard() {
    let (told, heard) = mpsc::unbounded_channel();
    let heard = tokio::sync::Mutex::new(heard);
    let configure = |builder: Builder| {
        let told = told.clone();
        builder.on_change(move |change| told.send(change).unwrap_or_default())
    };
    everywhere_with(configure, async |place, client| {
        client.watching().await.unwrap();
        place.notifier.changed(Change::Tools);
        assert_eq!(heard.lock().await.recv().await, Some(Changed::Tools), "{:?}", place.way);
    })
    .await;
}

#[tokio::test]
async fn large_messages_pass_both_ways() {
    everywhere(async |place, client| {
        let text = "x".repeat(256 << 10);
        let echoed: Value = client.call("echo").args(&json!({ "text": text })).json().await.unwrap();
        assert!(echoed["text"] == text.as_str(), "{:?}", place.way);
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_too_long_is_an_error_and_nothing_hangs() {
    let small = |builder: Builder| builder.message_limit(64 << 10).timeout(Duration::from_secs(1));
    everywhere_with(small, async |place, client| {
        // Ways that are made elsewhere have their own limit.
        let text = "x".repeat(if place.way.is_limited_by_the_client() { 128 << 10 } else { 1 });
        let outcome = client.call("echo").args(&json!({ "text": text })).await;
        assert_eq!(outcome.is_err(), place.way.is_limited_by_the_client(), "{:?}: {outcome:?}", place.way);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_dies_fails_its_calls_at_once() {
    everywhere(async |place, client| {
        let call = client.call("wait");
        let (outcome, ()) = tokio::join!(call.into_future(), async {
            taken(&place.waiting.begun).await;
            place.kill();
        });
        let lost = matches!(outcome, Err(Error::Disconnected | Error::Unreachable(_) | Error::Closed));
        assert!(lost, "{:?}: {outcome:?}", place.way);
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_was_lost_is_made_anew() {
    everywhere(async |place, client| {
        place.cut();
        // What is under way when the connection breaks is lost; what comes after is not.
        let call = || client.call("add").args(&json!({ "a": 1, "b": 2 })).into_future();
        let sum = match call().await {
            Ok(sum) => sum,
            Err(Error::Disconnected | Error::Unreachable(_)) => call().await.unwrap(),
            Err(error) => panic!("{:?}: {error:?}", place.way),
        };
        assert!(!sum.is_error);
    })
    .await;
}
