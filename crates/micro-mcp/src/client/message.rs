//! Requests, member by member, around JSON that is there already.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Serialize, de::IgnoredAny};
use serde_json::value::{RawValue, to_raw_value};

/// Members of a JSON object, without its braces.
#[derive(Debug, Clone, Default)]
pub(crate) struct Members(Vec<u8>);

impl Members {
    /// A member from raw JSON.
    #[must_use]
    pub(crate) fn raw(mut self, name: &str, json: &str) -> Self {
        self.key(name);
        self.0.extend_from_slice(json.as_bytes());
        self
    }

    /// A member from a value.
    pub(crate) fn member(mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<Self, serde_json::Error> {
        self.key(name);
        serde_json::to_writer(&mut self.0, value)?;
        Ok(self)
    }

    /// A member from a string.
    #[must_use]
    pub(crate) fn text(self, name: &str, value: &str) -> Self {
        self.member(name, value).expect("a string is plain JSON")
    }

    /// Those of a value that is written as an object.
    pub(crate) fn of(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self::of_object(&to_raw_value(value)?, [])?.0)
    }

    /// All members of others.
    #[must_use]
    pub(crate) fn and(mut self, others: &Self) -> Self {
        if !others.0.is_empty() {
            if !self.0.is_empty() {
                self.0.push(b',');
            }
            self.0.extend_from_slice(&others.0);
        }
        self
    }

    /// The object of them.
    pub(crate) fn object(&self) -> String {
        format!("{{{}}}", std::str::from_utf8(&self.0).expect("JSON is UTF-8"))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn key(&mut self, name: &str) {
        if !self.0.is_empty() {
            self.0.push(b',');
        }
        serde_json::to_writer(&mut self.0, name).expect("a string is plain JSON");
        self.0.push(b':');
    }
}

impl Members {
    /// The members of an object's JSON text, some of them apart.
    ///
    /// # Errors
    /// When it is no object.
    pub(crate) fn of_object<'j, const N: usize>(
        json: &'j RawValue,
        apart: [&str; N],
    ) -> Result<(Self, [Option<&'j RawValue>; N]), serde_json::Error> {
        let mut object: BTreeMap<String, &RawValue> = serde_json::from_str(json.get())?;
        let apart = apart.map(|name| object.remove(name));
        let members = object.iter().fold(Self::default(), |members, (name, value)| members.raw(name, value.get()));
        Ok((members, apart))
    }

    /// Whether there is a member of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        !self.is_empty()
            && serde_json::from_str::<BTreeMap<String, IgnoredAny>>(&self.object())
                .is_ok_and(|all| all.contains_key(name))
    }
}

/// `{"jsonrpc":"2.0","id":…,"method":…,"params":…}`; empty params are left out.
pub(crate) fn request(id: u64, method: &str, params: &Members) -> Bytes {
    let message = Members::default().text("jsonrpc", "2.0").raw("id", &id.to_string()).text("method", method);
    let message = if params.is_empty() { message } else { message.raw("params", &params.object()) };
    message.object().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stay_as_they_were_written() {
        let raw: &RawValue = serde_json::from_str(r#"{"b": [1.0] ,"_meta":{"k":1},"a":"\u0041"}"#).unwrap();
        let (members, [meta]) = Members::of_object(raw, ["_meta"]).unwrap();
        let meta = Members::of_object(meta.unwrap(), []).unwrap().0;
        assert!(meta.has("k") && !members.has("k") && !Members::default().has("k"));
        assert_eq!(members.object(), r#"{"a":"\u0041","b":[1.0]}"#);
        assert_eq!(meta.object(), r#"{"k":1}"#);
        assert_eq!(request(7, "x", &Members::default()), r#"{"jsonrpc":"2.0","id":7,"method":"x"}"#);
        assert_eq!(request(7, "x", &meta), r#"{"jsonrpc":"2.0","id":7,"method":"x","params":{"k":1}}"#);
    }
}
