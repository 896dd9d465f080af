//! What each scenario of the conformance suite wants a client to do.

use anyhow::{Context, Result};
use micro_mcp::{
    client::{Builder, Client},
    proto::{CreateMessageResult, ElicitResult, LogLevel, Root, Tool},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::auth;

/// What the suite tells beside the URL; each scenario needs some of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Known {
    /// Calls to make.
    #[serde(rename = "toolCalls")]
    tool_calls: Vec<ToolCall>,
    /// Who the client is.
    #[serde(flatten)]
    auth: auth::Known,
}

#[derive(Debug, Deserialize)]
struct ToolCall {
    name: String,
    arguments: Map<String, Value>,
}

pub(crate) async fn run(url: &str, scenario: &str, known: Known) -> Result<()> {
    let mut builder = builder();
    if scenario.starts_with("auth/") {
        builder = builder.credentials(auth::credentials(url, scenario, &known.auth)?);
    }
    let client = builder.connect(url).await?;
    match scenario {
        "initialize" | "request-metadata" | "json-schema-ref-no-deref" => {
            client.tools().await?;
        }
        "http-custom-headers" => {
            client.tools().await?; // which arguments are mirrored is said there
            for call in &known.tool_calls {
                client.call(&call.name).args(&call.arguments).await?;
            }
        }
        "json-schema-2020-12-preservation" => {
            let tools = client.tools().await?;
            let focal =
                tools.iter().find(|tool| tool.name == "json_schema_2020_12_tool").context("the tool is there")?;
            client.call("json_schema_echo").args(&json!({ "schema": focal.input_schema })).await?;
        }
        _ => everything(&client).await?,
    }
    client.close().await;
    Ok(())
}

/// A client that agrees to everything.
fn builder() -> Builder {
    Client::builder()
        .name("everything-client", env!("CARGO_PKG_VERSION"))
        .on_form(|form| async move { ElicitResult::accept(fill_in(&form.requested_schema)) })
        .on_sampling(|_| async { Ok(CreateMessageResult::text("none", "a model would say something here")) })
        .on_roots(|| async { vec![Root { uri: "file:///tmp".into(), ..Root::default() }] })
        .on_log(LogLevel::Info, |_| {})
}

/// Lists everything and uses each thing once.
async fn everything(client: &Client) -> Result<()> {
    let offered = client.server().await?.capabilities;
    for tool in client.tools().await?.iter() {
        let arguments = arguments(tool).with_context(|| format!("the schema of {}", tool.name))?;
        client.call(&tool.name).args(&arguments).await.with_context(|| format!("calling {}", tool.name))?;
    }
    if offered.resources.is_some() {
        for resource in client.resources().await?.iter() {
            client.read(&resource.uri).await?;
        }
    }
    if offered.prompts.is_some() {
        for prompt in client.prompts().await?.iter() {
            let arguments = prompt.arguments.iter().map(|argument| (argument.name.clone(), "x".to_owned()));
            client.prompt(&prompt.name, arguments.collect()).await?;
        }
    }
    Ok(())
}

/// Arguments that fit a tool's schema well enough: something of the right type for whatever is required.
fn arguments(tool: &Tool) -> Result<Map<String, Value>> {
    let schema: Map<String, Value> = serde_json::from_str(tool.input_schema.get())?;
    let mut arguments = fill_in(&schema);
    let required: Vec<_> = schema.get("required").and_then(Value::as_array).into_iter().flatten().collect();
    arguments.retain(|name, _| required.iter().any(|required| *required == name));
    Ok(arguments)
}

/// Something of the right type for each property without a default.
fn fill_in(schema: &Map<String, Value>) -> Map<String, Value> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let fields = properties.into_iter().flatten().filter(|(_, field)| field.get("default").is_none());
    let values = fields.map(|(name, field)| {
        let value = match field.get("type").and_then(Value::as_str) {
            _ if field.get("enum").is_some() => field["enum"][0].clone(),
            Some("boolean") => true.into(),
            Some("integer" | "number") => 1.into(),
            Some("array") => json!([]),
            Some("object") => json!({}),
            _ => "x".into(),
        };
        (name.clone(), value)
    });
    values.collect()
}
