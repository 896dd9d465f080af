//! The contract (tests/it/contract.rs), served by this workspace's SDK: what the clients of others are tried on.
//!
//! `micro-server --address 127.0.0.1:0` says on stderr where it listens, beside `/mcp` at `/sse` in the first HTTP transport and
//! at `/ws` with WebSocket; `micro-server --stdio` speaks on its streams.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use clap::{ArgGroup, Parser};
use hyper::{Request, body::Incoming};
use micro_mcp::{
    AskError, Builder, CallContext, CallError, Json, NoArgs, Server,
    http::{self, LegacySse, StreamableHttp},
    proto::{
        CallToolResult, Content, CreateMessage, LogLevel, Prompt, PromptArgument, PromptMessage, Resource,
        ResourceContents, ResourceTemplate,
    },
    stdio,
    transport::websocket::WebSocket,
};
use micro_runtime::{
    Drain,
    http::{Guard, Limits, serve},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::{net::TcpListener, sync::Notify, time::timeout};

const WATCHED: &str = "test://watched";

#[derive(Parser)]
#[command(group = ArgGroup::new("front").required(true))]
struct Args {
    /// Serve Streamable HTTP here; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", group = "front")]
    address: Option<SocketAddr>,
    /// Serve standard input and output.
    #[arg(long, group = "front")]
    stdio: bool,
}

#[derive(Deserialize, JsonSchema)]
struct Echo {
    message: String,
}

#[derive(Deserialize, JsonSchema)]
struct Add {
    a: i64,
    b: i64,
}

#[derive(Serialize, JsonSchema)]
struct Sum {
    sum: i64,
}

#[derive(Deserialize, JsonSchema)]
struct Elicit {
    answer: String,
}

#[derive(Deserialize, JsonSchema)]
struct Who {
    name: String,
}

/// Tells when it is dropped before its time.
struct OnDrop(Arc<Notify>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let server = Server::builder("micro", env!("CARGO_PKG_VERSION")).logging().subscriptions().page_size(5);
    let server = Arc::new(offers(asks(tools(server))).build()?);
    let drain = Drain::new();
    let Some(address) = args.address else {
        let (input, output) = stdio::standard();
        return Ok(stdio::serve(server, input, output, drain).await?);
    };
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    say(&format!("listening on http://{address}/mcp"));
    let config = || http::Config { guard: Guard::of(address), drain: drain.clone(), ..http::Config::default() };
    let websocket = WebSocket::new(server.clone(), Guard::of(address), drain.clone());
    let sse = LegacySse::new(server.clone(), config());
    let endpoint = StreamableHttp::new(server, config());
    let answer = move |request: Request<Incoming>| {
        let (endpoint, sse, websocket) = (endpoint.clone(), sse.clone(), websocket.clone());
        async move {
            match request.uri().path() {
                "/sse" => sse.handle(request).await,
                "/ws" => websocket.handle(request),
                _ => endpoint.handle(request).await,
            }
        }
    };
    serve(listener, Limits::default(), drain, answer).await;
    Ok(())
}

fn tools(server: Builder) -> Builder {
    let cancelled = Arc::new(Notify::new());
    let notify = cancelled.clone();
    let notifier = server.notifier();
    let live = server.live();
    server
        .tool("echo")
        .handler(|args: Echo| async move { args.message })
        .tool("add")
        .handler(|args: Add| async move { Json(Sum { sum: args.a + args.b }) })
        .tool("contents")
        .handler(|_: NoArgs| async {
            let link = Resource { uri: "test://text".into(), name: "text".into(), ..Resource::default() };
            vec![
                Content::text("hello"),
                Content::image("AAEC", "image/png"),
                Content::audio("AAEC", "audio/wav"),
                Content::resource(ResourceContents::text("test://text", "text/plain", "hello")),
                Content::ResourceLink(link),
            ]
        })
        .tool("fail")
        .handler(|_: NoArgs| async { CallToolResult::error("broken") })
        .tool("progress")
        .handler(|cx: CallContext, _: NoArgs| async move {
            for step in [1.0, 2.0, 3.0] {
                cx.progress(step, Some(3.0), None).await;
                // Takes its time, as tools that have progress do: clients made with the TypeScript SDKs lose
                // progress that comes in one read with the result.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            "done"
        })
        .tool("slow")
        .handler(move |cx: CallContext, _: NoArgs| {
            let dropped = OnDrop(notify.clone());
            async move {
                cx.progress(1.0, Some(2.0), None).await;
                tokio::time::sleep(Duration::from_secs(60)).await;
                std::mem::forget(dropped);
                "nobody cancelled"
            }
        })
        .tool("cancelled")
        .handler(move |_: NoArgs| {
            let cancelled = cancelled.clone();
            async move {
                let noticed = timeout(Duration::from_secs(10), cancelled.notified()).await;
                if noticed.is_ok() { "cancelled" } else { "nothing was cancelled" }
            }
        })
        .tool("reconnect")
        .handler(|cx: CallContext, _: NoArgs| async move {
            cx.close_stream(Duration::from_millis(100)).await;
            "resumed"
        })
        .tool("log")
        .handler(|cx: CallContext, _: NoArgs| async move {
            cx.log(LogLevel::Info, None, &json!("hello")).await;
            "logged"
        })
        .tool("change")
        .handler(move |_: NoArgs| {
            // A tool that comes and goes: the list is another one, and then the old one again.
            let added = live.update(|server| server.tool("new").handler(|_: NoArgs| async { "new" }));
            let outcome = added.and_then(|()| live.update(|server| server.remove_tool("new")));
            async move { outcome.map(|()| "changed").map_err(|error| CallError::from(error.to_string())) }
        })
        .tool("touch")
        .handler(move |_: NoArgs| {
            notifier.resource_updated(WATCHED);
            async { "touched" }
        })
}

fn asks(server: Builder) -> Builder {
    server
        .tool("elicit")
        .handler(|cx: CallContext, args: Elicit| async move {
            match cx.elicit::<Who>(args.answer).await {
                Ok(who) => Ok(format!("accept {}", who.name)),
                Err(AskError::Declined) => Ok("decline".to_owned()),
                Err(AskError::Cancelled) => Ok("cancel".to_owned()),
                Err(error) => Err(CallError::from(error)),
            }
        })
        .tool("sample")
        .handler(|cx: CallContext, _: NoArgs| async move {
            let answer = cx.sample(CreateMessage::ask("ping", 10)).await?;
            Ok::<_, CallError>(format!("{}: {}", answer.model, answer.to_text()))
        })
        .tool("roots")
        .handler(|cx: CallContext, _: NoArgs| async move {
            let uris: Vec<_> = cx.roots().await?.into_iter().map(|root| root.uri).collect();
            Ok::<_, CallError>(uris.join(", "))
        })
}

fn offers(server: Builder) -> Builder {
    let resource = |uri: &str| Resource { uri: uri.into(), name: uri.into(), ..Resource::default() };
    let item = ResourceTemplate {
        uri_template: "test://item/{id}".into(),
        name: "item".into(),
        ..ResourceTemplate::default()
    };
    let name = PromptArgument { name: "name".into(), required: true, ..PromptArgument::default() };
    let greet = Prompt { name: "greet".into(), arguments: vec![name], ..Prompt::default() };
    server
        .resource(
            resource("test://text"),
            |read| async move { Ok(ResourceContents::text(read.uri, "text/plain", "hello")) },
        )
        .resource(resource("test://blob"), |read| async move {
            Ok(ResourceContents::blob(read.uri, "application/octet-stream", "AAEC"))
        })
        .resource(
            resource(WATCHED),
            |read| async move { Ok(ResourceContents::text(read.uri, "text/plain", "watch me")) },
        )
        .resource_template(item, |read| async move {
            let text = format!("item {}", read.variables["id"]);
            Ok(ResourceContents::text(read.uri, "text/plain", text))
        })
        .prompt(greet, |get| async move {
            Ok(vec![PromptMessage::user(Content::text(format!("Hello, {}!", get.argument("name"))))])
        })
        .complete_prompt("greet", "name", |typed| async move {
            ["ada", "adam", "eve"].into_iter().filter(move |name| name.starts_with(&typed.value))
        })
}

fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}"); // nobody there to read it is no reason to stop
}
