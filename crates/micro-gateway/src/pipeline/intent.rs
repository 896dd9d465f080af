//! What is left of an intent. Counted in the store, so that it is exact for all gateways together.

use std::time::Duration;

use micro_policy::{Intent, oauth::Exchange};
use micro_store::{Counted, Store};

use super::Error;

/// A counter outlives every token of its intent: those end at most so long after it begins.
const KEPT: Duration = Duration::from_secs(2 * Exchange::MAX_LIFETIME);

/// The intent has fewer calls left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent;

/// Takes calls from an intent, for good: all of them or none.
pub(crate) async fn reserve(store: &Store, intent: &Intent, calls: u64) -> micro_store::Result<Result<(), Spent>> {
    let key = format!("intent/{}/calls", intent.id);
    match store.counters().add(&key, calls, u64::from(intent.calls), KEPT).await? {
        Counted::Added(_) => Ok(Ok(())),
        Counted::Full(_) => Ok(Err(Spent)),
    }
}

/// Takes the one call that is about to be made. What cannot be counted is not made.
pub(super) async fn take(store: &Store, intent: &Intent) -> Result<(), Error> {
    match reserve(store, intent, 1).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Spent)) => Err(Error::IntentSpent),
        Err(error) => {
            tracing::error!(error = %error, "calls of intents cannot be counted");
            Err(Error::IntentUncounted)
        }
    }
}
