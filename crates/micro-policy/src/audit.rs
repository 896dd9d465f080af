//! The audit log as plain values: what is written down, how lines hang together, how a change is found.
//!
//! A log is lines of JSON. Each carries its number and a hash of the line before it and of itself, so that none
//! can be changed, dropped or moved without the next ones showing it. Now and then a checkpoint signs the chain up
//! to it, so that nobody without the key can write it anew. What is hashed are the bytes that stand in the file.

mod chain;
mod checkpoint;
mod entry;
mod record;
mod verify;

pub use self::{
    chain::{Head, Line},
    checkpoint::Checkpoint,
    entry::{CallEntry, Entry, IntentEntry},
    record::{Event, IntentRecord, Record, Steps, Verdict},
    verify::{Fault, Found, Kept, Report, Verifier},
};
pub use crate::keys::{InvalidKey, PublicKey, Signer};
