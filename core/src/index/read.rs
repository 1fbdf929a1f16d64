//! Reading what a row stands for from the capture, without the index at hand.

use std::io::{self, Read, Seek};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::capture::locate::LanePlan;
use crate::frame::{FrameDecoder, FramePart};
use crate::message::{MessageAssembler, MessageFault, Microscope, Takeover};
use crate::session::Limits;
use crate::{Direction, FrameHeader, Timestamp};

/// Headers that may stand between the octets of a message: room beyond the limit that a reader asks.
const HEADER_ROOM: usize = 64 << 10;

/// Where in a capture the octets of one frame or message lie, and how to turn them into its content.
#[derive(Debug, Clone)]
pub struct ReadPlan {
    lane: LanePlan,
    /// Lane offset of the first octet the plan reads.
    start: u64,
    /// Lane offset of the frame that begins what is wanted.
    wanted: u64,
    inflate: Option<Inflate>,
}

#[derive(Debug, Clone)]
struct Inflate {
    no_context_takeover: bool,
    /// What messages from `start` on can refer to; `None` where that is missing.
    history: Option<Arc<[u8]>>,
}

/// One frame, read from the capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameContent {
    /// Every bit of its header.
    pub header: FrameHeader,
    /// Header and payload as on the wire, up to the limit.
    pub wire: Bytes,
    /// The payload unmasked, not inflated, up to the limit.
    pub payload: Bytes,
}

/// One message, read from the capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageContent {
    /// Its data, inflated where it was compressed, up to the limit.
    pub data: Bytes,
    /// There is more than the limit allowed.
    pub cut: bool,
    /// What is wrong with it, if anything.
    pub fault: Option<MessageFault>,
}

impl ReadPlan {
    pub(super) fn frame(lane: LanePlan, start: u64) -> Self {
        Self { lane, start, wanted: start, inflate: None }
    }

    pub(super) fn plain(lane: LanePlan, start: u64) -> Self {
        Self { lane, start, wanted: start, inflate: None }
    }

    pub(super) fn compressed(
        lane: LanePlan,
        start: u64,
        wanted: u64,
        no_context_takeover: bool,
        history: Arc<[u8]>,
    ) -> Self {
        let inflate = Some(Inflate { no_context_takeover, history: Some(history) });
        Self { lane, start, wanted, inflate }
    }

    /// A compressed message whose context is missing from the capture.
    pub(super) fn without_context(lane: LanePlan, start: u64) -> Self {
        let inflate = Some(Inflate { no_context_takeover: false, history: None });
        Self { lane, start, wanted: start, inflate }
    }

    /// Reads the frame, at most `limit` octets of its payload.
    ///
    /// # Errors
    /// What reading the capture gives; [`io::ErrorKind::UnexpectedEof`] where it does not hold a
    /// whole header at the planned place.
    pub fn read_frame<R: Read + Seek>(
        &self,
        capture: &mut R,
        limit: usize,
    ) -> io::Result<FrameContent> {
        let room = limit.saturating_add(crate::frame::header::MAX_HEADER_LEN);
        let octets = self.lane.read(capture, room)?;
        let (header, len) = FrameHeader::parse(&octets).ok_or(io::ErrorKind::UnexpectedEof)?;
        let end = usize::try_from(header.payload_len.value).unwrap_or(usize::MAX).min(limit);
        let wire = octets.slice(..len.saturating_add(end).min(octets.len()));
        let mut payload = wire.get(len..).unwrap_or_default().to_vec();
        if let Some(key) = header.masking_key {
            key.apply(0, &mut payload);
        }
        Ok(FrameContent { header, wire, payload: payload.into() })
    }

    /// How long the last octet of the frame or message was in the proxy, see [`Record::Octets`].
    ///
    /// [`Record::Octets`]: crate::Record::Octets
    ///
    /// # Errors
    /// What reading the capture gives.
    pub fn read_in_proxy<R: Read + Seek>(&self, capture: &mut R) -> io::Result<Option<Duration>> {
        self.lane.read_in_proxy(capture)
    }

