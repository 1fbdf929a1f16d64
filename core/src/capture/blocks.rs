//! From octets to blocks: pcapng and classic pcap, damage and cut tails.
//!
//! ```text
//!            ┌─ magic ─► Pcapng ── a block does not hold together ─► Lost ── one does again ─┐
//!  Unknown ──┤              ▲────────────────────────────────────────────────────────────────┘
//!            ├─ magic ─► Pcap ──── a record does not hold together ─► Over
//!            └─ else ──► Over
//! ```

use bytes::Bytes;

use super::CaptureFault;
use super::block::{
    ByteOrder, ENHANCED_PACKET, MAX_BLOCK_LEN, MIN_BLOCK_LEN, PacketPlace, SECTION_HEADER,
};
use super::pcap::{PCAP_HEADER_LEN, PCAP_RECORD_LEN, PcapHeader};
use super::pieces::Pieces;
use super::recognise::{LOOK_LEN, looks_like};

/// A whole block.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// Where it starts, from the start of the file.
    pub(crate) offset: u64,
    /// How it writes its numbers.
    pub(crate) order: ByteOrder,
    /// What it is.
    pub(crate) kind: BlockKind,
    /// All its octets: of a pcapng block without type and lengths, of a pcap record all.
    pub(crate) body: Bytes,
}

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlockKind {
    /// A pcapng block of this type.
    Pcapng(u32),
    /// A record of a classic pcap file.
    Pcap(PcapHeader),
}

/// Cuts a capture into its blocks.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    pieces: Pieces,
    state: State,
    order: ByteOrder,
    is_finished: bool,
}

/// What kind of capture a file is, and how it writes its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// pcapng; each section may have a byte order of its own.
    Pcapng(ByteOrder),
    /// Classic pcap.
    Pcap(PcapHeader),
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    /// The first octets will tell.
    #[default]
    Unknown,
    Pcapng,
    Pcap(PcapHeader),
    /// Looking for the next block that holds together.
    Lost {
        from: u64,
    },
    /// Nothing more can be read.
    Over,
}

impl Blocks {
    /// Goes on from the block at `offset` in a capture of this form.
    pub(crate) fn resume(form: Form, offset: u64) -> Self {
        let (state, order) = match form {
            Form::Pcapng(order) => (State::Pcapng, order),
            Form::Pcap(header) => (State::Pcap(header), header.order),
        };
        Self { pieces: Pieces::starting_at(offset), state, order, is_finished: false }
    }

    /// What the capture is, once its first octets have told.
    pub(crate) fn form(&self) -> Option<Form> {
        match self.state {
            State::Pcapng | State::Lost { .. } => Some(Form::Pcapng(self.order)),
            State::Pcap(header) => Some(Form::Pcap(header)),
            State::Unknown | State::Over => None,
        }
    }

    /// Takes in octets.
    pub(crate) fn push(&mut self, octets: Bytes) {
        self.pieces.push(octets);
    }

    /// No more octets will come.
    pub(crate) fn finish(&mut self) {
        self.is_finished = true;
    }

    /// Whether everything that was received belongs to a whole block.
    pub(crate) fn is_between_blocks(&self) -> bool {
        matches!(self.state, State::Pcapng | State::Pcap(_)) && self.pieces.is_empty()
    }

    /// Goes on at `offset`: what is left of the block before, and what lies between, will not come.
    pub(crate) fn jump(&mut self, offset: u64) -> Option<CaptureFault> {
        let from = self.pieces.offset();
        self.pieces = Pieces::starting_at(offset);
        let len = offset.checked_sub(from).filter(|len| *len > 0)?;
        Some(CaptureFault::Skipped { offset: from, len })
    }

    /// The next whole block, or what is wrong with it; `None` when more octets are needed.
    pub(crate) fn next(&mut self) -> Option<Result<Block, CaptureFault>> {
        let found = loop {
            let step = match self.state {
                State::Unknown => self.step_unknown(),
                State::Pcapng => self.step_pcapng(),
                State::Pcap(header) => self.step_pcap(header),
                State::Lost { from } => self.step_lost(from),
                State::Over => {
                    self.pieces.clear();
                    return None;
                }
            };
            match step {
                Step::Again => {}
                Step::Found(found) => break Some(found),
                Step::NeedMore => break None,
            }
        };
        if found.is_none() && self.is_finished {
            return self.too_long().or_else(|| self.tail()).map(Err);
        }
        found
    }

