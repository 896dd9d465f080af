//! The ways in. None has a policy of its own: all go through the pipeline.

mod compat;
mod health;
mod http;
mod mcp;
mod plain;
mod trace;

pub(crate) use self::{http::Http, mcp::Mcp};
