//! Control packets of the specifications' examples, and broken ones.

use hex_literal::hex;

use super::*;
use crate::Direction::{ClientToServer, ServerToClient};
use crate::Opcode;
use crate::subprotocol::testing::{Talk, answers, field, octets_of, one, problems};

/// Client `a`, level 4, clean session, keep alive 60 s.
const CONNECT_3: &[u8] = &hex!("10 0d 0004 4d515454 04 02 003c 0001 61");
/// The same at level 5, with a session expiry interval of 10 s.
const CONNECT_5: &[u8] = &hex!("10 13 0004 4d515454 05 02 003c 05 11 0000000a 0001 61");

fn talk(connect: &[u8]) -> Talk {
    let mut talk = Talk::new(Subprotocol::Mqtt);
    assert!(talk.up_octets(connect).problems().next().is_none());
    let connack: &[u8] =
        if connect == CONNECT_3 { &hex!("20 02 00 00") } else { &hex!("20 03 00 00 00") };
    let said = talk.down_octets(connack);
    assert_eq!(answers(one(&said)).0, 0);
    assert!(said.problems().next().is_none(), "{said:?}");
    talk
}

#[test]
fn a_session_of_version_3_1_1() {
    let mut talk = Talk::new(Subprotocol::Mqtt);
    let said = talk.up_octets(CONNECT_3);
    assert_eq!(said.summary(), "CONNECT MQTT 3.1.1 client \"a\", keep alive 60 s, clean session");
    let said = talk.down_octets(&hex!("20 02 01 00"));
    assert_eq!(said.summary(), "CONNACK 0 Connection Accepted, session present");
    assert_eq!(
        answers(one(&said)),
        (0, "CONNECT MQTT 3.1.1 client \"a\", keep alive 60 s, clean session", 1)
    );
    // The example of MQTT 3.1.1 §3.8.3: a/b with QoS 1, c/d with QoS 2.
    let said = talk.up_octets(&hex!("82 0e 000a 0003 612f62 01 0003 632f64 02"));
    assert_eq!(said.summary(), "SUBSCRIBE a/b QoS 1, c/d QoS 2, id 10");
    let said = talk.down_octets(&hex!("90 04 000a 01 80"));
    assert_eq!(said.summary(), "SUBACK id 10, Granted QoS 1, Failure");
    assert_eq!(answers(one(&said)).0, 1);
    let publish = hex!("33 0a 0003 612f62 000a 686579");
    let said = talk.up_octets(&publish);
    assert_eq!(said.summary(), "PUBLISH a/b, 3 octets, QoS 1, id 10, retain");
    assert_eq!(octets_of(one(&said), "payload", &publish), b"hey");
    assert_eq!(octets_of(one(&said), "topic name", &publish), b"a/b");
    assert_eq!(answers(one(&talk.down_octets(&hex!("40 02 000a")))).0, 2);
    assert_eq!(talk.up_octets(&hex!("a2 07 000b 0003 612f62")).summary(), "UNSUBSCRIBE a/b, id 11");
    assert_eq!(talk.down_octets(&hex!("b0 02 000b")).summary(), "UNSUBACK id 11,");
    assert_eq!(talk.up_octets(&hex!("c0 00")).summary(), "PINGREQ");
    assert_eq!(answers(one(&talk.down_octets(&hex!("d0 00")))).0, 4);
    let said = talk.up_octets(&hex!("e0 00"));
    assert_eq!((said.summary().as_str(), problems(&said).len()), ("DISCONNECT", 0));
}

#[test]
fn properties_topic_aliases_and_reasons_of_version_5() {
    let mut talk = talk(CONNECT_5);
    let publish = hex!("30 16 0003 612f62 0e 23 0007 26 0001 6b 0001 76 03 0001 74 6869");
    let said = talk.up_octets(&publish);
    assert_eq!(problems(&said), Vec::<String>::new());
    assert_eq!(said.summary(), "PUBLISH a/b, 2 octets of t");
    let said = talk.up_octets(&hex!("30 07 0000 03 23 0007 79"));
    assert_eq!(said.summary(), "PUBLISH a/b, 1 octet");
    let said = talk.up_octets(&hex!("30 07 0000 03 23 0008 79"));
    assert_eq!(problems(&said), ["unknown-id: topic alias 8 was not given a topic"]);
    let said = talk.down_octets(&hex!("e0 08 8e 06 1f 0003 627965"));
    assert_eq!(said.summary(), "DISCONNECT 142 Session taken over, \"bye\"");
    assert_eq!(field(one(&said), "reason string"), "bye");
}

#[test]
fn the_four_steps_of_qos_2() {
    let mut talk = talk(CONNECT_3);
    talk.up_octets(&hex!("34 06 0001 61 0001 78"));
    assert_eq!(answers(one(&talk.down_octets(&hex!("50 02 0001")))).0, 1);
    assert_eq!(answers(one(&talk.up_octets(&hex!("62 02 0001")))).0, 1);
    let said = talk.down_octets(&hex!("70 02 0001"));
    assert_eq!(answers(one(&said)), (2, "PUBREL id 1", 1));
    assert!(said.problems().next().is_none());
}

