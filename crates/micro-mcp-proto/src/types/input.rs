//! What a server asks of a client, in either era: as requests of its own before 2026-07-28, inside an
//! `input_required` result since (`basic/patterns/mrtr`).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value, value::RawValue};

use super::{
    CreateMessage, CreateMessageResult, ElicitParams, ElicitResult, EmptyParams, Inexpressible, ListRootsResult,
};
use crate::{ClientCapabilities, Revision, method};

/// A question to the client: method and params.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "method", content = "params")]
pub enum InputRequest {
    /// To the person.
    #[serde(rename = "elicitation/create")]
    Elicit(ElicitParams),
    /// To the model.
    #[serde(rename = "sampling/createMessage")]
    Sample(Box<CreateMessage>),
    /// For the folders to work in.
    #[serde(rename = "roots/list")]
    Roots(EmptyParams),
}

/// The questions of one result, by keys of the server's choice.
pub type InputRequests = BTreeMap<String, InputRequest>;

/// Answers under the keys of their questions.
pub type InputResponses = BTreeMap<String, InputResponse>;

/// The answer to one question. Which kind it is shows in its members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum InputResponse {
    /// Of the person.
    Elicit(ElicitResult),
    /// Of the model.
    Sample(CreateMessageResult),
    /// The folders.
    Roots(ListRootsResult),
}

/// The result `"resultType":"input_required"`: the server needs answers before it can go on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InputRequired {
    /// The questions. None at all means: try again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub input_requests: InputRequests,
    /// To be sent back as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_state: Option<String>,
    /// Whatever else the server says.
    #[serde(default, rename = "_meta", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

impl InputRequest {
    /// The method's name.
    pub const fn method(&self) -> &'static str {
        match self {
            Self::Elicit(_) => method::ELICITATION_CREATE,
            Self::Sample(_) => method::SAMPLING_CREATE_MESSAGE,
            Self::Roots(_) => method::ROOTS_LIST,
        }
    }

    /// The params as JSON text.
    ///
    /// # Panics
    /// Never: the params are plain JSON.
    pub fn params(&self) -> Box<RawValue> {
        let written = match self {
            Self::Elicit(params) => serde_json::value::to_raw_value(params),
            Self::Sample(params) => serde_json::value::to_raw_value(params),
            Self::Roots(params) => serde_json::value::to_raw_value(params),
        };
        written.expect("the params of a question are plain JSON")
    }

    /// Reads a question: a method and its params.
    ///
    /// # Errors
    /// When the method is none of the three, or the params do not fit it.
    pub fn read(method: &str, params: Option<&RawValue>) -> Result<Self, serde_json::Error> {
        let text = params.map_or("{}", RawValue::get);
        match method {
            method::ELICITATION_CREATE => serde_json::from_str(text).map(Self::Elicit),
            method::SAMPLING_CREATE_MESSAGE => serde_json::from_str(text).map(Self::Sample),
            method::ROOTS_LIST => serde_json::from_str(text).map(Self::Roots),
            _ => Err(de::Error::custom("a client cannot be asked this")),
        }
    }

    /// The capability a client must have declared to be asked this, as a ClientCapabilities object
    /// for `data.requiredCapabilities`; `None` when it has it.
    pub fn missing_capability(&self, client: ClientCapabilities) -> Option<Value> {
        use serde_json::json;
        let (declared, required) = match self {
            Self::Elicit(ElicitParams::Form(_)) => (client.elicitation_form, json!({ "elicitation": { "form": {} } })),
            Self::Elicit(ElicitParams::Url(_)) => (client.elicitation_url, json!({ "elicitation": { "url": {} } })),
            Self::Sample(params) if !params.tools.is_empty() || params.tool_choice.is_some() => {
                (client.sampling_tools, json!({ "sampling": { "tools": {} } }))
            }
            Self::Sample(_) => (client.sampling, json!({ "sampling": {} })),
            Self::Roots(_) => (client.roots, json!({ "roots": {} })),
        };
        (!declared).then_some(required)
    }

    /// The question as the revision knows it.
    ///
    /// # Errors
    /// When the revision has no form for it.
    pub fn for_revision(self, revision: Revision) -> Result<Self, Inexpressible> {
        Ok(match self {
            Self::Elicit(params) => Self::Elicit(params.for_revision(revision)?),
            Self::Sample(params) => Self::Sample(Box::new(params.for_revision(revision)?)),
            Self::Roots(params) => Self::Roots(params),
        })
    }
}

impl<'de> Deserialize<'de> for InputRequest {
    /// By hand: a derived one would lose the raw schemas of tools when `params` comes before `method`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            method: String,
            params: Option<Box<RawValue>>,
        }
        let wire = Wire::deserialize(deserializer)?;
        Self::read(&wire.method, wire.params.as_deref()).map_err(de::Error::custom)
    }
}
