//! MCP messages of every revision, without I/O.
