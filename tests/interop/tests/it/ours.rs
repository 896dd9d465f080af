//! Our client's report of a server.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use micro_mcp::{
    client::{Builder, Call, Changed, Client, Error},
    proto::{
        CallToolResult, Content, CreateMessageResult, ElicitAction, ElicitResult, Era, LogLevel, Reference,
        ResourceContents, Role, Root,
    },
};
use serde_json::{Map, Value, json};
use tokio::{
    sync::{Mutex, Notify, mpsc},
    time::timeout,
};

use crate::contract::Report;

/// What careless framing breaks: line ends of all kinds, quotes, characters of four bytes, a null.
const ODD: &str = "a\r\nb\n\nc\u{2028}d\u{2029}\"\\\t\u{0}é🦀data: x\nid: 1";
/// How long one sentence may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to wait for news before what makes the server tell is done again: over HTTP a legacy server that
/// has news before the client's stream is there keeps them to itself.
const NEWS: Duration = Duration::from_secs(2);

/// Plays the course of the contract with a server.
pub(crate) async fn report(connect: impl AsyncFnOnce(Builder) -> Result<Client, Error>) -> Result<Report> {
    let (told_log, logs) = mpsc::unbounded_channel();
    let (told_change, changes) = mpsc::unbounded_channel();
    let builder = Client::builder()
        .name("micro-interop", "1")
        .on_form(|form| async move {
            match form.message.as_str() {
                "accept" => ElicitResult::accept(Map::from_iter([("name".to_owned(), json!("ada"))])),
                "cancel" => ElicitResult { action: ElicitAction::Cancel, ..ElicitResult::decline() },
                _ => ElicitResult::decline(),
            }
        })
        .on_sampling(|_| async { Ok(CreateMessageResult::text("toy", "pong")) })
        .on_roots(|| async { vec![Root { uri: "file:///work".into(), ..Root::default() }] })
        .on_log(LogLevel::Info, move |log| told_log.send(log).unwrap_or_default())
        .on_change(move |change| told_change.send(change).unwrap_or_default());
    let client = timeout(PATIENCE, connect(builder)).await.context("no connection in time")??;
    let course = Course { client: &client, logs: Mutex::new(logs), changes: Mutex::new(changes) };
    let report = course.play().await;
    client.close().await;
    Ok(report)
}

struct Course<'c> {
    client: &'c Client,
    logs: Mutex<mpsc::UnboundedReceiver<micro_mcp::proto::LogParams>>,
    changes: Mutex<mpsc::UnboundedReceiver<Changed>>,
}

