//! The reader: octets of a capture in, in any pieces; records and faults out.
//!
//! ```text
//!  octets ─► Blocks ─► Packets ─┬─ of an interface of ours ─► OwnStreams ─┬─► Record
//!                               └─ of anyone else's ────────► Reassembly ─┘
//! ```

use std::collections::VecDeque;

use bytes::Bytes;

use super::CaptureFault;
use super::comment::Comment;
use super::foreign;
use super::ids::Ids;
use super::own::{OwnPacket, OwnStreams};
use super::packet::Segment;
use super::packets::{Packet, Packets};
use super::reassembly::{Arrival, Reassembly};
use crate::Record;

/// What the reader found next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaptureItem {
    /// Something happened on the wire.
    Record {
        /// What happened.
        record: Record,
        /// Where the block starts that it (its first octet) is in, in octets from the start of the
        /// file.
        block_offset: u64,
    },
    /// Something is wrong with the capture; reading goes on.
    Fault(CaptureFault),
}

/// Reads a capture that comes in any pieces: a file, a growing file, a never-ending stream.
///
/// A block that is not whole yet is more to come, until [`CaptureReader::finish`].
/// Octets of records are slices of what was received, where a block lies whole in one piece: pieces
/// of some hundred KiB make that the rule.
#[derive(Debug, Default)]
pub struct CaptureReader {
    packets: Packets,
    own: OwnStreams,
    reassembly: Reassembly,
    ids: Ids,
    /// Link types that were said to be unknown.
    unknown_link_types: Vec<u16>,
    items: VecDeque<CaptureItem>,
    is_finished: bool,
}

impl CaptureReader {
    /// A reader at the start of a capture.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next octets of the capture.
    pub fn receive(&mut self, octets: Bytes) {
        self.packets.push(octets);
    }

    /// Says that the next octets lie at `offset` of the capture, at the start of a section: what lies
    /// between was deleted, as are old files of a set. To be called when [`CaptureReader::poll`] has
    /// nothing more; before the first octets it says where a capture begins.
    pub fn jump(&mut self, offset: u64) {
        let began = self.packets.layout().is_some();
        if let Some(fault) = self.packets.jump(offset).filter(|_| began) {
            self.items.push_back(CaptureItem::Fault(fault));
        }
    }

    /// What was found next; `None` when more octets are needed (or, after
    /// [`CaptureReader::finish`], when that was all).
    pub fn poll(&mut self) -> Option<CaptureItem> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Some(item);
            }
            match self.packets.next() {
                Some(Ok(packet)) => self.receive_packet(packet),
                Some(Err(fault)) => return Some(CaptureItem::Fault(fault)),
                None if self.is_finished => {
                    self.is_finished = false;
                    self.reassembly.finish(&mut sink(&mut self.items));
                }
                None => return None,
            }
        }
    }

    /// Whether everything that was received belongs to a whole block: if not, the capture is cut, or goes
    /// on. To be asked when [`CaptureReader::poll`] has nothing more.
    pub fn is_between_blocks(&self) -> bool {
        self.packets.is_between_blocks()
    }

    /// Says that no more octets will come. What was held back is then to be had from
    /// [`CaptureReader::poll`], and a [`CaptureFault::CutTail`] if the last block is not whole.
    pub fn finish(&mut self) {
        self.packets.finish();
        self.is_finished = true;
    }

    fn receive_packet(&mut self, mut packet: Packet) {
        let Packet { block_offset, at, .. } = packet;
        if let Some(leg) = packet.interface.leg
            && let Some(segment) = Segment::of_ours(packet.octets())
        {
            let comments = self.comments(&packet);
            let ours = OwnPacket { leg, packet: &mut packet, segment: &segment, comments };
            let mut out = sink(&mut self.items);
            if self.own.receive(ours, &mut self.ids, |record| out(record, block_offset)) {
                return;
            }
        }
        let link_type = packet.interface.link_type;
        match foreign::segment(link_type, packet.octets(), packet.original_len) {
            Ok(Some(segment)) => {
                let payload = packet.take(segment.payload.clone());
                let arrival = Arrival { block_offset, at, segment: &segment, payload };
                self.reassembly.receive(arrival, &mut self.ids, &mut sink(&mut self.items));
            }
            Ok(None) => {}
            Err(foreign::UnknownLinkType) => {
                if !self.unknown_link_types.contains(&link_type) {
                    self.unknown_link_types.push(link_type);
                    let fault = CaptureFault::UnknownLinkType { offset: block_offset, link_type };
                    self.items.push_back(CaptureItem::Fault(fault));
                }
            }
        }
    }

    /// Our comments on a packet; those that cannot be read become faults.
    fn comments(&mut self, packet: &Packet) -> Vec<Comment> {
        if packet.options().is_empty() {
            return Vec::new();
        }
        let mut comments = Vec::new();
        for comment in Comment::read(packet.order, packet.options()) {
            match comment {
                Ok(comment) => comments.push(comment),
                Err(error) => {
                    let offset = packet.block_offset;
                    let reason = error.to_string();
                    let fault = CaptureFault::UnreadableComment { offset, reason };
                    self.items.push_back(CaptureItem::Fault(fault));
                }
            }
        }
        comments
    }
}

