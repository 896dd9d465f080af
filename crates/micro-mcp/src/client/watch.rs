//! Changes: heard on a stream of its own, which is opened again whenever it breaks off.

use std::{collections::BTreeSet, convert::Infallible, sync::Arc, time::Duration};

use futures_util::StreamExt;
use micro_mcp_proto::{Era, ListChanged, Message, RpcError, ServerCapabilities, code, method, parse};
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use tokio::{sync::watch, time::sleep};

use super::{
    Changed, Error,
    core::{CancelOnDrop, Core, read_error},
    exchange::Outgoing,
    link::Link,
    message::{self, Members},
    pause,
};

/// Before the first attempt to open a stream again.
const RETRY: Duration = Duration::from_millis(500);
const MAX_RETRY: Duration = Duration::from_secs(60);

/// What the application wants to hear of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Changes of lists.
    pub(crate) lists: bool,
    /// Single resources.
    pub(crate) uris: BTreeSet<String>,
}

/// How the wish stands.
#[derive(Debug, Clone, Default)]
pub(crate) enum Standing {
    /// Nobody has been asked yet, or has to be asked again.
    #[default]
    Pending,
    /// The server tells of all this but some resources.
    Held { wish: Wanted, left_out: BTreeSet<String> },
    /// The server does not want to.
    Refused { wish: Wanted, error: RpcError },
}

/// Keeps the subscriptions of a client alive for as long as it lives.
pub(crate) async fn keep(
    core: Arc<Core>,
    mut wanted: watch::Receiver<Wanted>,
    standing: watch::Sender<Standing>,
    keep_alive: Option<Duration>,
) {
    let mut links = core.links();
    let mut failed = 0;
    loop {
        let wish = wanted.borrow_and_update().clone();
        let Some(link) = links.borrow_and_update().clone() else { return };
        let keeper = Keeper { core: &core, link: &link, wish: &wish, standing: &standing, keep_alive };
        let outcome = tokio::select! {
            outcome = keeper.hold(&mut failed) => outcome,
            changed = wanted.changed() => if changed.is_ok() { continue } else { return },
            changed = links.changed() => if changed.is_ok() { continue } else { return },
            () = core.closed.cancelled() => return,
        };
        standing.send_replace(Standing::Pending);
        let mut retry = pause(RETRY, failed, MAX_RETRY);
        match outcome {
            Ok(()) => {}
            Err(Error::Rpc(error)) if is_final(&error) => {
                // Something has to change first.
                standing.send_replace(Standing::Refused { wish, error });
                tokio::select! {
                    () = core.closed.cancelled() => return,
                    changed = wanted.changed() => if changed.is_err() { return },
                    changed = links.changed() => if changed.is_err() { return },
                }
                continue;
            }
            Err(Error::SessionLost) if matches!(core.relink(Some(&link)).await, Err(Error::Closed)) => return,
            Err(error) => {
                tracing::debug!(%error, "a subscription broke off");
                retry = error.pause(retry, MAX_RETRY);
            }
        }
        if core.closed.run_until_cancelled(sleep(retry)).await.is_none() {
            return;
        }
        failed += 1;
    }
}

/// One attempt to hear of everything that is wanted.
struct Keeper<'k> {
    core: &'k Arc<Core>,
    link: &'k Arc<Link>,
    wish: &'k Wanted,
    standing: &'k watch::Sender<Standing>,
    keep_alive: Option<Duration>,
}

