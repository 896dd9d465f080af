//! From a JSON Schema to the words that people use.

use micro_core::Schema;
use serde::Serialize;
use serde_json::Value;

use crate::words;

/// Schemas inside schemas that are still looked into: they come from outside and may go in circles.
const DEEPEST: usize = 8;

/// One argument of an endpoint.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Argument {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) required: bool,
    pub(crate) description: String,
}

/// The arguments that a schema asks for, in its order.
pub(crate) fn arguments(schema: &Schema) -> Vec<Argument> {
    let root: Value = serde_json::from_str(schema.as_str()).unwrap_or_default();
    let required = |name: &str| root["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name));
    let argument = |(name, schema): (&String, &Value)| Argument {
        name: name.clone(),
        kind: kind(schema, &root, 0),
        required: required(name),
        description: words::first_sentence(text(schema, &root)).to_owned(),
    };
    root["properties"].as_object().map(|fields| fields.iter().map(argument).collect()).unwrap_or_default()
}

/// What a schema stands for.
pub(crate) fn answer(schema: &Schema) -> String {
    let root: Value = serde_json::from_str(schema.as_str()).unwrap_or_default();
    kind(&root, &root, 0)
}

/// Its own description, or that of the type it refers to.
fn text<'a>(schema: &'a Value, root: &'a Value) -> &'a str {
    let own = schema["description"].as_str();
    own.or_else(|| referred(schema, root)?["description"].as_str()).unwrap_or_default()
}

/// The type in words: `string`, `list of integer`, `"a" | "b"`, `object {id, name}`.
fn kind(schema: &Value, root: &Value, depth: usize) -> String {
    if depth > DEEPEST {
        return "any".to_owned();
    }
    let deeper = |schema: &Value| kind(schema, root, depth + 1);
    if let Some(referred) = referred(schema, root) {
        return deeper(referred);
    }
    if let Some(only) = schema.get("const") {
        return only.to_string();
    }
    if let Some(values) = schema["enum"].as_array() {
        return either(values.iter().filter(|v| !v.is_null()).map(Value::to_string));
    }
    if let Some(choices) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        return either(choices.iter().filter(|choice| choice["type"] != "null").map(deeper));
    }
    match &schema["type"] {
        Value::Array(names) => {
            either(names.iter().filter_map(Value::as_str).filter(|name| *name != "null").map(str::to_owned))
        }
        Value::String(name) => match name.as_str() {
            "array" => format!("list of {}", deeper(&schema["items"])),
            "object" => match schema["properties"].as_object() {
                Some(fields) => {
                    format!("object {{{}}}", fields.keys().map(String::as_str).collect::<Vec<_>>().join(", "))
                }
                None => "object".to_owned(),
            },
            name => match schema["format"].as_str() {
                Some(format) if name == "string" => format!("string ({format})"),
                _ => name.to_owned(),
            },
        },
        _ => "any".to_owned(),
    }
}

/// The schema in the same document that this one refers to.
fn referred<'a>(schema: &Value, root: &'a Value) -> Option<&'a Value> {
    root.pointer(schema["$ref"].as_str()?.strip_prefix('#')?)
}

fn either(choices: impl Iterator<Item = String>) -> String {
    let mut choices: Vec<String> = choices.collect();
    choices.dedup();
    if choices.is_empty() { "null".to_owned() } else { choices.join(" | ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: &str, words: &str) {
        assert_eq!(answer(&Schema::parse(schema).unwrap()), words, "{schema}");
    }

    #[test]
    fn types_are_told_in_words() {
        check(r#"{"type":"string","format":"email"}"#, "string (email)");
        check(r#"{"type":"array","items":{"type":["integer","null"]}}"#, "list of integer");
        check(r#"{"enum":["a",1,null]}"#, r#""a" | 1"#);
        check(r#"{"anyOf":[{"const":"x"},{"type":"boolean"},{"type":"null"}]}"#, r#""x" | boolean"#);
        check(r#"{"type":"object","properties":{"id":{},"name":{}}}"#, "object {id, name}");
        check("true", "any");
    }

    #[test]
    fn arguments_are_told_through_references_that_may_go_in_circles() {
        let schema = r##"{"type":"object","required":["tree"],"properties":{
            "tree":{"$ref":"#/$defs/Tree"},"note":{"type":"string","description":"For people.\nMore."}},
            "$defs":{"Tree":{"description":"A tree.","type":"array","items":{"$ref":"#/$defs/Tree"}}}}"##;
        let [tree, note] = <[Argument; 2]>::try_from(arguments(&Schema::parse(schema).unwrap())).unwrap();
        assert!(tree.kind.starts_with("list of list of"), "{}", tree.kind);
        assert!(tree.kind.ends_with("any"), "{}", tree.kind);
        assert_eq!((tree.required, tree.description.as_str()), (true, "A tree."));
        assert_eq!((note.required, note.description.as_str()), (false, "For people."));
    }
}
