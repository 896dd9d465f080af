//! The contract (tests/it/contract.rs), served by rmcp in both eras.
//!
//! `rmcp-server --address 127.0.0.1:0` says on stderr where it listens; `rmcp-server --stdio` speaks on its streams.

#![allow(clippy::print_stderr, reason = "says where it listens")]
#![allow(deprecated, reason = "rmcp marks what 2026-07-28 deprecates: sampling, roots and logging")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use clap::{ArgGroup, Parser};
use rmcp::{
    ErrorData, Json, RoleServer, ServerHandler, ServiceExt,
    handler::server::{tool::InputResponses as Responses, wrapper::Parameters},
    model::*,
    service::{RequestContext, SubscriptionContext},
    tool, tool_handler, tool_router,
    transport::streamable_http_server::{StreamableHttpService, session::local::LocalSessionManager},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Notify, broadcast},
    time::{sleep, timeout},
};

const WATCHED: &str = "test://watched";
const ANSWER: &str = "answer";

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

/// One session's server, or one request's in the modern era; what they share is behind `Arc`s.
#[derive(Clone)]
struct Contract {
    cancelled: Arc<Notify>,
    news: broadcast::Sender<News>,
}

#[derive(Debug, Clone, Copy)]
enum News {
    Tools,
    Watched,
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

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let contract = Contract { cancelled: Arc::default(), news: broadcast::channel(16).0 };
    let Some(address) = args.address else {
        contract.serve(rmcp::transport::stdio()).await?.waiting().await?;
        return Ok(());
    };
    let listener = TcpListener::bind(address).await?;
    eprintln!("listening on http://{}/mcp", listener.local_addr()?);
    let sessions = Arc::new(LocalSessionManager::default());
    let service = StreamableHttpService::new(move || Ok(contract.clone()), sessions, Default::default());
    axum::serve(listener, axum::Router::new().nest_service("/mcp", service)).await?;
    Ok(())
}

fn text(text: impl Into<String>) -> CallToolResponse {
    CallToolResult::success(vec![ContentBlock::text(text)]).into()
}

async fn progress(context: &RequestContext<RoleServer>, step: f64, total: f64) {
    if let Some(token) = context.meta.get_progress_token() {
        let told = ProgressNotificationParam::new(token, step).with_total(total);
        let _ = context.peer.notify_progress(told).await; // the client may have left
    }
}

/// The client's answer: from the round before, by a request of the session era, or not yet.
async fn ask(
    context: &RequestContext<RoleServer>,
    responses: Option<&InputResponses>,
    question: InputRequest,
) -> Result<Result<Value, CallToolResponse>, ErrorData> {
    if let Some(answer) = responses.and_then(|responses| responses.get(ANSWER)) {
        return Ok(Ok(serde_json::to_value(answer).expect("an answer is JSON")));
    }
    if context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28) {
        let questions = InputRequests::from_iter([(ANSWER.to_owned(), question)]);
        return Ok(Err(InputRequiredResult::new(Some(questions), None).into()));
    }
    let peer = &context.peer;
    let answer = match question {
        InputRequest::Elicitation(ask) => peer.create_elicitation(ask.params).await.map(|it| json!(it)),
        InputRequest::CreateMessage(ask) => peer.create_message(ask.params).await.map(|it| json!(it)),
        _ => peer.list_roots().await.map(|it| json!(it)),
    };
    answer.map(Ok).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

#[tool_router]
impl Contract {
    #[tool]
    async fn echo(&self, Parameters(Echo { message }): Parameters<Echo>) -> String {
        message
    }

    #[tool]
    async fn add(&self, Parameters(Add { a, b }): Parameters<Add>) -> Json<Sum> {
        Json(Sum { sum: a + b })
    }

    #[tool]
    async fn contents(&self) -> CallToolResult {
        CallToolResult::success(vec![
            ContentBlock::text("hello"),
            ContentBlock::image("AAEC", "image/png"),
            ContentBlock::audio("AAEC", "audio/wav"),
            ContentBlock::embedded_text("test://text", "hello"),
            ContentBlock::resource_link(Resource::new("test://text", "text")),
        ])
    }

    #[tool]
    async fn fail(&self) -> CallToolResult {
        CallToolResult::error(vec![ContentBlock::text("broken")])
    }

    #[tool]
    async fn progress(&self, context: RequestContext<RoleServer>) -> String {
        for step in [1.0, 2.0, 3.0] {
            progress(&context, step, 3.0).await;
        }
        "done".into()
    }

    #[tool]
    async fn slow(&self, context: RequestContext<RoleServer>) -> String {
        progress(&context, 1.0, 2.0).await;
        tokio::select! {
            () = context.ct.cancelled() => self.cancelled.notify_one(),
            () = sleep(Duration::from_secs(60)) => {}
        }
        "the end".into()
    }

    #[tool]
    async fn cancelled(&self) -> String {
        let noticed = timeout(Duration::from_secs(10), self.cancelled.notified()).await;
        if noticed.is_ok() { "cancelled".into() } else { "nothing was cancelled".into() }
    }

    #[tool]
    async fn reconnect(&self) -> String {
        "resumed".into()
    }

