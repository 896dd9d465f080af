//! One endpoint as a tool, compiled.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use micro_core::{EndpointDescriptor, Schema, ToolName, Validator};
use micro_policy::{Access, Gate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Which form of a tool's name models see. A call by either form always works.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ToolNames {
    /// `users_Get`: every known host accepts it.
    #[default]
    Safe,
    /// `users.Users.Get`.
    Canonical,
}

/// An endpoint that an agent can call. Clones share what is large.
#[derive(Clone)]
pub struct Tool {
    /// Its names, before collisions are resolved.
    pub name: ToolName,
    /// The service that offers it.
    pub service: Arc<str>,
    /// `Type.Method`.
    pub endpoint: Arc<str>,
    /// Everything the service says about it.
    pub descriptor: EndpointDescriptor,
    /// Who may call it.
    pub gate: Gate,
    /// Checks arguments.
    pub validator: Arc<Validator>,
    /// Rendered JSON members after the name, one form per era (see [`Tool::render`]).
    modern: Arc<str>,
    legacy: Arc<str>,
}

/// Something a catalog could not use as it is. The rest of the catalog is not affected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The tool's canonical name.
    pub tool: String,
    /// What is wrong and what was done about it.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.tool, self.reason)
    }
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tool").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Tool {
    /// Compiles an endpoint. Fails when its input schema cannot be used.
    pub(super) fn compile(
        service: &Arc<str>,
        descriptor: EndpointDescriptor,
        access: &Access,
    ) -> Result<Self, Problem> {
        let name = ToolName::new(service, &descriptor.name);
        let left_out = |reason: String| Problem { tool: name.canonical.clone(), reason };
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if descriptor.name.is_empty() || descriptor.name.len() > 128 || !descriptor.name.bytes().all(plain) {
            return Err(left_out(
                "left out, its name has other characters than letters, digits, `.`, `_`, `-`".to_owned(),
            ));
        }
        let validator =
            Validator::compile(&descriptor.input).map_err(|e| left_out(format!("left out, its arguments are {e}")))?;
        let input: Value = serde_json::from_str(descriptor.input.as_str()).expect("it compiled");
        if input["type"] != "object" {
            return Err(left_out("left out, its arguments are not an object".to_owned()));
        }
        let [modern, legacy] = [true, false].map(|modern| members(&descriptor, input.clone(), modern).into());
        Ok(Self {
            service: service.clone(),
            endpoint: descriptor.name.as_str().into(),
            gate: access.gate(&name.canonical, service, &descriptor),
            validator: Arc::new(validator),
            modern,
            legacy,
            name,
            descriptor,
        })
    }

    /// The same tool under other rules.
    pub(super) fn under(&self, access: &Access) -> Self {
        let gate = access.gate(&self.name.canonical, &self.service, &self.descriptor);
        Self { gate, ..self.clone() }
    }

    /// The schema of the result. A stream's items come as one list at the end.
    pub fn output(&self) -> Option<Schema> {
        output(&self.descriptor).map(|schema| Schema::of(&schema))
    }

    /// The tool as `tools/list` shows it under this name, in the modern or the legacy form.
    pub(super) fn render(&self, shown: &str, modern: bool) -> String {
        // A shown name holds letters, digits, `.`, `_` and `-` only (see `compile`): nothing to escape.
        format!(r#"{{"name":"{shown}",{}"#, if modern { &self.modern } else { &self.legacy })
    }

    /// The tool in the form of go-micro's `GET /mcp/tools`.
    pub(crate) fn compat(&self) -> Bytes {
        let mut tool = json!({
            "name": self.name.canonical,
            "description": self.descriptor.description,
            "inputSchema": self.descriptor.input,
            "service": &*self.service,
            "endpoint": &*self.endpoint,
        });
        let scopes = &self.gate.scopes;
        if !scopes.is_empty() {
            tool["scopes"] = json!(scopes);
        }
        tool.to_string().into()
    }
}

/// Everything of a tool but its name: `"title":…,…}` with the closing brace.
fn members(descriptor: &EndpointDescriptor, mut input: Value, modern: bool) -> String {
    let mut tool = serde_json::Map::new();
    if let Some(title) = &descriptor.title {
        tool.insert("title".into(), json!(title));
    }
    tool.insert("description".into(), json!(descriptor.description));
    let examples: Vec<Value> = descriptor.examples.iter().filter_map(|e| serde_json::from_str(e).ok()).collect();
    if !examples.is_empty() {
        input["examples"] = json!(examples);
    }
    tool.insert("inputSchema".into(), input);
    if let Some(output) = output(descriptor).filter(|schema| modern || is_object(schema)) {
        tool.insert("outputSchema".into(), output);
    }
    let annotations = annotations(descriptor);
    if !annotations.is_empty() {
        tool.insert("annotations".into(), annotations.into());
    }
    let json = Value::Object(tool).to_string();
    json[1..].to_owned()
}

/// See [`Tool::output`].
fn output(descriptor: &EndpointDescriptor) -> Option<Value> {
    let value = |schema: &Schema| serde_json::from_str(schema.as_str()).ok();
    let output: Option<Value> = descriptor.output.as_ref().and_then(value);
    if !descriptor.streaming {
        return output;
    }
    let items = output.unwrap_or_else(|| json!({}));
    Some(json!({"type": "object", "required": ["items"], "properties": {"items": {"type": "array", "items": items}}}))
}

fn is_object(schema: &Value) -> bool {
    schema["type"] == "object"
}

fn annotations(descriptor: &EndpointDescriptor) -> serde_json::Map<String, Value> {
    let hints = &descriptor.hints;
    // The specification's defaults are "destructive" and "open world": say so only when it is not.
    let destructive = hints.destructive.or(hints.read_only.then_some(false));
    let pairs = [
        ("readOnlyHint", hints.read_only.then_some(true)),
        ("destructiveHint", destructive),
        ("idempotentHint", hints.idempotent.then_some(true)),
        ("openWorldHint", hints.open_world),
    ];
    pairs.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into()))).collect()
}
