//! Layers around a handler: their order, and the ones that are there.

use std::{
    io,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::{HeaderMap, HeaderValue, StatusCode, header::AUTHORIZATION};
use micro_mcp::{
    Cx, Failure, Layer, Peer, Principal, Request, Transport,
    layer::{Auth, Limit, Next, Record, Trace},
};
use serde_json::{Value, json};
use tracing::instrument::WithSubscriber;

use crate::{
    fixture::{server, taken, waiting},
    tools::ask_of,
};

type Notes = Arc<Mutex<Vec<String>>>;

/// Writes its name down, on the way in and on the way out.
struct Named(&'static str, Notes);

impl Layer for Named {
    fn handle<'a>(
        &'a self,
        cx: &'a Cx<'a>,
        request: &'a Request<'a>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Bytes, Failure>> {
        Box::pin(async move {
            self.1.lock().unwrap().push(format!("{} in", self.0));
            let answer = next.handle(cx, request).await;
            self.1.lock().unwrap().push(format!("{} out", self.0));
            answer
        })
    }
}

fn call(tool: &str) -> Value {
    json!({ "name": tool, "arguments": { "a": 1, "b": 2 } })
}

#[tokio::test]
async fn the_layer_put_around_last_sees_a_request_first() {
    let notes = Notes::default();
    let inner = Named("inner", notes.clone()).around(Arc::new(server(&waiting())));
    let both = Named("outer", notes.clone()).around(inner);
    let answer = ask_of(&*both, "tools/call", &call("add")).await.unwrap();
    assert_eq!(answer["structuredContent"], json!({ "sum": 3 }));
    assert_eq!(*notes.lock().unwrap(), ["outer in", "inner in", "inner out", "outer out"]);
    assert_eq!(both.info().implementation.name, "calculator");
}

#[tokio::test]
async fn a_request_too_many_is_turned_away_and_the_place_is_free_again() {
    let waiting = waiting();
    let limited = Limit::new(1).around(Arc::new(server(&waiting)));
    let wait = json!({ "name": "wait" });
    let first = ask_of(&*limited, "tools/call", &wait);
    let second = async {
        taken(&waiting.begun).await;
        let refused = ask_of(&*limited, "tools/call", &call("add")).await;
        waiting.go.add_permits(1);
        refused
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.unwrap()["content"][0]["text"], "waited");
    assert_eq!(second, Err(-31_429));
    assert!(ask_of(&*limited, "tools/call", &call("add")).await.is_ok());
}

#[test]
fn only_a_known_token_is_let_in() {
    let challenge = HeaderValue::from_static("Bearer realm=\"notes\"");
    let guarded = Auth::bearer(challenge.clone(), |token| (token == "secret").then(|| Principal::named("ann")))
        .around(Arc::new(server(&waiting())));
    let request = Request::ListTools { cursor: None };
    let enter = |value: Option<&'static str>| {
        let mut headers = HeaderMap::new();
        headers.extend(value.map(|value| (AUTHORIZATION, HeaderValue::from_static(value))));
        let peer = Peer { headers: Some(&headers), ..Peer::of(Transport::Http) };
        guarded.authenticate(&peer, &request)
    };
    assert_eq!(enter(Some("bearer secret")).unwrap().subject.as_deref(), Some("ann"));
    for refused in [None, Some("Bearer other"), Some("Basic secret"), Some("secret")] {
        let refusal = enter(refused).expect_err("a stranger");
        assert_eq!((refusal.status, refusal.challenge), (StatusCode::UNAUTHORIZED, Some(challenge.clone())));
    }
    let pipe = Peer::of(Transport::Stdio);
    assert_eq!(guarded.authenticate(&pipe, &request).unwrap().subject, None);
}

#[tokio::test]
async fn a_record_holds_question_and_answer() {
    let heard = Notes::default();
    let notes = heard.clone();
    let recorded = Record::to(move |said| {
        let answer = said.answer.map(|result| String::from_utf8_lossy(result).contains("\"sum\":3"));
        let answer = answer.map_err(|error| error.code);
        let params = said.params.map(|params| params.get().to_owned());
        notes.lock().unwrap().push(format!("{} {:?} {params:?} {answer:?}", said.method, said.tool));
    })
    .around(Arc::new(server(&waiting())));
    ask_of(&*recorded, "tools/call", &call("add")).await.unwrap();
    ask_of(&*recorded, "tools/call", &json!({ "name": "nobody" })).await.unwrap_err();
    assert_eq!(
        *heard.lock().unwrap(),
        [
            r#"tools/call Some("add") Some("{\"a\":1,\"b\":2}") Ok(true)"#,
            r#"tools/call Some("nobody") None Err(-32602)"#,
        ]
    );
}

/// What a subscriber writes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_request_runs_in_a_span_with_the_callers_context() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
        .finish();
    let traced = Trace.around(Arc::new(server(&waiting())));
    let meta = json!({ "traceparent": "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01", "baggage": "team=a" });
    let params = json!({ "name": "nobody", "_meta": meta });
    ask_of(&*traced, "tools/call", &params).with_subscriber(subscriber).await.unwrap_err();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for part in ["mcp.request", "nobody", "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01", "team=a", "-32602"]
    {
        assert!(log.contains(part), "no {part} in {log}");
    }
}
