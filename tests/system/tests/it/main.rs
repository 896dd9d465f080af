//! Whole systems, from the outside: real processes, real clients, the official suite.

mod agents;
mod bench;
mod blog;
mod clients;
mod conformance;
mod crash;
mod docs;
mod hostile;
mod inspect;
mod least_privilege;
mod oauth;
mod reload;
mod replay;
mod replicas;
mod servers;
mod validate;
