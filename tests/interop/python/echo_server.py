"""A server made with the official Python SDK 2.x that echoes, for the benchmarks: without sessions and with plain JSON answers.

`PYTHON echo_server.py --address 127.0.0.1:0` says on stderr where it listens (the endpoint is `/mcp`); `--stdio` speaks on its
streams. PYTHON is that of an environment with the package `mcp`; micro-test's `Tool::Mcp2.command()` is it.
"""

import serving
from mcp.server.mcpserver import MCPServer

server = MCPServer("echo", log_level="WARNING")


@server.tool(structured_output=False)
async def echo(message: str) -> str:
    """Returns the message."""
    return message


serving.serve(
    lambda: server.run("stdio"), lambda: server.streamable_http_app(stateless_http=True, json_response=True)
)
