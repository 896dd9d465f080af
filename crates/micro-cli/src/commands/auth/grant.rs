//! What an account is given.

/// What an account is given.
#[derive(Debug, clap::Args)]
pub(super) struct Grant {
    /// What the account may do; may be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(super) scopes: Vec<String>,
    /// A role of the account; may be repeated
    #[arg(long = "role", value_name = "ROLE")]
    pub(super) roles: Vec<String>,
    /// The tenant that the account belongs to
    #[arg(long, value_name = "TENANT")]
    pub(super) tenant: Option<String>,
}
