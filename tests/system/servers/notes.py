"""A server of the Python SDK, 1.x or 2.x: on stdio, or with --http over Streamable HTTP on a free port."""

import argparse

from mcp.types import ToolAnnotations

try:
    from mcp.server.mcpserver import Context, MCPServer as Server
except ImportError:
    from mcp.server.fastmcp import Context, FastMCP as Server

parser = argparse.ArgumentParser()
parser.add_argument("--http", action="store_true")
parser.add_argument("--greeting", default="Hello")
parser.add_argument("--extra-tool", action="store_true")
args = parser.parse_args()

server = Server("notes", instructions="Notes, and sums.")


@server.tool(annotations=ToolAnnotations(**{"readOnlyHint": True}))
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool(annotations=ToolAnnotations(**{"readOnlyHint": True}))
def greet(name: str = "you") -> str:
    """Greet somebody."""
    return f"{args.greeting}, {name}!"


@server.tool()
async def count(to: int, ctx: Context) -> str:
    """Count, and tell of it."""
    for i in range(to):
        await ctx.report_progress(i + 1, to)
    return f"counted to {to}"


@server.resource("notes://first")
def first() -> str:
    return "Buy milk."


@server.prompt()
def summarize(text: str) -> str:
    """Summarize a text."""
    return f"Summarize: {text}"


if args.extra_tool:

    @server.tool()
    def subtract(a: int, b: int) -> int:
        """Subtract one number from another."""
        return a - b


if not args.http:
    server.run()
elif hasattr(server, "settings") and hasattr(server.settings, "port"):
    server.settings.port = 0
    server.run("streamable-http")
else:
    server.run("streamable-http", port=0)
