//! Frame rows: 40 octets each, whatever the payload.

use std::collections::HashMap;
use std::time::Duration;

use crate::frame::{LengthForm, Rsv};
use crate::session::Unfragmented;
use crate::{
    ConnectionId, Direction, Frame, FrameHeader, MaskingKey, Opcode, PayloadLength, Severity,
    Timestamp,
};

/// One frame in 40 octets.
///
/// ```text
/// bits  15   14–12  11–8    7     6          5–4          3–0
///       FIN  RSV    opcode  MASK  direction  length form  flags: compressed, gap, severity (0–3)
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameRow {
    first_octet_at: u64,
    offset: u64,
    payload_len: u64,
    connection: ConnectionId,
    masking_key: [u8; 4],
    took_nanos: u32,
    bits: u16,
}

const FIN: u16 = 1 << 15;
const MASK: u16 = 1 << 7;
const SERVER_TO_CLIENT: u16 = 1 << 6;
const COMPRESSED: u16 = 1 << 3;
const BEHIND_GAP: u16 = 1 << 2;
const SEVERITY: u16 = 0b11;

impl FrameRow {
    #[inline]
    fn new(connection: ConnectionId, frame: &Frame, compressed: bool) -> Self {
        let Frame { direction, header, offset, first_octet_at, .. } = frame;
        let took = frame.last_octet_at.as_nanos().saturating_sub(first_octet_at.as_nanos());
        let row = Self::at_once(connection, *direction, header, *offset, *first_octet_at);
        Self {
            took_nanos: u32::try_from(took).unwrap_or(u32::MAX),
            bits: row.bits | if compressed { COMPRESSED } else { 0 },
            ..row
        }
    }

    /// An uncompressed frame of which all octets were read `at` once.
    #[inline]
    fn at_once(
        connection: ConnectionId,
        direction: Direction,
        header: &FrameHeader,
        offset: u64,
        at: Timestamp,
    ) -> Self {
        let form = match header.payload_len.form {
            LengthForm::Seven => 0,
            LengthForm::Sixteen => 1,
            LengthForm::SixtyFour => 2,
        };
        let flag = |set: bool, bit: u16| if set { bit } else { 0 };
        Self {
            first_octet_at: at.as_nanos(),
            offset,
            payload_len: header.payload_len.value,
            connection,
            masking_key: header.masking_key.map(|key| key.0).unwrap_or_default(),
            took_nanos: 0,
            bits: flag(header.fin, FIN)
                | (u16::from(header.rsv.bits()) << 12)
                | (u16::from(header.opcode.bits()) << 8)
                | flag(header.masking_key.is_some(), MASK)
                | flag(direction == Direction::ServerToClient, SERVER_TO_CLIENT)
                | (form << 4),
        }
    }

    /// The connection it belongs to.
    pub fn connection(&self) -> ConnectionId {
        self.connection
    }

    /// Which way it went.
    pub fn direction(&self) -> Direction {
        if self.bits & SERVER_TO_CLIENT == 0 {
            Direction::ClientToServer
        } else {
            Direction::ServerToClient
        }
    }

    /// What the frame is.
    pub fn opcode(&self) -> Opcode {
        Opcode::from_bits(self.bits.to_be_bytes()[0])
    }

    /// Every bit of its header.
    pub fn header(&self) -> FrameHeader {
        let form = match (self.bits >> 4) & 0b11 {
            0 => LengthForm::Seven,
            1 => LengthForm::Sixteen,
            _ => LengthForm::SixtyFour,
        };
        FrameHeader {
            fin: self.bits & FIN != 0,
            rsv: Rsv::from_bits(self.bits.to_be_bytes()[0] >> 4),
            opcode: self.opcode(),
            masking_key: (self.bits & MASK != 0).then_some(MaskingKey(self.masking_key)),
            payload_len: PayloadLength { value: self.payload_len, form },
        }
    }

    /// Where its first octet lies in its lane.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Octets of payload on the wire.
    pub fn payload_len(&self) -> u64 {
        self.payload_len
    }

    /// Octets of header and payload.
    pub fn wire_len(&self) -> u64 {
        u64::from(self.header().encoded_len()).saturating_add(self.payload_len)
    }

    /// When its first octet was read.
    pub fn first_octet_at(&self) -> Timestamp {
        Timestamp::from_nanos(self.first_octet_at)
    }

    /// The message it begins is compressed (RFC 7692).
    pub fn is_compressed(&self) -> bool {
        self.bits & COMPRESSED != 0
    }

    /// Octets before it are missing from the capture: it is the first of its lane behind them.
    pub fn is_behind_gap(&self) -> bool {
        self.bits & BEHIND_GAP != 0
    }

    /// The worst finding about it, if there is one.
    pub fn severity(&self) -> Option<Severity> {
        match self.bits & SEVERITY {
            0 => None,
            1 => Some(Severity::Note),
            2 => Some(Severity::Warning),
            _ => Some(Severity::Error),
        }
    }
}