impl Course<'_> {
    async fn play(&self) -> Report {
        let client = self.client;
        let mut report = Report::new();
        let mut saw = |sentence: &str, value: Value| report.insert(sentence.to_owned(), value);

        saw("revision", told(async { Ok(json!(client.revision().await?.as_str())) }).await);
        saw("tools", told(async { Ok(names(client.tools().await?.iter().map(|tool| &tool.name))) }).await);
        saw("echo", self.text("echo", json!({ "message": "hello" })).await);
        saw("echo of odd text", told(self.same(ODD)).await);
        saw("echo of a long text", told(self.same(&"lang ".repeat(60_000))).await);
        saw("fifty calls at once", told(self.at_once()).await);
        saw("contents", told(self.contents()).await);
        saw("structured", told(async { client.call("add").args(&json!({ "a": 1, "b": 2 })).json().await }).await);
        saw("failure", told(self.failure()).await);
        saw("unknown tool", told(async { refused(client.call("nothing").await) }).await);
        saw("missing argument", told(async { refused(client.call("echo").await) }).await);
        saw("progress", told(self.progress()).await);
        saw("cancel", told(self.cancel()).await);
        saw("reconnect", self.text("reconnect", json!({})).await);
        saw("elicit accept", self.text("elicit", json!({ "answer": "accept" })).await);
        saw("elicit decline", self.text("elicit", json!({ "answer": "decline" })).await);
        saw("elicit cancel", self.text("elicit", json!({ "answer": "cancel" })).await);
        saw("sample", self.text("sample", json!({})).await);
        saw("roots", self.text("roots", json!({})).await);
        saw("log", told(self.log()).await);
        saw("resources", told(async { Ok(names(client.resources().await?.iter().map(|one| &one.uri))) }).await);
        saw("text", told(self.read("test://text")).await);
        saw("blob", told(self.read("test://blob")).await);
        saw("unknown resource", told(self.unknown_resource()).await);
        let templates = async { Ok(names(client.resource_templates().await?.iter().map(|one| &one.uri_template))) };
        saw("templates", told(templates).await);
        saw("item", told(self.read("test://item/7")).await);
        saw("prompts", told(async { Ok(names(client.prompts().await?.iter().map(|prompt| &prompt.name))) }).await);
        saw("prompt", told(self.prompt()).await);
        saw("prompt without its argument", told(self.prompt_without()).await);
        saw("completion", told(self.completion()).await);
        saw("list change", told(self.hears("change", &Changed::Tools, "tools")).await);
        saw("update", told(self.update()).await);
        if client.revision().await.is_ok_and(|revision| revision.era() == Era::Legacy) {
            saw("ping", told(async { client.ping().await.map(|()| json!("pong")) }).await);
        }
        report
    }

    /// What a tool that works answers.
    async fn text(&self, tool: &str, arguments: Value) -> Value {
        told(async { Ok(json!(text_of(&self.client.call(tool).args(&arguments).await?))) }).await
    }

    async fn failure(&self) -> Result<Value, Error> {
        let result = self.client.call("fail").await?;
        let text = text_of(&result);
        Ok(json!(if result.is_error && text.contains("broken") { "broken".to_owned() } else { text }))
    }

    async fn same(&self, message: &str) -> Result<Value, Error> {
        let echoed = text_of(&self.client.call("echo").args(&json!({ "message": message })).await?);
        Ok(json!(if echoed == message { "ok" } else { &echoed }))
    }

    async fn at_once(&self) -> Result<Value, Error> {
        let numbers: Vec<_> = (0..50).map(|number: u8| number.to_string()).collect();
        let all = try_join_all(numbers.iter().map(|number| self.same(number))).await?;
        Ok(if all.iter().all(|answer| answer == "ok") { json!("ok") } else { json!(all) })
    }

    async fn contents(&self) -> Result<Value, Error> {
        Ok(self.client.call("contents").await?.content.iter().map(content).collect())
    }

    async fn prompt_without(&self) -> Result<Value, Error> {
        match self.client.prompt("greet", BTreeMap::new()).await {
            Ok(prompt) => Ok(json!(prompt.messages)),
            Err(Error::Rpc(_)) => Ok(json!("refused")),
            Err(error) => Err(error),
        }
    }

    async fn progress(&self) -> Result<Value, Error> {
        let (told, mut steps) = mpsc::unbounded_channel();
        let step = move |step: micro_mcp::client::Progress| {
            told.send(format!("{}/{}", step.progress, step.total.unwrap_or_default())).unwrap_or_default();
        };
        self.client.call("progress").progress(step).await?;
        let mut all = Vec::new();
        while let Some(step) = steps.recv().await {
            all.push(step);
        }
        Ok(json!(all))
    }

    /// Drops a call when the server has begun with it, and asks the server whether it has noticed.
    async fn cancel(&self) -> Result<Value, Error> {
        let begun = Arc::new(Notify::new());
        let noticed = begun.clone();
        let slow: Call<'_> = self.client.call("slow").progress(move |_| noticed.notify_one());
        tokio::select! {
            result = slow => return Ok(json!(text_of(&result?))),
            () = begun.notified() => {}
        }
        Ok(json!(text_of(&self.client.call("cancelled").await?)))
    }

    async fn log(&self) -> Result<Value, Error> {
        self.client.call("log").await?;
        let log = timeout(NEWS, async { self.logs.lock().await.recv().await }).await;
        Ok(match log {
            Ok(Some(log)) => json!(format!("{}: {}", log.level.as_str(), words(&log.data))),
            _ => json!("nothing"),
        })
    }

    async fn read(&self, uri: &str) -> Result<Value, Error> {
        Ok(match self.client.read(uri).await?.first() {
            Some(ResourceContents { text: Some(text), .. }) => json!(text),
            Some(ResourceContents { blob: Some(blob), .. }) => json!(blob),
            _ => json!("nothing"),
        })
    }

    async fn unknown_resource(&self) -> Result<Value, Error> {
        match self.read("test://nothing").await {
            Err(Error::Rpc(_)) => Ok(json!("refused")),
            outcome => outcome,
        }
    }

    async fn prompt(&self) -> Result<Value, Error> {
        let prompt = self.client.prompt("greet", BTreeMap::from([("name".into(), "ada".into())])).await?;
        let message = prompt.messages.first().map(|message| {
            let role = if message.role == Role::User { "user" } else { "assistant" };
            format!("{role}: {}", text(Some(&message.content)))
        });
        Ok(json!(message))
    }

    async fn completion(&self) -> Result<Value, Error> {
        let greet = Reference::Prompt { name: "greet".into(), title: None };
        Ok(json!(self.client.complete(&greet, "name", "ad", &BTreeMap::new()).await?.values))
    }

    async fn update(&self) -> Result<Value, Error> {
        self.client.subscribe("test://watched").await?;
        self.hears("touch", &Changed::Resource("test://watched".into()), "test://watched").await
    }

    /// Has a tool change something, until the client is told of it.
    async fn hears(&self, tool: &str, change: &Changed, word: &str) -> Result<Value, Error> {
        self.client.watching().await?;
        let mut changes = self.changes.lock().await;
        for _ in 0..3 {
            self.client.call(tool).await?;
            let heard = async { while changes.recv().await.is_some_and(|heard| heard != *change) {} };
            if timeout(NEWS, heard).await.is_ok() {
                return Ok(json!(word));
            }
        }
        Ok(json!("nothing"))
    }
}

