//! Pure decisions: who is calling, may they, and what is written down about it.
//!
//! Knows identities, scopes and audit records as plain values. Does not know HTTP, MCP or any I/O,
//! and never reads the clock: time is an argument.

mod audit;
mod identity;
mod intent;
pub mod oauth;
mod scopes;
mod tokens;

pub use self::{
    audit::{Record, Verdict},
    identity::{Caller, Identity},
    intent::{Intent, IntentRequest, InvalidTools, MessageDigest, TooWide, ToolSet},
    scopes::{MissingScope, Requirement, Scopes},
    tokens::{InvalidToken, Secret, Tokens},
};
