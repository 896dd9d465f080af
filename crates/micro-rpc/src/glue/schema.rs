//! From types to the schemas that models read.

use micro_core::Schema;
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};

use super::text::flow;

/// The schema of `T` (JSON Schema 2020-12). Nested types are written in place, which every model host
/// understands; only recursive types use `$defs`. A description given replaces the type's own.
pub fn schema<T: JsonSchema>(contract: Contract, description: Option<&str>) -> Schema {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None; // 2020-12 is MCP's default dialect
    settings.transforms.push(Box::new(RecursiveTransform(choices)));
    settings.transforms.push(Box::new(RecursiveTransform(flowing)));
    settings.contract = match contract {
        Contract::Input => schemars::generate::Contract::Deserialize,
        Contract::Output => schemars::generate::Contract::Serialize,
    };
    let mut schema = SchemaGenerator::new(settings).into_root_schema_for::<T>();
    schema.remove("title"); // the Rust type's name means nothing to a caller
    if matches!(contract, Contract::Input) {
        schema.remove("description"); // the tool has one
        // An enum of objects has no type of its own. A type that is no object is kept: it is a mistake to be seen.
        if schema.get("type").is_none() {
            schema.insert("type".to_owned(), "object".into());
        }
    }
    if let Some(description) = description {
        schema.insert("description".to_owned(), flow(description).into());
    }
    Schema::of(&schema)
}

/// Which side of a call a schema describes.
#[derive(Debug, Clone, Copy)]
pub enum Contract {
    Input,
    Output,
}

/// A closed set of texts is one `enum`, also when its members have docs: schemars then writes a choice of
/// constants, which many hosts do not take and models fill in less surely. The docs become a list in the
/// description.
fn choices(schema: &mut schemars::Schema) {
    let optional = unwrap(schema);
    let Some(options) = schema.as_object().and_then(closed) else { return };
    let mut description = schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
    for (values, about) in options.iter().filter_map(|(values, about)| Some((values, about.as_deref()?))) {
        let values = values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
        let line = if description.is_empty() || description.contains("\n- `") { "\n" } else { "\n\n" };
        description.push_str(&format!("{line}- {values}: {}", flow(about).replace('\n', "\n  ")));
    }
    let mut values: Vec<Value> = options.into_iter().flat_map(|(values, _)| values).map(Value::from).collect();
    values.extend(optional.then_some(Value::Null));
    schema.remove("oneOf");
    schema.insert("type".to_owned(), if optional { json!(["string", "null"]) } else { "string".into() });
    schema.insert("enum".to_owned(), values.into());
    schema.insert("description".to_owned(), description.trim_start().into());
}

/// `Option` of a closed set is a choice between it and null: becomes the set. What is said of the whole wins.
fn unwrap(schema: &mut schemars::Schema) -> bool {
    let Some([set, null]) = schema.get("anyOf").and_then(Value::as_array).map(Vec::as_slice) else { return false };
    let Some(set) = set.as_object().filter(|set| *null == json!({"type": "null"}) && closed(set).is_some()) else {
        return false;
    };
    let set = set.clone();
    schema.remove("anyOf");
    let whole = schema.ensure_object();
    set.into_iter().for_each(|(key, value)| _ = whole.entry(key).or_insert(value));
    true
}

/// What a choice holds when it holds nothing but texts.
fn closed(schema: &Map<String, Value>) -> Option<Vec<(Vec<String>, Option<String>)>> {
    schema.get("oneOf")?.as_array()?.iter().map(texts).collect()
}

/// The texts a schema stands for, and what it says about them, when it stands for nothing else.
fn texts(schema: &Value) -> Option<(Vec<String>, Option<String>)> {
    let known = |key: &String| ["type", "const", "enum", "description"].contains(&key.as_str());
    let object = schema.as_object().filter(|object| object.keys().all(known))?;
    let values = match (object.get("const"), object.get("enum")) {
        (Some(value), None) => std::slice::from_ref(value),
        (None, Some(values)) => values.as_array()?,
        _ => return None,
    };
    let values = values.iter().map(|value| value.as_str().map(str::to_owned)).collect::<Option<_>>()?;
    Some((values, object.get("description").and_then(Value::as_str).map(str::to_owned)))
}

/// Descriptions without the line breaks of the source.
fn flowing(schema: &mut schemars::Schema) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = flow(description);
    }
}
