//! Message assembly, RFC 6455 §5.4: the frames of one lane put together, control frames between.
//!
//! ```text
//!              text or binary, FIN 0
//!   ┌────────┐ ─────────────────────► ┌──────────┐ ─┐ continuation, FIN 0
//!   │  idle  │                        │ building │  │ (text or binary: the old one is given up)
//!   └────────┘ ◄───────────────────── └──────────┘ ◄┘
//!              continuation, FIN 1
//! ```

use bytes::{Bytes, BytesMut};

use crate::message::inflate::InflateFault;
use crate::message::{Inflater, Message, MessageFault, Utf8Validator};
use crate::{Direction, FrameHeader, Opcode, Timestamp};

/// Puts the data frames of one lane together. Give it every frame, control frames too.
#[derive(Debug)]
pub struct MessageAssembler {
    direction: Direction,
    data_limit: usize,
    inflate_budget: u64,
    /// permessage-deflate is agreed on; whether this lane's sender forgets its window.
    no_context_takeover: Option<bool>,
    /// Made with the first compressed message: an idle lane shall not pay for it.
    inflater: Option<Box<Inflater>>,
    context_lost: bool,
    building: Option<Building>,
    /// The frame in progress is part of the message in progress.
    in_data_frame: bool,
    next_index: u64,
    /// A message is in progress whose beginning is missing.
    has_unseen: bool,
}

#[derive(Debug)]
struct Building {
    opcode: Opcode,
    compressed: bool,
    first_frame: u64,
    frames: u64,
    wire_len: u64,
    data_len: u64,
    data: BytesMut,
    budget: u64,
    utf8: Utf8Validator,
    fault: Option<MessageFault>,
    first_octet_at: Timestamp,
}

/// How a frame stands to the message before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// As RFC 6455 §5.4 has it.
    InOrder,
    /// A new message begins inside a fragmented one, which is given up.
    Interleaved,
    /// There is nothing to continue.
    Orphan,
}

impl MessageAssembler {
    /// For the lane of `direction`. `data_limit` octets of each message are kept.
    pub fn new(direction: Direction, data_limit: usize, inflate_budget: u64) -> Self {
        Self {
            direction,
            data_limit,
            inflate_budget,
            no_context_takeover: None,
            inflater: None,
            context_lost: false,
            building: None,
            in_data_frame: false,
            next_index: 0,
            has_unseen: false,
        }
    }

    /// permessage-deflate is agreed on for this lane.
    pub fn agree_on_deflate(&mut self, no_context_takeover: bool) {
        self.no_context_takeover = Some(no_context_takeover);
    }

    /// Goes on behind earlier compressed messages, of which only their last octets are at hand.
    pub fn resume_inflating(&mut self, no_context_takeover: bool, history: &[u8]) {
        self.no_context_takeover = Some(no_context_takeover);
        self.inflater = Some(Box::new(Inflater::resume(no_context_takeover, history)));
    }

    /// permessage-deflate is agreed on, and what compressed messages refer to is missing.
    pub fn lose_context(&mut self) {
        self.no_context_takeover = Some(false);
        self.context_lost = true;
    }

    /// permessage-deflate is agreed on, as becomes known behind octets that are missing.
    pub fn agree_behind_missing(&mut self, no_context_takeover: bool) {
        self.no_context_takeover = Some(no_context_takeover);
        self.context_lost = !no_context_takeover;
    }

    /// Goes on behind `before` and octets that are missing, perhaps within a message whose beginning is
    /// among them.
    pub fn resume_behind(&mut self, before: &Self, within_message: bool) {
        self.next_index = before.next_index;
        self.has_unseen = within_message;
        self.context_lost = self.no_context_takeover == Some(false);
    }

    /// A frame that is not told, of whose header the first octets are missing.
    pub fn pass_over(&mut self, header: &FrameHeader) {
        self.in_data_frame = false;
        match header.opcode {
            Opcode::Text | Opcode::Binary => self.has_unseen = !header.fin,
            Opcode::Continuation if header.fin => self.has_unseen = false,
            _ => {}
        }
    }

    /// What later compressed messages can refer to: `None` before the first compressed message, and
    /// where the context is lost.
    ///
    /// Inflating goes on from these octets alone, as it will for whoever resumes with them: a block
    /// that the last message left open is given up.
    pub fn inflate_history(&mut self) -> Option<&[u8]> {
        if self.context_lost {
            return None;
        }
        let inflater = self.inflater.as_deref_mut()?;
        inflater.restart();
        Some(inflater.history())
    }

