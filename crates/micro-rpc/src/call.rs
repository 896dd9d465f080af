//! The port typed clients call through.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use micro_core::{Context, Result};

use crate::Reply;

/// Something that can call a service: the network ([`crate::Client`]), or the service itself in the
/// same process ([`crate::Router`]), which is how a service that calls others is unit-tested.
pub trait Caller: Send + Sync + 'static {
    /// Makes one call. The deadline is the context's, shortened by the call's own timeout.
    fn call(&self, call: Outgoing) -> BoxFuture<'_, Result<Reply>>;
}

impl<C: Caller + ?Sized> Caller for Arc<C> {
    fn call(&self, call: Outgoing) -> BoxFuture<'_, Result<Reply>> {
        (**self).call(call)
    }
}

/// One call, ready to be made.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The service's name.
    pub service: Arc<str>,
    /// `Type.Method`.
    pub endpoint: Arc<str>,
    /// Metadata that travels along, and the deadline.
    pub cx: Context,
    /// Arguments: a JSON object.
    pub body: Bytes,
    /// May be tried again on another node when this one could not be reached.
    pub idempotent: bool,
    /// The endpoint's own timeout.
    pub timeout: Option<Duration>,
}
