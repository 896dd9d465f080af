// The course of the contract (tests/it/contract.rs), played by a TypeScript client: one line of JSON for each sentence.
//
// `DRIVER --mode legacy|auto|modern URL`, or `--stdio` and a command instead of the URL. $MCP_SDK is a file of the
// installed SDK.

import { createRequire } from "node:module";

/** Loads a module of the SDK under test. */
export const sdk = createRequire(process.env.MCP_SDK);

const PATIENCE = 20_000;
// How long to wait for news before what makes the server tell is done again: over HTTP a server of the session era
// that has news before the client's stream is there keeps them to itself.
const NEWS = 2_000;
// What careless framing breaks: line ends of all kinds, quotes, characters of four bytes, a null.
const ODD = 'a\r\nb\n\nc\u2028d\u2029"\\\t\u0000é🦀data: x\nid: 1';
const LONG = "lang ".repeat(60_000);
export const WATCHED = "test://watched";

/** How the driver was started. */
export function target() {
    const [flag, mode, ...rest] = process.argv.slice(2);
    if (flag !== "--mode" || rest.length === 0) {
        throw new Error("give --mode MODE and a URL, or --stdio and a command");
    }
    const [command, ...args] = rest[0] === "--stdio" ? rest.slice(1) : [];
    return { mode, url: command === undefined ? new URL(rest[0]) : undefined, command, args };
}

/** Of `{ stdio, http, sse, websocket }`, each of which makes a transport, the one for a target. */
export function transport({ url, command, args }, make) {
    if (url === undefined) {
        return make.stdio({ command, args });
    }
    if (url.protocol === "ws:") {
        return make.websocket(url);
    }
    return url.pathname === "/sse" ? make.sse(url) : make.http(url);
}

/** What the server said without being asked. */
class News {
    #heard = [];
    #wake = () => {};

    tell(word) {
        this.#heard.push(word);
        this.#wake();
    }

    /** Waits for a word, for a while. */
    async hear(word) {
        const late = new Promise((resolve) => setTimeout(resolve, NEWS, "late").unref());
        for (;;) {
            const at = this.#heard.indexOf(word);
            if (at >= 0) {
                this.#heard.splice(0, at + 1);
                return true;
            }
            const woken = new Promise((resolve) => {
                this.#wake = resolve;
            });
            if ((await Promise.race([late, woken])) === "late") {
                return false;
            }
        }
    }
}

/** Filled by the callbacks of a client. */
export const ears = { logs: new News(), changes: new News() };

/** The client's user, model and roots. */
export const callbacks = {
    elicit: ({ params }) =>
        params.message === "accept" ? { action: "accept", content: { name: "ada" } } : { action: params.message },
    sample: () => ({ role: "assistant", model: "toy", content: { type: "text", text: "pong" } }),
    roots: () => ({ roots: [{ uri: "file:///work" }] }),
};

/** A block of content in short. */
function content(block) {
    switch (block.type) {
        case "text":
            return `text ${block.text}`;
        case "resource":
            return `resource ${block.resource.uri} ${block.resource.text}`;
        case "resource_link":
            return `resource_link ${block.uri}`;
        default:
            return `${block.type} ${block.mimeType} ${block.data}`;
    }
}

/** Every item of a list, all pages of it. */
async function every(listPage, items) {
    let page = await listPage();
    const all = page[items];
    while (page.nextCursor !== undefined) {
        page = await listPage({ cursor: page.nextCursor });
        all.push(...page[items]);
    }
    return all;
}

async function saw(sentence, work) {
    const late = new Promise((resolve) => setTimeout(resolve, PATIENCE, "error: no answer in time").unref());
    let seen;
    try {
        seen = await Promise.race([late, work()]);
    } catch (error) {
        seen = Number.isInteger(error.code) ? `error ${error.code}` : `error: ${error.message}`;
    }
    console.log(JSON.stringify({ sentence, saw: seen }));
}

/**
 * Plays it. `client` is the SDK's; what differs between SDKs is in `peer`: `revision`, `call(params, options)`,
 * `watch()`.
 */
