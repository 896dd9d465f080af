"""The contract (tests/it/contract.rs), served by fastmcp 4 in both eras."""

import anyio
import serving
from fastmcp import Context, FastMCP
from mcp_types import (
    AudioContent,
    ContentBlock,
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    EmbeddedResource,
    ImageContent,
    InputRequiredResult,
    ListRootsRequest,
    PromptReference,
    ResourceLink,
    SamplingMessage,
    TextContent,
    TextResourceContents,
    ToolListChangedNotification,
)
from pydantic import BaseModel

server = FastMCP("fastmcp")
was_cancelled = anyio.Event()
WHO = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


class Sum(BaseModel):
    sum: int


async def ask(ctx: Context, question):
    """The client's answer: by a request of the session era, or by another round of the modern one."""
    if not ctx._is_modern_protocol():
        match question:
            case ElicitRequest(params=params):
                return await ctx.session.elicit_form(params.message, params.requested_schema, ctx.request_id)
            case CreateMessageRequest(params=params):
                return await ctx.session.create_message(
                    params.messages, max_tokens=params.max_tokens, related_request_id=ctx.request_id
                )
            case ListRootsRequest():
                return await ctx.session.list_roots()
    return (ctx.input_responses or {}).get("question") or InputRequiredResult(input_requests={"question": question})


@server.tool
def echo(message: str) -> str:
    return message


@server.tool
def add(a: int, b: int) -> Sum:
    return Sum(sum=a + b)


@server.tool(output_schema=None)
def contents() -> list[ContentBlock]:
    resource = TextResourceContents(uri="test://text", text="hello")
    return [
        TextContent(type="text", text="hello"),
        ImageContent(type="image", mime_type="image/png", data="AAEC"),
        AudioContent(type="audio", mime_type="audio/wav", data="AAEC"),
        EmbeddedResource(type="resource", resource=resource),
        ResourceLink(type="resource_link", uri="test://text", name="text"),
    ]


@server.tool
def fail() -> str:
    raise ValueError("broken")


@server.tool
async def progress(ctx: Context) -> str:
    for step in (1, 2, 3):
        await ctx.report_progress(step, 3)
    return "done"


@server.tool
async def slow(ctx: Context) -> str:
    await ctx.report_progress(1, 2)
    try:
        await anyio.sleep(60)
    except anyio.get_cancelled_exc_class():
        was_cancelled.set()
        raise
    return "nobody cancelled"


@server.tool
async def cancelled() -> str:
    global was_cancelled
    with anyio.fail_after(10):
        await was_cancelled.wait()
    was_cancelled = anyio.Event()
    return "cancelled"


@server.tool
def reconnect() -> str:
    return "resumed"


@server.tool(output_schema=None)
async def elicit(answer: str, ctx: Context):
    result = await ask(ctx, ElicitRequest(params=ElicitRequestFormParams(message=answer, requested_schema=WHO)))
    if isinstance(result, InputRequiredResult):
        return result
    return f"accept {result.content['name']}" if result.action == "accept" else result.action


@server.tool(output_schema=None)
async def sample(ctx: Context):
    question = SamplingMessage(role="user", content=TextContent(type="text", text="ping"))
    params = CreateMessageRequestParams(messages=[question], max_tokens=10)
    result = await ask(ctx, CreateMessageRequest(params=params))
    return result if isinstance(result, InputRequiredResult) else f"{result.model}: {result.content.text}"


@server.tool(output_schema=None)
async def roots(ctx: Context):
    result = await ask(ctx, ListRootsRequest())
    return result if isinstance(result, InputRequiredResult) else ", ".join(str(root.uri) for root in result.roots)


@server.tool
async def log(ctx: Context) -> str:
    await ctx.info("hello")
    return "logged"


@server.tool
async def change(ctx: Context) -> str:
    await ctx.send_notification(ToolListChangedNotification())
    return "changed"


@server.tool
async def touch(ctx: Context) -> str:
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


@server.prompt
def greet(name: str) -> str:
    return f"Hello, {name}!"


@server.completion
def complete(ref, argument, context):
    names = ["ada", "adam", "eve"] if isinstance(ref, PromptReference) and argument.name == "name" else []
    return [name for name in names if name.startswith(argument.value)]


serving.serve(
    lambda: server.run("stdio", show_banner=False), server.http_app, lambda: server.http_app(transport="sse")
)
