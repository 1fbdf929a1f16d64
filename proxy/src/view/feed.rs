//! The feed: records in, lines of one format out.

use std::io::{self, Write};

use framescope_core::capture::{CaptureFault, CaptureItem};
use framescope_core::export::{Depth, JsonLines, Only};
use framescope_core::present::{Secrets, thousands};
use framescope_core::session::Limits;
use framescope_core::{Event, EventKind, Session};

use crate::view::Palette;
use crate::view::lines::{Layout, Lines};

/// Octets of a payload that a line can show.
const PREVIEW_OCTETS: usize = 4096;

/// Octets of a message that its sub-protocol is told from.
const MESSAGE_OCTETS: usize = 256 << 10;

/// Octets of a message that is shown as a format, or looked at under the microscope.
const READ_OCTETS: usize = 4 << 20;

/// What is written for each event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// A line for a person.
    Text(Layout),
    /// A JSON object (`docs/JSONL.md`).
    Json,
    /// Nothing; events are counted.
    Quiet,
}

/// Why a view ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The capture cannot be read.
    #[error("cannot read the capture: {0}")]
    Capture(io::Error),
    /// The view cannot be written; [`io::ErrorKind::BrokenPipe`] where nobody reads it any more.
    #[error("cannot write the view: {0}")]
    Output(io::Error),
    /// SIGINT and SIGTERM cannot be listened for.
    #[error("cannot listen for signals: {0}")]
    Signals(io::Error),
}

/// Understands records and writes what they mean.
pub struct Feed<W> {
    session: Session,
    sink: Sink<W>,
    tally: Tally,
}

enum Sink<W> {
    Text { lines: Lines, out: W },
    Json(JsonLines<W>),
    Quiet(W),
}

/// How much was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Connections opened.
    pub connections: u64,
    /// Frames.
    pub frames: u64,
    /// Data messages.
    pub messages: u64,
    /// Findings of any severity.
    pub findings: u64,
    /// Faults of the capture itself.
    pub faults: u64,
    /// Records read.
    pub records: u64,
}

impl<W: Write> Feed<W> {
    /// A feed that writes `format` to `out`.
    pub fn new(format: Format, palette: Palette, secrets: Secrets, out: W) -> io::Result<Self> {
        Self::with(format, palette, secrets, Depth::default(), out)
    }

    /// The same, with messages read as deeply as `depth` says.
    pub fn with(
        format: Format,
        palette: Palette,
        secrets: Secrets,
        depth: Depth,
        out: W,
    ) -> io::Result<Self> {
        let (limits, sink) = match format {
            Format::Text(layout) => {
                let kept = |is_read, otherwise| if is_read { READ_OCTETS } else { otherwise };
                let limits = Limits {
                    frame_payload: kept(depth.microscope, PREVIEW_OCTETS),
                    message_data: kept(depth.payload.is_some(), MESSAGE_OCTETS),
                    // Bodies of Engine.IO polling carry messages.
                    body_content: MESSAGE_OCTETS,
                    ..Limits::KEEP
                };
                let lines = Lines::new(layout, palette, secrets, depth);
                (limits, Sink::Text { lines, out })
            }
            Format::Json => (Limits::KEEP, Sink::Json(JsonLines::with(out, secrets, depth)?)),
            Format::Quiet => (Limits::COUNT, Sink::Quiet(out)),
        };
        Ok(Self { session: Session::new(limits), sink, tally: Tally::default() })
    }

    /// From here on, JSON Lines tell only what `only` admits.
    pub fn narrow(&mut self, only: Only) {
        if let Sink::Json(json) = &mut self.sink {
            json.narrow(only);
        }
    }

    /// How many JSON Lines were written.
    pub fn json_lines(&self) -> u64 {
        match &self.sink {
            Sink::Json(json) => json.written(),
            Sink::Text { .. } | Sink::Quiet(_) => 0,
        }
    }

    /// Takes in what a capture holds next.
    pub fn receive(&mut self, item: CaptureItem) -> io::Result<()> {
        match item {
            CaptureItem::Record { record, .. } => {
                self.tally.records += 1;
                match &mut self.sink {
                    Sink::Text { lines, .. } => lines.record(&record),
                    Sink::Json(json) => json.record(&record),
                    Sink::Quiet(_) => {}
                }
                self.session.receive(&record);
                while let Some(event) = self.session.poll_event() {
                    self.tally.count(&event);
                    self.sink.receive(event)?;
                }
                self.sink.settle()
            }
            CaptureItem::Fault(fault) => {
                self.tally.faults += 1;
                match &mut self.sink {
                    Sink::Text { lines, out } => lines.capture_fault(&fault, out),
                    Sink::Json(json) => json.capture_fault(offset_of(&fault), &fault.to_string()),
                    Sink::Quiet(_) => Ok(()),
                }
            }
        }
    }

    /// Hands everything written to whoever reads it.
    pub fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::Text { out, .. } | Sink::Quiet(out) => out.flush(),
            Sink::Json(json) => json.out().flush(),
        }
    }

    /// How much was seen so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }
}

impl<W: Write> Sink<W> {
    fn receive(&mut self, event: Event) -> io::Result<()> {
        match self {
            Self::Text { lines, out } => lines.receive(event, out),
            Self::Json(json) => json.receive(event),
            Self::Quiet(_) => Ok(()),
        }
    }

    fn settle(&mut self) -> io::Result<()> {
        match self {
            Self::Text { lines, out } => lines.settle(out),
            Self::Json(json) => json.settle(),
            Self::Quiet(_) => Ok(()),
        }
    }
}

/// Where in the file a fault lies.
fn offset_of(fault: &CaptureFault) -> u64 {
    match fault {
        CaptureFault::NotACapture { .. } => 0,
        CaptureFault::Damaged { offset, .. }
        | CaptureFault::Skipped { offset, .. }
        | CaptureFault::CutTail { offset, .. }
        | CaptureFault::UnknownLinkType { offset, .. }
        | CaptureFault::Unrecorded { offset, .. }
        | CaptureFault::UnreadableComment { offset, .. } => *offset,
    }
}

impl Tally {
    fn count(&mut self, event: &Event) {
        match &event.kind {
            EventKind::ConnectionOpened(_) => self.connections += 1,
            EventKind::FrameDecoded(_) => self.frames += 1,
            EventKind::MessageCompleted(_) => self.messages += 1,
            EventKind::DiagnosticRaised(_) => self.findings += 1,
            _ => {}
        }
    }
}

impl std::fmt::Display for Tally {
    /// `2 connections, 118 frames, 40 messages, no findings`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts = [
            (self.connections, "connection"),
            (self.frames, "frame"),
            (self.messages, "message"),
            (self.findings, "finding"),
        ];
        for (position, (count, noun)) in counts.into_iter().enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            let plural = if count == 1 { "" } else { "s" };
            match count {
                0 => write!(f, "{comma}no {noun}s")?,
                _ => write!(f, "{comma}{} {noun}{plural}", thousands(count))?,
            }
        }
        Ok(())
    }
}
