// One peer of a sub-protocol, server or client: `node peer.mjs LIBRARY[:VARIANT] serve|talk [URL]`.
// A server prints its address and runs until it is stopped; a client ends when it has heard all it waited for.

const [which, role, url] = process.argv.slice(2);
const [library, variant] = which.split(":");
const peer = await import(`./${library}.mjs`);

if (role === "serve") {
  const port = await peer.serve(variant);
  console.log(`listening on 127.0.0.1:${port}`);
} else {
  await peer.talk(url, variant);
  process.exit(0);
}
