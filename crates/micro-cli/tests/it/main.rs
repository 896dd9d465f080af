//! The command as people meet it: its words, its exit codes, its files.

mod help;
mod new;
mod vocabulary;
