// MQTT: mqtt.js, with Aedes for 3.1.1 (variant 4) and a small broker for 5.0 (variant 5).

import assert from "node:assert/strict";
import { once } from "node:events";
import Aedes from "aedes";
import mqtt from "mqtt";
import mqttPacket from "mqtt-packet";
import { createWebSocketStream } from "ws";
import { webSocketServer, webSocketUrl } from "./server.mjs";

export function serve(variant) {
  const aedes = variant === "4" ? new Aedes() : undefined;
  const connected = (socket) => {
    if (aedes) aedes.handle(createWebSocketStream(socket));
    else broker5(socket);
  };
  return webSocketServer(connected, ["mqtt"]);
}

// Answers what mqtt.js asks, and sends each publication back with a topic alias.
function broker5(socket) {
  const parser = mqttPacket.parser({ protocolVersion: 5 });
  const send = (packet) => {
    const octets = mqttPacket.generate(packet, { protocolVersion: 5 });
    // In two messages: MQTT packets may lie anywhere in them.
    socket.send(octets.subarray(0, 3));
    if (octets.length > 3) socket.send(octets.subarray(3));
  };
  const answers = {
    connect: () => ({ cmd: "connack", reasonCode: 0, sessionPresent: false, properties: { topicAliasMaximum: 9 } }),
    subscribe: ({ messageId }) => ({ cmd: "suback", messageId, granted: [1], reasonCode: 0 }),
    unsubscribe: ({ messageId }) => ({ cmd: "unsuback", messageId, granted: [0] }),
    pingreq: () => ({ cmd: "pingresp" }),
  };
  parser.on("packet", (packet) => {
    if (packet.cmd === "publish") {
      const { topic, payload, messageId, qos } = packet;
      if (qos === 1) send({ cmd: "puback", messageId, reasonCode: 0 });
      if (qos === 2) send({ cmd: "pubrec", messageId, reasonCode: 0 });
      send({ cmd: "publish", topic, payload, qos: 0, properties: { topicAlias: 1, contentType: "text/plain" } });
    } else if (packet.cmd === "pubrel") {
      send({ cmd: "pubcomp", messageId: packet.messageId, reasonCode: 0 });
    } else if (answers[packet.cmd]) {
      send(answers[packet.cmd](packet));
    }
  });
  socket.on("message", (data) => parser.parse(data));
}

export async function talk(url, variant) {
  const client = await mqtt.connectAsync(webSocketUrl(url), {
    protocolVersion: Number(variant),
    clientId: "ada",
    keepalive: 1,
    reconnectPeriod: 0,
    will: { topic: "gone", payload: "ada" },
    properties: variant === "5" ? { sessionExpiryInterval: 10, topicAliasMaximum: 10 } : undefined,
  });
  await client.subscribeAsync("room/+", { qos: 1 });
  for (const qos of [0, 1, 2]) {
    const heard = once(client, "message");
    await client.publishAsync("room/1", `qos ${qos}`, { qos });
    assert.equal((await heard)[1].toString(), `qos ${qos}`);
  }
  await new Promise((done) => client.on("packetreceive", (packet) => packet.cmd === "pingresp" && done()));
  await client.unsubscribeAsync("room/+");
  await client.endAsync();
}