    /// Looks closely at how the message was compressed, at most `limit` octets of it as they were on
    /// the wire; `None` where it was not. The messages before it are not needed for that.
    ///
    /// # Errors
    /// What reading the capture gives.
    pub fn read_compression<R: Read + Seek>(
        &self,
        capture: &mut R,
        limit: usize,
    ) -> io::Result<Option<(Microscope, Takeover)>> {
        let Some(inflate) = &self.inflate else { return Ok(None) };
        let before = usize::try_from(self.wanted.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let room = before.saturating_add(limit).saturating_add(HEADER_ROOM);
        let octets = self.lane.read(capture, room)?;
        let mut input = octets.get(before..).unwrap_or_default();
        let mut decoder = FrameDecoder::new(self.wanted);
        let (mut deflated, mut in_message, mut is_last) = (Vec::new(), false, false);
        while let Some(part) = decoder.next_part(&mut input) {
            match part {
                FramePart::Header { header, .. } => {
                    in_message = !header.opcode.is_control();
                    is_last = header.fin && in_message;
                }
                FramePart::Payload { octets, position, masking_key } if in_message => {
                    let start = deflated.len();
                    deflated.extend_from_slice(octets);
                    if let (Some(key), Some(fresh)) = (masking_key, deflated.get_mut(start..)) {
                        key.apply(position, fresh);
                    }
                }
                FramePart::End if is_last => break,
                FramePart::Lost => break,
                FramePart::Payload { .. } | FramePart::End => {}
            }
        }
        deflated.truncate(limit);
        let seen = Microscope::of(&deflated);
        Ok(Some((seen, seen.takeover(inflate.no_context_takeover))))
    }

    /// Reads the message, at most `limit` octets of its data.
    ///
    /// The lane is decoded anew from the plan's start: the frames of the message, control frames
    /// between them, and of a compressed lane the messages it refers to.
    ///
    /// # Errors
    /// What reading the capture gives.
    pub fn read_message<R: Read + Seek>(
        &self,
        capture: &mut R,
        limit: usize,
    ) -> io::Result<MessageContent> {
        let before = usize::try_from(self.wanted.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let room = before.saturating_add(limit).saturating_add(HEADER_ROOM);
        let octets = self.lane.read(capture, room)?;
        // The direction changes nothing about how octets are put together.
        let budget = Limits::KEEP.inflate_budget;
        let mut assembler = MessageAssembler::new(Direction::ServerToClient, limit, budget);
        if let Some(inflate) = &self.inflate {
            match &inflate.history {
                Some(history) => assembler.resume_inflating(inflate.no_context_takeover, history),
                None => assembler.lose_context(),
            }
        }
        let mut decoder = FrameDecoder::new(self.start);
        let (mut input, mut scratch) = (&octets[..], Vec::new());
        let mut current: Option<(FrameHeader, u64)> = None;
        let mut control = None;
        while let Some(part) = decoder.next_part(&mut input) {
            match part {
                FramePart::Header { header, offset } => {
                    if offset == self.wanted && !header.opcode.begins_message() {
                        control = Some(header);
                    }
                    assembler.begin_frame(&header, offset, Timestamp::default());
                    current = Some((header, offset));
                }
                FramePart::Payload { octets, position, masking_key } => {
                    scratch.clear();
                    scratch.extend_from_slice(octets);
                    if let Some(key) = masking_key {
                        key.apply(position, &mut scratch);
                    }
                    if control.is_some() {
                        return Ok(whole_or_cut(&scratch, limit, control));
                    }
                    assembler.push_payload(&scratch);
                }
                FramePart::End => {
                    let Some((header, offset)) = current else { continue };
                    if control.is_some() {
                        return Ok(whole_or_cut(&[], limit, control));
                    }
                    let message = assembler.end_frame(&header, offset, Timestamp::default());
                    if let Some(message) = message.filter(|m| m.first_frame == self.wanted) {
                        let cut = message.data_len > message.data.len() as u64;
                        return Ok(MessageContent {
                            data: message.data,
                            cut,
                            fault: message.fault,
                        });
                    }
                }
                FramePart::Lost => break,
            }
        }
        let (data, fault) = assembler.partial().unwrap_or_default();
        Ok(MessageContent { data, cut: true, fault })
    }
}

/// The payload of a control frame, or of a frame that belongs to no message.
fn whole_or_cut(payload: &[u8], limit: usize, header: Option<FrameHeader>) -> MessageContent {
    let data = Bytes::copy_from_slice(payload.get(..limit.min(payload.len())).unwrap_or_default());
    let due = header.map_or(0, |header| header.payload_len.value);
    MessageContent { cut: (data.len() as u64) < due, data, fault: None }
}
