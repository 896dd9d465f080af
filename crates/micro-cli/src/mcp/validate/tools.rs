//! Tools: how they describe themselves and what calling them returns (`server/tools`).

use micro_core::{Schema, Validator};
use micro_mcp::proto::{Revision, headers};
use serde_json::{Map, Value, json, value::to_raw_value};

use super::{
    Answer, Finding, No,
    answer::shown,
    fail,
    headers::NO_TOOL,
    lists::{ListKind, any_structure},
    probe::Probe,
    skip, want,
};

/// Tools that are called.
const CALLED: usize = 5;
/// Kinds of content, each with what it must have.
const CONTENT: &[(&str, &[&str])] = &[
    ("text", &["text"]),
    ("image", &["data", "mimeType"]),
    ("audio", &["data", "mimeType"]),
    ("resource_link", &["uri", "name"]),
    ("resource", &[]),
];

pub(super) async fn shape(p: &mut Probe) -> Finding {
    for tool in p.list(ListKind::Tools).await? {
        want(tool["name"].is_string(), || format!("a tool without a name: {}", shown(&tool)))?;
        let schema = &tool["inputSchema"];
        want(schema.is_object() && schema["type"] == "object", || {
            format!("`inputSchema` of {} has no `type: \"object\"`: {}", tool["name"], shown(schema))
        })?;
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            let value = &tool["annotations"][hint];
            want(value.is_null() || value.is_boolean(), || format!("`{hint}` of {} is {value}", tool["name"]))?;
        }
    }
    Ok(())
}

pub(super) async fn schemas(p: &mut Probe) -> Finding {
    for tool in p.list(ListKind::Tools).await? {
        for member in ["inputSchema", "outputSchema"] {
            let schema = &tool[member];
            // Of other dialects this program knows nothing.
            let dialect = schema["$schema"].as_str().is_none_or(|dialect| dialect.contains("2020-12"));
            if schema.is_null() || !dialect {
                continue;
            }
            compiled(schema).map_err(|why| fail(format!("`{member}` of {}: {why}", tool["name"])))?;
            want(member == "inputSchema" || any_structure(p.revision) || schema["type"] == "object", || {
                format!("`outputSchema` of {} is no object's", tool["name"])
            })?;
        }
    }
    Ok(())
}

fn compiled(schema: &Value) -> Result<Validator, String> {
    let schema = Schema::parse(&schema.to_string()).map_err(|error| error.to_string())?;
    Validator::compile(&schema).map_err(|error| error.to_string())
}

pub(super) async fn mirrored(p: &mut Probe) -> Finding {
    for tool in p.list(ListKind::Tools).await? {
        let Ok(schema) = to_raw_value(&tool["inputSchema"]) else { continue };
        headers::collect(&schema).map_err(|invalid| fail(format!("{}: {invalid}", tool["name"])))?;
    }
    Ok(())
}

pub(super) async fn unknown(p: &mut Probe) -> Finding {
    if !p.declares("tools") {
        return Err(skip("it does not declare `tools`"));
    }
    let ask = p.request("tools/call", json!({ "name": NO_TOOL, "arguments": {} }));
    p.send(ask).await.is_error(-32602)
}

/// Whether calling a tool is allowed: it says that it only reads, or the caller allows all.
pub(super) fn may_call(p: &Probe, tool: &Value) -> bool {
    p.call_tools || tool["annotations"]["readOnlyHint"] == true
}

/// Arguments that a schema takes: those that are required, as simple as can be.
pub(super) fn sample(schema: &Value) -> Value {
    let mut out = Map::new();
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let argument = &schema["properties"][name];
        let least = &argument["minimum"];
        let value = match argument["type"].as_str() {
            _ if !argument["default"].is_null() => argument["default"].clone(),
            _ if argument["enum"].is_array() => argument["enum"][0].clone(),
            Some("string") => json!("x".repeat(argument["minLength"].as_u64().unwrap_or(1).clamp(1, 100) as usize)),
            Some("integer" | "number") if !least.is_null() => least.clone(),
            Some("integer" | "number") => json!(1),
            Some("boolean") => json!(false),
            Some("array") => json!([]),
            _ => json!({}),
        };
        out.insert(name.to_owned(), value);
    }
    Value::Object(out)
}

/// The tools that are called, with arguments that their schemas take.
async fn callable(p: &mut Probe) -> Result<Vec<(Value, Value)>, No> {
    let tools = p.list(ListKind::Tools).await?;
    let fits =
        |arguments: &Value, schema: &Value| compiled(schema).is_ok_and(|v| v.check(&arguments.to_string()).is_ok());
    let with_sample = tools.into_iter().filter(|tool| may_call(p, tool)).map(|tool| {
        let arguments = sample(&tool["inputSchema"]);
        (tool, arguments)
    });
    let out: Vec<_> =
        with_sample.filter(|(tool, arguments)| fits(arguments, &tool["inputSchema"])).take(CALLED).collect();
    match out.is_empty() {
        true => Err(skip("no tool says that it only reads; `--call-tools` calls them all the same")),
        false => Ok(out),
    }
}

