//! Services and clients over real sockets.

mod calls;
mod failures;
mod fixture;
mod wire;