    /// A block that says it goes beyond the end of the file, while whole blocks lie where it would be, one
    /// behind the other up to that end: it was not cut, its length is wrong.
    fn too_long(&mut self) -> Option<CaptureFault> {
        let State::Pcapng = self.state else { return None };
        let order = self.order;
        let rest = self.pieces.peek(self.pieces.len())?;
        let next = next_blocks(order, rest)?;
        let head = rest.get(..8).unwrap_or_default();
        let (kind, len) = (order.u32(head, 0)?, order.len(head, 4)?);
        let reason = format!(
            "a block of type {kind} says it is {len} octets long, and whole blocks lie in it"
        );
        let Step::Found(Err(fault)) = self.lose(&reason) else { return None };
        // What lies before them is of this block, whatever it looks like.
        self.pieces.take(next.saturating_sub(1));
        Some(fault)
    }

    fn step_unknown(&mut self) -> Step {
        let Some(magic) = self.pieces.peek(4) else { return Step::NeedMore };
        if magic == SECTION_HEADER.to_be_bytes() {
            self.state = State::Pcapng;
            return Step::Again;
        }
        if PcapHeader::of_magic(magic).is_some() {
            let header = self.pieces.take(PCAP_HEADER_LEN);
            let Some(header) = header.and_then(|octets| PcapHeader::parse(&octets)) else {
                return Step::NeedMore;
            };
            self.state = State::Pcap(header);
            return Step::Again;
        }
        let Some(start) = self.pieces.peek(LOOK_LEN) else { return Step::NeedMore };
        let looks_like = looks_like(start);
        self.state = State::Over;
        Step::Found(Err(CaptureFault::NotACapture { looks_like }))
    }

    fn step_pcapng(&mut self) -> Step {
        let Some(&head) = self.pieces.peek(8).and_then(<[u8]>::first_chunk::<8>) else {
            return Step::NeedMore;
        };
        let is_section = head.starts_with(&SECTION_HEADER.to_be_bytes());
        if is_section {
            let Some(start) = self.pieces.peek(12) else { return Step::NeedMore };
            match start.get(8..).and_then(ByteOrder::of_magic) {
                Some(order) => self.order = order,
                None => return self.lose("a section header without its byte-order magic"),
            }
        }
        let order = self.order;
        let (Some(kind), Some(len)) = (order.u32(&head, 0), order.len(&head, 4)) else {
            return Step::NeedMore;
        };
        if !(MIN_BLOCK_LEN..=MAX_BLOCK_LEN).contains(&len) || (is_section && len < 28) {
            return self.lose(&format!("a block of type {kind} says it is {len} octets long"));
        }
        let Some(octets) = self.pieces.peek(len) else { return Step::NeedMore };
        let trailing = octets.len().checked_sub(4).and_then(|at| order.len(octets, at));
        if trailing != Some(len) {
            let trailing = trailing.unwrap_or_default();
            return self.lose(&format!(
                "a block of type {kind} says it is {len} octets long at its start, {trailing} at its end"
            ));
        }
        let offset = self.pieces.offset();
        let Some(body) = self.pieces.take_part(len, 8..len.saturating_sub(4)) else {
            return Step::NeedMore;
        };
        Step::Found(Ok(Block { offset, order, kind: BlockKind::Pcapng(kind), body }))
    }

    fn step_pcap(&mut self, header: PcapHeader) -> Step {
        let Some(head) = self.pieces.peek(PCAP_RECORD_LEN) else { return Step::NeedMore };
        let captured_len = header.order.len(head, 8).unwrap_or(usize::MAX);
        let offset = self.pieces.offset();
        if captured_len > MAX_BLOCK_LEN {
            self.state = State::Over;
            let reason =
                format!("a packet says it is {captured_len} octets long; the rest is left out");
            return Step::Found(Err(CaptureFault::Damaged { offset, reason }));
        }
        let Some(body) = self.pieces.take(PCAP_RECORD_LEN.saturating_add(captured_len)) else {
            return Step::NeedMore;
        };
        Step::Found(Ok(Block { offset, order: header.order, kind: BlockKind::Pcap(header), body }))
    }

