//! The keys that there are, read off a JSON Schema.

use std::collections::BTreeMap;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value};

/// What may stand at one place of the settings.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A table with these keys and no others.
    Table(BTreeMap<String, Key>),
    /// A table whose keys are names of the user's.
    Names(Box<Node>),
    /// An array.
    List(Box<Node>),
    /// A text.
    Text,
    /// One of these texts.
    Choice(Vec<String>),
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// Of several forms; whoever reads it says which.
    Any,
}

/// One key of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// What may stand there.
    pub node: Node,
    /// What it is for.
    pub text: String,
    /// What holds without it, as JSON.
    pub default: Option<Value>,
    /// Its value is shown to nobody.
    pub secret: bool,
}

/// The schema of settings (JSON Schema 2020-12), and what it allows.
pub(super) fn schema<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().into()
}

/// Deeper than this, settings would have to hold themselves.
const MAX_DEPTH: usize = 16;

impl Node {
    /// Reads a schema.
    pub(super) fn of(schema: &Value) -> Self {
        read(schema, schema, MAX_DEPTH)
    }

    /// The keys below, each with its path. Only tables are gone into.
    pub fn leaves(&self) -> Vec<(Vec<&str>, &Key)> {
        let mut leaves = Vec::new();
        self.collect(&mut Vec::new(), &mut leaves);
        leaves
    }

    fn collect<'a>(&'a self, path: &mut Vec<&'a str>, leaves: &mut Vec<(Vec<&'a str>, &'a Key)>) {
        let Self::Table(keys) = self else { return };
        for (name, key) in keys {
            path.push(name);
            match &key.node {
                table @ Self::Table(_) => table.collect(path, leaves),
                _ => leaves.push((path.clone(), key)),
            }
            path.pop();
        }
    }

    /// What may stand below a path, if the path leads anywhere.
    pub(super) fn at<'p>(&self, path: impl IntoIterator<Item = &'p str>) -> Option<&Self> {
        path.into_iter().try_fold(self, |node, name| match node {
            Self::Table(keys) => keys.get(name).map(|key| &key.node),
            Self::Names(node) => Some(&**node),
            _ => None,
        })
    }
}

/// One schema within its root. References lead into the root's `$defs`.
fn read(root: &Value, schema: &Value, depth: usize) -> Node {
    if depth == 0 {
        return Node::Any;
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|link| link.strip_prefix("#/$defs/")) {
        return read(root, &root["$defs"][name], depth - 1);
    }
    let alternatives = schema["anyOf"].as_array().or(schema["oneOf"].as_array());
    if let Some(alternatives) = alternatives {
        return one_of(root, alternatives, depth);
    }
    if let Some(values) = schema["enum"].as_array() {
        return Node::Choice(values.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    }
    match kind(&schema["type"]) {
        Some("object") => object(root, schema, depth),
        Some("array") => Node::List(Box::new(read(root, &schema["items"], depth - 1))),
        Some("string") => Node::Text,
        Some("integer") => Node::Integer,
        Some("number") => Node::Number,
        Some("boolean") => Node::Bool,
        _ => Node::Any,
    }
}

/// A type, or a type that may be absent.
fn kind(schema: &Value) -> Option<&str> {
    match schema {
        Value::String(kind) => Some(kind),
        Value::Array(kinds) => {
            let mut kinds = kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
            kinds.next().filter(|_| kinds.next().is_none())
        }
        _ => None,
    }
}

/// A choice of texts, one thing that may be absent, or several forms.
fn one_of(root: &Value, alternatives: &[Value], depth: usize) -> Node {
    let there: Vec<&Value> = alternatives.iter().filter(|schema| schema["type"] != "null").collect();
    if let [one] = there[..] {
        return read(root, one, depth - 1);
    }
    let texts = |schema: &&Value| match (&schema["const"], &schema["enum"]) {
        (Value::String(text), _) => Some(vec![text.clone()]),
        (_, Value::Array(values)) => values.iter().map(|value| value.as_str().map(str::to_owned)).collect(),
        _ => None,
    };
    match there.iter().map(texts).collect::<Option<Vec<_>>>() {
        Some(texts) => Node::Choice(texts.concat()),
        None => Node::Any,
    }
}

fn object(root: &Value, schema: &Value, depth: usize) -> Node {
    let empty = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    if properties.is_empty() && schema["additionalProperties"].is_object() {
        return Node::Names(Box::new(read(root, &schema["additionalProperties"], depth - 1)));
    }
    let key = |(name, schema): (&String, &Value)| {
        let target = schema["$ref"].as_str().and_then(|link| link.strip_prefix("#/$defs/"));
        let target = target.map_or(&Value::Null, |name| &root["$defs"][name]);
        let text = [schema, target].into_iter().find_map(|schema| schema["description"].as_str());
        let key = Key {
            node: read(root, schema, depth - 1),
            text: text.unwrap_or_default().to_owned(),
            default: schema.get("default").filter(|value| !value.is_null()).cloned(),
            secret: schema["writeOnly"] == true || target["writeOnly"] == true || is_secret_option(root, schema),
        };
        (name.clone(), key)
    };
    Node::Table(properties.iter().map(key).collect())
}

fn is_secret_option(root: &Value, schema: &Value) -> bool {
    let alternatives = schema["anyOf"].as_array().into_iter().flatten();
    let mut targets = alternatives.filter_map(|schema| schema["$ref"].as_str()?.strip_prefix("#/$defs/"));
    targets.any(|name| root["$defs"][name]["writeOnly"] == true)
}
