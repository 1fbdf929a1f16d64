//! Walking the blocks of a file from a known packet of a lane to the octets that are wanted.

mod resumed;

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::foreign;
use super::packet::{Flow, Segment, flags};
use super::packets::{Layout, Packet, Packets};

/// A lane's blocks between one entry and the next start no further than this behind the entry.
pub(crate) const REACH: u64 = 64 << 10;
/// Octets of the file that are read at once, at least and at most.
const READ_LEN: Range<usize> = 128 << 10..1 << 20;

/// The packet in the block at `block_offset` ends with the `len` octets at `lane_offset`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// Where in the lane its octets start.
    pub(crate) lane_offset: u64,
    /// Where in the file its block starts.
    pub(crate) block_offset: u64,
    /// How many octets it has.
    pub(crate) len: u32,
}

impl Entry {
    /// Walks the blocks from the entry on, as far as its octets reach. Says whether the entry's own
    /// packet was found as it was described.
    pub(crate) fn fill<R: Read + Seek>(
        &self,
        layout: &Layout,
        part: &Range<u64>,
        window: &mut Window<'_, R>,
        wanted: &mut Wanted,
    ) -> io::Result<bool> {
        self.walk(self.block_offset, None, layout, part, window, wanted)
    }

    /// From the block at `position` on, with an anchor or where the entry's own packet is to give it.
    fn walk<R: Read + Seek>(
        &self,
        mut position: u64,
        mut anchor: Option<Anchor>,
        layout: &Layout,
        part: &Range<u64>,
        window: &mut Window<'_, R>,
        wanted: &mut Wanted,
    ) -> io::Result<bool> {
        let mut packets = Packets::resume(layout, position);
        loop {
            let octets = window.read(position)?;
            if octets.is_empty() {
                packets.finish();
            }
            position = position.saturating_add(octets.len() as u64);
            packets.push(octets.clone());
            while let Some(found) = packets.next() {
                let Ok(packet) = found else {
                    if anchor.is_none() {
                        return Ok(false);
                    }
                    continue;
                };
                if packet.block_offset.saturating_sub(self.block_offset) >= REACH {
                    return Ok(anchor.is_some());
                }
                let Some(piece) = Piece::of(packet) else {
                    if anchor.is_none() {
                        return Ok(false);
                    }
                    continue;
                };
                let known = match &mut anchor {
                    Some(known) => known,
                    None if piece.octets.len() as u64 >= u64::from(self.len) => {
                        let lane_end = self.lane_offset.saturating_add(u64::from(self.len));
                        let seq_end = piece.seq.wrapping_add(len_in_sequence(&piece.octets));
                        anchor.insert(Anchor { pattern: piece.pattern, lane_end, seq_end })
                    }
                    None => return Ok(false),
                };
                if known.pattern == piece.pattern
                    && let Some(lane_offset) = known.lane_offset(piece.seq)
                {
                    wanted.place(lane_offset, &piece.octets, part);
                    wanted.note_last(lane_offset, &piece);
                    if wanted.is_filled(part) {
                        return Ok(true);
                    }
                    known.pass(&piece);
                }
            }
            if octets.is_empty() {
                return Ok(anchor.is_some());
            }
        }
    }
}

/// What ties sequence numbers to lane offsets, learnt from an entry's packet.
#[derive(Debug)]
struct Anchor {
    pattern: Pattern,
    lane_end: u64,
    seq_end: u32,
}

impl Anchor {
    /// Where in the lane the octet with this sequence number is; `None` before the lane's start.
    fn lane_offset(&self, seq: u32) -> Option<u64> {
        let ahead = i64::from(seq.wrapping_sub(self.seq_end).cast_signed());
        self.lane_end.checked_add_signed(ahead)
    }

    /// Goes on behind a packet of the lane: a FIN has a sequence number, and is no octet. Captures of
    /// ours may have octets behind it.
    fn pass(&mut self, piece: &Piece) {
        let is_fin = piece.has_fin && piece.pattern.ours.is_some();
        self.seq_end = self.seq_end.wrapping_add(u32::from(is_fin));
    }
}

/// What the packets of one lane have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pattern {
    flow: Flow,
    /// Interface and tag, which tell packets of ours; other captures see one packet on several
    /// interfaces.
    ours: Option<(u32, u32)>,
}

/// The octets of one packet.
#[derive(Debug)]
struct Piece {
    pattern: Pattern,
    seq: u32,
    has_fin: bool,
    in_proxy: Option<Duration>,
    octets: Bytes,
}

impl Piece {
    fn of(mut packet: Packet) -> Option<Self> {
        let ours = packet.interface.leg.and_then(|_| Segment::of_ours(packet.octets()));
        let (segment, ours) = if let Some(segment) = ours {
            let mark = (packet.interface_number, segment.tag);
            (segment, Some(mark))
        } else {
            let link_type = packet.interface.link_type;
            let found = foreign::segment(link_type, packet.octets(), packet.original_len);
            (found.ok().flatten()?, None)
        };
        let after_syn = u32::from(segment.has(flags::SYN));
        Some(Self {
            pattern: Pattern { flow: segment.flow, ours },
            seq: segment.seq.wrapping_add(after_syn),
            has_fin: segment.has(flags::FIN),
            in_proxy: packet.in_proxy(),
            octets: packet.take(segment.payload),
        })
    }
}

fn len_in_sequence(octets: &[u8]) -> u32 {
    u32::try_from(octets.len()).unwrap_or(u32::MAX)
}

/// The octets to be read, and which of them are still missing.
#[derive(Debug)]
pub(crate) struct Wanted {
    start: u64,
    octets: Vec<u8>,
    /// In order, none empty.
    holes: Vec<Range<usize>>,
    /// Of the packet that held the last of them, see [`Wanted::in_proxy`].
    in_proxy: Option<Duration>,
}

