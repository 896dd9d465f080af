//! A form from the JSON Schema of a Rust type, as `schemars` writes it.

use serde_json::{Map, Value, json};

use super::{FormSchema, form::Field};

/// Why a schema is no form: forms are flat, and their fields plain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAForm {
    /// The root is no object with properties.
    #[error("a form is an object with named fields")]
    Root,
    /// A field is an object, a list of something else than choices, or of no known type.
    #[error("field `{0}`: a form takes texts, numbers, booleans and choices")]
    Field(String),
}

impl FormSchema {
    /// Reads a JSON Schema (2020-12). Local references are followed, `null` as a second type is
    /// dropped, enums with described variants become named choices, and what a form has no word
    /// for (`"format":"int64"`, patterns) is left out.
    ///
    /// # Errors
    /// See [`NotAForm`].
    pub fn from_json_schema(schema: &Value) -> Result<Self, NotAForm> {
        let properties = schema.get("properties").and_then(Value::as_object).ok_or(NotAForm::Root)?;
        let wrong = |name: &str| NotAForm::Field(name.to_owned());
        let mut form = Self::new();
        for (name, property) in properties {
            let plain = plain(schema, property).ok_or_else(|| wrong(name))?;
            let field: Field = serde_json::from_value(Value::Object(plain)).map_err(|_| wrong(name))?;
            form.fields.push((name.clone(), field));
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        form.required = required.filter_map(Value::as_str).map(str::to_owned).collect();
        Ok(form)
    }
}

/// A property as a form has it: one type, no references.
fn plain(root: &Value, property: &Value) -> Option<Map<String, Value>> {
    let outer = property.as_object()?;
    let mut schema = resolved(root, outer)?.clone();
    // What is said beside a reference is about this field, not about the type.
    for word in ["title", "description", "default"] {
        if let Some(said) = outer.get(word) {
            schema.insert(word.to_owned(), said.clone());
        }
    }
    schema.retain(|word, value| match word.as_str() {
        "default" => !value.is_null(),
        "format" => matches!(value.as_str(), Some("email" | "uri" | "date" | "date-time")),
        _ => true,
    });
    if let Some(choices) = schema.get("oneOf").and_then(constants) {
        schema.insert("type".to_owned(), json!("string"));
        schema.insert("oneOf".to_owned(), choices);
    }
    if let Some(items) = schema.get("items") {
        let items = resolved(root, items.as_object()?)?;
        let items = match items.get("oneOf").and_then(constants) {
            Some(choices) => json!({ "anyOf": choices }),
            None => json!({ "type": "string", "enum": items.get("enum")? }),
        };
        schema.insert("items".to_owned(), items);
    }
    if let Some(Value::Array(types)) = schema.get("type") {
        let mut types = types.iter().filter(|one| *one != "null");
        let only = types.next().filter(|_| types.next().is_none())?.clone();
        schema.insert("type".to_owned(), only);
    }
    if let Some(Value::Array(choices)) = schema.get_mut("enum") {
        choices.retain(|choice| !choice.is_null());
    }
    Some(schema)
}

/// Follows a `$ref` into `$defs`, and looks through `anyOf` with `null` (an optional reference).
fn resolved<'a>(root: &'a Value, schema: &'a Map<String, Value>) -> Option<&'a Map<String, Value>> {
    let mut schema = schema;
    // A chain of references is short; a circle of them is not followed for ever.
    for _ in 0..8 {
        if let Some(reference) = schema.get("$ref") {
            schema = root.pointer(reference.as_str()?.strip_prefix('#')?)?.as_object()?;
        } else if let Some(Value::Array(either)) = schema.get("anyOf") {
            let mut real = either.iter().filter(|one| one.get("type") != Some(&json!("null")));
            schema = real.next().filter(|_| real.next().is_none())?.as_object()?;
        } else {
            return Some(schema);
        }
    }
    None
}

/// `oneOf` of constants, as choices with titles.
fn constants(one_of: &Value) -> Option<Value> {
    let choice = |one: &Value| {
        let value = one.get("const")?.as_str()?;
        let title = one.get("title").or_else(|| one.get("description")).and_then(Value::as_str).unwrap_or(value);
        Some(json!({ "const": value, "title": title }))
    };
    one_of.as_array()?.iter().map(choice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(schema: &Value) -> Result<Value, NotAForm> {
        FormSchema::from_json_schema(schema).map(|form| serde_json::to_value(form).unwrap())
    }

    #[test]
    fn what_schemars_writes_becomes_a_form() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Booking",
            "type": "object",
            "properties": {
                "name": { "type": "string", "description": "Who.", "pattern": "x" },
                "seats": { "type": ["integer", "null"], "format": "uint8", "minimum": 1, "default": null },
                "meal": { "anyOf": [{ "$ref": "#/$defs/Meal" }, { "type": "null" }], "description": "What." },
                "days": { "type": "array", "items": { "$ref": "#/$defs/Day" } },
            },
            "required": ["name"],
            "$defs": {
                "Meal": { "oneOf": [{ "type": "string", "const": "soup", "description": "Hot." }] },
                "Day": { "type": "string", "enum": ["mon", "tue"] },
            },
        });
        let expected = json!({
            "type": "object",
            "properties": {
                "name": { "type": "string", "description": "Who." },
                "seats": { "type": "integer", "minimum": 1 },
                "meal": { "type": "string", "oneOf": [{ "const": "soup", "title": "Hot." }], "description": "What." },
                "days": { "type": "array", "items": { "type": "string", "enum": ["mon", "tue"] } },
            },
            "required": ["name"],
        });
        assert_eq!(form(&schema), Ok(expected));
    }

    #[test]
    fn what_is_not_flat_is_refused() {
        let field = |schema| json!({ "type": "object", "properties": { "x": schema } });
        for schema in [
            json!({ "type": "object" }),
            json!({ "type": "array", "items": { "type": "string" } }),
            json!({ "type": ["string", "integer"] }),
            json!({ "$ref": "#/properties/x" }),
            json!(true),
        ] {
            assert_eq!(form(&field(schema)), Err(NotAForm::Field("x".to_owned())));
        }
        assert_eq!(form(&json!({ "type": "string" })), Err(NotAForm::Root));
    }
}
