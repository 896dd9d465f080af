//! JSON Schemas as text, and their compiled form.

mod tree;

use std::{fmt, sync::Arc};

use jsonschema::PatternOptions;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use self::tree::{Flat, Tree};

/// A JSON Schema (2020-12 unless it says otherwise), kept as the text it came as. Cheap to clone.
#[derive(Clone)]
pub struct Schema(Arc<RawValue>);

/// A text that is not a usable JSON Schema.
#[derive(Debug, Clone, thiserror::Error)]
#[error("not a usable JSON Schema: {0}")]
pub struct InvalidSchema(String);

impl Schema {
    /// Largest schema text that is accepted, in bytes.
    pub const MAX_LEN: usize = 256 * 1024;

    /// Takes a JSON text. Only its syntax and size are checked; [`Validator::compile`] checks the rest.
    pub fn parse(text: &str) -> Result<Self, InvalidSchema> {
        if text.len() > Self::MAX_LEN {
            return Err(InvalidSchema(format!("longer than {} bytes", Self::MAX_LEN)));
        }
        let raw = RawValue::from_string(text.trim().to_owned()).map_err(|e| InvalidSchema(e.to_string()))?;
        Ok(Self(raw.into()))
    }

    /// The schema of a generated value.
    pub fn of(value: &impl Serialize) -> Self {
        let raw = serde_json::value::to_raw_value(value).expect("a schema is plain JSON");
        Self(raw.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The text as a raw JSON value.
    pub fn as_raw(&self) -> &RawValue {
        &self.0
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Schema {}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Box::<RawValue>::deserialize(deserializer)?.into()))
    }
}

/// A compiled schema: checks arguments without touching the schema text again.
///
/// References are never fetched, and patterns run on an engine without backtracking, so neither a
/// hostile schema nor a hostile argument can make it slow or make it call out.
#[derive(Debug)]
pub struct Validator(jsonschema::Validator<Flat>);

/// One way in which a value does not match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// JSON pointer to the offending value; empty for the whole.
    pub pointer: String,
    /// What is wrong, in plain words.
    pub reason: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() { f.write_str(&self.reason) } else { write!(f, "{}: {}", self.pointer, self.reason) }
    }
}

impl Validator {
    /// Violations reported for one value; the rest is noise.
    const MAX_VIOLATIONS: usize = 8;

    /// Compiles a schema.
    pub fn compile(schema: &Schema) -> Result<Self, InvalidSchema> {
        let value: serde_json::Value =
            serde_json::from_str(schema.as_str()).map_err(|e| InvalidSchema(e.to_string()))?;
        jsonschema::options_for::<Flat>()
            .with_draft(jsonschema::Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex())
            .should_validate_formats(true)
            .build(&value)
            .map(Self)
            .map_err(|e| InvalidSchema(e.to_string()))
    }

    /// Checks a JSON text. The error is never empty.
    pub fn check(&self, json: &str) -> Result<(), Vec<Violation>> {
        let whole = |reason: String| vec![Violation { pointer: String::new(), reason }];
        let value = Tree::parse(json).map_err(|e| whole(format!("not valid JSON: {e}")))?;
        let value = value.root();
        if self.0.is_valid(value) {
            return Ok(());
        }
        let violations: Vec<_> = self
            .0
            .iter_errors(value)
            .take(Self::MAX_VIOLATIONS)
            .map(|e| Violation { pointer: e.instance_path().to_string(), reason: clip(&e.to_string()) })
            .collect();
        Err(if violations.is_empty() { whole("does not match the schema".into()) } else { violations })
    }
}

/// A message quotes the offending value, which may be megabytes.
fn clip(text: &str) -> String {
    const MAX: usize = 300;
    match text.char_indices().nth(MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: &str, json: &str) -> Vec<String> {
        let validator = Validator::compile(&Schema::parse(schema).unwrap()).unwrap();
        validator.check(json).err().unwrap_or_default().iter().map(Violation::to_string).collect()
    }

    const USER: &str = r#"{"type":"object","required":["id"],"properties":{
        "id":{"type":"string"},"age":{"type":"integer","maximum":150},"tags":{"type":"array","items":{"type":"string"}}}}"#;

    #[test]
    fn a_violation_names_the_place_and_the_reason() {
        assert_eq!(check(USER, r#"{"id":"7","age":30}"#), [""; 0]);
        assert_eq!(check(USER, "{}"), [r#""id" is a required property"#]);
        assert_eq!(check(USER, r#"{"id":"7","tags":["a",2]}"#), [r#"/tags/1: 2 is not of type "string""#]);
        assert_eq!(check(USER, r#"{"id":"7","age":200}"#), ["/age: 200 is greater than the maximum of 150"]);
    }

    #[test]
    fn a_megabyte_of_wrong_value_makes_a_short_message() {
        let long = format!(r#"{{"id":[{}1]}}"#, "1,".repeat(500_000));
        assert!(check(USER, &long)[0].len() < 400);
    }

    #[test]
    fn ten_thousand_levels_are_an_error_not_a_crash() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(check(USER, &deep)[0].contains("recursion limit"));
    }

    #[test]
    fn references_to_the_network_are_refused() {
        let schema = Schema::parse(r#"{"$ref":"http://127.0.0.1:1/schema.json"}"#).unwrap();
        assert!(Validator::compile(&schema).is_err());
    }
}
