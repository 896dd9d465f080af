//! The command as people meet it: its words, its exit codes, its files.

mod audit;
mod auth;
mod call;
mod config;
mod doctor;
mod fleet;
mod help;
mod new;
mod registry;
mod run;
mod server;
mod tools;
mod users;
mod vocabulary;
