"""Plays the course (course.py) with the official Python SDK 1.x."""

import anyio
import course
from mcp import ClientSession, StdioServerParameters, stdio_client, types
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamablehttp_client
from pydantic import AnyUrl


def page_at(cursor: str | None) -> types.PaginatedRequestParams:
    return types.PaginatedRequestParams(cursor=cursor)


class Peer:
    def __init__(self, session: ClientSession, hello: types.InitializeResult) -> None:
        self.session = session
        self.revision = str(hello.protocolVersion)

    async def call(self, name, arguments, on_progress=None) -> dict:
        return course.plain(await self.session.call_tool(name, arguments, progress_callback=on_progress))

    async def cancel_slow(self) -> None:
        """This SDK leaves it to its users to say that they wait no more."""
        begun = anyio.Event()

        async def step(*_) -> None:
            begun.set()

        async with anyio.create_task_group() as tasks:
            request_id = self.session._request_id
            tasks.start_soon(self.call, "slow", {}, step)
            await begun.wait()
            params = types.CancelledNotificationParams(requestId=request_id)
            await self.session.send_notification(
                types.ClientNotification(types.CancelledNotification(params=params))
            )
            tasks.cancel_scope.cancel()

    async def tools(self) -> list[str]:
        return await course.every(lambda cursor: self.session.list_tools(params=page_at(cursor)), "tools", "name")

    async def resources(self) -> list[str]:
        return await course.every(lambda cursor: self.session.list_resources(params=page_at(cursor)), "resources", "uri")

    async def templates(self) -> list[str]:
        def page(cursor):
            return self.session.list_resource_templates(params=page_at(cursor))

        return await course.every(page, "resourceTemplates", "uriTemplate")

    async def prompts(self) -> list[str]:
        return await course.every(lambda cursor: self.session.list_prompts(params=page_at(cursor)), "prompts", "name")

    async def read(self, uri) -> list[dict]:
        return course.plain(await self.session.read_resource(AnyUrl(uri)))["contents"]

    async def prompt(self, name, arguments) -> list[dict]:
        return course.plain(await self.session.get_prompt(name, arguments))["messages"]

    async def complete(self, prompt, argument, typed) -> list[str]:
        ref = types.PromptReference(type="ref/prompt", name=prompt)
        return (await self.session.complete(ref, {"name": argument, "value": typed})).completion.values

    async def watch(self, uri) -> None:
        await self.session.subscribe_resource(AnyUrl(uri))

    async def ping(self) -> str:
        await self.session.send_ping()
        return "pong"


async def main() -> None:
    target = course.target()
    ears = course.Ears()
    if target.url is None:
        streams = stdio_client(StdioServerParameters(command=target.command[0], args=target.command[1:]))
    else:
        streams = (sse_client if target.sse else streamablehttp_client)(target.url)

    async def elicit(_context, params):
        return types.ElicitResult(
            action=params.message, content={"name": "ada"} if params.message == "accept" else None
        )

    async def sample(_context, _params):
        content = types.TextContent(type="text", text="pong")
        return types.CreateMessageResult(role="assistant", model="toy", content=content)

    async def roots(_context):
        return types.ListRootsResult(roots=[types.Root(uri="file:///work")])

    async def log(params) -> None:
        ears.logs.tell(f"{params.level}: {params.data}")

    async def notice(message) -> None:
        match getattr(message, "root", None):
            case types.ToolListChangedNotification():
                ears.changes.tell("tools")
            case types.ResourceUpdatedNotification(params=params):
                ears.changes.tell(str(params.uri))

    async with streams as (read, write, *_):
        session = ClientSession(
            read,
            write,
            elicitation_callback=elicit,
            sampling_callback=sample,
            list_roots_callback=roots,
            logging_callback=log,
            message_handler=notice,
        )
        async with session:
            peer = Peer(session, await session.initialize())
            await session.set_logging_level("info")
            await course.play(peer, ears)


anyio.run(main)
