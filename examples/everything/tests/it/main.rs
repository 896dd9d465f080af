//! The two programs, and the client of the library, against each other as real processes.

mod child;
mod client;
mod endurance;
