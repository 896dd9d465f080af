//! Says when policies do not fit the tools there are.

use std::{sync::Arc, time::Duration};

use super::Catalog;

/// A fleet that starts changes the catalog often; so long after a check its changes are gathered.
const GATHER: Duration = Duration::from_secs(1);

/// Checks the policies after each change, beside the way of calls. Runs until it is dropped.
pub(crate) async fn lint(catalog: Catalog) {
    let mut state = catalog.state();
    let mut told = Vec::new();
    loop {
        let snapshot = Arc::clone(&catalog.load());
        if snapshot.tools().len() > 0 && snapshot.access().policies.is_some() {
            let check = move || snapshot.access().check_policies(snapshot.tools().map(|(_, tool)| &tool.gate));
            let faults = tokio::task::spawn_blocking(check).await.unwrap_or_default();
            for fault in faults.iter().filter(|fault| !told.contains(*fault)) {
                tracing::warn!(fault, "a policy does not fit the tools there are");
            }
            told = faults;
            tokio::time::sleep(GATHER).await;
        }
        if state.changed().await.is_err() {
            return;
        }
    }
}