impl Keeper<'_> {
    /// Subscribes, and stays until that ends.
    async fn hold(&self, failed: &mut u32) -> Result<(), Error> {
        match self.link.revision.era() {
            Era::Modern => match filter(self.wish, &self.link.server.capabilities) {
                Some(filter) => self.listen(&filter, failed).await,
                None => {
                    self.held(failed, BTreeSet::new());
                    std::future::pending().await
                }
            },
            Era::Legacy => {
                for uri in &self.wish.uris {
                    self.core.plain("resources/subscribe", Members::default().text("uri", uri)).await?;
                }
                self.held(failed, BTreeSet::new());
                tokio::select! {
                    () = self.link.ended.cancelled() => Err(Error::SessionLost),
                    error = self.ping() => Err(error),
                    never = self.look_again() => match never {},
                }
            }
        }
    }

    /// Says that something may have been missed, whenever that is so.
    async fn look_again(&self) -> Infallible {
        loop {
            self.link.gaps.notified().await;
            missed(self.core, self.wish);
        }
    }

    /// Sends pings until one fails. Only the legacy era has them.
    async fn ping(&self) -> Error {
        let Some(every) = self.keep_alive else { return std::future::pending().await };
        loop {
            sleep(every).await;
            if let Err(error) = self.core.plain("ping", Members::default()).await {
                return error;
            }
        }
    }

    fn held(&self, failed: &mut u32, left_out: BTreeSet<String>) {
        if std::mem::take(failed) > 0 {
            missed(self.core, self.wish);
        }
        self.standing.send_replace(Standing::Held { wish: self.wish.clone(), left_out });
    }

    /// `subscriptions/listen` (`basic/patterns/subscriptions`).
    async fn listen(&self, filter: &serde_json::Value, failed: &mut u32) -> Result<(), Error> {
        let id = self.core.ids.next();
        let params = Members::default().member("notifications", filter)?.raw("_meta", &self.link.meta.object());
        let mut messages = self.link.exchange.request(Outgoing {
            body: message::request(id, method::LISTEN, &params),
            id: Some(id),
            method: method::LISTEN.into(),
            revision: Some(self.link.revision),
            ..Outgoing::default()
        });
        let _end = CancelOnDrop { exchange: &self.link.exchange, revision: Some(self.link.revision), id: Some(id) };
        while let Some(message) = messages.next().await {
            let message = message?;
            match parse(&message) {
                Ok(Message::Notification { method, params }) if method == method::ACKNOWLEDGED => {
                    self.held(failed, left_out(self.wish, params));
                }
                // Ends it on pipes; the result may come before or after.
                Ok(Message::Notification { method, .. }) if method == method::CANCELLED => break,
                Ok(Message::Notification { method, params }) => self.core.inbox.notification(&method, params, None),
                Ok(Message::Response { outcome: Err(error), .. }) => return Err(read_error(error)),
                Ok(Message::Response { .. }) => break, // the server goes away, politely
                _ => {}
            }
        }
        *failed = (*failed).max(1);
        Ok(())
    }
}

/// Whether a refusal speaks of what was asked for, and not of the moment.
fn is_final(error: &RpcError) -> bool {
    matches!(
        error.code,
        code::METHOD_NOT_FOUND | code::INVALID_PARAMS | code::MISSING_CAPABILITY | code::OLD_RESOURCE_NOT_FOUND
    )
}

/// The resources that an acknowledgement does not name. One that cannot be read agrees to all.
fn left_out(wish: &Wanted, acknowledged: Option<&RawValue>) -> BTreeSet<String> {
    #[derive(Deserialize)]
    struct Acknowledged {
        notifications: Notifications,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Notifications {
        #[serde(default)]
        resource_subscriptions: BTreeSet<String>,
    }
    let read = acknowledged.and_then(|params| serde_json::from_str::<Acknowledged>(params.get()).ok());
    read.map_or_else(BTreeSet::new, |read| &wish.uris - &read.notifications.resource_subscriptions)
}

/// Nothing is told twice: whatever happened while nobody listened is to be looked at.
fn missed(core: &Core, wish: &Wanted) {
    if wish.lists {
        for what in [Changed::Tools, Changed::Prompts, Changed::Resources] {
            core.inbox.changed(what);
        }
    }
    for uri in &wish.uris {
        core.inbox.changed(Changed::Resource(uri.clone()));
    }
}

/// What to ask for: of what is wanted, what the server tells of. `None` when that is nothing.
fn filter(wish: &Wanted, server: &ServerCapabilities) -> Option<serde_json::Value> {
    let tells = |list: Option<ListChanged>| wish.lists && list.is_some_and(|list| list.list_changed);
    let mut filter = json!({});
    for (member, list) in [
        ("toolsListChanged", server.tools),
        ("promptsListChanged", server.prompts),
        ("resourcesListChanged", server.resources),
    ] {
        if tells(list) {
            filter[member] = true.into();
        }
    }
    if !wish.uris.is_empty() {
        filter["resourceSubscriptions"] = wish.uris.iter().cloned().collect();
    }
    filter.as_object().is_some_and(|filter| !filter.is_empty()).then_some(filter)
}
