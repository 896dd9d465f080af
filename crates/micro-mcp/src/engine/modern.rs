//! Modern requests: each stands alone and says everything itself.

use http::StatusCode;
use micro_mcp_proto::{Era, Meta, Revision, RpcError, headers, meta_key};

use super::{Ask, Engine, Reply, Source, builtin, listen, status};
use crate::{Cx, cx::Back};

pub(super) async fn answer(engine: &Engine, source: &Source, ask: Ask<'_>) -> Reply {
    let revision = match check(&ask) {
        Ok(revision) => revision,
        Err(error) => return Reply::error(StatusCode::BAD_REQUEST, Some(ask.id), &error),
    };
    let cx = Cx {
        revision,
        principal: ask.principal,
        meta: &ask.params.meta,
        peer: ask.peer,
        back: Back::to(ask.outlet), // a modern client is never sent a request
    };
    // Only a pipe has a way to cancel by name.
    let session = source.pipe_session();
    let run = session.map(|session| engine.sessions.run(&session, ask.id, ask.outlet));
    match ask.method {
        "server/discover" => builtin::discover(&engine.handler.info(), ask.id),
        "subscriptions/listen" => listen::listen(engine, &ask, run),
        // Gone with the sessions.
        "initialize" | "ping" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" => {
            let error = RpcError::method_not_found(ask.method);
            Reply::error(status(Era::Modern, &error), Some(ask.id), &error)
        }
        _ => engine.handle(&cx, ask.request, ask.id).await,
    }
}

/// What every modern request must say, in the order the specification's transport page and the
/// official suite expect.
pub(super) fn check(ask: &Ask<'_>) -> Result<Revision, RpcError> {
    let meta = &ask.params.meta;
    let claimed = meta.protocol_version.as_deref().ok_or_else(|| Meta::missing(meta_key::PROTOCOL_VERSION))?;
    match meta.client_capabilities {
        None => return Err(Meta::missing(meta_key::CLIENT_CAPABILITIES)),
        Some(raw) if !raw.get().starts_with('{') => {
            let key = meta_key::CLIENT_CAPABILITIES;
            return Err(RpcError::invalid_params(format!("params._meta[\"{key}\"] must be an object")));
        }
        Some(_) => {}
    }
    let headers = ask.peer.headers_of_message();
    if let Some(headers) = headers {
        headers::check_version(headers, claimed)?;
    }
    let revision = Revision::parse(claimed).filter(|revision| revision.era() == Era::Modern);
    let revision = revision.ok_or_else(|| RpcError::unsupported_version(claimed, builtin::MODERN))?;
    if let Some(headers) = headers {
        headers::check_method(headers, ask.method)?;
        headers::check_name(headers, ask.method, ask.params)?;
    }
    Ok(revision)
}
