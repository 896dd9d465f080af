//! HTTP without opinions: a body type, an accept loop, and the checks every front needs.

mod body;
mod guard;
mod serve;
#[cfg(feature = "tls")]
mod tls;

pub use self::{
    body::{Body, BodyError, Elapsed, read, read_within},
    guard::{Guard, Refused},
    serve::{Limits, Peer, serve},
};
#[cfg(feature = "tls")]
pub use self::{
    serve::serve_tls,
    tls::{ClientCertificate, Tls, TlsError, TlsFiles},
};
