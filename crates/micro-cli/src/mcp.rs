//! MCP servers seen from outside: what they offer, what they keep of the specification, what passes over
//! their wire.
//!
//! Knows the protocol and the ways to a server. Does not know flags and terminals: those are the commands'.

pub(crate) mod inspect;
pub(crate) mod target;
