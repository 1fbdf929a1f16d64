//! What stands below the line of a frame that ends a message: its payload as a format, the fields of its
//! sub-protocol, how it was compressed.
//!
//! ```text
//! 12:04:31.482    #1 ↓ binary F··· unmasked      12  82 a2 69 64 …
//!                    │ MessagePack, likely because it is MessagePack to its end: a map with names
//!                    │ {
//!                    │   "id": 1234
//!                    │ }
//! ```

use std::io::{self, Write};

use framescope_core::export::{Compressed, FrameTiming, Paired};
use framescope_core::payload::hex;
use framescope_core::payload::{Body, Confidence, Fact, Node, Notation, Seen, Span, View};
use framescope_core::present::{counted, octets, span};
use framescope_core::subprotocol::{Dissection, FieldForm};

use super::{Line, PREFIX_COLUMNS};
use crate::view::{Role, escape};

/// Columns that the body of a block has at least, where a line has as many.
const LEAST_ROOM: usize = 78;
/// Octets of a long token, such as a text in a tree, that are laid out before the line is cut.
const TOKEN_OCTETS: usize = 1024;

impl<W: Write> Line<'_, W> {
    /// All that was asked for, a block each.
    pub(super) fn detail(&mut self, paired: &Paired) -> io::Result<()> {
        let reading = &paired.reading;
        if let Some(timing) = &paired.timing
            && self.lines.layout.fields
        {
            self.below(Role::Weak, &time(timing))?;
        }
        if let (Some(seen), Some(message)) = (&reading.payload, &paired.message) {
            self.payload(seen, &message.data)?;
        }
        if let Some(dissection) = &reading.dissection
            && self.lines.layout.fields
        {
            self.fields(dissection)?;
        }
        if let Some(compressed) = &reading.compression
            && compressed.seen.is_some()
        {
            self.compression(compressed)?;
        }
        Ok(())
    }

    /// A payload, then what is inside of it, to the innermost.
    fn payload(&mut self, seen: &Seen, data: &[u8]) -> io::Result<()> {
        self.below(Role::Strong, &heading(&seen.view, &seen.reason, seen.confidence))?;
        let mut left = match self.lines.layout.payload_lines {
            0 => usize::MAX,
            lines => lines,
        };
        let (mut view, mut data) = (&seen.view, data);
        loop {
            if !view.facts.is_empty() {
                self.below(Role::Weak, &facts(&view.facts))?;
            }
            let more = match &view.body {
                Body::Octets => self.rows(data, &mut left)?,
                Body::Lines(lines) => self.text(lines, data, &mut left)?,
                Body::Tree(tree) => {
                    self.tree(&Notation::new(tree, data), tree.nodes(), &mut left)?
                }
                Body::Image(_) | Body::Inner(_) => 0,
            };
            if more > 0 {
                let more = counted(more as u64, "more line", "more lines");
                self.below(Role::Weak, &format!("… {more}; --payload-lines 0 shows all"))?;
            }
            if let Some(fault) = &view.fault {
                self.below(Role::Warning, &format!("▲ {fault}"))?;
            }
            if let Some(cut) = &view.cut {
                self.below(Role::Warning, &format!("▲ {cut}"))?;
            }
            let Body::Inner(inner) = &view.body else { return Ok(()) };
            if inner.octets.is_empty() && view.fault.is_some() {
                return Ok(());
            }
            let detection = &inner.detection;
            let inside = heading(&inner.view, &detection.reason, Some(detection.confidence));
            self.below(Role::Strong, &format!("inside: {inside}"))?;
            (view, data) = (&inner.view, &inner.octets);
        }
    }

    /// A hex dump; says how many rows are left out.
    fn rows(&mut self, data: &[u8], left: &mut usize) -> io::Result<usize> {
        let rows = hex::rows(data.len());
        let shown = rows.min(*left);
        for row in (0..shown).filter_map(|place| hex::row(data, place)) {
            self.below(
                Role::Text,
                &format!("{:08x}  {:<48}  {}", row.offset, row.hex(), row.ascii()),
            )?;
        }
        *left -= shown;
        Ok(rows - shown)
    }

    /// Lines of text, long ones wrapped; says how many are left out.
    fn text(&mut self, lines: &[Span], data: &[u8], left: &mut usize) -> io::Result<usize> {
        let room = self.room_below();
        for (place, line) in lines.iter().enumerate() {
            if *left == 0 {
                return Ok(lines.len() - place);
            }
            let (wrapped, is_whole) = escape::wrapped(line.of(data), room, *left);
            for part in &wrapped {
                self.below(Role::Text, part)?;
            }
            *left -= wrapped.len();
            if !is_whole {
                return Ok(lines.len() - place);
            }
        }
        Ok(0)
    }

    /// A tree laid out, with what else is to be said of each value; says how many lines are left out.
    fn tree(
        &mut self,
        notation: &Notation<'_>,
        nodes: &[Node],
        left: &mut usize,
    ) -> io::Result<usize> {
        let lines = notation.lines();
        let shown = lines.len().min(*left);
        let room = self.room_below();
        for (place, line) in lines.iter().take(shown).enumerate() {
            let indent = "  ".repeat(line.indent.min(room / 4));
            let text = format!("{indent}{}", notation.line(place, TOKEN_OCTETS));
            let text = escape::text(&text, room);
            // What closes a container names its node again.
            let is_first = place == 0 || lines.get(place - 1).is_none_or(|l| l.node != line.node);
            let remark = nodes.get(line.node).filter(|_| is_first).map(remark).unwrap_or_default();
            let room = room.saturating_sub(escape::columns(&text) + 2);
            if remark.is_empty() || room < 8 {
                self.below(Role::Text, &text)?;
            } else {
                let remark = self.paint(Role::Weak, escape::text(&remark, room)).to_string();
                self.below_as_is(&format!("{text}  {remark}"))?;
            }
        }
        *left -= shown;
        Ok(lines.len() - shown)
    }

    /// The packets of a message, field by field.
    fn fields(&mut self, dissection: &Dissection) -> io::Result<()> {
        let choice = &dissection.choice;
        self.below(Role::Strong, &format!("{}: {}", choice.protocol, choice.reason))?;
        for packet in &dissection.packets {
            let role = Some(packet.role.name()).filter(|role| *role != packet.kind);
            let role = role.map(|role| format!(", {role}")).unwrap_or_default();
            self.below(Role::Opcode, &format!("{}{role}", packet.kind))?;
            for field in &packet.fields {
                let indent = "  ".repeat(usize::from(field.depth) + 1);
                let text = match field.form {
                    FieldForm::Group => format!("{indent}{}", field.name),
                    _ => format!("{indent}{}: {}", field.name, field.value),
                };
                self.below(Role::Text, &text)?;
            }
        }
        match dissection.more_packets {
            0 => Ok(()),
            more => self
                .below(Role::Weak, &format!("… {}", counted(more, "more packet", "more packets"))),
        }
    }

    /// The message under the microscope, and what compression saved on its direction so far.
    fn compression(&mut self, compressed: &Compressed) -> io::Result<()> {
        self.below(Role::Strong, &format!("permessage-deflate: {}", compressed.facts))?;
        if let Some((microscope, takeover)) = &compressed.seen {
            self.below(Role::Text, &format!("context takeover {}", takeover.label()))?;
            let blocks = [
                (microscope.stored_blocks, "stored"),
                (microscope.fixed_blocks, "with fixed codes"),
                (microscope.dynamic_blocks, "with codes of its own"),
            ];
            let blocks = blocks.into_iter().filter(|(count, _)| *count > 0);
            let blocks: Vec<String> = blocks
                .map(|(count, what)| format!("{} {what}", counted(count, "block", "blocks")))
                .collect();
            let mut made = vec![counted(microscope.literals, "literal", "literals")];
            if microscope.stored > 0 {
                made.push(format!("{} as they are", octets(microscope.stored)));
            }
            if microscope.matches > 0 {
                let copies = counted(microscope.matches, "copy", "copies");
                made.push(format!("{copies} of {} in all", octets(microscope.matched)));
            }
            let made = format!("{}: {}", blocks.join(", "), made.join(", "));
            self.below(Role::Text, &made)?;
            if let Some(farthest) = microscope.reach.farthest {
                let text = format!(
                    "{} from earlier messages; the farthest copy refers {} back: a window of 2^{} serves",
                    octets(microscope.from_before),
                    octets(u64::from(farthest.distance)),
                    microscope.window_bits(),
                );
                self.below(Role::Text, &text)?;
            }
        }
        let so_far = compressed.so_far;
        let messages = counted(so_far.messages, "message", "messages");
        self.below(Role::Weak, &format!("so far, {messages}: {so_far}"))
    }

    /// Columns of a line below, behind its bar.
    fn room_below(&self) -> usize {
        self.lines.layout.columns.saturating_sub(self.indent_below() + 2).max(20)
    }

    /// Below the direction's arrow, unless that leaves too little room.
    fn indent_below(&self) -> usize {
        PREFIX_COLUMNS.min(self.lines.layout.columns.saturating_sub(LEAST_ROOM + 2))
    }

    /// A line of a block, made harmless and cut.
    fn below(&mut self, role: Role, text: &str) -> io::Result<()> {
        let text = escape::text(text, self.room_below());
        let text = self.paint(role, text).to_string();
        self.below_as_is(&text)
    }

    fn below_as_is(&mut self, text: &str) -> io::Result<()> {
        let indent = " ".repeat(self.indent_below());
        let bar = self.paint(Role::Weak, "│");
        let text = format!("{indent}{bar} {text}");
        writeln!(self.out, "{}", text.trim_end())
    }
}

