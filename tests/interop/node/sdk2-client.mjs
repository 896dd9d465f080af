// Plays the course (course.mjs) with the official TypeScript SDK 2.x, in any mode.

import { WATCHED, callbacks, ears, play, sdk, target, transport } from "./course.mjs";

const { Client, SSEClientTransport, StreamableHTTPClientTransport } = sdk("@modelcontextprotocol/client");
const { StdioClientTransport } = sdk("@modelcontextprotocol/client/stdio");

const aim = target();
const wire = transport(aim, {
    stdio: (server) => new StdioClientTransport(server),
    http: (url) => new StreamableHTTPClientTransport(url),
    sse: (url) => new SSEClientTransport(url),
});
const client = new Client(
    { name: "typescript-sdk-2", version: "1" },
    {
        capabilities: { elicitation: {}, sampling: {}, roots: {} },
        versionNegotiation: { mode: aim.mode === "modern" ? { pin: "2026-07-28" } : aim.mode },
    },
);
client.setRequestHandler("elicitation/create", callbacks.elicit);
client.setRequestHandler("sampling/createMessage", callbacks.sample);
client.setRequestHandler("roots/list", callbacks.roots);
client.setNotificationHandler("notifications/message", ({ params }) =>
    ears.logs.tell(`${params.level}: ${params.data}`),
);
client.setNotificationHandler("notifications/tools/list_changed", () => ears.changes.tell("tools"));
client.setNotificationHandler("notifications/resources/updated", ({ params }) => ears.changes.tell(params.uri));

await client.connect(wire);
const revision = client.getNegotiatedProtocolVersion();
const modern = revision >= "2026";
if (!modern) {
    await client.setLoggingLevel("info");
}
// In the modern era each request says which log messages it wants.
const wants = modern ? { _meta: { "io.modelcontextprotocol/logLevel": "info" } } : {};
await play(client, {
    revision,
    call: (params, options) => client.callTool({ ...params, ...wants }, options),
    watch: () =>
        modern
            ? client.listen({ toolsListChanged: true, resourceSubscriptions: [WATCHED] })
            : client.subscribeResource({ uri: WATCHED }),
});
