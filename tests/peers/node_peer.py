"""The Node library `ws` as client and as echo server: runs the two scripts beside this file."""

import contextlib
import json
import os
import shutil
import subprocess

import conversation
from harness import ADDRESS, Failed, Process

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 150


class Node:
    """Node with `ws`; the scripts are copied beside the library, where imports find it."""

    def __init__(self, node_dir, work_dir):
        self.node_dir, self.work_dir, self.runs = node_dir, work_dir, 0
        for script in ("ws_client.mjs", "ws_server.mjs", "socket_io.mjs"):
            shutil.copy(os.path.join(HERE, script), node_dir)

    def _settings(self, **settings):
        self.runs += 1
        path = os.path.join(self.work_dir, f"node-{self.runs}.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"chosen": conversation.CHOSEN, **settings}, file)
        return path

    @contextlib.contextmanager
    def server(self, deflate=None, cert=None, key=None):
        """An echo server; yields its port."""
        settings = self._settings(deflate=deflate, cert=cert, key=key)
        process = Process(["node", "ws_server.mjs", settings], cwd=self.node_dir)
        try:
            yield int(process.wait_for(ADDRESS.pattern).group(2))
        finally:
            process.stop()

    @contextlib.contextmanager
    def socket_io_server(self):
        """A Socket.IO server; yields its port."""
        process = Process(["node", "socket_io.mjs", "serve"], cwd=self.node_dir)
        try:
            yield int(process.wait_for(ADDRESS.pattern).group(2))
        finally:
            process.stop()

    def talk_socket_io(self, url):
        """Speaks with it as a client: polling first, then WebSocket."""
        done = subprocess.run(
            ["node", "socket_io.mjs", url], cwd=self.node_dir, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=SECONDS,
        )
        if done.returncode != 0:
            raise Failed(f"the Socket.IO client failed: {done.stderr[-1200:]}")

    def converse(self, url, said, deflate=None, ca=None):
        """Holds the conversation as a client."""
        settings = self._settings(said=said, subprotocols=conversation.SUBPROTOCOLS, deflate=deflate, ca=ca)
        done = subprocess.run(
            ["node", "ws_client.mjs", url, settings], cwd=self.node_dir, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=SECONDS,
        )
        if done.returncode != 0:
            raise Failed(f"the Node client failed: {done.stderr[-1200:]}")