/// Calls a tool, as mirrored as it wants it.
async fn call(p: &mut Probe, tool: &Value, arguments: &Value) -> Answer {
    let params = json!({
        "name": tool["name"], "arguments": arguments, "_meta": { "progressToken": "micro-progress" }
    });
    let mut ask = p.request("tools/call", params);
    if let (true, Ok(schema), Ok(raw)) = (p.is_modern(), to_raw_value(&tool["inputSchema"]), to_raw_value(arguments))
        && let Ok(specs) = headers::collect(&schema)
    {
        ask.headers.extend(headers::mirror(&specs, Some(&raw)));
    }
    p.send(ask).await
}

pub(super) async fn results(p: &mut Probe) -> Finding {
    for (tool, arguments) in callable(p).await? {
        let answer = call(p, &tool, &arguments).await;
        let result = match answer.result() {
            Ok(result) if result["resultType"] == "input_required" || result["resultType"] == "task" => continue,
            Ok(result) => result,
            // A tool may need what this client did not declare.
            Err(_) if answer.code().ok() == Some(-32021) => continue,
            Err(no) => return Err(no),
        };
        let about = |what: String| format!("{}: {what}", tool["name"]);
        let content = result["content"].as_array().ok_or_else(|| fail(about("no list `content`".into())))?;
        for block in content {
            let kind = block["type"].as_str().unwrap_or_default();
            let members = CONTENT.iter().find(|(known, _)| *known == kind).map(|(_, members)| *members);
            let members =
                members.ok_or_else(|| fail(about(format!("content of an unknown type: {}", shown(block)))))?;
            want(members.iter().all(|member| block[*member].is_string()), || {
                about(format!("incomplete: {}", shown(block)))
            })?;
        }
        let error = &result["isError"];
        want(error.is_null() || error.is_boolean(), || about(format!("`isError` is {error}")))?;
    }
    Ok(())
}

pub(super) async fn structure(p: &mut Probe) -> Finding {
    let mut checked = 0;
    for (tool, arguments) in callable(p).await? {
        if tool["outputSchema"].is_null() {
            continue;
        }
        let Ok(validator) = compiled(&tool["outputSchema"]) else { continue };
        let answer = call(p, &tool, &arguments).await;
        let Ok(result) = answer.result() else { continue };
        if result["isError"] == true || !["complete", ""].contains(&result["resultType"].as_str().unwrap_or_default()) {
            continue;
        }
        checked += 1;
        let found = validator.check(&result["structuredContent"].to_string());
        found.map_err(|violations| {
            let told = violations.first().map(ToString::to_string).unwrap_or_default();
            fail(format!("{}: `structuredContent` does not fit `outputSchema`: {told}", tool["name"]))
        })?;
    }
    if checked == 0 { Err(skip("no tool that may be called promises structure")) } else { Ok(()) }
}

pub(super) async fn progress(p: &mut Probe) -> Finding {
    let mut told = 0;
    for (tool, arguments) in callable(p).await? {
        let answer = call(p, &tool, &arguments).await;
        let steps = answer.messages.iter().filter(|message| message["method"] == "notifications/progress");
        let mut last = f64::NEG_INFINITY;
        for step in steps {
            told += 1;
            let token = &step["params"]["progressToken"];
            want(*token == "micro-progress", || format!("{}: the token is {token}", tool["name"]))?;
            let now = step["params"]["progress"].as_f64().unwrap_or(f64::NAN);
            want(now > last, || format!("{}: {now} after {last}", tool["name"]))?;
            last = now;
        }
    }
    if told == 0 { Err(skip("no tool that may be called tells of progress")) } else { Ok(()) }
}

pub(super) async fn bad_arguments(p: &mut Probe) -> Finding {
    let tools = p.list(ListKind::Tools).await?;
    let required = |tool: &&Value| tool["inputSchema"]["required"].as_array().is_some_and(|names| !names.is_empty());
    let tool = tools.iter().filter(required).find(|tool| may_call(p, tool)).cloned();
    let Some(tool) = tool else { return Err(skip("no tool that may be called needs arguments")) };
    let answer = call(p, &tool, &json!({})).await;
    match answer.result() {
        Ok(result) => want(result["isError"] == true, || format!("{} without arguments succeeded", tool["name"])),
        // Before 2025-11-25 nothing said which it should be.
        Err(_) if p.revision < Revision::V2025_11_25 => answer.code().map(|_| ()),
        Err(_) => Err(fail(format!("expected a result with `isError`, {}", answer.seen()))),
    }
}
