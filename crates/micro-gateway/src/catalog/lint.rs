//! Says when policies do not fit the tools there are.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};

use super::Catalog;

/// Services that start one after another change the catalog often, and policies speak of those that are still to come:
/// it is looked at when it was quiet for so long,
const QUIET: Duration = Duration::from_secs(2);
/// or after so long of no quiet.
const PATIENCE: Duration = Duration::from_secs(30);

/// Checks the policies after each change, beside the way of calls. Runs until it is dropped.
pub(crate) async fn lint(catalog: Catalog) {
    let mut state = catalog.state();
    let mut told = Vec::new();
    loop {
        let end = Instant::now() + PATIENCE;
        while timeout(QUIET, state.changed()).await.is_ok_and(|changed| changed.is_ok()) && Instant::now() < end {}
        let snapshot = Arc::clone(&catalog.load());
        if snapshot.tools().len() > 0 && snapshot.access().policies.is_some() {
            let check = move || snapshot.access().check_policies(snapshot.tools().map(|(_, tool)| &tool.gate));
            let faults = tokio::task::spawn_blocking(check).await.unwrap_or_default();
            for fault in faults.iter().filter(|fault| !told.contains(*fault)) {
                tracing::warn!(fault, "a policy does not fit the tools there are");
            }
            told = faults;
        }
        if state.changed().await.is_err() {
            return;
        }
    }
}
