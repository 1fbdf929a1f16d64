//! Finding the frames of a lane again behind octets that are missing.
//!
//! Nothing marks where a frame begins; but a header says where the next one is, and most octets make no
//! header that a peer would send. Every octet is taken for the first of a header; what fits is followed
//! to the header behind it, and so on. Wrong chains break soon. A chain that has held for so long that
//! chance does not explain it is right.
//!
//! What is found does not depend on how the octets were read.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use crate::frame::{FrameHeader, MaskingKey, Opcode};
use crate::message::utf8::is_utf8;

/// A chain is believed once what speaks for it weighs so much, in bits: it would come about by chance
/// once in 2^40 octets.
const BELIEVED: u32 = 40;
/// What a header weighs: of 32 that chance makes, one is such as peers send.
const HEADER_WEIGHS: u32 = 5;
/// What the text of a masked frame weighs at most: with a wrong key, each octet is UTF-8 by half.
const TEXT_WEIGHS: usize = 32;
/// A payload longer than this is not believed in.
const MAX_LEN: u64 = 1 << 32;
/// Octets by which a frame is told from the one before it.
const PRINT_LEN: usize = 32;
/// Chains that are followed at once.
const MAX_CHAINS: usize = 256;

/// Looks for the frames of one lane.
#[derive(Debug)]
pub struct FrameSeeker {
    masked: bool,
    may_set_rsv1: bool,
    /// Octets that are kept.
    limit: usize,
    /// The newest octets.
    kept: Vec<u8>,
    /// The lane offset of the first of them.
    start: u64,
    /// How many of them were taken for the beginning of a header.
    tried: usize,
    /// By the lane offset of the header that is due.
    chains: BTreeMap<u64, Chain>,
    hashes: RandomState,
}

/// Headers, each at the end of the frame before it.
#[derive(Debug, Clone, Copy, Default)]
struct Chain {
    /// Where it begins: at its second header, unless text speaks for the first, for chance makes one
    /// that leads to a right one now and then.
    first: u64,
    headers: u32,
    weight: u32,
    /// A message was begun and not ended; unknown before the first data frame.
    within_message: Option<bool>,
    closed: bool,
    last: Link,
    /// Of how the frame before the last begins.
    print: u64,
}

/// A frame of a chain.
#[derive(Debug, Clone, Copy, Default)]
struct Link {
    offset: u64,
    header_len: u64,
    masking_key: Option<MaskingKey>,
    is_empty: bool,
    is_text: bool,
}

impl FrameSeeker {
    /// For a lane whose frames are `masked`, and where RSV1 may be set or not, from the lane offset
    /// `start` on. Up to `limit` octets are kept, of the last that came: at least 64.
    pub fn new(start: u64, masked: bool, may_set_rsv1: bool, limit: usize) -> Self {
        let (kept, chains, hashes) = (Vec::new(), BTreeMap::new(), RandomState::new());
        let limit = limit.max(64);
        Self { masked, may_set_rsv1, limit, kept, start, tried: 0, chains, hashes }
    }

    /// Takes in the next octets of the lane. Once frames are found: the lane offset of the first of
    /// them that is kept, or is yet to come. Then it is not to be called again.
    pub fn receive(&mut self, mut octets: &[u8]) -> Option<u64> {
        loop {
            let room = self.limit.saturating_sub(self.kept.len());
            let (part, rest) = octets.split_at(room.min(octets.len()));
            self.kept.extend_from_slice(part);
            octets = rest;
            if let Some(found) = self.look() {
                self.kept.extend_from_slice(rest);
                return Some(found);
            }
            if self.kept.len() < self.limit {
                return None;
            }
            self.forget();
        }
    }

    /// What is kept of the lane from this offset on.
    pub fn kept_from(&self, offset: u64) -> &[u8] {
        let behind = offset.checked_sub(self.start).and_then(|behind| usize::try_from(behind).ok());
        behind.and_then(|behind| self.kept.get(behind..)).unwrap_or_default()
    }

