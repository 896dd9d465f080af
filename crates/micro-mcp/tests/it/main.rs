//! The server over real sockets and pipes, spoken to byte by byte, and the client against it.

mod asks;
mod bad_input;
mod batch;
mod client;
mod faults;
mod features;
mod fixture;
mod http;
mod layers;
mod listen;
mod oauth;
mod resume;
mod session;
mod stdio;
mod tasks;
mod tools;
mod transports;
