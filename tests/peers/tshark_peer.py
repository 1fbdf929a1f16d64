"""tshark as a second opinion: it dissects each capture and must agree with `framescope show --json`.

editcap, which comes with it, makes captures that are not whole.
"""

import ipaddress
import json
import subprocess

from capture import DOWN, UP, payload_of
from harness import Failed, expect, expect_equal

SECONDS = 300
# The streams are put together before they are dissected, and told by what they say: a free port may be one
# that tshark knows for another protocol.
OPTIONS = ["-o", "tcp.desegment_tcp_streams:TRUE", "-o", "tcp.try_heuristic_first:TRUE"]


def dissect(path):
    """The WebSocket frames by (source, destination), in order, each as a dict of what tshark says."""
    args = ["tshark", "-r", path, "-n", *OPTIONS, "-Y", "websocket", "-T", "jsonraw", "-J", "ip ipv6 tcp websocket data"]
    done = subprocess.run(args, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
    if done.returncode != 0:
        raise Failed(f"tshark ended with {done.returncode}: {done.stderr[-600:]}")
    # Several frames in one packet are several members of the same name: keep them all.
    packets = json.loads(done.stdout or "[]", object_pairs_hook=lambda pairs: pairs)
    streams = {}
    for packet in packets:
        layers = _member(_member(packet, "_source"), "layers")
        streams.setdefault(_ends(layers), []).extend(_frames(layers))
    return streams


def without(path, packets):
    """The capture without these packets, such as "1-20": another file beside it."""
    cut = path.removesuffix(".pcapng") + f"-without-{packets}.pcapng"
    done = subprocess.run(["editcap", path, cut, packets], capture_output=True, text=True, timeout=SECONDS)
    if done.returncode != 0:
        raise Failed(f"editcap ended with {done.returncode}: {done.stderr[-600:]}")
    return cut


def agree(path, capture):
    """Fails unless tshark sees the same frames in each direction of each connection."""
    seen = dissect(path)
    wanted = {}
    for opened in capture.of_type("connection_opened"):
        for direction, ends in ((UP, (opened["client"], opened["server"])), (DOWN, (opened["server"], opened["client"]))):
            frames = capture.frames(direction, opened["connection"])
            if frames:
                wanted.setdefault(ends, []).extend(frames)
    expect_equal(sorted(seen), sorted(wanted), "streams with WebSocket frames")
    count = 0
    for ends, frames in wanted.items():
        theirs = seen[ends]
        ours = [_ours(frame) for frame in frames]
        expect_equal([frame["wire"] for frame in theirs], ours, f"frames from {ends[0]} to {ends[1]}")
        expect_same_texts(theirs, frames)
        count += len(frames)
    return count


def _ours(frame):
    return {
        "header": frame["header"],
        "fin": frame["fin"],
        "rsv": frame["rsv1"] * 4 + frame["rsv2"] * 2 + frame["rsv3"],
        "opcode": frame["opcode"],
        "masked": frame["masked"],
        "masking_key": frame["masking_key"],
        "payload_len": frame["payload_len"],
        "payload": payload_of(frame).hex(),
    }


def expect_same_texts(theirs, frames):
    """Texts put together and inflated are the same.

    tshark 4.0 does not inflate a compressed message of several frames; what it shows behind one
    lacks the octets that the sliding window should hold, so there the comparison ends.
    """
    for their, frame in zip(theirs, frames):
        message = frame["message"]
        if message and message["compressed"] and message["frames"] > 1:
            return
        if message and their["text"] is not None:
            expect_equal(their["text"], (message["text"] or "").encode().hex(), f"text of message {message['index']}")


def _frames(layers):
    """The WebSocket frames of one packet. What follows a frame's member belongs to that frame."""
    frames = []
    for name, value in layers:
        if name == "websocket_raw":
            frames.append({"wire": {"header": value[0]}, "text": None})
        elif name == "websocket":
            fields = dict(value)
            wire = frames[-1]["wire"]
            length = int(_raw(fields, "payload_length"), 16)
            extended = {126: "payload_length_ext_16", 127: "payload_length_ext_64"}.get(length)
            wire.update(
                fin=_raw(fields, "fin") == "1",
                rsv=int(_raw(fields, "rsv"), 16),
                opcode=int(_raw(fields, "opcode"), 16),
                masked=_raw(fields, "mask") == "1",
                masking_key=_raw(fields, "masking_key"),
                payload_len=int(_raw(fields, extended), 16) if extended else length,
                payload=_raw(fields, "payload") or "",
            )
            inner = dict(fields.get("websocket.payload") or [])
            frames[-1]["text"] = _raw(inner, "payload.text")
    return frames


def _raw(fields, name):
    """The octets of a field in hexadecimal; `name` is without the protocol."""
    value = fields.get(f"websocket.{name}_raw")
    return None if value is None else value[0]


def _ends(layers):
    layers = dict(layers)
    ip, version = (layers["ip"], "ip") if "ip" in layers else (layers["ipv6"], "ipv6")
    ip, tcp = dict(ip), dict(layers["tcp"])

    def end(which):
        address = ipaddress.ip_address(bytes.fromhex(ip[f"{version}.{which}_raw"][0]))
        port = int(tcp[f"tcp.{which}port_raw"][0], 16)
        return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"

    return end("src"), end("dst")


def _member(pairs, name):
    found = [value for key, value in pairs if key == name]
    expect(len(found) == 1, f"tshark's answer has one {name}")
    return found[0]
