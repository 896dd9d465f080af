// Plays the course (course.mjs) with the official TypeScript SDK 1.x.

import { WATCHED, callbacks, ears, play, sdk, target, transport } from "./course.mjs";

const { Client } = sdk("@modelcontextprotocol/sdk/client/index.js");
const { StdioClientTransport } = sdk("@modelcontextprotocol/sdk/client/stdio.js");
const { StreamableHTTPClientTransport } = sdk("@modelcontextprotocol/sdk/client/streamableHttp.js");
const { SSEClientTransport } = sdk("@modelcontextprotocol/sdk/client/sse.js");
const { WebSocketClientTransport } = sdk("@modelcontextprotocol/sdk/client/websocket.js");
const types = sdk("@modelcontextprotocol/sdk/types.js");

const wire = transport(target(), {
    stdio: (server) => new StdioClientTransport(server),
    http: (url) => new StreamableHTTPClientTransport(url),
    sse: (url) => new SSEClientTransport(url),
    websocket: (url) => new WebSocketClientTransport(url),
});
const client = new Client(
    { name: "typescript-sdk-1", version: "1" },
    { capabilities: { elicitation: {}, sampling: {}, roots: {} } },
);
client.setRequestHandler(types.ElicitRequestSchema, callbacks.elicit);
client.setRequestHandler(types.CreateMessageRequestSchema, callbacks.sample);
client.setRequestHandler(types.ListRootsRequestSchema, callbacks.roots);
client.setNotificationHandler(types.LoggingMessageNotificationSchema, ({ params }) =>
    ears.logs.tell(`${params.level}: ${params.data}`),
);
client.setNotificationHandler(types.ToolListChangedNotificationSchema, () => ears.changes.tell("tools"));
client.setNotificationHandler(types.ResourceUpdatedNotificationSchema, ({ params }) => ears.changes.tell(params.uri));

let revision;
wire.setProtocolVersion = ((tell) => (version) => {
    revision = version;
    tell?.call(wire, version);
})(wire.setProtocolVersion);
await client.connect(wire);
await client.setLoggingLevel("info");
await play(client, {
    revision,
    call: (params, options) => client.callTool(params, undefined, options),
    watch: () => client.subscribeResource({ uri: WATCHED }),
});
