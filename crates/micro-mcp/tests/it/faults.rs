//! What goes wrong between client and server: connections that break, hang or are never read.

mod cut;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream};
use micro_mcp::{
    CallContext, NoArgs, Server,
    client::{Client, Error},
    http::Config,
    proto::Revision,
};
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use self::cut::Cutter;
use crate::fixture::{Endpoint, modern_body, modern_headers, taken, waiting};

/// How long anything here may take at most, on a machine with other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// Clients that take turns with the cuts.
const CLIENTS: usize = 64;

#[derive(Deserialize, JsonSchema)]
struct Numbered {
    number: usize,
}

/// A server whose one tool talks a little, and the calls that were carried out.
fn talker() -> (Server, Arc<Mutex<Vec<usize>>>) {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let carried_out = calls.clone();
    let server = Server::builder("talker", "1").tool("talk").handler(move |cx: CallContext, call: Numbered| {
        carried_out.lock().push(call.number);
        async move {
            for step in 1..=3 {
                cx.progress(f64::from(step), Some(3.0), Some("a little further")).await;
            }
            "all of it"
        }
    });
    (server.build().unwrap(), calls)
}

/// A client whose answers can be cut short.
struct Cuttable {
    cutter: Cutter,
    client: Client,
}

impl Cuttable {
    async fn of(endpoint: &Endpoint, revision: Revision) -> Self {
        let cutter = Cutter::start(endpoint.address, "tools/call").await;
        let client = Client::builder().revision(revision).connect(&format!("http://{}/mcp", cutter.address)).await;
        Self { cutter, client: client.unwrap() }
    }

    /// Calls once, with an answer that ends after so many bytes.
    async fn call(&self, at: usize) -> Result<(), Error> {
        self.cutter.cut(at);
        let call = self.client.call("talk").args(&json!({ "number": 100_000 + at })).progress(|_| {});
        let result = tokio::time::timeout(PATIENCE, call).await.unwrap_or_else(|_| panic!("hangs when cut at {at}"))?;
        let text = serde_json::to_value(&result.content).unwrap()[0]["text"].clone();
        assert_eq!(text, "all of it", "cut at {at}");
        Ok(())
    }
}

async fn cut_at_every_byte(revision: Revision, check: impl Fn(usize, Result<(), Error>)) {
    let (server, calls) = talker();
    let endpoint = Endpoint::serving(server, waiting(), |config| config).await;
    let whole = Cuttable::of(&endpoint, revision).await;
    whole.call(1 << 20).await.unwrap();
    let length = whole.cutter.passed(); // each answer's, as dates, ids and numbers have one length
    let clients = (0..CLIENTS).map(|first| {
        let endpoint = &endpoint;
        async move {
            let client = Cuttable::of(endpoint, revision).await;
            let cuts = (first..length).step_by(CLIENTS);
            stream::iter(cuts).then(async |at| (at, client.call(at).await)).collect::<Vec<_>>().await
        }
    });
    futures_util::future::join_all(clients).await.into_iter().flatten().for_each(|(at, outcome)| check(at, outcome));

    let mut calls = std::mem::take(&mut *calls.lock());
    calls.sort_unstable();
    let twice = calls.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(twice, None, "a call is never carried out twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_stream_cut_at_any_byte_gives_the_whole_result_or_an_error() {
    let result = AtomicUsize::new(0);
    cut_at_every_byte(Revision::V2026_07_28, |at, outcome| match outcome {
        Ok(()) => drop(result.fetch_add(1, Ordering::SeqCst)),
        Err(Error::Disconnected | Error::Unreachable(_)) => {}
        Err(error) => panic!("cut at {at}: {error:?}"),
    })
    .await;
    // Once the last event is there, nothing behind it is missed.
    assert!((1..20).contains(&result.load(Ordering::SeqCst)), "{result:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resumable_stream_cut_at_any_byte_behind_its_first_event_goes_on() {
    let (lost, kept) = (AtomicUsize::new(0), AtomicUsize::new(0));
    cut_at_every_byte(Revision::V2025_11_25, |at, outcome| match outcome {
        Ok(()) => {
            kept.fetch_max(at, Ordering::SeqCst);
        }
        Err(Error::Disconnected | Error::Unreachable(_)) => {
            lost.fetch_max(at, Ordering::SeqCst);
        }
        Err(error) => panic!("cut at {at}: {error:?}"),
    })
    .await;
    // Before the first id nothing says where to go on.
    assert!(lost.load(Ordering::SeqCst) < 400, "lost even when cut at byte {lost:?}");
    assert!(kept.load(Ordering::SeqCst) > lost.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let deaf = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    let client = Client::builder().timeout(Duration::from_millis(100)).connect(&url);
    let outcome = tokio::time::timeout(PATIENCE, client).await.expect("it does not wait for ever");
    assert!(matches!(outcome, Err(Error::Timeout)), "{:?}", outcome.err());
    deaf.abort();
}

#[tokio::test]
async fn a_body_that_drips_is_given_up_though_it_never_stops() {
    let endpoint = Endpoint::with(|config| Config { body_timeout: Duration::from_millis(100), ..config }).await;
    let mut stream = TcpStream::connect(endpoint.address).await.unwrap();
    let head =
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.split();
    let mut answer = Vec::new();
    let drip = async {
        let mut drop = tokio::time::interval(Duration::from_millis(5));
        while write.write_all(b" ").await.is_ok() {
            drop.tick().await;
        }
    };
    let refused = async {
        while !answer.windows(4).any(|w| w == b"\r\n\r\n") {
            assert!(read.read_buf(&mut answer).await.unwrap() > 0, "closed without an answer");
        }
    };
    tokio::time::timeout(PATIENCE, async {
        tokio::select! { () = drip => {}, () = refused => {} }
    })
    .await
    .unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn a_client_that_never_reads_holds_up_its_call_and_nothing_else() {
    let waits = waiting();
    let (told, state) = (Arc::new(AtomicUsize::new(0)), waits.clone());
    let steps = told.clone();
    let flood = Server::builder("flood", "1").tool("flood").handler(move |cx: CallContext, _: NoArgs| {
        let (steps, waits) = (steps.clone(), state.clone());
        async move {
            let talk = async {
                loop {
                    let step = steps.fetch_add(1, Ordering::SeqCst) + 1;
                    #[expect(clippy::cast_precision_loss, reason = "few")]
                    cx.progress(step as f64, None, Some(&"x".repeat(1000))).await;
                }
            };
            tokio::select! { () = waits.wait() => "waited", () = talk => "never" }
        }
    });
    let endpoint = Endpoint::serving(flood.build().unwrap(), waits, |config| config).await;

    let deaf = endpoint.modern("1", "tools/call", r#""name":"flood","arguments":{}"#).await;
    taken(&endpoint.waiting.begun).await;
    // What fits into the kernel's buffers and ours goes out, and then no more.
    let settled = async {
        let mut before = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let now = told.load(Ordering::SeqCst);
            if now == before {
                return now;
            }
            before = now;
        }
    };
    let sent = tokio::time::timeout(PATIENCE, settled).await.expect("an unread stream stops its writer");
    assert!(sent < 20_000, "{sent} kilobytes wait for a client that does not read");

    let body = modern_body("2", "tools/list", "");
    let headers = modern_headers(&body);
    let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    assert_eq!(endpoint.send("POST", &headers, body.as_bytes()).await.whole().await.status, 200);

    drop(deaf);
    taken(&endpoint.waiting.dropped).await;
}
