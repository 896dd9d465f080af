//! Layers around a client, and the trace context that goes through both sides.

use std::{future::IntoFuture, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use micro_mcp::{
    CallContext, CallError, CallParams, Cx, Failure, Layer, NoArgs, Request, Server, TraceContext,
    client::{Builder, Client, Error},
    layer::{Limit, Next, Record, Retry, Trace},
    proto::{Revision, ToolAnnotations},
    transport::{self, memory},
};
use micro_runtime::Drain;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::connect_with;
use crate::{
    fixture::{Endpoint, taken, waiting},
    transports::ways::{Place, Way},
};

type Notes = Arc<Mutex<Vec<String>>>;

/// Notes what goes by: methods, tools, and how it ended.
fn noting(notes: &Notes, who: &'static str) -> Record {
    let notes = notes.clone();
    Record::to(move |said| {
        let ended = match said.answer {
            Ok(result) => format!("{}", String::from_utf8_lossy(result).contains("resultType")),
            Err(error) => error.code.to_string(),
        };
        notes.lock().push(format!("{who} {} {} {ended}", said.method, said.tool.unwrap_or("-")));
    })
}

fn taken_notes(notes: &Notes) -> Vec<String> {
    std::mem::take(&mut notes.lock())
}

#[tokio::test]
async fn the_layer_put_around_last_sees_a_request_first() {
    for way in Way::ALL.into_iter().filter(|way| way.speaks(Revision::LATEST)) {
        let (place, notes) = (Place::open(way).await, Notes::default());
        let builder = Client::builder().layer(noting(&notes, "inner")).layer(noting(&notes, "outer"));
        let client = place.connect(builder).await.unwrap();
        let sum: Value = client.call("add").args(&json!({ "a": 1, "b": 2 })).json().await.unwrap();
        assert_eq!(sum["sum"], 3, "{way:?}");
        assert_eq!(taken_notes(&notes), ["inner tools/call add true", "outer tools/call add true"], "{way:?}");
        assert_eq!(client.call("nobody").await.unwrap_err().code(), Some(-32602), "{way:?}");
        assert_eq!(taken_notes(&notes), ["inner tools/call nobody -32602", "outer tools/call nobody -32602"]);
        client.request("completion/complete", &json!({})).await.unwrap_err();
        assert_eq!(taken_notes(&notes).len(), 2, "{way:?}");
        place.kill();
        let lost = client.call("add").await;
        let lost = matches!(lost, Err(Error::Disconnected | Error::Unreachable(_) | Error::Closed));
        assert!(lost, "{way:?}: an error of the client's stays what it is");
    }
}

/// Gives tools other names.
struct Renamed(&'static str, &'static str);

impl Layer for Renamed {
    fn handle<'a>(
        &'a self,
        cx: &'a Cx<'a>,
        request: &'a Request<'a>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Bytes, Failure>> {
        match request {
            Request::CallTool(call) if call.name == self.0 => Box::pin(async move {
                let call = Request::CallTool(CallParams { name: self.1.into(), ..call.clone() });
                next.handle(cx, &call).await
            }),
            _ => next.handle(cx, request),
        }
    }
}

#[tokio::test]
async fn a_layer_may_change_a_request() {
    let endpoint = Endpoint::start().await;
    let client = connect_with(&endpoint, Client::builder().layer(Renamed("land", "region"))).await;
    // Its headers are those of the changed request, learned from the list as ever.
    let result = client.call("land").args(&json!({ "region": "東" })).await.unwrap();
    assert_eq!(result.content[0].as_text(), Some("東"));
}

#[tokio::test]
async fn a_limit_turns_away_what_is_too_much_at_once() {
    let endpoint = Endpoint::start().await;
    let client = connect_with(&endpoint, Client::builder().layer(Limit::new(1))).await;
    let (first, second) = tokio::join!(client.call("wait").into_future(), async {
        taken(&endpoint.waiting.begun).await;
        let second = client.call("add").args(&json!({ "a": 1, "b": 2 })).await;
        endpoint.waiting.go.add_permits(1);
        second
    });
    assert!(first.is_ok());
    assert_eq!(second.unwrap_err().code(), Some(-31_429));
}

/// Fails without a word of MCP.
struct Broken;

impl Layer for Broken {
    fn handle<'a>(&'a self, _: &'a Cx<'a>, _: &'a Request<'a>, _: Next<'a>) -> BoxFuture<'a, Result<Bytes, Failure>> {
        Box::pin(async { Err(Failure::Inner("out of ink".into())) })
    }
}

#[tokio::test]
async fn a_layer_that_fails_is_told_from_the_server() {
    let endpoint = Endpoint::start().await;
    let client = connect_with(&endpoint, Client::builder().layer(Broken)).await;
    assert!(matches!(client.call("add").await, Err(Error::Layer(why)) if why.to_string() == "out of ink"));
    // A handler that fails so says nothing of it.
    let server = Broken.around(Arc::new(crate::fixture::server(&waiting())));
    let (ours, theirs) = memory::pair();
    tokio::spawn(transport::serve(server, theirs, Drain::new()));
    let error = Client::builder().pipe(ours).await.unwrap().call("add").await.unwrap_err();
    assert_eq!((error.code(), error.to_string().contains("ink")), (Some(-32603), false));
}

// === retry ===

/// Three attempts, without long pauses.
fn retry() -> Retry {
    Retry::new(3).pauses(Duration::from_millis(1), Duration::from_millis(5))
}

/// Calls a tool that waits, and cuts the connection once before letting it finish.
async fn cut_once(place: &Place, client: &Client, tool: &str) -> Result<(), Error> {
    let (outcome, ()) = tokio::join!(client.call(tool).into_future(), async {
        taken(&place.waiting.begun).await;
        place.cut();
        taken(&place.waiting.dropped).await;
        place.waiting.go.add_permits(1);
    });
    // Nothing is left for the next call.
    place.waiting.begun.forget_permits(usize::MAX);
    place.waiting.go.forget_permits(usize::MAX);
    outcome.map(drop)
}

#[tokio::test]
async fn only_what_does_no_harm_twice_is_tried_again() {
    for way in Way::ALL.into_iter().filter(|way| way.speaks(Revision::LATEST)) {
        let (place, notes) = (Place::open(way).await, Notes::default());
        let safe = Client::builder().layer(noting(&notes, "sent")).layer(retry().idempotent("wait"));
        let client = place.connect(safe).await.unwrap();
        cut_once(&place, &client, "wait").await.unwrap_or_else(|error| panic!("{way:?}: {error:?}"));
        assert_eq!(taken_notes(&notes).len(), 2, "{way:?}");

        let place = Place::open(way).await;
        let client = place.connect(Client::builder().layer(noting(&notes, "sent")).layer(retry())).await.unwrap();
        let outcome = cut_once(&place, &client, "wait").await;
        assert!(matches!(outcome, Err(Error::Disconnected | Error::Unreachable(_))), "{way:?}: {outcome:?}");
        assert_eq!(taken_notes(&notes).len(), 1, "{way:?}");
        assert_eq!(client.call("nobody").await.unwrap_err().code(), Some(-32602), "{way:?}");
        assert_eq!(taken_notes(&notes).len(), 1, "{way:?}: an answer is an answer");
    }
}

#[tokio::test]
async fn the_hints_of_a_listed_tool_say_whether_it_is_tried_again() {
    let (waits, notes) = (waiting(), Notes::default());
    let (look, write) = (waits.clone(), waits.clone());
    let server = Server::builder("hinting", "1.0")
        .tool("look")
        .annotations(ToolAnnotations { read_only_hint: Some(true), ..ToolAnnotations::default() })
        .handler(move |_: NoArgs| wait(look.clone()))
        .tool("write")
        .handler(move |_: NoArgs| wait(write.clone()))
        .build()
        .unwrap();
    let notifier = server.notifier();
    let place = Place::serving(Way::Http, Arc::new(server), notifier, waits).await;
    let client = place.connect(Client::builder().layer(noting(&notes, "sent")).layer(retry())).await.unwrap();
    client.tools().await.unwrap();
    taken_notes(&notes);
    for (tool, attempts) in [("write", 1), ("look", 2)] {
        let outcome = cut_once(&place, &client, tool).await;
        assert_eq!((outcome.is_ok(), taken_notes(&notes).len()), (attempts > 1, attempts), "{tool}: {outcome:?}");
    }
}

async fn wait(waits: Arc<crate::fixture::Waiting>) -> &'static str {
    waits.wait().await;
    "waited"
}

