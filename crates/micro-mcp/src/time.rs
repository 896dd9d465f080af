//! The clock on the wall.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What has passed since 1970.
pub(crate) fn unix() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
