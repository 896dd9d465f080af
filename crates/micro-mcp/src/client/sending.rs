//! How the requests of an application go out: through the layers around its client, and then to the server.

use std::{
    borrow::Cow,
    ptr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use micro_mcp_proto::{Params, code, headers};
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout_at};

use super::{
    Client, Error,
    core::{Answer, Ask, Patience},
    message::Members,
};
use crate::{
    Cx, Failure, Layer, Peer, Principal, Request, TraceContext, Transport,
    layer::{Last, Next},
};

/// What an application put around its client.
pub(super) struct Around {
    /// The one that sees a request first is the last.
    pub(super) layers: Vec<Arc<dyn Layer>>,
    pub(super) trace: TraceSource,
}

/// Where the trace context of a request comes from.
pub(super) type TraceSource = Arc<dyn Fn() -> Option<TraceContext> + Send + Sync>;

impl Client {
    /// Takes a request of the application's to its answer, in time.
    pub(super) async fn send(&self, mut ask: Ask) -> Result<Answer, Error> {
        let deadline = Instant::now() + ask.patience.total;
        if let Some(context) = (self.0.around.trace)().filter(|_| !ask.meta.has("traceparent")) {
            ask.meta = ask.meta.and(&Members::of(&context)?);
        }
        let course = async {
            match self.0.around.layers.is_empty() {
                true => self.deliver(&ask).await,
                false => self.through_layers(&ask).await,
            }
        };
        // The way through handshake, layers and transport is long: unboxed, it makes every caller's future as large.
        timeout_at(deadline, Box::pin(course)).await.unwrap_or(Err(Error::Timeout))
    }

    /// The same for a request without frills; its raw result.
    pub(super) async fn plain(&self, method: &'static str, members: Members) -> Result<Box<RawValue>, Error> {
        Ok(self.send(Ask::new(method, members, self.0.core.patience)).await?.result)
    }

    async fn through_layers(&self, ask: &Ask) -> Result<Answer, Error> {
        let link = self.0.core.link().await?;
        let transport = if link.exchange.is_http() { Transport::Http } else { Transport::Stdio };
        let peer = Peer::of(transport);
        let params = RawValue::from_string(ask.params().object())?;
        let read = Params::parse(Some(&params))?;
        let request = Request::read(&ask.method, Some(&params), &read)?;
        let server = Server { client: self, ask, request: &request, bare: AtomicBool::new(false) };
        let nobody = Principal::anonymous();
        let sending = Cx::detached(link.revision, &nobody, &read.meta, peer, async |cx| {
            Next::through(&self.0.around.layers, &server).handle(cx, &request).await
        });
        let result = String::from_utf8(sending.await?.into());
        let result = result.map_err(|_| Error::protocol("a layer answers with what is no text"))?;
        Ok(Answer { result: RawValue::from_string(result)?, bare: server.bare.load(Ordering::Relaxed) })
    }

    /// Sends a request to the server; a tool call with the headers its schema wants, and once more when the
    /// server has another schema.
    async fn deliver(&self, ask: &Ask) -> Result<Answer, Error> {
        if ask.method != "tools/call" {
            return self.0.core.answer(ask).await;
        }
        let mirrored = || {
            let specs = self.known().mirrored(ask.name.as_deref().unwrap_or_default());
            Ask { params: headers::mirror(&specs, ask.arguments.as_deref()), ..ask.clone() }
        };
        match self.0.core.answer(&mirrored()).await {
            Err(error) if error.code() == Some(code::HEADER_MISMATCH) => {
                self.relearn().await?;
                self.0.core.answer(&mirrored()).await
            }
            outcome => outcome,
        }
    }

    /// Looks at the tools anew. Boxed: that is a request, too.
    fn relearn(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move { self.refresh_tools().await.map(drop) })
    }
}

/// The server at the other side, as the innermost layer sees it.
struct Server<'s> {
    client: &'s Client,
    ask: &'s Ask,
    /// The same as the layers saw it.
    request: &'s Request<'s>,
    /// What [`Answer::bare`] says; bytes have no room for it.
    bare: AtomicBool,
}

impl Last for Server<'_> {
    fn answer<'a>(&'a self, _: &'a Cx<'a>, request: &'a Request<'a>) -> BoxFuture<'a, Result<Bytes, Failure>> {
        Box::pin(async move {
            // What no layer changed goes out as it was written.
            let unchanged = ptr::eq(ptr::from_ref(request).cast::<()>(), ptr::from_ref(self.request).cast());
            let answer = match unchanged {
                true => self.client.deliver(self.ask).await?,
                false => self.client.deliver(&self.ask.with(request)?).await?,
            };
            self.bare.store(unchanged && answer.bare, Ordering::Relaxed);
            Ok(Box::<str>::from(answer.result).into_string().into())
        })
    }
}

impl Ask {
    /// Any request, from its raw params.
    pub(super) fn read(method: String, params: &RawValue, patience: Patience) -> Result<Self, Error> {
        // What is wrong with it is the server's to say.
        let read = Params::parse(Some(params)).unwrap_or_default();
        let name = headers::name_of(&method, &read).ok().flatten().map(Cow::into_owned);
        let arguments = read.arguments.map(ToOwned::to_owned);
        let (members, [meta, _]) = Members::of_object(params, ["_meta", "arguments"])?;
        let meta = meta.map(|meta| Members::of_object(meta, [])).transpose()?.unwrap_or_default().0;
        Ok(Self { meta, name, arguments, ..Self::new(method, members, patience) })
    }

    /// The same with another request, made by a layer.
    fn with(&self, request: &Request<'_>) -> Result<Self, Error> {
        let ask = match request {
            Request::Other { method, params } => {
                let nothing: &RawValue = serde_json::from_str("{}")?;
                return Ok(Self {
                    progress: self.progress.clone(),
                    ..Self::read(method.clone().into_owned(), params.unwrap_or(nothing), self.patience)?
                });
            }
            Request::ListTools { cursor } => {
                let cursor = cursor.as_ref().map(|cursor| Members::default().text("cursor", cursor));
                Self { name: None, arguments: None, members: cursor.unwrap_or_default(), ..self.clone() }
            }
            Request::CallTool(call) => {
                let mut members = Members::default().text("name", &call.name);
                let answers = [("inputResponses", call.input_responses), ("requestState", call.request_state)];
                for (name, value) in answers {
                    members = value.into_iter().fold(members, |members, value| members.raw(name, value.get()));
                }
                let arguments = call.arguments.map(ToOwned::to_owned);
                Self { name: Some(call.name.clone().into_owned()), arguments, members, ..self.clone() }
            }
        };
        Ok(Self { method: request.method().to_owned().into(), ..ask })
    }

    /// All of `params`, as far as the application makes them.
    fn params(&self) -> Members {
        let mut params = self.members.clone();
        if let Some(arguments) = &self.arguments {
            params = params.raw("arguments", arguments.get());
        }
        if self.meta.is_empty() { params } else { params.raw("_meta", &self.meta.object()) }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Rpc(error) => Self::Rpc(error),
            other => Self::Inner(Box::new(other)),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Rpc(error) => Self::Rpc(error),
            Failure::Refused(refusal) => Self::Rpc(refusal.error),
            Failure::Inner(error) => match error.downcast::<Self>() {
                Ok(error) => *error,
                Err(other) => Self::Layer(other),
            },
        }
    }
}
