"""Drives the official Python SDK 1.x, which speaks the session era. See driver.py for what goes in and out."""

from datetime import timedelta

import driver
from mcp import ClientSession, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamablehttp_client
from mcp.types import PaginatedRequestParams, ServerNotification


async def main() -> None:
    target = driver.arguments(["legacy"])
    if target.url is None:
        streams = stdio_client(
            StdioServerParameters(command=target.command[0], args=target.command[1:], env=target.env, cwd=target.cwd)
        )
    else:
        auth = driver.credentials(target, lambda answer: (answer["code"], answer.get("state")))
        streams = streamablehttp_client(target.url, headers=target.headers, auth=auth)

    async def notice(message) -> None:
        if isinstance(message, ServerNotification) and message.root.method == "notifications/tools/list_changed":
            driver.say({"event": "tools/list_changed"})

    async with streams as (read, write, *_), ClientSession(read, write, message_handler=notice) as session:
        hello = await session.initialize()

        async def list_tools(_request):
            return await driver.every_tool(
                lambda cursor: session.list_tools(params=PaginatedRequestParams(cursor=cursor))
            )

        async def call(request):
            steps = []

            async def step(progress, total, message) -> None:
                steps.append({"progress": progress, "total": total, "message": message})

            timeout = request.get("timeout")
            result = await session.call_tool(
                request["name"],
                request["arguments"],
                read_timeout_seconds=None if timeout is None else timedelta(seconds=timeout),
                progress_callback=step if request.get("progress") else None,
            )
            return {"result": driver.plain(result), "progress": steps}

        async def watch(_request):
            return {}  # The stream of news is open already.

        await driver.answer_requests(
            {
                "protocolVersion": str(hello.protocolVersion),
                "serverInfo": driver.plain(hello.serverInfo),
                "capabilities": driver.plain(hello.capabilities),
            },
            {"list_tools": list_tools, "call": call, "watch": watch},
        )


driver.run(main)
