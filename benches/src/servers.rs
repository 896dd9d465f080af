//! The servers: ours, and bare ones that do no more than the same bytes.

use std::{
    io::{self, BufRead, BufReader, BufWriter, Write},
    net::Ipv4Addr,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use micro_core::{Context, EndpointDescriptor, HandlerDescriptor, Hints, Schema};
use micro_mcp::{
    NoArgs, Server,
    http::{Config, StreamableHttp},
    stdio,
};
use micro_registry::{MemoryRegistry, Registry};
use micro_rpc::{Reply, Router, Service};
use micro_runtime::{
    Drain,
    http::{Body, Guard, Limits, read, serve as accept},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use tokio::net::TcpListener;

use crate::{
    policies::{self, Policy},
    roles::Role,
};

/// Listens on a free port, prints it and serves until killed.
pub(crate) async fn serve(role: Role, peer: Option<&str>, with: &[Policy]) -> Result<()> {
    let peer = || peer.context("this role needs a peer").map(str::to_owned);
    match role {
        Role::BareEcho => bare_echo(bare_answer).await,
        Role::BareBatch => bare_echo(bare_answers).await,
        Role::BareLines => bare_lines(),
        Role::Sdk1 => sdk(1).await,
        Role::Sdk50 => sdk(50).await,
        Role::SdkStdio => sdk_stdio().await,
        Role::Service => service().await,
        Role::BareProxy => bare_proxy(peer()?).await,
        Role::Gateway => policies::serve(&peer()?, with).await,
        Role::List10 => list(10, 0).await,
        Role::List1k => list(1_000, 0).await,
        Role::List10k => list(10_000, 0).await,
        Role::List50Sets => list(10_000, SETS).await,
    }
}

async fn listen() -> Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("http://{}", listener.local_addr()?);
    Ok(listener)
}

fn answer(body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

// === bare ===

/// As little as a server can do that answers this call: one typed parse, one write.
#[derive(Deserialize)]
struct BareCall<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(borrow)]
    params: BareParams<'a>,
}

#[derive(Deserialize)]
struct BareParams<'a> {
    #[serde(borrow)]
    arguments: Echo<'a>,
}

#[derive(Deserialize)]
struct Echo<'a> {
    message: &'a str,
}

/// One call to one answer.
fn bare_answer(call: &[u8]) -> serde_json::Result<Vec<u8>> {
    let mut answer = Vec::with_capacity(call.len() + 256);
    write_answer(&mut answer, &serde_json::from_slice(call)?)?;
    Ok(answer)
}

/// A batch of calls to a batch of answers.
fn bare_answers(calls: &[u8]) -> serde_json::Result<Vec<u8>> {
    let mut answers = Vec::with_capacity(calls.len() + 256);
    for call in serde_json::from_slice::<Vec<BareCall<'_>>>(calls)? {
        answers.push(if answers.is_empty() { b'[' } else { b',' });
        write_answer(&mut answers, &call)?;
    }
    answers.push(b']');
    Ok(answers)
}

fn write_answer(out: &mut Vec<u8>, call: &BareCall<'_>) -> serde_json::Result<()> {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    out.extend_from_slice(call.id.get().as_bytes());
    out.extend_from_slice(br#","result":{"resultType":"complete","content":[{"type":"text","text":"#);
    serde_json::to_writer(&mut *out, call.params.arguments.message)?;
    let meta = br#"}],"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"bench","version":"1"}}}}"#;
    out.extend_from_slice(meta);
    Ok(())
}

async fn bare_echo(write: fn(&[u8]) -> serde_json::Result<Vec<u8>>) -> Result<()> {
    let listener = listen().await?;
    accept(listener, Limits::default(), Drain::new(), move |request: Request<Incoming>| async move {
        let Ok(Some(body)) = read(request.into_body(), 4 << 20).await else { return answer("null") };
        answer(write(&body).unwrap_or_else(|_| b"null".to_vec()))
    })
    .await;
    Ok(())
}

/// Reads as much as is there, answers all of it, writes once.
fn bare_lines() -> Result<()> {
    let mut input = BufReader::with_capacity(64 << 10, io::stdin().lock());
    let mut output = BufWriter::with_capacity(64 << 10, io::stdout().lock());
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        output.write_all(&bare_answer(&line)?)?;
        output.write_all(b"\n")?;
        line.clear();
        if input.buffer().is_empty() {
            output.flush()?;
        }
    }
    Ok(())
}

async fn bare_proxy(peer: String) -> Result<()> {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(256).build_http();
    let listener = listen().await?;
    accept(listener, Limits::default(), Drain::new(), move |request: Request<Incoming>| {
        let (client, peer) = (client.clone(), peer.clone());
        async move {
            let (parts, body) = request.into_parts();
            let Ok(Some(body)) = read(body, 4 << 20).await else { return answer("null") };
            let mut forward = Request::post(format!("http://{peer}/")).body(Full::new(body)).expect("a request");
            *forward.headers_mut() = parts.headers;
            forward.headers_mut().remove(header::HOST);
            let Ok(response) = client.request(forward).await else { return answer("null") };
            let Ok(body) = response.into_body().collect().await else { return answer("null") };
            answer(body.to_bytes())
        }
    })
    .await;
    Ok(())
}

// === ours ===

#[derive(Deserialize, JsonSchema)]
struct EchoArguments {
    message: String,
}