/// All frames of a capture; rows keep their number for ever.
#[derive(Debug, Default)]
pub struct FrameIndex {
    rows: Vec<FrameRow>,
    /// Rows whose frame took longer than the 32 bits of a row can tell, 4.29 s.
    long: HashMap<usize, Duration>,
}

impl FrameIndex {
    /// How many frames there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The frame with this row number, from 0.
    pub fn get(&self, row: usize) -> Option<&FrameRow> {
        self.rows.get(row)
    }

    /// All rows, in order.
    pub fn rows(&self) -> &[FrameRow] {
        &self.rows
    }

    /// When the last octet of this row's frame was read.
    pub fn last_octet_at(&self, row: usize) -> Option<Timestamp> {
        let frame = self.rows.get(row)?;
        let took = match self.long.get(&row) {
            Some(took) => *took,
            None => Duration::from_nanos(u64::from(frame.took_nanos)),
        };
        Some(frame.first_octet_at().plus(took))
    }

    /// Adds a frame; returns its row number.
    #[inline]
    pub(super) fn push(
        &mut self,
        connection: ConnectionId,
        frame: &Frame,
        compressed: bool,
    ) -> usize {
        let row = self.rows.len();
        let fresh = FrameRow::new(connection, frame, compressed);
        if fresh.took_nanos == u32::MAX {
            self.long.insert(row, frame.last_octet_at.since(frame.first_octet_at));
        }
        self.rows.push(fresh);
        row
    }

    /// Adds the frame of an unfragmented message; returns its row number.
    #[inline]
    pub(super) fn push_unfragmented(
        &mut self,
        connection: ConnectionId,
        seen: &Unfragmented,
    ) -> usize {
        let row = self.rows.len();
        let Unfragmented { direction, header, offset, at, .. } = seen;
        self.rows.push(FrameRow::at_once(connection, *direction, header, *offset, *at));
        row
    }

    /// Marks a row as the first behind a gap.
    pub(super) fn mark_behind_gap(&mut self, row: u32) {
        if let Some(frame) = self.rows.get_mut(row as usize) {
            frame.bits |= BEHIND_GAP;
        }
    }

    /// Marks a row with a finding; the worst stays.
    pub(super) fn mark(&mut self, row: usize, severity: Severity) {
        let Some(frame) = self.rows.get_mut(row) else { return };
        let level = match severity {
            Severity::Note => 1,
            Severity::Warning => 2,
            Severity::Error => 3,
        };
        let worst = (frame.bits & SEVERITY).max(level);
        frame.bits = (frame.bits & !SEVERITY) | worst;
    }
}

/// One row of the messages view: a data message, a control frame, or a frame that belongs to none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageRow {
    /// Row number of the frame that began it; it tells connection, direction and opcode.
    pub first_frame: u32,
    /// Row number of the frame that ended it.
    pub last_frame: u32,
    /// Octets of the whole message, inflated.
    pub data_len: u64,
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_row_takes_40_octets() {
        assert_eq!(size_of::<FrameRow>(), 40);
        assert_eq!(size_of::<MessageRow>(), 16);
    }

    fn any_header() -> impl Strategy<Value = FrameHeader> {
        let form = prop_oneof![
            Just(LengthForm::Seven),
            Just(LengthForm::Sixteen),
            Just(LengthForm::SixtyFour)
        ];
        (any::<bool>(), 0u8..8, 0u8..16, any::<Option<[u8; 4]>>(), any::<u64>(), form).prop_map(
            |(fin, rsv, opcode, key, value, form)| FrameHeader {
                fin,
                rsv: Rsv::from_bits(rsv),
                opcode: Opcode::from_bits(opcode),
                masking_key: key.map(MaskingKey),
                payload_len: PayloadLength { value, form },
            },
        )
    }

    proptest! {
        #[test]
        fn a_row_gives_back_what_it_was_made_of(
            header in any_header(), offset: u64, at in 0u64..1 << 62, took in 0u64..20_000_000_000,
            server: bool, compressed: bool,
        ) {
            let direction = if server { Direction::ServerToClient } else { Direction::ClientToServer };
            let first_octet_at = Timestamp::from_nanos(at);
            let frame = Frame {
                direction, index: 0, offset, header, first_octet_at,
                last_octet_at: Timestamp::from_nanos(at + took), payload: Bytes::new(),
            };
            let mut index = FrameIndex::default();
            let row = index.push(ConnectionId(7), &frame, compressed);
            index.mark(row, Severity::Warning);
            index.mark(row, Severity::Note);
            let seen = index.get(row).unwrap();
            prop_assert_eq!(seen.header(), header);
            prop_assert_eq!(seen.direction(), direction);
            prop_assert_eq!(seen.offset(), offset);
            prop_assert_eq!(seen.first_octet_at(), first_octet_at);
            prop_assert_eq!(index.last_octet_at(row), Some(frame.last_octet_at));
            prop_assert_eq!(seen.is_compressed(), compressed);
            prop_assert_eq!(seen.severity(), Some(Severity::Warning));
        }
    }
}