    /// Whether a frame with this header is a message of its own that needs no context and changes none:
    /// not a fragment, not compressed, not the end of doubt about what was begun before. It may then be
    /// given to [`MessageAssembler::whole_message`].
    #[inline]
    pub fn is_whole_message(&self, header: &FrameHeader) -> bool {
        let compressed = header.rsv.rsv1() && self.no_context_takeover.is_some();
        let is_alone = self.building.is_none() && !self.has_unseen;
        header.fin && header.opcode.begins_message() && !compressed && is_alone
    }

    /// Whether the octets of a message of this kind matter here.
    #[inline]
    pub fn wants_message(&self, opcode: Opcode) -> bool {
        opcode == Opcode::Text || self.data_limit > 0
    }

    /// The message that one frame is, see [`MessageAssembler::is_whole_message`]: `index` is the
    /// frame's ordinal, `plain` its payload, of which `data` are the octets to keep.
    #[inline]
    pub fn whole_message(
        &mut self,
        opcode: Opcode,
        index: u64,
        at: Timestamp,
        plain: &[u8],
        data: Bytes,
    ) -> Message {
        let mut fault = None;
        if opcode == Opcode::Text {
            let mut utf8 = Utf8Validator::default();
            utf8.push(plain);
            fault = utf8.finish().err().map(|at| MessageFault::NotUtf8 { at });
        }
        Message {
            direction: self.direction,
            index: self.count_message(),
            opcode,
            first_frame: index,
            last_frame: index,
            frames: 1,
            compressed: false,
            wire_len: plain.len() as u64,
            data_len: plain.len() as u64,
            data,
            fault,
            first_octet_at: at,
            last_octet_at: at,
        }
    }

    /// Counts a message that one frame is, and says its ordinal: all that is to be done for one whose
    /// octets are known to be in order, see [`MessageAssembler::is_whole_message`].
    #[inline]
    pub fn count_message(&mut self) -> u64 {
        self.in_data_frame = false;
        let number = self.next_index;
        self.next_index = number.saturating_add(1);
        number
    }

    /// A frame begins: `index` is its ordinal in its direction.
    pub fn begin_frame(&mut self, header: &FrameHeader, index: u64, at: Timestamp) -> Standing {
        let standing = match header.opcode {
            Opcode::Text | Opcode::Binary => {
                self.has_unseen = false;
                let compressed = header.rsv.rsv1() && self.no_context_takeover.is_some();
                let interleaved = self.building.is_some();
                if interleaved {
                    self.give_up();
                }
                self.building = Some(Building {
                    opcode: header.opcode,
                    compressed,
                    first_frame: index,
                    frames: 0,
                    wire_len: 0,
                    data_len: 0,
                    data: BytesMut::new(),
                    budget: self.inflate_budget,
                    utf8: Utf8Validator::default(),
                    fault: (compressed && self.context_lost).then_some(MessageFault::ContextLost),
                    first_octet_at: at,
                });
                self.in_data_frame = true;
                if interleaved { Standing::Interleaved } else { Standing::InOrder }
            }
            Opcode::Continuation => {
                self.in_data_frame = self.building.is_some();
                if self.in_data_frame || self.has_unseen {
                    self.has_unseen &= self.in_data_frame || !header.fin;
                    Standing::InOrder
                } else {
                    Standing::Orphan
                }
            }
            _ => {
                self.in_data_frame = false;
                Standing::InOrder
            }
        };
        if self.in_data_frame
            && let Some(building) = &mut self.building
        {
            building.frames = building.frames.saturating_add(1);
            building.wire_len = building.wire_len.saturating_add(header.payload_len.value);
        }
        standing
    }

    /// Whether the octets of the frame in progress matter here: if not, unmasking them is in vain.
    #[inline]
    pub fn wants_payload(&self) -> bool {
        self.in_data_frame
            && self.building.as_ref().is_some_and(|building| {
                building.compressed || building.opcode == Opcode::Text || self.data_limit > 0
            })
    }

    /// Octets of the frame in progress are there, uninteresting to this lane.
    pub fn skip_payload(&mut self, len: u64) {
        if self.in_data_frame
            && let Some(building) = &mut self.building
        {
            building.data_len = building.data_len.saturating_add(len);
        }
    }

    /// Octets of the frame in progress are there, of which [`MessageAssembler::takes_ascii_unseen`] and
    /// which are ASCII.
    #[inline]
    pub fn push_ascii(&mut self, len: u64) {
        if let Some(building) = &mut self.building {
            building.utf8.push_ascii(len);
            building.data_len = building.data_len.saturating_add(len);
        }
    }