#[tokio::test]
async fn a_server_that_stays_away_is_given_up() {
    let (place, notes) = (Place::open(Way::Http).await, Notes::default());
    let builder = Client::builder().layer(noting(&notes, "sent")).layer(retry());
    let client = place.connect(builder).await.unwrap();
    place.kill();
    let outcome = client.tools().await;
    assert!(outcome.as_ref().is_err_and(Error::is_transient), "{outcome:?}");
    assert_eq!(taken_notes(&notes).len(), 3);
}

// === trace context ===

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";

fn context(baggage: &str) -> TraceContext {
    TraceContext { baggage: Some(baggage.to_owned()), ..TraceContext::new(PARENT).unwrap() }
}

/// Tools that tell the context they are called in, and that pass a call on to `next`.
async fn telling(next: Option<Client>, builder: Builder) -> Client {
    let server = Server::builder("telling", "1.0")
        .tool("context")
        .handler(|cx: CallContext, _: NoArgs| async move {
            let context = cx.trace.map(|context| (context.traceparent, context.baggage.unwrap_or_default()));
            format!("{context:?}")
        })
        .tool("next")
        .handler(move |_: NoArgs| {
            let next = next.clone();
            async move {
                let next = next.ok_or("nobody is next")?;
                let told = next.call("context").await.map_err(|error| error.to_string())?;
                Ok::<_, CallError>(told.content[0].as_text().unwrap_or_default().to_owned())
            }
        })
        .build()
        .unwrap();
    let (ours, theirs) = memory::pair();
    tokio::spawn(transport::serve(Trace.around(Arc::new(server)), theirs, Drain::new()));
    builder.pipe(ours).await.unwrap()
}

