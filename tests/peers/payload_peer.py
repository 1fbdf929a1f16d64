"""Payloads written by other people's libraries: every value that Framescope reads must be the one they wrote.

cbor2, msgpack, bson of pymongo and protobuf encode values drawn from a fixed seed; what
`framescope show --json --payload FORMAT` says of each message is compared leaf by leaf: path and value.
"""

import asyncio
import datetime
import json
import math
import random
import struct

import bson
import cbor2
import msgpack
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from websockets.asyncio.client import connect

import conversation
from harness import expect, expect_equal

SECONDS = 60
COUNT = 150
MESSAGE_TYPE = "market.Quote"


class Draw:
    """Values as a format can carry them, always the same ones."""

    def __init__(self, seed, extra):
        self.random, self.extra = random.Random(seed), extra

    def integer(self):
        bits = self.random.choice([0, 1, 4, 5, 7, 8, 15, 16, 31, 32, 63])
        value = self.random.getrandbits(bits) if bits else 0
        return value if self.random.random() < 0.6 else -value

    def text(self):
        letters = "abcXYZ 09\"\\\n\t\x00üß水𐅑\u202e"
        return "".join(self.random.choice(letters) for _ in range(self.random.randrange(40)))

    def number(self):
        return self.random.choice([0.0, -0.0, 1.5, -4.1, 1e300, 5e-324, math.inf, -math.inf, 65504.0,
                                   self.random.uniform(-1e6, 1e6)])

    def leaf(self):
        return self.random.choice([
            self.integer, self.text, self.number, lambda: None, lambda: True, lambda: False,
            lambda: self.random.randbytes(self.random.randrange(300)), *self.extra,
        ])()

    def value(self, depth=3):
        kind = self.random.random() if depth else 1.0
        if kind < 0.3:
            return [self.value(depth - 1) for _ in range(self.random.randrange(6))]
        if kind < 0.6:
            return self.document(depth)
        return self.leaf()

    def document(self, depth=3):
        return {f"k{number}": self.value(depth - 1) for number in range(self.random.randrange(9))}


def leaves(value, path="$"):
    """Path and value of everything without parts, in order."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, f"{path}.{key}" if isinstance(key, str) else f"{path}[{key}]")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from leaves(part, f"{path}[{index}]")
    else:
        yield path, value


def is_leaf(node):
    return node["value"] is not None


def agrees(text, value):
    """Whether a node's text is this value in the notation of RFC 8949 section 8."""
    if value is None:
        return text == "null"
    if isinstance(value, bool):
        return text == ("true" if value else "false")
    if isinstance(value, str):
        return text.startswith('"') and json.loads(text) == value
    if isinstance(value, bytes):
        # A value is told up to 512 octets of its text.
        return text == f"h'{value.hex()}'" or (text.endswith("…") and f"h'{value.hex()}'".startswith(text[:-1]))
    if isinstance(value, float):
        return struct.pack(">d", float(text.replace("Infinity", "inf"))) == struct.pack(">d", value)
    if isinstance(value, int):
        return text == str(value)
    if isinstance(value, datetime.datetime):
        return text.startswith("date(") and datetime.datetime.fromisoformat(text[5:-1]) == value
    return str(value) in text


def expect_read(payload, value, what):
    """The payload's leaves are those of `value`."""
    expect(payload["fault"] is None and payload["cut"] is None, f"{what} is read to its end", payload)
    seen = [(node["path"], node["value"]) for node in payload["nodes"] if is_leaf(node)]
    said = list(leaves(value))
    expect_equal([path for path, _ in seen], [path for path, _ in said], f"the paths of {what}")
    for (path, text), (_, written) in zip(seen, said):
        expect(agrees(text, written), f"{what}: {path} is {written!r}", text)


def cbor_samples():
    big = random.Random(1)
    draw = Draw(8949, [lambda: big.getrandbits(64) + 2**63, lambda: -big.getrandbits(100) - 2**64,
                       lambda: cbor2.undefined])
    for _ in range(COUNT):
        value = draw.value()
        yield cbor2.dumps(value), value


def msgpack_samples():
    draw = Draw(5, [lambda: 2**64 - 1])
    for _ in range(COUNT):
        value = draw.value()
        yield msgpack.packb(value), value


def bson_samples():
    stamp = datetime.datetime(2024, 3, 22, 12, 2, 32, 320000, datetime.timezone.utc)
    draw = Draw(11, [lambda: bson.ObjectId("507f1f77bcf86cd799439011"), lambda: bson.Decimal128("-12.340"),
                     lambda: bson.Int64(-7)])
    for _ in range(COUNT):
        value = draw.document()
        yield bson.encode(value), value
    yield bson.encode({"at": stamp}), {"at": stamp}


def schema():
    """`message Quote` with a field of every kind; the descriptor set and the class."""
    field = descriptor_pb2.FieldDescriptorProto
    one, many = field.LABEL_OPTIONAL, field.LABEL_REPEATED
    quote = descriptor_pb2.DescriptorProto(name="Quote")
    for number, (name, kind, label) in enumerate((
        ("symbol", field.TYPE_STRING, one), ("price", field.TYPE_DOUBLE, one), ("lot", field.TYPE_UINT64, one),
        ("change", field.TYPE_SINT64, one), ("delta", field.TYPE_INT32, one), ("raw", field.TYPE_BYTES, one),
        ("open", field.TYPE_BOOL, one), ("ratio", field.TYPE_FLOAT, one), ("mark", field.TYPE_SFIXED64, one),
        ("earlier", field.TYPE_MESSAGE, one), ("depth", field.TYPE_UINT32, many),
    ), 1):
        quote.field.add(name=name, number=number, type=kind, label=label,
                        type_name=f".{MESSAGE_TYPE}" if kind == field.TYPE_MESSAGE else None)
    file = descriptor_pb2.FileDescriptorProto(name="market.proto", package="market", syntax="proto3",
                                              message_type=[quote])
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(MESSAGE_TYPE))
    return descriptor_pb2.FileDescriptorSet(file=[file]), kind


def protobuf_samples(kind):
    draw = Draw(3, [])
    for _ in range(COUNT):
        value = quote(draw, 2)
        yield build(kind, value).SerializeToString(), value


def quote(draw, depth):
    # Values of proto3 that are the default are not sent.
    value = {
        "symbol": draw.text() or "A", "price": draw.random.uniform(1, 9), "lot": draw.random.getrandbits(64) or 1,
        "change": draw.integer() or -1, "delta": draw.random.randrange(-2**31, 0), "raw": draw.random.randbytes(9),
        "open": True, "ratio": draw.random.randrange(1, 99) / 4, "mark": draw.integer() or 1,
    }
    if depth:
        value["earlier"] = quote(draw, depth - 1)
    value["depth"] = [draw.random.getrandbits(32) for _ in range(draw.random.randrange(1, 9))]
    return value


def build(kind, value):
    message = kind()
    for name, part in value.items():
        if name == "earlier":
            message.earlier.CopyFrom(build(kind, part))
        elif name == "depth":
            message.depth.extend(part)
        else:
            setattr(message, name, part)
    return message


def converse(url, payloads):
    """Sends each payload in a binary message and awaits its echo."""
    asyncio.run(asyncio.wait_for(_converse(url, payloads), SECONDS))


async def _converse(url, payloads):
    async with connect(url, proxy=None, max_size=None, subprotocols=conversation.SUBPROTOCOLS) as socket:
        for payload in payloads:
            await socket.send(payload)
            expect_equal(await socket.recv(), payload, "the echo")
