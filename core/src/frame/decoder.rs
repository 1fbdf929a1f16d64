//! Frame decoder: octets in, parts of frames out; resumable at every octet.
//!
//! ```text
//!            ┌──────────── a whole header ────────────┐
//!            │                                        ▼
//!  ┌──────────────┐     End, at once if empty   ┌─────────────┐
//!  │    header    │ ◄────────────────────────── │   payload   │ ─┐ Payload
//!  └──────────────┘                             └─────────────┘ ◄┘
//!            │ a length of 2^63 or more
//!            ▼
//!  ┌──────────────┐
//!  │     lost     │  says nothing more; the octets are still counted
//!  └──────────────┘
//! ```

use crate::frame::header::MAX_HEADER_LEN;
use crate::frame::{FrameHeader, FramePosition, MaskingKey};

/// A part of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FramePart<'a> {
    /// A whole header. `offset` is where its first octet lies in the lane.
    Header {
        /// Every bit of it.
        header: FrameHeader,
        /// Lane offset of its first octet.
        offset: u64,
    },
    /// Some octets of the payload, still masked if the frame is.
    Payload {
        /// The octets as on the wire, never empty.
        octets: &'a [u8],
        /// Payload position of the first of them.
        position: u64,
        /// The key to unmask them with, where the frame is masked.
        masking_key: Option<MaskingKey>,
    },
    /// The frame is whole. Follows its last payload octet, or its header where there is no payload.
    End,
    /// The lane cannot be followed any further: this header's length is 2^63 octets or more.
    Lost,
}

/// A frame that lies in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WholeFrame<'a> {
    /// Every bit of its header.
    pub header: FrameHeader,
    /// Lane offset of its first octet.
    pub offset: u64,
    /// Its payload as on the wire, still masked if the frame is.
    pub payload: &'a [u8],
}

/// Takes one lane's frames apart. Never fails, never buffers more than one header.
#[derive(Debug, Clone)]
pub struct FrameDecoder {
    state: State,
    /// Lane offset of the next octet to be taken in.
    offset: u64,
    /// A header of which octets are missing.
    partial: [u8; MAX_HEADER_LEN],
    partial_len: u8,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Header,
    Payload { position: u64, len: u64, masking_key: Option<MaskingKey> },
    Losing,
    Lost,
}

impl FrameDecoder {
    /// Starts at lane offset `offset`: just behind the opening handshake's head.
    pub const fn new(offset: u64) -> Self {
        Self { state: State::Header, offset, partial: [0; MAX_HEADER_LEN], partial_len: 0 }
    }

    /// Goes on at lane offset `offset` in the middle: what is left of a frame in progress is taken for
    /// the payload of one whose header was told.
    pub fn resume(offset: u64, position: &FramePosition) -> Self {
        let mut decoder = Self::new(offset);
        if position.rest > 0 {
            decoder.state = State::Payload { position: 0, len: position.rest, masking_key: None };
        } else if FrameHeader::parse(&position.header).is_none() {
            for (place, octet) in decoder.partial.iter_mut().zip(&position.header) {
                *place = *octet;
                decoder.partial_len = decoder.partial_len.saturating_add(1);
            }
        }
        decoder
    }

