// JSON-RPC 2.0: rpc-websockets, client and server.

import assert from "node:assert/strict";
import { once } from "node:events";
import { Client, Server } from "rpc-websockets";
import WebSocket from "ws";
import { webSocketUrl } from "./server.mjs";

export async function serve() {
  const server = new Server({ port: 0, host: "127.0.0.1" });
  server.register("sum", ([left, right]) => left + right);
  await once(server, "listening");
  return server.wss.address().port;
}

export async function talk(url) {
  const client = new Client(webSocketUrl(url));
  await new Promise((done) => client.on("open", done));
  assert.equal(await client.call("sum", [5, 3]), 8);
  await assert.rejects(client.call("nothing", { a: 1 }).catch((error) => Promise.reject(new Error(error.message))));
  client.close();
  // The library sends no batches: one by hand.
  const socket = new WebSocket(webSocketUrl(url));
  await once(socket, "open");
  const call = (id, ...params) => ({ jsonrpc: "2.0", method: "sum", params, id });
  socket.send(JSON.stringify([call("a", 1, 2), call("b", 3, 4)]));
  const [answer] = await once(socket, "message");
  assert.deepEqual(JSON.parse(answer).map(({ result }) => result), [3, 7]);
  socket.close();
  await once(socket, "close");
}
