"""Libraries of sub-protocols, each client with its server, and what Framescope must say of them."""

import contextlib
import os
import re
import shutil
import subprocess

from capture import DOWN, UP
from harness import ADDRESS, Failed, Process, expect

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 60


class Peer:
    """A library's client and server, and what must be told of their conversation."""

    def __init__(self, title, name, reason, answers, *told):
        self.title, self.name, self.reason, self.answers = title, name, reason, answers
        self.told = [line.split(" ", 1) for line in told]


SOCKET_IO = (
    r'↑ EVENT /chat "echo" 2 args, ack \d+',
    r"↓ ACK /chat \d+, 2 args",
    r'↑ BINARY_EVENT / "upload" 1 arg, ack \d+, 1 attachment to come',
    r'↑ attachment 1 of 1, 3 octets, completes BINARY_EVENT / "upload" 1 arg, ack \d+',
    r"↓ attachment 1 of 1, 3 octets, completes BINARY_ACK / \d+, 1 arg",
    r'↑ EVENT / "join" 1 arg, room "lobby"',
)

STOMP = (
    r"↑ CONNECT versions 1.2,1.1,1.0 as ada",
    r"↓ CONNECTED version 1.2 by small/1, heart-beat 0,0",
    r"↑ SUBSCRIBE /queue/a, id s1, ack client-individual",
    r"↑ SEND /queue/a, 240 octets of text/plain, receipt r1",
    r"↓ MESSAGE /queue/a, subscription s1, 240 octets of text/plain",
    r"↓ RECEIPT r1",
    r"↑ ACK a1, receipt r2",
    r"↑ UNSUBSCRIBE id s1 \(/queue/a\)",
    r"↑ DISCONNECT, receipt close-\d+",
)

WAMP = (
    r"↑ HELLO realm1",
    r"↓ WELCOME 9129137332",
    r"↓ REGISTERED, request 1 to com.example.add",
    r"↑ CALL com.example.add, 2 args, request 2",
    r"↓ INVOCATION com.example.add, 2 args, request 2",
    r"↑ YIELD, 1 arg, request 2 to com.example.add",
    r"↓ RESULT, 1 arg, request 2 to com.example.add",
    r"↓ ERROR wamp.error.no_such_procedure, request 3 to com.example.nothing",
    r"↑ PUBLISH com.example.topic, 1 arg, request 5",
    r"↓ EVENT com.example.topic, 1 arg",
    r"↓ UNSUBSCRIBED, request 6 to com.example.topic",
    r"↑ GOODBYE wamp.close.normal",
)

SIGNALR = (
    r"↓ handshake answer accepted( · Ping)?",
    r"↑ Invocation Add 2 args, id 0",
    r"↓ Completion 0 to Add, 30( · .*)?",
    r'↓ Completion 1 to Fail, error "as you asked"',
    r"↑ StreamInvocation Count 1 arg, id 2",
    r"↓ StreamItem 2 to Count, 1( · .*)?",
    r"↓ (StreamItem .* · )?Completion 2 to Count",
)

MQTT = (
    r"↑ SUBSCRIBE room/\+ QoS 1, id \d+",
    r"↑ PUBLISH room/1, 5 octets",
    r"↑ PUBLISH room/1, 5 octets, QoS 1, id \d+",
    r"↑ PUBLISH room/1, 5 octets, QoS 2, id \d+",
    r"↑ PUBREL id \d+",
    r"↑ PINGREQ",
    r"↓ PINGRESP",
)

PHOENIX = (
    r"↑ phx_join room:lobby, ref \d+, .*",
    r"↓ phx_reply room:lobby ok, ref \d+ to phx_join, .*",
    r'↓ said room:lobby, {"body":"hi"}',
    r"↓ phx_reply room:lobby error, ref \d+ to refuse, .*",
    r"↓ phx_reply phoenix ok, ref \d+ to heartbeat, .*",
)

GRAPHQL = r"subscription Count, variables {to}, id \S+"

