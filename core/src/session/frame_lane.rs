//! One lane of an open WebSocket: octets in, frames, messages and findings out.

mod resume;

use bytes::{Bytes, BytesMut};

use crate::diagnostics::{Place, rules};
use crate::frame::{Frame, FrameDecoder, FramePart, WholeFrame};
use crate::message::assembler::Standing;
use crate::message::utf8::is_utf8;
use crate::message::{Message, MessageAssembler, MessageFault};
use crate::session::frame_checks::{Extensions, FrameChecks, MOST_USUAL, Seen};
use crate::session::lane_event::{LaneEvent, LaneSink};
use crate::session::message_watch::{DeflateFault, MessageWatch};
use crate::session::pace::Pace;
use crate::session::{Limits, Unfragmented};
use crate::{CloseCode, Direction, FrameHeader, MaskingKey, Opcode, Timestamp};

/// Follows the frames of one lane.
#[derive(Debug)]
pub struct FrameLane {
    direction: Direction,
    limits: Limits,
    /// Neither payloads nor data.
    keeps_nothing: bool,
    decoder: FrameDecoder,
    assembler: MessageAssembler,
    /// When the first octet of the header in progress was read.
    first_octet_at: Timestamp,
    current: Option<Current>,
    next_index: u64,
    checks: FrameChecks,
    watch: MessageWatch,
    close: Option<SeenClose>,
    pace: Pace,
    /// The first octets of the header in progress are missing: its frame is not told.
    skips_frame: bool,
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
    /// It is part of a message.
    is_watched: bool,
    after_close: bool,
}

impl FrameLane {
    /// Starts at lane offset `offset`, just behind the opening handshake.
    pub fn new(direction: Direction, offset: u64, extensions: Extensions, limits: Limits) -> Self {
        let mut assembler =
            MessageAssembler::new(direction, limits.message_data, limits.inflate_budget);
        if let Some(promise) = extensions.deflate {
            assembler.agree_on_deflate(promise.no_context_takeover);
        }
        Self {
            direction,
            limits,
            keeps_nothing: limits.frame_payload == 0 && limits.message_data == 0,
            decoder: FrameDecoder::new(offset),
            assembler,
            first_octet_at: Timestamp::default(),
            current: None,
            next_index: 0,
            checks: FrameChecks::new(direction, extensions),
            watch: MessageWatch::new(extensions.deflate),
            close: None,
            pace: Pace::default(),
            skips_frame: false,
        }
    }

    /// What was agreed on becomes known behind octets that are missing.
    pub fn agree(&mut self, extensions: Extensions) {
        if let Some(promise) = extensions.deflate {
            self.assembler.agree_behind_missing(promise.no_context_takeover);
        }
        self.checks.agree(extensions);
        self.watch = MessageWatch::new(extensions.deflate);
    }

