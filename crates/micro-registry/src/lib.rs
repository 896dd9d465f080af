//! Who is there: the registry port, its backends and the test suite they all pass.
//!
//! Knows records (go-micro's JSON form), leases and the stores that hold them. Does not know how a
//! node is chosen, retried or called, and nothing of MCP.

mod announce;
mod any;
mod error;
mod file;
mod memory;
mod port;
mod record;
#[cfg(any(test, feature = "test-util"))]
pub mod suite;

pub use self::{
    announce::Announcement,
    any::{Location, connect},
    error::{Error, Result},
    file::FileRegistry,
    memory::MemoryRegistry,
    port::{Event, Events, Registry, Snapshot},
    record::{Endpoint, Instance, Node, Value},
};