PEERS = {
    "socketio:2": Peer("socket.io 2", "socket.io", "EIO=3", 3, r"↓ CONNECT /", *SOCKET_IO),
    "socketio:3": Peer("socket.io 3", "socket.io", "EIO=4", 4, r"↓ CONNECT /chat session \S+", *SOCKET_IO),
    "socketio:4": Peer("socket.io 4", "socket.io", "EIO=4", 4, r"↓ CONNECT /chat session \S+", *SOCKET_IO),
    "socketio:4-polling": Peer(
        "socket.io 4 from polling", "socket.io", "EIO=4", 4,
        r'↑ ping "probe"', r'↓ pong "probe"', r"↑ upgrade the session goes on over this WebSocket", *SOCKET_IO,
    ),
    "engineio": Peer(
        "engine.io", "engine.io", "EIO=4", 1,
        r"↓ open session \S+ ping every 0.3 s, timeout 20 s", r'↑ message "hello"', r"↑ message 3 octets",
        r"↓ ping", r"↑ pong",
    ),
    "stompjs": Peer("stompjs", "stomp", "v12.stomp", 5, *STOMP),
    "stompjs:split": Peer(
        "stompjs in small messages", "stomp", "v12.stomp", 5,
        r"↑ SEND /queue/a, 320 octets so far, goes on in the next message",
        *(line for line in STOMP if "SEND" in line or "RECEIPT" in line),
    ),
    "sockjs": Peer(
        "sockjs", "sockjs", "SockJS session", 0,
        r"↓ open", r'↑ messages "hello 🙂"', r'↓ messages "hello 🙂"', r'↓ close 3000 "Go away!"',
    ),
    "sockjs:stomp": Peer(
        "stompjs in sockjs", "sockjs", "SockJS session", 5,
        *(line.replace(" ", " messages 1 string · ", 1) for line in STOMP),
    ),
    "mqttjs:4": Peer("mqtt.js and aedes, 3.1.1", "mqtt", "mqtt", 8, *MQTT),
    "mqttjs:5": Peer(
        "mqtt.js, 5.0", "mqtt", "mqtt", 8,
        r'↑ CONNECT MQTT 5.0 client "ada", keep alive 1 s, clean start, will on gone',
        *MQTT,
    ),
    "autobahn:json": Peer("autobahn-js, JSON", "wamp", "wamp.2.json", 8, *WAMP),
    "autobahn:msgpack": Peer("autobahn-js, MessagePack", "wamp", "wamp.2.msgpack", 8, *WAMP),
    "autobahn:cbor": Peer("autobahn-js, CBOR", "wamp", "wamp.2.cbor", 8, *WAMP),
    "signalr:json": Peer("signalr, JSON", "signalr", "SignalR handshake", 7, *SIGNALR),
    "signalr:messagepack": Peer("signalr, MessagePack", "signalr", "SignalR handshake", 7, *SIGNALR),
    "graphql:newer": Peer(
        "graphql-ws", "graphql-transport-ws", "graphql-transport-ws", 5,
        r"↑ connection_init {who}", r"↑ subscribe " + GRAPHQL,
        r'↓ next \S+ of subscription Count, {"count":2}', r"↓ complete \S+ of subscription Count",
        r"↑ ping", r"↓ error \S+ of query Broken, 1 error .*",
    ),
    "graphql:older": Peer(
        "subscriptions-transport-ws", "graphql-ws", "graphql-ws", 4,
        r"↑ start " + GRAPHQL, r'↓ data 1 of subscription Count, {"count":2}', r"↓ complete 1 of subscription Count",
        r"↑ connection_terminate",
    ),
    "phoenix:1": Peer("phoenix, serializer 1", "phoenix", "phx_join", 4, *PHOENIX),
    "phoenix:2": Peer(
        "phoenix, serializer 2", "phoenix", "phx_join", 5, *PHOENIX[:4],
        r"↑ upload room:lobby, ref \d+, 3 octets", r"↓ blob room:lobby, 2 octets",
    ),
    "actioncable": Peer(
        "@rails/actioncable", "action-cable", "actioncable-v1-json", 2,
        r"↓ welcome", r"↑ subscribe ChatChannel room=1", r"↓ confirm_subscription ChatChannel room=1",
        r"↓ reject_subscription SecretChannel", r'↑ message ChatChannel room=1 action "speak"',
        r"↓ broadcast ChatChannel room=1 .*", r"↓ ping", r"↑ unsubscribe ChatChannel room=1",
    ),
    "jsonrpc": Peer(
        "rpc-websockets", "json-rpc", "jsonrpc", 4,
        r"↑ request sum 2 params, id 1", r"↓ response 1 to sum, 8",
        r'↓ response 2 to nothing, error -32601 "Method not found"',
        r'↑ request sum 2 params, id "a" · request sum 2 params, id "b"',
        r'↓ response "a" to sum, 3 · response "b" to sum, 7',
    ),
    "devtools": Peer(
        "chrome-remote-interface and Chromium", "devtools", "/devtools/page/", 4,
        r"↑ command Page.enable, id 1", r"↓ event Page.loadEventFired .*",
        r"↓ result 3 to Runtime.evaluate, .*", r"↓ result 4 to Page.nothing, error -32601 .*",
    ),
    "gateway": Peer(
        "routes by action", "api-gateway", "action", 0,
        r"↑ route sendmessage {action, data}", r"↓ message {from, data}", r'↓ error "Forbidden" .*',
    ),
}


