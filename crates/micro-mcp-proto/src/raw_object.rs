//! A JSON object for those who pass it on: what they do not know stays as it was written.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The members of an object in their order, with values that nobody has read.
///
/// ```
/// use micro_mcp_proto::RawObject;
///
/// let tool = r#"{"name":"add","x-new":{"a": 1.0},"inputSchema":{"type":"object"}}"#;
/// let mut tool: RawObject<'_> = serde_json::from_str(tool)?;
/// tool.set("name", &"math_add")?;
/// assert_eq!(
///     serde_json::to_string(&tool)?,
///     r#"{"name":"math_add","x-new":{"a": 1.0},"inputSchema":{"type":"object"}}"#
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct RawObject<'a>(Vec<(Cow<'a, str>, Cow<'a, RawValue>)>);

impl<'a> RawObject<'a> {
    /// Reads an object.
    ///
    /// # Errors
    /// When it is none, or has a member twice: peers would disagree on which one counts.
    pub fn parse(raw: &'a RawValue) -> Result<Self, serde_json::Error> {
        serde_json::from_str(raw.get())
    }

    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// Puts a value in the place of the member's, or after the last one.
    ///
    /// # Errors
    /// When the value cannot be written as JSON; nothing has changed then.
    pub fn set(&mut self, name: &'a str, value: &(impl Serialize + ?Sized)) -> Result<(), serde_json::Error> {
        let value = Cow::Owned(serde_json::value::to_raw_value(value)?);
        match self.0.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((Cow::Borrowed(name), value)),
        }
        Ok(())
    }

    /// Takes a member out.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| key != name);
    }

    /// Names and values, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }
}

impl Serialize for RawObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[derive(Deserialize, PartialEq)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for RawObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = RawObject<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Vec<(Cow<'de, str>, Cow<'de, RawValue>)> = Vec::new();
                while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    members.push((key, Cow::Borrowed(value)));
                }
                match has_twins(&members) {
                    true => Err(de::Error::custom("a member appears twice")),
                    false => Ok(RawObject(members)),
                }
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// By sorting: the number of members is the peer's choice.
fn has_twins(members: &[(Cow<'_, str>, Cow<'_, RawValue>)]) -> bool {
    let mut keys: Vec<&str> = members.iter().map(|(key, _)| &**key).collect();
    keys.sort_unstable();
    keys.windows(2).any(|pair| pair[0] == pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_set_in_place_added_and_removed() {
        let mut object: RawObject<'_> = serde_json::from_str(r#" {"a":1,"b":[ 2 ],"\u0063":3} "#).unwrap();
        object.set("a", "x").unwrap();
        object.set("d", &4).unwrap();
        object.remove("c");
        assert_eq!(object.get("b").unwrap().get(), "[ 2 ]");
        assert_eq!(serde_json::to_string(&object).unwrap(), r#"{"a":"x","b":[ 2 ],"d":4}"#);
    }

    #[test]
    fn what_peers_could_read_differently_is_refused() {
        for text in ["[]", "7", r#"{"a":1,"a":2}"#, r#"{"a":1,"\u0061":2}"#] {
            assert!(serde_json::from_str::<RawObject<'_>>(text).is_err(), "{text}");
        }
    }
}
