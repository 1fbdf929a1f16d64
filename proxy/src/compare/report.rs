//! The comparison as a table and as JSON.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use framescope_core::present::thousands;
use serde_json::{Value, json};

use super::listener::Heard;
use super::{Tally, Transport};
use crate::view::{Palette, Role};

/// What was measured.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Messages that the speaker said.
    pub messages: u32,
    /// Octets of one message as the server tells it.
    pub payload: usize,
    /// A row a transport.
    pub rows: Vec<Row>,
}

/// What one transport made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which.
    pub transport: Transport,
    /// Messages that its listener heard.
    pub delivered: u32,
    /// Requests that it sent, opening handshakes among them.
    pub requests: u64,
    /// Connections that it opened in all.
    pub connections: u64,
    /// Connections that stood open when the last message had been heard.
    pub connections_held: u64,
    /// Octets of request and response heads, both ways.
    pub head_octets: u64,
    /// Octets of bodies and frames, both ways.
    pub body_octets: u64,
    /// Octets on the wire beyond the messages themselves, for each message heard.
    pub overhead_per_message: f64,
    /// From the moment a message is said until it is heard, in milliseconds: half are not above it.
    pub delay_p50_ms: f64,
    /// The same: 99 of 100 are not above it.
    pub delay_p99_ms: f64,
}

impl Row {
    /// From what the wire had, when what was said, and when it was heard.
    pub(super) fn new(
        transport: Transport,
        tally: &Tally,
        held: u64,
        said: &[Instant],
        heard: &[Heard],
    ) -> Self {
        let delay = |heard: &Heard| {
            let said = said.get(usize::try_from(heard.number).ok()?)?;
            Some(heard.at.saturating_duration_since(*said))
        };
        let mut delays: Vec<Duration> = heard.iter().filter_map(delay).collect();
        delays.sort_unstable();
        let delivered = u32::try_from(delays.len()).unwrap_or(u32::MAX);
        let payload = u64::from(delivered).saturating_mul(super::payload_len() as u64);
        let beyond = (tally.head_octets + tally.body_octets).saturating_sub(payload);
        #[expect(clippy::cast_precision_loss, reason = "octets of a short conversation")]
        let overhead_per_message = beyond as f64 / f64::from(delivered.max(1));
        Self {
            transport,
            delivered,
            requests: tally.requests,
            connections: tally.connections,
            connections_held: held,
            head_octets: tally.head_octets,
            body_octets: tally.body_octets,
            overhead_per_message,
            delay_p50_ms: percentile(&delays, 50),
            delay_p99_ms: percentile(&delays, 99),
        }
    }
}

/// The least of these sorted delays that `percent` of them do not exceed, in milliseconds.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map_or(0.0, |delay| delay.as_secs_f64() * 1000.0)
}

impl Comparison {
    /// As one JSON object.
    pub fn json(&self) -> Value {
        let row = |row: &Row| {
            json!({
                "transport": row.transport.label(),
                "delivered": row.delivered,
                "requests": row.requests,
                "connections": row.connections,
                "connections_held": row.connections_held,
                "head_octets": row.head_octets,
                "body_octets": row.body_octets,
                "overhead_per_message": row.overhead_per_message,
                "delay_p50_ms": row.delay_p50_ms,
                "delay_p99_ms": row.delay_p99_ms,
            })
        };
        json!({
            "messages": self.messages,
            "payload_octets": self.payload,
            "transports": self.rows.iter().map(row).collect::<Vec<_>>(),
        })
    }

    /// As a table to read.
    pub fn table(&self, palette: Palette) -> String {
        let heading = [
            "transport",
            "heard",
            "requests",
            "held",
            "head octets",
            "body octets",
            "overhead each",
            "delay p50",
            "delay p99",
        ];
        let lines: Vec<[String; 9]> = self
            .rows
            .iter()
            .map(|row| {
                [
                    row.transport.label().to_owned(),
                    thousands(u64::from(row.delivered)),
                    thousands(row.requests),
                    thousands(row.connections_held),
                    thousands(row.head_octets),
                    thousands(row.body_octets),
                    format!("{:.0} octets", row.overhead_per_message),
                    format!("{:.1} ms", row.delay_p50_ms),
                    format!("{:.1} ms", row.delay_p99_ms),
                ]
            })
            .collect();
        let widths: Vec<usize> = (0..heading.len())
            .map(|column| {
                let cells = lines.iter().map(|line| line[column].len());
                cells.chain([heading[column].len()]).max().unwrap_or(0)
            })
            .collect();
        let mut out = String::new();
        let told = format!(
            "{} messages of {} octets, said over WebSocket and heard over each transport at once:\n\n",
            thousands(u64::from(self.messages)),
            self.payload
        );
        out.push_str(&told);
        let mut cells = String::new();
        for (column, (name, width)) in heading.iter().zip(&widths).enumerate() {
            put(&mut cells, column, name, *width);
        }
        let _ = writeln!(out, "{}", palette.paint(Role::Weak, cells));
        for line in &lines {
            let mut cells = String::new();
            for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                put(&mut cells, column, cell, *width);
            }
            let _ = writeln!(out, "{cells}");
        }
        let notes = "
held           connections that stood open for one listener while it waited
head octets    request and response heads; body octets: bodies, chunk framing, frames
overhead each  octets on the wire beyond the message itself, for each message heard
delay          from the moment it was said until it was heard, on this machine
";
        let _ = write!(out, "{}", palette.paint(Role::Weak, notes));
        out
    }
}

/// The first column stands left, numbers stand right.
fn put(line: &mut String, column: usize, cell: &str, width: usize) {
    // Writing to a String cannot fail.
    let _ = match column {
        0 => write!(line, "{cell:<width$}"),
        _ => write!(line, "  {cell:>width$}"),
    };
}
