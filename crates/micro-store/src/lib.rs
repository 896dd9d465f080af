//! State that outlives a call, and often a process: key-value, counters, an append-only log.
//!
//! Knows three ports, where their data lives, and how long. Does not know who uses it and why: no
//! account, token or record has a type here.

mod any;
mod error;
mod memory;
mod port;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(test, feature = "test-util"))]
pub mod suite;

#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteStore;
pub use self::{
    any::{Location, Store},
    error::{Error, Result},
    memory::MemoryStore,
    port::{Counted, Counters, Entry, Expect, KeyValue, Log, MAX_BATCH, MAX_KEY, MAX_PAGE, MAX_PAGE_BYTES, MAX_VALUE},
};
