//! Completions: closures from what was typed so far to what it may become.

use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    sync::Arc,
};

use futures_core::future::BoxFuture;
use micro_mcp_proto::{CompleteParams, Completion, Reference, RpcError};
use serde_json::value::RawValue;

use super::CallContext;
use crate::Cx;

/// A wish to complete an argument of a prompt, or a variable of a resource template.
#[derive(Debug, Clone)]
pub struct Complete {
    /// Who asks.
    pub cx: CallContext,
    /// What was typed so far.
    pub value: String,
    /// What the other arguments are already.
    pub arguments: BTreeMap<String, String>,
}

pub(super) type CompleteFn = Arc<dyn Fn(Complete) -> BoxFuture<'static, Completion> + Send + Sync>;

/// The completions of one argument each: of what, and which.
pub(super) type Completions = HashMap<(Of, String), CompleteFn>;

/// What an argument belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Of {
    /// A prompt, by name.
    Prompt(String),
    /// A resource template, by its text.
    Template(String),
}

impl Of {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Prompt(name) | Self::Template(name) => name,
        }
    }
}

pub(super) fn erase<F, Fut, I, S>(complete: F) -> CompleteFn
where
    F: Fn(Complete) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = I> + Send + 'static,
    I: IntoIterator<Item = S>,
    S: Into<String>,
{
    Arc::new(move |wish| {
        let values = complete(wish);
        Box::pin(async move { values.await.into_iter().collect() })
    })
}

/// Completes an argument. One without a closure has no completions; `known` says whether there is such
/// a prompt or template at all.
pub(super) fn complete(
    completions: &Completions,
    cx: &Cx<'_>,
    raw: Option<&RawValue>,
    known: impl FnOnce(&Of) -> bool,
) -> Result<Option<BoxFuture<'static, Completion>>, RpcError> {
    let raw = raw.ok_or_else(|| RpcError::invalid_params("params are required"))?;
    let wrong = |error| RpcError::invalid_params(format!("Invalid params: {error}"));
    let CompleteParams { reference, argument, context, .. } = serde_json::from_str(raw.get()).map_err(wrong)?;
    let of = match reference {
        Reference::Prompt { name, .. } => Of::Prompt(name),
        Reference::Resource { uri } => Of::Template(uri),
    };
    if !known(&of) {
        return Err(RpcError::invalid_params("params.ref names nothing that is here"));
    }
    let wish = || Complete {
        cx: CallContext::of(cx),
        value: argument.value,
        arguments: context.unwrap_or_default().arguments,
    };
    Ok(completions.get(&(of, argument.name)).map(|complete| complete(wish())))
}
