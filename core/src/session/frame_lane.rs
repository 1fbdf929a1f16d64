//! One lane of an open WebSocket: octets in, frames, messages and findings out.

use bytes::{Bytes, BytesMut};

use crate::diagnostics::{Place, Rule, rules};
use crate::frame::{CloseBody, Frame, FrameDecoder, FramePart, WholeFrame};
use crate::message::assembler::Standing;
use crate::message::{Message, MessageAssembler, MessageFault};
use crate::session::Limits;
use crate::session::lane_event::LaneEvent;
use crate::{CloseCode, Direction, FrameHeader, MaskingKey, Opcode, Timestamp};

/// The longest payload a control frame may have (RFC 6455 §5.5).
const MAX_CONTROL_PAYLOAD: u64 = 125;

/// Findings of one rule that a lane lists before it only counts them.
const LISTED_PER_RULE: u32 = 100;

/// Follows the frames of one lane.
#[derive(Debug)]
pub struct FrameLane {
    direction: Direction,
    limits: Limits,
    decoder: FrameDecoder,
    assembler: MessageAssembler,
    /// When the first octet of the header in progress was read.
    first_octet_at: Timestamp,
    current: Option<Current>,
    next_index: u64,
    extensions: Extensions,
    close: Option<SeenClose>,
    /// How often each rule fired, in order of first firing.
    fired: Vec<(&'static Rule, u32)>,
}

/// What the handshake agreed on, as far as it changes which bits are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extensions {
    /// permessage-deflate, and whether this lane's sender forgets its window after each message.
    pub deflate: Option<bool>,
    /// An extension that is not known here may give RSV bits and opcodes a meaning.
    pub unknown: bool,
}

/// The first Close frame of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenClose {
    /// When it was whole.
    pub at: Timestamp,
    /// Its status code, where it has one.
    pub code: Option<CloseCode>,
}

#[derive(Debug)]
struct Current {
    header: FrameHeader,
    offset: u64,
    index: u64,
    payload: BytesMut,
    /// Octets to keep of this payload.
    keep: usize,
    standing: Standing,
    after_close: bool,
}

impl FrameLane {
    /// Starts at lane offset `offset`, just behind the opening handshake.
    pub fn new(direction: Direction, offset: u64, extensions: Extensions, limits: Limits) -> Self {
        let mut assembler =
            MessageAssembler::new(direction, limits.message_data, limits.inflate_budget);
        if let Some(no_context_takeover) = extensions.deflate {
            assembler.agree_on_deflate(no_context_takeover);
        }
        Self {
            direction,
            limits,
            decoder: FrameDecoder::new(offset),
            assembler,
            first_octet_at: Timestamp::default(),
            current: None,
            next_index: 0,
            extensions,
            close: None,
            fired: Vec::new(),
        }
    }

    /// Takes in octets that were read `at`. `scratch` is working room that lanes share.
    pub fn receive(
        &mut self,
        at: Timestamp,
        mut octets: &[u8],
        scratch: &mut Vec<u8>,
        out: &mut impl FnMut(LaneEvent),
    ) {
        loop {
            while let Some(frame) = self.decoder.next_whole(&mut octets) {
                self.whole(frame, at, scratch, out);
            }
            if self.decoder.is_between_frames() {
                self.first_octet_at = at;
            }
            match self.decoder.next_part(&mut octets) {
                None => return,
                Some(FramePart::Header { header, offset }) => self.begin(header, offset),
                Some(FramePart::Payload { octets, position, masking_key }) => {
                    self.payload(octets, position, masking_key, scratch);
                }
                Some(FramePart::End) => self.end(at, out),
                Some(FramePart::Lost) => self.lose(at, out),
            }
        }
    }

    /// No more octets come: says so where a frame is cut.
    pub fn finish(&mut self, at: Timestamp, out: &mut dyn FnMut(LaneEvent)) {
        if let Some(current) = self.current.take() {
            let seen = self.decoder.offset().saturating_sub(current.offset);
            let due = u64::from(current.header.encoded_len())
                .saturating_add(current.header.payload_len.value);
            let evidence = format!(
                "{seen} of {due} octets of a {} frame, number {}, came",
                current.header.opcode, current.index
            );
            let place = Place { offset: current.offset, len: seen, frame: Some(current.index) };
            self.raise(&rules::CONNECTION_CUT_IN_FRAME, at, place, evidence, out);
        } else if !self.decoder.partial_header().is_empty() {
            let seen = self.decoder.partial_header().len() as u64;
            let place = Place {
                offset: self.decoder.offset().saturating_sub(seen),
                len: seen,
                frame: Some(self.next_index),
            };
            let evidence = format!("{seen} octets of a frame header came");
            self.raise(&rules::CONNECTION_CUT_IN_FRAME, at, place, evidence, out);
        }
    }

