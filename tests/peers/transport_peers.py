"""The ways before WebSocket, spoken by clients that nobody here wrote, and what must be told of them."""

import json
import threading
import time
import urllib.request

from harness import expect, expect_equal

HOLD_SECONDS = 2
LISTEN = """(path) => new Promise((done, fail) => {
  const heard = [];
  const source = new EventSource(path);
  source.onmessage = (event) => { heard.push(event.lastEventId); if (heard.length === 3) { source.close(); done(heard.length); } };
  source.onerror = () => fail(new Error("the stream ended"));
})"""


class Visitor:
    """One visitor of the demo's chat, over Python's own HTTP client."""

    def __init__(self, base, nick, room):
        self.base = base
        self.session = self.ask(f"/chat/sessions?room={room}", {"type": "join", "nick": nick})["session"]
        self.after = 0

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def say(self, text):
        self.ask(f"/chat/sessions/{self.session}", {"type": "message", "text": text})

    def poll(self, wait=""):
        """Asks what is new; returns how many notices there are."""
        news = self.ask(f"/chat/sessions/{self.session}?after={self.after}{wait}")
        self.after = news["last"]
        return len(news["notices"])


def long_poll(base):
    """Waits for what somebody else says, then twice for nothing; leaves the visitor behind."""
    ada, bob = Visitor(base, "ada", "held"), Visitor(base, "bob", "held")
    while ada.poll():
        pass
    speaker = threading.Timer(1.2, bob.say, ["hello"])
    speaker.start()
    heard = [ada.poll(f"&wait={HOLD_SECONDS}") for _ in range(3)]
    speaker.join()
    expect_equal(heard, [1, 0, 0], "one answer brought the message, two were held to the limit")


def poll(base):
    """Asks twice a second, six times."""
    visitor = Visitor(base, "eve", "polled")
    began = time.monotonic()
    for turn in range(6):
        time.sleep(max(0.0, began + turn / 2 - time.monotonic()))
        visitor.poll()


def listen_in_browser(base, chromium):
    """Chromium's EventSource hears three messages."""
    visitor = Visitor(base, "ada", "events")
    listener = Visitor(base, "bob", "events")

    async def errand(page):
        for text in ("one", "two", "three"):
            visitor.say(text)
        await page.evaluate(f"({LISTEN})('/chat/sessions/{listener.session}/events')")

    chromium.visit(base + "/", errand)


def series(capture, transport):
    """The only series of a transport; `of` its exchanges."""
    told = [line for line in capture.of_type("transport") if line["transport"] == transport]
    expect(told, f"{transport} is told", capture.of_type("transport"))
    exchanges = [line for line in capture.of_type("exchange") if line["transport"] == transport]
    return told[-1], exchanges


def expect_held(capture):
    told, exchanges = series(capture, "long-polling")
    expect_equal(told["evidence"], "protocol", "the target asks to be waited for")
    expect(f"wait={HOLD_SECONDS}" in told["reason"], "the reason quotes what was asked for", told)
    held = [line["held_nanos"] / 1e9 for line in exchanges]
    expect(sum(HOLD_SECONDS - 0.1 < seconds < HOLD_SECONDS + 5 for seconds in held) >= 2, "two were held to the limit", held)


def expect_polled(capture):
    told, exchanges = series(capture, "polling")
    expect_equal(told["evidence"], "timing", "nobody says that it is polling")
    expect(0.4e9 < told["period_nanos"] < 0.6e9, "twice a second", told)
    expect(len(exchanges) >= 3, "its exchanges are told to be polling from the fourth on", exchanges)


def expect_events(capture):
    told, _ = series(capture, "server-sent-events")
    expect_equal(told["reason"], "Content-Type: text/event-stream", "the reason")
    data = [json.loads(line["data"]) for line in capture.of_type("server_sent_event") if line["data"]]
    said = [notice["text"] for notice in data if notice.get("type") == "message"]
    expect_equal(said[:3], ["one", "two", "three"], "what the browser heard")
    others = {line["transport"] for line in capture.of_type("transport")}
    expect_equal(others, {"server-sent-events"}, "the page that the browser loaded is no transport")


def expect_one_session(capture):
    """Polling and the WebSocket are one session."""
    told = capture.of_type("transport_session")
    expect_equal({line["session"] for line in told}, {1}, "one session")
    changes = [line["change"] for line in told]
    expect_equal((changes[0], changes[-1]), ("began", "upgraded"), "it begins by polling and moves")
    session = told[-1]
    expect(session["whole"] and session["sid"] == "•••", "its opening was seen, its name is masked", session)
    websocket = capture.handshake()["connection"]
    members = {(member["transport"], member["connection"] == websocket) for member in session["members"]}
    expect({("long-polling", False), ("websocket", True)} <= members, "polling and the WebSocket carry it", session)
    packets = [line["subprotocol"]["summary"] for line in capture.of_type("packets") if line["subprotocol"]]
    expect(packets and packets[0].startswith("open session"), "the bodies are read as packets", packets)
    expect(packets[-1].endswith("noop") or len(packets) > 1, "the last poll is let go", packets)


def expect_sockjs(capture):
    """One session over streaming and sending, read frame by frame in either."""
    session = capture.of_type("transport_session")[-1]
    expect_equal(session["protocol"], "sockjs", "whose session it is")
    ways = {member["transport"] for member in session["members"]}
    expect_equal(ways, {"http-streaming", "sending"}, "what carries it")
    down = [line["subprotocol"]["summary"] for line in capture.of_type("body_piece") if line["subprotocol"]]
    expect_equal(down, ["open", 'messages "hello 🙂"', 'close 3000 "Go away!"'], "frames of the server")
    up = [line["subprotocol"]["summary"] for line in capture.of_type("packets") if line["subprotocol"]]
    expect_equal(up, ['messages "hello 🙂"', 'messages "bye"'], "what the client sends")
    capture.expect_no_fault()
