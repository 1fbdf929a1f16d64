// GraphQL: graphql-ws (variant newer) and subscriptions-transport-ws (variant older), clients and servers.

import assert from "node:assert/strict";
import { buildSchema, execute, subscribe } from "graphql";
import { createClient } from "graphql-ws";
import { useServer } from "graphql-ws/use/ws";
import { SubscriptionClient, SubscriptionServer } from "subscriptions-transport-ws";
import WebSocket, { WebSocketServer } from "ws";
import { httpServer, webSocketUrl } from "./server.mjs";

const schema = buildSchema("type Query { hello: String } type Subscription { count(to: Int!): Int }");
const roots = {
  hello: () => "world",
  async *count({ to }) {
    for (let count = 1; count <= to; count += 1) {
      if (count > 5) await new Promise((done) => setTimeout(done, 100));
      yield { count };
    }
  },
};
schema.getQueryType().getFields().hello.resolve = roots.hello;
schema.getSubscriptionType().getFields().count.subscribe = (_, args) => roots.count(args);

export async function serve(variant) {
  const { server, port } = await httpServer();
  if (variant === "newer") useServer({ schema }, new WebSocketServer({ server }));
  else SubscriptionServer.create({ schema, execute, subscribe }, { server, path: "/graphql" });
  return port;
}

const COUNT = { query: "subscription Count($to: Int!) { count(to: $to) }", variables: { to: 2 } };
const BROKEN = { query: "query Broken { nothing }" };

export async function talk(url, variant) {
  const client =
    variant === "newer"
      ? createClient({ url: `${webSocketUrl(url)}/graphql`, webSocketImpl: WebSocket, connectionParams: { who: "ada" }, keepAlive: 200 })
      : new SubscriptionClient(`${webSocketUrl(url)}/graphql`, { connectionParams: { who: "ada" } }, WebSocket);
  const run = (operation) =>
    new Promise((done, failed) => {
      const items = [];
      const sink = { next: (item) => items.push(item), complete: () => done(items), error: failed };
      if (variant === "newer") client.subscribe(operation, sink);
      else client.request(operation).subscribe(sink);
    });
  assert.deepEqual((await run(COUNT)).map((item) => item.data.count), [1, 2]);
  if (variant === "newer") {
    let stop;
    const ponged = new Promise((done) => client.on("pong", done));
    const counting = new Promise((done) => {
      stop = client.subscribe({ ...COUNT, variables: { to: 100000 } }, { next: () => {}, complete: done, error: done });
    });
    await ponged;
    stop();
    await counting;
    await assert.rejects(run(BROKEN));
    await client.dispose();
  } else {
    await run(BROKEN).catch(() => {});
    client.close();
  }
}
