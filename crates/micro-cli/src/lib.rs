//! The micro command.
