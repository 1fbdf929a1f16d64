//! The line of a frame.

use std::io::{self, Write};

use framescope_core::export::Paired;
use framescope_core::present::{octets, thousands};
use framescope_core::subprotocol::Dissection;
use framescope_core::{Direction, Frame, FrameHeader, Message, Opcode};

use super::Line;
use crate::view::explanation::{close_text, readable};
use crate::view::{Role, escape};

/// Problems of one message that get a line of their own.
const PROBLEM_LINES: usize = 8;

/// Columns of the fields between the prefix and the payload.
const FIELDS_COLUMNS: usize = 32;

impl<W: Write> Line<'_, W> {
    pub(super) fn frame(&mut self, frame: &Frame, paired: &Paired) -> io::Result<()> {
        self.seen().frames[frame.direction.index()] += 1;
        self.at = frame.last_octet_at;
        self.prefix()?;
        let header = &frame.header;
        let side = match frame.direction {
            Direction::ClientToServer => Role::ClientToServer,
            Direction::ServerToClient => Role::ServerToClient,
        };
        let key = match header.masking_key {
            Some(key) => self.lines.palette.paint(Role::Key, key.to_string()),
            None => self.lines.palette.paint(Role::Weak, "unmasked".to_owned()),
        };
        let len = thousands(header.payload_len.value);
        let overflow = len.len().saturating_sub(7);
        write!(
            self.out,
            "{} {:<6} {} {key} {:>7}",
            self.paint(side, frame.direction.arrow()),
            self.paint(Role::Opcode, short_name(header.opcode)),
            self.paint(Role::Fin, flags(header)),
            self.paint(Role::Length, len),
        )?;
        let room = self.room(FIELDS_COLUMNS + overflow);
        let message = paired.message.as_ref();
        let dissection = paired.reading.dissection.as_deref();
        let (remark, text) = match dissection {
            Some(dissection) => dissected(dissection, message, room),
            None => preview(frame, message, room),
        };
        let fault = message.and_then(|message| message.fault);
        let has_remark = !remark.is_empty();
        let role = if fault.is_some() { Role::Warning } else { Role::Weak };
        if has_remark {
            write!(self.out, "  {}", self.paint(role, remark))?;
        }
        match (text.is_empty(), has_remark) {
            (true, _) => writeln!(self.out),
            (false, true) => writeln!(self.out, " {text}"),
            (false, false) => writeln!(self.out, "  {text}"),
        }?;
        if let Some(compressed) = &paired.reading.compression {
            self.seen().compression[frame.direction.index()] = compressed.so_far;
        }
        self.detail(paired)?;
        match dissection {
            Some(dissection) => self.problems(dissection, frame.direction),
            None => Ok(()),
        }
    }

    /// What the sub-protocol's grammar forbids, a line each.
    pub(super) fn problems(
        &mut self,
        dissection: &Dissection,
        direction: Direction,
    ) -> io::Result<()> {
        for problem in dissection.problems().take(PROBLEM_LINES) {
            let protocol = dissection.choice.protocol;
            self.direction(Role::Warning, "▲", direction, &format!("{protocol}: {problem}"))?;
        }
        match dissection.problems().count().saturating_sub(PROBLEM_LINES) {
            0 => Ok(()),
            more => {
                let text = format!("and {} more", thousands(more as u64));
                self.direction(Role::Warning, "▲", direction, &text)
            }
        }
    }
}

/// What a message says in the words of its sub-protocol, and which earlier message it answers.
fn dissected(dissection: &Dissection, message: Option<&Message>, room: usize) -> (String, String) {
    let remark = message.map(remark).unwrap_or_default();
    let mut text = dissection.summary();
    if let [packet] = dissection.packets.as_slice()
        && let Some(answer) = &packet.answers
    {
        let millis = answer.latency.as_secs_f64() * 1000.0;
        let (arrow, index) = (answer.to.direction.arrow(), answer.to.index);
        text = format!("{text}  ← {arrow}{index} after {millis:.3} ms");
    }
    let room = room.saturating_sub(escape::columns(&remark) + 1).max(10);
    (remark, escape::text(&text, room))
}

/// `text`, `cont`, and the like in six columns.
fn short_name(opcode: Opcode) -> String {
    match opcode {
        Opcode::Continuation => "cont".to_owned(),
        Opcode::ReservedNonControl(_) | Opcode::ReservedControl(_) => {
            format!("rsvd-{:x}", opcode.bits())
        }
        _ => opcode.name().to_owned(),
    }
}

/// `F` for FIN, then each reserved bit that is set by its number: `F1··`.
fn flags(header: &FrameHeader) -> String {
    let mut flags = String::from(if header.fin { "F" } else { "·" });
    let rsv = [header.rsv.rsv1(), header.rsv.rsv2(), header.rsv.rsv3()];
    for (is_set, digit) in rsv.into_iter().zip(['1', '2', '3']) {
        flags.push(if is_set { digit } else { '·' });
    }
    flags
}

/// A remark on what is shown, and what is shown: the message where the frame ends one that the frame
/// does not show by itself, else the frame's own payload.
fn preview(frame: &Frame, message: Option<&Message>, room: usize) -> (String, String) {
    if frame.header.opcode == Opcode::Close {
        return (String::new(), close_text(&frame.payload, room));
    }
    match message {
        Some(message) => {
            let remark = remark(message);
            let room = room.saturating_sub(escape::columns(&remark) + 1).max(10);
            (remark, payload_text(message.opcode, &message.data, room))
        }
        // A fragment of a compressed message is no text yet.
        None if frame.header.rsv.rsv1() => (String::new(), readable(&frame.payload, room)),
        None => (String::new(), payload_text(frame.header.opcode, &frame.payload, room)),
    }
}

/// Text as text even where it is broken; anything else as what it looks like.
fn payload_text(opcode: Opcode, octets: &[u8], columns: usize) -> String {
    if opcode != Opcode::Text {
        return readable(octets, columns);
    }
    let mut out = String::new();
    escape::push_text(&mut out, octets, columns);
    out
}

/// What sets a message apart from its last frame: `(3 frames, 42 octets)`.
fn remark(message: &Message) -> String {
    let mut parts = Vec::new();
    if message.frames > 1 {
        parts.push(format!("{} frames", thousands(message.frames)));
    }
    if message.compressed {
        parts.push(format!("inflated {}", thousands(message.data_len)));
    } else if message.frames > 1 {
        parts.push(octets(message.data_len));
    }
    if let Some(fault) = message.fault {
        parts.push(fault.to_string());
    }
    if parts.is_empty() { String::new() } else { format!("({})", parts.join(", ")) }
}
