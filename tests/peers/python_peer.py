"""The Python library `websockets` as client and as echo server."""

import asyncio
import base64
import contextlib
import threading

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory

import conversation
from harness import expect, expect_equal

LARGEST = 16 * 1024 * 1024
SECONDS = 120

# How each side of permessage-deflate is asked for (RFC 7692 section 7.1).
NO_TAKEOVER = {"server_no_context_takeover": True, "client_no_context_takeover": True}
SMALL_WINDOW = {"server_max_window_bits": 10, "client_max_window_bits": 10}


async def echo(socket):
    try:
        async for message in socket:
            if isinstance(message, str) and message.startswith("close "):
                _, code, reason = message.split(" ", 2)
                await socket.close(int(code), reason)
                return
            if isinstance(message, str) and message.startswith("ping me "):
                await (await socket.ping(message.removeprefix("ping me ")))
            await socket.send(message)
    except ConnectionClosed:
        pass


def _server_extensions(deflate):
    return None if deflate is None else [ServerPerMessageDeflateFactory(**deflate)]


@contextlib.contextmanager
def server(deflate=None, tls=None):
    """An echo server on a thread of its own; yields its port. `deflate` holds parameters, None is without."""
    loop = asyncio.new_event_loop()
    started, port = threading.Event(), []

    async def run():
        stopping = asyncio.Event()
        stop.append(stopping)
        options = {"ssl": tls, "compression": None, "extensions": _server_extensions(deflate),
                   "subprotocols": [conversation.CHOSEN], "max_size": LARGEST, "open_timeout": SECONDS}
        async with serve(echo, "127.0.0.1", 0, **options) as running:
            port.append(running.sockets[0].getsockname()[1])
            started.set()
            await stopping.wait()

    stop = []
    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    expect(started.wait(SECONDS), "the Python echo server starts")
    try:
        yield port[0]
    finally:
        loop.call_soon_threadsafe(stop[0].set)
        thread.join(SECONDS)


def converse(url, said, deflate=None, tls=None):
    """Holds the conversation as a client; fails where an echo is not what was sent."""
    asyncio.run(asyncio.wait_for(_converse(url, said, deflate, tls), SECONDS))


async def _converse(url, said, deflate, tls):
    extensions = None if deflate is None else [ClientPerMessageDeflateFactory(**deflate)]
    options = {"ssl": tls, "compression": None, "extensions": extensions, "proxy": None,
               "subprotocols": conversation.SUBPROTOCOLS, "max_size": LARGEST, "open_timeout": SECONDS}
    async with connect(url, **options) as socket:
        expect_equal(socket.subprotocol, conversation.CHOSEN, "subprotocol that the client sees")
        for step in said:
            await _take(socket, step)
        await socket.wait_closed()
        expect_equal((socket.close_code, socket.close_reason), (said[-1]["code"], said[-1]["reason"]), "close")


async def _take(socket, step):
    kind = step["kind"]
    if kind == "ping":
        await (await socket.ping(base64.b64decode(step["data"])))
    elif kind == "close":
        await socket.close(step["code"], step["reason"])
    elif kind == "ask_close":
        await socket.send(f"close {step['code']} {step['reason']}")
    else:
        parts = [base64.b64decode(part) for part in step["parts"]]
        parts = [part.decode() for part in parts] if kind == "text" else parts
        await socket.send(parts[0] if len(parts) == 1 else parts)
        back = await socket.recv()
        expect(back == type(back)().join(parts), f"the echo of a {kind} message of {len(parts)} parts", back)
