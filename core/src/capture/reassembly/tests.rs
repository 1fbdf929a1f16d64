//! Conversations, told in short lines.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::capture::lane::LANE_HELD_MAX;

/// Segments of one conversation between port 40000 (`up`) and port 80, told in short lines.
struct Wire {
    flow: Flow,
    reassembly: Reassembly,
    ids: Ids,
    clock: u64,
    told: Vec<String>,
}

impl Default for Wire {
    fn default() -> Self {
        let flow = Flow::new("10.0.0.1:40000".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
        let (reassembly, ids, clock, told) = Default::default();
        Self { flow, reassembly, ids, clock, told }
    }
}

impl Wire {
    fn segment(&mut self, up: bool, seq: u32, ack: Option<u32>, flags: u8, payload: &[u8]) {
        self.segment_cut(up, seq, ack, flags, payload, 0);
    }

    fn segment_cut(
        &mut self,
        up: bool,
        seq: u32,
        ack: Option<u32>,
        flags: u8,
        payload: &[u8],
        cut: usize,
    ) {
        let flow = if up { self.flow } else { self.flow.reversed() };
        let ack_flag = if ack.is_some() { flags::ACK } else { 0 };
        let segment = Segment {
            flow,
            tag: 0,
            seq,
            ack,
            flags: flags | ack_flag,
            payload: 0..payload.len(),
            cut,
        };
        self.clock += 1;
        let arrival = Arrival {
            block_offset: self.clock * 100,
            at: Timestamp::from_nanos(self.clock),
            segment: &segment,
            payload: Bytes::copy_from_slice(payload),
        };
        let told = &mut self.told;
        self.reassembly.receive(arrival, &mut self.ids, &mut |record, _| told.push(tell(&record)));
    }

