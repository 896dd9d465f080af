//! MCP servers seen from outside: what they offer, what they keep of the specification, what passes over
//! their wire.
//!
//! Knows the protocol and the ways to a server. Does not know flags and terminals: those are the commands'.

pub(crate) mod capture;
pub(crate) mod inspect;
pub(crate) mod junit;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod target;
pub(crate) mod validate;
mod wire;
