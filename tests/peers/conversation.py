"""One conversation that every client holds with every echo server.

A step is a dict that JSON can hold, so that peers in other languages read the same:
`{"kind": "text" | "binary", "parts": [base64, …]}` is sent as one message, one frame or more a part,
and must come back as one message; `ping` carries its payload in `data` and waits for the pong;
the text `ping me PAYLOAD` makes the server ping before it echoes;
`close` closes with `code` and `reason`; `ask_close` asks the server to.
"""

import base64

from capture import DOWN, UP
from harness import expect, expect_equal

SUBPROTOCOLS = ["superchat.example", "chat.example"]
CHOSEN = "chat.example"
# The 7-, 16- and 64-bit lengths of RFC 6455 section 5.2, at their edges.
LENGTHS = [0, 1, 125, 126, 127, 65535, 65536, 70000]


def text(*parts):
    return {"kind": "text", "parts": [base64.b64encode(part.encode()).decode() for part in parts]}


def binary(*parts):
    return {"kind": "binary", "parts": [base64.b64encode(part).decode() for part in parts]}


def octets(length):
    return bytes((index * 7 + index // 251) % 256 for index in range(length))


def steps(close):
    """All that is said, with `close` as the last step."""
    said = [text("hello"), text("grüße, 世界 🙂")]
    said += [binary(octets(length)) for length in LENGTHS]
    said += [
        text("one ", "message ", "in ", "parts"),
        binary(octets(300), octets(200), octets(1)),
        text("x" * 100_000),
        {"kind": "ping", "data": base64.b64encode(b"are you there?").decode()},
        text("ping me now"),
    ]
    # The same words again and again: what a sliding window remembers shows in the lengths.
    said += [text(f'{{"seq":{n},"price":101.25,"symbol":"ACME"}}') for n in range(12)]
    return [*said, close]


def data_of(step):
    return b"".join(base64.b64decode(part) for part in step["parts"])


def expect_in_capture(capture, said, deflate):
    """The capture shows the conversation: each message both ways, with its frames and its length form."""
    handshake = capture.sound_handshake()
    expect_equal(handshake["subprotocol"]["offered"], SUBPROTOCOLS, "subprotocols offered")
    expect_equal(handshake["subprotocol"]["chosen"], CHOSEN, "subprotocol chosen")
    expect((handshake["deflate"] is not None) == deflate, "permessage-deflate as agreed on", handshake["extensions"])

    spoken = [step for step in said if step["kind"] in ("text", "binary")]
    wanted = [(step["kind"], data_of(step)) for step in spoken]
    asks = said[-1]["kind"] == "ask_close"
    asked = [("text", f"close {said[-1]['code']} {said[-1]['reason']}".encode())] if asks else []
    sent, came = capture.messages(UP), capture.messages(DOWN)
    expect_equal([entry[:2] for entry in sent], wanted + asked, "messages of the client")
    expect_equal([entry[:2] for entry in came], wanted, "messages of the server")
    for step, (_, data, frame) in zip(spoken, sent):
        if len(step["parts"]) > 1:
            expect(frame["message"]["frames"] >= len(step["parts"]), "the parts are frames", frame["message"])
    for direction, entries in ((UP, sent), (DOWN, came)):
        expect_frames(capture.frames(direction), masked=direction == UP)
        if not deflate:
            expect(not any(entry[2]["message"]["compressed"] for entry in entries), "nothing is compressed")
    if deflate:
        long = next(entry for entry in sent if len(entry[1]) == 100_000)
        expect(long[2]["message"]["compressed"], "the long text is compressed", long[2]["message"])

    pings = [base64.b64decode(step["data"]) for step in said if step["kind"] == "ping"]
    for ping in pings:
        expect(ping in capture.control(UP, "ping"), "the client's ping", capture.control(UP, "ping"))
        expect(ping in capture.control(DOWN, "pong"), "its pong", capture.control(DOWN, "pong"))
    expect(b"now" in capture.control(DOWN, "ping"), "the server's ping", capture.control(DOWN, "ping"))
    expect(b"now" in capture.control(UP, "pong"), "its pong", capture.control(UP, "pong"))

    closes = capture.closes()
    first = DOWN if asks else UP
    expect_equal(closes[0], (first, said[-1]["code"], said[-1]["reason"]), "the first Close frame")
    expect_equal({entry[0] for entry in closes}, {UP, DOWN}, "who sent a Close frame")
    capture.expect_no_fault()


def expect_frames(frames, masked):
    expect_equal([frame["index"] for frame in frames], list(range(len(frames))), "indexes of the frames")
    offset = frames[0]["offset"]
    for frame in frames:
        expect(frame["masked"] == masked, "the MASK bit", frame)
        expect((frame["masking_key"] is not None) == masked, "the masking key", frame)
        length = frame["payload_len"]
        form = 7 if length < 126 else 16 if length < 65536 else 64
        expect_equal(frame["payload_len_form"], form, f"length form of {length} octets")
        expect_equal(frame["offset"], offset, "frames stand end to end")
        offset += frame["wire_len"]
