//! What a service is to the rest of the crate. The `#[service]` macro implements it.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use futures_core::{future::BoxFuture, stream::BoxStream};
use micro_core::{Context, HandlerDescriptor, Result};

/// A handler: endpoints that share state. Written by the `#[service]` macro, not by hand.
pub trait Service: Send + Sync + 'static {
    /// What it offers. Needs no running service; endpoint `i` of the list is dispatched as `i`.
    fn descriptor() -> HandlerDescriptor
    where
        Self: Sized;

    /// Runs one endpoint with its arguments as a JSON object. An index out of range is an error.
    fn dispatch(self: Arc<Self>, endpoint: usize, cx: Context, body: Bytes) -> BoxFuture<'static, Result<Reply>>;
}

/// Items of a streaming endpoint, each one JSON text. The first error is the last item.
pub type Items = BoxStream<'static, Result<Bytes>>;

/// What an endpoint answers: JSON, as bytes.
pub enum Reply {
    /// One JSON text.
    Value(Bytes),
    /// Many, as they come.
    Stream(Items),
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(bytes) => f.debug_tuple("Value").field(bytes).finish(),
            Self::Stream(_) => f.write_str("Stream(..)"),
        }
    }
}