    /// The lane offset of the first octet that is kept.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// The lane offset of the next octet.
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.kept.len() as u64)
    }

    fn look(&mut self) -> Option<u64> {
        while let Some(octets) = self.kept.get(self.tried..).filter(|octets| octets.len() >= 2) {
            let offset = self.start.saturating_add(self.tried as u64);
            if may_begin_header(octets, self.masked) {
                // Cut off: the rest is to come.
                let (header, _) = FrameHeader::parse(octets)?;
                let due = self.chains.remove(&offset);
                let chain = self.follow(offset, &header, due);
                if let Some(chain) = chain.filter(|chain| chain.weight >= BELIEVED) {
                    return Some(chain.first);
                }
            } else {
                self.chains.remove(&offset);
            }
            self.tried = self.tried.saturating_add(1);
        }
        None
    }

    /// There is a header at `offset`: it goes on with the chain in which it was due, or begins one. The
    /// chain that it is in.
    fn follow(&mut self, offset: u64, header: &FrameHeader, due: Option<Chain>) -> Option<Chain> {
        // What does not fit where it was due may still be the first of another.
        let goes_on = due.and_then(|chain| self.fits(header, self.weighed(chain, offset)?));
        let mut chain = goes_on.or_else(|| self.fits(header, Chain::at(offset)))?;
        let header_len = u64::from(header.encoded_len());
        chain.last = Link {
            offset,
            header_len,
            masking_key: header.masking_key,
            is_empty: header.payload_len.value == 0,
            is_text: header.opcode == Opcode::Text && header.fin && header.rsv.bits() == 0,
        };
        let next = offset.saturating_add(header_len).saturating_add(header.payload_len.value);
        let has_room = self.chains.len() < MAX_CHAINS || chain.headers > 1;
        if has_room && self.chains.get(&next).is_none_or(|other| other.weight < chain.weight) {
            self.chains.insert(next, chain);
        }
        Some(chain)
    }

    /// The chain with what its last frame weighs, which ends before `end`; `None` where that is to be
    /// text, and is none.
    fn weighed(&self, mut chain: Chain, end: u64) -> Option<Chain> {
        let Link { offset, header_len, masking_key, is_empty, is_text } = chain.last;
        let len = usize::try_from(end.saturating_sub(offset)).ok()?;
        let mut text_weighs = 0;
        let mut is_another = !is_empty;
        // Of a long frame the beginning may be forgotten.
        if let Some(frame) = self.kept_from(offset).get(..len) {
            // Octets that repeat themselves repeat a chance.
            let print = self.hashes.hash_one(frame.get(..PRINT_LEN).unwrap_or(frame));
            is_another &= std::mem::replace(&mut chain.print, print) != print;
            if is_text {
                let octets = frame.get(usize::try_from(header_len).ok()?..)?;
                let mut plain = Vec::new();
                let text = masking_key.map_or(octets, |key| key.apply_to(0, octets, &mut plain));
                if !is_utf8(text) {
                    return None;
                }
                // Where nothing is masked, a part of a text is as good as all of it.
                text_weighs = if masking_key.is_some() { text.len().min(TEXT_WEIGHS) } else { 0 };
            }
        }
        if is_another {
            let weighs = HEADER_WEIGHS.saturating_add(u32::try_from(text_weighs).ok()?);
            chain.weight = chain.weight.saturating_add(weighs);
        }
        if chain.headers == 1 && text_weighs < TEXT_WEIGHS / 2 {
            chain.first = end;
        }
        Some(chain)
    }

    /// The chain with this header behind it, if a peer would send it there.
    fn fits(&self, header: &FrameHeader, chain: Chain) -> Option<Chain> {
        let FrameHeader { fin, rsv, opcode, masking_key, payload_len } = *header;
        let is_data = matches!(opcode, Opcode::Text | Opcode::Binary);
        let within_message = match opcode {
            _ if is_data && chain.within_message != Some(true) => Some(!fin),
            Opcode::Continuation if chain.within_message != Some(false) => Some(!fin),
            Opcode::Ping | Opcode::Pong | Opcode::Close if fin && payload_len.value <= 125 => {
                chain.within_message
            }
            _ => return None,
        };
        let rsv_is_usual = match rsv.bits() {
            0 => true,
            0b100 => self.may_set_rsv1 && is_data,
            _ => false,
        };
        let len = payload_len.value;
        // Zeros would be endless empty fragments.
        let len_is_usual = len <= MAX_LEN
            && payload_len.is_minimal()
            && (len > 0 || fin)
            && (len != 1 || opcode != Opcode::Close);
        // Behind a Close no data follows, nor another (RFC 6455 §5.5.1).
        let may_follow = !chain.closed || matches!(opcode, Opcode::Ping | Opcode::Pong);
        let is_usual =
            masking_key.is_some() == self.masked && rsv_is_usual && len_is_usual && may_follow;
        let headers = chain.headers.saturating_add(1);
        let closed = chain.closed || opcode == Opcode::Close;
        is_usual.then_some(Chain { headers, within_message, closed, ..chain })
    }

    /// Keeps half of what it may. Chains that began before begin with what is due next.
    fn forget(&mut self) {
        let dropped = self.kept.len().saturating_sub(self.limit / 2).min(self.tried);
        self.kept.drain(..dropped);
        self.tried = self.tried.saturating_sub(dropped);
        self.start = self.start.saturating_add(dropped as u64);
        for (due, chain) in &mut self.chains {
            if chain.first < self.start {
                chain.first = *due;
            }
        }
    }
}

