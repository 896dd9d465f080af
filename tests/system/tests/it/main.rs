//! Whole systems, from the outside: real processes, real clients, the official suite.

mod clients;
mod conformance;
