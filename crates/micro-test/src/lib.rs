//! Vocabulary of whole-system tests: processes, hermetic homes, raw HTTP, clients nobody here wrote.
//!
//! Knows how to build, start, watch and end programs, how to install the pinned tools that tests need,
//! and how to drive them. Does not know what our services, gateway or commands are supposed to do: that
//! is for the tests to say. Everything here blocks; tests that need a runtime bring their own (the
//! balancer has one inside).

pub mod balancer;
pub mod bins;
pub mod browser;
pub mod clients;
pub mod conformance;
pub mod home;
pub mod http;
pub mod process;
pub mod tools;
pub mod workspace;

pub use self::{
    balancer::Balancer,
    clients::{Client, Mode, Session},
    home::Home,
    process::Process,
    tools::Tool,
};
