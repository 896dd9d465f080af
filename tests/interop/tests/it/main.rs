//! Our SDK with those of others: their servers under our client, their clients at our server.
//!
//! Each pair plays the same course, `contract.rs`; what an SDK cannot do is written down in `limits.rs`, and is
//! tested too: an SDK that has learned it fails the test, so that the table stays true.

mod calls;
mod contract;
mod limits;
mod ours;
mod page;
mod peers;
mod serves;
