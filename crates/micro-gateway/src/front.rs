//! The ways in. None has a policy of its own: all go through the pipeline.

mod compat;
mod health;
mod http;
mod mcp;
mod plain;
mod resource;
mod trace;

pub(crate) use self::{http::Http, mcp::Mcp};
