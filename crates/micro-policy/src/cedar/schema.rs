//! What Cedar knows of tools: types of their arguments, from JSON Schema, and the schema that policies are checked with.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The type of an argument. What has none in Cedar (a choice of several types, an unknown one) is left out, so that
/// no policy can look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// `Bool`.
    Bool,
    /// `Long`: an integer; larger ones count as the largest there is.
    Long,
    /// `decimal`: any number, to four decimal places.
    Decimal,
    /// `String`.
    String,
    /// `Set<…>`: an array, without order.
    Set(Box<Shape>),
    /// A record; with each field, whether it is always there.
    Record(BTreeMap<String, (Shape, bool)>),
}

/// How deep arguments are looked into.
const MAX_DEPTH: usize = 12;

impl Shape {
    /// Of a tool's arguments: always a record.
    pub(super) fn of(schema: &str) -> Self {
        let root: Value = serde_json::from_str(schema).unwrap_or_default();
        match read(&root, &root, 0) {
            Some((record @ Self::Record(_), _)) => record,
            _ => Self::Record(BTreeMap::new()),
        }
    }

    /// In the JSON form of Cedar's schemas.
    fn cedar(&self) -> Value {
        match self {
            Self::Bool => json!({"type": "Boolean"}),
            Self::Long => json!({"type": "Long"}),
            Self::Decimal => json!({"type": "Extension", "name": "decimal"}),
            Self::String => json!({"type": "String"}),
            Self::Set(element) => json!({"type": "Set", "element": element.cedar()}),
            Self::Record(fields) => {
                let field = |(name, (shape, required)): (&String, &(Self, bool))| {
                    let mut shape = shape.cedar();
                    shape["required"] = (*required).into();
                    (name.clone(), shape)
                };
                json!({"type": "Record", "attributes": fields.iter().map(field).collect::<serde_json::Map<_, _>>()})
            }
        }
    }
}

/// A shape, and whether `null` may stand in its place.
fn read(schema: &Value, root: &Value, depth: usize) -> Option<(Shape, bool)> {
    if depth > MAX_DEPTH {
        return None;
    }
    let deeper = |schema: &Value| read(schema, root, depth + 1);
    if let Some(reference) = schema["$ref"].as_str() {
        return deeper(root.pointer(reference.strip_prefix('#')?)?);
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        let Some(choices) = schema[choice].as_array() else { continue };
        let is_null = |one: &&Value| one["type"] == "null" || one.get("const").is_some_and(Value::is_null);
        let mut rest = choices.iter().filter(|one| !is_null(one));
        return match (rest.next(), rest.next()) {
            (Some(one), None) => deeper(one).map(|(shape, null)| (shape, null || choices.len() > 1)),
            _ => None,
        };
    }
    let (kind, null) = match &schema["type"] {
        Value::String(kind) => (kind.as_str(), false),
        Value::Array(kinds) => {
            let mut rest = kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
            match (rest.next(), rest.next()) {
                (Some(kind), None) => (kind, kinds.len() > 1),
                _ => return None,
            }
        }
        _ => return None,
    };
    let shape = match kind {
        "boolean" => Shape::Bool,
        "integer" => Shape::Long,
        "number" => Shape::Decimal,
        "string" => Shape::String,
        "array" => Shape::Set(Box::new(deeper(&schema["items"])?.0)),
        "object" => {
            let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|n| n == name));
            let field = |(name, schema): (&String, &Value)| {
                let (shape, null) = deeper(schema)?;
                Some((name.clone(), (shape, required(name) && !null)))
            };
            Shape::Record(schema["properties"].as_object().into_iter().flatten().filter_map(field).collect())
        }
        _ => return None,
    };
    Some((shape, null))
}

/// The schema of everything that policies can speak of, given the tools there are.
pub(super) fn of<'a>(tools: impl Iterator<Item = (&'a str, &'a Shape)>) -> Value {
    let optional = |kind: Value| {
        let mut kind = kind;
        kind["required"] = false.into();
        kind
    };
    let text = || json!({"type": "String"});
    let texts = || json!({"type": "Set", "element": {"type": "String"}});
    let flag = || json!({"type": "Boolean"});
    let record = |attributes: Value| json!({"type": "Record", "attributes": attributes});
    let account = record(json!({
        "scopes": texts(), "actors": texts(), "unrestricted": flag(),
        "tenant": optional(text()), "issuer": optional(text()),
    }));
    let tool = record(json!({
        "service": text(), "endpoint": text(), "scopes": texts(),
        "read_only": flag(), "idempotent": flag(), "destructive": flag(), "open_world": flag(),
    }));
    let intent = record(json!({"id": text(), "message_sha256": text(), "calls": {"type": "Long"}}));
    let mut actions = serde_json::Map::new();
    actions.insert("call".to_owned(), json!({}));
    for (name, arguments) in tools {
        let context = record(json!({
            "arguments": arguments.cedar(),
            "front": text(),
            "time": {"type": "Extension", "name": "datetime"},
            "weekday": text(),
            "intent": optional(intent.clone()),
        }));
        let applies = json!({"principalTypes": ["Account"], "resourceTypes": ["Tool"], "context": context});
        actions.insert(name.to_owned(), json!({"memberOf": [{"id": "call"}], "appliesTo": applies}));
    }
    json!({"": {
        "entityTypes": {
            "Role": {}, "Tenant": {}, "Service": {},
            "Account": {"memberOfTypes": ["Role", "Tenant"], "shape": account},
            "Tool": {"memberOfTypes": ["Service", "Tenant"], "shape": tool},
        },
        "actions": actions,
    }})
}
