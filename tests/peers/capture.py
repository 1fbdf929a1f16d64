"""What a capture says, put together from `framescope show --json` (docs/JSONL.md)."""

import base64

from harness import expect

UP, DOWN = "client-to-server", "server-to-client"


class Capture:
    """The lines of one capture."""

    def __init__(self, lines):
        self.lines = lines
        expect(lines and lines[0]["type"] == "schema", "the first line names the schema", lines[:1])

    def of_type(self, kind, connection=None):
        wanted = (line for line in self.lines if line["type"] == kind)
        return [line for line in wanted if connection is None or line["connection"] == connection]

    def handshake(self, connection=None):
        """The only handshake; it must be sound."""
        handshakes = self.of_type("handshake", connection)
        expect(len(handshakes) == 1, "the capture holds one handshake", handshakes)
        return handshakes[0]

    def sound_handshake(self, connection=None):
        handshake = self.handshake(connection)
        expect(handshake["status"] == 101 and handshake["upgraded"], "the handshake ends in 101", handshake)
        expect(handshake["accept"]["verdict"] == "matches", "Sec-WebSocket-Accept matches", handshake["accept"])
        failed = [check for check in handshake["checks"] if not check["passed"]]
        expect(not failed, "every check of the handshake passes", failed)
        return handshake

    def frames(self, direction=None, connection=None):
        frames = self.of_type("frame", connection)
        return [frame for frame in frames if direction is None or frame["direction"] == direction]

    def messages(self, direction, connection=None):
        """Each data message of a direction: its kind, its octets, and the frame line that ended it."""
        ended = [frame for frame in self.frames(direction, connection) if frame["message"]]
        return [(frame["message"]["opcode_name"], data_of(frame["message"]), frame) for frame in ended]

    def control(self, direction, name, connection=None):
        """Payloads of the control frames of one kind."""
        frames = self.frames(direction, connection)
        return [payload_of(frame) for frame in frames if frame["opcode_name"] == name]

    def closes(self, connection=None):
        """Direction, code and reason of each Close frame."""
        frames = [frame for frame in self.frames(connection=connection) if frame["opcode_name"] == "close"]
        return [(frame["direction"], frame["close"]["code"], frame["close"]["reason"]) for frame in frames]

    def expect_no_fault(self):
        """Nothing in it may be called an error, lost or missing."""
        found = self.of_type("finding")
        told = [(line["code"], line["direction"], line["evidence"]) for line in found]
        expect(not told, "clean traffic has no finding", told)
        for kind in ("gap", "lane_lost", "capture_fault"):
            expect(not self.of_type(kind), f"the capture has no {kind}", self.of_type(kind))


def payload_of(frame):
    return base64.b64decode(frame["payload_base64"])


def data_of(message):
    if message["text"] is not None:
        return message["text"].encode()
    return base64.b64decode(message["data_base64"])
