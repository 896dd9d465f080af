"""The contract (tests/it/contract.rs), served by the official Python SDK 1.x."""

import anyio
import serving
from mcp.server.fastmcp import Context, FastMCP
from mcp.types import (
    AudioContent,
    Completion,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    PromptReference,
    ResourceLink,
    SamplingMessage,
    TextContent,
    TextResourceContents,
)
from pydantic import AnyUrl, BaseModel

server = FastMCP("python-mcp-1")
low_level = server._mcp_server
was_cancelled = anyio.Event()


class Sum(BaseModel):
    sum: int


class Who(BaseModel):
    name: str


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
        ImageContent(type="image", mimeType="image/png", data="AAEC"),
        AudioContent(type="audio", mimeType="audio/wav", data="AAEC"),
        EmbeddedResource(type="resource", resource=resource),
        ResourceLink(type="resource_link", uri="test://text", name="text"),
    ]


@server.tool()
def fail() -> str:
    raise ValueError("broken")


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
async def elicit(answer: str, ctx: Context) -> str:
    result = await ctx.elicit(answer, Who)
    return f"accept {result.data.name}" if result.action == "accept" else result.action


@server.tool()
async def sample(ctx: Context) -> str:
    question = SamplingMessage(role="user", content=TextContent(type="text", text="ping"))
    result = await ctx.session.create_message([question], max_tokens=10, related_request_id=ctx.request_id)
    return f"{result.model}: {result.content.text}"


@server.tool()
async def roots(ctx: Context) -> str:
    result = await ctx.session.list_roots()
    return ", ".join(str(root.uri) for root in result.roots)


@server.tool()
async def log(ctx: Context) -> str:
    await ctx.info("hello")
    return "logged"


@server.tool()
async def change(ctx: Context) -> str:
    await ctx.session.send_tool_list_changed()
    return "changed"


@server.tool()
async def touch(ctx: Context) -> str:
    await ctx.session.send_resource_updated(AnyUrl("test://watched"))
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


@low_level.set_logging_level()
async def set_logging_level(level) -> None:
    pass  # One line is logged, and it is for everyone.


@low_level.subscribe_resource()
async def subscribe(uri) -> None:
    pass  # One client, one resource: it is told anyway.


@low_level.unsubscribe_resource()
async def unsubscribe(uri) -> None:
    pass


serving.serve(lambda: server.run("stdio"), server.streamable_http_app, server.sse_app)
