// Socket.IO, versions 2, 3 and 4 of the library: events, acknowledgements, namespaces, attachments.
// Variant `4-polling` begins by polling and moves to a WebSocket.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { httpServer } from "./server.mjs";

const require = createRequire(import.meta.url);
const suffix = (variant) => ({ 2: "-2", 3: "-3", 4: "" })[variant[0]];

export async function serve(variant) {
  const { server, port } = await httpServer();
  const io = require(`socket.io${suffix(variant)}`);
  const sockets = variant[0] === "2" ? io(server) : new io.Server(server);
  const greet = (socket) => {
    socket.on("echo", (value, number, answer) => answer(value, number));
    socket.on("upload", (octets, answer) => answer({ octets }));
    socket.on("join", (room) => {
      socket.join(room);
      socket.emit("joined", room);
    });
  };
  sockets.on("connection", greet);
  sockets.of("/chat").on("connection", greet);
  return port;
}

async function until(holds) {
  while (!holds()) await new Promise((done) => setTimeout(done, 10));
}

export async function talk(url, variant) {
  const io = require(`socket.io-client${suffix(variant)}`);
  const connect = variant[0] === "2" ? io : io.io;
  const transports = variant.endsWith("polling") ? ["polling", "websocket"] : ["websocket"];
  const socket = connect(url, { transports, forceNew: true });
  await until(() => socket.connected && socket.io.engine.transport.name === "websocket" && !socket.io.engine.upgrading);
  const chat = socket.io.socket("/chat");
  await until(() => chat.connected);
  const asked = (on, ...args) => new Promise((done) => on.emit(...args, (...answer) => done(answer)));
  assert.deepEqual(await asked(chat, "echo", { text: "hi 🙂" }, 7), [{ text: "hi 🙂" }, 7]);
  const [{ octets }] = await asked(socket, "upload", Buffer.from([1, 2, 3]));
  assert.deepEqual([...octets], [1, 2, 3]);
  const joined = new Promise((done) => socket.on("joined", done));
  socket.emit("join", "lobby");
  assert.equal(await joined, "lobby");
  chat.disconnect();
  socket.disconnect();
}
