// The contract (tests/it/contract.rs), served by the official TypeScript SDK 1.x.

import { Cancelled, contents, names, sdk, serve, sessions, streams, text } from "./serving.mjs";

const { McpServer, ResourceTemplate } = sdk("@modelcontextprotocol/sdk/server/mcp.js");
const { completable } = sdk("@modelcontextprotocol/sdk/server/completable.js");
const { SSEServerTransport } = sdk("@modelcontextprotocol/sdk/server/sse.js");
const { StdioServerTransport } = sdk("@modelcontextprotocol/sdk/server/stdio.js");
const { StreamableHTTPServerTransport } = sdk("@modelcontextprotocol/sdk/server/streamableHttp.js");
const { ListRootsResultSchema, SubscribeRequestSchema, UnsubscribeRequestSchema } = sdk(
    "@modelcontextprotocol/sdk/types.js",
);
const { z } = sdk("zod");

const cancelled = new Cancelled();

function makeServer() {
    const server = new McpServer(
        { name: "typescript-sdk-1", version: "1" },
        { capabilities: { logging: {}, resources: { subscribe: true } } },
    );
    const related = (extra) => ({ relatedRequestId: extra.requestId });
    const progress = async (extra, progress, total) => {
        const progressToken = extra._meta?.progressToken;
        if (progressToken !== undefined) {
            const params = { progressToken, progress, total };
            await extra.sendNotification({ method: "notifications/progress", params });
        }
    };

    server.registerTool("echo", { inputSchema: { message: z.string() } }, ({ message }) => text(message));
    server.registerTool(
        "add",
        { inputSchema: { a: z.number(), b: z.number() }, outputSchema: { sum: z.number() } },
        ({ a, b }) => ({ ...text(JSON.stringify({ sum: a + b })), structuredContent: { sum: a + b } }),
    );
    server.registerTool("contents", {}, () => contents);
    server.registerTool("fail", {}, () => {
        throw new Error("broken");
    });
    server.registerTool("progress", {}, async (extra) => {
        for (const step of [1, 2, 3]) {
            await progress(extra, step, 3);
        }
        return text("done");
    });
    server.registerTool("slow", {}, async (extra) => {
        await progress(extra, 1, 2);
        return text(await cancelled.slow(extra.signal));
    });
    server.registerTool("cancelled", {}, async () => text(await cancelled.noticed()));
    server.registerTool("reconnect", {}, () => text("resumed"));
    server.registerTool("elicit", { inputSchema: { answer: z.string() } }, async ({ answer }, extra) => {
        const requestedSchema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
        const result = await server.server.elicitInput({ message: answer, requestedSchema }, related(extra));
        return text(result.action === "accept" ? `accept ${result.content.name}` : result.action);
    });
    server.registerTool("sample", {}, async (extra) => {
        const messages = [{ role: "user", content: { type: "text", text: "ping" } }];
        const result = await server.server.createMessage({ messages, maxTokens: 10 }, related(extra));
        return text(`${result.model}: ${result.content.text}`);
    });
    server.registerTool("roots", {}, async (extra) => {
        const { roots } = await extra.sendRequest({ method: "roots/list" }, ListRootsResultSchema);
        return text(roots.map((root) => root.uri).join(", "));
    });
    server.registerTool("log", {}, async (extra) => {
        const params = { level: "info", data: "hello" };
        await extra.sendNotification({ method: "notifications/message", params });
        return text("logged");
    });
    server.registerTool("change", {}, () => {
        server.sendToolListChanged();
        return text("changed");
    });
    server.registerTool("touch", {}, async () => {
        await server.server.sendResourceUpdated({ uri: "test://watched" });
        return text("touched");
    });

    const read = (contents) => (uri, variables) => ({ contents: [{ uri: uri.href, ...contents(variables) }] });
    server.registerResource("text", "test://text", {}, read(() => ({ text: "hello" })));
    server.registerResource("blob", "test://blob", {}, read(() => ({ blob: "AAEC" })));
    server.registerResource("watched", "test://watched", {}, read(() => ({ text: "watch me" })));
    const item = new ResourceTemplate("test://item/{id}", { list: undefined });
    server.registerResource("item", item, {}, read(({ id }) => ({ text: `item ${id}` })));
    server.server.setRequestHandler(SubscribeRequestSchema, () => ({}));
    server.server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));

    const name = completable(z.string(), (typed) => names.filter((name) => name.startsWith(typed)));
    server.registerPrompt("greet", { argsSchema: { name } }, ({ name }) => ({
        messages: [{ role: "user", content: { type: "text", text: `Hello, ${name}!` } }],
    }));
    return server;
}

await serve(
    () => makeServer().connect(new StdioServerTransport()),
    sessions(StreamableHTTPServerTransport, makeServer),
    streams(SSEServerTransport, makeServer),
);
