//! Tools: every kind of content, progress, errors, schemas, mirrored headers, announcements.

use std::time::Duration;

use micro_core::Schema;
use micro_mcp::{
    Builder, CallContext, Change, NoArgs, ToolError,
    proto::{CallToolResult, Content, LogLevel, ResourceContents, RpcError},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{Changes, announce};

/// A red pixel, as PNG.
pub(crate) const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/// A moment of silence, as WAV.
const SILENCE: &str = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAAAAA==";

/// JSON Schema 2020-12 with the keywords that careless servers lose on the way.
const SCHEMA_2020_12: &str = r##"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": { "street": { "type": "string" }, "city": { "type": "string" } }
        }
    },
    "properties": {
        "name": { "type": "string" },
        "address": { "$ref": "#/$defs/address" },
        "contactMethod": { "type": "string", "enum": ["phone", "email"] },
        "phone": { "type": "string" },
        "email": { "type": "string" }
    },
    "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
    "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
    "then": { "required": ["phone"] },
    "else": { "required": ["email"] },
    "additionalProperties": false
}"##;

/// A value that is also sent as a header.
#[derive(Deserialize, JsonSchema)]
struct Custom {
    /// Mirrored as `Mcp-Param-Value`.
    #[schemars(extend("x-mcp-header" = "Value"))]
    value: String,
}

pub(crate) fn add(server: Builder, changes: &Changes) -> Builder {
    let server = server
        .tool("test_simple_text")
        .description("Returns one line of text.")
        .handler(|_: NoArgs| async { "This is a simple text response for testing." });
    let server = kinds_of_content(server);
    let server = courses_of_a_call(server);
    let (tools, prompts) = (changes.clone(), changes.clone());
    server
        .tool("json_schema_2020_12_tool")
        .description("Takes arguments under a schema full of JSON Schema 2020-12 keywords.")
        .input_schema_raw(Schema::parse(SCHEMA_2020_12).expect("the schema above is JSON"))
        .handler(|args: Map<String, Value>| async move { Value::Object(args).to_string() })
        .tool("test_custom_header")
        .description("Takes a value that must also be sent as the header Mcp-Param-Value.")
        .handler(|args: Custom| async move { args.value })
        .tool("test_trigger_tool_change")
        .description("Tells everyone who listens that the list of tools changed.")
        .handler(move |_: NoArgs| {
            announce(&tools, Change::Tools);
            async { "announced" }
        })
        .tool("test_trigger_prompt_change")
        .description("Tells everyone who listens that the list of prompts changed.")
        .handler(move |_: NoArgs| {
            announce(&prompts, Change::Prompts);
            async { "announced" }
        })
}

fn kinds_of_content(server: Builder) -> Builder {
    server
        .tool("test_image_content")
        .description("Returns a picture.")
        .handler(|_: NoArgs| async { Content::image(PIXEL, "image/png") })
        .tool("test_audio_content")
        .description("Returns a sound.")
        .handler(|_: NoArgs| async { Content::audio(SILENCE, "audio/wav") })
        .tool("test_embedded_resource")
        .description("Returns a resource.")
        .handler(|_: NoArgs| async {
            Content::resource(ResourceContents::text(
                "test://embedded-resource",
                "text/plain",
                "This is an embedded resource content.",
            ))
        })
        .tool("test_multiple_content_types")
        .description("Returns a text, a picture and a resource.")
        .handler(|_: NoArgs| async {
            let resource =
                ResourceContents::text("test://mixed-content-resource", "application/json", r#"{"test":"data"}"#);
            vec![
                Content::text("Multiple content types test:"),
                Content::image(PIXEL, "image/png"),
                Content::resource(resource),
            ]
        })
}

fn courses_of_a_call(server: Builder) -> Builder {
    server
        .tool("test_error_handling")
        .description("Always fails.")
        .handler(|_: NoArgs| async { CallToolResult::error("This tool intentionally returns an error for testing") })
        .tool("test_tool_with_progress")
        .description("Reports progress three times before it is done.")
        .handler(|cx: CallContext, _: NoArgs| async move {
            for step in [0.0, 50.0, 100.0] {
                cx.progress(step, Some(100.0), Some("on its way")).await;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            "done"
        })
        .tool("test_streaming_elicitation")
        .description("Streams its answer, and asks the client nothing on the way.")
        .handler(|cx: CallContext, _: NoArgs| async move {
            cx.progress(1.0, Some(1.0), None).await;
            "streamed"
        })
        .tool("test_reconnection")
        .description("Ends its stream before it is done; clients of 2025-11-25 come back for the answer.")
        .handler(|cx: CallContext, _: NoArgs| async move {
            cx.close_stream(Duration::from_millis(500)).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
            "Reconnection test completed."
        })
        .tool("test_logging_tool")
        .description("Logs a line, for clients that asked for log messages.")
        .handler(|cx: CallContext, _: NoArgs| async move {
            cx.log(LogLevel::Info, Some("everything"), &json!("called")).await;
            "logged"
        })
        .tool("test_tool_with_logging")
        .description("Logs three lines, a moment apart.")
        .handler(|cx: CallContext, _: NoArgs| async move {
            for line in ["started", "processing", "completed"] {
                cx.log(LogLevel::Info, None, &json!(format!("Tool execution {line}"))).await;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            "done"
        })
        .tool("test_missing_capability")
        .description("Needs a client that can sample.")
        .handler(|cx: CallContext, _: NoArgs| async move {
            if cx.capabilities.sampling {
                return Ok("the client can sample");
            }
            let required = json!({ "sampling": {} });
            Err(ToolError::from(RpcError::missing_capability("This tool needs sampling", &required)))
        })
}
