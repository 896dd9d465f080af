//! What each side says it can do.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

use crate::params::is_object;

/// What a client can do, as far as the core of MCP asks. Extensions stay in the raw capabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClientCapabilities {
    /// It has roots.
    pub roots: bool,
    /// It can ask its model.
    pub sampling: bool,
    /// Its model can be given tools.
    pub sampling_tools: bool,
    /// It can ask its user to fill in a form.
    pub elicitation_form: bool,
    /// It can send its user to a URL.
    pub elicitation_url: bool,
}

#[derive(Default, Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    roots: Option<&'a RawValue>,
    #[serde(borrow)]
    sampling: Option<&'a RawValue>,
    #[serde(borrow)]
    elicitation: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Modes<'a> {
    #[serde(borrow)]
    form: Option<&'a RawValue>,
    #[serde(borrow)]
    url: Option<&'a RawValue>,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
}

impl ClientCapabilities {
    /// Reads a ClientCapabilities object. What cannot be read is not declared.
    pub fn parse(raw: &RawValue) -> Self {
        let wire: Wire<'_> = lenient(Some(raw));
        let (sampling, elicitation): (Modes<'_>, Modes<'_>) = (lenient(wire.sampling), lenient(wire.elicitation));
        Self {
            roots: wire.roots.is_some(),
            sampling: wire.sampling.is_some(),
            sampling_tools: sampling.tools.is_some(),
            // `{}` means forms only: before 2025-11-25 there was nothing else.
            elicitation_form: wire.elicitation.is_some() && (elicitation.form.is_some() || elicitation.url.is_none()),
            elicitation_url: elicitation.url.is_some(),
        }
    }

    /// As bits, for a sealed session id.
    pub fn to_bits(self) -> u8 {
        let flags = [self.roots, self.sampling, self.sampling_tools, self.elicitation_form, self.elicitation_url];
        flags.iter().enumerate().fold(0, |bits, (i, &on)| bits | u8::from(on) << i)
    }

    /// From [`ClientCapabilities::to_bits`].
    pub fn from_bits(bits: u8) -> Self {
        let on = |i: u8| bits >> i & 1 == 1;
        Self { roots: on(0), sampling: on(1), sampling_tools: on(2), elicitation_form: on(3), elicitation_url: on(4) }
    }
}

fn lenient<'a, T: Deserialize<'a> + Default>(raw: Option<&'a RawValue>) -> T {
    raw.filter(|raw| is_object(raw)).and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

/// What a server offers. Absent means "not offered": its methods are not found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerCapabilities {
    /// `tools/*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<ListChanged>,
    /// `prompts/*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompts: Option<ListChanged>,
    /// `resources/*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ListChanged>,
    /// `completion/complete`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completions: Option<Map<String, Value>>,
    /// `notifications/message`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logging: Option<Map<String, Value>>,
    /// Extensions by identifier, with their settings.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extensions: Map<String, Value>,
    /// Whatever both sides agreed on.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub experimental: Map<String, Value>,
}

/// Whether a list tells of its changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListChanged {
    /// `notifications/…/list_changed` are sent to those who listen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub list_changed: bool,
    /// Resources only: single ones can be watched.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub subscribe: bool,
}

impl ListChanged {
    /// A list that tells of its changes.
    pub const YES: Self = Self { list_changed: true, subscribe: false };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ClientCapabilities {
        ClientCapabilities::parse(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn an_empty_elicitation_means_forms() {
        assert_eq!(read("{}"), ClientCapabilities::default());
        let form = read(r#"{"elicitation":{}}"#);
        assert!(form.elicitation_form && !form.elicitation_url);
        let url = read(r#"{"elicitation":{"url":{}}}"#);
        assert!(!url.elicitation_form && url.elicitation_url);
        assert_eq!(read(r#"{"elicitation":null,"sampling":null}"#), ClientCapabilities::default());
    }

    #[test]
    fn bits_hold_everything() {
        let all = read(r#"{"roots":{},"sampling":{"tools":{}},"elicitation":{"url":{}}}"#);
        assert_eq!(ClientCapabilities::from_bits(all.to_bits()), all);
        assert_eq!(ClientCapabilities::from_bits(0), ClientCapabilities::default());
    }
}