fn sink(items: &mut VecDeque<CaptureItem>) -> impl FnMut(Record, u64) {
    |record, block_offset| items.push_back(CaptureItem::Record { record, block_offset })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::packet::{Flow, PacketHead, flags};
    use crate::capture::{StreamEncoder, write_section_header};
    use crate::{ConnectionId, ConnectionInfo, Direction, Leg, Timestamp};

    const AT: Timestamp = Timestamp::from_nanos(1_500_000_000_000_001_000);

    fn read(file: &[u8]) -> Vec<CaptureItem> {
        let mut reader = CaptureReader::new();
        reader.receive(Bytes::copy_from_slice(file));
        reader.finish();
        std::iter::from_fn(|| reader.poll()).collect()
    }

    /// Octets with the time they came at; other records and faults by their first word.
    fn told(items: &[CaptureItem]) -> Vec<String> {
        let one = |item: &CaptureItem| match item {
            CaptureItem::Record { record: Record::Octets { octets, at, .. }, .. } => {
                format!("{} {}", at.as_nanos(), String::from_utf8_lossy(octets))
            }
            CaptureItem::Record { record, .. } => {
                format!("{record:?}").split(' ').next().unwrap().to_owned()
            }
            CaptureItem::Fault(fault) => fault.to_string(),
        };
        items.iter().map(one).collect()
    }

    /// The IP packet of one segment with these octets.
    fn packet(payload: &[u8]) -> Vec<u8> {
        let flow = Flow::new("10.0.0.1:40000".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
        let head = PacketHead {
            leg: Leg::Client,
            at: AT,
            flow,
            tag: 0,
            seq: 1,
            ack: 0,
            flags: flags::ACK,
            nudge: false,
        };
        let mut block = Vec::new();
        head.write(payload, &[], &mut block);
        block[28..28 + 40 + payload.len()].to_vec()
    }

    /// A big-endian block.
    fn block(kind: u32, body: &[&[u8]]) -> Vec<u8> {
        let mut body = body.concat();
        body.resize(body.len().next_multiple_of(4), 0);
        let len = u32::try_from(body.len() + 12).unwrap().to_be_bytes();
        [&kind.to_be_bytes()[..], &len, &body, &len].concat()
    }

    fn section() -> Vec<u8> {
        block(0x0A0D_0D0A, &[&0x1A2B_3C4Du32.to_be_bytes(), &[0, 1, 0, 0], &[0xFF; 8]])
    }

    fn interface(link_type: u16) -> Vec<u8> {
        block(1, &[&link_type.to_be_bytes(), &[0; 6]])
    }

    fn enhanced(interface: u32, ticks: u64, packet: &[u8]) -> Vec<u8> {
        let len = u32::try_from(packet.len()).unwrap().to_be_bytes();
        let (interface, ticks) = (interface.to_be_bytes(), ticks.to_be_bytes());
        block(6, &[&interface, &ticks, &len, &len, packet])
    }

    #[test]
    fn a_capture_that_ends_within_a_block_is_cut_or_goes_on() {
        let file = [section(), interface(101)].concat();
        let cut = file.len() - 5;
        let mut reader = CaptureReader::new();
        for (octets, is_between) in [(&file[..cut], false), (&file[cut..], true)] {
            reader.receive(Bytes::copy_from_slice(octets));
            assert_eq!(reader.poll(), None);
            assert_eq!(reader.is_between_blocks(), is_between);
        }
    }

    #[test]
    fn anyones_big_endian_capture_in_microseconds_is_read() {
        let simple = packet(b"GET /");
        let original = u32::try_from(simple.len()).unwrap().to_be_bytes();
        let file = [
            section(),
            interface(101),
            interface(105),
            block(4, &[&[0; 4]]),
            block(0x4000_0001, &[b"anything"]),
            enhanced(0, 1_500_000, &packet(b"GET")),
            enhanced(1, 2_000_000, &[0xAA; 30]),
            enhanced(1, 2_000_001, &[0xAA; 30]),
            block(3, &[&original, &simple]),
            enhanced(7, 0, &packet(b"never")),
        ]
        .concat();
        let (foreign, unknown) = (28 + 20 + 20 + 16 + 20, 28 + 20 + 20 + 16 + 20 + 76);
        let last = unknown + 64 + 64 + 64;
        assert_eq!(
            told(&read(&file)),
            [
                "Opened".to_owned(),
                "1500000000 GET".to_owned(),
                format!(
                    "packets of link type 105 (from octet {unknown} on) cannot be read; \
                     Ethernet, raw IP, loopback and Linux cooked captures can"
                ),
                "2000001000  /".to_owned(),
                format!(
                    "the capture is damaged at octet {last}: \
                     a packet names an interface that is not described"
                ),
            ]
        );
        let places: Vec<u64> = read(&file)
            .iter()
            .filter_map(|item| match item {
                CaptureItem::Record { block_offset, .. } => Some(*block_offset),
                CaptureItem::Fault(_) => None,
            })
            .collect();
        assert_eq!(places, [foreign, foreign, unknown + 128]);
    }

    #[test]
    fn what_is_no_capture_says_so_once() {
        let line = |what: &str| {
            format!("not a capture: it looks like {what}; open a .pcapng or .pcap file")
        };
        assert_eq!(told(&read(b"")), [line("an empty file")]);
        assert_eq!(told(&read(b"{\"log\":{}}")), [line("JSON")]);
        assert_eq!(
            told(&read(&[0; 5000])),
            [line("something that starts with the octets 00 00 00 00 00 00 00 00")]
        );
    }

    #[test]
    fn a_classic_pcap_is_read() {
        let one = packet(b"hello");
        let len = u32::try_from(one.len()).unwrap().to_le_bytes();
        let head = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x65\0\0\0";
        let file = [&head[..], &[3, 0, 0, 0, 9, 0, 0, 0], &len, &len, &one].concat();
        assert_eq!(told(&read(&file)), ["Opened", "Gap", "3000009000 hello"]);
    }

    #[test]
    fn a_comment_of_ours_that_cannot_be_read_is_told_and_the_octets_are_kept() {
        let client = "10.0.0.1:5".parse().unwrap();
        let info = ConnectionInfo { client, server: client, mode: None, upstream: None, tls: None };
        let mut file = Vec::new();
        write_section_header(&mut file);
        let at = file.len();
        let mut encoder = StreamEncoder::open(ConnectionId(1), AT, &info, &mut file);
        let brace = at + file[at..].windows(5).position(|part| part == b"{\"id\"").unwrap();
        file[brace] = b'(';
        encoder.octets(AT, Leg::Client, Direction::ClientToServer, b"kept", &mut file);
        let items = told(&read(&file));
        assert!(
            items[0].starts_with(&format!("a framescope comment at octet {at} cannot be read: "))
        );
        assert_eq!(items[1..], ["Opened".to_owned(), format!("{} kept", AT.as_nanos())]);
    }

    #[test]
    fn a_block_that_is_not_whole_yet_is_more_to_come() {
        let client = "10.0.0.1:5".parse().unwrap();
        let info = ConnectionInfo { client, server: client, mode: None, upstream: None, tls: None };
        let mut file = Vec::new();
        write_section_header(&mut file);
        let _ = StreamEncoder::open(ConnectionId(1), AT, &info, &mut file);
        let mut reader = CaptureReader::new();
        let mut opened = 0;
        for octet in file {
            assert_eq!(reader.poll(), None);
            reader.receive(Bytes::from(vec![octet]));
            opened += usize::from(reader.poll().is_some());
        }
        assert_eq!(opened, 1);
        reader.finish();
        assert_eq!(reader.poll(), None);
    }
}
