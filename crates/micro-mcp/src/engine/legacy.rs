//! Legacy requests: `initialize` first, then within the session it opened.

use std::sync::Arc;

use futures_util::{StreamExt, stream::FuturesOrdered};
use http::{HeaderValue, StatusCode};
use micro_mcp_proto::{ClientCapabilities, Era, LogLevel, Message, Params, Revision, RpcError, parse, write};
use serde_json::value::RawValue;

use super::{Ask, Engine, Reply, Source, builtin};
use crate::{Cx, cx::Back, outlet::Outlet, session::Session};

/// What a client without a session is taken for: one that predates the version header.
pub(super) fn assumed() -> Session {
    Session::local(Revision::V2025_03_26, ClientCapabilities::default())
}

pub(super) async fn answer(engine: &Engine, source: &Source, ask: Ask<'_>) -> Reply {
    if ask.method == "initialize" {
        return initialize(engine, source, &ask);
    }
    let session = match session(engine, source, &ask) {
        Ok(session) => session,
        Err((status, error)) => return Reply::error(status, Some(ask.id), &error),
    };
    if ask.method == "ping" {
        return Reply::message(write::response(ask.id, b"{}"));
    }
    // Without a session id there is no telling whose request a cancellation names, or whose level to keep.
    let named = session.is_sealed() || matches!(source, Source::Pipe { .. });
    let logs = engine.handler.info().capabilities.logging.is_some();
    if logs && ask.method == "logging/setLevel" {
        return set_level(engine, named.then_some(session), &ask);
    }
    let cx = Cx {
        revision: session.revision,
        principal: ask.principal,
        meta: &ask.params.meta,
        peer: ask.peer,
        back: Back {
            session: session.capabilities,
            session_level: logs.then(|| engine.sessions.level(&session)),
            outlet: ask.outlet,
            asks: named.then(|| (&engine.sessions.asks, session.name())),
            task: None,
        },
    };
    if matches!(ask.method, "resources/subscribe" | "resources/unsubscribe") {
        return watch(engine, &cx, named.then_some(session), &ask).await;
    }
    let _run = named.then(|| engine.sessions.run(&session, ask.id, ask.outlet));
    // Without an id nobody could come back for the answer, nor cancel it.
    if session.is_sealed() {
        ask.outlet.outlive_client(session, &engine.sessions.detached);
    }
    engine.handle(&cx, ask.request, ask.id).await
}

fn initialize(engine: &Engine, source: &Source, ask: &Ask<'_>) -> Reply {
    let raw = match ask.request {
        crate::Request::Other { params, .. } => *params,
        _ => None,
    };
    let (revision, capabilities) = match builtin::read_initialize(raw) {
        Ok(agreed) => agreed,
        Err(error) => return Reply::error(super::status(Era::Legacy, &error), Some(ask.id), &error),
    };
    let mut reply = builtin::initialized(&engine.handler.info(), revision, ask.id);
    match (source, &mut reply) {
        (Source::Pipe { session, .. }, _) => *session.lock() = Some(Session::local(revision, capabilities)),
        (Source::Http { .. }, Reply::Message(answer)) => {
            let id = engine.sessions.issue(revision, capabilities, ask.principal);
            answer.session = Some(HeaderValue::try_from(id).expect("base64 is a header value"));
        }
        _ => {}
    }
    reply
}

fn set_level(engine: &Engine, session: Option<Session>, ask: &Ask<'_>) -> Reply {
    #[derive(serde::Deserialize)]
    struct SetLevel {
        level: LogLevel,
    }
    let params = match ask.request {
        crate::Request::Other { params: Some(raw), .. } => serde_json::from_str::<SetLevel>(raw.get()).ok(),
        _ => None,
    };
    let Some(SetLevel { level }) = params else {
        let error = RpcError::invalid_params("params.level must be a log level");
        return Reply::error(super::status(Era::Legacy, &error), Some(ask.id), &error);
    };
    if let Some(session) = session {
        engine.sessions.set_level(&session, level);
    }
    Reply::message(write::response(ask.id, b"{}"))
}

/// The handler says whether the resource can be watched; who watches what is remembered here.
async fn watch(engine: &Engine, cx: &Cx<'_>, session: Option<Session>, ask: &Ask<'_>) -> Reply {
    let fail = |error: &RpcError| Reply::error(super::status(Era::Legacy, error), Some(ask.id), error);
    if !engine.handler.info().capabilities.resources.is_some_and(|resources| resources.subscribe) {
        return fail(&RpcError::method_not_found(ask.method));
    }
    let uri = match Params::string(ask.params.uri, "uri") {
        Ok(uri) => uri,
        Err(error) => return fail(&error),
    };
    if let Err(failure) = engine.answer(cx, ask.request).await {
        return Reply::failed(Era::Legacy, ask.id, &failure);
    }
    match session {
        Some(session) if ask.method == "resources/unsubscribe" => engine.sessions.unwatch(&session, &uri),
        Some(session) if !engine.sessions.watch(&session, &uri) => {
            return fail(&RpcError::invalid_params("Too many resources are watched"));
        }
        _ => {}
    }
    Reply::message(write::response(ask.id, b"{}"))
}

