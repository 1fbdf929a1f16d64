//! Packets of the protocol's own document, and broken ones.

use super::*;
use crate::subprotocol::testing::{Talk, answers, field, octets_of, one, problems};

fn talk(revision: u8) -> Talk {
    let target = format!("/socket.io/?EIO={revision}&transport=websocket");
    Talk::opened(Subprotocol::SocketIo, &Opening { target: &target, ..Opening::default() })
}

#[test]
fn namespaces_events_and_acknowledgements_of_revision_5() {
    let mut talk = talk(4);
    assert_eq!(talk.up("40").summary(), "CONNECT /");
    let said = talk.down(r#"40{"sid":"oSO0OpakMV_3jnilAAAA"}"#);
    assert_eq!(said.summary(), "CONNECT / session \"oSO0OpakMV_3jnilAAAA\"");
    assert_eq!(answers(one(&said)), (0, "CONNECT /", 1));
    assert_eq!(talk.up(r#"40/admin,{"token":"123"}"#).summary(), "CONNECT /admin with data");
    let said = talk.down(r#"44/admin,{"message":"Not authorized"}"#);
    assert_eq!(said.summary(), "CONNECT_ERROR /admin \"Not authorized\"");
    assert_eq!(answers(one(&said)).0, 1);
    let event = r#"42/chat,7["message",{"text":"hi"},2]"#;
    let said = talk.up(event);
    assert_eq!(said.summary(), "EVENT /chat \"message\" 2 args, ack 7");
    assert_eq!(octets_of(one(&said), "namespace", event.as_bytes()), b"/chat");
    assert_eq!(octets_of(one(&said), "argument 0", event.as_bytes()), br#"{"text":"hi"}"#);
    assert_eq!(one(&said).role, Role::Request);
    let said = talk.down(r#"43/chat,7["ok"]"#);
    assert_eq!(said.summary(), "ACK /chat 7, 1 arg");
    assert_eq!(answers(one(&said)), (2, "EVENT /chat \"message\" 2 args, ack 7", 1));
    assert_eq!(
        talk.up(r#"42["join","lobby"]"#).summary(),
        "EVENT / \"join\" 1 arg, room \"lobby\""
    );
    assert_eq!(talk.up("41/chat,").summary(), "DISCONNECT /chat");
    assert_eq!(talk.down("2").summary(), "ping");
}

#[test]
fn attachments_are_joined() {
    let mut talk = talk(4);
    let said = talk
        .up(r#"452-/up,3["upload",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#);
    assert_eq!(said.summary(), "BINARY_EVENT /up \"upload\" 2 args, ack 3, 2 attachments to come");
    assert_eq!(talk.up_octets(&[1, 2, 3]).summary(), "attachment 1 of 2, 3 octets");
    let said = talk.up_octets(&[4]);
    assert_eq!(
        said.summary(),
        "attachment 2 of 2, 1 octet, completes BINARY_EVENT /up \"upload\" 2 args, ack 3"
    );
    assert_eq!(field(one(&said), "octets of all attachments"), "4");
    talk.down(r#"461-/up,3[{"_placeholder":true,"num":0}]"#);
    let said = talk.down_octets(&[9, 9]);
    assert_eq!(answers(one(&said)).0, 0);
    assert!(said.problems().next().is_none());
}

#[test]
fn revision_4_connects_unasked_and_marks_its_binary_messages() {
    let mut talk = talk(3);
    assert_eq!(talk.down("40").summary(), "CONNECT /");
    assert_eq!(talk.up("40/chat?token=abc,").summary(), "CONNECT /chat?token=abc");
    assert_eq!(answers(one(&talk.down("40/chat,"))).0, 0);
    assert_eq!(talk.down(r#"44"Invalid namespace""#).summary(), "ERROR / \"Invalid namespace\"");
    talk.up(r#"451-["up",{"_placeholder":true,"num":0}]"#);
    let said = talk.up_octets(&[4, 7, 7]);
    assert_eq!(octets_of(one(&said), "data", &[4, 7, 7]), [7, 7]);
}

#[test]
fn what_the_grammar_forbids_is_told() {
    let rows = [
        ("49", "unknown-kind: octet 1: there is no packet type \"9\""),
        ("4", "truncated: octet 1: a packet begins with its type"),
        ("42{}", "invalid-value: octet 2: an event is an array of its name and its arguments"),
        ("42", "invalid-value: octet 2: an event is an array of its name and its arguments"),
        ("42[]", "invalid-value: octet 2: the first item of an event is its name"),
        ("42[1", "truncated: octet 4: the payload ends inside an array"),
        ("43[]", "missing-field: octet 2: an acknowledgement must tell its number"),
        ("439[]", "unknown-id: octet 2: nothing asked for acknowledgement 9"),
        ("45[\"a\"]", "missing-field: octet 2: BINARY_EVENT must tell how many attachments follow"),
    ];
    for (text, problem) in rows {
        let said = talk(4).up(text);
        assert!(problems(&said).iter().any(|seen| seen == problem), "{:?}", problems(&said));
    }
    let said = talk(4).up_octets(&[1]);
    assert_eq!(problems(&said), ["out-of-order: octet 0: no packet waits for an attachment"]);
    let mut talk = talk(4);
    talk.up(r#"451-["up",{"_placeholder":true,"num":0}]"#);
    let said = talk.up(r#"42["next"]"#);
    assert_eq!(
        problems(&said),
        ["out-of-order: 1 attachment of the packet in message 0 did not come"]
    );
}