impl Wanted {
    /// How many octets are wanted.
    pub(crate) fn len(&self) -> usize {
        self.octets.len()
    }

    /// The octets, all of them there; or the lane offset of the first that is missing.
    pub(crate) fn finish(self) -> Result<Bytes, u64> {
        match self.holes.first() {
            None => Ok(self.octets.into()),
            Some(hole) => Err(self.start.saturating_add(hole.start as u64)),
        }
    }

    /// All lane offsets from `start` to `end`.
    pub(crate) fn new(start: u64, end: u64) -> io::Result<Self> {
        let len = usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX);
        let mut octets = Vec::new();
        octets.try_reserve_exact(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
        octets.resize(len, 0);
        let mut holes = Vec::new();
        if len > 0 {
            holes.push(0..len);
        }
        Ok(Self { start, octets, holes, in_proxy: None })
    }

    /// How long the last of the octets was in the proxy, where the capture says so.
    pub(crate) fn in_proxy(&self) -> Option<Duration> {
        self.in_proxy
    }

    /// Takes in what a piece at `lane_offset` says of its octets, where the last one wanted is among them.
    fn note_last(&mut self, lane_offset: u64, piece: &Piece) {
        let last = self.start.saturating_add((self.octets.len() as u64).saturating_sub(1));
        let end = lane_offset.saturating_add(piece.octets.len() as u64);
        if (lane_offset..end).contains(&last) && self.in_proxy.is_none() {
            self.in_proxy = piece.in_proxy;
        }
    }

    fn local(&self, range: &Range<u64>) -> Range<usize> {
        let local = |at: u64| usize::try_from(at.saturating_sub(self.start)).unwrap_or(usize::MAX);
        local(range.start)..local(range.end)
    }

    /// Whether nothing of `part` is missing any longer.
    pub(crate) fn is_filled(&self, part: &Range<u64>) -> bool {
        let part = self.local(part);
        !self.holes.iter().any(|hole| hole.start < part.end && part.start < hole.end)
    }

    /// Fills what is missing of `part` with octets from `lane_offset` on.
    fn place(&mut self, lane_offset: u64, octets: &[u8], part: &Range<u64>) {
        let end = lane_offset.saturating_add(octets.len() as u64).min(part.end);
        let start = lane_offset.max(part.start);
        if start >= end {
            return;
        }
        let there = self.local(&(start..end));
        let skipped = usize::try_from(start.saturating_sub(lane_offset)).unwrap_or(usize::MAX);
        let octets = octets.get(skipped..).unwrap_or_default();
        let mut holes = Vec::with_capacity(self.holes.len().saturating_add(1));
        for hole in self.holes.drain(..) {
            let filled = hole.start.max(there.start)..hole.end.min(there.end);
            if filled.is_empty() {
                holes.push(hole);
                continue;
            }
            let from = filled.start.saturating_sub(there.start);
            let source = octets.get(from..).and_then(|rest| rest.get(..filled.len()));
            if let (Some(target), Some(source)) = (self.octets.get_mut(filled.clone()), source) {
                target.copy_from_slice(source);
            }
            holes.extend(
                [hole.start..filled.start, filled.end..hole.end]
                    .into_iter()
                    .filter(|rest| !rest.is_empty()),
            );
        }
        self.holes = holes;
    }
}

/// Reads the file in large pieces, and keeps the last one.
pub(crate) struct Window<'f, R> {
    file: &'f mut R,
    read_len: usize,
    start: u64,
    octets: Bytes,
}

impl<'f, R: Read + Seek> Window<'f, R> {
    /// For about `len` octets in one go.
    pub(crate) fn new(file: &'f mut R, len: usize) -> Self {
        let read_len = len.saturating_mul(2).clamp(READ_LEN.start, READ_LEN.end);
        Self { file, read_len, start: 0, octets: Bytes::new() }
    }

    /// Some octets from `position` on; none at the end of the file.
    fn read(&mut self, position: u64) -> io::Result<Bytes> {
        let kept = position
            .checked_sub(self.start)
            .and_then(|skip| usize::try_from(skip).ok())
            .filter(|&skip| skip < self.octets.len());
        if let Some(skip) = kept {
            return Ok(self.octets.slice(skip..));
        }
        self.file.seek(SeekFrom::Start(position))?;
        let mut octets = BytesMut::zeroed(self.read_len);
        let len = loop {
            match self.file.read(&mut octets) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        octets.truncate(len);
        self.start = position;
        self.octets = octets.freeze();
        Ok(self.octets.clone())
    }

    /// What the capture's start says of it, up to its first packet or up to the block at `until`; where
    /// that is not there any longer, what every file of a set says.
    pub(crate) fn layout(&mut self, until: Option<u64>) -> io::Result<Layout> {
        match self.layout_at_start(until) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Packets::of_set().layout().ok_or(error)
            }
            found => found,
        }
    }

    fn layout_at_start(&mut self, until: Option<u64>) -> io::Result<Layout> {
        let mut packets = Packets::default();
        let mut position = 0;
        loop {
            let octets = self.read(position)?;
            if octets.is_empty() {
                packets.finish();
            }
            position = position.saturating_add(octets.len() as u64);
            packets.push(octets.clone());
            while let Some(found) = packets.next() {
                let offset = found.map_or(0, |packet| packet.block_offset);
                if offset >= until.unwrap_or(0) {
                    return packets.layout().ok_or_else(not_a_capture);
                }
            }
            if octets.is_empty() {
                return packets.layout().ok_or_else(not_a_capture);
            }
        }
    }
}

fn not_a_capture() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the file is no capture any longer")
}