    /// Whether all that matters of the octets of the frame in progress is that they are ASCII: text
    /// that is neither compressed nor kept, at the start of a character.
    #[inline]
    pub fn takes_ascii_unseen(&self) -> bool {
        self.data_limit == 0
            && self.in_data_frame
            && self.building.as_ref().is_some_and(|building| {
                building.opcode == Opcode::Text
                    && !building.compressed
                    && building.utf8.is_at_start()
            })
    }

    /// Octets of the frame in progress, unmasked.
    #[inline]
    pub fn push_payload(&mut self, octets: &[u8]) {
        if !self.in_data_frame {
            return;
        }
        let Some(building) = &mut self.building else { return };
        if !building.compressed {
            building.take_in(octets, self.data_limit);
        } else if building.fault.is_none() {
            let inflater = self.inflater.get_or_insert_with(|| {
                Box::new(Inflater::new(self.no_context_takeover.unwrap_or(false)))
            });
            let limit = self.data_limit;
            let mut budget = building.budget;
            let outcome =
                inflater.push(octets, &mut budget, &mut |fresh| building.take_in(fresh, limit));
            building.budget = budget;
            self.note_inflating(outcome);
        }
    }

    /// The frame in progress is whole; a message, where it ends one.
    #[inline]
    pub fn end_frame(
        &mut self,
        header: &FrameHeader,
        index: u64,
        at: Timestamp,
    ) -> Option<Message> {
        if !self.in_data_frame || !header.fin {
            return None;
        }
        self.in_data_frame = false;
        if self.building.as_ref().is_some_and(|b| b.compressed && b.fault.is_none()) {
            self.finish_inflating();
        }
        let building = self.building.take()?;
        let utf8_fault = match building.utf8.finish() {
            Err(at) if building.opcode == Opcode::Text => Some(MessageFault::NotUtf8 { at }),
            _ => None,
        };
        let message = Message {
            direction: self.direction,
            index: self.next_index,
            opcode: building.opcode,
            first_frame: building.first_frame,
            last_frame: index,
            frames: building.frames,
            compressed: building.compressed,
            wire_len: building.wire_len,
            data_len: building.data_len,
            data: building.data.freeze(),
            fault: building.fault.or(utf8_fault),
            first_octet_at: building.first_octet_at,
            last_octet_at: at,
        };
        self.next_index = self.next_index.saturating_add(1);
        Some(message)
    }

    /// Whether no message is in progress.
    pub fn is_between_messages(&self) -> bool {
        self.building.is_none()
    }

    /// Data of the message in progress so far, and what is wrong with it.
    pub fn partial(&mut self) -> Option<(Bytes, Option<MessageFault>)> {
        self.building.as_mut().map(|b| (b.data.split().freeze(), b.fault))
    }

    /// The message in progress never ends. Its octets stay in the window only of a sender that keeps
    /// one from message to message.
    fn give_up(&mut self) {
        if self.no_context_takeover == Some(true)
            && let Some(inflater) = &mut self.inflater
        {
            inflater.forget();
        }
    }

    fn finish_inflating(&mut self) {
        let inflater = self.inflater.get_or_insert_with(|| {
            Box::new(Inflater::new(self.no_context_takeover.unwrap_or(false)))
        });
        let outcome = inflater.finish_message();
        self.note_inflating(outcome);
    }

    fn note_inflating(&mut self, outcome: Result<(), InflateFault>) {
        let (Err(fault), Some(building)) = (outcome, &mut self.building) else { return };
        building.fault = Some(match fault {
            InflateFault::Invalid => MessageFault::InflateFailed { after: building.data_len },
            InflateFault::OverBudget => MessageFault::OverBudget { budget: self.inflate_budget },
        });
        if self.no_context_takeover == Some(true) {
            if let Some(inflater) = &mut self.inflater {
                inflater.forget();
            }
        } else {
            self.context_lost = true;
            self.inflater = None;
        }
    }
}

impl Building {
    #[inline]
    fn take_in(&mut self, octets: &[u8], limit: usize) {
        if self.opcode == Opcode::Text {
            self.utf8.push(octets);
        }
        self.data_len = self.data_len.saturating_add(octets.len() as u64);
        let room = limit.saturating_sub(self.data.len());
        if room > 0 {
            self.data.extend_from_slice(octets.get(..room.min(octets.len())).unwrap_or_default());
        }
    }
}
