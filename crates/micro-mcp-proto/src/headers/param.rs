//! `Mcp-Param-*`: arguments mirrored into headers because their schema says `x-mcp-header`.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, value::RawValue};

use super::{PARAM_PREFIX, decode, encode, single};
use crate::RpcError;

/// One mirrored argument of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamHeader {
    /// The header, `mcp-param-…`.
    pub header: HeaderName,
    /// Where the argument is: property names from the root.
    pub path: Box<[Box<str>]>,
}

/// An `x-mcp-header` that makes the tool's definition invalid, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid x-mcp-header at {pointer}: {reason}")]
pub struct InvalidAnnotation {
    /// JSON pointer to the annotated schema.
    pub pointer: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// The mirrored arguments of an input schema. Meant for the time a tool is added, not for calls.
///
/// # Errors
/// When an annotation is not a unique header token on a string, integer or boolean that is reached
/// from the root through `properties` alone. Clients drop such a tool.
pub fn collect(input_schema: &RawValue) -> Result<Vec<ParamHeader>, InvalidAnnotation> {
    if !input_schema.get().contains("x-mcp-header") {
        return Ok(Vec::new());
    }
    let schema: Value = serde_json::from_str(input_schema.get()).unwrap_or_default();
    let mut found = Vec::new();
    walk(&schema, "", Some(&mut Vec::new()), &mut found)?;
    Ok(found)
}

/// `path` is `None` below anything but `properties`: an annotation found there is invalid.
fn walk(
    schema: &Value,
    pointer: &str,
    path: Option<&mut Vec<Box<str>>>,
    found: &mut Vec<ParamHeader>,
) -> Result<(), InvalidAnnotation> {
    let invalid = |reason| Err(InvalidAnnotation { pointer: pointer.to_owned(), reason });
    let object = match schema {
        Value::Object(object) => object,
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                walk(item, &format!("{pointer}/{i}"), None, found)?;
            }
            return Ok(());
        }
        _ => return Ok(()),
    };
    let mut path = path;
    if let Some(name) = object.get("x-mcp-header") {
        let Some(name) = name.as_str().filter(|n| !n.is_empty()) else {
            return invalid("it must be a non-empty string");
        };
        let Ok(header) = format!("{PARAM_PREFIX}{name}").parse::<HeaderName>() else {
            return invalid("it must be an HTTP token");
        };
        if !matches!(object.get("type").and_then(Value::as_str), Some("string" | "integer" | "boolean")) {
            return invalid("only a string, an integer or a boolean can be mirrored");
        }
        let Some(path) = path.as_deref().filter(|path| !path.is_empty()) else {
            return invalid("only what is reached through properties can be mirrored");
        };
        if found.iter().any(|other| other.header == header) {
            return invalid("another property has the same header");
        }
        found.push(ParamHeader { header, path: path.as_slice().into() });
    }
    for (key, value) in object {
        let pointer = format!("{pointer}/{key}");
        match (key.as_str(), value) {
            // Maps from names to schemas: a name is no keyword.
            (
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas",
                Value::Object(named),
            ) => {
                for (name, schema) in named {
                    let below = path.as_deref_mut().filter(|_| key == "properties");
                    let pointer = format!("{pointer}/{name}");
                    let Some(below) = below else {
                        walk(schema, &pointer, None, found)?;
                        continue;
                    };
                    below.push(name.as_str().into());
                    walk(schema, &pointer, Some(below), found)?;
                    below.pop();
                }
            }
            // Values, not schemas: whatever they hold annotates nothing.
            ("const" | "enum" | "default" | "examples" | "x-mcp-header", _) => {}
            _ => walk(value, &pointer, None, found)?,
        }
    }
    Ok(())
}

/// Each mirrored argument that is there must have a header that says the same.
///
/// # Errors
/// `-32020`.
pub fn check_params(specs: &[ParamHeader], headers: &HeaderMap, arguments: Option<&RawValue>) -> Result<(), RpcError> {
    for spec in specs {
        let value = arguments.and_then(|arguments| lookup(arguments, &spec.path));
        let header = single(headers, &spec.header)?;
        match (value, header) {
            (None, _) => {} // null and absent have no header; one that is there all the same means nothing
            (Some(_), None) => return Err(RpcError::header_mismatch(format_args!("{} is required", spec.header))),
            (Some(value), Some(header)) => {
                if !says(&decode(header)?, &value) {
                    return Err(RpcError::header_mismatch(format_args!(
                        "{} does not match the argument at /{}",
                        spec.header,
                        spec.path.join("/")
                    )));
                }
            }
        }
    }
    Ok(())
}

/// The headers a client sends beside these arguments.
pub fn mirror(specs: &[ParamHeader], arguments: Option<&RawValue>) -> Vec<(HeaderName, HeaderValue)> {
    let mirrored = specs.iter().filter_map(|spec| {
        let text = match lookup(arguments?, &spec.path)? {
            Value::String(text) => text,
            Value::Bool(on) => on.to_string(),
            Value::Number(number) => match number.as_f64() {
                Some(whole) if whole.fract() == 0.0 && whole.abs() <= 9_007_199_254_740_991.0 => {
                    (whole as i64).to_string()
                }
                _ => number.to_string(),
            },
            _ => return None,
        };
        let value = HeaderValue::from_str(&encode(&text)).expect("what is encoded is readable ASCII");
        Some((spec.header.clone(), value))
    });
    mirrored.collect()
}

/// The value at a path; `None` when it is absent, null, or the way there is no object. The tool's own
/// validation speaks of wrong types.
fn lookup(arguments: &RawValue, path: &[Box<str>]) -> Option<Value> {
    let mut raw = arguments;
    for name in path {
        let members: std::collections::HashMap<std::borrow::Cow<'_, str>, &RawValue> =
            serde_json::from_str(raw.get()).ok()?;
        raw = members.get(&**name).copied()?;
    }
    // An array or object here is the wrong type; it must not be read, it may be huge.
    match raw.get().as_bytes().first()? {
        b'[' | b'{' | b'n' => None,
        _ => serde_json::from_str(raw.get()).ok(),
    }
}

fn says(header: &str, value: &Value) -> bool {
    match value {
        Value::String(text) => header == text,
        Value::Bool(on) => header == if *on { "true" } else { "false" },
        // Numerically, so that `42.0` and `42` are the same integer.
        Value::Number(number) => header
            .parse::<f64>()
            .is_ok_and(|h| number.as_f64() == Some(h) && (h.fract() != 0.0 || h.abs() <= 9_007_199_254_740_991.0)),
        _ => false,
    }
}
