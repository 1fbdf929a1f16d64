// SignalR: @microsoft/signalr with a small hub. The variant names the protocol: json, messagepack.

import assert from "node:assert/strict";
import { HttpTransportType, HubConnectionBuilder, JsonHubProtocol, LogLevel } from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { decode } from "@msgpack/msgpack";
import { webSocketServer } from "./server.mjs";

const protocolOf = (variant) => (variant === "json" ? new JsonHubProtocol() : new MessagePackHubProtocol());
const END = "\u001e";

export function serve(variant) {
  const protocol = protocolOf(variant);
  return webSocketServer((socket) => {
    const send = (message) => socket.send(protocol.writeMessage(message));
    let isOpen = false;
    const on = {
      1: ({ target, arguments: args, invocationId }) => {
        if (target === "Fail") return send({ type: 3, invocationId, error: "as you asked" });
        if (invocationId) send({ type: 3, invocationId, result: args[0] + args[1] });
        else send({ type: 1, target: "Heard", arguments: args });
      },
      4: ({ invocationId, arguments: [count] }) => {
        for (let item = 1; item <= count; item += 1) send({ type: 2, invocationId, item });
        send({ type: 3, invocationId });
      },
    };
    socket.on("message", (data, isBinary) => {
      if (!isOpen) {
        isOpen = true;
        socket.send(Buffer.from(`{}${END}`), { binary: variant !== "json" });
        return send({ type: 6 });
      }
      for (const message of isBinary ? unpack(data) : unjoin(data.toString())) on[message.type]?.(message);
    });
  });
}

// The library's own reader is one of a client, which no stream is asked of.
const unjoin = (text) => text.split(END).filter(Boolean).map((record) => JSON.parse(record));

function unpack(data) {
  const messages = [];
  for (let at = 0; at < data.length; ) {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      length |= (data[at] & 0x7f) << shift;
      if (data[at++] < 0x80) break;
    }
    const [type, , invocationId, target, args] = decode(data.subarray(at, at + length));
    messages.push({ type, invocationId, target, arguments: args });
    at += length;
  }
  return messages;
}

export async function talk(url, variant) {
  const hub = new HubConnectionBuilder()
    .withUrl(`${url}/hub`, { skipNegotiation: true, transport: HttpTransportType.WebSockets })
    .withHubProtocol(protocolOf(variant))
    .configureLogging(LogLevel.None)
    .build();
  const heard = new Promise((done) => hub.on("Heard", done));
  await hub.start();
  assert.equal(await hub.invoke("Add", 23, 7), 30);
  await assert.rejects(hub.invoke("Fail"));
  await hub.send("Say", "hello");
  assert.equal(await heard, "hello");
  const items = [];
  await new Promise((complete, error) => hub.stream("Count", 3).subscribe({ next: (item) => items.push(item), complete, error }));
  assert.deepEqual(items, [1, 2, 3]);
  await hub.stop();
}
