//! The schema, as snapshots: one line a type, and what is derived from events.

use std::sync::Arc;

use bytes::Bytes;

use super::samples::{finding, frame, message, octets, stamp};
use super::*;
use crate::Direction::{ClientToServer, ServerToClient};
use crate::connection::{Alteration, ConnectionInfo, ConnectionNote, Failure, Stall, TlsInfo};
use crate::diagnostics::{Place, rules};
use crate::handshake::{
    AcceptCheck, AcceptDerivation, AcceptVerdict, Check, DeflateParams, Extension, Negotiated,
};
use crate::http::ServerSentEvent;
use crate::message::MessageFault;
use crate::session::pings::RoundTrip;
use crate::session::{EndedBy, Ending};
use crate::{Finish, Leg, OpeningHandshake};

fn lines(secrets: Secrets, kinds: Vec<EventKind>) -> String {
    let mut out = JsonLines::new(Vec::new(), secrets).unwrap();
    for kind in kinds {
        out.receive(Event { connection: ConnectionId(7), at: stamp(3), kind }).unwrap();
    }
    out.settle().unwrap();
    String::from_utf8(out.out().clone()).unwrap()
}

/// The lines after the one that names the schema.
fn told(kinds: Vec<EventKind>) -> String {
    let all = lines(Secrets::Masked, kinds);
    all.split_once('\n').expect("the schema's line").1.to_owned()
}

fn head(start_line: &str, headers: &[(&str, &str)]) -> Arc<Head> {
    let fields: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let raw = Bytes::from(format!("{start_line}\r\n{}\r\n", fields.concat()));
    let is_response = start_line.starts_with("HTTP/");
    let parse = if is_response { Head::parse_response } else { Head::parse_request };
    let mut head = parse(raw, 0).unwrap();
    head.raw = Bytes::from_static(b"as it was sent\r\n\r\n");
    Arc::new(head)
}

