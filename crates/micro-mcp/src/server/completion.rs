//! Completions: closures from what was typed so far to what it may become.

use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    sync::Arc,
};

use futures_core::future::BoxFuture;
use micro_mcp_proto::{Completion, RpcError};
use serde::Deserialize;
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
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(tag = "type")]
pub(super) enum Of {
    /// A prompt, by name.
    #[serde(rename = "ref/prompt")]
    Prompt {
        /// The name.
        name: String,
    },
    /// A resource template, by its text.
    #[serde(rename = "ref/resource")]
    Template {
        /// The template.
        uri: String,
    },
}

impl Of {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Prompt { name } => name,
            Self::Template { uri } => uri,
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

#[derive(Deserialize)]
struct Wish {
    #[serde(rename = "ref")]
    of: Of,
    argument: Argument,
    #[serde(default)]
    context: Context,
}

#[derive(Deserialize)]
struct Argument {
    name: String,
    value: String,
}

#[derive(Default, Deserialize)]
struct Context {
    #[serde(default)]
    arguments: BTreeMap<String, String>,
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
    let Wish { of, argument, context } = serde_json::from_str(raw.get()).map_err(wrong)?;
    if !known(&of) {
        return Err(RpcError::invalid_params("params.ref names nothing that is here"));
    }
    let wish = || Complete { cx: CallContext::of(cx), value: argument.value, arguments: context.arguments };
    Ok(completions.get(&(of, argument.name)).map(|complete| complete(wish())))
}
