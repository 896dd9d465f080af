//! The ways in, and how each says what the pipeline decided.

use serde_json::{Value, json};

use super::Outcome;

/// A way in. (There is no WebSocket yet.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Front {
    /// MCP 2026-07-28 over HTTP.
    Modern,
    /// MCP 2025-11-25 over HTTP, in a session.
    Legacy,
    /// MCP 2026-07-28 on a pipe.
    Stdio,
    /// MCP 2025-11-25 on a pipe.
    LegacyStdio,
    /// `POST /api/{service}/{Type.Method}`.
    Rest,
    /// `POST /mcp/call`.
    Compat,
}

pub(super) const FRONTS: [Front; 6] =
    [Front::Modern, Front::Legacy, Front::Stdio, Front::LegacyStdio, Front::Rest, Front::Compat];

/// What a caller hears.
#[derive(Debug, PartialEq)]
pub(super) struct Told {
    /// Of HTTP; a pipe has none.
    pub(super) status: Option<u16>,
    /// `WWW-Authenticate`; a pipe has none.
    pub(super) challenge: Option<String>,
    /// What matters of the body: the JSON-RPC error, the tool's result, or all of it.
    pub(super) body: Value,
}

impl Front {
    /// As records call it.
    pub(super) fn recorded(self) -> &'static str {
        match self {
            Self::Modern | Self::Legacy => "mcp",
            Self::Stdio | Self::LegacyStdio => "stdio",
            Self::Rest => "rest",
            Self::Compat => "compat",
        }
    }

    /// The tool as it is asked for here.
    pub(super) fn asked(self) -> &'static str {
        match self {
            Self::Rest => "notes.Notes.Keep",
            _ => "notes_Keep",
        }
    }

    /// The tool that is recorded.
    pub(super) fn tool(self, outcome: Outcome) -> &'static str {
        match (self, outcome) {
            // Only the body names it, and a stranger's body is not read.
            (Self::Compat, Outcome::Unauthenticated(_)) => "",
            // What there is not has no canonical name.
            (_, Outcome::Unknown) => self.asked(),
            _ => "notes.Notes.Keep",
        }
    }

    /// What is to be answered.
    pub(super) fn says(self, outcome: Outcome, origin: &str) -> Told {
        let (status, text) = match outcome {
            Outcome::Allowed => (200, String::new()),
            Outcome::Unauthenticated(why) => (401, format!("Unauthorized: {why}")),
            Outcome::OutOfScope => (403, "Forbidden: insufficient scopes: any one of notes:write is needed".to_owned()),
            Outcome::Forbidden(_, told) => (403, format!("Forbidden: {told}")),
            Outcome::Unknown => (404, "Tool not found".to_owned()),
            Outcome::Misfit => (400, "invalid arguments:\n- \"text\" is a required property".to_owned()),
        };
        let note = json!({"text": "a", "stars": null});
        let http = |body| Told { status: Some(status), challenge: self.challenge(outcome, origin), body };
        match self {
            Self::Rest if outcome == Outcome::Allowed => http(note),
            Self::Rest => http(json!({ "error": text })),
            Self::Compat if outcome == Outcome::Allowed => http(json!({ "result": note })),
            Self::Compat => http(text.into()),
            Self::Modern | Self::Legacy | Self::Stdio | Self::LegacyStdio => {
                let error = |message: &str| (json!({"code": -32602, "message": message}), status);
                let (body, status) = match outcome {
                    Outcome::Allowed => (json!({"isError": false, "text": note.to_string()}), 200),
                    // Of these JSON-RPC alone speaks, not HTTP; what is wrong with arguments is for the model to read.
                    Outcome::Misfit => (json!({"isError": true, "text": text}), 200),
                    Outcome::Unknown => (error("Unknown tool: notes_Keep").0, 200),
                    _ => error(&text),
                };
                match self {
                    Self::Modern | Self::Legacy => Told { status: Some(status), ..http(body) },
                    _ => Told { status: None, challenge: None, body },
                }
            }
        }
    }

    /// RFC 6750 §3, RFC 9728 §5.1. That a tool of a tenant asks for scopes is told to nobody who may not see it.
    fn challenge(self, outcome: Outcome, origin: &str) -> Option<String> {
        let said = match outcome {
            Outcome::Unauthenticated("missing token") => "",
            Outcome::Unauthenticated(_) => r#"error="invalid_token", "#,
            Outcome::OutOfScope => r#"error="insufficient_scope", scope="notes:write", "#,
            _ => return None,
        };
        let path = if self == Self::Rest { "/api" } else { "/mcp" };
        Some(format!("Bearer {said}resource_metadata=\"{origin}/.well-known/oauth-protected-resource{path}\""))
    }
}
