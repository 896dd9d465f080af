//! `micro mcp test`: one call of a tool, as an agent makes it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use micro_core::{Validator, Violation};
use micro_gateway::{Config, Core, Tool};
use micro_mcp::{
    CallParams, Cx as McpCx, Peer, Request, Transport,
    proto::{CallToolResult, Content, Meta, Revision, RpcError},
};
use serde_json::{Value, value::RawValue};

use crate::{cx::Cx, error::CommandError, fleet, input, near, tools, ui::Ui};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro mcp test users_Get                         With the tool's own example
  micro mcp test users_Get '{\"id\": \"user-1\"}'
  micro mcp test users.Users.Get - < user.json     By its canonical name, arguments from stdin
  micro mcp test users_Get --json                  The whole result, as an agent gets it

Exit codes:
  1 the tool failed, or its result is not what it promises   3 no such tool   4 the registry does not answer   6 the arguments do not fit";

/// Call a tool and print what it returns
///
/// The arguments are checked against the tool's schema, then the call takes the way of an agent's call
/// through the gateway, without a listener. The result is printed, and checked against the tool's output
/// schema. The time it took is on stderr.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The tool, by any of its names, as `micro mcp list` shows them
    tool: String,
    /// Arguments: a JSON object; `-` reads it from stdin, nothing takes the tool's example
    json: Option<String>,
    /// Print the whole result as JSON, also when the tool failed
    #[arg(long = "json", id = "as_json")]
    as_json: bool,
}

pub(crate) async fn run(ui: &mut Ui, cx: &Cx, args: Args) -> Result<(), CommandError> {
    let core = tools::core(cx, &Config::default()).await?;
    let tool = find(cx, &core, &args.tool)?;
    let arguments = match &args.json {
        Some(given) => input::json(given).await?,
        None => example(ui, &tool)?,
    };
    check(&tool, &arguments)?;
    let began = Instant::now();
    let result = call(&core, &tool, &arguments).await?;
    let took = began.elapsed();
    core.close().await;
    ui.note(format_args!("{} answered in {}", tool.name, milliseconds(took)));
    if args.as_json {
        ui.json(&result);
    }
    if result.is_error {
        return Err(CommandError::internal(format!("the tool failed: {}", text(&result))));
    }
    match &result.structured_content {
        _ if args.as_json => {}
        Some(value) => ui.json(value),
        None => ui.data(text(&result)),
    }
    check_result(&tool, &result)
}

fn find(cx: &Cx, core: &Core, name: &str) -> Result<Arc<Tool>, CommandError> {
    let catalog = core.catalog().load();
    catalog.find(name).cloned().ok_or_else(|| {
        let error = CommandError::not_found(format!("there is no tool `{name}`"));
        if catalog.tools().len() == 0 {
            return error.hint(fleet::nobody(&cx.location));
        }
        // As the person wrote it: dots mean canonical names.
        let canonical = name.contains('.');
        let names = catalog.tools().map(|(shown, tool)| if canonical { &tool.name.canonical } else { shown });
        near::hint(error, name, names)
    })
}

/// The tool's own example, or no arguments when it needs none.
fn example(ui: &mut Ui, tool: &Tool) -> Result<String, CommandError> {
    if let Some(example) = tool.descriptor.examples.first() {
        ui.note(format_args!("with its example: {example}"));
        return Ok(example.clone());
    }
    match tool.validator.check("{}") {
        Ok(()) => Ok("{}".to_owned()),
        Err(_) => Err(CommandError::usage(format!("`{}` has no example: give its arguments as JSON", tool.name))
            .hint(format!("`micro describe {}` shows them", tool.service))),
    }
}

/// Every way in which the arguments do not fit, each with its place.
fn check(tool: &Tool, arguments: &str) -> Result<(), CommandError> {
    tool.validator.check(arguments).map_err(|violations| {
        CommandError::invalid(format!("the arguments do not fit `{}`:{}", tool.name, lines(&violations)))
            .hint(format!("`micro describe {}` shows what fits", tool.service))
    })
}

/// Clients may refuse a result that is not what the tool promises; nothing on the way of a call looks.
fn check_result(tool: &Tool, result: &CallToolResult) -> Result<(), CommandError> {
    let Some(schema) = tool.output() else { return Ok(()) };
    let value = result.structured_content.as_ref().unwrap_or(&Value::Null);
    let unusable = |e| CommandError::internal(format!("the output schema of `{}` is unusable", tool.name)).because(e);
    Validator::compile(&schema).map_err(unusable)?.check(&value.to_string()).map_err(|violations| {
        let lines = lines(&violations);
        CommandError::internal(format!("the result does not match the output schema of `{}`:{lines}", tool.name))
            .hint("this is a mistake in the service: its types promise more than its code keeps")
    })
}

fn lines(violations: &[Violation]) -> String {
    violations.iter().map(|violation| format!("\n  - {violation}")).collect()
}

/// Through the gateway's handler: authenticated, authorized, validated and audited like any call.
async fn call(core: &Core, tool: &Tool, arguments: &str) -> Result<CallToolResult, CommandError> {
    let handler = core.handler(false);
    let arguments: &RawValue = serde_json::from_str(arguments).map_err(|e| CommandError::invalid(e.to_string()))?;
    let name = tool.name.canonical.as_str().into();
    let params = CallParams { name, arguments: Some(arguments), input_responses: None, request_state: None };
    let (peer, request) = (Peer::of(Transport::Stdio), Request::CallTool(params));
    let principal = handler.authenticate(&peer, &request).map_err(|refusal| refused(&refusal.error))?;
    let (newest, meta) = (Revision::V2026_07_28, Meta::default());
    let answer = McpCx::detached(newest, &principal, &meta, peer, async |cx| handler.handle(cx, &request).await).await;
    let answer = answer.map_err(|failure| refused(failure.error()))?;
    serde_json::from_slice(&answer).map_err(|e| CommandError::internal("the result is not a tool's").because(e))
}

fn refused(error: &RpcError) -> CommandError {
    CommandError::internal(format!("the gateway refused the call: {}", error.message))
}

/// What a model reads.
fn text(result: &CallToolResult) -> String {
    let block = |content: &Content| match content {
        Content::Text(block) => block.text.clone(),
        other => serde_json::to_string(other).unwrap_or_default(),
    };
    result.content.iter().map(block).collect::<Vec<_>>().join("\n")
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
