"""What the drivers of both Python SDKs share: arguments in, requests on stdin, results on stdout.

Every line of stdin is a request, `{"id": 1, "op": "call", "name": "users_Get", "arguments": {}}`; every line of
stdout is the answer to one, `{"id": 1, "ok": …}` or `{"id": 1, "error": {"code", "message", "data"}}`, or news,
`{"event": "tools/list_changed"}`. The first line is `{"ready": {"protocolVersion", "serverInfo", "capabilities"}}`, or
`{"error": …}` when there is no connection.
"""

import argparse
import html.parser
import http.cookiejar
import json
import sys
import urllib.parse
import urllib.request
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
    login: str | None


def arguments(modes: list[str]) -> Target:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=modes, default=modes[0], help="how to find out the server's era")
    parser.add_argument("--header", action="append", default=[], metavar="NAME:VALUE")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--cwd")
    parser.add_argument("--login", metavar="ACCOUNT:PASSWORD", help="sign this user in when the server asks for it")
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
        login=args.login,
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


class Browser:
    """What a person does at the authorization server's page: fills in its form and says yes."""

    REDIRECT = "http://127.0.0.1:4711/callback"

    def __init__(self, login: str) -> None:
        self.account, self.password = login.split(":", 1)
        self.answer: dict[str, str] = {}

    async def go(self, url: str) -> None:
        self.answer = await anyio.to_thread.run_sync(self.visit, url)

    def visit(self, url: str) -> dict[str, str]:
        class Stay(urllib.request.HTTPErrorProcessor):
            def http_response(self, _request, response):
                return response  # A redirect is the answer, not a place to go.

        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        opener = urllib.request.build_opener(cookies, Stay)
        page = Form()
        page.feed(opener.open(url).read().decode())
        filled = page.fields | {"account": self.account, "password": self.password, "answer": "allow"}
        body = urllib.parse.urlencode(filled).encode()
        answer = opener.open(urllib.parse.urljoin(url, page.action), body)
        back = answer.headers["location"]
        if not (back or "").startswith(self.REDIRECT):
            raise RuntimeError(f"no way back but {answer.status}: {answer.read().decode()}")
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back).query))


class Form(html.parser.HTMLParser):
    """The form of a page: where it goes, and what it sends of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.action, self.fields = "", {}

    def handle_starttag(self, tag, attrs) -> None:
        attrs = dict(attrs)
        if tag == "form":
            self.action = attrs["action"]
        elif tag == "input":
            self.fields[attrs["name"]] = attrs.get("value") or ""


class Memory:
    """Where the SDK keeps what it is given."""

    def __init__(self) -> None:
        self.tokens = self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens) -> None:
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info) -> None:
        self.client = client_info


def credentials(target: Target, came_back):
    """The SDK's own way to a token; `came_back` makes of the redirect's parameters what the SDK wants."""
    from mcp.client.auth import OAuthClientProvider
    from mcp.shared.auth import OAuthClientMetadata

    if target.login is None:
        return None
    browser = Browser(target.login)

    async def back():
        return came_back(browser.answer)

    metadata = OAuthClientMetadata(
        client_name="Driver", redirect_uris=[Browser.REDIRECT], grant_types=["authorization_code", "refresh_token"]
    )
    return OAuthClientProvider(target.url, metadata, Memory(), redirect_handler=browser.go, callback_handler=back)


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
