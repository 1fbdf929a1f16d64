// The DevTools Protocol: chrome-remote-interface with a headless Chromium.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import CDP from "chrome-remote-interface";

export async function serve() {
  const home = mkdtempSync(join(tmpdir(), "framescope-devtools-"));
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", `--user-data-dir=${home}`];
  const browser = spawn(process.env.CHROMIUM ?? "chromium", [...flags, "about:blank"], { stdio: ["ignore", "ignore", "pipe"] });
  const stop = () => browser.kill("SIGKILL");
  process.on("SIGINT", stop);
  browser.on("exit", () => {
    rmSync(home, { recursive: true, force: true });
    process.exit(0);
  });
  let printed = "";
  return new Promise((done) => {
    browser.stderr.on("data", (text) => {
      printed += text;
      const found = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//.exec(printed);
      if (found) done(Number(found[1]));
    });
  });
}

export async function talk(url) {
  const targets = await (await fetch(`${url}/json/list`)).json();
  const { pathname } = new URL(targets.find(({ type }) => type === "page").webSocketDebuggerUrl);
  const { host } = new URL(url);
  const client = await CDP({ target: `ws://${host}${pathname}`, local: true });
  const { Page, Runtime } = client;
  await Page.enable();
  const loaded = Page.loadEventFired();
  await Page.navigate({ url: "data:text/html,<title>hi</title>" });
  await loaded;
  const { result } = await Runtime.evaluate({ expression: "6 * 7" });
  assert.equal(result.value, 42);
  await assert.rejects(client.send("Page.nothing"));
  await client.close();
}
