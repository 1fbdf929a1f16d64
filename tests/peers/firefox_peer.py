"""Headless Firefox: a page's own WebSocket talks to an echo server and says how it went.

No driver is needed: the page comes from a small server of this file, opens its socket, and reports to
the same server. The browser has a profile of its own, made for the test.
"""

import contextlib
import json
import os
import queue
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import Failed, Process, expect_equal

SECONDS = 120

# What a fresh profile would else do over the network, and first-run pages.
PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.auto": False,
    "browser.aboutwelcome.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "network.prefetch-next": False,
    "services.settings.server": "http://127.0.0.1:9/",
    "toolkit.telemetry.enabled": False,
}

PAGE = """<!doctype html><meta charset="utf-8"><title>talk</title><script>
const texts = %s, back = [];
const report = (told) => fetch("/report", {method: "POST", body: JSON.stringify(told)});
const socket = new WebSocket(%s, "chat.example");
socket.onopen = () => texts.forEach((text) => socket.send(text));
socket.onmessage = (event) => {
    back.push(event.data);
    if (back.length === texts.length) socket.close(4003, "done");
};
socket.onclose = (event) => report({code: event.code, clean: event.wasClean, back, extensions: socket.extensions});
</script>"""


def find():
    """The name of the browser on this machine."""
    for name in ("firefox-esr", "firefox"):
        with contextlib.suppress(FileNotFoundError):
            subprocess.run([name, "--version"], check=True, capture_output=True)
            return name
    raise Failed("no Firefox is installed")


def talk(url, texts, work_dir):
    """Lets a page send `texts` to the echo server behind `url`; returns the extensions agreed on."""
    reports = queue.Queue()

    class Pages(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            found = self.path == "/"
            body = (PAGE % (json.dumps(texts), json.dumps(url))).encode() if found else b""
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

    profile = os.path.join(work_dir, "firefox")
    os.makedirs(profile)
    with open(os.path.join(profile, "user.js"), "w", encoding="utf-8") as file:
        for name, value in PREFERENCES.items():
            file.write(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n")
    pages = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    args = [find(), "--headless", "--no-remote", "--profile", profile, f"http://127.0.0.1:{pages.server_address[1]}/"]
    process = Process(args, {**os.environ, "HOME": work_dir, "MOZ_CRASHREPORTER_DISABLE": "1"})
    try:
        report = reports.get(timeout=SECONDS)
    except queue.Empty:
        raise Failed(f"Firefox did not report; it printed: {process.text()}") from None
    finally:
        with contextlib.suppress(Failed):
            process.stop(15)
        pages.shutdown()
        pages.server_close()
    expect_equal((report["code"], report["clean"], report["back"]), (4003, True, texts), "what the page saw")
    return report["extensions"]