    /// Takes octets from the front of `input` and says what part they make, or `None` when `input`
    /// is used up. Call it until it says `None`; every octet given is then taken in.
    #[inline]
    pub fn next_part<'a>(&mut self, input: &mut &'a [u8]) -> Option<FramePart<'a>> {
        match self.state {
            State::Header => self.next_header(input),
            State::Payload { position, len, .. } if position == len => {
                self.state = State::Header;
                Some(FramePart::End)
            }
            State::Payload { position, len, masking_key } => {
                let missing = usize::try_from(len.saturating_sub(position)).unwrap_or(usize::MAX);
                let (octets, rest) = input.split_at(missing.min(input.len()));
                if octets.is_empty() {
                    return None;
                }
                *input = rest;
                self.advance(octets.len());
                let position_after = position.saturating_add(octets.len() as u64);
                self.state = State::Payload { position: position_after, len, masking_key };
                Some(FramePart::Payload { octets, position, masking_key })
            }
            State::Losing => {
                self.state = State::Lost;
                Some(FramePart::Lost)
            }
            State::Lost => {
                self.advance(input.len());
                *input = &[];
                None
            }
        }
    }

    /// Takes the next frame at once, where `input` begins with one and holds all of it; else changes
    /// nothing. It is what [`FrameDecoder::next_part`] says in three steps, and several times as fast.
    #[inline]
    pub fn next_whole<'a>(&mut self, input: &mut &'a [u8]) -> Option<WholeFrame<'a>> {
        if !self.is_between_frames() {
            return None;
        }
        let (header, header_len) = FrameHeader::parse(input)?;
        let payload_len = usize::try_from(header.payload_len.value).ok()?;
        let (payload, rest) = input.get(header_len..)?.split_at_checked(payload_len)?;
        let offset = self.offset;
        self.advance(input.len().saturating_sub(rest.len()));
        *input = rest;
        Some(WholeFrame { header, offset, payload })
    }

    /// Lane offset of the next octet.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the lane stands between two frames.
    pub const fn is_between_frames(&self) -> bool {
        matches!(self.state, State::Header) && self.partial_len == 0
    }

    /// Whether nobody can tell any more where frames begin.
    pub const fn is_lost(&self) -> bool {
        matches!(self.state, State::Losing | State::Lost)
    }

    /// Octets of the payload in progress that are still to come.
    pub const fn rest(&self) -> u64 {
        match self.state {
            State::Payload { position, len, .. } => len.saturating_sub(position),
            State::Header | State::Losing | State::Lost => 0,
        }
    }

    /// The octets of a header that is not whole yet: 0–13.
    pub fn partial_header(&self) -> &[u8] {
        self.partial.get(..usize::from(self.partial_len)).unwrap_or_default()
    }

    fn next_header<'a>(&mut self, input: &mut &'a [u8]) -> Option<FramePart<'a>> {
        if input.is_empty() {
            return None;
        }
        if self.partial_len == 0
            && let Some((header, len)) = FrameHeader::parse(input)
        {
            *input = input.get(len..).unwrap_or_default();
            return Some(self.begin(header, len, len));
        }
        // Octet by octet: a header is at most 14 octets, and this path is taken once a read.
        while let Some((&octet, rest)) = input.split_first() {
            let place = self.partial.get_mut(usize::from(self.partial_len))?;
            *place = octet;
            *input = rest;
            self.partial_len = self.partial_len.saturating_add(1);
            self.advance(1);
            if let Some((header, len)) = FrameHeader::parse(self.partial_header()) {
                self.partial_len = 0;
                return Some(self.begin(header, 0, len));
            }
        }
        None
    }

    /// Enters the payload of a header of which `taken` octets were just taken.
    fn begin(&mut self, header: FrameHeader, taken: usize, len: usize) -> FramePart<'static> {
        self.advance(taken);
        self.state = if header.payload_len.is_forbidden() {
            State::Losing
        } else {
            State::Payload {
                position: 0,
                len: header.payload_len.value,
                masking_key: header.masking_key,
            }
        };
        FramePart::Header { header, offset: self.offset.saturating_sub(len as u64) }
    }

    fn advance(&mut self, octets: usize) {
        self.offset = self.offset.saturating_add(octets as u64);
    }
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;
    use proptest::prelude::*;

    use super::*;
    use crate::frame::Opcode;

    /// A frame as (lane offset, header, wire payload), with `None` for a payload that did not end.
    type Seen = (u64, FrameHeader, Vec<u8>, bool);

    fn decode(chunks: &[&[u8]]) -> (Vec<Seen>, bool) {
        let mut decoder = FrameDecoder::new(0);
        let (mut seen, mut lost): (Vec<Seen>, bool) = (Vec::new(), false);
        for mut chunk in chunks.iter().copied() {
            while let Some(part) = decoder.next_part(&mut chunk) {
                match part {
                    FramePart::Header { header, offset } => {
                        seen.push((offset, header, Vec::new(), false));
                    }
                    FramePart::Payload { octets, position, .. } => {
                        let frame = seen.last_mut().unwrap();
                        assert_eq!(position, frame.2.len() as u64);
                        frame.2.extend_from_slice(octets);
                    }
                    FramePart::End => seen.last_mut().unwrap().3 = true,
                    FramePart::Lost => lost = true,
                }
            }
            assert!(chunk.is_empty(), "every octet is taken in");
        }
        let total: usize = chunks.iter().map(|chunk| chunk.len()).sum();
        assert_eq!(decoder.offset(), total as u64);
        (seen, lost)
    }

    #[test]
    fn frames_back_to_back_are_told_apart() {
        let octets = hex!("81 05 48656c6c6f  89 00  82 83 01020304 ffffff");
        let (seen, lost) = decode(&[&octets]);
        let told: Vec<_> =
            seen.iter().map(|(at, h, p, end)| (*at, h.opcode, p.len(), *end)).collect();
        assert_eq!(
            told,
            [(0, Opcode::Text, 5, true), (7, Opcode::Ping, 0, true), (9, Opcode::Binary, 3, true)]
        );
        assert!(!lost);
    }

    #[test]
    fn an_empty_frame_ends_with_its_header_octet() {
        let mut decoder = FrameDecoder::new(100);
        let mut input = &hex!("8a 00")[..];
        assert!(matches!(
            decoder.next_part(&mut input),
            Some(FramePart::Header { offset: 100, .. })
        ));
        assert_eq!(decoder.next_part(&mut input), Some(FramePart::End));
        assert_eq!(decoder.next_part(&mut input), None);
        assert!(decoder.is_between_frames());
    }

    #[test]
    fn a_length_of_2_to_the_63_ends_the_lane_once() {
        let octets = hex!("81 01 41  82 7f 8000000000000000 aabbcc 81 00");
        let (seen, lost) = decode(&[&octets[..9], &octets[9..]]);
        assert_eq!(seen.len(), 2);
        assert!(lost);
        assert!(!seen[1].3);
    }

    /// Noise, and short frames back to back, some cut.
    fn octets() -> impl Strategy<Value = Vec<u8>> {
        let frame = (any::<u8>(), any::<bool>(), prop::collection::vec(any::<u8>(), 0..9));
        let frames = prop::collection::vec(frame, 0..12).prop_map(|frames| {
            let mut octets = Vec::new();
            for (first, masked, payload) in frames {
                let len = u8::try_from(payload.len()).unwrap();
                octets.extend_from_slice(&[first, len | if masked { 0x80 } else { 0 }]);
                octets.extend_from_slice(if masked { &[1, 2, 3, 4] } else { &[] });
                octets.extend_from_slice(&payload);
            }
            octets
        });
        prop_oneof![any::<Vec<u8>>(), frames]
    }

    /// Like [`decode`], with frames taken whole where they are.
    fn decode_whole(chunks: &[&[u8]]) -> (Vec<Seen>, bool) {
        let mut decoder = FrameDecoder::new(0);
        let (mut seen, mut lost): (Vec<Seen>, bool) = (Vec::new(), false);
        for mut chunk in chunks.iter().copied() {
            loop {
                if let Some(WholeFrame { header, offset, payload }) = decoder.next_whole(&mut chunk)
                {
                    seen.push((offset, header, payload.to_vec(), true));
                    continue;
                }
                match decoder.next_part(&mut chunk) {
                    Some(FramePart::Header { header, offset }) => {
                        seen.push((offset, header, Vec::new(), false));
                    }
                    Some(FramePart::Payload { octets, .. }) => {
                        seen.last_mut().unwrap().2.extend_from_slice(octets);
                    }
                    Some(FramePart::End) => seen.last_mut().unwrap().3 = true,
                    Some(FramePart::Lost) => lost = true,
                    None => break,
                }
            }
        }
        (seen, lost)
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_frames(octets in octets(), cuts: Vec<prop::sample::Index>) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(octets.len() + 1)).collect();
            cuts.extend([0, octets.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|w| &octets[w[0]..w[1]]).collect();
            let whole = decode(&[&octets]);
            prop_assert_eq!(decode(&chunks), whole.clone());
            prop_assert_eq!(decode_whole(&chunks), whole.clone());
            prop_assert_eq!(decode_whole(&[&octets]), whole);
        }
    }
}
