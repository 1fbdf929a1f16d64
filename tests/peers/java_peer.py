"""The WebSocket client of Java's `java.net.http`: runs the program beside this file."""

import json
import os
import subprocess

from harness import Failed

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "WebSocketClient.java")
SECONDS = 150


def talk(url, texts):
    """Sends `texts` one after the other and fails where an echo is not what was sent."""
    done = subprocess.run(
        ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", PROGRAM, url, *texts], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )
    if done.returncode != 0:
        raise Failed(f"the Java client failed: {json.dumps(done.stderr[-1200:])}")
