//! Why a closure has no result.

use micro_mcp_proto::{Era, RpcError, code};

use crate::{AskError, InputRequired, InvalidState};

/// Why a tool, a prompt or a resource has no result.
///
/// ```
/// # use micro_mcp::{CallError, proto::RpcError};
/// fn withdraw(balance: u32, amount: u32) -> Result<u32, CallError> {
///     if amount == 0 {
///         return Err(RpcError::invalid_params("amount must be positive").into()); // a JSON-RPC error
///     }
///     Ok(balance.checked_sub(amount).ok_or("there is not enough on the account")?) // the model reads it
/// }
/// assert!(matches!(withdraw(1, 2), Err(CallError::Failed(_))));
/// ```
#[derive(Debug, Clone)]
pub enum CallError {
    /// It failed. Of a tool, the model reads why (`isError`); of anything else, the caller.
    Failed(String),
    /// The call itself was wrong, or needs what the client has not declared.
    Rpc(RpcError),
    /// The client is asked first. This is what `?` carries out of a handler whose question has no
    /// answer yet, and what an [`InputRequired`] becomes.
    InputRequired(Box<InputRequired>),
}

impl CallError {
    /// As a JSON-RPC error, for methods whose results know no failure. Clients of the legacy era do not
    /// know the codes of the modern one.
    pub(super) fn into_rpc(self, era: Era) -> RpcError {
        match self {
            Self::Rpc(error) if era == Era::Legacy && error.code == code::MISSING_CAPABILITY => {
                RpcError::invalid_params(error.message)
            }
            Self::Rpc(error) => error,
            Self::Failed(text) => RpcError::new(code::INTERNAL, text),
            Self::InputRequired(_) => RpcError::internal(), // answered before it gets here
        }
    }
}

impl From<RpcError> for CallError {
    fn from(error: RpcError) -> Self {
        Self::Rpc(error)
    }
}

impl From<&str> for CallError {
    fn from(text: &str) -> Self {
        Self::Failed(text.to_owned())
    }
}

impl From<String> for CallError {
    fn from(text: String) -> Self {
        Self::Failed(text)
    }
}

/// Shows the error's `detail`, which is meant to be shown, and nothing of its cause.
impl From<micro_core::Error> for CallError {
    fn from(error: micro_core::Error) -> Self {
        Self::Failed(error.detail)
    }
}

impl From<InputRequired> for CallError {
    fn from(required: InputRequired) -> Self {
        Self::InputRequired(Box::new(required))
    }
}

impl From<InvalidState> for CallError {
    fn from(_: InvalidState) -> Self {
        Self::Rpc(RpcError::invalid_params("params.requestState is not valid"))
    }
}

impl From<AskError> for CallError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Pending => InputRequired::new().into(),
            AskError::Unsupported(error) | AskError::Malformed(error) => Self::Rpc(error),
            AskError::NotAForm(error) => {
                tracing::error!(%error, "a handler asks with a type that has no form");
                Self::Rpc(RpcError::internal())
            }
            AskError::Declined
            | AskError::Cancelled
            | AskError::Refused(_)
            | AskError::TimedOut
            | AskError::Unreachable => Self::Failed(error.to_string()),
        }
    }
}
