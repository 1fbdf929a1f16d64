//! What peers do over time: Pings, closing, idling, coming back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use framescope_core::diagnostics::{Confidence, Example};
use framescope_core::session::{EndedBy, Limits};
use framescope_core::{Direction, EventKind, Index, Session};

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;

fn events(script: &'static str) -> Vec<EventKind> {
    // As the index reads: no payload is kept but that of control frames.
    let mut session = Session::new(Limits::COUNT);
    for record in (Example { script }).records().unwrap() {
        session.receive(&record);
    }
    session.finish();
    std::iter::from_fn(|| session.poll_event()).map(|event| event.kind).collect()
}

fn findings(script: &'static str) -> Vec<(&'static str, String)> {
    let told = |kind| match kind {
        EventKind::DiagnosticRaised(finding) => Some((finding.rule.code, finding.evidence)),
        _ => None,
    };
    events(script).into_iter().filter_map(told).collect()
}

#[test]
fn pings_are_matched_by_payload_both_ways() {
    // Two Pings of the server with payloads, one of the client without; the Pong answers the second
    // of the server's, and with it the first.
    let script = "
        ↓ 89 01 61
        ↓ 89 01 62
        ↑ 89 80 37fa213d
        wait 20 ms
        ↓ 8a 00
        ↑ 8a 81 37fa213d 55
        wait 11 s
        ↓ 81 01 41
    ";
    let trips: Vec<_> = events(script)
        .into_iter()
        .filter_map(|kind| match kind {
            EventKind::PingAnswered(trip) => {
                Some((trip.direction, trip.ping, trip.pong, trip.took.as_millis()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(trips, [(UP, 0, 2, 21), (DOWN, 1, 1, 23)]);
    assert_eq!(findings(script), []);
}

#[test]
fn a_pong_with_another_payload_leaves_its_ping_open() {
    let codes: Vec<_> = findings(
        "
        ↓ 89 01 61
        ↑ 8a 81 37fa213d 55
        wait 11 s
        ↓ 81 01 41
        wait 11 s
        ↓ 81 01 41
        ",
    );
    assert_eq!(
        codes,
        [
            (
                "PONG_UNSOLICITED",
                "a Pong of 1 octets that no Ping of the server asked for".to_owned()
            ),
            ("PING_UNANSWERED", "the server's Ping, frame 0, has no Pong after 10 s".to_owned()),
        ]
    );
}

#[test]
fn a_finding_told_later_marks_the_row_of_its_frame() {
    let script = "
        ↓ (810141)*200
        ↓ 89 01 61
        ↓ (810141)*200
        wait 11 s
        ↓ 81 01 41
    ";
    let mut index = Index::new();
    (Example { script }).records().unwrap().iter().for_each(|record| index.receive(record, 0));
    let finding = &index.findings()[0].1;
    assert_eq!((finding.rule.code, finding.place.frame), ("PING_UNANSWERED", Some(200)));
    assert_eq!(finding.rule.confidence(), Confidence::Inferred);
    let rows = index.frames().rows();
    let marked = (0..rows.len()).filter(|row| rows[*row].severity().is_some());
    assert_eq!(marked.collect::<Vec<_>>(), [200]);
}

#[test]
fn no_pong_is_due_after_a_close_or_where_octets_are_missing() {
    for script in [
        "↓ 89 00 \n ↓ 88 02 03e8 \n wait 5 s \n ↑ 88 82 37fa213d 3412 \n wait 6 s \n ↓ FIN",
        "↓ 89 00 \n ↑ 82 ff 8000000000000000 37fa213d \n wait 20 s \n ↓ 81 01 41",
    ] {
        let codes = findings(script);
        assert!(codes.iter().all(|(code, _)| *code != "PING_UNANSWERED"), "{codes:?}");
    }
}

#[test]
fn a_ping_in_flight_is_answered_after_a_close_and_its_pong_is_no_fault() {
    // Whose Ping is answered, in a conversation that the client closes; asked for before and after.
    for script in [
        "↓ 89 01 78 \n ↑ 88 82 37fa213d 3412 \n ↑ 8a 81 37fa213d 4f \n ↓ 88 02 03e8 \n ↓ FIN \n ↑ FIN",
        "↑ 88 82 37fa213d 3412 \n ↓ 89 01 78 \n ↑ 8a 81 37fa213d 4f \n ↓ 88 02 03e8 \n ↓ FIN \n ↑ FIN",
        "↓ 88 02 03e8 \n ↓ 89 01 78 \n ↑ 8a 81 37fa213d 4f \n ↑ 88 82 37fa213d 3412 \n ↓ FIN \n ↑ FIN",
    ] {
        assert_eq!(findings(script), [], "{script}");
        let trips = events(script).into_iter().filter_map(|kind| match kind {
            EventKind::PingAnswered(trip) => Some(trip.direction),
            _ => None,
        });
        assert_eq!(trips.collect::<Vec<_>>(), [DOWN], "{script}");
    }
    let unanswered =
        "↑ 88 82 37fa213d 3412 \n ↓ 89 01 78 \n wait 11 s \n ↓ 88 02 03e8 \n ↓ FIN \n ↑ FIN";
    assert_eq!(findings(unanswered), []);
    let again = "↓ 88 02 03e8 88 02 03e8 \n ↑ 88 82 37fa213d 3412 \n ↓ FIN \n ↑ FIN";
    assert_eq!(findings(again), [("FRAME_AFTER_CLOSE", "a close frame".to_owned())]);
}

#[test]
fn a_silence_as_long_as_a_usual_timeout_is_told_as_one() {
    let rows = [
        ("wait 59.5 s", "CONNECTION_WITHOUT_CLOSE"),
        ("wait 60.02 s", "CONNECTION_IDLE_CUT"),
        ("wait 60.7 s", "CONNECTION_WITHOUT_CLOSE"),
        ("wait 43 s", "CONNECTION_WITHOUT_CLOSE"),
        ("wait 352 s", "CONNECTION_IDLE_CUT"),
        ("wait 0.2 s", "CONNECTION_WITHOUT_CLOSE"),
    ];
    for (wait, code) in rows {
        let script: &'static str = format!("↓ 81 01 41 \n {wait} \n ↑ RST").leak();
        let told = findings(script);
        assert_eq!(told.iter().map(|(code, _)| *code).collect::<Vec<_>>(), [code], "{wait}");
    }
    assert_eq!(
        findings("↓ 81 01 41 \n wait 60.02 s \n ↓ FIN \n ↑ FIN")[0].1,
        "silent for 60.02 s, then FIN by the server without Close: as an idle timeout of 60 s on the \
         path does it"
    );
}

#[test]
fn an_ending_is_told_of_the_side_it_is_due_to_and_with_the_time_it_took() {
    const BOTH: &str = "↑ 88 82 37fa213d 3412 \n ↓ 88 02 03e8 \n";
    let rows = [
        // The other side's end, long after, is no part of the silence.
        (
            "↑ 81 80 37fa213d \n ↑ FIN \n wait 30.05 s \n ↓ FIN",
            UP,
            "CONNECTION_WITHOUT_CLOSE",
            "FIN by the client without a Close frame either way, after 0.00 s of silence: both sides \
             see 1006",
        ),
        // The server goes on alone, and its own end is the one that came in silence.
        (
            "↑ 81 80 37fa213d \n ↑ FIN \n wait 30 s \n ↓ 81 01 61 \n wait 30.05 s \n ↓ FIN",
            DOWN,
            "CONNECTION_IDLE_CUT",
            "silent for 30.05 s, then FIN by the server without Close: as an idle timeout of 30 s on \
             the path does it",
        ),
        // What was on its way when the client ended is no going on.
        (
            "↑ 81 80 37fa213d \n ↑ FIN \n ↓ 81 01 61 \n ↓ FIN",
            UP,
            "CONNECTION_WITHOUT_CLOSE",
            "FIN by the client without a Close frame either way, after 0.00 s of silence: both sides \
             see 1006",
        ),
        (
            "↑ 88 82 37fa213d 3412 \n ↑ FIN \n wait 7 s \n ↓ FIN",
            UP,
            "CLOSE_NOT_AWAITED",
            "the client ended the connection 0.001 s after its Close, before one of the server came",
        ),
        (
            "↑ 88 82 37fa213d 3412 \n ↓ FIN \n wait 7 s \n ↑ FIN",
            DOWN,
            "CLOSE_NOT_ANSWERED",
            "the server ended the connection 0.001 s after the client's Close, without one of its own",
        ),
        (
            "↓ FIN \n wait 7 s \n ↑ 88 82 37fa213d 3412 \n ↑ FIN",
            DOWN,
            "CONNECTION_WITHOUT_CLOSE",
            "the server ended its direction without Close, 7.001 s before the client's",
        ),
        (
            &format!("{BOTH} ↓ FIN \n wait 15 s \n ↑ FIN"),
            UP,
            "CLOSE_LINGERED",
            "the client kept TCP open 15.0 s after both Close frames and the server's end",
        ),
        (
            &format!("{BOTH} ↑ FIN \n wait 15 s \n ↓ FIN"),
            DOWN,
            "CLOSE_LINGERED",
            "the server kept TCP open 15.0 s after both Close frames",
        ),
        (
            &format!("{BOTH} wait 15 s \n ↑ RST"),
            DOWN,
            "CLOSE_LINGERED",
            "the server kept TCP open 15.0 s after both Close frames",
        ),
    ];
    for (script, direction, code, evidence) in rows {
        let told: Vec<_> = events(script.to_owned().leak())
            .into_iter()
            .filter_map(|kind| match kind {
                EventKind::DiagnosticRaised(told) => {
                    Some((told.direction, told.rule.code, told.evidence))
                }
                _ => None,
            })
            .collect();
        assert_eq!(told, [(direction, code, evidence.to_owned())], "{script}");
    }
}

#[test]
fn where_framescope_was_stopped_nothing_is_said_of_the_peers() {
    const STOPPED: &str =
        r#"note {"failure":{"stage":"relay","message":"Framescope was stopped"}}"#;
    for before in ["↓ 81 01 41", "↓ 81 01 41 \n wait 5 s", "↓ 81 02 41", "↑ 88 82 37fa213d 3412"]
    {
        let script = format!("{before} \n {STOPPED} \n ↓ FIN \n ↑ FIN").leak();
        assert_eq!(findings(script), [], "{script}");
        let events = events(script);
        let Some(EventKind::ConnectionEnded(ending)) = events.last() else { panic!("{script}") };
        assert_eq!(ending.by, EndedBy::Framescope, "{script}");
    }
    let failed = r#"
        note {"failure":{"stage":"relay","message":"reading from the client failed","leg":"client"}}
        ↑ RST
    "#;
    assert_eq!(findings(failed)[0].0, "CONNECTION_WITHOUT_CLOSE");
}

#[test]
fn each_side_is_told_a_code_that_need_not_be_on_the_wire() {
    // What happens; what the client's program is told, and the server's.
    let rows = [
        ("↑ 88 82 37fa213d 3412 \n ↓ 88 02 03e8 \n ↓ FIN \n ↑ FIN", 1000, 1000),
        ("↑ 88 80 37fa213d \n ↓ 88 00 \n ↓ FIN \n ↑ FIN", 1005, 1005),
        ("↓ 88 02 03e9 \n ↑ 88 80 37fa213d \n ↓ FIN \n ↑ FIN", 1001, 1005),
        ("↓ 88 02 03e9 \n ↑ RST", 1001, 1006),
        ("↑ 88 82 37fa213d 3412 \n ↓ FIN \n ↑ FIN", 1006, 1000),
        ("↓ 81 00 \n ↓ FIN \n ↑ FIN", 1006, 1006),
    ];
    for (script, client, server) in rows {
        let events = events(script);
        let Some(EventKind::ConnectionEnded(ending)) = events.last() else { panic!("{script}") };
        assert!(ending.upgraded);
        assert_eq!(
            (ending.reported_to(UP), ending.reported_to(DOWN)),
            (Some(client), Some(server)),
            "{script}"
        );
    }
}

#[test]
fn connections_that_end_as_they_were_meant_to_make_no_storm() {
    // The code of the server's Close, and whether ten of them make a storm.
    for (code, is_storm) in
        [("03e8", false), ("03e9", false), ("03f4", true), ("03f6", true), ("0fa0", false)]
    {
        let script = format!(
            "repeat 10 \n open \n ↓ 88 02 {code} \n ↑ 88 80 37fa213d \n ↓ FIN \n ↑ FIN \n \
             wait 0.5 s \n connect \n end"
        );
        let told = findings(script.leak());
        let has_storm = told.iter().any(|(code, _)| *code == "RECONNECT_STORM");
        assert_eq!(has_storm, is_storm, "{code}: {told:?}");
    }
}

#[test]
fn a_close_for_a_fault_tells_what_came_before_it() {
    let told = findings(
        "
        ↑ 81 01 41
        ↓ 88 08 03ea 6d61736b3f21
        ↑ 88 82 37fa213d 3410
        ",
    );
    assert_eq!(
        told,
        [
            ("FRAME_UNMASKED_FROM_CLIENT", "a text frame with MASK 0".to_owned()),
            (
                "CLOSE_FOR_FAULT",
                "the server closed with 1002 (Protocol error): mask?!; before it the client had \
                 FRAME_UNMASKED_FROM_CLIENT in frame 0"
                    .to_owned()
            ),
        ]
    );
}

#[test]
fn the_summary_of_a_connection_tells_where_its_time_went() {
    let script = r#"
        note {"client_tls_nanos":3000000,"dial_nanos":2000000}
        ask
        wait 9 ms
        open
        wait 30 ms
        ↓ 81 01 41
        ↓ 89 00
        wait 39 ms
        ↑ 8a 80 37fa213d
        wait 99 ms
        ↓ 89 00
        wait 19 ms
        ↑ 8a 80 37fa213d
    "#;
    let mut index = Index::new();
    for record in (Example { script }).records().unwrap() {
        index.receive(&record, 0);
    }
    index.finish();
    let connection = &index.connections()[0];
    let timing = connection.timing();
    let millis = |span: Option<std::time::Duration>| span.map(|span| span.as_millis());
    assert_eq!((millis(timing.client_tls), millis(timing.dial)), (Some(3), Some(2)));
    assert_eq!((timing.upstream_tls, timing.request_in_proxy), (None, None));
    assert_eq!(millis(timing.handshake), Some(10));
    let trips = connection.round_trips[DOWN.index()];
    let spans = [trips.shortest, trips.latest, trips.longest].map(|span| span.as_millis());
    assert_eq!((trips.count, spans), (2, [20, 20, 40]));
    assert_eq!(trips.mean().unwrap().as_millis(), 30);
    assert_eq!(connection.round_trips[UP.index()].count, 0);
}
