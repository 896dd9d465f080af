"""A small server without any SDK, of 2026-07-28 and 2025-11-25, that does one thing wrong when told to.

    small.py [--http] [--break WHAT]
"""

import argparse
import base64
import json
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

parser = argparse.ArgumentParser()
parser.add_argument("--http", action="store_true")
parser.add_argument("--break", dest="broken", default="")
args = parser.parse_args()

MODERN, LEGACY = "2026-07-28", "2025-11-25"
KEY = "io.modelcontextprotocol/"
INFO = {"name": "small", "version": "1"}
HINTS = {"ttlMs": 1000, "cacheScope": "public"}
TOOL = {
    "name": "half",
    "inputSchema": {"type": "object", "properties": {"of": {"type": "integer"}}, "required": ["of"]},
    "outputSchema": {"type": "object", "properties": {"half": {"type": "number"}}, "required": ["half"]},
    "annotations": {"readOnlyHint": True},
}
RESOURCE = {"uri": "small://one", "name": "one"}
PROMPT = {"name": "ask", "arguments": [{"name": "of", "required": True}]}
CAPABILITIES = {"tools": {}, "resources": {}, "prompts": {}}
sessions = set()


def breaks(what):
    return args.broken == what


class Failed(Exception):
    def __init__(self, code, message="no", status=None, data=None):
        self.error = {"code": code, "message": message} | ({"data": data} if data else {})
        self.status = status


def page(params, **items):
    if "cursor" in params and not breaks("cursor"):
        raise Failed(-32602)
    return items | ({} if breaks("hints") else HINTS)


def call(params, say):
    of = params.get("arguments", {}).get("of")
    if params.get("name") != "half":
        raise Failed(-32055 if breaks("code") else -32602)
    if not isinstance(of, int):
        return {"content": [{"type": "text", "text": "`of` is missing"}], "isError": not breaks("arguments")}
    token = params.get("_meta", {}).get("progressToken")
    if token is not None:
        for step in [2, 1] if breaks("progress") else [1, 2]:
            progress = {"progressToken": token, "progress": step}
            say({"jsonrpc": "2.0", "method": "notifications/progress", "params": progress})
    half = "a half" if breaks("structure") else of / 2
    kind = "words" if breaks("content") else "text"
    return {"content": [{"type": kind, "text": str(half)}], "structuredContent": {"half": half}}


def read(params, modern):
    if params.get("uri") == "small://one":
        return {"contents": [{"uri": "small://one", "text": "One."}]} | HINTS
    if breaks("missing"):
        return {"contents": []} | HINTS
    raise Failed(-32602 if modern else -32002)


def prompt(params):
    if params.get("name") != "ask" or "of" not in params.get("arguments", {}):
        raise Failed(-32602)
    role = "system" if breaks("role") else "user"
    return {"messages": [{"role": role, "content": {"type": "text", "text": "What?"}}]}


def result_of(method, params, modern, say):
    if modern and method == "server/discover":
        return {"supportedVersions": [MODERN], "capabilities": CAPABILITIES, "_meta": {KEY + "serverInfo": INFO}} | HINTS
    if not modern and method == "initialize":
        asked = params.get("protocolVersion")
        version = asked if breaks("version") and asked < "2000" else LEGACY
        return {"protocolVersion": version, "capabilities": CAPABILITIES, "serverInfo": INFO}
    if not modern and method == "ping":
        return {"pong": True} if breaks("ping") else {}
    if method == "tools/list":
        return page(params, tools=[TOOL | ({"inputSchema": {"type": "array"}} if breaks("schema") else {})])
    if method == "resources/list":
        return page(params, resources=[RESOURCE])
    if method == "prompts/list":
        return page(params, prompts=[PROMPT])
    if method == "tools/call":
        return call(params, say)
    if method == "resources/read":
        return read(params, modern)
    if method == "prompts/get":
        return prompt(params)
    raise Failed(-32601, status=200 if breaks("status") else 404)


