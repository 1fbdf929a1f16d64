// WAMP: autobahn-js with a small router. The variant names the serializer: json, msgpack, cbor.

import assert from "node:assert/strict";
import autobahn from "autobahn";
import { webSocketServer, webSocketUrl } from "./server.mjs";

const { JSONSerializer, MsgpackSerializer, CBORSerializer } = autobahn.serializer;
const serializerOf = (variant) =>
  new { json: JSONSerializer, msgpack: MsgpackSerializer, cbor: CBORSerializer }[variant]();

// One client, which calls and subscribes to what it registers and publishes itself.
export function serve(variant) {
  const serializer = serializerOf(variant);
  const connected = (socket) => {
    // The library's CBOR gives a promise.
    let sent = Promise.resolve();
    const send = (message) => (sent = sent.then(async () => socket.send(await serializer.serialize(message))));
    const calls = new Map();
    let registered;
    let topic;
    const on = {
      1: () => send([2, 9129137332, { roles: { broker: {}, dealer: {} } }]),
      6: () => send([6, {}, "wamp.close.goodbye_and_out"]),
      16: ([, request, options, to, args]) => {
        if (options.acknowledge) send([17, request, 4429313566]);
        if (to === topic) send([36, 5512315355, 4429313566, {}, args]);
      },
      32: ([, request, , to]) => {
        topic = to;
        send([33, request, 5512315355]);
      },
      34: ([, request]) => send([35, request]),
      48: ([, request, , procedure, args]) => {
        if (procedure !== registered) return send([8, 48, request, {}, "wamp.error.no_such_procedure"]);
        calls.set(request, request);
        send([68, request, 2103333224, {}, args]);
      },
      64: ([, request, , procedure]) => {
        registered = procedure;
        send([65, request, 2103333224]);
      },
      66: ([, request]) => send([67, request]),
      70: ([, request, , args]) => send([50, calls.get(request), {}, args]),
    };
    socket.on("message", (data, isBinary) => {
      const message = serializer.unserialize(isBinary ? data : data.toString());
      on[message[0]]?.(message);
    });
  };
  return webSocketServer(connected, [`wamp.2.${variant}`]);
}

export async function talk(url, variant) {
  const connection = new autobahn.Connection({
    url: webSocketUrl(url),
    realm: "realm1",
    serializers: [serializerOf(variant)],
    max_retries: 0,
  });
  const session = await new Promise((opened, failed) => {
    connection.onopen = opened;
    connection.onclose = (reason) => failed(new Error(reason));
    connection.open();
  });
  connection.onclose = () => true;
  const registration = await session.register("com.example.add", ([a, b]) => a + b);
  assert.equal(await session.call("com.example.add", [23, 7]), 30);
  await assert.rejects(Promise.resolve(session.call("com.example.nothing")));
  let heard;
  const event = new Promise((done) => (heard = done));
  const subscription = await session.subscribe("com.example.topic", ([text]) => heard(text));
  await session.publish("com.example.topic", ["hi"], {}, { acknowledge: true, exclude_me: false });
  assert.equal(await event, "hi");
  await session.unsubscribe(subscription);
  await session.unregister(registration);
  connection.close();
  await new Promise((done) => setImmediate(done));
}
