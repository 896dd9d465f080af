//! MCP server SDK: Streamable HTTP and stdio, every revision.
