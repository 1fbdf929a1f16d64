"""Real peers talk through `framescope proxy`, and what it shows is compared with what they said.

Run by `.ci/run`; by hand: `python run.py --bin-dir target/debug --node-dir DIR [--only WORD]`,
where DIR holds `node_modules` made from `package.json` beside this file.
"""

import argparse
import itertools
import os
import shutil
import ssl
import sys
import tempfile

import certificates
import chromium_peer
import conversation
import curl_peer
import firefox_peer
import http_server
import java_peer
import openssl_peer
import payload_peer
import python_peer
import transport_peers
import tshark_peer
from capture import DOWN, UP, Capture, payload_of
from harness import Framescope, Score, expect, expect_equal
from node_peer import Node
from subprotocol_peers import PEERS, Subprotocols, expect_told

CLOSE = {"kind": "close", "code": 4001, "reason": "enough for today"}
ASK_CLOSE = {"kind": "ask_close", "code": 4002, "reason": "as you asked"}


class Suite:
    """All checks; each makes a capture of its own."""

    def __init__(self, framescope, node, score, work_dir):
        self.framescope, self.node, self.score, self.work_dir = framescope, node, score, work_dir
        self.authority = certificates.Authority(work_dir)
        self.ca = framescope.ca_path()

    def run(self):
        self.libraries()
        self.browser()
        self.other_clients()
        self.plain_http()
        self.tls_clients()
        self.subprotocols()
        self.payloads()
        self.transports()
        self.captures_that_are_not_whole()
        self.second_opinion()

    def check(self, name):
        return self.score.check(name)

    # -- Python websockets and Node ws

    def libraries(self):
        """Every client with every server, over ws and wss on either leg, compressed and not."""
        legs = [("ws", "ws"), ("wss", "ws"), ("ws", "wss"), ("wss", "wss")]
        deflates = {"plain": (None, None), "deflate": ({}, {})}
        for client, server, (near, far), kind in itertools.product(("python", "node"), ("python", "node"), legs, deflates):
            self.conversation(client, server, near, far, kind, *deflates[kind])
        for kind, python, node in (
            ("no-takeover", python_peer.NO_TAKEOVER, {"serverNoContextTakeover": True, "clientNoContextTakeover": True}),
            ("small-window", python_peer.SMALL_WINDOW, {"serverMaxWindowBits": 10, "clientMaxWindowBits": 10}),
        ):
            for client, server in itertools.product(("python", "node"), repeat=2):
                self.conversation(client, server, "ws", "ws", kind, python, node)

    def conversation(self, client, server, near, far, kind, python_deflate, node_deflate):
        name = f"{client}-{server}-{near}-{far}-{kind}"
        if not self.score.wants(name):
            return
        with self.check(f"{client} client over {near}, {server} server over {far}, {kind}"):
            said = conversation.steps(CLOSE if client == server else ASK_CLOSE)
            with self.echo_server(server, far, python_deflate, node_deflate) as port:
                upstream = f"{far}://localhost:{port}"
                flags = ["--upstream-ca", self.authority.ca] if far == "wss" else []
                with self.framescope.proxy(name, upstream, *flags) as proxy:
                    url = proxy.url(near, "/", host="localhost" if near == "wss" else None)
                    if client == "python":
                        tls = ssl.create_default_context(cafile=self.ca) if near == "wss" else None
                        python_peer.converse(url, said, python_deflate, tls)
                    else:
                        ca = self.ca if near == "wss" else None
                        self.node.converse(url, said, node_deflate, ca)
            capture = self.read(proxy.capture)
            conversation.expect_in_capture(capture, said, deflate=python_deflate is not None)
            expect_deflate(capture, kind)
            expect((capture.of_type("connection_opened")[0]["tls"] is not None) == (near == "wss"), "TLS of the client leg")

    def echo_server(self, which, scheme, python_deflate, node_deflate):
        secure = scheme == "wss"
        if which == "python":
            return python_peer.server(python_deflate, self.authority.server_context() if secure else None)
        files = {"cert": self.authority.cert, "key": self.authority.key} if secure else {}
        return self.node.server(node_deflate, **files)

    # -- Chromium

    def browser(self):
        for scheme in ("http", "https"):
            name = f"chromium-{scheme}"
            if self.score.wants(name):
                with self.check(f"Chromium uses the demo page over {scheme}"):
                    self.demo_page(name, scheme)
        if self.score.wants("chromium-deflate"):
            with self.check("Chromium talks permessage-deflate"):
                self.compressed_in_browser()

    def demo_page(self, name, scheme):
        word = f"Hello from Chromium over {scheme}: 🙂"
        with self.framescope.demo() as (host, port), self.framescope.proxy(name, f"ws://{host}:{port}") as proxy:
            with self.chromium_home(name) as chromium:
                url = proxy.url(scheme, "/", host="localhost" if scheme == "https" else None)
                chromium.visit(url, lambda page: chromium_peer.use_the_demo_page(page, word))
        capture = self.read(proxy.capture)
        sockets = {line["target"].split("?")[0]: line for line in capture.of_type("handshake")}
        expect_equal(sorted(sockets), ["/chat", "/echo", "/ticker"], "endpoints that the page opened")
        for handshake in sockets.values():
            capture.sound_handshake(handshake["connection"])
            offered, chosen = handshake["extensions"]["offered"], handshake["extensions"]["chosen"]
            expect(any(offer.startswith("permessage-deflate") for offer in offered), "Chromium offers deflate", offered)
            expect_equal(chosen, [], "the demo server takes no extension")
        chat, echo = sockets["/chat"], sockets["/echo"]
        expect_equal(chat["subprotocol"]["chosen"], "chat.framescope", "subprotocol")
        for direction in (UP, DOWN):
            texts = [data.decode() for kind, data, _ in capture.messages(direction, chat["connection"]) if kind == "text"]
            expect(any(word in text for text in texts), f"the word goes {direction}", texts)
        binary = ("binary", bytes(range(256)))
        for direction in (UP, DOWN):
            seen = [entry[:2] for entry in capture.messages(direction, echo["connection"])]
            expect(binary in seen, f"256 octets go {direction}", seen)
        expect_equal(capture.closes(echo["connection"])[0], (DOWN, 4001, "enough for today"), "the Close that was asked for")
        expect(capture.frames(DOWN, sockets["/ticker"]["connection"]), "the ticker ticks")
        capture.expect_no_fault()

    def compressed_in_browser(self):
        name = "chromium-deflate"
        texts = ["hello " * 400, "the same words again", "the same words again", "世界 🙂"]
        with python_peer.server(deflate={}) as port, http_server.server() as pages:
            with self.framescope.proxy(name, f"ws://127.0.0.1:{port}") as proxy, self.chromium_home(name) as chromium:
                errand = chromium_peer.talk_compressed(proxy.url("ws"), texts)
                chromium.visit(f"http://127.0.0.1:{pages}/", errand)
        capture = self.read(proxy.capture)
        handshake = capture.sound_handshake()
        expect(handshake["deflate"] is not None, "permessage-deflate is agreed on", handshake["extensions"])
        for direction in (UP, DOWN):
            entries = capture.messages(direction)
            expect_equal([data.decode() for _, data, _ in entries], texts, f"texts {direction}")
            expect(all(entry[2]["message"]["compressed"] for entry in entries if len(entry[1]) > 1000), "the long text is compressed")
        capture.expect_no_fault()

    def chromium_home(self, name):
        return ChromiumHome(self.work_dir, name, self.ca)

    # -- Firefox, Java and Socket.IO

    def other_clients(self):
        """Clients that have to be found clean; what they say is checked by themselves."""
        texts = ["hello", "grüße, 世界 🙂", "the same words again " * 40, "the same words again " * 40]
        if self.score.wants("firefox"):
            with self.check("Firefox talks permessage-deflate and is found clean"):
                home = tempfile.mkdtemp(prefix="firefox-", dir=self.work_dir)
                with python_peer.server(deflate={}) as port, self.framescope.proxy("firefox", f"ws://127.0.0.1:{port}") as proxy:
                    agreed = firefox_peer.talk(proxy.url("ws"), texts, home)
                    expect("permessage-deflate" in agreed, "Firefox agrees on permessage-deflate", agreed)
                shutil.rmtree(home, ignore_errors=True)
                self.expect_clean(proxy.capture, len(texts))
        if self.score.wants("java"):
            with self.check("Java's own client is found clean"):
                with python_peer.server() as port, self.framescope.proxy("java", f"ws://127.0.0.1:{port}") as proxy:
                    java_peer.talk(proxy.url("ws"), texts)
                self.expect_clean(proxy.capture, len(texts) + 1)
        if self.score.wants("socket.io"):
            with self.check("Socket.IO, from polling to WebSocket, is found clean"):
                with self.node.socket_io_server() as port, self.framescope.proxy("socket.io", f"http://127.0.0.1:{port}") as proxy:
                    self.node.talk_socket_io(proxy.url("http"))
                self.expect_clean(proxy.capture, 4)

    def expect_clean(self, path, messages):
        capture = self.read(path)
        capture.sound_handshake()
        expect(len(capture.messages(UP)) >= messages, "the messages are in the capture", len(capture.messages(UP)))
        capture.expect_no_fault()

    # -- curl and openssl

    def plain_http(self):
        for scheme in ("http", "https"):
            name = f"curl-{scheme}"
            if not self.score.wants(name):
                continue
            with self.check(f"curl sends and fetches over {scheme}"):
                with http_server.server() as port, self.framescope.proxy(name, f"http://127.0.0.1:{port}") as proxy:
                    base = proxy.url(scheme, "", host="localhost" if scheme == "https" else None)
                    curl_peer.exercise(base, self.work_dir, self.ca if scheme == "https" else None)
                capture = self.read(proxy.capture)
                statuses = {head["status"] for head in capture.of_type("head") if head["direction"] == DOWN}
                expect({200, 304} <= statuses, "the answers are in the capture", statuses)
                expect(not capture.of_type("frame"), "plain HTTP has no frames")
                capture.expect_no_fault()

    def tls_clients(self):
        if not self.score.wants("openssl"):
            return
        with http_server.server() as port, self.framescope.proxy("openssl", f"http://127.0.0.1:{port}") as proxy:
            address = f"{proxy.host}:{proxy.port}"
            with self.check("openssl verifies the chain by name, by address and over TLS 1.2"):
                openssl_peer.verify(address, self.ca, name="localhost")
                openssl_peer.verify(address, self.ca, ip="127.0.0.1")
                openssl_peer.speaks_tls12(address, self.ca)
            with self.check("openssl refuses the chain without the CA"):
                openssl_peer.refuse_without_ca(address)

    # -- sub-protocols

    def subprotocols(self):
        """The libraries of each sub-protocol, client and server."""
        scripts = Subprotocols(self.node.node_dir)
        for script, peer in PEERS.items():
            name = f"subprotocol-{script.replace(':', '-')}"
            if not self.score.wants(name):
                continue
            with self.check(f"{peer.title} is told as {peer.name}"):
                with scripts.server(script) as port:
                    with self.framescope.proxy(name, f"http://127.0.0.1:{port}") as proxy:
                        scripts.talk(script, proxy.url("http", ""))
                capture = self.read(proxy.capture)
                expect_told(capture, peer)
                if script.endswith("polling"):
                    transport_peers.expect_one_session(capture)

    # -- what came before WebSockets

    def transports(self):
        """Polling, long polling and server-sent events of the demo's chat, by clients of others."""
        for name, talk, expect_transport in (
            ("transport-long-polling", transport_peers.long_poll, transport_peers.expect_held),
            ("transport-polling", transport_peers.poll, transport_peers.expect_polled),
            ("transport-events", self.listen_in_browser, transport_peers.expect_events),
        ):
            if not self.score.wants(name):
                continue
            with self.check(f"{name.replace('transport-', '').replace('-', ' ')} is told"):
                with self.framescope.demo() as (host, port), self.framescope.proxy(name, f"ws://{host}:{port}") as proxy:
                    talk(proxy.url("http", ""))
                capture = self.read(proxy.capture)
                expect_transport(capture)
                capture.expect_no_fault()

        if self.score.wants("transport-sockjs"):
            with self.check("sockjs without WebSocket is told"):
                scripts, script = Subprotocols(self.node.node_dir), "sockjs:xhr-streaming"
                with scripts.server(script) as port:
                    with self.framescope.proxy("transport-sockjs", f"http://127.0.0.1:{port}") as proxy:
                        scripts.talk(script, proxy.url("http", ""))
                transport_peers.expect_sockjs(self.read(proxy.capture))

    def listen_in_browser(self, base):
        with self.chromium_home("transport-events") as chromium:
            transport_peers.listen_in_browser(base, chromium)

    # -- Libraries of payload formats

    def payloads(self):
        """What other libraries encode, read as that format: each value is the one that they were given."""
        schema, kind = payload_peer.schema()
        path = os.path.join(self.work_dir, "market.binpb")
        with open(path, "wb") as file:
            file.write(schema.SerializeToString())
        for name, samples, *flags in (
            ("cbor", payload_peer.cbor_samples()),
            ("msgpack", payload_peer.msgpack_samples()),
            ("bson", payload_peer.bson_samples()),
            ("protobuf", payload_peer.protobuf_samples(kind),
             "--descriptor-set", path, "--message-type", payload_peer.MESSAGE_TYPE),
        ):
            if not self.score.wants(f"payload-{name}"):
                continue
            samples = list(samples)
            with self.check(f"{len(samples)} payloads in {name} say what its library wrote"):
                self.payload(name, samples, flags)

    def payload(self, name, samples, flags):
        with python_peer.server() as port:
            with self.framescope.proxy(f"payload-{name}", f"ws://127.0.0.1:{port}") as proxy:
                payload_peer.converse(proxy.url("ws"), [payload for payload, _ in samples])
        capture = Capture(self.framescope.show(proxy.capture, "--payload", name, *flags))
        told = [frame["payload"] for _, _, frame in capture.messages(UP)]
        expect_equal(len(told), len(samples), "payloads that are told")
        for number, (payload, (_, value)) in enumerate(zip(told, samples)):
            payload_peer.expect_read(payload, value, f"{name} payload {number}")

    # -- editcap

    def captures_that_are_not_whole(self):
        """Frames are found where the opening of a connection is missing, and behind a packet that is lost."""
        if not self.score.wants("editcap"):
            return
        said = [conversation.text(f'{{"number":{n},"words":"{"ab" * n}"}}') for n in range(40)]
        with python_peer.server() as port, self.framescope.proxy("editcap", f"ws://127.0.0.1:{port}") as proxy:
            python_peer.converse(proxy.url("ws"), [*said, CLOSE])
        whole = frames_of(self.read(proxy.capture))
        for what, packets, most in (("the opening handshake", "1-20", 10), ("one packet in the middle", "60", 3)):
            with self.check(f"frames are found without {what} (editcap {packets})"):
                cut = self.read(tshark_peer.without(proxy.capture, packets))
                frames = frames_of(cut)
                for direction in (UP, DOWN):
                    missing = [frame for frame in whole[direction] if frame not in frames[direction]]
                    expect(len(missing) <= most, f"all but {most} frames {direction} are found", missing)
                    known = [frame for frame in whole[direction] if frame not in missing]
                    expect_equal(frames[direction], known, f"frames {direction}")
                expect(not cut.of_type("finding"), "clean traffic has no finding", cut.of_type("finding"))

    # -- tshark

    def second_opinion(self):
        """After all others: every capture they made."""
        frames = 0
        for path in self.framescope.captures:
            name = path.rsplit("/", 1)[-1].removesuffix(".pcapng")
            with self.check(f"tshark agrees on {name}"):
                frames += tshark_peer.agree(path, self.read(path))
        if self.score.only is None:
            with self.check(f"tshark saw frames enough: {frames}"):
                expect(frames > 2000, "the captures hold thousands of frames", frames)

    def read(self, path):
        return Capture(self.framescope.show(path))


