//! The server over real sockets and pipes, spoken to byte by byte.

mod bad_input;
mod batch;
mod fixture;
mod http;
mod listen;
mod resume;
mod session;
mod stdio;
