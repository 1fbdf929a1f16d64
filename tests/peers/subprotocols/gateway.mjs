// Routes as AWS API Gateway has them: `ws` on both ends, with the gateway's own error.

import assert from "node:assert/strict";
import { once } from "node:events";
import WebSocket from "ws";
import { webSocketServer, webSocketUrl } from "./server.mjs";

export function serve() {
  return webSocketServer((socket) =>
    socket.on("message", (data) => {
      const { action, data: sent } = JSON.parse(data);
      const fault = { message: "Forbidden", connectionId: "L0SM9cOFvHcCIhw=", requestId: "L0SNxFEyvHcFh4g=" };
      socket.send(JSON.stringify(action === "sendmessage" ? { from: "ada", data: sent } : fault));
    }),
  );
}

export async function talk(url) {
  const socket = new WebSocket(webSocketUrl(url));
  await once(socket, "open");
  for (const action of ["sendmessage", "nothing"]) {
    socket.send(JSON.stringify({ action, data: "hello" }));
    const [answer] = await once(socket, "message");
    assert.ok(JSON.parse(answer));
  }
  socket.close();
  await once(socket, "close");
}
