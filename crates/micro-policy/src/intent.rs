//! What a user asked for, as a bound of what may be done for them.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::Digest;

/// A bound that a token carries: what was asked, which tools that takes, how often they may be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Its name, the same in every record of a call that it allowed.
    pub id: Arc<str>,
    /// The digest of the user's message: it shows that a message is the one, and not the message.
    pub message: Digest,
    /// The tools that may be called; `None` leaves that to the scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<ToolSet>,
    /// How many calls there may be, for all holders together.
    pub calls: u32,
    /// The intents it was narrowed from, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<Arc<str>>,
}

/// What is asked of a new intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntentRequest {
    /// The digest of the message; `None` keeps the one of the intent it is narrowed from.
    pub message: Option<Digest>,
    /// The tools; `None` keeps those of the intent it is narrowed from, or leaves them to the scopes.
    pub tools: Option<ToolSet>,
    /// How many calls.
    pub calls: u32,
}

/// Why there is no such intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooWide {
    /// It has no message.
    #[error("an intent needs the user's message, or its SHA-256")]
    NoMessage,
    /// It allows nothing, or more than can be counted.
    #[error("an intent is for 1 to 1,000,000 calls")]
    Calls,
    /// It allows a tool that the one before it does not.
    #[error("the intent that this one is narrowed from does not allow these tools")]
    Tools,
    /// It allows more calls than the one before it.
    #[error("the intent that this one is narrowed from has fewer calls")]
    MoreCalls,
    /// It names another message than the one before it.
    #[error("the message is that of the intent that this one is narrowed from")]
    Message,
    /// It was narrowed too often.
    #[error("an intent can be narrowed 8 times")]
    Depth,
}

impl Intent {
    /// Most calls of one intent.
    pub const MAX_CALLS: u32 = 1_000_000;

    /// How often an intent can be narrowed.
    pub const MAX_DEPTH: usize = 8;

    /// The intent of this name: a first one, or one that is narrower than `parent`. What `parent` has left of its calls is
    /// for whoever counts: `calls` of them must be taken from it.
    ///
    /// # Errors
    /// When it is wider than `parent`, or bounds nothing.
    pub fn new(id: Arc<str>, parent: Option<&Self>, asked: IntentRequest) -> Result<Self, TooWide> {
        if asked.calls == 0 || asked.calls > Self::MAX_CALLS {
            return Err(TooWide::Calls);
        }
        let Some(parent) = parent else {
            let message = asked.message.ok_or(TooWide::NoMessage)?;
            return Ok(Self { id, message, tools: asked.tools, calls: asked.calls, parents: Vec::new() });
        };
        if parent.parents.len() >= Self::MAX_DEPTH {
            return Err(TooWide::Depth);
        }
        // Whoever holds an intent does not say what the user asked.
        if asked.message.is_some_and(|message| message != parent.message) {
            return Err(TooWide::Message);
        }
        if asked.calls > parent.calls {
            return Err(TooWide::MoreCalls);
        }
        let tools = match (&parent.tools, asked.tools) {
            (Some(held), Some(asked)) if !held.covers(&asked) => return Err(TooWide::Tools),
            (Some(held), None) => Some(held.clone()),
            (_, asked) => asked,
        };
        let parents = parent.parents.iter().cloned().chain([parent.id.clone()]).collect();
        Ok(Self { id, message: parent.message, tools, calls: asked.calls, parents })
    }

    /// Whether it allows this tool, by its canonical name.
    pub fn allows(&self, tool: &str) -> bool {
        self.tools.as_ref().is_none_or(|tools| tools.has(tool))
    }
}

/// Tools by canonical name; a `*` at the end of one stands for every end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<Arc<str>>", into = "Vec<Arc<str>>")]
pub struct ToolSet(Vec<Arc<str>>);

/// No names of tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("tools are 1 to 128 names of at most 256 characters, with a `*` at the end only")]
pub struct InvalidTools;

impl ToolSet {
    /// These tools.
    ///
    /// # Errors
    /// When there is none or too many, or one is no name.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidTools> {
        let mut tools: Vec<Arc<str>> = Vec::new();
        for name in names {
            let stem = name.strip_suffix('*').unwrap_or(name);
            let legal = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
            if name.is_empty() || name.len() > 256 || tools.len() == 128 || !stem.bytes().all(legal) {
                return Err(InvalidTools);
            }
            tools.push(name.into());
        }
        if tools.is_empty() { Err(InvalidTools) } else { Ok(Self(tools)) }
    }

    /// Whether a tool is in it.
    pub fn has(&self, tool: &str) -> bool {
        self.0.iter().any(|name| match name.strip_suffix('*') {
            Some(stem) => tool.starts_with(stem),
            None => **name == *tool,
        })
    }

    /// Whether every tool of another set is in it. Each of the other's names must be covered by one of these.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|asked| match asked.strip_suffix('*') {
            Some(stem) => self.0.iter().any(|held| held.strip_suffix('*').is_some_and(|held| stem.starts_with(held))),
            None => self.has(asked),
        })
    }

    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|name| &**name)
    }
}

