"""A plain HTTP/1.1 server for curl: bodies of every framing, and a stream that is let go step by step."""

import contextlib
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ETAG = '"v1"'


def large(length=8 * 1024 * 1024):
    block = bytes(range(256)) * 256
    return (block * (length // len(block) + 1))[:length]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    released = threading.Event()

    def log_message(self, *args):
        pass

    def do_GET(self):
        if self.path == "/large":
            self.answer(large())
        elif self.path == "/cached":
            known = self.headers.get("If-None-Match") == ETAG
            self.answer(b"" if known else b"fresh\n", status=304 if known else 200, ETag=ETAG)
        elif self.path == "/chunked":
            self.stream(iter([b"one ", b"two ", b"three\n"]))
        elif self.path == "/events":
            self.released.clear()
            self.stream(self.events(), kind="text/event-stream")
        elif self.path == "/release":
            self.released.set()
            self.answer(b"released\n")
        elif self.path == "/until-close":
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"to the end\n")
            self.close_connection = True
        else:
            self.answer(f"you asked for {self.path}\n".encode())

    do_HEAD = do_GET

    def do_POST(self):
        body = self.read_body()
        self.answer(f"{len(body)} {hashlib.sha256(body).hexdigest()}\n".encode())

    do_PUT = do_POST

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline() not in (b"\r\n", b""):
            pass
        return body

    def events(self):
        yield b"data: first\n\n"
        self.released.wait(30)
        yield b"data: second\n\n"

    def answer(self, body, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status != 304:
            self.wfile.write(body)

    def stream(self, parts, kind="text/plain"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in parts:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")


@contextlib.contextmanager
def server():
    """Runs it on a free port, which is yielded."""
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    try:
        yield running.server_address[1]
    finally:
        running.shutdown()
        running.server_close()
        thread.join()
