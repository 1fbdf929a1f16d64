//! Messages of the protocol's document in all three encodings, and broken ones.

use hex_literal::hex;

use super::*;
use crate::subprotocol::testing::{Talk, answers, field, octets_of, one, problems};

fn talk(token: &str) -> Talk {
    Talk::opened(Subprotocol::Wamp, &Opening { agreed: Some(token), ..Opening::default() })
}

#[test]
fn calls_and_events_in_json() {
    let mut talk = talk("wamp.2.json");
    assert_eq!(talk.up(r#"[1,"somerealm",{"roles":{"caller":{}}}]"#).summary(), "HELLO somerealm");
    let said = talk.down(r#"[2,9129137332,{"roles":{"broker":{}}}]"#);
    assert_eq!(said.summary(), "WELCOME 9129137332");
    assert_eq!(answers(one(&said)), (0, "somerealm", 1));
    let call = r#"[48,7814135,{},"com.myapp.add2",[23,7],{"x":1}]"#;
    let said = talk.up(call);
    assert_eq!(said.summary(), "CALL com.myapp.add2, 2 args, {x}, request 7814135");
    assert_eq!(octets_of(one(&said), "arguments", call.as_bytes()), b"[23,7]");
    let said = talk.down(r#"[50,7814135,{"progress":true},[1]]"#);
    assert_eq!(said.summary(), "RESULT, 1 arg, request 7814135, more to come to com.myapp.add2");
    assert_eq!(one(&said).role, Role::StreamItem);
    let said = talk.down("[50,7814135,{},[30]]");
    assert_eq!((answers(one(&said)).0, one(&said).role), (1, Role::Response));
    talk.up(r#"[48,8,{},"com.nope"]"#);
    let said = talk.down(r#"[8,48,8,{},"wamp.error.no_such_procedure"]"#);
    assert_eq!(said.summary(), "ERROR wamp.error.no_such_procedure, request 8 to com.nope");
    talk.up(r#"[32,713,{},"com.topic"]"#);
    assert_eq!(talk.down("[33,713,5512]").summary(), "SUBSCRIBED, request 713 to com.topic");
    let said = talk.down(r#"[36,5512,4429,{},["hi"]]"#);
    assert_eq!(said.summary(), "EVENT com.topic, 1 arg");
    assert_eq!(field(one(&said), "topic"), "com.topic");
    talk.up(r#"[64,2,{},"com.proc"]"#);
    talk.down("[65,2,77]");
    assert_eq!(talk.down("[68,9,77,{},[1]]").summary(), "INVOCATION com.proc, 1 arg, request 9");
    assert_eq!(answers(one(&talk.up("[70,9,{},[2]]"))).2, 1);
    assert_eq!(
        talk.up(r#"[16,3,{"acknowledge":true},"com.topic"]"#).summary(),
        "PUBLISH com.topic, request 3"
    );
    assert!(talk.down("[17,3,4]").problems().next().is_none());
    assert_eq!(talk.up(r#"[6,{},"wamp.close.normal"]"#).summary(), "GOODBYE wamp.close.normal");
}

#[test]
fn the_same_in_message_pack_and_cbor() {
    // [48, 1, {}, "a.b", [23]]
    let said = talk("wamp.2.msgpack").up_octets(&hex!("95 30 01 80 a3 612e62 91 17"));
    assert_eq!(said.summary(), "CALL a.b, 1 arg, request 1");
    let said = talk("wamp.2.cbor").up_octets(&hex!("85 18 30 01 a0 63 612e62 81 17"));
    assert_eq!(said.summary(), "CALL a.b, 1 arg, request 1");
    assert!(said.problems().next().is_none());
}

#[test]
fn batches() {
    let said = talk("wamp.2.json.batched").up("[49,1,{}]\u{18}[49,2,{}]\u{18}");
    assert_eq!(said.summary(), "CANCEL, request 1 · CANCEL, request 2");
    let mut talk = talk("wamp.2.msgpack.batched");
    let batch = hex!("00000004 93 31 01 80  00000004 93 31 02 80");
    assert_eq!(talk.up_octets(&batch).summary(), "CANCEL, request 1 · CANCEL, request 2");
    assert_eq!(
        problems(&talk.up_octets(&batch[..6])),
        ["truncated: octet 0: the batch ends inside of a message"]
    );
}

#[test]
fn what_does_not_fit_is_told() {
    let rows = [
        ("[99]", "unknown-kind: octet 1: there is no message type 99"),
        ("{}", "invalid-value: octet 0: a message is an array that begins with its type"),
        ("[48,1,{}]", "missing-field: octet 0: CALL must have: procedure"),
        ("[50,1,{}]", "wrong-direction: octet 1: RESULT is not for the client to send"),
        ("[70,5,{}]", "unknown-id: no request 5 waits for it"),
        ("[34,1,9]", "unknown-id: no subscription has the id 9"),
        ("[49,1,{},1,2]", "trailing-octets: octet 0: CANCEL has 2 parts too many"),
    ];
    for (text, problem) in rows {
        let said = talk("wamp.2.json").up(text);
        assert!(problems(&said).iter().any(|seen| seen == problem), "{:?}", problems(&said));
    }
    let said = talk("wamp.2.json").up_octets(&hex!("91 31"));
    assert!(problems(&said)[0].starts_with("wrong-opcode"));
}
