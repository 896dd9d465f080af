//! The store as its users see it: the shared suite on every backend, and what only one backend has.

mod memory;
mod processes;
mod sqlite;
