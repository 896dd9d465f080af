//! Where calls are recorded: the `[gateway.audit]` table.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{AuditFail, AuditLocation};

/// Where calls are recorded: the `[gateway.audit]` table.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// A folder, `sqlite:FILE` or `stdout`. Default: nowhere.
    pub to: Option<AuditLocation>,
    /// What becomes of a call whose record cannot be written. Default: `closed`.
    pub fail: AuditFail,
    /// Size in bytes at which a new segment of the log is begun, in a folder. Default: 64 MiB.
    pub segment_size: u64,
    /// The key that checkpoints are signed with, made when it is not there. Default: `checkpoint.key` in the folder, or the
    /// database's name with `.key` behind it; for `stdout` none, and nothing is signed.
    pub key: Option<PathBuf>,
    /// Whether the arguments of calls are written down, and not only their digest. Default: no.
    pub arguments: bool,
    /// Members of arguments, at any depth and in any case, whose values are not written down. Those that commonly hold
    /// secrets (`password`, `secret`, `token`, `api_key`, `authorization` and the like) never are. Default: no others.
    pub redact: Vec<String>,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self {
            to: None,
            fail: AuditFail::default(),
            segment_size: 64 * 1024 * 1024,
            key: None,
            arguments: false,
            redact: Vec::new(),
        }
    }
}
