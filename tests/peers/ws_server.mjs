// The Node library `ws` as an echo server on a free port, which it prints.
// node ws_server.mjs FILE, where FILE holds {chosen, deflate, cert, key}.

import { createServer as createPlain } from "node:http";
import { createServer as createTls } from "node:https";
import { readFileSync } from "node:fs";
import { WebSocketServer } from "ws";

const { chosen, deflate, cert, key } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const http = cert ? createTls({ cert: readFileSync(cert), key: readFileSync(key) }) : createPlain();
const server = new WebSocketServer({
  server: http,
  perMessageDeflate: deflate ?? false,
  handleProtocols: (offered) => (offered.has(chosen) ? chosen : false),
  maxPayload: 16 * 1024 * 1024,
});

server.on("connection", (socket) => {
  socket.on("error", (fault) => console.error(fault.message));
  socket.on("message", (data, binary) => {
    const text = binary ? "" : data.toString();
    const close = /^close (\d+) (.*)$/.exec(text);
    if (close) {
      socket.close(Number(close[1]), close[2]);
    } else if (text.startsWith("ping me ")) {
      socket.ping(text.slice("ping me ".length));
      socket.once("pong", () => socket.send(data, { binary }));
    } else {
      socket.send(data, { binary });
    }
  });
});
http.listen(0, "127.0.0.1", () => console.log(`listening on 127.0.0.1:${http.address().port}`));