export async function play(client, peer) {
    const call = (name, args = {}, options = {}) => peer.call({ name, arguments: args }, options);
    const said = async (name, args) => (await call(name, args)).content[0].text;
    const same = async (message) => {
        const echoed = await said("echo", { message });
        return echoed === message ? "ok" : echoed.slice(0, 100);
    };
    const refused = async (work) => {
        try {
            const result = await work;
            return result.isError ? "refused" : result;
        } catch (error) {
            if (Number.isInteger(error.code)) {
                return "refused";
            }
            throw error;
        }
    };
    const read = async (uri) => {
        const [contents] = (await client.readResource({ uri })).contents;
        return contents.blob ?? contents.text;
    };
    const hears = async (tool, word) => {
        for (let attempt = 0; attempt < 3; attempt += 1) {
            await call(tool);
            if (await ears.changes.hear(word)) {
                return word;
            }
        }
        return "nothing";
    };

    await saw("revision", async () => peer.revision);
    await saw("tools", async () => 
        (await every((params) => client.listTools(params), "tools")).map((tool) => tool.name).sort(),
    );
    await saw("echo", () => said("echo", { message: "hello" }));
    await saw("echo of odd text", () => same(ODD));
    await saw("echo of a long text", () => same(LONG));
    await saw("fifty calls at once", async () => {
        const all = await Promise.all(Array.from({ length: 50 }, (_, number) => same(String(number))));
        return all.every((answer) => answer === "ok") ? "ok" : all;
    });
    await saw("contents", async () => (await call("contents")).content.map(content));
    await saw("structured", async () => (await call("add", { a: 1, b: 2 })).structuredContent);
    await saw("failure", async () => {
        const result = await call("fail");
        return result.isError && result.content[0].text.includes("broken") ? "broken" : result;
    });
    await saw("unknown tool", () => refused(call("nothing")));
    await saw("missing argument", () => refused(call("echo")));
    await saw("progress", async () => {
        const steps = [];
        await call("progress", {}, { onprogress: ({ progress, total }) => steps.push(`${progress}/${total}`) });
        return steps;
    });
    await saw("cancel", async () => {
        const abort = new AbortController();
        const options = { signal: abort.signal, onprogress: () => abort.abort() };
        await call("slow", {}, options).catch(() => {});
        return said("cancelled");
    });
    await saw("reconnect", () => said("reconnect"));
    await saw("elicit accept", () => said("elicit", { answer: "accept" }));
    await saw("elicit decline", () => said("elicit", { answer: "decline" }));
    await saw("elicit cancel", () => said("elicit", { answer: "cancel" }));
    await saw("sample", () => said("sample"));
    await saw("roots", () => said("roots"));
    await saw("log", async () => {
        await call("log");
        return (await ears.logs.hear("info: hello")) ? "info: hello" : "nothing";
    });
    await saw("resources", async () => (await client.listResources()).resources.map((one) => one.uri).sort());
    await saw("text", () => read("test://text"));
    await saw("blob", () => read("test://blob"));
    await saw("unknown resource", () => refused(read("test://nothing")));
    await saw("templates", async () =>
        (await client.listResourceTemplates()).resourceTemplates.map((one) => one.uriTemplate),
    );
    await saw("item", () => read("test://item/7"));
    await saw("prompts", async () => (await client.listPrompts()).prompts.map((prompt) => prompt.name));
    await saw("prompt", async () => {
        const [message] = (await client.getPrompt({ name: "greet", arguments: { name: "ada" } })).messages;
        return `${message.role}: ${message.content.text}`;
    });
    await saw("prompt without its argument", () => refused(client.getPrompt({ name: "greet", arguments: {} })));
    await saw("completion", async () => {
        const ref = { type: "ref/prompt", name: "greet" };
        return (await client.complete({ ref, argument: { name: "name", value: "ad" } })).completion.values;
    });
    await saw("list change", async () => {
        await peer.watch();
        return hears("change", "tools");
    });
    await saw("update", () => hears("touch", WATCHED));
    if (peer.revision < "2026") {
        await saw("ping", async () => {
            await client.ping();
            return "pong";
        });
    }
    await client.close();
}
