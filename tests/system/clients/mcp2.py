"""Drives the official Python SDK 2.x, which speaks both eras. See driver.py for what goes in and out."""

import anyio
import driver
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.auth import AuthorizationCodeResult

MODES = {"auto": "auto", "legacy": "legacy", "modern": "2026-07-28"}


async def main() -> None:
    target = driver.arguments(list(MODES))
    if target.url is None:
        server = StdioServerParameters(
            command=target.command[0], args=target.command[1:], env=target.env, cwd=target.cwd
        )
    elif target.headers or target.login:
        auth = driver.credentials(target, AuthorizationCodeResult.model_validate)
        http_client = create_mcp_http_client(headers=target.headers, auth=auth)
        server = streamable_http_client(target.url, http_client=http_client)
    else:
        server = target.url

    async def notice(message) -> None:
        if getattr(message, "method", None) == "notifications/tools/list_changed":
            driver.say({"event": "tools/list_changed"})

    # No cache of its own: a test asks the server each time.
    client = Client(server, mode=MODES[target.mode], message_handler=notice, cache=None)
    async with client, anyio.create_task_group() as tasks:
        legacy = client.protocol_version != MODES["modern"]

        async def list_tools(_request):
            return await driver.every_tool(lambda cursor: client.list_tools(cursor=cursor))

        async def call(request):
            steps = []

            async def step(progress, total, message) -> None:
                steps.append({"progress": progress, "total": total, "message": message})

            result = await client.call_tool(
                request["name"],
                request["arguments"],
                read_timeout_seconds=request.get("timeout"),
                progress_callback=step if request.get("progress") else None,
            )
            return {"result": driver.plain(result), "progress": steps}

        async def watch(_request):
            # In the session era the stream of news is open already.
            if not legacy:
                await tasks.start(listen)
            return {}

        async def listen(task_status) -> None:
            async with client.listen(tools_list_changed=True) as news:
                task_status.started()
                async for _event in news:
                    driver.say({"event": "tools/list_changed"})

        server_info = client.server_info
        await driver.answer_requests(
            {
                "protocolVersion": client.protocol_version,
                "serverInfo": server_info and driver.plain(server_info),
                "capabilities": driver.plain(client.server_capabilities),
            },
            {"list_tools": list_tools, "call": call, "watch": watch},
        )
        tasks.cancel_scope.cancel()


driver.run(main)