    /// The first Close frame, once it was seen.
    pub fn close(&self) -> Option<SeenClose> {
        self.close
    }

    /// The lane offset of the next octet.
    pub fn offset(&self) -> u64 {
        self.decoder.offset()
    }

    /// The frame whose payload is still coming: its header and how many octets of it came.
    pub fn in_progress(&self) -> Option<(FrameHeader, u64)> {
        self.current
            .as_ref()
            .map(|current| (current.header, self.decoder.offset().saturating_sub(current.offset)))
    }

    /// What later compressed messages refer to: see [`MessageAssembler::inflate_history`].
    pub fn inflate_history(&mut self) -> Option<&[u8]> {
        self.assembler.inflate_history()
    }

    /// Where the lane stands in between two messages: the lane offset of the next frame.
    pub fn offset_between_messages(&self) -> Option<u64> {
        let between = self.decoder.is_between_frames() && self.assembler.is_between_messages();
        between.then_some(self.decoder.offset())
    }

    /// A frame that came in one piece: the usual case, and the one that has to be fast.
    fn whole(
        &mut self,
        frame: WholeFrame<'_>,
        at: Timestamp,
        scratch: &mut Vec<u8>,
        out: &mut impl FnMut(LaneEvent),
    ) {
        let WholeFrame { header, offset, payload } = frame;
        self.first_octet_at = at;
        if self.close.is_some() || !self.assembler.is_whole_message(&header) {
            self.begin(header, offset);
            if !payload.is_empty() {
                self.payload(payload, 0, header.masking_key, scratch);
            }
            return self.end(at, out);
        }
        let index = self.next_index;
        self.next_index = index.saturating_add(1);
        let keep = self.limits.frame_payload.min(payload.len());
        let plain = match header.masking_key {
            Some(key) if keep > 0 || self.assembler.wants_message(header.opcode) => {
                key.apply_to(0, payload, scratch)
            }
            _ => payload,
        };
        let kept = match plain.get(..keep).unwrap_or_default() {
            [] => Bytes::new(),
            kept => Bytes::copy_from_slice(kept),
        };
        let message = self.assembler.whole_message(header.opcode, index, at, plain, &kept);
        self.tell_frame(header, offset, index, kept, at, out);
        let place = place(&header, offset, index);
        if is_suspicious(&header, self.direction) {
            // A copy: the header itself then need not lie in memory, and stays in registers.
            let copy = header;
            self.check_header(&copy, Standing::InOrder, false, at, place, out);
        }
        self.tell_message(message, at, place, out);
    }

    fn begin(&mut self, header: FrameHeader, offset: u64) {
        let index = self.next_index;
        self.next_index = index.saturating_add(1);
        let standing = self.assembler.begin_frame(&header, index, self.first_octet_at);
        // A Close is read for its code whatever the limits are.
        let keep = match header.opcode {
            Opcode::Close => self.limits.frame_payload.max(128),
            _ => self.limits.frame_payload,
        };
        let after_close = self.close.is_some();
        self.current = Some(Current {
            header,
            offset,
            index,
            payload: BytesMut::new(),
            keep,
            standing,
            after_close,
        });
    }

    fn payload(
        &mut self,
        octets: &[u8],
        position: u64,
        masking_key: Option<MaskingKey>,
        scratch: &mut Vec<u8>,
    ) {
        let Some(current) = &mut self.current else { return };
        let room = current.keep.saturating_sub(current.payload.len());
        let wanted = self.assembler.wants_payload();
        if !wanted {
            self.assembler.skip_payload(octets.len() as u64);
        }
        if !wanted && room == 0 {
            return;
        }
        let plain = match masking_key {
            None => octets,
            Some(key) => key.apply_to(position, octets, scratch),
        };
        if room > 0 {
            let kept = plain.get(..room.min(plain.len())).unwrap_or_default();
            current.payload.extend_from_slice(kept);
        }
        if wanted {
            self.assembler.push_payload(plain);
        }
    }

    fn end(&mut self, at: Timestamp, out: &mut impl FnMut(LaneEvent)) {
        let Some(current) = self.current.take() else { return };
        let Current { header, offset, index, payload, standing, after_close, .. } = current;
        let payload = payload.freeze();
        let suspicious =
            is_suspicious(&header, self.direction) || standing != Standing::InOrder || after_close;
        let close_payload =
            if header.opcode == Opcode::Close { payload.clone() } else { Bytes::new() };
        self.tell_frame(header, offset, index, payload, at, out);
        let place = place(&header, offset, index);
        if suspicious {
            self.check_header(&header, standing, after_close, at, place, out);
        }
        if header.opcode == Opcode::Close {
            self.check_close(&close_payload, at, place, out);
        }
        if let Some(message) = self.assembler.end_frame(&header, index, at) {
            self.tell_message(message, at, place, out);
        }
    }