def answer(message, say, headers=None):
    """The response to a message and the HTTP status; no response to what is no request."""
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0" or "method" not in message:
        return {"jsonrpc": "2.0", "error": {"code": -32600, "message": "no message"}}, 400
    if "id" not in message:
        return ({"jsonrpc": "2.0", "id": 1, "result": {"resultType": "complete"}}, 200) if breaks("notification") else (None, 202)
    modern = False
    out = {"jsonrpc": "2.0", "id": message["id"]}
    try:
        params = message.get("params", {})
        if message["id"] is None or not isinstance(params, dict):
            raise Failed(-32600, status=400)
        meta = params.get("_meta", {})
        modern = KEY + "protocolVersion" in meta
        if not modern and headers is not None and headers.get("mcp-protocol-version") == MODERN:
            raise Failed(-32602, status=400)
        if modern:
            check(message, params, meta, headers)
        result = result_of(message["method"], params, modern, say)
        if modern and not breaks("type"):
            result["resultType"] = "complete"
        return out | {"result": result}, 200
    except Failed as failed:
        status = failed.status if modern or failed.status == 400 else None
        return out | {"error": failed.error}, status or 200


def check(message, params, meta, headers):
    """What every modern request must have."""
    method, version = message["method"], meta[KEY + "protocolVersion"]
    if KEY + "clientCapabilities" not in meta:
        raise Failed(-32602, status=400)
    if headers is not None and not breaks("headers"):
        name = params.get({"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}.get(method))
        for header, value in {"mcp-protocol-version": version, "mcp-method": method, "mcp-name": name}.items():
            if value is not None and decoded(headers.get(header)) != value:
                raise Failed(-32020, status=400)
    if version != MODERN:
        raise Failed(-32022, status=400, data={"supported": [MODERN], "requested": version})


def decoded(value):
    if value and value.startswith("=?base64?") and value.endswith("?="):
        try:
            return base64.b64decode(value[9:-2], validate=True).decode()
        except ValueError:
            return None
    return value


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, messages=(), **headers):
        stream = len(messages) > 1
        body = "".join(f"data: {json.dumps(m)}\n\n" for m in messages) if stream else "".join(map(json.dumps, messages))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-type", "text/event-stream" if stream else "application/json")
        self.send_header("content-length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_GET(self):
        self.reply(405)

    def do_DELETE(self):
        sessions.discard(self.headers.get("mcp-session-id"))
        self.reply(200)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.headers.get("origin") and not breaks("origin"):
            return self.reply(403)
        try:
            message = json.loads(body)
        except ValueError:
            error = {"code": -32700, "message": "no JSON"}
            return self.reply(400, [{"jsonrpc": "2.0", "error": error}])
        method = message.get("method") if isinstance(message, dict) else None
        session = self.headers.get("mcp-session-id")
        modern = isinstance(message, dict) and KEY + "protocolVersion" in str(message.get("params"))
        version = self.headers.get("mcp-protocol-version")
        if not modern and method and method != "initialize":
            if session is None and version != MODERN:
                return self.reply(400)
            if session is not None and session not in sessions and not breaks("session"):
                return self.reply(404)
            if version not in (None, LEGACY, MODERN):
                return self.reply(400)
        said = []
        response, status = answer(message, said.append, self.headers)
        headers = {}
        if not modern and method == "initialize" and "result" in response:
            headers["mcp_session_id"] = uuid.uuid4().hex
            sessions.add(headers["mcp_session_id"])
        self.reply(status, [*said, response] if response else [], **headers)


def say(message):
    print(json.dumps(message), flush=True)


if args.http:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"listening on http://127.0.0.1:{server.server_port}/mcp", file=sys.stderr, flush=True)
    server.serve_forever()
for line in sys.stdin:
    if breaks("noise"):
        print("a log line", flush=True)
    try:
        message = json.loads(line)
    except ValueError:
        say({"jsonrpc": "2.0", "error": {"code": -32700, "message": "no JSON"}})
        continue
    response, _ = answer(message, say)
    if response:
        say(response)