#[test]
fn packets_lie_anywhere_in_messages() {
    let mut talk = talk(CONNECT_3);
    let both = hex!("c0 00 30 05 0001 61 6869");
    let said = talk.up_octets(&both);
    assert_eq!(said.summary(), "PINGREQ · PUBLISH a, 2 octets");
    assert_eq!(octets_of(&said.packets[1], "payload", &both), b"hi");

    let first = talk.up_octets(&hex!("30"));
    assert_eq!(first.summary(), "PUBLISH, 1 so far");
    let second = talk.up_octets(&hex!("05 0001"));
    assert_eq!(second.summary(), "PUBLISH, 4 of 7 octets so far");
    let last = hex!("61 6869 c0");
    let said = talk.up_octets(&last);
    assert_eq!(said.summary(), "PUBLISH a, 2 octets · PINGREQ, 1 so far");
    assert_eq!(octets_of(&said.packets[0], "payload", &last), b"hi");
    assert!(said.problems().next().is_none());
    assert_eq!(talk.up_octets(&hex!("00")).summary(), "PINGREQ");
}

#[test]
fn large_packets_are_told_by_their_beginning_and_the_lane_stays_in_step() {
    let mut talk = talk(CONNECT_3);
    let len = MAX_HELD + 5;
    let mut large = vec![0x30, 0x85, 0x80, 0xC0, 0x00, 0x00, 0x01, b'a'];
    large.extend(vec![b'x'; 1000]);
    let said = talk.up_octets(&large);
    assert_eq!(said.summary(), "PUBLISH a, 1,048,578 octets");
    let rest = len - 3 - 1000;
    let said = talk.up_octets(&vec![b'x'; rest - 1]);
    assert!(said.packets.is_empty());
    assert_eq!(talk.up_octets(&hex!("78 c0 00")).summary(), "PINGREQ");

    // The reader of the message kept its beginning only.
    let said = talk.says_of(ClientToServer, Opcode::Binary, &hex!("30 64 0001 61 78"), 102);
    assert_eq!(said.summary(), "PUBLISH a, 97 octets");
    assert!(said.problems().next().is_none());
    assert_eq!(talk.up_octets(&hex!("c0 00")).summary(), "PINGREQ");
    let said = talk.says_of(ClientToServer, Opcode::Binary, &hex!("30 64 0001 61 78"), 500);
    assert_eq!(problems(&said), ["out-of-step: packets behind this one were not kept"]);
}

#[test]
fn what_the_grammar_forbids_is_told() {
    let rows: [(&[u8], &str); 13] = [
        (&hex!("00 00"), "unknown-kind: octet 2: type 0 is reserved (MQTT 5 §2.1.2)"),
        (&hex!("c1 00"), "invalid-value: octet 0: the flags are 0001 (MQTT 5 §2.1.3)"),
        (&hex!("d0 00"), "wrong-direction: octet 0: PINGRESP is not for the client to send"),
        (&hex!("d0 00"), "unknown-id: nothing asked for it"),
        (&hex!("40 02 0007"), "unknown-id: no packet 7 waits for it"),
        (
            &hex!("32 05 0001 61 0000"),
            "invalid-value: octet 5: a packet identifier must not be 0 (MQTT 5 §2.2.1)",
        ),
        (&hex!("36 05 0001 61 0001"), "invalid-value: QoS 3 does not exist (MQTT 5 §3.3.1.2)"),
        (
            &hex!("30 04 0002 612b"),
            "invalid-value: octet 4: the topic \"a+\" has a wildcard (MQTT 5 §3.3.2.1)",
        ),
        (&hex!("30 03 0001 ff"), "malformed: octet 4: topic name is not UTF-8 (MQTT 5 §1.5.4)"),
        (&hex!("30 03 0009 61"), "truncated: octet 4: the packet ends inside of something"),
        (&hex!("c0 01 00"), "trailing-octets: octet 2: 1 octet behind the end"),
        (
            &hex!("82 02 0001"),
            "missing-field: there must be at least one topic filter (MQTT 5 §3.8.3)",
        ),
        (CONNECT_3, "out-of-order: a client sends CONNECT once (MQTT 5 §3.1)"),
    ];
    for (octets, problem) in rows {
        let said = talk(CONNECT_3).up_octets(octets);
        assert!(problems(&said).iter().any(|seen| seen == problem), "{:?}", problems(&said));
    }
    let said = Talk::new(Subprotocol::Mqtt).up_octets(&hex!("c0 00"));
    assert_eq!(
        problems(&said),
        ["out-of-order: the first packet of a client is CONNECT (MQTT 5 §3.1)"]
    );
    let said = talk(CONNECT_3).up_octets(&hex!("30 ff ff ff ff 01"));
    assert!(problems(&said)[0].starts_with("malformed: octet 1: the remaining length"));
    let said = talk(CONNECT_3).says(ServerToClient, Opcode::Text, &hex!("d0 00"));
    assert!(problems(&said)[0].starts_with("wrong-opcode"));
}

#[test]
fn properties_where_they_must_not_be() {
    let rows: [(&[u8], &str); 3] = [
        (
            &hex!("30 05 0001 61 01 63"),
            "unknown-kind: octet 6: there is no property 99 (MQTT 5 §2.2.2.2)",
        ),
        (
            &hex!("30 07 0001 61 03 13 0001"),
            "invalid-value: octet 6: server keep alive is not a property of this packet (MQTT 5 §2.2.2.2)",
        ),
        (
            &hex!("30 0a 0001 61 06 23 0001 23 0002"),
            "invalid-value: octet 9: topic alias is there more than once",
        ),
    ];
    for (octets, problem) in rows {
        let said = talk(CONNECT_5).up_octets(octets);
        assert!(problems(&said).iter().any(|seen| seen == problem), "{:?}", problems(&said));
    }
}
