//! Sub-protocols: any messages in any of them are dissected without panic, in bounded memory; fields and
//! problems point into their message, answers to an earlier message of the other side; the same messages
//! say the same again.
#![no_main]

use framescope_core::subprotocol::{
    Choice, Conversation, Dissection, MAX_FIELDS, MAX_PACKETS, MessageFacts, Opening, Subprotocol,
    choose,
};
use framescope_core::{Direction, Opcode, Timestamp};
use framescope_fuzz::{peak, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::begin(inputs(), check), |input: &[u8]| check(input));

const TOKENS: [Option<&str>; 5] =
    [None, Some("wamp.2.json"), Some("wamp.2.cbor"), Some("wamp.2.msgpack.batched"), Some("mqtt")];
const TARGETS: [&str; 3] = ["/", "/?EIO=3&transport=websocket", "/echo/123/abcd1234/websocket"];

/// An octet for the sub-protocol, one for how it was opened, then messages: flags, two octets of length,
/// the octets.
fn check(input: &[u8]) {
    let [protocol, opened, rest @ ..] = input else { return };
    let protocol = Subprotocol::ALL[usize::from(*protocol) % Subprotocol::ALL.len()];
    let opening = Opening {
        agreed: TOKENS[usize::from(*opened) % TOKENS.len()],
        target: TARGETS[usize::from(*opened >> 4) % TARGETS.len()],
        ..Opening::default()
    };
    let messages = messages(rest);
    let said = peak::within((4 << 20) + 4096 * rest.len(), || {
        let _ = choose(&opening, &messages);
        converse(protocol, &opening, &messages)
    });
    for (dissection, message) in said.iter().zip(&messages) {
        check_dissection(dissection, message);
    }
    assert_eq!(said, converse(protocol, &opening, &messages));
}

fn converse(
    protocol: Subprotocol,
    opening: &Opening<'_>,
    messages: &[MessageFacts<'_>],
) -> Vec<Dissection> {
    let choice = Choice { protocol, reason: String::new() };
    let mut conversation = Conversation::new(choice, opening);
    messages.iter().map(|message| conversation.receive(message)).collect()
}

fn messages(mut rest: &[u8]) -> Vec<MessageFacts<'_>> {
    let mut indexes = [0_u64; 2];
    let mut messages = Vec::new();
    while let [flags, high, low, behind @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*high, *low])).min(behind.len());
        let (data, next) = behind.split_at(len);
        rest = next;
        let direction = Direction::BOTH[usize::from(flags & 1)];
        let index = &mut indexes[direction.index()];
        messages.push(MessageFacts {
            direction,
            index: *index,
            opcode: if flags & 2 == 0 { Opcode::Text } else { Opcode::Binary },
            data,
            data_len: len as u64 + if flags & 4 == 0 { 0 } else { 1000 },
            at: Timestamp::from_nanos(messages.len() as u64),
        });
        *index += 1;
    }
    messages
}

fn check_dissection(dissection: &Dissection, message: &MessageFacts<'_>) {
    assert!(dissection.packets.len() <= MAX_PACKETS);
    let _ = dissection.summary();
    for packet in &dissection.packets {
        assert!(packet.fields.len() <= MAX_FIELDS + 1);
        for span in packet.fields.iter().filter_map(|field| field.span) {
            assert!(span.start <= span.end && span.end <= message.data.len(), "{packet:?}");
        }
        for at in packet.problems.iter().filter_map(|problem| problem.at) {
            assert!(at <= message.data.len(), "{packet:?}");
        }
        if let Some(answer) = &packet.answers {
            assert!(answer.to != message.reference(), "{packet:?}");
        }
    }
}

/// A conversation in each sub-protocol.
fn inputs() -> Vec<Vec<u8>> {
    let texts: [&[&[u8]]; 14] = [
        &[b"0{\"sid\":\"a\"}", b"2", b"4hello"],
        &[
            b"42/chat,7[\"message\",{\"a\":1}]",
            b"43/chat,7[]",
            b"451-[\"up\",{\"_placeholder\":true,\"num\":0}]",
        ],
        &[
            b"CONNECT\naccept-version:1.2\n\n\0",
            b"SEND\ndestination:/a\ncontent-length:2\n\nhi\0\n",
        ],
        &[b"[\"CONNECT\\naccept-version:1.2\\n\\n\\u0000\"]", b"a[\"b\"]", b"c[3000,\"d\"]"],
        &[
            b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a",
            b"\x32\x07\x00\x01a\x00\x01hi\xc0",
            b"\x00",
        ],
        &[b"[48,1,{},\"a.b\",[1]]", b"[50,1,{},[2]]", b"\x95\x30\x01\x80\xa1a\x91\x17"],
        &[
            b"{\"protocol\":\"json\",\"version\":1}\x1e",
            b"{\"type\":1,\"target\":\"a\",\"arguments\":[]}\x1e",
        ],
        &[
            b"{\"type\":\"subscribe\",\"id\":\"1\",\"payload\":{\"query\":\"{ a }\"}}",
            b"{\"type\":\"next\",\"id\":\"1\"}",
        ],
        &[
            b"{\"type\":\"start\",\"id\":\"1\",\"payload\":{\"query\":\"{ a }\"}}",
            b"{\"type\":\"ka\"}",
        ],
        &[b"[\"1\",\"1\",\"t\",\"phx_join\",{}]", b"\x00\x01\x01\x01\x0111tuD"],
        &[
            b"{\"command\":\"subscribe\",\"identifier\":\"{\\\"channel\\\":\\\"A\\\"}\"}",
            b"{\"type\":\"welcome\"}",
        ],
        &[
            b"[{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":1}]",
            b"{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":1}",
        ],
        &[b"{\"id\":1,\"method\":\"Page.enable\"}", b"{\"id\":1,\"result\":{}}"],
        &[
            b"{\"action\":\"a\",\"b\":1}",
            b"{\"message\":\"c\",\"connectionId\":\"d\",\"requestId\":\"e\"}",
        ],
    ];
    let mut inputs = Vec::new();
    for (protocol, messages) in texts.iter().enumerate() {
        for flags in [0_u8, 2] {
            let mut input = vec![u8::try_from(protocol).expect("few"), 0];
            for (place, message) in messages.iter().enumerate() {
                let len = u16::try_from(message.len()).expect("short");
                input.push(flags | u8::from(place % 2 == 1));
                input.extend(len.to_be_bytes());
                input.extend_from_slice(message);
            }
            inputs.push(input);
        }
    }
    inputs
}