/// What came of a sentence; errors are words too.
async fn told(work: impl Future<Output = Result<Value, Error>>) -> Value {
    match timeout(PATIENCE, work).await {
        Ok(Ok(value)) => value,
        Ok(Err(error)) => match error.code() {
            Some(code) => json!(format!("error {code}")),
            None => json!(format!("error: {error}")),
        },
        Err(_) => json!("error: no answer in time"),
    }
}

fn names<'a>(names: impl Iterator<Item = &'a String>) -> Value {
    let mut names: Vec<_> = names.collect();
    names.sort();
    json!(names)
}

/// A call that must not work: refused by the server, or failed as a tool.
fn refused(outcome: Result<CallToolResult, Error>) -> Result<Value, Error> {
    match outcome {
        Ok(result) if !result.is_error => Ok(json!(text_of(&result))),
        Ok(_) | Err(Error::Rpc(_)) => Ok(json!("refused")),
        Err(error) => Err(error),
    }
}

/// A block of content in short.
fn content(block: &Content) -> String {
    match block {
        Content::Text(text) => format!("text {}", text.text),
        Content::Image(image) => format!("image {} {}", image.mime_type, image.data),
        Content::Audio(audio) => format!("audio {} {}", audio.mime_type, audio.data),
        Content::Resource(embedded) => {
            format!("resource {} {}", embedded.resource.uri, embedded.resource.text.as_deref().unwrap_or("nothing"))
        }
        Content::ResourceLink(link) => format!("resource_link {}", link.uri),
        other => format!("{other:?}"),
    }
}

fn text_of(result: &CallToolResult) -> String {
    text(result.content.first())
}

fn text(content: Option<&Content>) -> String {
    match content {
        Some(Content::Text(block)) => block.text.clone(),
        other => format!("no text but {other:?}"),
    }
}

/// A log line: some servers send a string, some wrap it.
fn words(data: &Value) -> &str {
    data.as_str().or_else(|| data["msg"].as_str()).unwrap_or("no words")
}
