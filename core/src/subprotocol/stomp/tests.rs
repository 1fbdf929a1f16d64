//! Conversations from the STOMP 1.2 specification, and broken ones.

use super::*;
use crate::Direction::ClientToServer;
use crate::Opcode;
use crate::subprotocol::testing::{Talk, answers, field, octets_of, one, problems};

fn connected() -> Talk {
    let mut talk = Talk::new(Subprotocol::Stomp);
    let connect = talk.up("CONNECT\naccept-version:1.0,1.1,1.2\nhost:stomp.github.org\nlogin:ada\npasscode:secret\n\n\0");
    assert_eq!(connect.summary(), "CONNECT versions 1.0,1.1,1.2 host stomp.github.org as ada");
    let connected = talk.down("CONNECTED\nversion:1.2\nserver:demo/1\nheart-beat:0,10000\n\n\0");
    assert_eq!(connected.summary(), "CONNECTED version 1.2 by demo/1, heart-beat 0,10000");
    assert_eq!(answers(one(&connected)), (0, "CONNECT", 1));
    talk
}

#[test]
fn a_conversation_with_receipts_and_acknowledgements() {
    let mut talk = connected();
    let said = talk.up("SUBSCRIBE\nid:0\ndestination:/queue/foo\nack:client\n\n\0");
    assert_eq!(said.summary(), "SUBSCRIBE /queue/foo, id 0, ack client");
    let send = "SEND\ndestination:/queue/a\ncontent-type:text/plain\nreceipt:77\n\nhello queue a\0";
    let said = talk.up(send);
    assert_eq!(said.summary(), "SEND /queue/a, 13 octets of text/plain, receipt 77");
    assert_eq!(octets_of(one(&said), "body", send.as_bytes()), b"hello queue a");
    assert_eq!(octets_of(one(&said), "destination", send.as_bytes()), b"/queue/a");
    let said = talk.down("RECEIPT\nreceipt-id:77\n\n\0");
    assert_eq!(answers(one(&said)), (2, "SEND /queue/a, 13 octets of text/plain, receipt 77", 1));
    let said = talk.down(
        "MESSAGE\nsubscription:0\nmessage-id:007\nack:a7\ndestination:/queue/foo\ncontent-length:3\n\na\0b\0\n",
    );
    assert_eq!(said.summary(), "MESSAGE /queue/foo, subscription 0, 3 octets · heart-beat");
    let said = talk.up("ACK\nid:a7\n\n\0");
    assert_eq!(answers(one(&said)).0, 2);
    let said = talk.up("UNSUBSCRIBE\nid:0\n\n\0");
    assert_eq!(said.summary(), "UNSUBSCRIBE id 0 (/queue/foo)");
    assert!(said.problems().next().is_none());
    assert_eq!(talk.up("\n").summary(), "heart-beat");
    assert_eq!(talk.up("DISCONNECT\nreceipt:1\n\n\0").summary(), "DISCONNECT, receipt 1");
}

#[test]
fn a_frame_in_several_messages_is_put_together() {
    let mut talk = connected();
    let first = talk.up("SEND\ndestination:/queue/a\n\nhello ");
    assert_eq!(first.summary(), "SEND /queue/a, 33 octets so far, goes on in the next message");
    let last = talk.up("world\0SEND\ndestination:/b\n\n\0");
    assert_eq!(last.summary(), "SEND /queue/a, 11 octets · SEND /b, 0 octets");
    assert!(
        last.packets[0].fields.iter().all(|field| field.span.is_none() || field.name == "body")
    );
    assert!(last.problems().next().is_none());
}

#[test]
fn escapes_are_resolved_but_not_in_connect() {
    let mut talk = connected();
    let said = talk.up("SEND\ndestination:/a\\cb\\\\\\n\nx\\ty:1\n\n\0");
    assert_eq!(field(one(&said), "destination"), "/a:b\\\n");
    assert_eq!(problems(&said).len(), 1, "an escape that is not defined");
    let said = talk.up("CONNECT\nlogin:a\\cb\n\n\0");
    assert_eq!(field(one(&said), "login"), "a\\cb");
}

#[test]
fn what_the_grammar_forbids_is_told() {
    let rows = [
        ("JUMP\n\n\0", "unknown-kind: octet 0: there is no command \"JUMP\""),
        ("SEND\n\nhi\0", "missing-field: octet 0: SEND must have the header destination"),
        ("MESSAGE\n\n\0", "wrong-direction: octet 0: MESSAGE is not for the client to send"),
        ("BEGIN\ntransaction:1\n\nbody\0", "trailing-octets: octet 21: BEGIN must not have a body"),
        (
            "BEGIN\ntransaction\n\n\0",
            "malformed: octet 6: the header line \"transaction\" has no colon",
        ),
        ("ACK\nid:9\n\n\0", "unknown-id: no message with this id waits for it"),
        (
            "SEND\ndestination:/a\ncontent-length:1\n\nabc\0",
            "malformed: octet 39: no NUL follows the 1 octets that content-length announces",
        ),
        (
            "SEND\ndestination:/a\ncontent-length:x\n\nabc\0",
            "invalid-value: content-length is \"x\"",
        ),
    ];
    for (frame, problem) in rows {
        let said = connected().up(frame);
        assert!(problems(&said).iter().any(|seen| seen == problem), "{:?}", problems(&said));
    }
    let said = Talk::new(Subprotocol::Stomp).up("SEND\ndestination:/a\n\n\0");
    assert_eq!(problems(&said), ["out-of-order: octet 0: SEND before CONNECTED"]);
}

#[test]
fn a_frame_without_end_does_not_swallow_the_next() {
    let mut talk = connected();
    talk.up("SEND\ndestination:/a\n\nno end");
    let said = talk.up("SEND\ndestination:/b\n\n\0");
    assert_eq!(
        said.summary(),
        "unfinished a frame of 27 octets was never ended · SEND /b, 0 octets"
    );
}

#[test]
fn what_was_not_kept_is_not_a_fault() {
    let said =
        connected().says_of(ClientToServer, Opcode::Text, b"SEND\ndestination:/a\n\nx", 5000);
    assert_eq!(said.summary(), "SEND /a, only 22 octets were kept");
    assert!(said.problems().next().is_none());
}

#[test]
fn it_is_recognised_by_its_first_frame() {
    assert!(recognise("CONNECT\naccept-version:1.2\n\n\0").is_some());
    assert!(recognise("STOMP\r\nhost:a\r\n\r\n\0").is_some());
    assert!(recognise("CONNECT\n\n\0").is_some());
    assert!(recognise("CONNECT to me\n").is_none());
    assert!(recognise("hello").is_none());
}
