"""Plays the course (course.py) with the client of fastmcp 4, in any mode."""

import anyio
import course
import mcp_types as types
from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.transports import SSETransport, StdioTransport

MODES = {"legacy": "legacy", "auto": "auto", "modern": "2026-07-28"}


class Peer:
    def __init__(self, client: Client, ears: course.Ears, tasks) -> None:
        self.client, self.ears, self.tasks = client, ears, tasks
        self.revision = client.protocol_version
        self.modern = self.revision == MODES["modern"]

    async def call(self, name, arguments, on_progress=None) -> dict:
        return course.plain(await self.client.call_tool_mcp(name, arguments, progress_handler=on_progress))

    async def cancel_slow(self) -> None:
        with anyio.CancelScope() as scope:

            async def step(*_) -> None:
                scope.cancel()

            await self.call("slow", {}, step)

    async def tools(self) -> list[str]:
        return [tool.name for tool in await self.client.list_tools()]

    async def resources(self) -> list[str]:
        return [str(resource.uri) for resource in await self.client.list_resources()]

    async def templates(self) -> list[str]:
        return [template.uri_template for template in await self.client.list_resource_templates()]

    async def prompts(self) -> list[str]:
        return [prompt.name for prompt in await self.client.list_prompts()]

    async def read(self, uri) -> list[dict]:
        return [course.plain(contents) for contents in await self.client.read_resource(uri)]

    async def prompt(self, name, arguments) -> list[dict]:
        return course.plain(await self.client.get_prompt(name, arguments))["messages"]

    async def complete(self, prompt, argument, typed) -> list[str]:
        ref = types.PromptReference(type="ref/prompt", name=prompt)
        return (await self.client.complete(ref, {"name": argument, "value": typed})).values

    async def watch(self, uri) -> None:
        await self.client.session.subscribe_resource(uri)

    async def ping(self) -> str:
        await self.client.ping()
        return "pong"


async def main() -> None:
    target = course.target()
    ears = course.Ears()
    server = SSETransport(target.url) if target.sse else target.url or StdioTransport(target.command[0], target.command[1:])

    async def elicit(message, response_type, _params, _context):
        return ElicitResult(action=message, content={"name": "ada"} if message == "accept" else None)

    async def sample(_messages, _params, _context):
        content = types.TextContent(type="text", text="pong")
        return types.CreateMessageResult(role="assistant", model="toy", content=content)

    async def log(params) -> None:
        ears.logs.tell(f"{params.level}: {params.data}")

    async def notice(message) -> None:
        match message:
            case types.ToolListChangedNotification():
                ears.changes.tell("tools")
            case types.ResourceUpdatedNotification(params=params):
                ears.changes.tell(str(params.uri))

    client = Client(
        server,
        mode=MODES[target.mode],
        elicitation_handler=elicit,
        sampling_handler=sample,
        roots=["file:///work"],
        log_handler=log,
        message_handler=notice,
    )
    async with client, anyio.create_task_group() as tasks:
        peer = Peer(client, ears, tasks)
        if not peer.modern:
            await client.set_logging_level("info")
        await course.play(peer, ears)
        tasks.cancel_scope.cancel()


anyio.run(main)