    fn lose(&mut self, reason: &str) -> Step {
        let offset = self.pieces.offset();
        self.state = State::Lost { from: offset };
        self.pieces.skip_one();
        Step::Found(Err(CaptureFault::Damaged { offset, reason: reason.to_owned() }))
    }

    /// Goes forward octet by octet to the next thing that is a block beyond doubt.
    fn step_lost(&mut self, from: u64) -> Step {
        let Some(&head) = self.pieces.peek(MIN_BLOCK_LEN).and_then(<[u8]>::first_chunk::<12>)
        else {
            return Step::NeedMore;
        };
        if let Some((order, len)) = plausible_block(self.order, &head) {
            match self.pieces.peek(len) {
                Some(octets) if holds_together(order, octets) => {
                    self.order = order;
                    self.state = State::Pcapng;
                    let len = self.pieces.offset().saturating_sub(from);
                    return Step::Found(Err(CaptureFault::Skipped { offset: from, len }));
                }
                None if !self.is_finished => return Step::NeedMore,
                _ => {}
            }
        }
        self.pieces.skip_one();
        Step::Again
    }

    /// What is left when no more octets will come.
    fn tail(&mut self) -> Option<CaptureFault> {
        let (offset, len) = (self.pieces.offset(), self.pieces.len() as u64);
        let fault = match self.state {
            State::Over => None,
            State::Lost { from } => Some(CaptureFault::Skipped {
                offset: from,
                len: offset.saturating_sub(from).saturating_add(len),
            }),
            State::Unknown => Some(self.tail_unknown(len)),
            State::Pcapng | State::Pcap(_) if len == 0 => None,
            State::Pcapng | State::Pcap(_) => Some(CaptureFault::CutTail { offset, len }),
        };
        self.state = State::Over;
        fault
    }

    fn tail_unknown(&mut self, len: u64) -> CaptureFault {
        let start = self.pieces.take(self.pieces.len()).unwrap_or_default();
        let magics = [
            SECTION_HEADER.to_be_bytes(),
            0xA1B2_C3D4u32.to_le_bytes(),
            0xA1B2_C3D4u32.to_be_bytes(),
            0xA1B2_3C4Du32.to_le_bytes(),
            0xA1B2_3C4Du32.to_be_bytes(),
        ];
        let begun = |magic: &[u8; 4]| start.starts_with(magic) || magic.starts_with(&start);
        if !start.is_empty() && magics.iter().any(begun) {
            return CaptureFault::CutTail { offset: 0, len };
        }
        CaptureFault::NotACapture { looks_like: looks_like(&start) }
    }
}

enum Step {
    Again,
    Found(Result<Block, CaptureFault>),
    NeedMore,
}

/// The longest block that is believed while looking for one.
const MAX_PLAUSIBLE_LEN: usize = 1 << 20;

fn plausible_block(order: ByteOrder, head: &[u8; 12]) -> Option<(ByteOrder, usize)> {
    let order = if head.starts_with(&SECTION_HEADER.to_be_bytes()) {
        ByteOrder::of_magic(head.get(8..)?)?
    } else {
        order
    };
    let known = matches!(order.u32(head, 0)?, SECTION_HEADER | 1..=6);
    let len = order.len(head, 4)?;
    let plausible = len % 4 == 0 && (MIN_BLOCK_LEN..=MAX_PLAUSIBLE_LEN).contains(&len);
    (known && plausible).then_some((order, len))
}

