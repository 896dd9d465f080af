//! Keeps the catalog in step with the registry.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt, stream::pending};
use micro_policy::Access;
use micro_registry::{Event, Registry};
use tokio::sync::watch;

use super::{Catalog, Problem, Snapshot, ToolNames, services::Services};

/// Events that come together (a fleet that starts, a registry that resets) make one snapshot.
const GATHER: Duration = Duration::from_millis(20);

/// Runs until the registry's stream ends or the task is dropped.
pub(crate) async fn follow(
    catalog: Catalog,
    registry: Arc<dyn Registry>,
    names: ToolNames,
    mut access: watch::Receiver<Arc<Access>>,
) {
    let mut events = registry.watch().chain(pending()); // rules may change where services do not
    let mut services = Services::under(access.borrow_and_update().clone());
    let mut reported = Vec::new();
    loop {
        let first = tokio::select! {
            event = events.next() => event,
            Ok(()) = access.changed() => {
                services.govern(access.borrow_and_update().clone());
                publish(&catalog, &services, names, &mut reported);
                continue;
            }
        };
        let Some(first) = first else { return };
        // What was heard last of the registry itself: it can be read, or why not.
        let (mut changed, mut health) = (false, None);
        let mut take = |event: Event| {
            match &event {
                Event::Problem(why) => {
                    tracing::warn!(problem = why, "registry trouble");
                    health = Some(Err(why.clone()));
                }
                Event::Ignored(_) => {} // the registry has logged it
                _ => health = Some(Ok(())),
            }
            changed |= services.apply(&event);
        };
        take(first);
        if catalog.state().borrow().ready {
            tokio::time::sleep(GATHER).await;
        }
        while let Some(Some(event)) = events.next().now_or_never() {
            take(event);
        }
        if changed {
            publish(&catalog, &services, names, &mut reported);
        }
        match health {
            Some(Err(why)) => catalog.troubled(why),
            Some(Ok(())) => catalog.unchanged(),
            None => {}
        }
    }
}

fn publish(catalog: &Catalog, services: &Services, names: ToolNames, reported: &mut Vec<Problem>) {
    let snapshot = Snapshot::new(services, names);
    for problem in snapshot.problems().iter().filter(|p| !reported.contains(*p)) {
        tracing::warn!(tool = problem.tool, reason = problem.reason, "tool needs attention");
    }
    *reported = snapshot.problems().to_vec();
    tracing::debug!(tools = snapshot.tools().len(), "catalog changed");
    catalog.publish(snapshot);
}