async fn told(client: &Client, tool: &str) -> String {
    client.call(tool).await.unwrap().content[0].as_text().unwrap().to_owned()
}

#[tokio::test]
async fn a_request_carries_the_context_it_is_made_in() {
    for revision in [Revision::V2025_11_25, Revision::V2026_07_28] {
        let client = telling(None, Client::builder().revision(revision)).await;
        assert_eq!(told(&client, "context").await, "None", "{revision}");
        let expected = |baggage: &str| format!("Some({:?})", (PARENT, baggage));
        let ambient = context("ambient").scope(told(&client, "context")).await;
        assert_eq!(ambient, expected("ambient"), "{revision}");
        let given = context("ambient").scope(client.call("context").trace(&context("given")).into_future()).await;
        assert_eq!(given.unwrap().content[0].as_text(), Some(&*expected("given")), "{revision}");
        let asked = Client::builder().revision(revision).trace(|| Some(context("asked for")));
        assert_eq!(told(&telling(None, asked).await, "context").await, expected("asked for"), "{revision}");
    }
}

#[tokio::test]
async fn a_server_passes_the_context_on_in_its_own_calls() {
    let last = telling(None, Client::builder()).await;
    let first = telling(Some(last), Client::builder()).await;
    let expected = format!("Some({:?})", (PARENT, "far"));
    assert_eq!(context("far").scope(told(&first, "next")).await, expected);
    assert_eq!(told(&first, "next").await, "None", "a context ends with its request");
}

#[tokio::test]
async fn a_question_to_a_legacy_client_is_part_of_its_trace() {
    let endpoint = Endpoint::start().await;
    let session = endpoint.initialize_able("2025-11-25", r#"{"elicitation":{}}"#, &[]).await;
    for (meta, carried) in [(format!(r#","_meta":{{"traceparent":"{PARENT}"}}"#), true), (String::new(), false)] {
        let call = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"greet","arguments":{{}}{meta}}}}}"#
        );
        let mut stream = endpoint.send("POST", &[("Mcp-Session-Id", &session)], call.as_bytes()).await;
        stream.until("elicitation/create").await;
        stream.until("}\n\n").await;
        assert_eq!(stream.text().contains(PARENT), carried, "{}", stream.text());
    }
}
