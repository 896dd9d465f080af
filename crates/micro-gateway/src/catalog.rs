//! From the registry to tools: an immutable snapshot behind an atomic pointer.
//!
//! Everything that can be computed when the registry changes is computed then: names, validators,
//! requirements and the rendered pages. Only the services that changed are compiled again.

mod follow;
mod lint;
mod pages;
mod services;
mod snapshot;
mod tool;

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use tokio::sync::watch;

pub(crate) use self::{follow::follow, lint::lint, pages::Pages};
pub use self::{
    snapshot::Snapshot,
    tool::{Problem, Tool, ToolNames},
};

/// The tools there are now. Clones are the same catalog.
#[derive(Debug, Clone)]
pub struct Catalog(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    current: ArcSwap<Snapshot>,
    state: watch::Sender<CatalogState>,
}

/// How current the catalog is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogState {
    /// Grows with every change of the tools.
    pub generation: u64,
    /// The registry has answered at least once.
    pub ready: bool,
    /// What is wrong with the registry, while something is. The last good tools go on serving.
    pub problem: Option<String>,
}

impl Default for Catalog {
    fn default() -> Self {
        Self(Arc::new(Inner { current: ArcSwap::default(), state: watch::Sender::default() }))
    }
}

impl Catalog {
    /// The tools as they are now. Hold it for one call, not for longer.
    pub fn load(&self) -> Guard<Arc<Snapshot>> {
        self.0.current.load()
    }

    /// Where to hear of changes.
    pub fn state(&self) -> watch::Receiver<CatalogState> {
        self.0.state.subscribe()
    }

    /// Waits until the registry has answered, or has said that it cannot.
    pub async fn settled(&self) -> CatalogState {
        let mut state = self.state();
        let settled = state.wait_for(|s| s.ready || s.problem.is_some()).await;
        settled.expect("the catalog holds the sender").clone()
    }

    fn publish(&self, snapshot: Snapshot) {
        self.0.current.store(Arc::new(snapshot));
        self.0.state.send_modify(|state| {
            state.generation += 1;
            state.ready = true;
            state.problem = None;
        });
    }

    fn unchanged(&self) {
        self.0.state.send_if_modified(|state| {
            let news = !state.ready || state.problem.is_some();
            state.ready = true;
            state.problem = None;
            news
        });
    }

    fn troubled(&self, problem: String) {
        self.0.state.send_modify(|state| state.problem = Some(problem));
    }
}
