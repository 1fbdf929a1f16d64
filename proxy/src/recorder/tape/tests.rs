//! Tapes on disks that do what a test says.

use std::time::Duration;

use framescope_core::Record;
use framescope_core::capture::{CaptureFault, CaptureItem};

use super::super::testing::{Recording, Valve, info, items, records};
use super::super::{Live, OutFile, Recorder};
use super::*;
use crate::engine::WhenSlow;
use crate::follow::Follower;

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;

fn recording() -> Recording {
    Recording::start(WhenSlow::Block)
}

#[test]
fn what_is_recorded_is_read_back_in_order() {
    let recording = recording();
    let mut tape = recording.tape(7);
    tape.octets(Leg::Client, UP, b"ping");
    tape.octets(Leg::Client, UP, b"");
    tape.octets(Leg::Client, DOWN, b"pong");
    tape.fail("dial", Some(Leg::Upstream), "no way");
    tape.finish(Leg::Client, DOWN, Finish::Fin);
    tape.finish(Leg::Client, DOWN, Finish::Fin);
    drop(tape);
    let records = recording.finish();
    let told: Vec<String> = records.iter().map(tell).collect();
    assert_eq!(told, ["open 7", "↑ ping", "↓ pong", "no way", "↓ Fin", "↑ Fin"]);
    assert!(records.windows(2).all(|pair| pair[0].at() <= pair[1].at()));
}

#[test]
fn a_reset_ends_both_directions_even_after_a_fin() {
    for first in [None, Some((DOWN, "↓ Fin")), Some((UP, "↑ Fin"))] {
        let recording = recording();
        let mut tape = recording.tape(1);
        if let Some((direction, _)) = first {
            tape.finish(Leg::Client, direction, Finish::Fin);
        }
        tape.finish(Leg::Client, DOWN, Finish::Reset);
        tape.finish(Leg::Client, UP, Finish::Fin);
        drop(tape);
        let told: Vec<String> = recording.finish().iter().map(tell).collect();
        let expected = ["open 1"].into_iter().chain(first.map(|f| f.1)).chain(["↓ Reset"]);
        assert_eq!(told, expected.collect::<Vec<_>>());
    }
}

#[test]
fn a_connection_cut_by_the_proxy_says_so() {
    let recording = recording();
    drop(recording.tape(1));
    let told: Vec<String> = recording.finish().iter().map(tell).collect();
    let stopped = "Framescope was stopped while this connection was open";
    assert_eq!(told, ["open 1", stopped, "↓ Fin", "↑ Fin"]);
}

#[test]
fn a_relay_that_is_stopped_between_the_ends_of_both_sides_says_so() {
    for both in [false, true] {
        let recording = recording();
        let mut tape = recording.tape(1);
        tape.relay();
        tape.finish(Leg::Client, UP, Finish::Fin);
        if both {
            tape.finish(Leg::Client, DOWN, Finish::Fin);
        }
        drop(tape);
        let failed = |record: &Record| match record {
            Record::Noted { note, .. } => note.failure.is_some(),
            _ => false,
        };
        assert_eq!(recording.finish().iter().any(failed), !both);
    }
}

#[test]
fn what_passes_while_there_is_no_room_is_one_gap() {
    let valve = Valve::closed();
    let recording = Recording::with(valve.clone(), WhenSlow::Gap, 1000);
    let mut tape = recording.tape(1);
    // 40 octets at a time, until the queue refuses.
    let mut kept = 0;
    while recording.queue().gap_octets() == 0 {
        tape.octets(Leg::Client, UP, &[b'x'; 40]);
        kept += 40;
    }
    kept -= 40;
    tape.octets(Leg::Client, UP, &[b'y'; 60]);
    assert_eq!(recording.queue().gap_octets(), 100);
    valve.open();
    recording.await_written();
    tape.octets(Leg::Client, UP, b"again");
    drop(tape);
    let records = recording.finish();
    let before: usize = records.iter().map(octets_in).sum::<usize>() - b"again".len();
    assert_eq!(before, kept);
    let told: Vec<String> = records.iter().map(tell).collect();
    let gap = told.iter().position(|line| line == "↑ gap 100").expect("a gap");
    assert_eq!(told[gap + 1], "↑ again");
}

#[test]
fn a_gap_at_the_end_is_recorded_with_the_end() {
    let valve = Valve::closed();
    let recording = Recording::with(valve.clone(), WhenSlow::Gap, 1);
    let mut tape = recording.tape(1);
    tape.octets(Leg::Client, DOWN, b"lost");
    tape.finish(Leg::Client, UP, Finish::Reset);
    valve.open();
    drop(tape);
    let told: Vec<String> = recording.finish().iter().map(tell).collect();
    assert_eq!(told, ["open 1", "↓ gap 4", "↑ Reset"]);
}

