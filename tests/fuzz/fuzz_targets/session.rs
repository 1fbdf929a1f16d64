//! Whole sessions: events in memory that is bounded, the same however reads cut the octets, the same
//! live as from the written file, and each a line of JSON.
#![no_main]

use framescope_core::capture::CaptureItem;
use framescope_core::export::jsonl::JsonLines;
use framescope_core::present::secrets::Secrets;
use framescope_core::{Event, EventKind, Record, Session};
use framescope_fuzz::script::{self, Script};
use framescope_fuzz::{peak, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::begin(script::inputs(), check), |input: &[u8]| check(input));

fn check(input: &[u8]) {
    let script = Script::read(input);
    let events = script::events(script.limits, &script.records);
    check_order(&events);

    // What the lanes' inflaters take is the greater part.
    peak::within((2 << 20) + 64 * input.len(), || {
        let mut session = Session::new(script.limits);
        for record in &script.records {
            session.receive_into(record, &mut drop);
        }
        session.finish();
    });

    for len in [1, 7] {
        assert_same(&script::events(script.limits, &script.cut(len)), &events);
    }

    let read: Vec<Record> = script::items([script.capture().into()])
        .into_iter()
        .map(|item| match item {
            CaptureItem::Record { record, .. } => record,
            CaptureItem::Fault(fault) => panic!("{fault}"),
        })
        .collect();
    assert_eq!(read, script.records);
    assert_same(&script::events(script.limits, &read), &events);

    export(&events);
}

/// Names the first event that differs, not all of them.
fn assert_same(events: &[Event], expected: &[Event]) {
    for (at, (event, expected)) in events.iter().zip(expected).enumerate() {
        assert_eq!(event, expected, "event {at}");
    }
    assert_eq!(events.len(), expected.len(), "{:?}", events.iter().chain(expected).next_back());
}

/// Opened first, ended last, by connection.
fn check_order(events: &[Event]) {
    for (at, event) in events.iter().enumerate() {
        let of_it = |other: &&Event| other.connection == event.connection;
        match event.kind {
            EventKind::ConnectionOpened(_) => assert!(!events[..at].iter().any(|e| of_it(&e))),
            EventKind::ConnectionEnded(_) => assert!(!events[at + 1..].iter().any(|e| of_it(&e))),
            _ => {}
        }
    }
}

fn export(events: &[Event]) {
    let mut lines = JsonLines::new(Vec::new(), Secrets::Masked).unwrap();
    for event in events {
        lines.receive(event.clone()).unwrap();
    }
    lines.settle().unwrap();
    for line in lines.out().split(|octet| *octet == b'\n').filter(|line| !line.is_empty()) {
        serde_json::from_slice::<serde_json::Value>(line).expect("each line is JSON");
    }
}
