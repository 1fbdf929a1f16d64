// Phoenix channels: the library's client with a small server. The variant is the serializer's version.

import assert from "node:assert/strict";
import { Socket } from "phoenix";
import WebSocket from "ws";
import { webSocketServer, webSocketUrl } from "./server.mjs";

export function serve(variant) {
  return webSocketServer((socket) => {
    const send = (joinRef, ref, topic, event, payload) =>
      socket.send(JSON.stringify(
        variant === "1" ? { topic, event, payload, ref, join_ref: joinRef } : [joinRef, ref, topic, event, payload],
      ));
    socket.on("message", (data, isBinary) => {
      if (isBinary) {
        // A reply to the binary push, as text; and a binary broadcast.
        const [, joinLen, refLen, topicLen] = data;
        const text = data.subarray(5).toString("latin1");
        const ref = text.slice(joinLen, joinLen + refLen);
        const topic = text.slice(joinLen + refLen, joinLen + refLen + topicLen);
        send(text.slice(0, joinLen), ref, topic, "phx_reply", { status: "ok", response: {} });
        return socket.send(Buffer.concat([Buffer.from([2, topic.length, 4]), Buffer.from(`${topic}blob`), Buffer.from([9, 9])]));
      }
      const read = JSON.parse(data);
      const [joinRef, ref, topic, event, payload] =
        variant === "1" ? [read.join_ref, read.ref, read.topic, read.event, read.payload] : read;
      send(joinRef, ref, topic, "phx_reply", { status: event === "refuse" ? "error" : "ok", response: { echo: payload } });
      if (event === "say") send(null, null, topic, "said", payload);
    });
  });
}

export async function talk(url, variant) {
  const socket = new Socket(`${webSocketUrl(url)}/socket`, {
    transport: WebSocket, vsn: `${variant}.0.0`, heartbeatIntervalMs: 200, params: { who: "ada" },
    ...(variant === "1" && { encode: encode1, decode: decode1 }),
  });
  socket.connect();
  const channel = socket.channel("room:lobby", { as: "ada" });
  const answer = (push) => new Promise((ok, error) => push.receive("ok", ok).receive("error", error));
  await answer(channel.join());
  const said = new Promise((done) => channel.on("said", done));
  await answer(channel.push("say", { body: "hi" }));
  assert.deepEqual(await said, { body: "hi" });
  await assert.rejects(answer(channel.push("refuse", {})).catch((reason) => Promise.reject(new Error(JSON.stringify(reason)))));
  if (variant === "2") {
    const blob = new Promise((done) => channel.on("blob", done));
    await answer(channel.push("upload", new Uint8Array([1, 2, 3]).buffer));
    await blob;
  }
  const beaten = new Promise((done) => socket.onMessage((message) => message.topic === "phoenix" && done()));
  await beaten;
  await answer(channel.leave());
  socket.disconnect();
}

// Clients of version 1, which the library no longer has, put objects on the wire.
const encode1 = ({ join_ref, ref, topic, event, payload }, done) => done(JSON.stringify({ topic, event, payload, ref, join_ref }));
const decode1 = (text, done) => done(JSON.parse(text));
