//! Prompts: closures from string arguments to messages.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use futures_core::future::BoxFuture;
use micro_mcp_proto::{Prompt, PromptMessage, RpcError};
use serde_json::value::RawValue;

use super::{CallContext, CallError};

/// A wish for a prompt.
#[derive(Debug, Clone)]
pub struct GetPrompt {
    /// Who asks.
    pub cx: CallContext,
    /// The arguments; the required ones are there.
    pub arguments: BTreeMap<String, String>,
}

impl GetPrompt {
    /// An argument, empty when it was not given.
    pub fn argument(&self, name: &str) -> &str {
        self.arguments.get(name).map_or("", String::as_str)
    }
}

type PromptFn = Arc<dyn Fn(GetPrompt) -> BoxFuture<'static, Result<Vec<PromptMessage>, CallError>> + Send + Sync>;

pub(super) struct PromptEntry {
    pub(super) prompt: Prompt,
    pub(super) get: PromptFn,
}

pub(super) fn erase<F, Fut>(get: F) -> PromptFn
where
    F: Fn(GetPrompt) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Vec<PromptMessage>, CallError>> + Send + 'static,
{
    Arc::new(move |wish| Box::pin(get(wish)))
}

impl PromptEntry {
    /// The arguments, if they are what the prompt takes.
    pub(super) fn arguments(&self, raw: Option<&RawValue>) -> Result<BTreeMap<String, String>, RpcError> {
        let wrong = |_| RpcError::invalid_params("params.arguments must be an object of strings");
        let arguments: BTreeMap<String, String> =
            raw.map(|raw| serde_json::from_str(raw.get()).map_err(wrong)).transpose()?.unwrap_or_default();
        match self.prompt.arguments.iter().find(|a| a.required && !arguments.contains_key(&a.name)) {
            Some(missing) => Err(RpcError::invalid_params(format!("Missing argument: {}", missing.name))),
            None => Ok(arguments),
        }
    }
}