    #[inline]
    fn tell_frame(
        &self,
        header: FrameHeader,
        offset: u64,
        index: u64,
        payload: Bytes,
        at: Timestamp,
        out: &mut impl FnMut(LaneEvent),
    ) {
        out(LaneEvent::Frame(Frame {
            direction: self.direction,
            index,
            offset,
            header,
            first_octet_at: self.first_octet_at,
            last_octet_at: at,
            payload,
        }));
    }

    #[inline]
    fn tell_message(
        &mut self,
        message: Message,
        at: Timestamp,
        place: Place,
        out: &mut impl FnMut(LaneEvent),
    ) {
        let (fault, number, wire_len) = (message.fault, message.index, message.wire_len);
        out(LaneEvent::Message(message));
        if let Some(fault) = fault {
            self.check_message(fault, number, wire_len, at, place, out);
        }
    }

    fn check_header(
        &mut self,
        header: &FrameHeader,
        standing: Standing,
        after_close: bool,
        at: Timestamp,
        place: Place,
        out: &mut dyn FnMut(LaneEvent),
    ) {
        let name = header.opcode.name();
        // RFC 6455 §5.1: "a client MUST mask all frames that it sends to the server".
        match (self.direction, header.masking_key) {
            (Direction::ClientToServer, None) => {
                let evidence = format!("a {name} frame with MASK 0");
                self.raise(&rules::FRAME_UNMASKED_FROM_CLIENT, at, place, evidence, out);
            }
            // "A server MUST NOT mask any frames that it sends to the client."
            (Direction::ServerToClient, Some(key)) => {
                let evidence = format!("a {name} frame with MASK 1, key {key}");
                self.raise(&rules::FRAME_MASKED_FROM_SERVER, at, place, evidence, out);
            }
            _ => {}
        }
        self.check_rsv(header, at, place, out);
        if header.opcode.is_reserved() && !self.extensions.unknown {
            let evidence = format!("opcode 0x{:X}", header.opcode.bits());
            self.raise(&rules::FRAME_OPCODE_RESERVED, at, place, evidence, out);
        }
        // RFC 6455 §5.2: "the minimal number of bytes MUST be used to encode the length".
        if !header.payload_len.is_minimal() {
            let evidence = format!(
                "{} octets written in the {}-bit form",
                header.payload_len.value,
                header.payload_len.form.bits()
            );
            self.raise(&rules::FRAME_LENGTH_NOT_MINIMAL, at, place, evidence, out);
        }
        if header.opcode.is_control() {
            // RFC 6455 §5.5: "All control frames MUST have a payload length of 125 bytes or less and
            // MUST NOT be fragmented."
            if !header.fin {
                let evidence = format!("a {name} frame with FIN 0");
                self.raise(&rules::CONTROL_FRAGMENTED, at, place, evidence, out);
            }
            if header.payload_len.value > MAX_CONTROL_PAYLOAD {
                let evidence = format!("a {name} frame of {} octets", header.payload_len.value);
                self.raise(&rules::CONTROL_TOO_LONG, at, place, evidence, out);
            }
        }
        match standing {
            Standing::InOrder => {}
            Standing::Interleaved => {
                let evidence = format!("a {name} frame before the fragmented message had its FIN");
                self.raise(&rules::MESSAGE_INTERLEAVED, at, place, evidence, out);
            }
            Standing::Orphan => {
                let evidence = "opcode 0x0 while no message was open".to_owned();
                self.raise(&rules::CONTINUATION_WITHOUT_MESSAGE, at, place, evidence, out);
            }
        }
        if after_close {
            let evidence = format!("a {name} frame");
            self.raise(&rules::FRAME_AFTER_CLOSE, at, place, evidence, out);
        }
    }

    /// RFC 6455 §5.2: RSV1–3 "MUST be 0 unless an extension is negotiated that defines meanings".
    fn check_rsv(
        &mut self,
        header: &FrameHeader,
        at: Timestamp,
        place: Place,
        out: &mut dyn FnMut(LaneEvent),
    ) {
        if header.rsv.bits() == 0 || self.extensions.unknown {
            return;
        }
        let deflate = self.extensions.deflate.is_some();
        if deflate && header.rsv.rsv1() && header.opcode == Opcode::Continuation {
            let evidence = "opcode 0x0 with RSV1 1".to_owned();
            self.raise(&rules::DEFLATE_RSV1_ON_CONTINUATION, at, place, evidence, out);
        }
        let rsv1_is_meant = deflate && !header.opcode.is_control() && !header.opcode.is_reserved();
        let claimed = if rsv1_is_meant { 0b100 } else { 0 };
        if header.rsv.bits() & !claimed != 0 {
            let bits = header.rsv;
            let evidence = format!(
                "a {} frame with RSV1 {}, RSV2 {}, RSV3 {}",
                header.opcode,
                u8::from(bits.rsv1()),
                u8::from(bits.rsv2()),
                u8::from(bits.rsv3()),
            );
            self.raise(&rules::FRAME_RSV_WITHOUT_EXTENSION, at, place, evidence, out);
        }
    }