#[test]
fn a_disk_that_is_full_or_turns_read_only_stops_no_traffic_and_spoils_no_block() {
    use std::io::ErrorKind::{ReadOnlyFilesystem, StorageFull};
    for why in [StorageFull, ReadOnlyFilesystem] {
        refuses_for_a_while(why);
    }
}

fn refuses_for_a_while(why: std::io::ErrorKind) {
    let valve = Valve::refusing(why);
    let recording = Recording::with(valve.clone(), WhenSlow::Block, 1 << 20);
    let mut tape = recording.tape(1);
    tape.octets(Leg::Client, UP, b"before");
    valve.await_refusal();
    while recording.queue().trouble().is_none() {
        std::thread::yield_now();
    }
    let told = recording.queue().trouble().expect("while it refuses");
    let why = std::io::Error::from(why).to_string();
    assert!(told.contains("cannot be written") && told.contains(&why), "{told}");
    tape.octets(Leg::Client, UP, b"meanwhile");
    valve.open();
    recording.await_written();
    while recording.queue().trouble().is_some() {
        std::thread::yield_now();
    }
    tape.octets(Leg::Client, UP, b"after");
    tape.finish(Leg::Client, UP, Finish::Reset);
    drop(tape);
    let told: Vec<String> = recording.finish().iter().map(tell).collect();
    assert_eq!(told, ["open 1", "↑ before", "↑ gap 9", "↑ after", "↑ Reset"]);
}

/// A recorder whose disk refuses, behind a connection that was opened before.
fn refusing(limit: usize) -> (Valve, Recording, Tape) {
    let valve = Valve::refusing(std::io::ErrorKind::StorageFull);
    let recording = Recording::with(valve.clone(), WhenSlow::Block, limit);
    let known = recording.tape(1);
    valve.await_refusal();
    while recording.queue().trouble().is_none() {
        std::thread::yield_now();
    }
    (valve, recording, known)
}

/// Opens connections, from the number `from` on, until there was no room to say so of the last.
fn fill(recording: &Recording, from: u32) -> Vec<Tape> {
    let mut tapes = Vec::new();
    for id in from.. {
        tapes.push(recording.tape(id));
        if tapes.last().is_some_and(|tape| tape.untold.is_some()) {
            break;
        }
    }
    tapes
}

#[test]
fn a_storm_of_connections_while_the_disk_refuses_takes_no_more_memory_than_may_wait() {
    const LIMIT: usize = 100_000;
    let (valve, recording, known) = refusing(LIMIT);
    for id in 2..2_000 {
        let mut tape = recording.tape(id);
        tape.octets(Leg::Client, UP, b"GET / HTTP/1.1\r\n\r\n");
        tape.alter(vec![Alteration {
            direction: UP,
            what: "Host".into(),
            from: "a".into(),
            to: "b".into(),
        }]);
        tape.fail("dial", Some(Leg::Upstream), "no way");
    }
    let waiting = recording.queue().waiting();
    // What ends connections that are known is kept in any case.
    assert!(waiting <= 2 * LIMIT, "{waiting} octets wait");
    assert_eq!(recording.queue().gap_octets(), 1_998 * 18);
    valve.open();
    recording.await_written();
    drop(known);
    let (mut lost, mut records) = (Vec::new(), Vec::new());
    for item in items(&recording.end()) {
        match item {
            CaptureItem::Record { record, .. } => records.push(record),
            CaptureItem::Fault(CaptureFault::Unrecorded { connections, octets, .. }) => {
                lost.push((connections, octets));
            }
            CaptureItem::Fault(fault) => panic!("{fault}"),
        }
    }
    let opened = records.iter().filter(|record| matches!(record, Record::Opened { .. })).count();
    let [(connections, octets)] = lost[..] else { panic!("{lost:?}") };
    assert_eq!(opened as u64 + connections, 1_999);
    assert!(opened > 10 && connections > 1_000, "{opened} and {connections}");
    let gaps: u64 = records
        .iter()
        .filter_map(|record| match record {
            Record::Gap { len, .. } => Some(*len),
            _ => None,
        })
        .sum();
    assert_eq!(gaps + octets, 1_998 * 18);
    // All that were opened have an end.
    let ended = |direction| {
        let is_end = |record: &&Record| matches!(record, Record::Finished { direction: d, .. } if *d == direction);
        records.iter().filter(is_end).count()
    };
    assert_eq!((ended(UP), ended(DOWN)), (opened, opened));
}

