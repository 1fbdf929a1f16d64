"""curl: plain HTTP/1.1 through the proxy, over TCP and over TLS."""

import hashlib
import os
import subprocess

import http_server
from harness import Failed, expect, expect_equal

SECONDS = 120


def curl(*args):
    """Runs curl; returns the octets it printed."""
    command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", str(SECONDS), *args]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode != 0:
        raise Failed(f"curl ended with {done.returncode}: {done.stderr.decode()[-400:]}")
    return done.stdout


def exercise(base, work_dir, ca=None):
    """Every framing of a body that HTTP/1.1 knows, both ways."""
    tls = ["--cacert", ca] if ca else []

    def get(path, *args):
        return curl(*tls, *args, base + path)

    expect_equal(get("/plain"), b"you asked for /plain\n", "a plain GET")
    expect_equal(get("/chunked"), b"one two three\n", "a chunked answer")
    expect_equal(get("/until-close"), b"to the end\n", "an answer until the close")
    expect_equal(hashlib.sha256(get("/large")).hexdigest(), hashlib.sha256(http_server.large()).hexdigest(), "a large answer")

    head = get("/plain", "--head").decode()
    expect(head.startswith("HTTP/1.1 200") and "Content-Length: 21" in head, "an answer to HEAD keeps its length", head)
    status = ["--output", os.devnull, "--write-out", "%{http_code}"]
    expect_equal(get("/cached", *status, "-H", f"If-None-Match: {http_server.ETAG}"), b"304", "a known page")

    reused = curl(*tls, "--write-out", "%{num_connects} ", *["--output", os.devnull] * 3, *[base + f"/{n}" for n in range(3)])
    expect_equal(reused.split(), [b"1", b"0", b"0"], "connections made for three requests")

    upload = os.path.join(work_dir, "upload.bin")
    with open(upload, "wb") as file:
        file.write(http_server.large(3_000_000))
    wanted = f"3000000 {hashlib.sha256(http_server.large(3_000_000)).hexdigest()}\n".encode()
    expect_equal(get("/up", "--data-binary", f"@{upload}"), wanted, "an upload of known length")
    expect_equal(get("/up", "-H", "Transfer-Encoding: chunked", "--data-binary", f"@{upload}"), wanted, "a chunked upload")
    expect_equal(get("/up", "-H", "Expect: 100-continue", "--upload-file", upload), wanted, "an upload that waits for 100 Continue")
    stream_is_not_held_back(base, tls)


def stream_is_not_held_back(base, tls):
    """The first event arrives while the server waits for a second request before it goes on."""
    command = ["curl", "--silent", "--no-buffer", "--noproxy", "*", "--max-time", str(SECONDS), *tls, base + "/events"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as streaming:
        expect_equal(streaming.stdout.readline(), b"data: first\n", "the first event")
        expect_equal(curl(*tls, base + "/release"), b"released\n", "a request beside the stream")
        expect_equal(streaming.stdout.read(), b"\ndata: second\n\n", "the rest of the stream")