/// The session of a request, or what can be told of a client that shows none.
fn session(engine: &Engine, source: &Source, ask: &Ask<'_>) -> Result<Session, (StatusCode, RpcError)> {
    let session = engine.session(source, ask.principal)?;
    let named = || source.version_header().and_then(Revision::parse);
    let local = || named().map_or_else(assumed, |revision| Session::local(revision, ClientCapabilities::default()));
    Ok(session.unwrap_or_else(local))
}

/// Messages in one batch; each may cost an answer many times its size.
const MAX_BATCH: usize = 1000;
/// Messages of a batch that are on their way at once.
const SIDE_BY_SIDE: usize = 16;

/// Answers a batch in its order, some of it side by side. Only 2025-03-26 has batches.
pub(super) async fn batch(engine: &Engine, source: &Source, elements: &[&RawValue], outlet: &Arc<Outlet>) -> Reply {
    if elements.len() > MAX_BATCH {
        let error = RpcError::invalid_request(format!("Invalid request: a batch holds at most {MAX_BATCH} messages"));
        return Reply::error(StatusCode::BAD_REQUEST, None, &error);
    }
    if let Err(refused) = allowed(engine, source, elements) {
        return refused;
    }
    let mut waiting = elements.iter();
    let mut running = FuturesOrdered::new();
    let mut out = vec![b'['];
    loop {
        while running.len() < SIDE_BY_SIDE
            && let Some(element) = waiting.next()
        {
            running.push_back(in_batch(engine, source, element, outlet));
        }
        let Some(reply) = running.next().await else { break };
        match reply {
            Reply::Message(answer) if !answer.status.is_success() && answer.challenge.is_some() => {
                return Reply::Message(answer); // a caller who is turned away is turned away once
            }
            Reply::Message(answer) => {
                if out.len() > 1 {
                    out.push(b',');
                }
                out.extend(answer.body.into_vec());
            }
            Reply::Listen(_) | Reply::Accepted | Reply::Silence => {}
        }
    }
    out.push(b']');
    if out.len() == 2 { Reply::Accepted } else { Reply::message(out) }
}

/// One message of a batch. Its client can cancel it alone.
async fn in_batch(engine: &Engine, source: &Source, element: &RawValue, batch: &Arc<Outlet>) -> Reply {
    // A long batch of small requests must not hold its thread.
    tokio::task::yield_now().await;
    let message = match parse(element.get().as_bytes()) {
        Ok(Message::Request { id, method, .. }) if method == "initialize" => {
            let error = RpcError::invalid_request("Invalid request: initialize must not be in a batch");
            return Reply::error(StatusCode::BAD_REQUEST, Some(id), &error);
        }
        Ok(message) => message,
        Err(malformed) => return Reply::error(StatusCode::BAD_REQUEST, malformed.id, &malformed.error),
    };
    let outlet = Arc::new(Outlet::element(batch));
    tokio::select! {
        biased;
        reply = engine.single(source, message, &outlet) => reply,
        () = outlet.cancelled() => Reply::Silence,
    }
}

/// Batches need a session of 2025-03-26, or the header that says so. Who sent each element is asked
/// again when it is answered.
fn allowed(engine: &Engine, source: &Source, elements: &[&RawValue]) -> Result<(), Reply> {
    let request = crate::Request::Other { method: "batch".into(), params: None };
    let refused = |refusal| {
        elements.iter().for_each(|element| refuse_call(engine, source, element));
        Reply::refused(None, &refusal)
    };
    let principal = engine.handler.authenticate(&source.peer(), &request).map_err(refused)?;
    let unknown = |(status, error)| Reply::error(status, None, &error);
    let revision = match engine.session(source, &principal).map_err(unknown)? {
        Some(session) => Some(session.revision),
        None => source.version_header().and_then(Revision::parse),
    };
    if revision == Some(Revision::V2025_03_26) {
        return Ok(());
    }
    let error = RpcError::invalid_request("Invalid request: this protocol version has no batches");
    Err(Reply::error(StatusCode::BAD_REQUEST, None, &error))
}

/// Shows the handler a call that is refused with its batch, so that it can be recorded.
fn refuse_call(engine: &Engine, source: &Source, element: &RawValue) {
    if let Ok(Message::Request { method, params: raw, .. }) = parse(element.get().as_bytes())
        && let Ok(params) = Params::parse(raw)
        && let Ok(request @ crate::Request::CallTool(_)) = crate::Request::read(&method, raw, &params)
    {
        let _ = engine.handler.authenticate(&source.peer(), &request); // it was refused already
    }
}
