// How each server of this folder is started: `--address HOST:PORT`, where port 0 takes a free one, or `--stdio`.
// Over HTTP the endpoint is `/mcp`, or with `--sse`, in the first HTTP transport, `/sse`; where it listens is said on
// stderr. $MCP_SDK is a file of the installed SDK.

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";

/** Loads a module of the SDK under test. */
export const sdk = createRequire(process.env.MCP_SDK);

/** Runs `stdio()`, or an HTTP server whose requests go to `http(request, response)` or `sse(request, response)`. */
export async function serve(stdio, http, sse) {
    const [front, address, transport] = process.argv.slice(2);
    if (front === "--stdio") {
        return stdio();
    }
    if (front !== "--address") {
        throw new Error("give --address HOST:PORT or --stdio");
    }
    const [, host, port] = /^(.*):(\d+)$/.exec(address);
    const server = createServer((request, response) => {
        (transport === "--sse" ? sse : http)(request, response).catch((error) => {
            console.error(error);
            response.writeHead(500).end();
        });
    });
    server.listen(Number(port), host, () => {
        console.error(`listening on http://${host}:${server.address().port}/${transport === "--sse" ? "sse" : "mcp"}`);
    });
}

/** An HTTP front that keeps a server for each session. */
export function sessions(Transport, makeServer) {
    const open = new Map();
    return async (request, response, body) => {
        let transport = open.get(request.headers["mcp-session-id"]);
        if (transport === undefined) {
            transport = new Transport({
                sessionIdGenerator: randomUUID,
                onsessioninitialized: (id) => open.set(id, transport),
                onsessionclosed: (id) => open.delete(id),
            });
            await makeServer().connect(transport);
        }
        await transport.handleRequest(request, response, body);
    };
}

/** A front of the first HTTP transport: a GET opens a stream, and POSTs name it. */
export function streams(Transport, makeServer) {
    const open = new Map();
    return async (request, response) => {
        const { searchParams } = new URL(request.url, "http://localhost");
        if (request.method === "POST" && searchParams.has("sessionId")) {
            return open.get(searchParams.get("sessionId")).handlePostMessage(request, response);
        }
        if (request.method !== "GET") {
            return response.writeHead(405).end();
        }
        const transport = new Transport("/messages", response);
        open.set(transport.sessionId, transport);
        response.on("close", () => open.delete(transport.sessionId));
        await makeServer().connect(transport);
    };
}

/** What a `slow` tool and a `cancelled` one share. */
export class Cancelled {
    #count = 0;
    #waiting = [];

    /** Waits to be cancelled. */
    slow(signal) {
        return new Promise((resolve) => {
            const timer = setTimeout(() => resolve("nobody cancelled"), 60_000);
            signal.addEventListener("abort", () => {
                clearTimeout(timer);
                this.#count += 1;
                this.#waiting.splice(0).forEach((wake) => wake());
                resolve("cancelled");
            });
        });
    }

    /** Waits until somebody was cancelled. */
    async noticed() {
        if (this.#count === 0) {
            const late = new Promise((resolve) => setTimeout(resolve, 10_000).unref());
            await Promise.race([late, new Promise((wake) => this.#waiting.push(wake))]);
        }
        const noticed = this.#count > 0;
        this.#count = 0;
        return noticed ? "cancelled" : "nothing was cancelled";
    }
}

export const text = (text) => ({ content: [{ type: "text", text }] });

/** One of each kind of content. */
export const contents = {
    content: [
        { type: "text", text: "hello" },
        { type: "image", mimeType: "image/png", data: "AAEC" },
        { type: "audio", mimeType: "audio/wav", data: "AAEC" },
        { type: "resource", resource: { uri: "test://text", text: "hello" } },
        { type: "resource_link", uri: "test://text", name: "text" },
    ],
};
export const names = ["ada", "adam", "eve"];