fn holds_together(order: ByteOrder, octets: &[u8]) -> bool {
    let ends = octets.len().checked_sub(4);
    let same_len = ends.and_then(|at| order.len(octets, at)) == Some(octets.len());
    let is_packet = order.u32(octets, 0) == Some(ENHANCED_PACKET);
    let body = ends.and_then(|end| octets.get(8..end)).unwrap_or_default();
    same_len && (!is_packet || PacketPlace::find(order, ENHANCED_PACKET, body, 0).is_some())
}

/// Starts that are tried at most: a payload may be full of them.
const MOST_STARTS: usize = 64;

/// Where in what is left of a file, behind its first octet, blocks begin that reach to its end: whole ones,
/// the last of which may be cut. Octets of a payload that look like a block do not.
fn next_blocks(order: ByteOrder, rest: &[u8]) -> Option<usize> {
    let whole = |order, at: usize| {
        let rest = rest.get(at..)?;
        let (order, len) = plausible_block(order, rest.first_chunk()?)?;
        let octets = rest.get(..len)?;
        holds_together(order, octets).then_some((order, at.saturating_add(len)))
    };
    let is_cut = |order, at: usize| {
        let Some(head) = rest.get(at..).and_then(<[u8]>::first_chunk) else { return true };
        plausible_block(order, head).is_some_and(|(_, len)| rest.len().saturating_sub(at) < len)
    };
    let starts = (1..rest.len()).filter_map(|at| Some((at, whole(order, at)?))).take(MOST_STARTS);
    for (start, (mut order, mut at)) in starts {
        while let Some(next) = whole(order, at) {
            (order, at) = next;
        }
        if is_cut(order, at) {
            return Some(start);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::*;

    fn all(octets: &[u8]) -> Vec<Result<(u64, usize), CaptureFault>> {
        let mut blocks = Blocks::default();
        blocks.push(Bytes::copy_from_slice(octets));
        blocks.finish();
        std::iter::from_fn(|| blocks.next())
            .map(|found| found.map(|block| (block.offset, block.body.len())))
            .collect()
    }

    fn preamble() -> Vec<u8> {
        let mut out = Vec::new();
        crate::capture::block::write_preamble(None, &mut out);
        out
    }

    /// A block of type 5 with a body of `len` octets.
    fn statistics(len: usize) -> Vec<u8> {
        let total = u32::try_from(len + 12).unwrap().to_le_bytes();
        [&5u32.to_le_bytes()[..], &total, &vec![0xEE; len], &total].concat()
    }

    #[test]
    fn a_cut_tail_is_told_with_its_place_wherever_it_is_cut() {
        let mut file = preamble();
        let whole = file.len() as u64;
        file.extend(statistics(8));
        for cut in 1..20 {
            let found = all(&file[..file.len() - cut]);
            let len = 20 - cut as u64;
            assert_eq!(found.last(), Some(&Err(CaptureFault::CutTail { offset: whole, len })));
            assert_eq!(found.len(), 4);
        }
        for len in 1..preamble().len() {
            assert!(matches!(
                all(&file[..len]).last(),
                Some(Err(CaptureFault::CutTail { .. }) | Ok(_))
            ));
        }
        assert_eq!(all(&hex!("d4c3b2a1 0200")), [Err(CaptureFault::CutTail { offset: 0, len: 6 })]);
    }

    #[test]
    fn after_damage_reading_goes_on_at_the_next_whole_block() {
        let start = preamble();
        let at = start.len();
        let damaged: [(&str, Vec<u8>); 5] = [
            ("zeros", vec![0; 40]),
            ("a length beyond all measure", [&statistics(8)[..4], &[0xFF; 16][..]].concat()),
            (
                "a length that differs at the end",
                [&statistics(8)[..16], &[9, 0, 0, 0][..]].concat(),
            ),
            ("some octets lost", statistics(8)[3..].to_vec()),
            ("a length too short", hex!("05000000 08000000 08000000").to_vec()),
        ];
        for (name, damage) in damaged {
            let file = [&start[..], &damage, &statistics(4), &statistics(8)].concat();
            let found = all(&file);
            let (offset, len) = (at as u64, damage.len() as u64);
            let again = offset + len;
            assert!(
                matches!(&found[3], Err(CaptureFault::Damaged { offset: here, .. }) if *here == offset),
                "{name}"
            );
            assert_eq!(
                found[4..],
                [Err(CaptureFault::Skipped { offset, len }), Ok((again, 4)), Ok((again + 16, 8))],
                "{name}"
            );
        }
    }

    #[test]
    fn a_length_beyond_the_end_of_the_file_hides_none_of_the_whole_blocks_behind_it() {
        let start = preamble();
        let offset = start.len() as u64;
        for bit in 6..23 {
            let mut damaged = statistics(8);
            damaged[4 + bit / 8] ^= 1 << (bit % 8);
            let file = [&start[..], &damaged, &statistics(4), &statistics(40)].concat();
            let found = all(&file);
            assert!(
                matches!(&found[3], Err(CaptureFault::Damaged { offset: at, .. }) if *at == offset)
            );
            assert_eq!(
                found[4..],
                [
                    Err(CaptureFault::Skipped { offset, len: 20 }),
                    Ok((offset + 20, 4)),
                    Ok((offset + 36, 40))
                ],
                "bit {bit}"
            );
            // What is cut behind it is told too.
            let found = all(&file[..file.len() - 1]);
            let (offset, len) = (offset + 36, 51);
            assert_eq!(
                found.last(),
                Some(&Err(CaptureFault::CutTail { offset, len })),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn what_looks_like_blocks_within_a_packet_that_is_cut_is_none() {
        let start = preamble();
        let offset = start.len() as u64;
        let within = [statistics(0), statistics(8), vec![b'y'; 200], preamble(), vec![b'z'; 30]];
        let mut packet = statistics(within.concat().len());
        packet[8..8 + within.concat().len()].copy_from_slice(&within.concat());
        let file = [start, packet].concat();
        for cut in [1, 4, 10, 20] {
            let file = &file[..file.len() - cut];
            let len = file.len() as u64 - offset;
            assert_eq!(all(file)[3..], [Err(CaptureFault::CutTail { offset, len })], "{cut}");
        }
    }

    #[test]
    fn damage_to_the_very_end_is_told() {
        let file = [&preamble()[..], &[0; 100]].concat();
        let found = all(&file);
        let offset = preamble().len() as u64;
        assert_eq!(found[4..], [Err(CaptureFault::Skipped { offset, len: 100 })]);
    }

    #[test]
    fn classic_pcap_opens_with_all_four_magics() {
        for (magic, order, nanoseconds) in [
            (hex!("d4c3b2a1"), ByteOrder::Little, false),
            (hex!("a1b2c3d4"), ByteOrder::Big, false),
            (hex!("4d3cb2a1"), ByteOrder::Little, true),
            (hex!("a1b23c4d"), ByteOrder::Big, true),
        ] {
            let word = |number: u32| match order {
                ByteOrder::Little => number.to_le_bytes(),
                ByteOrder::Big => number.to_be_bytes(),
            };
            let head = [magic, word(0), word(0), word(0), word(65_535), word(0xF000_0001)].concat();
            let record = [word(7), word(5), word(3), word(9)].concat();
            let mut blocks = Blocks::default();
            blocks.push([head, record, vec![1, 2, 3]].concat().into());
            let block = blocks.next().unwrap().unwrap();
            let header = PcapHeader { order, nanoseconds, link_type: 1 };
            assert_eq!((block.kind, block.offset), (BlockKind::Pcap(header), 24));
            let place = header.packet(&block.body).unwrap();
            let fraction = if nanoseconds { 5 } else { 5000 };
            assert_eq!(place.ticks, Some(7_000_000_000 + fraction));
            assert_eq!((place.octets(&block.body), place.original_len), (&[1, 2, 3][..], 9));
            assert!(blocks.next().is_none());
        }
    }

    #[test]
    fn a_pcap_record_of_absurd_length_ends_the_reading() {
        let head = hex!("d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000");
        let record = hex!("00000000 00000000 ffffff7f ffffff7f 01020304");
        let found = all(&[&head[..], &record].concat());
        assert!(matches!(found[..], [Err(CaptureFault::Damaged { offset: 24, .. })]), "{found:?}");
    }
}
