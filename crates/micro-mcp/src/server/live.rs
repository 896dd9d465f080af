//! Changing a server while it runs, and telling clients.

use std::{fmt, sync::Weak};

use tokio::sync::broadcast;

use super::{BuildError, Builder, Shared};
use crate::Change;

/// Tells listening clients of changes. Cheap to clone; outlives the server harmlessly.
///
/// ```
/// # use micro_mcp::{Server, BuildError};
/// # fn main() -> Result<(), BuildError> {
/// let builder = Server::builder("thermometer", "1.0").subscriptions();
/// let notifier = builder.notifier();
/// // … whenever somebody has measured:
/// notifier.resource_updated("sensor://kitchen/temperature");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Notifier(pub(super) broadcast::Sender<Change>);

/// Changes what a running server offers. Cheap to clone; does not keep the server alive, so that tools
/// may hold one.
///
/// ```
/// # use micro_mcp::{BuildError, NoArgs, Server};
/// # fn main() -> Result<(), BuildError> {
/// let server = Server::builder("plugins", "1.0").build()?;
/// let live = server.live();
/// live.update(|server| server.tool("late").handler(|_: NoArgs| async { "better than never" }))?;
/// live.update(|server| server.remove_tool("late"))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Live(pub(super) Weak<Shared>);

impl Notifier {
    /// Tells everyone who listens for it.
    pub fn changed(&self, change: Change) {
        let _ = self.0.send(change); // nobody listening is no error
    }

    /// Tells everyone who subscribed to this resource, or to one that holds it, that its contents
    /// changed. The server must declare [`Builder::subscriptions`].
    pub fn resource_updated(&self, uri: &str) {
        self.changed(Change::Resource(uri.into()));
    }

    /// Tells the client of 2025-11-25 that its user is done with the page of this
    /// [`crate::CallContext::elicitation_id`]: it may call again. Other clients have no use for it, and only
    /// the one that the name was made for is told. With several replicas, say it on each.
    pub fn elicitation_complete(&self, id: &str) {
        self.changed(Change::ElicitationComplete(id.into()));
    }
}

impl Live {
    /// Adds and removes tools, resources, prompts and completions, all at once, and tells everyone who
    /// listens which lists changed. Calls on their way end as they began. After the server is gone
    /// nothing happens. Costs about as much as building the server.
    ///
    /// # Errors
    /// What [`Builder::build`] would say; the server stays as it was. [`BuildError::UpdateWithinUpdate`] from
    /// within the closure.
    pub fn update(&self, change: impl FnOnce(Builder) -> Builder) -> Result<(), BuildError> {
        self.0.upgrade().map_or(Ok(()), |shared| shared.update(change))
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Live(…)")
    }
}
