//! What a process needs, whatever it does: logs, drain, an HTTP accept loop with safe limits.
//!
//! Knows tokio, hyper and the terminal. Does not know services, MCP, policies or domain settings,
//! and is configured by its caller only.

#[cfg(feature = "config")]
pub mod config;
mod drain;
pub mod http;
pub mod telemetry;

pub use self::drain::{Drain, shutdown_signal};
