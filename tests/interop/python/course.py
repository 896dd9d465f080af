"""The course of the contract (tests/it/contract.rs), played by a Python client: one line of JSON for each sentence.

`DRIVER --mode legacy|auto|modern URL`, or `--stdio` and a command instead of the URL.
"""

import argparse
import base64
import json
from dataclasses import dataclass, field

import anyio

PATIENCE = 20
# How long to wait for news before what makes the server tell is done again: over HTTP a server of the session
# era that has news before the client's stream is there keeps them to itself.
NEWS = 2
WATCHED = "test://watched"
# What careless framing breaks: line ends of all kinds, quotes, characters of four bytes, a null.
ODD = "a\r\nb\n\nc\u2028d\u2029\"\\\t\u0000é🦀data: x\nid: 1"
LONG = "lang " * 60_000


@dataclass
class Target:
    mode: str
    url: str | None
    command: list[str]

    @property
    def sse(self) -> bool:
        """The URL is one of the first HTTP transport."""
        return self.url is not None and self.url.endswith("/sse")


def target() -> Target:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=["legacy", "auto", "modern"], required=True)
    parser.add_argument("--stdio", action="store_true")
    parser.add_argument("target", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    return Target(args.mode, None if args.stdio else args.target[0], args.target if args.stdio else [])


class News:
    """What the server said without being asked."""

    def __init__(self) -> None:
        self.send, self.receive = anyio.create_memory_object_stream[str](100)

    def tell(self, word: str) -> None:
        self.send.send_nowait(word)

    async def hear(self, word: str) -> bool:
        """Waits for a word, for a while."""
        with anyio.move_on_after(NEWS):
            async for heard in self.receive:
                if heard == word:
                    return True
        return False


@dataclass
class Ears:
    """Filled by the callbacks of a client."""

    logs: News = field(default_factory=News)
    changes: News = field(default_factory=News)


def plain(model) -> dict:
    """A message of the SDK as the JSON it stands for."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


def text(result: dict) -> str:
    return result["content"][0]["text"]


def content(block: dict) -> str:
    """A block of content in short."""
    match block:
        case {"type": "text", "text": text}:
            return f"text {text}"
        case {"type": "image" | "audio" as kind, "mimeType": mime_type, "data": data}:
            return f"{kind} {mime_type} {data}"
        case {"type": "resource", "resource": {"uri": uri, "text": text}}:
            return f"resource {uri} {text}"
        case {"type": "resource_link", "uri": uri}:
            return f"resource_link {uri}"
    return json.dumps(block)


def problem(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TimeoutError):
        return "error: no answer in time"
    said = getattr(error, "error", error)
    code = getattr(said, "code", None)
    return f"error {code}" if code is not None else f"error: {type(error).__name__}: {error}"


async def every(list_page, items: str, name: str) -> list[str]:
    """The names of what a list of the SDK holds, all pages of it."""
    names, cursor = [], None
    while True:
        page = await list_page(cursor)
        names += [str(getattr(item, name)) for item in getattr(page, items)]
        cursor = getattr(page, "next_cursor", None) or getattr(page, "nextCursor", None)
        if cursor is None:
            return names


async def saw(sentence: str, work) -> None:
    try:
        with anyio.fail_after(PATIENCE):
            seen = await work()
    except Exception as error:
        seen = problem(error)
    print(json.dumps({"sentence": sentence, "saw": seen}), flush=True)


async def play(peer, ears: Ears) -> None:
    """`peer` is the client, with these methods, which take and return plain JSON:
    `revision`, `call(name, arguments, on_progress)`, `cancel_slow()`, `tools()`, `resources()`, `templates()`,
    `prompts()`, `read(uri)`, `prompt(name, arguments)`, `complete(prompt, argument, typed)`, `watch(uri)`, `ping()`.
    """

    async def said(tool: str, arguments: dict | None = None) -> str:
        return text(await peer.call(tool, arguments or {}))

    async def revision():
        return peer.revision

    async def same(message: str):
        echoed = await said("echo", {"message": message})
        return "ok" if echoed == message else echoed[:100]

    async def at_once():
        wrong = []

        async def one(number: int) -> None:
            echoed = await said("echo", {"message": str(number)})
            if echoed != str(number):
                wrong.append(f"{echoed} for {number}")

        async with anyio.create_task_group() as calls:
            for number in range(50):
                calls.start_soon(one, number)
        return wrong or "ok"

    async def contents():
        return [content(block) for block in (await peer.call("contents", {}))["content"]]

    async def structured():
        return (await peer.call("add", {"a": 1, "b": 2}))["structuredContent"]

    async def failure():
        result = await peer.call("fail", {})
        return "broken" if result.get("isError") and "broken" in text(result) else result

    async def refused(work):
        try:
            result = await work
        except Exception as error:
            if getattr(error, "error", None) is None:
                raise
            return "refused"
        return "refused" if isinstance(result, dict) and result.get("isError") else result

    async def progress():
        steps = []

        async def step(progress, total, message) -> None:
            steps.append(f"{progress:g}/{total:g}")

        await peer.call("progress", {}, step)
        return steps

    async def cancel():
        await peer.cancel_slow()
        return await said("cancelled")

    async def log():
        await peer.call("log", {})
        return "info: hello" if await ears.logs.hear("info: hello") else "nothing"

    async def read(uri: str):
        contents = (await peer.read(uri))[0]
        if "blob" in contents:
            return base64.b64encode(base64.b64decode(contents["blob"], validate=True)).decode()
        return contents["text"]

    async def prompt():
        message = (await peer.prompt("greet", {"name": "ada"}))[0]
        return f"{message['role']}: {message['content']['text']}"

    async def hears(tool: str, word: str):
        await peer.watch(WATCHED)
        for _ in range(3):
            await peer.call(tool, {})
            if await ears.changes.hear(word):
                return word
        return "nothing"


    async def sorted_names(names):
        return sorted(await names)

    await saw("revision", revision)
    await saw("tools", lambda: sorted_names(peer.tools()))
    await saw("echo", lambda: said("echo", {"message": "hello"}))
    await saw("echo of odd text", lambda: same(ODD))
    await saw("echo of a long text", lambda: same(LONG))
    await saw("fifty calls at once", at_once)
    await saw("contents", contents)
    await saw("structured", structured)
    await saw("failure", failure)
    await saw("unknown tool", lambda: refused(peer.call("nothing", {})))
    await saw("missing argument", lambda: refused(peer.call("echo", {})))
    await saw("progress", progress)
    await saw("cancel", cancel)
    await saw("reconnect", lambda: said("reconnect"))
    await saw("elicit accept", lambda: said("elicit", {"answer": "accept"}))
    await saw("elicit decline", lambda: said("elicit", {"answer": "decline"}))
    await saw("elicit cancel", lambda: said("elicit", {"answer": "cancel"}))
    await saw("sample", lambda: said("sample"))
    await saw("roots", lambda: said("roots"))
    await saw("log", log)
    await saw("resources", lambda: sorted_names(peer.resources()))
    await saw("text", lambda: read("test://text"))
    await saw("blob", lambda: read("test://blob"))
    await saw("unknown resource", lambda: refused(peer.read("test://nothing")))
    await saw("templates", lambda: sorted_names(peer.templates()))
    await saw("item", lambda: read("test://item/7"))
    await saw("prompts", lambda: sorted_names(peer.prompts()))
    await saw("prompt", prompt)
    await saw("prompt without its argument", lambda: refused(peer.prompt("greet", {})))
    await saw("completion", lambda: peer.complete("greet", "name", "ad"))
    await saw("list change", lambda: hears("change", "tools"))
    await saw("update", lambda: hears("touch", WATCHED))
    if peer.revision < "2026":
        await saw("ping", peer.ping)
