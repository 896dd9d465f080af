//! Pure decisions: who is calling, may they, and what is written down about it.
//!
//! Knows identities, scopes and audit records as plain values. Does not know HTTP, MCP or any I/O,
//! and never reads the clock: time is an argument.

mod access;
mod api_key;
mod assertion;
pub mod audit;
#[cfg_attr(not(feature = "cedar"), path = "no_cedar.rs")]
mod cedar;
mod certificate;
mod digest;
mod identity;
mod intent;
mod jwks;
mod jwt;
mod keys;
pub mod oauth;
mod roles;
mod rule;
mod scopes;
mod secret;
mod tenant;

pub use self::{
    access::{Access, Gate, Question, Step, View, Viewer},
    api_key::{ApiKey, ApiKeyRecord, ENTROPY, Pepper},
    assertion::{Asserter, Assertion, Trust, Unasserted},
    audit::{Record, Verdict},
    cedar::{InvalidPolicies, PolicySet},
    certificate::CertificateName,
    digest::{Digest, InvalidDigest},
    identity::{Caller, Identity, Rejection, is_name},
    intent::{Intent, IntentRequest, InvalidTools, TooWide, ToolSet},
    jwks::{Algorithm, InvalidKeys, KeySet},
    jwt::{Claims, Issuer, Token, Unproven},
    keys::{InvalidKey, PublicKey, Signer},
    roles::{InvalidRoles, Role, Roles},
    rule::{Denied, Rule, Why},
    scopes::{InvalidOverride, Overrides, Requirement, Scopes},
    secret::{InvalidToken, Secret},
    tenant::{Owners, Tenants},
};