impl TryFrom<Vec<Arc<str>>> for ToolSet {
    type Error = InvalidTools;

    fn try_from(names: Vec<Arc<str>>) -> Result<Self, InvalidTools> {
        Self::new(names.iter().map(|name| &**name))
    }
}

impl From<ToolSet> for Vec<Arc<str>> {
    fn from(tools: ToolSet) -> Self {
        tools.0
    }
}

impl fmt::Display for ToolSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iter().collect::<Vec<_>>().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tools(text: &str) -> Option<ToolSet> {
        (!text.is_empty()).then(|| ToolSet::new(text.split(' ')).unwrap())
    }

    fn intent(of: &str, calls: u32) -> Intent {
        Intent { id: "i".into(), message: Digest::of("hi"), tools: tools(of), calls, parents: Vec::new() }
    }

    #[test]
    fn an_intent_is_never_wider_than_the_one_it_comes_from() {
        // held tools, held calls, asked tools, asked calls → tools
        for (held, left, asked, calls, expected) in [
            ("a.A.X a.A.Y", 5, "a.A.X", 5, Ok("a.A.X")),
            ("a.A.X", 5, "", 1, Ok("a.A.X")),
            ("a.*", 5, "a.A.X a.B*", 1, Ok("a.A.X a.B*")),
            ("", 5, "a.A.X", 1, Ok("a.A.X")),
            ("", 5, "", 1, Ok("")),
            ("*", 5, "a.*", 1, Ok("a.*")),
            ("a.A.X", 5, "a.A.Y", 1, Err(TooWide::Tools)),
            ("a.A.X", 5, "a.A.X b.B.X", 1, Err(TooWide::Tools)),
            ("a.A.X", 5, "a.A.X*", 1, Err(TooWide::Tools)),
            ("a.A.*", 5, "a.*", 1, Err(TooWide::Tools)),
            ("a.A.*", 5, "*", 1, Err(TooWide::Tools)),
            ("a.A.X", 5, "", 6, Err(TooWide::MoreCalls)),
            ("a.A.X", 5, "", 0, Err(TooWide::Calls)),
        ] {
            let request = IntentRequest { message: None, tools: tools(asked), calls };
            let child = Intent::new("j".into(), Some(&intent(held, left)), request);
            let got = child.map(|child| {
                assert_eq!((child.parents.as_slice(), child.calls), (["i".into()].as_slice(), calls));
                child.tools
            });
            assert_eq!(got, expected.map(tools), "{held} → {asked}");
        }
    }

    #[test]
    fn a_first_intent_needs_a_message_and_the_chain_has_an_end() {
        let request = IntentRequest { message: None, tools: None, calls: 1 };
        assert_eq!(Intent::new("i".into(), None, request.clone()), Err(TooWide::NoMessage));
        let too_many = IntentRequest { message: Some(Digest::of("x")), calls: Intent::MAX_CALLS + 1, tools: None };
        assert_eq!(Intent::new("i".into(), None, too_many), Err(TooWide::Calls));
        let mut last = intent("a.*", 1);
        for depth in 1..=Intent::MAX_DEPTH {
            last = Intent::new(format!("i{depth}").into(), Some(&last), request.clone()).unwrap();
        }
        assert_eq!(Intent::new("j".into(), Some(&last), request), Err(TooWide::Depth));
        assert_eq!(last.message, Digest::of("hi"));
    }

    #[test]
    fn a_narrower_intent_has_the_message_of_the_first() {
        let asked = |message| IntentRequest { message: Some(Digest::of(message)), tools: None, calls: 1 };
        let of = |message| Intent::new("j".into(), Some(&intent("a.*", 1)), asked(message));
        assert_eq!(of("hi").unwrap().message, Digest::of("hi"));
        assert_eq!(of("delete my account"), Err(TooWide::Message));
    }

    #[test]
    fn a_tool_is_allowed_by_its_name_or_its_beginning() {
        assert!(intent("", 1).allows("anything"));
        for (tool, allowed) in [("a.A.X", true), ("a.A.XY", false), ("b.B.Z", true), ("c.C.Z", false), ("A.A.X", false)]
        {
            assert_eq!(intent("a.A.X b.*", 1).allows(tool), allowed, "{tool}");
        }
    }

    #[test]
    fn names_of_tools_are_checked() {
        for names in ["", "a b", "a*b", "**", "a\n", "ä"] {
            assert_eq!(ToolSet::new([names]), Err(InvalidTools), "{names:?}");
        }
        assert_eq!(ToolSet::new([]), Err(InvalidTools));
        assert_eq!(ToolSet::new(["a"; 129]), Err(InvalidTools));
        let intent = intent("a.* b.B.X", 3);
        let json = serde_json::to_string(&intent).unwrap();
        assert_eq!(serde_json::from_str::<Intent>(&json).unwrap(), intent);
        assert!(serde_json::from_str::<Intent>(&json.replace("a.*", "a*.*")).is_err());
    }
}
