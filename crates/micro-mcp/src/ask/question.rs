//! What can be asked, what it takes of the client, and how answers are read.

use micro_core::{Schema, Validator};
use micro_mcp_proto::{
    ClientCapabilities, CreateMessage, CreateMessageResult, ElicitAction, ElicitResult, ListRootsResult, Root, RpcError,
};
use schemars::JsonSchema;
use serde::{Serialize, Serializer, de::DeserializeOwned, ser::SerializeStruct};
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};

use super::{Unread, form};

/// A question to the client.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Question {
    /// A form for the user (`elicitation/create`).
    Form {
        /// What it is about.
        message: String,
        /// A flat object schema.
        schema: Schema,
    },
    /// A URL to send the user to (`elicitation/create`).
    Url {
        /// Why.
        message: String,
        /// Where.
        url: String,
    },
    /// A message for the client's model (`sampling/createMessage`).
    Sample(Box<CreateMessage>),
    /// The client's roots (`roots/list`).
    Roots,
}

impl Question {
    /// A form with the fields of this struct; see [`crate::CallContext::elicit`].
    pub fn form<T: JsonSchema>(message: impl Into<String>) -> Self {
        Self::Form { message: message.into(), schema: form::schema_of::<T>() }
    }

    /// The method of the request.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Form { .. } | Self::Url { .. } => "elicitation/create",
            Self::Sample(_) => "sampling/createMessage",
            Self::Roots => "roots/list",
        }
    }

    /// The error for a client that did not declare what this takes.
    pub(crate) fn missing(&self, client: ClientCapabilities) -> Option<RpcError> {
        let (able, needs, required) = match self {
            Self::Form { .. } => (client.elicitation_form, "elicitation", json!({ "elicitation": { "form": {} } })),
            Self::Url { .. } => (client.elicitation_url, "URL elicitation", json!({ "elicitation": { "url": {} } })),
            Self::Sample(request) if !request.tools.is_empty() || request.tool_choice.is_some() => {
                (client.sampling_tools, "sampling with tools", json!({ "sampling": { "tools": {} } }))
            }
            Self::Sample(_) => (client.sampling, "sampling", json!({ "sampling": {} })),
            Self::Roots => (client.roots, "roots", json!({ "roots": {} })),
        };
        (!able).then(|| RpcError::missing_capability(format!("This needs a client with {needs}"), &required))
    }

    /// The params of a request to a legacy client.
    pub(crate) fn legacy_params(&self) -> Box<RawValue> {
        match self {
            // 2025-11-25 wants a name for it.
            Self::Url { message, url } => {
                let id = super::pending::random_id();
                raw(&json!({ "mode": "url", "message": message, "url": url, "elicitationId": id }))
            }
            _ => self.params(),
        }
    }

    fn params(&self) -> Box<RawValue> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Form<'a> {
            message: &'a str,
            requested_schema: &'a Schema,
        }
        match self {
            Self::Form { message, schema } => raw(&Form { message, requested_schema: schema }),
            Self::Url { message, url } => raw(&json!({ "mode": "url", "message": message, "url": url })),
            Self::Sample(request) => raw(request),
            Self::Roots => raw(&json!({})),
        }
    }
}

/// As an entry of `inputRequests`.
impl Serialize for Question {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entry = serializer.serialize_struct("InputRequest", 2)?;
        entry.serialize_field("method", self.method())?;
        entry.serialize_field("params", &self.params())?;
        entry.end()
    }
}

fn raw(params: &impl Serialize) -> Box<RawValue> {
    to_raw_value(params).expect("params are plain JSON")
}

// === answers ===

fn elicited(answer: &RawValue) -> Result<ElicitResult, Unread> {
    let result: ElicitResult = object(answer, "an ElicitResult is an object with an action")?;
    match result.action {
        ElicitAction::Accept => Ok(result),
        ElicitAction::Decline => Err(Unread::Declined),
        ElicitAction::Cancel => Err(Unread::Cancelled),
    }
}

pub(super) fn read_form<T: DeserializeOwned>(question: &Question, answer: &RawValue) -> Result<T, Unread> {
    let content = Value::Object(elicited(answer)?.content.unwrap_or_default());
    if let Question::Form { schema, .. } = question
        && let Ok(validator) = Validator::compile(schema)
        && let Err(violations) = validator.check(&content.to_string())
    {
        return Err(Unread::Content(violations.first().map(ToString::to_string).unwrap_or_default()));
    }
    serde_json::from_value(content).map_err(|error| Unread::Content(error.to_string()))
}

pub(super) fn read_consent(_: &Question, answer: &RawValue) -> Result<(), Unread> {
    elicited(answer).map(drop)
}

pub(super) fn read_message(_: &Question, answer: &RawValue) -> Result<CreateMessageResult, Unread> {
    object(answer, "a CreateMessageResult is an object with role, content and model")
}

pub(super) fn read_roots(_: &Question, answer: &RawValue) -> Result<Vec<Root>, Unread> {
    object::<ListRootsResult>(answer, "a ListRootsResult is an object with roots").map(|result| result.roots)
}

/// Derived structs would also take an array.
fn object<T: DeserializeOwned>(answer: &RawValue, what: &'static str) -> Result<T, Unread> {
    let answer = answer.get();
    let read = answer.starts_with('{').then(|| serde_json::from_str(answer).ok()).flatten();
    read.ok_or(Unread::Shape(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(text: &str) -> ClientCapabilities {
        ClientCapabilities::parse(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn each_kind_of_question_needs_its_own_capability() {
        let with_tools = CreateMessage { tool_choice: Some(Default::default()), ..CreateMessage::default() };
        let url = || Question::Url { message: String::new(), url: String::new() };
        let form = || Question::Form { message: String::new(), schema: Schema::of(&json!({})) };
        for (question, declared, required) in [
            (form(), r#"{"elicitation":{"url":{}}}"#, Some(r#"{"elicitation":{"form":{}}}"#)),
            (form(), r#"{"elicitation":{}}"#, None),
            (url(), r#"{"elicitation":{}}"#, Some(r#"{"elicitation":{"url":{}}}"#)),
            (url(), r#"{"elicitation":{"url":{}}}"#, None),
            (Question::Sample(Box::default()), "{}", Some(r#"{"sampling":{}}"#)),
            (Question::Sample(Box::new(with_tools)), r#"{"sampling":{}}"#, Some(r#"{"sampling":{"tools":{}}}"#)),
            (Question::Roots, r#"{"sampling":{}}"#, Some(r#"{"roots":{}}"#)),
            (Question::Roots, r#"{"roots":{}}"#, None),
        ] {
            let data = question.missing(client(declared)).and_then(|error| error.data).map(|data| data.to_string());
            let expected = required.map(|required| format!(r#"{{"requiredCapabilities":{required}}}"#));
            assert_eq!(data, expected, "{question:?}");
        }
    }
}
