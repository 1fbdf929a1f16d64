//! JSON Lines: one JSON object a line, one line an event; the schema is `docs/JSONL.md`.

mod compression;
mod frame;
mod handshake;
mod line;
mod payload;
mod rest;
#[cfg(test)]
pub(super) mod samples;
mod subprotocol;
#[cfg(test)]
mod tests;
mod transport;
mod value;

use std::collections::HashMap;
use std::io::{self, Write};

use crate::export::{Depth, Only, Paired, Pairing};
use crate::present::Secrets;
use crate::{ConnectionId, Event, EventKind, Head, Record};
use line::Line;

/// The version of the schema, on the first line of every output.
///
/// It grows when a field is removed or changes its meaning; a field more does not change it.
pub const SCHEMA_VERSION: u32 = 1;

/// Writes events as JSON Lines.
///
/// A frame's line waits for the message it may end, so call [`JsonLines::settle`] when the session
/// has no further event for a record.
#[derive(Debug)]
pub struct JsonLines<W> {
    out: W,
    secrets: Secrets,
    pairing: Pairing,
    keys: HashMap<ConnectionId, String>,
    only: Option<Only>,
    written: u64,
}

impl<W: Write> JsonLines<W> {
    /// Begins an output: writes the line that names the schema.
    pub fn new(out: W, secrets: Secrets) -> io::Result<Self> {
        Self::with(out, secrets, Depth::default())
    }

    /// The same, with messages read as deeply as `depth` says; compressed ones always are looked at
    /// under the microscope.
    pub fn with(out: W, secrets: Secrets, depth: Depth) -> io::Result<Self> {
        let pairing = Pairing::new(Depth { microscope: true, ..depth });
        let mut lines =
            Self { out, secrets, pairing, keys: HashMap::default(), only: None, written: 0 };
        lines.write(&Line::schema())?;
        Ok(lines)
    }

    /// From here on, only what `only` admits is written; the rest is understood all the same.
    pub fn narrow(&mut self, only: Only) {
        self.only = Some(only);
    }

    /// How many lines were written, that of the schema included.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Takes in a record, before the events that it gives; frames are then told with the reads that they
    /// came in.
    pub fn record(&mut self, record: &Record) {
        self.pairing.record(record);
    }

    /// Takes in the next event of a session and writes what is ready.
    pub fn receive(&mut self, event: Event) -> io::Result<()> {
        self.pairing.receive(event);
        self.write_ready()
    }

    /// Writes what was held back.
    pub fn settle(&mut self) -> io::Result<()> {
        self.pairing.settle();
        self.write_ready()
    }

    /// Writes that the capture is damaged at this octet of the file.
    pub fn capture_fault(&mut self, offset: u64, reason: &str) -> io::Result<()> {
        self.settle()?;
        self.write(&Line::CaptureFault { offset, reason })
    }

    /// What is written to; for flushing.
    pub fn out(&mut self) -> &mut W {
        &mut self.out
    }

    fn write_ready(&mut self) -> io::Result<()> {
        while let Some(paired) = self.pairing.poll() {
            self.write_event(&paired)?;
        }
        Ok(())
    }

    fn write_event(&mut self, paired: &Paired) -> io::Result<()> {
        let event = &paired.event;
        if let EventKind::HeadReceived { head, .. } = &event.kind {
            self.learn_key(event.connection, head);
        }
        if self.only.as_ref().is_none_or(|only| only.admits(event)) {
            let key = self.keys.get(&event.connection).map(String::as_str);
            let line = Line::of(paired, key, self.secrets);
            write_line(&mut self.out, &line)?;
            self.written = self.written.saturating_add(1);
        }
        if matches!(event.kind, EventKind::ConnectionEnded(_)) {
            self.keys.remove(&event.connection);
        }
        Ok(())
    }

    /// Remembers the `Sec-WebSocket-Key` of a request, to be told on every line after it.
    fn learn_key(&mut self, connection: ConnectionId, head: &Head) {
        if head.method().is_some()
            && let Some(key) = head.value("Sec-WebSocket-Key")
        {
            self.keys.insert(connection, key.into_owned());
        }
    }

    fn write(&mut self, line: &Line<'_>) -> io::Result<()> {
        write_line(&mut self.out, line)?;
        self.written = self.written.saturating_add(1);
        Ok(())
    }
}

fn write_line(out: &mut impl Write, line: &Line<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}
