// A server made with the official TypeScript SDK 2.x that echoes, for the benchmarks: without sessions.
//
// `MCP_SDK=FILE node echo-server.mjs --address 127.0.0.1:0` says on stderr where it listens (the endpoint is `/mcp`);
// `--stdio` speaks on its streams. FILE is any file of an installed @modelcontextprotocol/server with
// @modelcontextprotocol/node beside it; micro-test's `Tool::Sdk2.install()` is one, and `Tool::Node.install()` is Node.

import { sdk, serve, text } from "./serving.mjs";

const { McpServer, createMcpHandler } = sdk("@modelcontextprotocol/server");
const { serveStdio } = sdk("@modelcontextprotocol/server/stdio");
const { toNodeHandler } = sdk("@modelcontextprotocol/node");
const { z } = sdk("zod");

function makeServer() {
    const server = new McpServer({ name: "echo", version: "1" });
    const inputSchema = z.object({ message: z.string() });
    server.registerTool("echo", { description: "Returns the message.", inputSchema }, ({ message }) => text(message));
    return server;
}

await serve(() => serveStdio(makeServer), toNodeHandler(createMcpHandler(makeServer)));
