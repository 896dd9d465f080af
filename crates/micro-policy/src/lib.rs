//! Pure decisions: who is calling, may they, and what is written down about it.
//!
//! Knows identities, scopes and audit records as plain values. Does not know HTTP, MCP or any I/O,
//! and never reads the clock: time is an argument.

mod audit;
mod identity;
mod scopes;
mod tokens;

pub use self::{
    audit::{Record, Verdict},
    identity::{Caller, Identity},
    scopes::{MissingScope, Requirement, Scopes},
    tokens::{InvalidToken, Secret, Tokens},
};
