// The Node library `ws` as a client: holds the conversation that it reads from a file.
// node ws_client.mjs URL FILE, where FILE holds {said, subprotocols, deflate, ca}.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import WebSocket from "ws";

const [url, file] = process.argv.slice(2);
const { said, subprotocols, chosen, deflate, ca } = JSON.parse(readFileSync(file, "utf8"));

const socket = new WebSocket(url, subprotocols, {
  perMessageDeflate: deflate ?? false,
  ca: ca ? readFileSync(ca) : undefined,
  maxPayload: 16 * 1024 * 1024,
});
const closed = once(socket, "close");
await once(socket, "open");
assert.equal(socket.protocol, chosen);

for (const step of said) await take(step);
const [code, reason] = await closed;
const last = said.at(-1);
assert.deepEqual([code, reason.toString()], [last.code, last.reason]);

async function take(step) {
  if (step.kind === "ping") {
    socket.ping(Buffer.from(step.data, "base64"));
    const [data] = await once(socket, "pong");
    assert.equal(data.toString("base64"), step.data);
  } else if (step.kind === "close") {
    socket.close(step.code, step.reason);
  } else if (step.kind === "ask_close") {
    socket.send(`close ${step.code} ${step.reason}`);
  } else {
    const parts = step.parts.map((part) => Buffer.from(part, "base64"));
    const binary = step.kind === "binary";
    parts.forEach((part, i) => socket.send(part, { binary, fin: i === parts.length - 1 }));
    const [data, isBinary] = await once(socket, "message");
    assert.equal(isBinary, binary);
    assert.ok(data.equals(Buffer.concat(parts)), `the echo of a ${step.kind} message of ${parts.length} parts`);
  }
}