/// What most octets are not: the first two of a header that a peer would send.
fn may_begin_header(octets: &[u8], masked: bool) -> bool {
    let [first, second, ..] = octets else { return false };
    (second & 0x80 != 0) == masked
        && first & 0x30 == 0
        && matches!(first & 0x0F, 0..=2 | 8..=10)
        // A control frame is never fragmented (RFC 6455 §5.5).
        && (first & 0x08 == 0 || first & 0x80 != 0)
}

impl Chain {
    /// One that begins here.
    fn at(offset: u64) -> Self {
        Self { first: offset, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::*;
    use crate::frame::{FrameDecoder, PayloadLength, Rsv};

    const LIMIT: usize = 1 << 20;

    /// Octets without a pattern (xorshift).
    fn noise(seed: u64, len: usize) -> Vec<u8> {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut octets = Vec::new();
        while octets.len() < len {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            octets.extend_from_slice(&state.to_le_bytes());
        }
        octets.truncate(len);
        octets
    }

    /// Frames as one peer sends them, and the lane offsets of their headers.
    fn frames(masked: bool, texts: bool, count: u64) -> (Vec<u8>, Vec<u64>) {
        let (mut octets, mut starts) = (Vec::new(), Vec::new());
        for at in 0..count {
            let len = usize::from(noise(at + 1, 1)[0]) + if at % 7 == 0 { 400 } else { 3 };
            let payload = if texts {
                let text = format!("{{\"number\":{at},\"said\":\"{}\"}}", "дa ".repeat(len / 5));
                text.into_bytes()
            } else {
                noise(at + 1000, len)
            };
            let (fin, opcode) = match (at % 9, texts) {
                (3, _) => (true, Opcode::Ping),
                (5, false) => (false, Opcode::Binary),
                (6, false) => (true, Opcode::Continuation),
                (_, true) => (true, Opcode::Text),
                (_, false) => (true, Opcode::Binary),
            };
            let payload = if opcode == Opcode::Ping { &payload[..3] } else { &payload };
            let key: [u8; 4] = noise(at + 7, 4).try_into().unwrap();
            let key = masked.then_some(MaskingKey(key));
            let header = FrameHeader {
                fin,
                rsv: Rsv::NONE,
                opcode,
                masking_key: key,
                payload_len: PayloadLength::minimal(payload.len() as u64),
            };
            starts.push(octets.len() as u64);
            header.encode(&mut octets);
            match key {
                Some(key) => key.apply_into(0, payload, &mut octets),
                None => octets.extend_from_slice(payload),
            }
        }
        (octets, starts)
    }

    /// Seeks in reads of `step` octets.
    fn seek(octets: &[u8], masked: bool, step: usize, limit: usize) -> Option<u64> {
        let mut seeker = FrameSeeker::new(0, masked, false, limit);
        octets.chunks(step).find_map(|read| seeker.receive(read))
    }

    #[test]
    fn frames_are_found_wherever_a_lane_is_cut() {
        for (masked, texts) in [(true, true), (true, false), (false, true), (false, false)] {
            let (octets, starts) = frames(masked, texts, 40);
            for cut in 0..1_500 {
                let found = seek(&octets[cut..], masked, usize::MAX, LIMIT);
                let found = cut as u64 + found.expect("forty frames are enough");
                assert!(starts.contains(&found), "masked {masked}, texts {texts}, cut {cut}");
                let passed = starts.iter().filter(|at| **at >= cut as u64 && **at < found).count();
                assert!(passed <= 2, "masked {masked}, texts {texts}, cut {cut}: {passed}");
            }
        }
    }

    #[test]
    fn pongs_may_follow_a_close_and_data_may_not() {
        let close = hex!("82 02 0102 82 02 0103 88 02 03e8");
        let behind = |opcode: u8| (0..12).flat_map(|at| [opcode, 1, at]).collect::<Vec<u8>>();
        let pongs = [&close[..], &behind(0x8a)].concat();
        assert_eq!(seek(&pongs, false, usize::MAX, LIMIT), Some(4), "the second frame");
        let data = [&close[..], &behind(0x82)].concat();
        let found = seek(&data, false, usize::MAX, LIMIT);
        assert!(found.is_some_and(|found| found >= close.len() as u64), "{found:?}");
    }

    #[test]
    fn what_is_found_does_not_depend_on_the_reads() {
        for masked in [true, false] {
            let (octets, _) = frames(masked, false, 40);
            for cut in [1, 50, 333] {
                let whole = seek(&octets[cut..], masked, usize::MAX, LIMIT);
                for step in [1, 2, 13, 1000] {
                    assert_eq!(seek(&octets[cut..], masked, step, LIMIT), whole);
                }
            }
        }
    }

    #[test]
    fn nothing_is_found_where_there_is_nothing() {
        let text = "Съешь ещё этих мягких французских булок, да выпей чаю. ".repeat(20_000);
        let lanes = [noise(1, 4 << 20), vec![0; 1 << 20], vec![0x81; 1 << 20], text.into_bytes()];
        for (at, octets) in lanes.iter().enumerate() {
            for masked in [true, false] {
                assert_eq!(seek(octets, masked, 4096, LIMIT), None, "lane {at}, masked {masked}");
            }
        }
    }

    #[test]
    fn what_is_kept_is_bounded_and_frames_longer_than_that_are_found_all_the_same() {
        let mut octets = Vec::new();
        let mut starts = Vec::new();
        for at in 0..12 {
            let payload = noise(at, 10_000);
            let payload_len = PayloadLength::minimal(payload.len() as u64);
            let (fin, rsv, opcode) = (true, Rsv::NONE, Opcode::Binary);
            starts.push(octets.len() as u64);
            FrameHeader { fin, rsv, opcode, masking_key: None, payload_len }.encode(&mut octets);
            octets.extend_from_slice(&payload);
        }
        let mut seeker = FrameSeeker::new(0, false, false, 1000);
        let mut end = 0;
        let found = octets[5000..].chunks(100).find_map(|read| {
            let found = seeker.receive(read);
            end += read.len();
            assert!(found.is_some() || seeker.kept.len() < 1000);
            found
        });
        let found = found.unwrap();
        assert!(starts.contains(&(found + 5000)));
        assert_eq!(seeker.end(), end as u64);
        let kept = seeker.kept_from(found);
        assert_eq!(kept, &octets[usize::try_from(found).unwrap() + 5000..5000 + end]);
        let mut decoder = FrameDecoder::new(0);
        assert!(decoder.next_part(&mut &kept[..]).is_some());
    }
}
