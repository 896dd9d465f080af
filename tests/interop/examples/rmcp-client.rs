//! Plays the course of the contract (tests/it/contract.rs) with rmcp, in any mode: one line of JSON for each sentence.
//!
//! `rmcp-client --mode legacy|auto|modern URL`, or `--stdio` and a command instead of the URL.

#![allow(clippy::print_stdout, reason = "speaks to the test on stdout")]
#![allow(deprecated, reason = "rmcp marks what 2026-07-28 deprecates: sampling, roots and logging")]

use std::{future::Future, sync::Arc, time::Duration};

use clap::{Parser, ValueEnum};
use rmcp::{
    ClientHandler, ClientLifecycleMode, ClientServiceExt, ErrorData, RoleClient,
    model::*,
    service::{NotificationContext, PeerRequestOptions, RequestContext, RunningService, ServiceError},
    transport::{StreamableHttpClientTransport, TokioChildProcess},
};
use serde_json::{Value, json};
use tokio::{
    sync::{Mutex, mpsc},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(20);
/// How long to wait for news before what makes the server tell is done again.
const NEWS: Duration = Duration::from_secs(2);
/// What careless framing breaks: line ends of all kinds, quotes, characters of four bytes, a null.
const ODD: &str = "a\r\nb\n\nc\u{2028}d\u{2029}\"\\\t\u{0}é🦀data: x\nid: 1";
const WATCHED: &str = "test://watched";

#[derive(Parser)]
struct Args {
    /// How to find out the server's era.
    #[arg(long)]
    mode: Mode,
    /// The target is a command that speaks MCP on its streams.
    #[arg(long)]
    stdio: bool,
    /// A URL or a command.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    target: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Mode {
    Legacy,
    Auto,
    Modern,
}

/// What the server said without being asked, by kind.
struct Ears {
    progress: mpsc::UnboundedSender<String>,
    logs: mpsc::UnboundedSender<String>,
    changes: mpsc::UnboundedSender<String>,
}

impl ClientHandler for Ears {
    fn get_info(&self) -> ClientConfig {
        let capabilities = ClientCapabilities::builder().enable_elicitation().enable_roots().enable_sampling().build();
        ClientConfig::new(capabilities, Implementation::new("rmcp", "1"))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        Ok(match request {
            ElicitRequestParams::FormElicitationParams { message, .. } if message == "accept" => {
                ElicitResult::new(ElicitationAction::Accept).with_content(json!({ "name": "ada" }))
            }
            ElicitRequestParams::FormElicitationParams { message, .. } if message == "cancel" => {
                ElicitResult::new(ElicitationAction::Cancel)
            }
            _ => ElicitResult::new(ElicitationAction::Decline),
        })
    }

    async fn create_message(
        &self,
        _: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        Ok(CreateMessageResult::new(SamplingMessage::assistant_text("pong"), "toy".into()))
    }

    async fn list_roots(&self, _: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        Ok(ListRootsResult::new(vec![Root::new("file:///work")]))
    }

    async fn on_progress(&self, step: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        let _ = self.progress.send(format!("{}/{}", step.progress, step.total.unwrap_or_default()));
    }

    async fn on_logging_message(&self, log: LoggingMessageNotificationParam, _: NotificationContext<RoleClient>) {
        let level = json!(log.level);
        let words = format!("{}: {}", level.as_str().unwrap_or_default(), log.data.as_str().unwrap_or_default());
        let _ = self.logs.send(words);
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        let _ = self.changes.send("tools".into());
    }

    async fn on_resource_updated(&self, params: ResourceUpdatedNotificationParam, _: NotificationContext<RoleClient>) {
        let _ = self.changes.send(params.uri);
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let (progress, steps) = mpsc::unbounded_channel();
    let (told_log, logs) = mpsc::unbounded_channel();
    let (told_change, changes) = mpsc::unbounded_channel();
    let ears = Ears { progress, logs: told_log, changes: told_change.clone() };
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    let lifecycle = match args.mode {
        Mode::Legacy => ClientLifecycleMode::Initialize,
        Mode::Auto => ClientLifecycleMode::Auto { preferred_versions, legacy_version: None },
        Mode::Modern => ClientLifecycleMode::Discover { preferred_versions },
    };
    let client = if args.stdio {
        let mut command = tokio::process::Command::new(&args.target[0]);
        command.args(&args.target[1..]);
        ears.serve_with_lifecycle(TokioChildProcess::new(command)?, lifecycle).await?
    } else {
        let transport = StreamableHttpClientTransport::from_uri(args.target[0].as_str());
        ears.serve_with_lifecycle(transport, lifecycle).await?
    };
    let course = Course {
        client: Arc::new(client),
        modern: args.mode != Mode::Legacy,
        steps: Mutex::new(steps),
        logs: Mutex::new(logs),
        changes: Mutex::new(changes),
        told_change,
    };
    course.play().await;
    Ok(())
}

struct Course {
    client: Arc<RunningService<RoleClient, Ears>>,
    modern: bool,
    steps: Mutex<mpsc::UnboundedReceiver<String>>,
    logs: Mutex<mpsc::UnboundedReceiver<String>>,
    changes: Mutex<mpsc::UnboundedReceiver<String>>,
    told_change: mpsc::UnboundedSender<String>,
}

impl Course {
    async fn play(&self) {
        let client = &self.client;
        saw("revision", async { Ok(json!(self.revision())) }).await;
        saw("tools", async { Ok(names(client.list_all_tools().await?.into_iter().map(|it| it.name.into_owned()))) })
            .await;
        saw("echo", self.said("echo", json!({ "message": "hello" }))).await;
        saw("echo of odd text", self.same(ODD)).await;
        saw("echo of a long text", self.same(&"lang ".repeat(60_000))).await;
        saw("fifty calls at once", async {
            let numbers: Vec<_> = (0..50).map(|number: u8| number.to_string()).collect();
            let all = futures_util::future::try_join_all(numbers.iter().map(|number| self.same(number))).await?;
            Ok(if all.iter().all(|answer| answer == "ok") { json!("ok") } else { json!(all) })
        })
        .await;
        saw("contents", async {
            Ok(self.call("contents", json!({})).await?.content.iter().map(|block| content(&json!(block))).collect())
        })
        .await;
        saw("structured", async { Ok(json!(self.call("add", json!({ "a": 1, "b": 2 })).await?.structured_content)) })
            .await;
        saw("failure", self.failure()).await;
        saw("unknown tool", self.unknown_tool()).await;
        saw("missing argument", async {
            match self.call("echo", json!({})).await {
                Ok(result) if result.is_error == Some(true) => Ok(json!("refused")),
                outcome => refused(outcome.map(|result| json!(text(&result)))),
            }
        })
        .await;
        saw("progress", self.progress()).await;
        saw("cancel", self.cancel()).await;
        saw("reconnect", self.said("reconnect", json!({}))).await;
        saw("elicit accept", self.said("elicit", json!({ "answer": "accept" }))).await;
        saw("elicit decline", self.said("elicit", json!({ "answer": "decline" }))).await;
        saw("elicit cancel", self.said("elicit", json!({ "answer": "cancel" }))).await;
        saw("sample", self.said("sample", json!({}))).await;
        saw("roots", self.said("roots", json!({}))).await;
        saw("log", self.log()).await;
        saw("resources", async { Ok(names(client.list_all_resources().await?.into_iter().map(|it| it.uri))) }).await;
        saw("text", self.read("test://text")).await;
        saw("blob", self.read("test://blob")).await;
        saw("unknown resource", async { refused(self.read("test://nothing").await) }).await;
        saw("templates", async {
            Ok(names(client.list_all_resource_templates().await?.into_iter().map(|it| it.uri_template)))
        })
        .await;
        saw("item", self.read("test://item/7")).await;
        saw("prompts", async { Ok(names(client.list_all_prompts().await?.into_iter().map(|it| it.name))) }).await;
        saw("prompt", self.prompt()).await;
        saw("prompt without its argument", async {
            let outcome = client.get_prompt(GetPromptRequestParams::new("greet")).await;
            refused(outcome.map(|result| json!(result)))
        })
        .await;
        saw("completion", async { Ok(json!(client.complete_prompt_simple("greet", "name", "ad").await?)) }).await;
        saw("list change", async {
            self.watch().await?;
            self.hears("change", "tools").await
        })
        .await;
        saw("update", self.hears("touch", WATCHED)).await;
        if !self.modern {
            saw("ping", async {
                client.send_request(ClientRequest::PingRequest(PingRequest::default())).await?;
                Ok(json!("pong"))
            })
            .await;
        }
    }

    fn revision(&self) -> String {
        self.client.peer_info().map(|info| info.protocol_version.to_string()).unwrap_or_default()
    }

    /// A call with what each request of the modern era says of logs.
    fn params(&self, tool: &'static str, arguments: Value) -> CallToolRequestParams {
        let mut params = CallToolRequestParams::new(tool);
        if let Value::Object(arguments) = arguments {
            params = params.with_arguments(arguments);
        }
        if self.modern {
            let meta = json!({ "io.modelcontextprotocol/logLevel": "info" });
            params.meta = Some(serde_json::from_value(meta).expect("written above"));
        }
        params
    }

    async fn call(&self, tool: &'static str, arguments: Value) -> Result<CallToolResult, ServiceError> {
        self.client.call_tool(self.params(tool, arguments)).await
    }

    async fn said(&self, tool: &'static str, arguments: Value) -> Result<Value, ServiceError> {
        Ok(json!(text(&self.call(tool, arguments).await?)))
    }

    async fn same(&self, message: &str) -> Result<Value, ServiceError> {
        let echoed = self.said("echo", json!({ "message": message })).await?;
        Ok(if echoed == message { json!("ok") } else { echoed })
    }

    async fn failure(&self) -> Result<Value, ServiceError> {
        let result = self.call("fail", json!({})).await?;
        let broken = result.is_error == Some(true) && text(&result).contains("broken");
        Ok(json!(if broken { "broken".to_owned() } else { text(&result) }))
    }

    async fn unknown_tool(&self) -> Result<Value, ServiceError> {
        match self.call("nothing", json!({})).await {
            Ok(result) if result.is_error == Some(true) => Ok(json!("refused")),
            outcome => refused(outcome.map(|result| json!(text(&result)))),
        }
    }

    async fn progress(&self) -> Result<Value, ServiceError> {
        self.call("progress", json!({})).await?;
        let (mut steps, mut heard) = (Vec::new(), self.steps.lock().await);
        while steps.len() < 3 {
            match timeout(NEWS, heard.recv()).await {
                Ok(Some(step)) => steps.push(step),
                _ => break,
            }
        }
        Ok(json!(steps))
    }

    async fn cancel(&self) -> Result<Value, ServiceError> {
        let slow = ClientRequest::CallToolRequest(CallToolRequest::new(self.params("slow", json!({}))));
        let handle = self.client.send_cancellable_request(slow, PeerRequestOptions::no_options()).await?;
        self.steps.lock().await.recv().await;
        handle.cancel(None).await?;
        self.said("cancelled", json!({})).await
    }

    async fn log(&self) -> Result<Value, ServiceError> {
        if !self.modern {
            self.client.set_level(SetLevelRequestParams::new(LoggingLevel::Info)).await?;
        }
        self.call("log", json!({})).await?;
        let log = timeout(NEWS, async { self.logs.lock().await.recv().await }).await;
        Ok(json!(log.ok().flatten().unwrap_or_else(|| "nothing".into())))
    }

    async fn read(&self, uri: &str) -> Result<Value, ServiceError> {
        let result = self.client.read_resource(ReadResourceRequestParams::new(uri)).await?;
        Ok(match result.contents.into_iter().next() {
            Some(ResourceContents::TextResourceContents { text, .. }) => json!(text),
            Some(ResourceContents::BlobResourceContents { blob, .. }) => json!(blob),
            _ => json!("nothing"),
        })
    }

    async fn prompt(&self) -> Result<Value, ServiceError> {
        let Value::Object(arguments) = json!({ "name": "ada" }) else { unreachable!("written here") };
        let params = GetPromptRequestParams::new("greet").with_arguments(arguments);
        let message = json!(self.client.get_prompt(params).await?.messages.first());
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(json!(format!("{}: {}", word(&message["role"]), word(&message["content"]["text"]))))
    }

    /// Asks to be told of changes.
    async fn watch(&self) -> Result<(), ServiceError> {
        if !self.modern {
            return self.client.subscribe(SubscribeRequestParams::new(WATCHED)).await;
        }
        let filter = SubscriptionFilter::builder().tools_list_changed().resource_subscription(WATCHED).build();
        let mut subscription = self.client.listen(filter).await?;
        let (told, client) = (self.told_change.clone(), self.client.clone());
        tokio::spawn(async move {
            while let Ok(Some(news)) = subscription.next().await {
                let _ = match news {
                    ServerNotification::ToolListChangedNotification(_) => told.send("tools".into()),
                    ServerNotification::ResourceUpdatedNotification(updated) => told.send(updated.params.uri),
                    _ => Ok(()),
                };
            }
            drop(client);
        });
        Ok(())
    }

    /// Has a tool change something, until it is told.
    async fn hears(&self, tool: &'static str, word: &str) -> Result<Value, ServiceError> {
        let mut changes = self.changes.lock().await;
        for _ in 0..3 {
            self.call(tool, json!({})).await?;
            let heard = async { while changes.recv().await.is_some_and(|heard| heard != word) {} };
            if timeout(NEWS, heard).await.is_ok() {
                return Ok(json!(word));
            }
        }
        Ok(json!("nothing"))
    }
}

async fn saw(sentence: &str, work: impl Future<Output = Result<Value, ServiceError>>) {
    let seen = match timeout(PATIENCE, work).await {
        Ok(Ok(seen)) => seen,
        Ok(Err(ServiceError::McpError(error))) => json!(format!("error {}", error.code.0)),
        Ok(Err(error)) => json!(format!("error: {error}")),
        Err(_) => json!("error: no answer in time"),
    };
    println!("{}", json!({ "sentence": sentence, "saw": seen }));
}

fn refused(outcome: Result<Value, ServiceError>) -> Result<Value, ServiceError> {
    match outcome {
        Err(ServiceError::McpError(_)) => Ok(json!("refused")),
        outcome => outcome,
    }
}

/// A block of content in short.
fn content(block: &Value) -> Value {
    let word = |pointer: &str| block.pointer(pointer).and_then(Value::as_str).unwrap_or("nothing").to_owned();
    json!(match word("/type").as_str() {
        "text" => format!("text {}", word("/text")),
        "resource" => format!("resource {} {}", word("/resource/uri"), word("/resource/text")),
        "resource_link" => format!("resource_link {}", word("/uri")),
        kind => format!("{kind} {} {}", word("/mimeType"), word("/data")),
    })
}

fn text(result: &CallToolResult) -> String {
    json!(result)["content"][0]["text"].as_str().unwrap_or("no text").to_owned()
}

fn names(names: impl Iterator<Item = String>) -> Value {
    let mut names: Vec<_> = names.collect();
    names.sort();
    json!(names)
}
