//! What the `#[service]` macro's output calls, so that the output itself stays thin. Not for people.

mod describe;
mod schema;
mod text;

use std::{
    fmt,
    future::{Future, ready},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_core::Stream;
pub use futures_core::future::BoxFuture;
use futures_util::{StreamExt, stream};
pub use micro_core::{Context, EndpointDescriptor, Error, HandlerDescriptor, Hints, Result};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
pub use {bytes, futures_core, schemars, serde, serde_json};

pub use self::{
    describe::{Endpoint, NoArguments, endpoint, handler, unknown_endpoint},
    schema::{Contract, schema},
};
pub use crate::{Caller, Reply, Service};
use crate::{Items, Outgoing};

/// Reads a call's arguments: one JSON object. No body at all, or `null`, means no arguments.
pub fn arguments<T: DeserializeOwned>(body: &Bytes) -> Result<T> {
    let wrong = |reason: &dyn fmt::Display| Error::bad_request(format!("the arguments do not fit: {reason}"));
    let json = match body.trim_ascii() {
        b"" | b"null" => b"{}",
        json if json.starts_with(b"{") => json,
        _ => return Err(wrong(&"they are not a JSON object")), // serde would take a list for a struct
    };
    serde_json::from_slice(json).map_err(|e| wrong(&e))
}

/// Writes the value of a method that cannot fail.
pub fn value<T: Serialize>(value: T) -> Result<Reply> {
    reply(Ok::<_, Error>(value))
}

/// Writes a method's result.
pub fn reply<T: Serialize, E: Into<Error>>(result: Result<T, E>) -> Result<Reply> {
    let value = result.map_err(Into::into)?;
    Ok(Reply::Value(serde_json::to_vec(&value)?.into()))
}

/// Runs a streaming method that borrows its handler: `run` owns the handler, makes the stream and
/// drives it into the [`Yielder`]. A stream that fails before its first item is a call that failed.
pub async fn stream_reply<R, F>(run: R) -> Result<Reply>
where
    R: FnOnce(Yielder) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(1);
    // Not spawned: the driver is polled with the stream, so dropping the stream stops the handler.
    let driver = stream::once(run(Yielder(sender))).filter_map(|()| ready(None));
    let mut items = stream::select(driver, ReceiverStream::new(receiver)).boxed();
    let first = items.next().await.transpose()?;
    Ok(Reply::Stream(stream::iter(first.map(Ok)).chain(items).boxed()))
}

/// Where a streaming method's items go.
pub struct Yielder(mpsc::Sender<Result<Bytes>>);

impl Yielder {
    /// Sends every item of `items`, up to and with the first error.
    pub async fn all<T: Serialize, E: Into<Error>>(self, items: impl Stream<Item = Result<T, E>>) {
        let mut items = pin!(items);
        while let Some(item) = items.next().await {
            let json = item.map_err(Into::into).and_then(|item| Ok(Bytes::from(serde_json::to_vec(&item)?)));
            let last = json.is_err();
            if self.0.send(json).await.is_err() || last {
                break; // nobody reads any more, or the stream has failed
            }
        }
    }

    /// Ends the stream with an error before its first item.
    pub async fn fail(self, error: impl Into<Error>) {
        let _ = self.0.send(Err(error.into())).await; // an absent reader misses nothing
    }
}

/// What a typed client is made of.
#[derive(Clone)]
pub struct Remote {
    caller: Arc<dyn Caller>,
    service: Arc<str>,
}

/// The constant part of one method of a typed client.
#[derive(Debug, Clone, Copy)]
pub struct Method {
    pub endpoint: &'static str,
    pub idempotent: bool,
    pub timeout: Option<Duration>,
}

impl Remote {
    pub fn new(caller: impl Caller, service: &str) -> Self {
        Self { caller: Arc::new(caller), service: service.into() }
    }

    /// Makes a call that answers once.
    pub async fn call<A: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        cx: Option<&Context>,
        arguments: &A,
    ) -> Result<T> {
        match self.send(method, cx, arguments).await? {
            Reply::Value(json) => parse(&json),
            Reply::Stream(_) => Err(Error::internal("the peer answered with a stream")),
        }
    }

    /// Makes a call that answers with a stream.
    pub async fn try_stream<A: Serialize, T: DeserializeOwned + Send + 'static>(
        &self,
        method: Method,
        cx: Option<&Context>,
        arguments: &A,
    ) -> Result<impl Stream<Item = Result<T>> + Send + use<A, T>> {
        let items: Items = match self.send(method, cx, arguments).await? {
            Reply::Stream(items) => items,
            Reply::Value(json) => stream::iter([Ok(json)]).boxed(),
        };
        Ok(items.map(|item| parse(&item?)))
    }

    /// The same, where an error of the call itself is the stream's only item.
    pub async fn stream<A: Serialize, T: DeserializeOwned + Send + 'static>(
        &self,
        method: Method,
        cx: Option<&Context>,
        arguments: &A,
    ) -> impl Stream<Item = Result<T>> + Send + use<A, T> {
        match self.try_stream(method, cx, arguments).await {
            Ok(items) => items.left_stream(),
            Err(error) => stream::iter([Err(error)]).right_stream(),
        }
    }

    /// The same for a method that is not async: the call is made when the first item is asked for.
    pub fn stream_later<A, T>(
        &self,
        method: Method,
        cx: Option<&Context>,
        arguments: A,
    ) -> impl Stream<Item = Result<T>> + Send + use<A, T>
    where
        A: Serialize + Send + Sync + 'static,
        T: DeserializeOwned + Send + 'static,
    {
        let (remote, cx) = (self.clone(), cx.cloned());
        stream::once(async move { remote.stream(method, cx.as_ref(), &arguments).await }).flatten()
    }

    async fn send<A: Serialize>(&self, method: Method, cx: Option<&Context>, arguments: &A) -> Result<Reply> {
        let body = serde_json::to_vec(arguments)?.into();
        let call = Outgoing {
            service: self.service.clone(),
            endpoint: method.endpoint.into(),
            cx: cx.cloned().unwrap_or_default(),
            body,
            idempotent: method.idempotent,
            timeout: method.timeout,
        };
        self.caller.call(call).await
    }
}

fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T> {
    serde_json::from_slice(json)
        .map_err(|e| Error::internal("the peer's answer does not fit its contract").with_source(e))
}
