// Engine.IO alone: text and binary messages.

import assert from "node:assert/strict";
import { once } from "node:events";
import { attach } from "engine.io";
import { Socket } from "engine.io-client";
import { httpServer } from "./server.mjs";

export async function serve() {
  const { server, port } = await httpServer();
  attach(server, { pingInterval: 300 }).on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
  return port;
}

export async function talk(url) {
  const socket = new Socket(url, { transports: ["websocket"] });
  await new Promise((done) => socket.once("open", done));
  const heard = () => new Promise((done) => socket.once("message", done));
  socket.send("hello");
  assert.equal(await heard(), "hello");
  socket.send(Buffer.from([1, 2, 3]));
  assert.deepEqual([...(await heard())], [1, 2, 3]);
  await new Promise((done) => socket.once("ping", done));
  socket.send("after the ping");
  await heard();
  socket.close();
}