/// `1.20 ms after the frame before it, 4.00 ms in its direction; in 3 reads; 21 µs in the proxy`.
fn time(timing: &FrameTiming) -> String {
    let mut parts = Vec::new();
    match (timing.since_connection, timing.since_lane) {
        (Some(any), Some(same)) if any == same => {
            parts.push(format!("{} after the frame before it", span(any)));
        }
        (Some(any), Some(same)) => {
            let (any, same) = (span(any), span(same));
            parts.push(format!("{any} after the frame before it, {same} in its direction"));
        }
        (Some(any), None) => {
            parts.push(format!(
                "{} after the frame before it, the first of its direction",
                span(any)
            ));
        }
        (None, _) => parts.push("the first frame".to_owned()),
    }
    if let Some(reads) = timing.reads {
        parts.push(format!("in {}", counted(reads, "read", "reads")));
    }
    if let Some(time) = timing.in_proxy {
        parts.push(format!("{} in the proxy", span(time)));
    }
    parts.join("; ")
}

/// `MessagePack, likely because it is MessagePack to its end`.
fn heading(view: &View, reason: &str, confidence: Option<Confidence>) -> String {
    let format = view.format;
    match confidence {
        None => format!("{format}, {reason}"),
        Some(Confidence::Certain) => format!("{format}, because it {reason}"),
        Some(confidence) => format!("{format}, {} because it {reason}", confidence.name()),
    }
}

fn facts(facts: &[Fact]) -> String {
    let facts: Vec<String> =
        facts.iter().map(|fact| format!("{} {}", fact.label, fact.text)).collect();
    facts.join(" · ")
}

/// What is to be said of a value besides what it is.
fn remark(node: &Node) -> String {
    let mut parts: Vec<String> = node.note.iter().map(ToString::to_string).collect();
    parts.extend(node.readings.iter().map(|also| format!("or {} {}", also.kind, also.text)));
    parts.join("; ")
}
