//! Arguments without what must not be kept.

use serde_json::{Value, value::RawValue};

/// Which members of arguments are not written down.
#[derive(Debug, Clone)]
pub(crate) struct Redaction {
    /// In lower case.
    names: Vec<String>,
}

/// What commonly holds secrets; part of a name is enough.
const SECRETS: [&str; 8] =
    ["password", "passwd", "secret", "token", "api_key", "apikey", "authorization", "private_key"];
/// What stands in the place of what is not kept.
const REDACTED: &str = "[redacted]";
/// Longer arguments are not kept at all.
const LONGEST: usize = 64 * 1024;

impl Redaction {
    /// These members, and those that commonly hold secrets.
    pub(crate) fn of(names: &[String]) -> Self {
        Self { names: names.iter().map(|name| name.to_lowercase()).collect() }
    }

    /// The arguments as they may be kept.
    pub(super) fn apply(&self, arguments: &str) -> Box<RawValue> {
        let kept = match arguments.len() {
            ..=LONGEST => serde_json::from_str(arguments).map_or("[not JSON]".into(), |mut value| {
                self.clean(&mut value);
                value
            }),
            bytes => Value::String(format!("[{bytes} bytes]")),
        };
        serde_json::value::to_raw_value(&kept).expect("a value is JSON")
    }

    fn clean(&self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    if self.hides(name) { *value = REDACTED.into() } else { self.clean(value) }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.clean(item)),
            _ => {}
        }
    }

    fn hides(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.names.contains(&name) || SECRETS.iter().any(|secret| name.replace('-', "_").contains(secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(arguments: &str, expect: &str) {
        let redaction = Redaction::of(&["SSN".to_owned()]);
        assert_eq!(redaction.apply(arguments).get(), expect);
    }

    #[test]
    fn what_must_not_be_kept_is_not_there_at_any_depth() {
        check(r#"{"id":7,"name":"x"}"#, r#"{"id":7,"name":"x"}"#);
        check(r#"{"Password":"hunter2"}"#, r#"{"Password":"[redacted]"}"#);
        check(r#"{"a":[{"x-api-key":{"k":"hunter2"}}]}"#, r#"{"a":[{"x-api-key":"[redacted]"}]}"#);
        check(r#"{"ssn":["1","2"],"ssns":1}"#, r#"{"ssn":"[redacted]","ssns":1}"#);
        check(r#"{"refreshToken":"hunter2"}"#, r#"{"refreshToken":"[redacted]"}"#);
    }

    #[test]
    fn what_cannot_be_looked_at_is_not_kept() {
        check("hunter2", r#""[not JSON]""#);
        let long = format!("[\"{}\"]", "x".repeat(LONGEST));
        check(&long, &format!("\"[{} bytes]\"", long.len()));
    }
}
