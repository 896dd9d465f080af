"""What the drivers of both Python SDKs share: arguments in, requests on stdin, results on stdout.

Every line of stdin is a request, `{"id": 1, "op": "call", "name": "users_Get", "arguments": {}}`; every line of
stdout is the answer to one, `{"id": 1, "ok": …}` or `{"id": 1, "error": {"code", "message", "data"}}`, or news,
`{"event": "tools/list_changed"}`. The first line is `{"ready": {"protocolVersion", "serverInfo", "capabilities"}}`, or
`{"error": …}` when there is no connection.
"""

import argparse
import json
import sys
from dataclasses import dataclass

import anyio


@dataclass
class Target:
    """The server under test: a URL with headers, or a command with its environment."""

    mode: str
    url: str | None
    headers: dict[str, str]
    command: list[str]
    env: dict[str, str]
    cwd: str | None


def arguments(modes: list[str]) -> Target:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=modes, default=modes[0], help="how to find out the server's era")
    parser.add_argument("--header", action="append", default=[], metavar="NAME:VALUE")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--cwd")
    parser.add_argument("--stdio", action="store_true", help="TARGET is a command that speaks MCP on its streams")
    parser.add_argument("target", nargs=argparse.REMAINDER, metavar="TARGET")
    args = parser.parse_args()
    command = [word for word in args.target if word != "--"]
    if not command or (len(command) > 1 and not args.stdio):
        parser.error("give one URL, or --stdio and a command")
    return Target(
        mode=args.mode,
        url=None if args.stdio else command[0],
        headers=dict(pair.split(":", 1) for pair in args.header),
        command=command if args.stdio else [],
        env=dict(pair.split("=", 1) for pair in args.env),
        cwd=args.cwd,
    )


def say(message: dict) -> None:
    print(json.dumps(message), flush=True)


def plain(model) -> dict:
    """A message of the SDK as the JSON it stands for."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


def problem(error: BaseException) -> dict:
    """An exception as data: what the server said when it was the server, else what went wrong here."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    said = getattr(error, "error", None)
    if said is not None:
        return {"code": said.code, "message": said.message, "data": getattr(said, "data", None)}
    return {"code": None, "message": f"{type(error).__name__}: {error}", "data": None}


async def every_tool(list_page) -> list[dict]:
    """All pages of tools/list."""
    tools, cursor = [], None
    while True:
        page = plain(await list_page(cursor))
        tools += page["tools"]
        cursor = page.get("nextCursor")
        if cursor is None:
            return tools


async def answer_requests(server: dict, operations: dict) -> None:
    """Answers one request after the other until stdin ends."""
    say({"ready": server})
    while line := await anyio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True):
        request = json.loads(line)
        try:
            result = await operations[request["op"]](request)
        except Exception as error:
            say({"id": request["id"], "error": problem(error)})
        else:
            say({"id": request["id"], "ok": result})


def run(main) -> None:
    """Runs a driver to its end; a failure outside of requests is told and leaves with 1."""
    try:
        anyio.run(main)
    except Exception as error:
        say({"error": problem(error)})
        sys.exit(1)