fn server(tools: usize) -> Result<Arc<Server>> {
    let mut builder = Server::builder("bench", "1");
    builder =
        builder.tool("echo").description("Echo a text.").handler(|echo: EchoArguments| async move { echo.message });
    for i in 1..tools {
        let name = format!("other_{i}");
        builder = builder.tool(name).description("Another tool.").handler(|_: NoArgs| async { "other" });
    }
    Ok(Arc::new(builder.build()?))
}

async fn sdk_stdio() -> Result<()> {
    let (input, output) = stdio::standard();
    stdio::serve(server(1)?, input, output, Drain::new()).await?;
    Ok(())
}

async fn sdk(tools: usize) -> Result<()> {
    let listener = listen().await?;
    let drain = Drain::new();
    let config = Config { guard: Guard::of(listener.local_addr()?), drain: drain.clone(), ..Config::default() };
    let endpoint = StreamableHttp::new(server(tools)?, config);
    accept(listener, Limits::default(), drain, move |request| {
        let endpoint = endpoint.clone();
        async move { endpoint.handle(request).await }
    })
    .await;
    Ok(())
}

/// Answers with as many bytes as asked for.
pub(crate) struct Bench;

#[derive(Deserialize)]
struct BytesArguments {
    size: usize,
}

impl Service for Bench {
    fn descriptor() -> HandlerDescriptor {
        let input = r#"{"type":"object","required":["size"],"properties":{"size":{"type":"integer","minimum":0},
            "label":{"type":"string","maxLength":100},"tags":{"type":"array","items":{"type":"string"}}}}"#;
        let endpoint = EndpointDescriptor {
            name: "Bench.Bytes".into(),
            title: None,
            description: "Answer with so many bytes.".into(),
            examples: Vec::new(),
            scopes: vec!["bench:read".into()],
            hints: Hints { read_only: true, idempotent: true, ..Hints::default() },
            timeout: None,
            cost: None,
            cache: None,
            input: Schema::parse(input).expect("a literal"),
            output: Some(Schema::parse(r#"{"type":"object"}"#).expect("a literal")),
            streaming: false,
        };
        HandlerDescriptor { name: "Bench".into(), description: "Measured.".into(), endpoints: vec![endpoint] }
    }

    fn dispatch(self: Arc<Self>, _: usize, _: Context, body: Bytes) -> BoxFuture<'static, micro_core::Result<Reply>> {
        Box::pin(async move {
            let BytesArguments { size } = serde_json::from_slice(&body)?;
            let person = r#"{"id":17,"name":"Grace Hopper","email":"grace@example.org","tags":["navy","compilers"]}"#;
            let people = vec![person; size.div_ceil(person.len()).max(1)].join(",");
            Ok(Reply::Value(format!(r#"{{"people":[{people}]}}"#).into()))
        })
    }
}

async fn service() -> Result<()> {
    let config = micro_rpc::Config { address: (Ipv4Addr::LOCALHOST, 0).into(), ..Default::default() };
    let router = Router::new("bench", "1").handle(Bench);
    let server =
        config.build(router, Arc::new(MemoryRegistry::default())).await.map_err(micro_core::Error::into_std)?;
    println!("http://{}", server.address());
    server.run(Drain::new()).await.map_err(micro_core::Error::into_std)?;
    Ok(())
}

/// Callers of [`Role::List50Sets`], each with a token of its own.
pub(crate) const SETS: usize = 50;

/// The token of caller number `n`.
pub(crate) fn token(n: usize) -> String {
    format!("bench-{n:02}-0123456789abcdef")
}

/// Fifty tools a service. With callers, tools ask for scopes in turn, and each caller has all of them but one.
async fn list(tools: usize, callers: usize) -> Result<()> {
    let registry = MemoryRegistry::default();
    let schema =
        r#"{"type":"object","properties":{"id":{"type":"string","description":"Which one."}},"required":["id"]}"#;
    for service in 0..tools.div_ceil(50) {
        let count = (tools - service * 50).min(50);
        let endpoints: Vec<_> = (0..count)
            .map(|i| {
                let scopes = if callers == 0 { String::new() } else { format!("part{}", i % callers) };
                json!({"name": format!("Things.Method{i}"), "metadata": {
                "description": "Retrieve a thing by its id. Returns the whole thing.",
                "input_schema": schema, "scopes": scopes}})
            })
            .collect();
        let record = json!({"name": format!("service{service}"), "version": "1", "endpoints": endpoints,
            "nodes": [{"id": format!("service{service}-1"), "address": "127.0.0.1:9"}]});
        registry.register(&serde_json::from_value(record)?, Duration::from_secs(3600)).await?;
    }
    let tokens = (0..callers).map(|n| {
        let scopes: Vec<_> = (0..callers).filter(|part| *part != n).map(|part| format!("part{part}")).collect();
        json!({"account": format!("caller{n}"), "scopes": scopes, "token": token(n)})
    });
    let mode = if callers == 0 { "off" } else { "on" };
    let auth = json!({"mode": mode, "tokens": tokens.collect::<Vec<_>>()});
    let config: micro_gateway::Config = serde_json::from_value(json!({"address": "127.0.0.1:0", "auth": auth}))?;
    let gateway = config.build(Arc::new(registry)).await.map_err(micro_core::Error::into_std)?;
    gateway.catalog().settled().await;
    println!("http://{}", gateway.address());
    gateway.run(Drain::new()).await;
    Ok(())
}
