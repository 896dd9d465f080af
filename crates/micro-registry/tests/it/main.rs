//! The registry as its users see it: the shared suite on every backend, and what only one backend has.

mod announce;
mod file;
mod memory;
mod processes;