class ChromiumHome:
    """A home directory for one browser, removed afterwards."""

    def __init__(self, work_dir, name, ca):
        self.dir, self.ca = tempfile.mkdtemp(prefix=f"{name}-", dir=work_dir), ca

    def __enter__(self):
        return chromium_peer.Chromium(self.dir, self.ca)

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)


def frames_of(capture):
    """By direction: the header and payload of each frame."""
    told = {direction: capture.frames(direction) for direction in (UP, DOWN)}
    return {direction: [(frame["header"], payload_of(frame)) for frame in told[direction]] for direction in told}


def expect_deflate(capture, kind):
    deflate = capture.handshake()["deflate"]
    if kind == "no-takeover":
        expect(deflate["server_no_context_takeover"], "server_no_context_takeover", deflate)
        expect(deflate["client_no_context_takeover"], "client_no_context_takeover", deflate)
    elif kind == "small-window":
        expect_equal(deflate["server_max_window_bits"], 10, "server_max_window_bits")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin-dir", required=True, help="where the built `framescope` is")
    parser.add_argument("--node-dir", required=True, help="a folder whose node_modules holds ws")
    parser.add_argument("--only", help="run the checks whose name contains this")
    parser.add_argument("--keep", action="store_true", help="keep the captures and say where they are")
    args = parser.parse_args()

    work_dir = tempfile.mkdtemp(prefix="framescope-peers-")
    score = Score(args.only)
    try:
        Suite(Framescope(args.bin_dir, work_dir), Node(args.node_dir, work_dir), score, work_dir).run()
    finally:
        if args.keep:
            print(f"captures are in {work_dir}")
        else:
            shutil.rmtree(work_dir, ignore_errors=True)
    for name in score.failed:
        print(f"failed: {name}")
    print(f"{score.passed} passed, {len(score.failed)} failed")
    return 1 if score.failed or score.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