fn request() -> Arc<Head> {
    head(
        "GET /chat?room=1&token=s3cret HTTP/1.1",
        &[
            ("Host", "example.org"),
            ("Cookie", "id=s3cret"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ],
    )
}

fn response() -> Arc<Head> {
    head(
        "HTTP/1.1 101 Switching Protocols",
        &[("Upgrade", "websocket"), ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")],
    )
}

fn derivation() -> AcceptDerivation {
    let digest = octets("b37a4f2c c0624f16 90f64606 cf385945 b2bec4ea");
    AcceptDerivation {
        key: "dGhlIHNhbXBsZSBub25jZQ==".into(),
        nonce: Some(*b"the sample nonce"),
        concatenated: "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11".into(),
        sha1: digest.try_into().unwrap(),
        accept: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".into(),
    }
}

#[test]
fn the_first_line_names_the_schema() {
    assert_eq!(
        lines(Secrets::Masked, vec![]),
        "{\"type\":\"schema\",\"name\":\"framescope-jsonl\",\"version\":1}\n"
    );
}

#[test]
fn frames_of_rfc_6455_section_5_7() {
    let wires = [
        (ServerToClient, "81 05 48656c6c6f"),
        (ClientToServer, "81 85 37fa213d 7f9f4d5158"),
        (ServerToClient, "01 03 48656c"),
        (ServerToClient, "80 02 6c6f"),
        (ServerToClient, "89 05 48656c6c6f"),
        (ClientToServer, "8a 85 37fa213d 7f9f4d5158"),
    ];
    let kinds = wires
        .into_iter()
        .zip(0..)
        .map(|((direction, wire), index)| EventKind::FrameDecoded(frame(direction, index, wire)));
    insta::assert_snapshot!(told(kinds.collect()));
}

#[test]
fn a_message_stands_on_the_line_of_the_frame_that_ends_it() {
    let compressed = frame(ServerToClient, 4, "c1 07 f248cdc9c90700");
    let text = message(&compressed, b"Hello");
    let binary_frame = frame(ServerToClient, 5, "82 03 00fffe");
    let binary = message(&binary_frame, b"\x00\xff\xfe");
    let broken_frame = frame(ServerToClient, 6, "81 02 c328");
    let mut broken = message(&broken_frame, b"\xc3\x28");
    broken.fault = Some(MessageFault::NotUtf8 { at: 0 });
    insta::assert_snapshot!(told(vec![
        EventKind::FrameDecoded(compressed),
        EventKind::MessageCompleted(text),
        EventKind::FrameDecoded(binary_frame),
        EventKind::MessageCompleted(binary),
        EventKind::FrameDecoded(broken_frame),
        EventKind::MessageCompleted(broken),
    ]));
}

#[test]
fn a_close_frame_says_its_code_and_reason() {
    let rows = ["88 00", "88 02 03e8", "88 05 03e9 627965", "88 01 03", "88 04 03e8 c328"];
    let kinds = rows
        .into_iter()
        .zip(0..)
        .map(|(wire, index)| EventKind::FrameDecoded(frame(ServerToClient, index, wire)));
    let told = told(kinds.collect());
    let closes: Vec<String> = told
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["close"].to_string())
        .collect();
    assert_eq!(
        closes,
        [
            r#"{"code":null,"name":null,"reason":null}"#,
            r#"{"code":1000,"name":"Normal Closure","reason":""}"#,
            r#"{"code":1001,"name":"Going Away","reason":"bye"}"#,
            r#"{"code":null,"name":null,"reason":null}"#,
            r#"{"code":1000,"name":"Normal Closure","reason":null}"#,
        ]
    );
}

#[test]
fn connections_open_get_noted_and_end() {
    let tls = TlsInfo { version: Some("TLSv1.3".into()), ..TlsInfo::default() };
    let info = ConnectionInfo {
        client: "127.0.0.1:50412".parse().unwrap(),
        server: "127.0.0.1:9870".parse().unwrap(),
        mode: Some("reverse".into()),
        upstream: Some("wss://example.org/".into()),
        tls: Some(tls),
    };
    let note = ConnectionNote {
        upstream_addr: Some("192.0.2.7:443".parse().unwrap()),
        dial_nanos: Some(1_500_000),
        alterations: vec![Alteration {
            direction: ClientToServer,
            what: "Host".into(),
            from: "127.0.0.1:9870".into(),
            to: "example.org".into(),
        }],
        without_close_notify: Some(ClientToServer),
        failure: Some(Failure {
            stage: "dial".into(),
            message: "nobody listens there".into(),
            leg: Some(Leg::Upstream),
            at: Some(stamp(3)),
        }),
        ..ConnectionNote::default()
    };
    let ending = Ending {
        by: EndedBy::Peer(ServerToClient),
        how: Finish::Fin,
        close: Some((ClientToServer, Some(1000))),
        upgraded: true,
        answer: Some(None),
        unseen: [false; 2],
    };
    insta::assert_snapshot!(told(vec![
        EventKind::ConnectionOpened(Arc::new(info)),
        EventKind::ConnectionNoted(Arc::new(note)),
        EventKind::DirectionFinished { direction: ServerToClient, how: Finish::Fin },
        EventKind::ConnectionEnded(ending),
    ]));
}

#[test]
fn a_stall_that_goes_on_says_so() {
    let stall = Stall { direction: ServerToClient, nanos: 1_000, waiting: 7, is_over: false };
    let note = ConnectionNote { stall: Some(stall), ..ConnectionNote::default() };
    let told = told(vec![EventKind::ConnectionNoted(Arc::new(note))]);
    let stall =
        r#""stall":{"direction":"server-to-client","nanos":1000,"waiting":7,"is_over":false}"#;
    assert!(told.contains(stall), "{told}");
}

#[test]
fn a_ping_that_is_answered_tells_its_round_trip_as_a_number() {
    let took = std::time::Duration::from_micros(1500);
    let trip = RoundTrip { direction: ServerToClient, ping: 3, pong: 5, asked_at: stamp(0), took };
    let told = told(vec![EventKind::PingAnswered(trip)]);
    let fields = r#""direction":"server-to-client","ping":3,"pong":5,"round_trip_nanos":1500000}"#;
    assert!(told.trim_end().ends_with(fields), "{told}");
}

#[test]
fn heads_and_the_handshake_with_every_step_of_the_accept_value() {
    let received = |direction, head| EventKind::HeadReceived { leg: Leg::Client, direction, head };
    let deflate: Extension = Extension {
        name: "permessage-deflate".into(),
        params: vec![("server_max_window_bits".into(), Some("10".into()))],
    };
    let handshake = OpeningHandshake {
        request: request(),
        response: response(),
        forwarded_request: None,
        upgraded: true,
        accept: AcceptCheck {
            answered: Some(derivation().accept),
            derivation: Some(derivation()),
            verdict: AcceptVerdict::Matches,
        },
        subprotocol: Negotiated { offered: vec!["chat.v2".into()], chosen: vec![] },
        extensions: Negotiated { offered: vec![deflate.clone()], chosen: vec![deflate] },
        deflate: Some(DeflateParams {
            client_no_context_takeover: false,
            server_no_context_takeover: true,
            client_max_window_bits: 15,
            server_max_window_bits: 10,
        }),
        checks: vec![
            Check {
                statement: "Version is 13".into(),
                failed: None,
                detail: None,
                section: "RFC 6455 §4.1",
                direction: ClientToServer,
                place: Place::default(),
            },
            Check {
                statement: "A subprotocol was chosen".into(),
                failed: Some(&rules::HANDSHAKE_SUBPROTOCOL_UNANSWERED),
                detail: Some("offered: chat.v2".into()),
                section: "RFC 6455 §4.2.2",
                direction: ServerToClient,
                place: Place::default(),
            },
        ],
    };
    insta::assert_snapshot!(told(vec![
        received(ClientToServer, request()),
        received(ServerToClient, response()),
        EventKind::HandshakeCompleted(Arc::new(handshake)),
    ]));
}

#[test]
fn findings_gaps_lost_lanes_bodies_and_faults_of_the_capture() {
    let told = told(vec![
        EventKind::DiagnosticRaised(finding()),
        EventKind::GapMet { direction: ServerToClient, len: 4096 },
        EventKind::LaneLost { direction: ServerToClient, offset: 9, reason: "a gap".into() },
        EventKind::LaneFound { direction: ServerToClient, offset: 5000, passed_over: 37 },
        EventKind::BodyCompleted {
            direction: ServerToClient,
            wire_len: 12,
            content_len: 5,
            content: Bytes::from_static(b"hello"),
        },
        EventKind::ServerSentEvent(Box::new(ServerSentEvent {
            index: 1,
            offset: 13,
            len: 24,
            data: Some("hello".to_owned()),
            data_len: 5,
            id: Some("7".to_owned()),
            ..ServerSentEvent::default()
        })),
    ]);
    let mut out = JsonLines::new(Vec::new(), Secrets::Masked).unwrap();
    out.capture_fault(1234, "the file ends in the middle of a block").unwrap();
    let fault = String::from_utf8(out.out().clone()).unwrap();
    insta::assert_snapshot!(told + fault.split_once('\n').unwrap().1);
}

#[test]
fn the_key_is_told_from_the_request_on_until_the_connection_ends() {
    let request =
        EventKind::HeadReceived { leg: Leg::Client, direction: ClientToServer, head: request() };
    let ping = || EventKind::FrameDecoded(frame(ServerToClient, 0, "89 00"));
    let ended = EventKind::ConnectionEnded(Ending {
        by: EndedBy::Peer(ClientToServer),
        how: Finish::Reset,
        close: None,
        upgraded: true,
        answer: None,
        unseen: [false; 2],
    });
    let told = told(vec![ping(), request, ping(), ended, ping()]);
    let keys: Vec<bool> = told.lines().map(|l| l.contains("\"key\":\"dGhl")).collect();
    assert_eq!(keys, [false, true, true, true, false]);
}

#[test]
fn credentials_are_masked_unless_shown_and_raw_octets_with_them() {
    let request = || {
        vec![EventKind::HeadReceived {
            leg: Leg::Client,
            direction: ClientToServer,
            head: request(),
        }]
    };
    let masked = lines(Secrets::Masked, request());
    assert!(!masked.contains("s3cret") && masked.contains("\"raw_base64\":null"), "{masked}");
    let shown = lines(Secrets::Shown, request());
    assert!(shown.contains("id=s3cret") && shown.contains("\"raw_base64\":\"YXMg"), "{shown}");
}

#[test]
fn every_line_of_a_type_has_the_same_fields() {
    let frames = told(vec![
        EventKind::FrameDecoded(frame(ClientToServer, 0, "88 82 00000000 03e8")),
        EventKind::FrameDecoded(frame(ServerToClient, 0, "82 00")),
    ]);
    let fields: Vec<Vec<String>> = frames
        .lines()
        .map(|line| {
            let value: serde_json::Map<_, _> = serde_json::from_str(line).unwrap();
            value.keys().cloned().collect()
        })
        .collect();
    assert_eq!(fields[0], fields[1]);
}

#[test]
fn narrowed_to_a_frame_the_others_are_left_out_and_lines_are_counted() {
    let mut out = JsonLines::new(Vec::new(), Secrets::Masked).unwrap();
    let mut only = Only::default();
    only.add(ConnectionId(7), ServerToClient, 1);
    out.narrow(only);
    for (index, wire) in ["81 02 6e6f", "81 03 796573", "81 02 6e6f"].into_iter().enumerate() {
        let frame = frame(ServerToClient, index as u64, wire);
        let data: &'static [u8] = if index == 1 { b"yes" } else { b"no" };
        let message = message(&frame, data);
        for kind in [EventKind::FrameDecoded(frame), EventKind::MessageCompleted(message)] {
            out.receive(Event { connection: ConnectionId(7), at: stamp(3), kind }).unwrap();
        }
    }
    out.settle().unwrap();
    assert_eq!(out.written(), 2, "the schema and one frame");
    let lines = String::from_utf8(out.out().clone()).unwrap();
    assert_eq!(lines.lines().count(), 2);
    assert!(lines.contains(r#""text":"yes""#) && !lines.contains(r#""text":"no""#), "{lines}");
}
