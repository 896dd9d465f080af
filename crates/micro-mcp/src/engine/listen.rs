//! Telling clients of changes: `subscriptions/listen`, and the GET stream or pipe of legacy clients.

use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use http::StatusCode;
use micro_mcp_proto::{
    ListChanged, ListenParams, Revision, RpcError, ServerCapabilities, SubscriptionFilter, meta_key, method, write,
};

use super::{Ask, Engine, Reply};
use crate::{
    Change, Request, Transport,
    session::{Run, Session, Sessions},
    task,
};

/// Resources, and tasks, that one listener may watch.
const MAX_WATCHED: usize = 1024;

/// What a client wants to hear of (`basic/patterns/subscriptions`).
fn read(request: &Request<'_>) -> Result<SubscriptionFilter, RpcError> {
    let Request::Other { params: Some(raw), .. } = request else {
        return Err(RpcError::invalid_params("params.notifications is required"));
    };
    let wrong = |error| RpcError::invalid_params(format!("Invalid params: {error}"));
    let ListenParams { notifications, .. } = serde_json::from_str(raw.get()).map_err(wrong)?;
    if notifications.resource_subscriptions.len().max(notifications.task_ids.len()) > MAX_WATCHED {
        return Err(RpcError::invalid_params(format!(
            "at most {MAX_WATCHED} resources and tasks can be watched at once"
        )));
    }
    Ok(notifications)
}

/// What of it is honoured: only changes the server declares to tell.
fn honoured(mut filter: SubscriptionFilter, offered: &ServerCapabilities) -> SubscriptionFilter {
    let tells = |list: Option<ListChanged>| list.is_some_and(|list| list.list_changed);
    filter.tools_list_changed &= tells(offered.tools);
    filter.prompts_list_changed &= tells(offered.prompts);
    filter.resources_list_changed &= tells(offered.resources);
    if !offered.resources.is_some_and(|resources| resources.subscribe) {
        filter.resource_subscriptions.clear();
    }
    filter
}