    /// Takes in octets that were read `at`. `scratch` is working room that lanes share.
    pub fn receive(
        &mut self,
        at: Timestamp,
        mut octets: &[u8],
        scratch: &mut Vec<u8>,
        out: &mut impl LaneSink,
    ) {
        if let Some(flood) = self.pace.tick(at, self.next_index, self.decoder.offset()) {
            self.checks.flood(flood, at, out);
        }
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

    /// No more octets come.
    pub fn finish(&mut self, at: Timestamp, out: &mut dyn LaneSink) {
        if let Some(flood) = self.pace.finish(self.next_index, self.decoder.offset()) {
            self.checks.flood(flood, at, out);
        }
    }

    /// Its sender ended it: says so where a frame is cut.
    pub fn check_cut(&mut self, at: Timestamp, out: &mut dyn LaneSink) {
        if let Some(current) = self.current.take() {
            let seen = self.decoder.offset().saturating_sub(current.offset);
            let due = u64::from(current.header.encoded_len())
                .saturating_add(current.header.payload_len.value);
            let evidence = format!(
                "{seen} of {due} octets of a {} frame, number {}, came",
                current.header.opcode, current.index
            );
            let place = Place { offset: current.offset, len: seen, frame: Some(current.index) };
            self.checks.raise(&rules::CONNECTION_CUT_IN_FRAME, Seen { at, place }, evidence, out);
        } else if !self.decoder.partial_header().is_empty() {
            let seen = self.decoder.partial_header().len() as u64;
            let place = Place {
                offset: self.decoder.offset().saturating_sub(seen),
                len: seen,
                frame: Some(self.next_index),
            };
            let evidence = format!("{seen} octets of a frame header came");
            self.checks.raise(&rules::CONNECTION_CUT_IN_FRAME, Seen { at, place }, evidence, out);
        }
    }

    /// The first Close frame, once it was seen.
    pub fn close(&self) -> Option<SeenClose> {
        self.close
    }

    /// Whether nobody can tell any more where frames begin.
    pub fn is_lost(&self) -> bool {
        self.decoder.is_lost()
    }

    /// The lane offset of the next octet.
    pub fn offset(&self) -> u64 {
        self.decoder.offset()
    }

    /// Which way it goes.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Whether RSV1 may have a meaning: that a message is compressed, or one that is not known here.
    pub fn may_set_rsv1(&self) -> bool {
        let Extensions { deflate, unknown } = self.checks.extensions();
        deflate.is_some() || unknown
    }

    /// The frame whose payload is still coming: its header and how many octets of it came.
    pub fn in_progress(&self) -> Option<(FrameHeader, u64)> {
        self.current
            .as_ref()
            .map(|current| (current.header, self.decoder.offset().saturating_sub(current.offset)))
    }

    /// A frame that came in one piece: the usual case, and the one that has to be fast.
    fn whole(
        &mut self,
        frame: WholeFrame<'_>,
        at: Timestamp,
        scratch: &mut Vec<u8>,
        out: &mut impl LaneSink,
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
        let shows = out.sees_payloads();
        let is_suspicious = self.checks.is_suspicious(&header);
        if !is_suspicious
            && (shows || self.keeps_nothing)
            && header.payload_len.value <= MOST_USUAL
            && is_told(&header, payload, scratch, out)
        {
            return out.unfragmented(&Unfragmented {
                direction: self.direction,
                frame_index: index,
                message_index: self.assembler.count_message(),
                offset,
                header,
                at,
            });
        }
        let Limits { frame_payload, message_data, .. } = self.limits;
        let [keep, keep_data] = if shows {
            [0, 0]
        } else {
            [frame_payload, message_data].map(|n| n.min(payload.len()))
        };
        let plain = match header.masking_key {
            Some(key) if shows || keep > 0 || self.assembler.wants_message(header.opcode) => {
                key.apply_to(0, payload, scratch)
            }
            _ => payload,
        };
        if shows {
            out.payload(plain);
        }
        let kept = copied(plain, keep);
        let data = if keep_data == keep { kept.clone() } else { copied(plain, keep_data) };
        let message = self.assembler.whole_message(header.opcode, index, at, plain, data);
        out.frame(self.frame(header, offset, index, kept, at));
        let seen = Seen { at, place: place(&header, offset, index) };
        if is_suspicious {
            // A copy: the header itself then need not lie in memory, and stays in registers.
            let copy = header;
            self.checks.header(&copy, Standing::InOrder, false, seen, out);
        }
        self.tell_message(message, seen, out);
    }

    fn begin(&mut self, header: FrameHeader, offset: u64) {
        if std::mem::take(&mut self.skips_frame) {
            return self.assembler.pass_over(&header);
        }
        let index = self.next_index;
        self.next_index = index.saturating_add(1);
        let standing = self.assembler.begin_frame(&header, index, self.first_octet_at);
        let is_watched = standing != Standing::Orphan
            && (header.opcode.begins_message() || header.opcode == Opcode::Continuation);
        if is_watched {
            self.watch.begin(&header, offset, index);
        }
        // Control frames are read whatever the limits are: a Close for its code, Ping and Pong to be
        // matched.
        let keep = match header.opcode {
            Opcode::Close | Opcode::Ping | Opcode::Pong => self.limits.frame_payload.max(128),
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
            is_watched,
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
        if let Some(key) = masking_key
            && room == 0
            && self.assembler.takes_ascii_unseen()
            && key.rotated(position).yields_ascii(octets)
        {
            let len = octets.len() as u64;
            self.assembler.push_ascii(len);
            self.watch.skip(len);
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
        if current.is_watched {
            self.watch.push(plain);
        }
        if wanted {
            self.assembler.push_payload(plain);
        }
    }

    fn end(&mut self, at: Timestamp, out: &mut impl LaneSink) {
        let Some(current) = self.current.take() else { return };
        let Current { header, offset, index, payload, standing, after_close, .. } = current;
        let payload = payload.freeze();
        let suspicious =
            self.checks.is_suspicious(&header) || standing != Standing::InOrder || after_close;
        let close_payload =
            if header.opcode == Opcode::Close { payload.clone() } else { Bytes::new() };
        let frame = self.frame(header, offset, index, payload, at);
        match header.opcode {
            Opcode::Close | Opcode::Ping | Opcode::Pong => out.control(frame),
            _ => out.frame(frame),
        }
        let seen = Seen { at, place: place(&header, offset, index) };
        if suspicious {
            self.checks.header(&header, standing, after_close, seen, out);
        }
        if header.opcode == Opcode::Close {
            let is_cut = (close_payload.len() as u64) < header.payload_len.value;
            let code = self.checks.close(&close_payload, is_cut, seen, out);
            self.close.get_or_insert(SeenClose { at, code });
        }
        if let Some(message) = self.assembler.end_frame(&header, index, at) {
            let is_compressed = message.compressed;
            self.tell_message(message, seen, out);
            if is_compressed
                && out.wants_history()
                && let Some(history) = self.assembler.inflate_history()
            {
                out.history(seen.place.offset.saturating_add(seen.place.len), history);
            }
        }
    }

    #[inline]
    fn frame(
        &self,
        header: FrameHeader,
        offset: u64,
        index: u64,
        payload: Bytes,
        at: Timestamp,
    ) -> Frame {
        Frame {
            direction: self.direction,
            index,
            offset,
            header,
            first_octet_at: self.first_octet_at,
            last_octet_at: at,
            payload,
        }
    }

    #[inline]
    fn tell_message(&mut self, message: Message, seen: Seen, out: &mut impl LaneSink) {
        let (fault, number, wire_len) = (message.fault, message.index, message.wire_len);
        let (is_compressed, is_one_frame) = (message.compressed, message.frames == 1);
        let data_len = message.data_len;
        out.message(message);
        if data_len > MOST_USUAL {
            self.checks.large(number, data_len, seen, out);
        }
        if let (Some(MessageFault::NotUtf8 { at }), false) = (fault, is_compressed) {
            let place = if is_one_frame {
                Some(within(seen.place, wire_len, at))
            } else {
                self.watch.place(at)
            };
            let seen = Seen { place: place.unwrap_or(seen.place), ..seen };
            return self.checks.message(MessageFault::NotUtf8 { at }, number, wire_len, seen, out);
        }
        let faults = if is_compressed { self.watch.end() } else { Vec::new() };
        let mut is_explained = false;
        for proven in faults {
            is_explained |= matches!(proven, DeflateFault::ContextKept(_));
            self.checks.deflate(proven, number, seen, out);
        }
        match fault {
            // Inflated as the sender promised, which is what it did not do.
            Some(MessageFault::InflateFailed { .. }) if is_explained => {}
            Some(fault) => self.checks.message(fault, number, wire_len, seen, out),
            None => {}
        }
    }

    fn lose(&mut self, at: Timestamp, out: &mut dyn LaneSink) {
        let Some(current) = self.current.take() else { return };
        let value = current.header.payload_len.value;
        let place = Place {
            offset: current.offset,
            len: u64::from(current.header.encoded_len()),
            frame: Some(current.index),
        };
        let evidence = format!("a length of 0x{value:016x}");
        self.checks.raise(&rules::FRAME_LENGTH_TOP_BIT, Seen { at, place }, evidence, out);
        let reason = format!("a frame header that claims {value} octets");
        out.event(LaneEvent::Lost { offset: current.offset, at, reason });
    }
}

/// Shows the payload of an unfragmented message to who sees payloads; `false`, and nothing shown, for
/// text that is no UTF-8.
#[inline]
fn is_told(
    header: &FrameHeader,
    payload: &[u8],
    scratch: &mut Vec<u8>,
    out: &mut impl LaneSink,
) -> bool {
    let is_text = header.opcode == Opcode::Text;
    if out.sees_payloads() {
        let plain = match header.masking_key {
            Some(key) => key.apply_to(0, payload, scratch),
            None => payload,
        };
        let is_well_formed = !is_text || is_utf8(plain);
        if is_well_formed {
            out.payload(plain);
        }
        return is_well_formed;
    }
    !is_text
        || match header.masking_key {
            // Most text is ASCII, which is seen without unmasking it anywhere.
            Some(key) => key.yields_ascii(payload) || is_utf8(key.apply_to(0, payload, scratch)),
            None => payload.is_ascii() || is_utf8(payload),
        }
}

/// Where octet `at` of a frame's payload of `payload_len` octets lies.
fn within(frame: Place, payload_len: u64, at: u64) -> Place {
    let header_len = frame.len.saturating_sub(payload_len);
    Place { offset: frame.offset.saturating_add(header_len).saturating_add(at), len: 1, ..frame }
}

/// The first `len` octets, without an allocation for none.
#[inline]
fn copied(octets: &[u8], len: usize) -> Bytes {
    match octets.get(..len).unwrap_or_default() {
        [] => Bytes::new(),
        first => Bytes::copy_from_slice(first),
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
