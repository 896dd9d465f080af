//! `resultType`: what kind of result a request got (2026-07-28).

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{InputRequired, Task};

/// A result as 2026-07-28 writes it, its kind told by `resultType`. Older revisions write the bare `T`.
#[derive(Debug, Clone)]
pub enum Outcome<T> {
    /// The result itself.
    Complete(T),
    /// The server needs answers first.
    InputRequired(InputRequired),
    /// The request became a task (tasks extension).
    Task(Box<Task>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tagged<'a, T> {
    result_type: &'static str,
    #[serde(flatten)]
    body: &'a T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    result_type: Option<String>,
}

impl<T: DeserializeOwned> Outcome<T> {
    /// Reads a result. One without `resultType` is complete: that is how older servers write it.
    ///
    /// # Errors
    /// When the kind is not known here, or the result does not fit it.
    pub fn read(raw: &RawValue) -> Result<Self, serde_json::Error> {
        let text = raw.get();
        let head: Head = serde_json::from_str(text)?;
        match head.result_type.as_deref() {
            None | Some("complete") => serde_json::from_str(text).map(Self::Complete),
            Some("input_required") => serde_json::from_str(text).map(Self::InputRequired),
            Some("task") => serde_json::from_str(text).map(Self::Task),
            Some(_) => Err(de::Error::custom("an unknown resultType")),
        }
    }
}

impl<T: Serialize> Serialize for Outcome<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Complete(body) => Tagged { result_type: "complete", body }.serialize(serializer),
            Self::InputRequired(body) => Tagged { result_type: "input_required", body }.serialize(serializer),
            Self::Task(body) => Tagged { result_type: "task", body }.serialize(serializer),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Outcome<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // By way of the text: schemas inside a result stay as they were written.
        Self::read(&Box::<RawValue>::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