/// The notifications of a change. What is watched may hold what changed.
fn told(filter: &SubscriptionFilter, change: &Change, meta: Option<&str>) -> Vec<Vec<u8>> {
    let (wanted, method) = match change {
        Change::Tools => (filter.tools_list_changed, method::TOOLS_CHANGED),
        Change::Prompts => (filter.prompts_list_changed, method::PROMPTS_CHANGED),
        Change::Resources => (filter.resources_list_changed, method::RESOURCES_CHANGED),
        Change::Resource(uri) => {
            let watched = filter.resource_subscriptions.iter().any(|watched| holds(watched, uri));
            return watched.then(|| updated(uri, meta)).into_iter().collect();
        }
        Change::ElicitationComplete(_) => return Vec::new(), // gone since 2026-07-28
        Change::AnyResource => return filter.resource_subscriptions.iter().map(|uri| updated(uri, meta)).collect(),
    };
    let params = meta.map(|meta| format!(r#"{{"_meta":{meta}}}"#));
    let message = || write::notification(method, params.as_ref().map(String::as_bytes));
    wanted.then(message).into_iter().collect()
}

/// Whether a watched resource is this one, or one above it.
fn holds(watched: &str, uri: &str) -> bool {
    uri.strip_prefix(watched).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || watched.ends_with('/'))
}

fn updated(uri: &str, meta: Option<&str>) -> Vec<u8> {
    let uri = serde_json::to_string(uri).expect("a string is plain JSON");
    let meta = meta.map_or(String::new(), |meta| format!(r#","_meta":{meta}"#));
    write::notification(method::RESOURCE_UPDATED, Some(format!(r#"{{"uri":{uri}{meta}}}"#).as_bytes()))
}

/// Acknowledges, tells of changes, and ends with a result when the server drains. `run` is how a client
/// without a connection to close ends it.
pub(super) fn listen(engine: &Engine, ask: &Ask<'_>, run: Option<Run>) -> Reply {
    let read = read(ask.request).and_then(|filter| {
        if !filter.task_ids.is_empty() {
            task::needs_extension(ask.params.meta.capabilities())?;
        }
        Ok(honoured(filter, &engine.handler.info().capabilities))
    });
    let mut filter = match read {
        Ok(filter) => filter,
        Err(error) => return Reply::error(StatusCode::BAD_REQUEST, Some(ask.id), &error),
    };
    let (known, tasks) = engine.handler.tasks(ask.principal, std::mem::take(&mut filter.task_ids));
    filter.task_ids = known;
    let meta = format!(r#"{{"{}":{}}}"#, meta_key::SUBSCRIPTION_ID, ask.id);
    let filter_json = serde_json::to_string(&filter).expect("a filter is plain JSON");
    let acknowledged = write::notification(
        "notifications/subscriptions/acknowledged",
        Some(format!(r#"{{"_meta":{meta},"notifications":{filter_json}}}"#).as_bytes()),
    );
    // A pipe has no end of stream to show, so it is told both ways (the specification has both).
    let mut last = Vec::new();
    if ask.peer.transport == Transport::Stdio {
        let params = format!(r#"{{"requestId":{},"_meta":{meta}}}"#, ask.id);
        last.push(write::notification(method::CANCELLED, Some(params.as_bytes())));
    }
    let result = format!(r#"{{"resultType":"complete","_meta":{meta}}}"#);
    last.push(write::response(ask.id, result.as_bytes()));

    let about = meta.clone();
    let tasks = tasks.map(move |task| {
        // A task is an object, and not an empty one.
        let params = [format!(r#"{{"_meta":{about},"#).as_bytes(), task.get(1..).unwrap_or(b"}")].concat();
        write::notification("notifications/tasks", Some(&params))
    });
    let drain = engine.drain.clone();
    let changes = engine
        .handler
        .changes() // subscribed before the acknowledgement is sent, so nothing is missed
        .flat_map(move |change| stream::iter(told(&filter, &change, Some(&meta))))
        .chain(stream::pending());
    let changes = stream::select(changes, tasks).take_until(async move { drain.begun().await });
    let all = stream::iter([acknowledged]).chain(changes).chain(stream::iter(last));
    Reply::Listen(match run {
        Some(run) => all.take_until(run.cancelled()).boxed(),
        None => all.boxed(),
    })
}

/// The same for a legacy client's GET stream or pipe, which hears of every list the server declares and
/// of the resources that its session watches.
pub(crate) fn legacy_changes(engine: &Engine, session: Session) -> BoxStream<'static, Vec<u8>> {
    let all = SubscriptionFilter {
        tools_list_changed: true,
        prompts_list_changed: true,
        resources_list_changed: true,
        ..SubscriptionFilter::default()
    };
    let lists = honoured(all, &engine.handler.info().capabilities);
    let (drain, sessions) = (engine.drain.clone(), engine.sessions.clone());
    engine
        .handler
        .changes()
        .flat_map(move |change| {
            stream::iter(match &change {
                Change::Resource(_) | Change::AnyResource => {
                    let resource_subscriptions = sessions.watched(&session);
                    let watched = SubscriptionFilter { resource_subscriptions, ..SubscriptionFilter::default() };
                    told(&watched, &change, None)
                }
                Change::ElicitationComplete(id) => completed(&sessions, &session, id),
                _ => told(&lists, &change, None),
            })
        })
        .chain(stream::pending())
        .take_until(async move { drain.begun().await })
        .boxed()
}

/// Only the client that was sent to a page is told.
fn completed(sessions: &Sessions, session: &Session, id: &str) -> Vec<Vec<u8>> {
    let told = session.revision == Revision::V2025_11_25 && sessions.asks.is_page_of(session.name(), id);
    let params = serde_json::json!({ "elicitationId": id }).to_string();
    told.then(|| write::notification(method::ELICITATION_COMPLETE, Some(params.as_bytes()))).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn only_what_was_asked_and_is_offered_is_honoured() {
        let raw: &RawValue = serde_json::from_str(
            r#"{"notifications":{"toolsListChanged":true,"promptsListChanged":true,"resourceSubscriptions":["x"]}}"#,
        )
        .unwrap();
        let request = Request::Other { method: "subscriptions/listen".into(), params: Some(raw) };
        let mut offered = ServerCapabilities {
            tools: Some(ListChanged::YES),
            prompts: Some(ListChanged::default()),
            ..ServerCapabilities::default()
        };
        let honours = |offered: &_| serde_json::to_string(&honoured(read(&request).unwrap(), offered)).unwrap();
        assert_eq!(honours(&offered), r#"{"toolsListChanged":true}"#);
        offered.resources = Some(ListChanged { list_changed: false, subscribe: true });
        assert_eq!(honours(&offered), r#"{"toolsListChanged":true,"resourceSubscriptions":["x"]}"#);
    }

    #[test]
    fn a_watched_resource_holds_what_is_below_it() {
        for (watched, uri, expected) in [
            ("file:///a", "file:///a", true),
            ("file:///a", "file:///a/b", true),
            ("file:///a/", "file:///a/b", true),
            ("file:///a", "file:///ab", false),
            ("file:///a/b", "file:///a", false),
        ] {
            assert_eq!(holds(watched, uri), expected, "{watched} {uri}");
        }
    }
}
