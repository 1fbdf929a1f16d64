// Socket.IO as server and as client: node socket_io.mjs serve | node socket_io.mjs URL.
// The client begins with polling and upgrades to WebSocket, as it does by default.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";

if (process.argv[2] === "serve") {
  const { Server } = await import("socket.io");
  const http = createServer();
  new Server(http).on("connection", (socket) => {
    socket.on("say", (text, octets, answer) => answer(`${text.toUpperCase()} ${octets.length}`));
    socket.on("leave", () => socket.disconnect());
  });
  http.listen(0, "127.0.0.1", () => console.log(`127.0.0.1:${http.address().port}`));
} else {
  const { io } = await import("socket.io-client");
  const socket = io(process.argv[2], { reconnection: false });
  await once(socket, "connect");
  // On a busy machine it has moved before it says that it is connected.
  if (socket.io.engine.transport.name !== "websocket") await once(socket.io.engine, "upgrade");
  for (const text of ["hello", "grüße 🙂", "x".repeat(20_000)]) {
    const octets = Buffer.alloc(text.length, 7);
    assert.equal(await socket.emitWithAck("say", text, octets), `${text.toUpperCase()} ${octets.length}`);
  }
  const gone = once(socket, "disconnect");
  socket.emit("leave");
  await gone;
}
