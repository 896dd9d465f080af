//! The course of a call: progress, log messages, failures; and what arguments can be.

use std::time::Duration;

use micro_core::Schema;
use micro_mcp::{
    Builder, CallContext, NoArgs,
    proto::{CallToolResult, LogLevel},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

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

pub(crate) fn add(server: Builder) -> Builder {
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
        .tool("json_schema_2020_12_tool")
        .description("Takes arguments under a schema full of JSON Schema 2020-12 keywords.")
        .input_schema_raw(Schema::parse(SCHEMA_2020_12).expect("the schema above is JSON"))
        .handler(|args: Map<String, Value>| async move { Value::Object(args).to_string() })
        .tool("test_custom_header")
        .description("Takes a value that must also be sent as the header Mcp-Param-Value.")
        .handler(|args: Custom| async move { args.value })
}
