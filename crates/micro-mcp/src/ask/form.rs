//! The schema of a form: flat, and in the few keywords that clients can show (`client/elicitation`).

use micro_core::Schema;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// Formats of strings that clients know.
const FORMATS: [&str; 4] = ["email", "uri", "date", "date-time"];

/// The form of a struct, one field each. What forms cannot have stays as it is, and clients refuse it.
pub(super) fn schema_of<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true; // forms know no references
    });
    let whole = settings.into_generator().into_root_schema_for::<T>();
    Schema::of(&flat(whole.as_value()))
}

fn flat(whole: &Value) -> Value {
    let fields = whole.get("properties").and_then(Value::as_object);
    let properties: Map<String, Value> =
        fields.into_iter().flatten().map(|(name, field)| (name.clone(), Value::Object(field_of(field)))).collect();
    let mut form = json!({ "type": "object", "properties": properties });
    if let Some(required) = whole.get("required") {
        form["required"] = required.clone();
    }
    form
}

/// One field; an optional one is its own kind, not "or null".
fn field_of(field: &Value) -> Map<String, Value> {
    let mut field = field.as_object().cloned().unwrap_or_default();
    if let Some(Value::Array(kinds)) = field.remove("anyOf") {
        let kind = kinds.iter().find(|kind| kind.get("type") != Some(&json!("null")));
        // What is said of the field wins over what is said of its type.
        let of_type = kind.and_then(Value::as_object).cloned().unwrap_or_default();
        field = of_type.into_iter().chain(field).collect();
    }
    if let Some(Value::Array(types)) = field.get("type")
        && let Some(kind) = types.iter().find(|kind| **kind != json!("null"))
    {
        let kind = kind.clone();
        field.insert("type".to_owned(), kind);
    }
    if let Some(Value::Array(values)) = field.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if field.get("default").is_some_and(Value::is_null) {
        field.remove("default");
    }
    if field.get("format").is_some_and(|format| !FORMATS.iter().any(|known| format == known)) {
        field.remove("format"); // int32, double, …
    }
    if let Some(value) = field.remove("const") {
        field.insert("enum".to_owned(), json!([value]));
    }
    if let Some(Value::Array(variants)) = field.remove("oneOf") {
        field.insert("type".to_owned(), json!("string"));
        field.insert("oneOf".to_owned(), variants.iter().flat_map(choices).collect());
    }
    if let Some(items) = field.get("items") {
        let mut items = field_of(items);
        if let Some(choices) = items.remove("oneOf") {
            items = Map::from_iter([("anyOf".to_owned(), choices)]);
        }
        field.insert("items".to_owned(), Value::Object(items));
    }
    field
}

/// A variant of an enum as choices with titles. Variants without a text of their own come together.
fn choices(variant: &Value) -> Vec<Value> {
    let many = variant.get("enum").and_then(Value::as_array).into_iter().flatten();
    let values = many.chain(variant.get("const"));
    let title = variant.get("title").or_else(|| variant.get("description"));
    values.map(|value| json!({ "const": value, "title": title.unwrap_or(value) })).collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Color {
        Red,
        Green,
    }

    #[derive(Deserialize, JsonSchema)]
    enum Size {
        /// Small
        S,
        #[schemars(title = "Large")]
        L,
    }

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema counts")]
    struct Order {
        /// As on the passport.
        name: String,
        #[schemars(email)]
        mail: Option<String>,
        #[serde(default = "two")]
        count: u32,
        weight: Option<f64>,
        color: Color,
        sizes: Vec<Size>,
        colors: Option<Vec<Color>>,
        size: Option<Size>,
    }

    fn two() -> u32 {
        2
    }

    #[test]
    fn a_form_is_flat_and_simple() {
        let form: Value = serde_json::from_str(schema_of::<Order>().as_str()).unwrap();
        let sizes = json!([{ "const": "S", "title": "Small" }, { "const": "L", "title": "Large" }]);
        let colors = json!({ "type": "string", "enum": ["red", "green"] });
        let expected = json!({
            "type": "object",
            "properties": {
                "name": { "description": "As on the passport.", "type": "string" },
                "mail": { "type": "string", "format": "email" },
                "count": { "type": "integer", "minimum": 0, "default": 2 },
                "weight": { "type": "number" },
                "color": colors,
                "sizes": { "type": "array", "items": { "anyOf": sizes } },
                "colors": { "type": "array", "items": colors },
                "size": { "type": "string", "oneOf": sizes },
            },
            "required": ["name", "color", "sizes"],
        });
        assert_eq!(form, expected, "{form:#}");
    }
}
