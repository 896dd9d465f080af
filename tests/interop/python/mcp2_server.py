"""The contract (tests/it/contract.rs), served by the official Python SDK 2.x in both eras."""

from typing import Annotated

import anyio
import serving
from mcp.server.elicitation import ElicitationResult
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import Elicit, ListRoots, Resolve, Sample
from mcp_types import (
    AudioContent,
    Completion,
    ContentBlock,
    CreateMessageResult,
    EmbeddedResource,
    EmptyResult,
    ImageContent,
    ListRootsResult,
    PromptReference,
    ResourceLink,
    SamplingMessage,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    TextResourceContents,
    UnsubscribeRequestParams,
)
from pydantic import BaseModel

server = MCPServer("python-mcp-2")
was_cancelled = anyio.Event()


class Sum(BaseModel):
    sum: int


class Who(BaseModel):
    name: str


def who(answer: str) -> Elicit[Who]:
    return Elicit(answer, Who)


def model() -> Sample:
    return Sample([SamplingMessage(role="user", content=TextContent(type="text", text="ping"))], max_tokens=10)


def where() -> ListRoots:
    return ListRoots()


@server.tool()
def echo(message: str) -> str:
    return message


@server.tool()
def add(a: int, b: int) -> Sum:
    return Sum(sum=a + b)


@server.tool(structured_output=False)
def contents() -> list[ContentBlock]:
    resource = TextResourceContents(uri="test://text", text="hello")
    return [
        TextContent(type="text", text="hello"),
        ImageContent(type="image", mime_type="image/png", data="AAEC"),
        AudioContent(type="audio", mime_type="audio/wav", data="AAEC"),
        EmbeddedResource(type="resource", resource=resource),
        ResourceLink(type="resource_link", uri="test://text", name="text"),
    ]


@server.tool()
def fail() -> str:
    raise ToolError("broken")


@server.tool()
async def progress(ctx: Context) -> str:
    for step in (1, 2, 3):
        await ctx.report_progress(step, 3)
    return "done"


@server.tool()
async def slow(ctx: Context) -> str:
    await ctx.report_progress(1, 2)
    try:
        await anyio.sleep(60)
    except anyio.get_cancelled_exc_class():
        was_cancelled.set()
        raise
    return "nobody cancelled"


@server.tool()
async def cancelled() -> str:
    global was_cancelled
    with anyio.fail_after(10):
        await was_cancelled.wait()
    was_cancelled = anyio.Event()
    return "cancelled"


@server.tool()
def reconnect() -> str:
    return "resumed"


@server.tool()
async def elicit(answer: str, result: Annotated[ElicitationResult[Who], Resolve(who)]) -> str:
    return f"accept {result.data.name}" if result.action == "accept" else result.action


@server.tool()
async def sample(result: Annotated[CreateMessageResult, Resolve(model)]) -> str:
    return f"{result.model}: {result.content.text}"


@server.tool()
async def roots(result: Annotated[ListRootsResult, Resolve(where)]) -> str:
    return ", ".join(str(root.uri) for root in result.roots)


@server.tool()
async def log(ctx: Context) -> str:
    await ctx.log("info", "hello")
    return "logged"


@server.tool()
async def change(ctx: Context) -> str:
    await ctx.notify_tools_changed()
    await ctx.session.send_tool_list_changed()
    return "changed"


@server.tool()
async def touch(ctx: Context) -> str:
    await ctx.notify_resource_updated("test://watched")
    await ctx.session.send_resource_updated("test://watched")
    return "touched"


@server.resource("test://text", mime_type="text/plain")
def text() -> str:
    return "hello"


@server.resource("test://blob", mime_type="application/octet-stream")
def blob() -> bytes:
    return bytes([0, 1, 2])


@server.resource("test://watched", mime_type="text/plain")
def watched() -> str:
    return "watch me"


@server.resource("test://item/{id}", mime_type="text/plain")
def item(id: str) -> str:
    return f"item {id}"


@server.prompt()
def greet(name: str) -> str:
    return f"Hello, {name}!"


@server.completion()
async def complete(ref, argument, context):
    names = ["ada", "adam", "eve"] if isinstance(ref, PromptReference) and argument.name == "name" else []
    return Completion(values=[name for name in names if name.startswith(argument.value)])


async def agree(ctx, params) -> EmptyResult:
    """To one line of log and one resource, which every client is told of anyway."""
    return EmptyResult()


# Of the session era; the high-level server has them no more.
for method, params in [
    ("logging/setLevel", SetLevelRequestParams),
    ("resources/subscribe", SubscribeRequestParams),
    ("resources/unsubscribe", UnsubscribeRequestParams),
]:
    server._lowlevel_server.add_request_handler(method, params, agree)

serving.serve(lambda: server.run("stdio"), server.streamable_http_app, server.sse_app)