class Subprotocols:
    """The scripts of `subprotocols/`, copied beside the libraries, where imports find them."""

    def __init__(self, node_dir):
        self.scripts = os.path.join(node_dir, "subprotocols")
        shutil.copytree(os.path.join(HERE, "subprotocols"), self.scripts, dirs_exist_ok=True)

    @contextlib.contextmanager
    def server(self, peer):
        """Runs the server; yields its port."""
        process = Process(["node", "peer.mjs", peer, "serve"], cwd=self.scripts)
        try:
            yield int(process.wait_for("listening on " + ADDRESS.pattern).group(2))
        finally:
            process.stop()

    def talk(self, peer, url):
        """Runs the client to its end."""
        done = subprocess.run(
            ["node", "peer.mjs", peer, "talk", url], cwd=self.scripts, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=SECONDS,
        )
        if done.returncode != 0:
            raise Failed(f"the client of {peer} failed: {done.stderr[-1200:]}")


def expect_told(capture, peer):
    """Every message is told by the peer's sub-protocol, without a problem; what must be told stands among
    the summaries in this order, by direction, and answers are matched with what they answer.
    """
    name, reason, told, answers = peer.name, peer.reason, peer.told, peer.answers
    frames = [frame for frame in capture.frames() if frame["message"] and frame["subprotocol"]]
    expect(frames, "messages are told in the words of a sub-protocol", capture.of_type("handshake"))
    names = {frame["subprotocol"]["name"] for frame in frames}
    expect(names == {name}, f"the sub-protocol is {name}", names)
    reasons = {frame["subprotocol"]["reason"] for frame in frames}
    expect(all(re.search(reason, text) for text in reasons), f"the reason says {reason}", reasons)
    packets = [packet for frame in frames for packet in frame["subprotocol"]["packets"]]
    problems = [(packet["summary"], packet["problems"]) for packet in packets if packet["problems"]]
    expect(not problems, "a sound library breaks no grammar", problems)
    for direction, arrow in ((UP, "↑"), (DOWN, "↓")):
        said = [frame["subprotocol"]["summary"] for frame in frames if frame["direction"] == direction]
        rest = iter(said)
        for pattern in (pattern for way, pattern in told if way == arrow):
            found = any(re.fullmatch(pattern, summary) for summary in rest)
            expect(found, f"{arrow} {pattern} is told", said)
    matched = [packet for packet in packets if packet["answers"]]
    expect(len(matched) >= answers, f"{answers} answers are matched", [p["summary"] for p in matched])
    expect(all(packet["answers"]["latency_nanos"] > 0 for packet in matched), "answers take their time")
    expect_spans(frames)


def expect_spans(frames):
    """Fields lie in their message."""
    for frame in frames:
        for packet in frame["subprotocol"]["packets"]:
            for field in packet["fields"]:
                if field["offset"] is not None:
                    end = field["offset"] + field["len"]
                    expect(end <= frame["message"]["data_len"], "a field lies in its message", field)
