// Action Cable: the client of Rails with a small server.

import assert from "node:assert/strict";
import WebSocket from "ws";
import { webSocketServer, webSocketUrl } from "./server.mjs";

export function serve() {
  const connected = (socket) => {
    const send = (message) => socket.send(JSON.stringify(message));
    send({ type: "welcome" });
    const beat = setInterval(() => send({ type: "ping", message: Math.floor(Date.now() / 1000) }), 100);
    socket.on("close", () => clearInterval(beat));
    socket.on("message", (data) => {
      const { command, identifier, data: sent } = JSON.parse(data);
      const { channel } = JSON.parse(identifier);
      if (command === "subscribe") {
        send({ identifier, type: channel === "SecretChannel" ? "reject_subscription" : "confirm_subscription" });
      } else if (command === "message") {
        send({ identifier, message: JSON.parse(sent) });
      }
    });
  };
  return webSocketServer(connected, ["actioncable-v1-json"]);
}

export async function talk(url) {
  // What the library looks for in a browser.
  globalThis.addEventListener = globalThis.removeEventListener = () => {};
  globalThis.document = { visibilityState: "visible" };
  const { adapters, createConsumer } = (await import("@rails/actioncable")).default;
  adapters.WebSocket = WebSocket;
  const consumer = createConsumer(`${webSocketUrl(url)}/cable`);
  const open = (channel) =>
    new Promise((done) => {
      const subscription = consumer.subscriptions.create(channel, {
        connected: () => done(subscription),
        rejected: () => done(null),
        received: (message) => subscription.heard?.(message),
      });
    });
  const chat = await open({ channel: "ChatChannel", room: "1" });
  assert.equal(await open({ channel: "SecretChannel" }), null);
  const heard = new Promise((done) => (chat.heard = done));
  chat.perform("speak", { text: "hi" });
  assert.deepEqual(await heard, { action: "speak", text: "hi" });
  chat.unsubscribe();
  await new Promise((done) => setTimeout(done, 250));
  consumer.disconnect();
}
