//! The client against our own server, and against servers that answer the probe in odd ways.

mod cache;
mod call;
mod layers;
mod many;
mod probe;
mod tasks;
mod visits;
mod watch;

use micro_mcp::{
    client::{Builder, Client},
    proto::Revision,
};

use crate::fixture::Endpoint;

pub(crate) const REVISIONS: [Revision; 5] = Revision::ALL;

/// A client of a running endpoint that speaks this revision.
pub(crate) async fn connect(endpoint: &Endpoint, revision: Revision) -> Client {
    connect_with(endpoint, Client::builder().revision(revision)).await
}

pub(crate) async fn connect_with(endpoint: &Endpoint, builder: Builder) -> Client {
    builder.connect(&format!("http://{}/mcp", endpoint.address)).await.expect("it connects")
}
