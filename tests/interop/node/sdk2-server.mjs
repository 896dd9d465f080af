// The contract (tests/it/contract.rs), served by the official TypeScript SDK 2.x in both eras.

import { Cancelled, contents, names, sdk, serve, sessions, text } from "./serving.mjs";

const { McpServer, ResourceTemplate, completable, createMcpHandler, inputRequired, inputResponse, isLegacyRequest } =
    sdk("@modelcontextprotocol/server");
const { serveStdio } = sdk("@modelcontextprotocol/server/stdio");
const { NodeStreamableHTTPServerTransport, toNodeHandler, toWebRequest } = sdk("@modelcontextprotocol/node");
const { z } = sdk("zod");

const cancelled = new Cancelled();
const nothing = z.object({});

/** `notify` tells those who listen: the HTTP handler's, or by default the server itself. */
function makeServer(notify) {
    const server = new McpServer(
        { name: "typescript-sdk-2", version: "1" },
        { capabilities: { logging: {}, resources: { subscribe: true } } },
    );
    const progress = async (ctx, progress, total) => {
        const progressToken = ctx.mcpReq._meta?.progressToken;
        if (progressToken !== undefined) {
            const params = { progressToken, progress, total };
            await ctx.mcpReq.notify({ method: "notifications/progress", params });
        }
    };
    /** A tool that asks the client: by a request in the session era, by another round in the modern one. */
    const asking = (question, answer) => async (args, ctx) => {
        const response = inputResponse(ctx.mcpReq.inputResponses, "question");
        if (response.kind === "missing") {
            return inputRequired({ inputRequests: { question: question(args) } });
        }
        return text(answer(response));
    };

    server.registerTool("echo", { inputSchema: z.object({ message: z.string() }) }, ({ message }) => text(message));
    server.registerTool(
        "add",
        {
            inputSchema: z.object({ a: z.number(), b: z.number() }),
            outputSchema: z.object({ sum: z.number() }),
        },
        ({ a, b }) => ({ ...text(JSON.stringify({ sum: a + b })), structuredContent: { sum: a + b } }),
    );
    server.registerTool("contents", { inputSchema: nothing }, () => contents);
    server.registerTool("fail", { inputSchema: nothing }, () => {
        throw new Error("broken");
    });
    server.registerTool("progress", { inputSchema: nothing }, async (_, ctx) => {
        for (const step of [1, 2, 3]) {
            await progress(ctx, step, 3);
        }
        return text("done");
    });
    server.registerTool("slow", { inputSchema: nothing }, async (_, ctx) => {
        await progress(ctx, 1, 2);
        return text(await cancelled.slow(ctx.mcpReq.signal));
    });
    server.registerTool("cancelled", { inputSchema: nothing }, async () => text(await cancelled.noticed()));
    server.registerTool("reconnect", { inputSchema: nothing }, () => text("resumed"));
    server.registerTool(
        "elicit",
        { inputSchema: z.object({ answer: z.string() }) },
        asking(
            ({ answer }) => inputRequired.elicit({ message: answer, requestedSchema: z.object({ name: z.string() }) }),
            ({ action, content }) => (action === "accept" ? `accept ${content.name}` : action),
        ),
    );
    const messages = [{ role: "user", content: { type: "text", text: "ping" } }];
    server.registerTool(
        "sample",
        { inputSchema: nothing },
        asking(
            () => inputRequired.createMessage({ messages, maxTokens: 10 }),
            ({ result }) => `${result.model}: ${result.content.text}`,
        ),
    );
    server.registerTool(
        "roots",
        { inputSchema: nothing },
        asking(
            () => inputRequired.listRoots(),
            ({ roots }) => roots.map((root) => root.uri).join(", "),
        ),
    );
    server.registerTool("log", { inputSchema: nothing }, async (_, ctx) => {
        await ctx.mcpReq.log("info", "hello");
        return text("logged");
    });
    server.registerTool("change", { inputSchema: nothing }, () => {
        notify ? notify.toolsChanged() : server.sendToolListChanged();
        return text("changed");
    });
    server.registerTool("touch", { inputSchema: nothing }, async () => {
        const uri = "test://watched";
        await (notify ? notify.resourceUpdated(uri) : server.server.sendResourceUpdated({ uri }));
        return text("touched");
    });

    const read = (contents) => (uri, variables) => ({ contents: [{ uri: uri.href, ...contents(variables) }] });
    server.registerResource("text", "test://text", {}, read(() => ({ text: "hello" })));
    server.registerResource("blob", "test://blob", {}, read(() => ({ blob: "AAEC" })));
    server.registerResource("watched", "test://watched", {}, read(() => ({ text: "watch me" })));
    const item = new ResourceTemplate("test://item/{id}", { list: undefined });
    server.registerResource("item", item, {}, read(({ id }) => ({ text: `item ${id}` })));
    server.server.setRequestHandler("resources/subscribe", () => ({}));
    server.server.setRequestHandler("resources/unsubscribe", () => ({}));

    const name = completable(z.string(), (typed) => names.filter((name) => name.startsWith(typed)));
    server.registerPrompt("greet", { argsSchema: z.object({ name }) }, ({ name }) => ({
        messages: [{ role: "user", content: { type: "text", text: `Hello, ${name}!` } }],
    }));
    return server;
}

const modern = createMcpHandler(() => makeServer(modern.notify), { legacy: "reject" });
const serveModern = toNodeHandler(modern);
const serveLegacy = sessions(NodeStreamableHTTPServerTransport, () => makeServer());

async function http(request, response) {
    const chunks = await Array.fromAsync(request);
    const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : undefined;
    const legacy = await isLegacyRequest(await toWebRequest(request, body));
    await (legacy ? serveLegacy : serveModern)(request, response, body);
}

await serve(() => serveStdio(() => makeServer()), http);
