// STOMP: @stomp/stompjs with a small broker. Variant `split` cuts large frames into several messages.

import assert from "node:assert/strict";
import { Client } from "@stomp/stompjs";
import WebSocket from "ws";
import { webSocketServer, webSocketUrl } from "./server.mjs";

export const serve = () => webSocketServer(broker, ["v12.stomp", "v11.stomp", "v10.stomp"]);

// Knows CONNECT, SUBSCRIBE, SEND, ACK and DISCONNECT, and sends what is sent to whoever subscribed.
export function broker(socket) {
  const send = (command, headers, body = "") => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
    socket.send(`${command}\n${lines.join("")}\n${body}\0`);
  };
  const subscriptions = new Map();
  let held = "";
  let count = 0;
  socket.on("message", (data) => {
    held += data.toString();
    for (let end; (end = held.indexOf("\0")) >= 0; held = held.slice(end + 1)) {
      const [head, ...body] = held.slice(0, end).replace(/^\n+/, "").split("\n\n");
      const [command, ...lines] = head.split("\n");
      const headers = Object.fromEntries(lines.map((line) => line.split(/:(.*)/s).slice(0, 2)));
      if (command === "CONNECT") send("CONNECTED", { version: "1.2", server: "small/1", "heart-beat": "0,0" });
      if (command === "SUBSCRIBE") subscriptions.set(headers.destination, headers.id);
      if (command === "SEND" && subscriptions.has(headers.destination)) {
        count += 1;
        const subscription = subscriptions.get(headers.destination);
        const known = { subscription, "message-id": count, ack: `a${count}`, destination: headers.destination };
        send("MESSAGE", { ...known, "content-type": "text/plain" }, body.join("\n\n"));
      }
      if (headers.receipt) send("RECEIPT", { "receipt-id": headers.receipt });
    }
  });
}

export async function talk(url, variant) {
  await converse(() => new WebSocket(webSocketUrl(url), ["v12.stomp", "v11.stomp"]), variant === "split");
}

export async function converse(webSocketFactory, splitLargeFrames = false) {
  const client = new Client({
    webSocketFactory,
    splitLargeFrames,
    maxWebSocketChunkSize: 64,
    reconnectDelay: 0,
    heartbeatIncoming: 0,
    heartbeatOutgoing: 0,
    connectHeaders: { login: "ada", passcode: "secret" },
  });
  const connected = new Promise((done) => (client.onConnect = done));
  client.activate();
  await connected;
  const heard = new Promise((done) => client.subscribe("/queue/a", done, { id: "s1", ack: "client-individual" }));
  const received = new Promise((done) => client.watchForReceipt("r1", done));
  const body = "hello ".repeat(40);
  client.publish({ destination: "/queue/a", body, headers: { receipt: "r1", "content-type": "text/plain" } });
  const message = await heard;
  assert.equal(message.body, body);
  await received;
  message.ack({ receipt: "r2" });
  await new Promise((done) => client.watchForReceipt("r2", done));
  client.unsubscribe("s1");
  await client.deactivate();
}