#[test]
fn a_connection_whose_opening_was_lost_begins_in_the_middle_with_all_that_is_known() {
    let (valve, recording, _known) = refusing(10_000);
    let _others = fill(&recording, 2);
    let mut tape = recording.tape(7_777);
    let upstream_addr = Some("192.0.2.9:443".parse().unwrap());
    tape.note(&ConnectionNote { upstream_addr, ..ConnectionNote::default() });
    tape.octets(Leg::Client, UP, b"a head");
    tape.octets(Leg::Upstream, UP, b"a head, edited");
    tape.octets(Leg::Client, DOWN, b"the answer");
    tape.note(&ConnectionNote { dial_nanos: Some(3), ..ConnectionNote::default() });
    tape.finish(Leg::Client, UP, Finish::Fin);
    valve.open();
    recording.await_written();
    while recording.queue().trouble().is_some() {
        std::thread::yield_now();
    }
    tape.octets(Leg::Client, DOWN, b"more");
    tape.finish(Leg::Client, DOWN, Finish::Fin);
    drop(tape);
    let id = ConnectionId(7_777);
    let records: Vec<Record> =
        recording.finish().into_iter().filter(|record| record.connection() == id).collect();
    assert!(records[0].at() < records[2].at(), "it was accepted before");
    let told: Vec<String> = records
        .iter()
        .map(|record| match record {
            Record::Noted { note, .. } => {
                assert_eq!((note.upstream_addr, note.dial_nanos), (upstream_addr, Some(3)));
                "note".to_owned()
            }
            _ => tell(record),
        })
        .collect();
    let expected =
        ["open 7777", "note", "↑ gap 6", "↓ gap 10", "↑ gap 14", "↑ Fin", "↓ more", "↓ Fin"];
    assert_eq!(told, expected);
}

#[test]
fn what_becomes_known_without_room_is_told_with_the_end_which_always_is() {
    let (valve, recording, mut known) = refusing(10_000);
    let _others = fill(&recording, 2);
    known.fail("relay", None, "no way");
    known.octets(Leg::Client, DOWN, b"lost");
    assert!(known.untold.is_some(), "there is no room for a note");
    known.finish(Leg::Client, DOWN, Finish::Fin);
    known.finish(Leg::Client, UP, Finish::Reset);
    drop(known);
    valve.open();
    recording.await_written();
    let of_first = |record: &Record| record.connection() == ConnectionId(1);
    let told: Vec<String> = recording.finish().iter().filter(|r| of_first(r)).map(tell).collect();
    assert_eq!(told, ["open 1", "no way", "↓ gap 4", "↓ Fin", "↑ Reset"]);
}

#[test]
fn what_was_never_told_is_told_when_the_recorder_ends() {
    let (valve, recording, _known) = refusing(10_000);
    let _others = fill(&recording, 2);
    drop(recording.tape(9_999));
    valve.open();
    let items = items(&recording.end());
    let lost = CaptureFault::Unrecorded { offset: 0, connections: 1, octets: 0 };
    let is_lost = |item: &CaptureItem| match item {
        CaptureItem::Fault(fault) => fault.to_string() == lost.to_string(),
        CaptureItem::Record { .. } => false,
    };
    assert!(items.iter().any(is_lost), "{items:?}");
}

#[test]
fn records_after_the_end_of_the_recorder_vanish() {
    let valve = Valve::open_at_once();
    let recording = Recording::with(valve.clone(), WhenSlow::Block, 1000);
    let mut tape = recording.tape(1);
    let told: Vec<String> = recording.finish().iter().map(tell).collect();
    assert_eq!(told, ["open 1"]);
    tape.octets(Leg::Client, UP, &[0; 5000]);
    drop(tape);
    assert_eq!(records(&valve.written()).len(), 1);
}

#[test]
fn many_records_are_written_with_one_call() {
    let valve = Valve::closed();
    let recording = Recording::with(valve.clone(), WhenSlow::Block, 1 << 20);
    let mut tape = recording.tape(1);
    valve.await_call();
    for _ in 0..1000 {
        tape.octets(Leg::Client, UP, b"x");
    }
    valve.open();
    recording.await_written();
    assert_eq!(valve.calls(), 3, "the header, the opening, and all the rest");
    tape.finish(Leg::Client, UP, Finish::Reset);
}

#[test]
fn a_follower_waits_until_the_file_has_grown() {
    let recording = recording();
    let start = recording.queue().written();
    assert_eq!(recording.queue().wait_beyond(start, Duration::from_millis(1)), start);
    let tape = recording.tape(1);
    let grown = recording.queue().wait_beyond(start, Duration::from_secs(20));
    assert!(grown > start);
    drop(tape);
}

