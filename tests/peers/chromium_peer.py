"""Headless Chromium, driven by its DevTools protocol: a browser that uses the demo page as a person would.

The local CA is trusted through the NSS database of a home directory made for the test.
"""

import asyncio
import contextlib
import json
import os
import subprocess

from websockets.asyncio.client import connect

from harness import Failed, Process, expect

SECONDS = 120
LARGEST = 64 * 1024 * 1024


def find():
    """The name of the browser on this machine."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        with contextlib.suppress(FileNotFoundError):
            subprocess.run([name, "--version"], check=True, capture_output=True)
            return name
    raise Failed("no Chromium is installed")


class Chromium:
    """A browser with a profile and a trust store of its own."""

    def __init__(self, work_dir, ca):
        self.home = os.path.join(work_dir, "home")
        self.profile = os.path.join(work_dir, "profile")
        store = os.path.join(self.home, ".pki", "nssdb")
        os.makedirs(store)
        self._certutil("-N", "--empty-password", "-d", f"sql:{store}")
        self._certutil("-A", "-d", f"sql:{store}", "-n", "framescope", "-t", "C,,", "-i", ca)

    @staticmethod
    def _certutil(*args):
        subprocess.run(["certutil", *args], check=True, capture_output=True, stdin=subprocess.DEVNULL)

    @contextlib.contextmanager
    def running(self):
        """Runs the browser; yields the URL of its DevTools socket."""
        args = [find(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--no-first-run", "--disable-background-networking", "--disable-component-update",
                "--disable-sync", "--no-proxy-server", f"--user-data-dir={self.profile}",
                "--remote-debugging-port=0", "about:blank"]
        process = Process(args, {**os.environ, "HOME": self.home})
        try:
            yield process.wait_for(r"DevTools listening on (ws://\S+)", SECONDS).group(1)
        finally:
            with contextlib.suppress(Failed):
                process.stop(15)

    def visit(self, url, errand):
        """Opens `url` in a fresh tab and runs `errand(page)`."""
        async def run(devtools):
            async with connect(devtools, max_size=LARGEST, proxy=None) as socket:
                page = Page(socket)
                await page.open(url)
                await errand(page)

        with self.running() as devtools:
            asyncio.run(asyncio.wait_for(run(devtools), 2 * SECONDS))


class Page:
    """One tab."""

    def __init__(self, socket):
        self.socket, self.sent, self.session = socket, 0, None

    async def command(self, method, **params):
        """Sends one DevTools command and returns its result; events are passed over."""
        self.sent += 1
        message = {"id": self.sent, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        await self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(await asyncio.wait_for(self.socket.recv(), SECONDS))
            if answer.get("id") == self.sent:
                expect("error" not in answer, f"Chromium does {method}", answer)
                return answer["result"]

    async def open(self, url):
        target = (await self.command("Target.createTarget", url="about:blank"))["targetId"]
        attached = await self.command("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        result = await self.command("Page.navigate", url=url)
        expect(not result.get("errorText"), f"Chromium opens {url}", result)
        await self.wait_until("document.readyState === 'complete'")

    async def evaluate(self, expression):
        """The value of a JavaScript expression; a promise is awaited."""
        result = await self.command("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        expect("exceptionDetails" not in result, f"JavaScript runs: {expression}", result)
        return result["result"].get("value")

    async def wait_until(self, condition):
        """Waits until a JavaScript condition holds: looks again with each frame the page draws or 50 ms."""
        waiting = f"""new Promise((resolve, reject) => {{
            const deadline = Date.now() + 60000;
            const look = () => {{
                if ({condition}) resolve(true);
                else if (Date.now() > deadline) reject(new Error(document.body.innerText.slice(0, 800)));
                else setTimeout(look, 50);
            }};
            look();
        }})"""
        await self.evaluate(waiting)


def state_is(name, state):
    return f"document.getElementById('{name}-state')?.dataset.state === '{state}'"


async def use_the_demo_page(page, word):
    """Chats, echoes and asks for a close code, as a person would."""
    for name in ("chat", "ticker", "echo"):
        await page.wait_until(state_is(name, "open"))
    await page.evaluate(f"""{{
        document.getElementById('chat-text').value = {json.dumps(word)};
        document.getElementById('chat-form').requestSubmit();
    }}""")
    await page.wait_until(f"document.getElementById('messages').innerText.includes({json.dumps(word)})")
    await page.wait_until("Number(document.getElementById('quotes').textContent) >= 2")
    await page.evaluate("document.getElementById('echo-binary').click()")
    await page.wait_until("document.querySelector('#echo-log .down')?.innerText.includes('256 octets')")
    await page.evaluate("document.getElementById('echo-close').requestSubmit()")
    await page.wait_until("document.getElementById('echo-state').innerText.includes('closed 4001')")


def talk_compressed(url, texts):
    """An errand: the page's own WebSocket talks to an echo server that agrees on permessage-deflate."""
    async def errand(page):
        extensions = await page.evaluate(f"""new Promise((resolve, reject) => {{
            const texts = {json.dumps(texts)}, back = [];
            const socket = new WebSocket({json.dumps(url)}, "chat.example");
            socket.onopen = () => texts.forEach((text) => socket.send(text));
            socket.onmessage = (event) => {{
                back.push(event.data);
                if (back.length === texts.length) socket.close(4003, "done");
            }};
            socket.onerror = () => reject(new Error("the socket failed"));
            socket.onclose = (event) => back.join() === texts.join() ? resolve(socket.extensions)
                : reject(new Error("closed " + event.code + " with " + back.length + " echoes"));
        }})""")
        expect("permessage-deflate" in extensions, "Chromium agrees on permessage-deflate", extensions)
    return errand
