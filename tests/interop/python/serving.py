"""How each Python server of this folder is started: `--address HOST:PORT`, where port 0 takes a free one, or `--stdio`.

Over HTTP the endpoint is `/mcp`, or with `--sse`, in the first HTTP transport, `/sse`; where it listens is said on stderr.
"""

import argparse
import socket
import sys

import uvicorn


def serve(stdio, app, sse=None) -> None:
    """Runs `stdio()`, or the ASGI application that `app()` or `sse()` makes."""
    parser = argparse.ArgumentParser()
    front = parser.add_mutually_exclusive_group(required=True)
    front.add_argument("--address", metavar="HOST:PORT")
    front.add_argument("--stdio", action="store_true")
    parser.add_argument("--sse", action="store_true")
    args = parser.parse_args()
    if args.stdio:
        stdio()
        return
    host, port = args.address.rsplit(":", 1)
    listener = socket.create_server((host, int(port)))
    path = "sse" if args.sse else "mcp"
    print(f"listening on http://{host}:{listener.getsockname()[1]}/{path}", file=sys.stderr, flush=True)
    config = uvicorn.Config(sse() if args.sse else app(), log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])
