//! Messages of the hub protocol's document, in both encodings, and broken ones.

use hex_literal::hex;

use super::*;
use crate::subprotocol::testing::{Talk, answers, field, octets_of, one, problems};

fn talk(protocol: &str) -> Talk {
    let mut talk = Talk::new(Subprotocol::SignalR);
    let said = talk.up(&format!("{{\"protocol\":\"{protocol}\",\"version\":1}}\u{1e}"));
    assert_eq!(said.summary(), format!("handshake {protocol} version 1"));
    talk
}

#[test]
fn invocations_streams_and_completions_in_json() {
    let mut talk = talk("json");
    let said = talk.down("{}\u{1e}{\"type\":6}\u{1e}");
    assert_eq!(said.summary(), "handshake answer accepted · Ping");
    assert_eq!(answers(&said.packets[0]), (0, "handshake json version 1", 1));
    let said = talk.up(
        "{\"type\":1,\"invocationId\":\"7\",\"target\":\"Send\",\"arguments\":[42,\"x\"]}\u{1e}",
    );
    assert_eq!(said.summary(), "Invocation Send 2 args, id 7");
    let said = talk.down("{\"type\":3,\"invocationId\":\"7\",\"result\":{\"ok\":true}}\u{1e}");
    assert_eq!(said.summary(), "Completion 7 to Send, {\"ok\":true}");
    assert_eq!(answers(one(&said)), (1, "Send", 1));
    let said =
        talk.up("{\"type\":4,\"invocationId\":\"8\",\"target\":\"Count\",\"arguments\":[]}\u{1e}");
    assert_eq!(
        (one(&said).role, said.summary().as_str()),
        (Role::Request, "StreamInvocation Count 0 args, id 8")
    );
    let both = "{\"type\":2,\"invocationId\":\"8\",\"item\":1}\u{1e}{\"type\":3,\"invocationId\":\"8\",\"error\":\"no\"}\u{1e}";
    let said = talk.down(both);
    assert_eq!(said.summary(), "StreamItem 8 to Count, 1 · Completion 8 to Count, error \"no\"");
    assert_eq!(octets_of(&said.packets[1], "error", both.as_bytes()), b"\"no\"");
    assert_eq!(talk.down("{\"type\":7,\"error\":\"bye\"}\u{1e}").summary(), "Close error \"bye\"");
    assert!(said.problems().next().is_none());
}

#[test]
fn the_same_in_message_pack() {
    let mut talk = talk("messagepack");
    talk.down_octets(b"{}\x1e");
    // The example of the document: [1, {}, "xyz", "method", [42]] behind its length.
    let invocation = hex!("10 95 01 80 a3 78797a a6 6d6574686f64 91 2a  02 91 06");
    let said = talk.up_octets(&invocation);
    assert_eq!(said.summary(), "Invocation method 1 arg, id xyz · Ping");
    assert_eq!(octets_of(&said.packets[0], "target", &invocation), b"\xa6method");
    let said = talk.down_octets(&hex!("09 95 03 80 a3 78797a 03 2a"));
    assert_eq!(said.summary(), "Completion xyz to method, 42");
    assert_eq!(field(one(&said), "result kind"), "a value");
}

#[test]
fn what_does_not_fit_is_told() {
    let rows = [
        ("{\"type\":1}\u{1e}", "missing-field: octet 8: an invocation must have a target"),
        ("{\"type\":12}\u{1e}", "unknown-kind: octet 8: there is no message type 12"),
        ("{\"type\":3}\u{1e}", "missing-field: octet 8: Completion must have an invocationId"),
        ("{\"type\":6}", "truncated: octet 0: a record ends in the octet 1E"),
        ("{\"a\":6}\u{1e}", "missing-field: octet 0: a message must have a type"),
        (
            "{\"type\u{1e}",
            "truncated: octet 6: the payload ends inside the string that begins at octet 1",
        ),
    ];
    for (text, problem) in rows {
        let said = talk("json").up(text);
        assert!(problems(&said).iter().any(|seen| seen == problem), "{:?}", problems(&said));
    }
    let mut talk = talk("messagepack");
    talk.down_octets(b"{}\x1e");
    let down = |talk: &mut Talk, octets: &[u8]| problems(&talk.down_octets(octets));
    assert_eq!(
        down(&mut talk, &hex!("05 91")),
        ["truncated: octet 0: the message ends inside of a record"]
    );
    assert_eq!(
        down(&mut talk, &[0xFF; 6]),
        ["malformed: octet 0: the length of a record has at most five octets"]
    );
    assert_eq!(
        down(&mut talk, &hex!("07 95 03 80 a1 31 03 2a"))[0],
        "unknown-id: octet 2: no invocation has the id 1"
    );
    let said = Talk::new(Subprotocol::SignalR).up("{\"type\":6}\u{1e}");
    assert_eq!(problems(&said), ["out-of-order: octet 8: Ping before the handshake"]);
}

#[test]
fn it_is_recognised_by_its_handshake() {
    assert!(recognise("{\"protocol\":\"json\",\"version\":1}\u{1e}").is_some());
    assert!(recognise("{\"protocol\":\"json\",\"version\":1}").is_none());
    assert!(recognise("{}\u{1e}").is_none());
}