    #[tool]
    async fn elicit(
        &self,
        Parameters(Elicit { answer }): Parameters<Elicit>,
        Responses(responses): Responses,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let form = json!({
            "message": answer,
            "requestedSchema": { "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] },
        });
        let form = serde_json::from_value(form).expect("written above");
        let question = InputRequest::Elicitation(ElicitRequest::new(form));
        Ok(match ask(&context, responses.as_ref(), question).await? {
            Ok(answer) if answer["action"] == "accept" => {
                text(format!("accept {}", answer["content"]["name"].as_str().unwrap_or_default()))
            }
            Ok(answer) => text(answer["action"].as_str().unwrap_or_default()),
            Err(asks) => asks,
        })
    }

    #[tool]
    async fn sample(
        &self,
        Responses(responses): Responses,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let params = CreateMessageRequestParams::new(vec![SamplingMessage::user_text("ping")], 10);
        let question = InputRequest::CreateMessage(CreateMessageRequest::new(params));
        Ok(match ask(&context, responses.as_ref(), question).await? {
            Ok(answer) => {
                let said = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                text(format!("{}: {}", said(&answer["model"]), said(&answer["content"]["text"])))
            }
            Err(asks) => asks,
        })
    }

    #[tool]
    async fn roots(
        &self,
        Responses(responses): Responses,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let question = InputRequest::ListRoots(ListRootsRequest::default());
        Ok(match ask(&context, responses.as_ref(), question).await? {
            Ok(answer) => text(answer["roots"][0]["uri"].as_str().unwrap_or_default()),
            Err(asks) => asks,
        })
    }

    #[tool]
    async fn log(&self, context: RequestContext<RoleServer>) -> String {
        let line = LoggingMessageNotificationParam::new(LoggingLevel::Info, json!("hello"));
        let _ = context.peer.notify_logging_message(line).await; // the client may have left
        "logged".into()
    }

    #[tool]
    async fn change(&self, context: RequestContext<RoleServer>) -> String {
        let _ = self.news.send(News::Tools); // nobody listening is no error
        let _ = context.peer.notify_tool_list_changed().await;
        "changed".into()
    }

    #[tool]
    async fn touch(&self, context: RequestContext<RoleServer>) -> String {
        let _ = self.news.send(News::Watched);
        let _ = context.peer.notify_resource_updated(ResourceUpdatedNotificationParam::new(WATCHED)).await;
        "touched".into()
    }
}

#[tool_handler]
impl ServerHandler for Contract {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_completions()
            .enable_logging()
            .enable_prompts()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_tools()
            .enable_tool_list_changed();
        ServerConfig::new(capabilities.build()).with_server_info(Implementation::new("rmcp", "1"))
    }

    async fn set_level(&self, _: SetLevelRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(()) // one line is logged, and it is for everyone
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let uris = ["test://text", "test://blob", WATCHED];
        Ok(ListResourcesResult::with_all_items(uris.map(|uri| Resource::new(uri, uri)).to_vec()))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(vec![ResourceTemplate::new("test://item/{id}", "item")]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = request.uri.as_str();
        let contents = match (uri, uri.strip_prefix("test://item/")) {
            ("test://text", _) => ResourceContents::text("hello", uri),
            ("test://blob", _) => ResourceContents::blob("AAEC", uri),
            (WATCHED, _) => ResourceContents::text("watch me", uri),
            (_, Some(id)) => ResourceContents::text(format!("item {id}"), uri),
            _ => return Err(ErrorData::resource_not_found("no such resource", None)),
        };
        Ok(ReadResourceResult::new(vec![contents]).into())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let name = PromptArgument::new("name").with_required(true);
        Ok(ListPromptsResult::with_all_items(vec![Prompt::new("greet", None::<String>, Some(vec![name]))]))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let name = request.arguments.as_ref().and_then(|arguments| arguments.get("name")?.as_str());
        let name = name.ok_or_else(|| ErrorData::invalid_params("whom to greet?", None))?;
        let message = PromptMessage::new_text(Role::User, format!("Hello, {name}!"));
        Ok(GetPromptResult::new(vec![message]).into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let names = ["ada", "adam", "eve"].into_iter().filter(|name| name.starts_with(&request.argument.value));
        let completion = CompletionInfo::with_all_values(names.map(str::to_owned).collect());
        Ok(CompleteResult::new(completion.map_err(|error| ErrorData::internal_error(error, None))?))
    }

    async fn subscribe(&self, _: SubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(()) // one client, one resource: it is told anyway
    }

    async fn unsubscribe(&self, _: UnsubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.supported_by(&self.get_info().capabilities))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let mut news = self.news.subscribe();
        loop {
            let heard = tokio::select! {
                heard = news.recv() => heard,
                () = context.cancelled() => return Ok(()),
            };
            // What the client does not want to hear of is refused here, and that is well.
            let _ = match heard {
                Ok(News::Tools) => context.sink().notify_tool_list_changed().await,
                Ok(News::Watched) => context.sink().notify_resource_updated(WATCHED).await,
                Err(_) => return Ok(()),
            };
        }
    }
}