#[test]
fn who_follows_here_has_the_same_from_memory_and_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let out = OutFile::new(std::fs::File::create_new(&path).unwrap());
    let clock = crate::clock::Clock::start();
    let recorder = Recorder::start(out, clock, WhenSlow::Block).unwrap();
    let mut keeps_up = Follower::new(Live::open(recorder.queue(), &path).unwrap());
    let lags = Live::open(recorder.queue(), &path).unwrap();
    let mut tape = Tape::open(recorder.queue(), ConnectionId(1), clock.now(), &info());
    let mut followed = Vec::new();
    for round in 0..200_u8 {
        tape.octets(Leg::Client, UP, &vec![round; usize::from(round) * 1500]);
        if round % 8 == 0 {
            recorder.queue().wait_beyond(keeps_up.offset(), Duration::from_secs(20));
            while keeps_up.read_more().unwrap() {
                followed.extend(std::iter::from_fn(|| keeps_up.poll()));
            }
        }
    }
    drop(tape);
    recorder.finish();
    let rest_of = |mut follower: Follower<Live>| {
        let mut items = Vec::new();
        while follower.read_more().unwrap() {
            items.extend(std::iter::from_fn(|| follower.poll()));
        }
        items
    };
    followed.extend(rest_of(keeps_up));
    let record = |item| match item {
        CaptureItem::Record { record, .. } => record,
        CaptureItem::Fault(fault) => panic!("{fault}"),
    };
    let in_file = records(&std::fs::read(&path).unwrap());
    let total: usize = in_file.iter().map(octets_in).sum();
    assert_eq!(total, (0..200).map(|round| round * 1500).sum::<usize>());
    assert_eq!(followed.into_iter().map(record).collect::<Vec<_>>(), in_file);
    let late = rest_of(Follower::new(lags));
    assert_eq!(late.into_iter().map(record).collect::<Vec<_>>(), in_file);
}

fn octets_in(record: &Record) -> usize {
    match record {
        Record::Octets { octets, .. } => octets.len(),
        _ => 0,
    }
}

fn tell(record: &Record) -> String {
    match record {
        Record::Opened { connection, info: opened, .. } => {
            assert_eq!(**opened, info());
            format!("open {}", connection.0)
        }
        Record::Noted { note, .. } => note.failure.clone().expect("a failure").message,
        Record::Octets { direction, octets, .. } => {
            format!("{} {}", direction.arrow(), octets.escape_ascii())
        }
        Record::Gap { direction, len, .. } => format!("{} gap {len}", direction.arrow()),
        Record::Finished { direction, how, .. } => format!("{} {how:?}", direction.arrow()),
    }
}

#[test]
fn how_long_octets_were_in_the_proxy_is_told_of_their_own_packets() {
    let valve = Valve::closed();
    let recording = Recording::with(valve.clone(), WhenSlow::Block, 16 << 20);
    let (mut tape, mut other) = (recording.tape(1), recording.tape(2));
    valve.await_call();
    // Reads of two packets each, through several buffers, among those of another connection.
    for round in 0..40_u8 {
        let octets = vec![round; 2 * 65_495];
        let passage = tape.octets_read(UP, &octets);
        other.octets(Leg::Client, UP, &octets[..1000]);
        if round % 4 != 0 {
            tape.passed(passage.unwrap());
        }
    }
    valve.open();
    drop((tape, other));
    let mut told = 0;
    for record in recording.finish() {
        let Record::Octets { connection, octets, in_proxy, .. } = record else { continue };
        let round = octets[0];
        assert!(octets.iter().all(|octet| *octet == round));
        assert_eq!(in_proxy.is_some(), connection.0 == 1 && round % 4 != 0, "{connection} {round}");
        told += usize::from(in_proxy.is_some());
    }
    assert_eq!(told, 60);
}

#[test]
fn nothing_else_is_amended_where_files_end_or_the_recorder_has() {
    let valve = Valve::closed();
    let recording = Recording::with(valve.clone(), WhenSlow::Block, 16 << 20);
    let mut tape = recording.tape(1);
    valve.await_call();
    tape.octets(Leg::Client, UP, &[7; 5000]);
    recording.queue().close();
    let passage = tape.octets_read(UP, &[8; 5000]).unwrap();
    tape.passed(passage);
    valve.open();
    drop(tape);
    let octets: Vec<Record> = recording.finish();
    let octets: Vec<&Record> = octets.iter().filter(|record| octets_in(record) > 0).collect();
    let [Record::Octets { octets, in_proxy: None, .. }] = octets[..] else { panic!("{octets:?}") };
    assert_eq!(*octets, [7; 5000][..]);
}