    fn finish(mut self) -> Vec<String> {
        let told = &mut self.told;
        self.reassembly.finish(&mut |record, _| told.push(tell(&record)));
        self.told
    }
}

fn tell(record: &Record) -> String {
    let (id, at) = (record.connection(), record.at().as_nanos());
    let what = match record {
        Record::Opened { info, .. } => format!("opened by {}", info.client.port()),
        Record::Octets { direction, octets, .. } => {
            format!("{} {}", direction.arrow(), String::from_utf8_lossy(octets))
        }
        Record::Gap { direction, len, .. } => format!("{} gap {len}", direction.arrow()),
        Record::Finished { direction, how, .. } => format!("{} {how:?}", direction.arrow()),
        Record::Noted { .. } => unreachable!(),
    };
    format!("{id} {at} {what}")
}

const UP: bool = true;
const DOWN: bool = false;

/// SYN, SYN-ACK, ACK from these initial sequence numbers.
fn shaken(up: u32, down: u32) -> Wire {
    let mut wire = Wire::default();
    wire.segment(UP, up, None, flags::SYN, b"");
    wire.segment(DOWN, down, Some(up.wrapping_add(1)), flags::SYN, b"");
    wire.segment(UP, up.wrapping_add(1), Some(down.wrapping_add(1)), 0, b"");
    wire
}

#[test]
fn a_conversation_with_fin_on_both_sides() {
    let mut wire = shaken(u32::MAX - 2, 10);
    wire.segment(UP, u32::MAX - 1, Some(11), flags::PSH, b"hello");
    wire.segment(DOWN, 11, Some(3), 0, b"there");
    wire.segment(UP, 3, Some(16), flags::FIN, b"");
    wire.segment(DOWN, 16, Some(4), flags::FIN, b"bye");
    wire.segment(UP, 4, Some(20), 0, b"");
    assert_eq!(
        wire.finish(),
        [
            "#1 1 opened by 40000",
            "#1 4 ↑ hello",
            "#1 5 ↓ there",
            "#1 6 ↑ Fin",
            "#1 7 ↓ bye",
            "#1 7 ↓ Fin"
        ]
    );
}

#[test]
fn retransmissions_overlaps_and_keep_alives_count_once() {
    let mut wire = shaken(0, 0);
    wire.segment(UP, 0, None, flags::SYN, b"");
    wire.segment(UP, 1, Some(1), 0, b"abc");
    wire.segment(UP, 1, Some(1), 0, b"abc");
    wire.segment(UP, 2, Some(1), 0, b"bcde");
    wire.segment(UP, 5, Some(1), 0, b"e");
    wire.segment(UP, 5, Some(1), 0, b"");
    assert_eq!(wire.finish()[1..], ["#1 5 ↑ abc", "#1 7 ↑ de"]);
}

#[test]
fn segments_out_of_order_wait_for_what_is_missing() {
    let mut wire = shaken(0, 0);
    wire.segment(UP, 7, Some(1), flags::FIN, b"ghi");
    wire.segment(UP, 5, Some(1), 0, b"efgh");
    wire.segment(DOWN, 1, Some(1), 0, b"x");
    wire.segment(UP, 1, Some(2), 0, b"abcd");
    assert_eq!(
        wire.finish()[1..],
        ["#1 6 ↓ x", "#1 7 ↑ abcd", "#1 7 ↑ efgh", "#1 7 ↑ i", "#1 7 ↑ Fin"]
    );
}

#[test]
fn what_was_acknowledged_and_is_missing_becomes_a_gap() {
    let mut wire = shaken(0, 0);
    wire.segment(UP, 11, Some(1), 0, b"later");
    wire.segment(DOWN, 1, Some(11), 0, b"");
    assert_eq!(wire.told.len(), 1);
    wire.segment(DOWN, 1, Some(16), 0, b"");
    wire.segment(UP, 1, Some(1), 0, b"too late.");
    assert_eq!(wire.finish()[1..], ["#1 4 ↑ gap 10", "#1 4 ↑ later"]);
}

#[test]
fn what_is_still_missing_at_the_end_becomes_a_gap() {
    let mut wire = shaken(0, 0);
    wire.segment(UP, 4, Some(1), 0, b"def");
    wire.segment(DOWN, 1, Some(1), flags::FIN, b"");
    wire.segment(UP, 7, Some(500), 0, b"");
    let mut fin_missing = shaken(0, 0);
    fin_missing.segment(UP, 1, Some(2), 0, b"a");
    fin_missing.segment(DOWN, 2, Some(3), 0, b"");
    assert_eq!(wire.finish()[1..], ["#1 5 ↓ Fin", "#1 4 ↑ gap 3", "#1 4 ↑ def"]);
    assert_eq!(fin_missing.finish()[1..], ["#1 4 ↑ a"]);
}

#[test]
fn octets_that_the_other_side_acknowledged_and_nobody_captured_are_a_gap_too() {
    let mut wire = shaken(0, 0);
    wire.segment(UP, 1, Some(1), 0, b"a");
    wire.segment(UP, 2, Some(101), 0, b"b");
    wire.segment(UP, 3, Some(201), flags::RST, b"");
    assert_eq!(wire.finish()[1..], ["#1 4 ↑ a", "#1 5 ↑ b", "#1 0 ↓ gap 200", "#1 6 ↑ Reset"]);
}

#[test]
fn octets_that_the_capture_cut_off_are_a_gap() {
    let mut wire = shaken(0, 0);
    wire.segment_cut(UP, 1, Some(1), 0, b"abc", 5);
    wire.segment(UP, 9, Some(1), 0, b"ij");
    wire.segment_cut(UP, 11, Some(1), flags::FIN, b"", 2);
    assert_eq!(
        wire.finish()[1..],
        ["#1 4 ↑ abc", "#1 4 ↑ gap 5", "#1 5 ↑ ij", "#1 6 ↑ gap 2", "#1 6 ↑ Fin"]
    );
}

#[test]
fn without_a_syn_the_request_tells_the_client_or_masked_frames_or_else_the_higher_port() {
    for (up, payload, client, is_midway) in [
        (UP, &b"GET / HTTP/1.1\r\n"[..], 40000, false),
        (DOWN, b"GET / HTTP/1.1\r\n", 80, false),
        (UP, b"HTTP/1.1 200 OK\r\n", 80, false),
        (DOWN, b"HTTP/1.1 200 OK\r\n", 40000, false),
        (UP, b"PO", 40000, false),
        (UP, b"\x17\x03\x03", 40000, true),
        (DOWN, b"\x17\x03\x03", 40000, true),
        // Frames say who sent them: a client masks.
        (UP, b"\x81\x01a\x82\x00", 80, true),
        (DOWN, b"\x81\x01a\x82\x00", 40000, true),
        (DOWN, b"\x81\x81abcda", 80, true),
        (DOWN, b"\x81\x81abcda\x82\x00", 40000, true),
    ] {
        let mut wire = Wire::default();
        wire.segment(!up, 77, Some(1000), 0, b"");
        wire.segment(up, 1000, Some(77), 0, payload);
        wire.segment(!up, 77, Some(1000), 0, b"answer");
        let told = wire.finish();
        assert_eq!(told[0], format!("#1 2 opened by {client}"), "{payload:?}");
        // What is no HTTP began before, and so did what answers it.
        let gaps = told.iter().filter(|line| line.ends_with("gap 0")).count();
        assert_eq!(gaps, 1 + usize::from(is_midway), "{told:?}");
        assert_eq!(told.len(), 3 + gaps);
    }
    let mut wire = Wire::default();
    wire.segment(DOWN, 5, Some(1), flags::SYN, b"");
    wire.segment(UP, 1, Some(6), 0, b"a");
    assert_eq!(wire.finish(), ["#1 1 opened by 40000", "#1 2 ↑ a"]);
}

#[test]
fn a_new_syn_between_the_same_addresses_is_a_new_connection() {
    let mut wire = shaken(0, 0);
    wire.segment(UP, 3, Some(1), 0, b"early");
    wire.segment(UP, 900, None, flags::SYN, b"");
    wire.segment(DOWN, 50, Some(901), flags::SYN, b"");
    wire.segment(UP, 901, Some(51), 0, b"again");
    let expected = ["#1 4 ↑ gap 2", "#1 4 ↑ early", "#2 5 opened by 40000", "#2 7 ↑ again"];
    assert_eq!(wire.finish()[1..], expected);
}

#[test]
fn segments_far_outside_any_window_are_not_believed() {
    let mut wire = shaken(0, 0);
    wire.segment(UP, 0x7000_0000, Some(1), 0, b"stray");
    wire.segment(UP, 1, Some(1), 0, b"a");
    assert_eq!(wire.finish()[1..], ["#1 5 ↑ a"]);
}

#[test]
fn a_stream_stays_open_however_many_others_came_and_went() {
    let mut wire = shaken(0, 0);
    let long_lived = wire.flow;
    for number in 0..u32::try_from(STREAMS_MAX).unwrap() {
        let client = std::net::SocketAddr::from((number.to_be_bytes(), 40_000));
        wire.flow = Flow::new(client, long_lived.to());
        wire.segment(UP, 0, None, flags::SYN, b"");
        wire.segment(DOWN, 0, Some(1), flags::RST, b"");
    }
    assert!(wire.reassembly.opened.len() <= ENDED_KEPT + 1);
    wire.flow = long_lived;
    wire.told.clear();
    wire.segment(UP, 1, Some(1), 0, b"still here");
    assert!(wire.told[0].starts_with("#1 ") && wire.told[0].ends_with("still here"));
}

#[test]
fn a_reset_ends_a_stream_only_where_its_receiver_may_have_believed_it() {
    // The client acknowledged 100 of the server's 200 octets.
    for (name, seq, is_believed) in [
        ("the octet that is next", 201, true),
        ("behind octets that the capture missed", 5_000, true),
        ("the receiver may not have had the last octets", 101, true),
        ("what was acknowledged", 100, false),
        ("an old one", 0_u32.wrapping_sub(4_799), false),
        ("out of every window", 0x4000_0000, false),
    ] {
        let mut wire = shaken(0, 0);
        wire.segment(DOWN, 1, Some(1), 0, &[b'-'; 200]);
        wire.segment(UP, 1, Some(101), 0, b"");
        wire.segment(DOWN, seq, Some(900), flags::RST, b"");
        assert_eq!(wire.told.last().unwrap() == "#1 6 ↓ Reset", is_believed, "{name}");
        if !is_believed {
            wire.segment(UP, 1, Some(201), 0, b"goes on");
            assert_eq!(wire.finish()[2..], ["#1 7 ↑ goes on"], "{name}");
        }
    }
}

#[test]
fn a_reset_refuses_a_syn_and_follows_a_fin() {
    let mut refused = Wire::default();
    refused.segment(UP, 70, None, flags::SYN, b"");
    refused.segment(DOWN, 0, Some(71), flags::RST, b"");
    assert_eq!(refused.finish()[1..], ["#1 2 ↓ Reset"]);
    let mut wire = shaken(0, 0);
    wire.segment(DOWN, 1, Some(1), flags::FIN, b"");
    wire.segment(DOWN, 2, Some(1), flags::RST, b"");
    assert_eq!(wire.finish()[1..], ["#1 4 ↓ Fin", "#1 5 ↓ Reset"]);
}

#[test]
fn a_lane_holds_so_much_and_no_more() {
    let mut wire = shaken(0, 0);
    let piece = vec![b'x'; 60_000];
    let mut seq = 2;
    for _ in 0..400 {
        wire.segment(UP, seq, Some(1), 0, &piece);
        seq += 60_000;
        assert!(wire.reassembly.held_len <= LANE_HELD_MAX);
    }
    assert_eq!(wire.told[1], "#1 4 ↑ gap 1");
    assert_eq!(wire.told.len(), 402);
}

proptest! {
    #[test]
    fn any_order_and_overlap_of_segments_gives_the_octets_in_order(
        initial in any::<u32>(),
        data in vec(any::<u8>(), 1..200),
        pieces in vec((any::<usize>(), any::<usize>()), 0..40),
        swaps in vec((any::<usize>(), any::<usize>()), 0..20),
    ) {
        let mut pieces: Vec<(usize, usize)> = pieces
            .into_iter()
            .map(|(a, b)| (a % data.len(), b % data.len()))
            .map(|(a, b)| (a.min(b), a.max(b) + 1))
            .collect();
        pieces.extend((0..data.len()).step_by(16).map(|start| (start, (start + 16).min(data.len()))));
        let count = pieces.len();
        for (a, b) in swaps {
            pieces.swap(a % count, b % count);
        }
        let mut wire = shaken(initial, 0);
        let mut got = Vec::new();
        for (start, end) in pieces {
            let seq = initial.wrapping_add(1).wrapping_add(u32::try_from(start).unwrap());
            let flow = Flow::new("10.0.0.1:40000".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
            let octets = Bytes::copy_from_slice(&data[start..end]);
            let segment = Segment {
                flow, tag: 0, seq, ack: Some(1), flags: flags::ACK, payload: 0..octets.len(), cut: 0,
            };
            let arrival =
                Arrival { block_offset: 0, at: Timestamp::default(), segment: &segment, payload: octets };
            wire.reassembly.receive(arrival, &mut wire.ids, &mut |record, _| match record {
                Record::Octets { octets, .. } => got.extend_from_slice(&octets),
                other => panic!("{other:?}"),
            });
        }
        prop_assert_eq!(got, data);
        prop_assert_eq!(wire.reassembly.held_len, 0);
    }
}
