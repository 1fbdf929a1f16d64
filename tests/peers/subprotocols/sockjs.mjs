// SockJS: sockjs-client with the Node server. Variant `stomp` carries STOMP, `xhr-streaming` goes without WebSocket.

import assert from "node:assert/strict";
import sockjs from "sockjs";
import SockJS from "sockjs-client";
import { httpServer } from "./server.mjs";
import { broker, converse } from "./stompjs.mjs";

export async function serve(variant) {
  const { server, port } = await httpServer();
  server.removeAllListeners("request");
  const echo = sockjs.createServer({ log: () => {} });
  echo.on("connection", (connection) => {
    if (variant === "stomp") {
      connection.send = (text) => connection.write(text);
      connection.on("data", (text) => connection.emit("message", text));
      broker(connection);
    } else {
      connection.on("data", (text) => (text === "bye" ? connection.close(3000, "Go away!") : connection.write(text)));
    }
  });
  echo.installHandlers(server, { prefix: "/echo" });
  return port;
}

export async function talk(url, variant) {
  const transports = variant === "xhr-streaming" ? variant : "websocket";
  const connect = () => new SockJS(`${url}/echo`, null, { transports });
  if (variant === "stomp") return converse(connect);
  const socket = connect();
  await new Promise((done) => (socket.onopen = done));
  const heard = () => new Promise((done) => (socket.onmessage = (event) => done(event.data)));
  socket.send("hello 🙂");
  assert.equal(await heard(), "hello 🙂");
  const closed = new Promise((done) => (socket.onclose = done));
  socket.send("bye");
  assert.equal((await closed).code, 3000);
}
