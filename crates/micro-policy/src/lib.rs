//! Pure decisions: who is calling, may they, and what is written down about it.
//!
//! Knows identities, scopes and audit records as plain values. Does not know HTTP, MCP or any I/O,
//! and never reads the clock: time is an argument.

pub mod audit;
mod digest;
mod identity;
mod intent;
mod jwks;
mod jwt;
pub mod oauth;
mod scopes;
mod secret;

pub use self::{
    audit::{Record, Verdict},
    digest::{Digest, InvalidDigest},
    identity::{Caller, Identity, Rejection},
    intent::{Intent, IntentRequest, InvalidTools, MessageDigest, TooWide, ToolSet},
    jwks::{Algorithm, InvalidKeys, KeySet},
    jwt::{Claims, Issuer, Token, Unproven},
    scopes::{MissingScope, Requirement, Scopes},
    secret::{InvalidToken, Secret},
};
