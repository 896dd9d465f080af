//! Streaming endpoints, in process.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::{StreamExt, stream};
use micro::{Reply, Router, prelude::*};
use serde_json::json;

/// Counts the streams that are open.
#[derive(Clone, Default)]
struct Open(Arc<AtomicUsize>);

struct Guard(Open);

impl Open {
    fn open(&self) -> Guard {
        self.0.fetch_add(1, Ordering::SeqCst);
        Guard(self.clone())
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Logs {
    lines: Vec<String>,
    open: Open,
}

#[micro::service]
impl Logs {
    /// Follow a log: borrows the handler while it lasts.
    #[endpoint(read_only)]
    async fn tail(&self, cx: &Context, skip: usize) -> impl Stream<Item = Result<String>> {
        let guard = self.open.open();
        let account = cx.account().unwrap_or("nobody");
        stream::iter(&self.lines).skip(skip).map(move |line| {
            let _open = &guard;
            Ok(format!("{account}: {line}"))
        })
    }

    /// Count without end.
    #[endpoint]
    fn count(&self) -> impl Stream<Item = Result<usize>> {
        let guard = self.open.open();
        stream::iter(0..).map(move |number| {
            let _open = &guard;
            Ok(number)
        })
    }

    /// Follow a log that may not be there, and breaks.
    #[endpoint]
    async fn open(&self, topic: String) -> Result<impl Stream<Item = Result<String>>> {
        let missing = Error::not_found(format!("no log {topic}"));
        let items = match topic.as_str() {
            "here" => vec![Ok("one".to_owned()), Err(Error::unavailable("broken")), Ok("never".to_owned())],
            "closed" => vec![Err(missing)],
            _ => return Err(missing),
        };
        Ok(stream::iter(items))
    }
}

fn logs() -> (Router, Open) {
    let open = Open::default();
    let lines = ["a", "b", "c"].map(str::to_owned).to_vec();
    (Router::new("logs", "1").handle(Logs { lines, open: open.clone() }), open)
}

#[tokio::test]
async fn items_come_in_order_and_the_handler_is_let_go_at_the_end() {
    let (router, open) = logs();
    let lines: Vec<String> = router.call("Logs.Tail", json!({"skip": 1})).await.unwrap();
    assert_eq!(lines, ["nobody: b", "nobody: c"]);
    assert_eq!(open.count(), 0);
}

#[tokio::test]
async fn a_reader_who_goes_away_stops_the_handler() {
    let (router, open) = logs();
    let reply = router.dispatch("Logs.Count", Context::default(), "{}".into()).await.unwrap();
    let Reply::Stream(items) = reply else { panic!("{reply:?}") };
    let mut items = items;
    assert_eq!(items.next().await.unwrap().unwrap(), "0");
    assert_eq!(items.next().await.unwrap().unwrap(), "1");
    assert_eq!(open.count(), 1);
    drop(items);
    assert_eq!(open.count(), 0);
}

#[tokio::test]
async fn the_first_error_is_the_last_item() {
    let (router, _) = logs();
    let reply = router.dispatch("Logs.Open", Context::default(), r#"{"topic":"here"}"#.into()).await.unwrap();
    let Reply::Stream(items) = reply else { panic!("{reply:?}") };
    let items: Vec<_> = items.collect().await;
    assert_eq!(items.len(), 2);
    assert_eq!(items[0].as_ref().unwrap(), r#""one""#);
    assert_eq!(items[1].as_ref().unwrap_err().code, 503);
}

#[tokio::test]
async fn a_stream_that_fails_before_its_first_item_is_a_call_that_failed() {
    let (router, _) = logs();
    for topic in ["gone", "closed"] {
        let body = json!({"topic": topic}).to_string();
        let failed = router.dispatch("Logs.Open", Context::default(), body.into()).await.unwrap_err();
        assert_eq!((failed.code, &*failed.detail), (404, &*format!("no log {topic}")));
    }
}

#[test]
fn the_descriptor_says_what_streams_and_describes_one_item() {
    let (router, _) = logs();
    for endpoint in &router.descriptor().endpoints {
        assert!(endpoint.streaming, "{}", endpoint.name);
    }
    let output = router.descriptor().endpoints[0].output.clone().unwrap();
    assert_eq!(output.as_str(), r#"{"type":"string"}"#);
}