    fn check_close(
        &mut self,
        payload: &Bytes,
        at: Timestamp,
        place: Place,
        out: &mut dyn FnMut(LaneEvent),
    ) {
        let code = match CloseBody::parse(payload) {
            CloseBody::Empty => None,
            CloseBody::OneOctet(octet) => {
                let evidence = format!("the octet {octet:02x}");
                self.raise(&rules::CLOSE_BODY_ONE_OCTET, at, place, evidence, out);
                None
            }
            CloseBody::Status { code, reason } => {
                if !code.may_be_sent() {
                    let evidence = format!("{code} ({})", code.name());
                    self.raise(&rules::CLOSE_CODE_FORBIDDEN, at, place, evidence, out);
                }
                if let Err(fault) = std::str::from_utf8(reason) {
                    let evidence = format!("at octet {} of the reason", fault.valid_up_to());
                    self.raise(&rules::CLOSE_REASON_NOT_UTF8, at, place, evidence, out);
                }
                Some(code)
            }
        };
        if self.close.is_none() {
            self.close = Some(SeenClose { at, code });
        }
    }

    fn check_message(
        &mut self,
        fault: MessageFault,
        number: u64,
        wire_len: u64,
        at: Timestamp,
        place: Place,
        out: &mut dyn FnMut(LaneEvent),
    ) {
        let rule = match fault {
            MessageFault::NotUtf8 { .. } => &rules::TEXT_NOT_UTF8,
            MessageFault::InflateFailed { .. } => &rules::DEFLATE_INFLATE_FAILED,
            MessageFault::OverBudget { .. } => &rules::DEFLATE_BUDGET_EXCEEDED,
            // A consequence of a fault that was already told.
            MessageFault::ContextLost => return,
        };
        let evidence = format!("message {number}, {wire_len} octets on the wire: {fault}");
        self.raise(rule, at, place, evidence, out);
    }

    fn lose(&mut self, at: Timestamp, out: &mut dyn FnMut(LaneEvent)) {
        let Some(current) = self.current.take() else { return };
        let value = current.header.payload_len.value;
        let place = Place {
            offset: current.offset,
            len: u64::from(current.header.encoded_len()),
            frame: Some(current.index),
        };
        let evidence = format!("a length of 0x{value:016x}");
        self.raise(&rules::FRAME_LENGTH_TOP_BIT, at, place, evidence, out);
        let reason = format!("a frame header that claims {value} octets");
        out(LaneEvent::Lost { offset: current.offset, at, reason });
    }

    fn raise(
        &mut self,
        rule: &'static Rule,
        at: Timestamp,
        place: Place,
        evidence: String,
        out: &mut dyn FnMut(LaneEvent),
    ) {
        let known = self.fired.iter_mut().find(|(fired, _)| fired.code == rule.code);
        let times = if let Some((_, times)) = known {
            *times = times.saturating_add(1);
            *times
        } else {
            self.fired.push((rule, 1));
            1
        };
        let evidence = match times {
            LISTED_PER_RULE => format!("{evidence}; more of these are not listed"),
            0..LISTED_PER_RULE => evidence,
            _ => return,
        };
        out(LaneEvent::Finding { rule, at, place, evidence });
    }
}

/// Where a frame lies.
#[inline]
fn place(header: &FrameHeader, offset: u64, index: u64) -> Place {
    Place {
        offset,
        len: u64::from(header.encoded_len()).saturating_add(header.payload_len.value),
        frame: Some(index),
    }
}

/// Whether a header breaks any rule that can be told from the header alone, or carries RSV bits: the
/// one quick test that clean traffic pays for.
#[inline]
fn is_suspicious(header: &FrameHeader, direction: Direction) -> bool {
    header.rsv.bits() != 0
        || header.masking_key.is_some() != (direction == Direction::ClientToServer)
        || !header.payload_len.is_minimal()
        || header.opcode.is_reserved()
        || (header.opcode.is_control()
            && (!header.fin || header.payload_len.value > MAX_CONTROL_PAYLOAD))
}
