// What the servers share: a port of the system's choice, and a WebSocket server of `ws` on it.

import { once } from "node:events";
import http from "node:http";
import { WebSocketServer } from "ws";

// An HTTP server that listens on 127.0.0.1.
export async function httpServer() {
  const server = http.createServer((_, response) => response.writeHead(404).end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: server.address().port };
}

// Calls `connected` with each WebSocket; answers with the first subprotocol of `protocols` that is offered.
export async function webSocketServer(connected, protocols = []) {
  const { server, port } = await httpServer();
  const handleProtocols = (offered) => protocols.find((name) => offered.has(name)) ?? false;
  new WebSocketServer({ server, handleProtocols }).on("connection", connected);
  return port;
}

export const webSocketUrl = (url) => url.replace(/^http/, "ws");
