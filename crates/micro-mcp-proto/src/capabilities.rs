//! What each side says it can do.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

use crate::{Revision, params::is_object};

/// What a client can do, as far as a server asks; [`DeclaredCapabilities`] is all it says.
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
    /// It knows the tasks extension.
    pub tasks: bool,
}

/// A ClientCapabilities object, as a client writes it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeclaredCapabilities {
    /// It has roots; `listChanged` before 2026-07-28.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roots: Option<ListChanged>,
    /// It can ask its model; `context` and `tools` since 2025-11-25.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling: Option<Map<String, Value>>,
    /// It can ask its user (since 2025-06-18); `form` and `url` since 2025-11-25.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elicitation: Option<Map<String, Value>>,
    /// Which of its requests can become tasks (2025-11-25 only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Map<String, Value>>,
    /// Extensions by identifier, with their settings (since 2026-07-28).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extensions: Map<String, Value>,
    /// Whatever both sides agreed on.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub experimental: Map<String, Value>,
}

impl DeclaredCapabilities {
    /// The capabilities as the revision knows them.
    #[must_use]
    pub fn for_revision(mut self, revision: Revision) -> Self {
        if revision == Revision::V2026_07_28 {
            self.roots = self.roots.map(|_| ListChanged::default());
        } else {
            self.extensions.clear();
        }
        if revision != Revision::V2025_11_25 {
            self.tasks = None;
        }
        if revision < Revision::V2025_11_25 {
            self.sampling = self.sampling.map(|_| Map::new());
            // Forms are all there was; a client that only opens pages has nothing to declare.
            let forms = |modes: &Map<String, Value>| modes.contains_key("form") || !modes.contains_key("url");
            self.elicitation = self.elicitation.filter(forms).map(|_| Map::new());
        }
        if revision < Revision::V2025_06_18 {
            self.elicitation = None;
        }
        self
    }
}

#[derive(Default, Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    roots: Option<&'a RawValue>,
    #[serde(borrow)]
    sampling: Option<&'a RawValue>,
    #[serde(borrow)]
    elicitation: Option<&'a RawValue>,
    #[serde(borrow)]
    extensions: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Extensions<'a> {
    #[serde(borrow, rename = "io.modelcontextprotocol/tasks")]
    tasks: Option<&'a RawValue>,
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
            tasks: lenient::<Extensions<'_>>(wire.extensions).tasks.is_some(),
        }
    }

    /// As bits, for a sealed session id.
    pub fn to_bits(self) -> u8 {
        let Self { roots, sampling, sampling_tools, elicitation_form, elicitation_url, tasks } = self;
        let flags = [roots, sampling, sampling_tools, elicitation_form, elicitation_url, tasks];
        flags.iter().enumerate().fold(0, |bits, (i, &on)| bits | u8::from(on) << i)
    }

    /// From [`ClientCapabilities::to_bits`].
    pub fn from_bits(bits: u8) -> Self {
        let on = |i: u8| bits >> i & 1 == 1;
        Self {
            roots: on(0),
            sampling: on(1),
            sampling_tools: on(2),
            elicitation_form: on(3),
            elicitation_url: on(4),
            tasks: on(5),
        }
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
    /// Which of its methods can become tasks (2025-11-25 only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Map<String, Value>>,
    /// Extensions by identifier, with their settings.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extensions: Map<String, Value>,
    /// Whatever both sides agreed on.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub experimental: Map<String, Value>,
}

impl ServerCapabilities {
    /// The capabilities as the revision knows them.
    #[must_use]
    pub fn for_revision(mut self, revision: Revision) -> Self {
        if revision < Revision::V2026_07_28 {
            self.extensions.clear();
        }
        if revision != Revision::V2025_11_25 {
            self.tasks = None;
        }
        if revision < Revision::V2025_03_26 {
            self.completions = None;
        }
        self
    }
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
        let all = read(
            r#"{"roots":{},"sampling":{"tools":{}},"elicitation":{"url":{}},"extensions":{"io.modelcontextprotocol/tasks":{}}}"#,
        );
        assert!(all.tasks);
        assert_eq!(ClientCapabilities::from_bits(all.to_bits()), all);
        assert_eq!(ClientCapabilities::from_bits(0), ClientCapabilities::default());
    }
}
