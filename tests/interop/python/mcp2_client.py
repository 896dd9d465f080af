"""Plays the course (course.py) with the official Python SDK 2.x, in any mode."""

import anyio
import course
import mcp_types as types
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.shared.subscriptions import ResourceUpdated, ToolsListChanged

MODES = {"legacy": "legacy", "auto": "auto", "modern": "2026-07-28"}


class Peer:
    def __init__(self, client: Client, ears: course.Ears, tasks) -> None:
        self.client, self.ears, self.tasks = client, ears, tasks
        self.revision = client.protocol_version
        self.modern = self.revision == MODES["modern"]
        self.listens = False

    async def call(self, name, arguments, on_progress=None) -> dict:
        return course.plain(await self.client.call_tool(name, arguments, progress_callback=on_progress))

    async def cancel_slow(self) -> None:
        with anyio.CancelScope() as scope:

            async def step(*_) -> None:
                scope.cancel()

            await self.call("slow", {}, step)

    async def tools(self) -> list[str]:
        return await course.every(lambda cursor: self.client.list_tools(cursor=cursor), "tools", "name")

    async def resources(self) -> list[str]:
        return await course.every(lambda cursor: self.client.list_resources(cursor=cursor), "resources", "uri")

    async def templates(self) -> list[str]:
        def page(cursor):
            return self.client.list_resource_templates(cursor=cursor)

        return await course.every(page, "resource_templates", "uri_template")

    async def prompts(self) -> list[str]:
        return await course.every(lambda cursor: self.client.list_prompts(cursor=cursor), "prompts", "name")

    async def read(self, uri) -> list[dict]:
        return course.plain(await self.client.read_resource(uri))["contents"]

    async def prompt(self, name, arguments) -> list[dict]:
        return course.plain(await self.client.get_prompt(name, arguments))["messages"]

    async def complete(self, prompt, argument, typed) -> list[str]:
        ref = types.PromptReference(type="ref/prompt", name=prompt)
        return (await self.client.complete(ref, {"name": argument, "value": typed})).completion.values

    async def watch(self, uri) -> None:
        if self.listens:
            return
        self.listens = self.modern
        if self.modern:
            await self.tasks.start(self.listen, uri)
        else:
            await self.client.subscribe_resource(uri)

    async def listen(self, uri, task_status) -> None:
        async with self.client.listen(tools_list_changed=True, resource_subscriptions=[uri]) as news:
            task_status.started()
            async for event in news:
                match event:
                    case ToolsListChanged():
                        self.ears.changes.tell("tools")
                    case ResourceUpdated(uri=uri):
                        self.ears.changes.tell(uri)

    async def ping(self) -> str:
        await self.client.session.send_ping()
        return "pong"


async def main() -> None:
    target = course.target()
    ears = course.Ears()
    server = sse_client(target.url) if target.sse else target.url or StdioServerParameters(command=target.command[0], args=target.command[1:])

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
        match message:
            case types.ToolListChangedNotification():
                ears.changes.tell("tools")
            case types.ResourceUpdatedNotification(params=params):
                ears.changes.tell(str(params.uri))

    client = Client(
        server,
        mode=MODES[target.mode],
        elicitation_callback=elicit,
        sampling_callback=sample,
        list_roots_callback=roots,
        logging_callback=log,
        log_level="info",
        message_handler=notice,
    )
    async with client, anyio.create_task_group() as tasks:
        peer = Peer(client, ears, tasks)
        if not peer.modern:
            await client.session.set_logging_level("info")
        await course.play(peer, ears)
        tasks.cancel_scope.cancel()


anyio.run(main)
