//! Services in, tools out, policy in between.
//!
//! Knows how the registry becomes a catalog, in which order policies run, and what each front's
//! answers look like. Does not decide (that is `micro-policy`) and does not know wire formats (those
//! are `micro-rpc` and `micro-mcp`).

mod catalog;
mod config;
mod front;
mod gateway;
mod identity;
mod key_file;
mod oauth;
mod pipeline;
mod wire;

pub use micro_policy::{Record as AuditRecord, Scopes, Secret};

pub use self::{
    catalog::{Catalog, CatalogState, Problem, Snapshot, Tool, ToolNames},
    config::{
        AuditConfig, AuthConfig, AuthMode, CertificateConfig, ClientConfig, Config, EmbeddedConfig, InvalidConfig,
        IssuerConfig, KeysConfig, RoleConfig, ScopeConfig, TenantConfig, TlsConfig, TokenConfig,
    },
    gateway::{Core, Gateway, Handle},
    identity::{ApiKeys, Authenticator, Credential, NewApiKey},
    oauth::{NewUser, User, Users},
    pipeline::{AuditFail, AuditLocation, AuditLog, AuditReader, AuditSink, AuditText, AuditTo, Resumed},
};
pub use micro_policy::ApiKeyRecord;
