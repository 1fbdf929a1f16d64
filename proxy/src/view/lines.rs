//! One line an event, in the manner of tcpdump: time, connection, what happened.
//!
//! ```text
//! 12:04:31.482    #1 ↑ text   F··· 37fa213d       5  Hello
//!                 │  │ │      │    │              │  └ payload, or the message the frame ends
//!                 │  │ opcode │    masking key    payload length
//!                 │  direction└ FIN, RSV1–3
//!                 connection
//! ```

mod detail;
mod frame;
mod http;
mod transport;

use std::collections::{HashMap, VecDeque};
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use framescope_core::capture::CaptureFault;
use framescope_core::export::{Depth, Paired, Pairing};
use framescope_core::message::CompressionFacts;
use framescope_core::present::{Secrets, counted, octets, span, thousands};
use framescope_core::session::Ending;
use framescope_core::subprotocol::LatencySummary;
use framescope_core::{
    CloseCode, ConnectionId, ConnectionInfo, ConnectionNote, Diagnostic, Direction, Event,
    EventKind, Finish, Head, Record, Timestamp,
};
use jiff::tz::TimeZone;

use crate::view::explanation::{severity_role, severity_sign};
use crate::view::{Palette, Role, escape};

/// How lines are laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Columns a line may take.
    pub columns: usize,
    /// The zone that times are told in.
    pub zone: TimeZone,
    /// Lines that the payload of one message takes below its frame at most; 0 for all.
    pub payload_lines: usize,
    /// Whether the fields of sub-protocols stand below the frame too.
    pub fields: bool,
}

/// Turns events into lines.
#[derive(Debug)]
pub struct Lines {
    layout: Layout,
    palette: Palette,
    secrets: Secrets,
    pairing: Pairing,
    connections: HashMap<ConnectionId, Seen>,
    /// The day of the last line.
    day: Option<jiff::civil::Date>,
}

/// What is kept of a connection from line to line.
#[derive(Debug, Default)]
struct Seen {
    opened_at: Option<Timestamp>,
    /// The requests that wait for their answers.
    requests: VecDeque<Arc<Head>>,
    frames: [u64; 2],
    /// What compression made of each direction's messages.
    compression: [CompressionFacts; 2],
    /// A direction that ended while the other goes on; told when something follows it.
    finished: Option<(Timestamp, Direction)>,
}

/// Columns before the text of a line that is not a frame.
const PREFIX_COLUMNS: usize = 19;
/// Columns for sentences that tell what to do: a terminal folds them, and nothing of them is left out.
const SENTENCES: usize = 2000;

impl Lines {
    /// Lines for a reader with this layout.
    pub fn new(layout: Layout, palette: Palette, secrets: Secrets, depth: Depth) -> Self {
        Self {
            layout,
            palette,
            secrets,
            pairing: Pairing::new(depth),
            connections: HashMap::new(),
            day: None,
        }
    }

    /// Takes in a record, before the events that it gives: frames are then told with their timing, where
    /// their fields are.
    pub fn record(&mut self, record: &Record) {
        if self.layout.fields {
            self.pairing.record(record);
        }
    }

    /// Takes in the next event of a session and writes the lines that are ready.
    pub fn receive(&mut self, event: Event, out: &mut impl Write) -> io::Result<()> {
        self.pairing.receive(event);
        self.write_ready(out)
    }

    /// Writes what was held back.
    pub fn settle(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.pairing.settle();
        self.write_ready(out)
    }

    /// Writes that the capture itself is at fault.
    pub fn capture_fault(&mut self, fault: &CaptureFault, out: &mut impl Write) -> io::Result<()> {
        self.settle(out)?;
        let sign = self.palette.paint(Role::Warning, "▲");
        let room = self.layout.columns.saturating_sub(2);
        writeln!(out, "{sign} {}", escape::text(&fault.to_string(), room.max(200)))
    }

    fn write_ready(&mut self, out: &mut impl Write) -> io::Result<()> {
        while let Some(paired) = self.pairing.poll() {
            self.write(&paired, out)?;
        }
        Ok(())
    }

    fn write(&mut self, paired: &Paired, out: &mut impl Write) -> io::Result<()> {
        let Event { connection, at, kind } = &paired.event;
        self.tell_half_close(*connection, kind, out)?;
        let mut line = Line { lines: self, connection: *connection, at: *at, out };
        match kind {
            EventKind::ConnectionOpened(info) => line.opened(info),
            EventKind::ConnectionNoted(note) => line.noted(note),
            EventKind::HeadReceived { leg, head, .. } => line.head(*leg, head),
            EventKind::BodyCompleted { direction, .. } => line.body(*direction, paired),
            EventKind::MessageCompleted(_) => Ok(()),
            EventKind::ServerSentEvent(sent) => line.server_sent_event(sent),
            EventKind::TransportSeen(seen) => {
                line.transport(seen, paired.reading.dissection.as_deref())
            }
            EventKind::HandshakeCompleted(handshake) => line.handshake(handshake),
            EventKind::FrameDecoded(frame) => line.frame(frame, paired),
            EventKind::PingAnswered(trip) => {
                let millis = trip.took.as_secs_f64() * 1e3;
                let text =
                    format!("Pong to the {}'s Ping after {millis:.3} ms", trip.direction.sender());
                line.direction(Role::Weak, "·", !trip.direction, &text)
            }
            EventKind::DiagnosticRaised(diagnostic) => line.finding(diagnostic),
            EventKind::GapMet { direction, len } => {
                let text = match *len {
                    // That is the reason why it is not followed, told next.
                    0 => return Ok(()),
                    1 => "1 octet is not in the capture".to_owned(),
                    len => format!("{} are not in the capture", octets(len)),
                };
                line.direction(Role::Warning, "▲", *direction, &text)
            }
            EventKind::LaneLost { direction, offset, reason } => {
                let offset = thousands(*offset);
                let text = format!("not followed from octet {offset} on: {reason}");
                line.direction(Role::Warning, "▲", *direction, &text)
            }
            EventKind::LaneFound { direction, offset, passed_over } => {
                let behind = match *passed_over {
                    0 => String::new(),
                    len => format!(", behind {} that make none", octets(len)),
                };
                let offset = thousands(*offset);
                let text =
                    format!("followed from octet {offset} on, where frames were found{behind}");
                line.direction(Role::Warning, "▲", *direction, &text)
            }
            EventKind::DirectionFinished { direction, .. } => {
                line.seen().finished = Some((*at, *direction));
                Ok(())
            }
            EventKind::ConnectionEnded(ending) => line.ended(*ending, paired.reading.latency),
        }
    }

    /// A direction that ended is worth a line only where something follows in the other one.
    fn tell_half_close(
        &mut self,
        connection: ConnectionId,
        next: &EventKind,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let Some(seen) = self.connections.get_mut(&connection) else { return Ok(()) };
        let Some((at, direction)) = seen.finished.take() else { return Ok(()) };
        match next {
            EventKind::FrameDecoded(_) | EventKind::HeadReceived { .. } => {
                let text = format!("FIN: the {} has said all it had to say", direction.sender());
                let mut line = Line { lines: self, connection, at, out };
                line.direction(Role::Weak, "·", direction, &text)
            }
            _ => Ok(()),
        }
    }

    /// `12:04:31.482`, with a line for the day before it where that is a new one.
    fn time(&mut self, at: Timestamp, out: &mut impl Write) -> io::Result<String> {
        let Ok(stamp) = jiff::Timestamp::from_nanosecond(i128::from(at.as_nanos())) else {
            return Ok(format!("{:>12}", "?"));
        };
        let local = stamp.to_zoned(self.layout.zone.clone());
        if self.day != Some(local.date()) {
            self.day = Some(local.date());
            let day = local.strftime("── %Y-%m-%d %A, UTC%:z ──").to_string();
            writeln!(out, "{}", self.palette.paint(Role::Weak, day))?;
        }
        Ok(local.strftime("%H:%M:%S%.3f").to_string())
    }
}

/// `12 requests: 11 answered, the median after 1.20 ms, the slowest after 3.40 ms`.
fn requests(latency: &LatencySummary) -> String {
    let asked = counted(latency.requests, "request", "requests");
    let answered = thousands(latency.answered);
    match (latency.median, latency.longest) {
        (Some(median), Some(longest)) => {
            let (median, longest) = (span(median), span(longest));
            format!(
                "{asked}: {answered} answered, the median after {median}, the slowest after {longest}"
            )
        }
        _ => format!("{asked}: {answered} answered"),
    }
}

/// One line that is being written.
struct Line<'a, W> {
    lines: &'a mut Lines,
    connection: ConnectionId,
    at: Timestamp,
    out: &'a mut W,
}

impl<W: Write> Line<'_, W> {
    fn seen(&mut self) -> &mut Seen {
        self.lines.connections.entry(self.connection).or_default()
    }

    fn paint<T: Display>(&self, role: Role, text: T) -> impl Display + use<T, W> {
        self.lines.palette.paint(role, text)
    }

    /// Time and connection.
    fn prefix(&mut self) -> io::Result<()> {
        let time = self.lines.time(self.at, self.out)?;
        let time = self.paint(Role::Weak, time);
        let connection = self.paint(Role::Strong, self.connection.to_string());
        write!(self.out, "{time} {connection:>5} ")
    }

    /// Columns that are left behind the prefix and `used` further ones.
    fn room(&self, used: usize) -> usize {
        self.lines.layout.columns.saturating_sub(PREFIX_COLUMNS + used).max(20)
    }

    /// A line with a sign and a text that is harmless already or is made so here.
    fn plain(&mut self, role: Role, sign: &str, text: &str) -> io::Result<()> {
        self.prefix()?;
        let text = escape::text(text, self.room(2).max(SENTENCES));
        writeln!(self.out, "{} {}", self.paint(role, sign), self.paint(role, text))
    }

    fn direction(
        &mut self,
        role: Role,
        sign: &str,
        direction: Direction,
        text: &str,
    ) -> io::Result<()> {
        self.plain(role, sign, &format!("{} {text}", direction.arrow()))
    }

    fn opened(&mut self, info: &ConnectionInfo) -> io::Result<()> {
        self.seen().opened_at = Some(self.at);
        self.prefix()?;
        let tls = match &info.tls {
            None => String::new(),
            Some(tls) => format!(", {}", tls.version.as_deref().unwrap_or("TLS")),
        };
        let upstream = match &info.upstream {
            None => format!(" → {}", info.server),
            Some(upstream) => format!(" → {upstream}"),
        };
        let rest = escape::text(&format!("{}{tls}{upstream}", info.client), self.room(9).max(100));
        writeln!(
            self.out,
            "{} {}",
            self.paint(Role::Note, "● opened"),
            self.paint(Role::Weak, rest)
        )
    }

    fn noted(&mut self, note: &ConnectionNote) -> io::Result<()> {
        for alteration in &note.alterations {
            let shown = self.lines.secrets.alteration(alteration);
            let arrow = alteration.direction.arrow();
            // What stands for nothing is the proxy's own.
            let text = if shown.from.is_empty() {
                format!("{arrow} {} by the proxy: {}", shown.what, shown.to)
            } else {
                format!("{arrow} {}: {} → {}", shown.what, shown.from, shown.to)
            };
            let text = escape::text(&text, self.room(2).max(200));
            self.prefix()?;
            writeln!(self.out, "{} {}", self.paint(Role::Note, "~"), self.paint(Role::Weak, text))?;
        }
        if let Some(tls) = &note.upstream_tls
            && tls.unverified
        {
            self.plain(Role::Warning, "▲", "the upstream's certificate was not verified")?;
        }
        if let Some(stall) = note.stall.filter(|stall| stall.is_over) {
            let secs = Duration::from_nanos(stall.nanos).as_secs_f64();
            let text =
                format!("the {} reads again, after {secs:.1} s", (!stall.direction).sender());
            self.direction(Role::Weak, "·", stall.direction, &text)?;
        }
        match &note.failure {
            None => Ok(()),
            Some(failure) => {
                self.plain(Role::Error, "✗", &format!("{}: {}", failure.stage, failure.message))
            }
        }
    }

    fn finding(&mut self, diagnostic: &Diagnostic) -> io::Result<()> {
        let rule = diagnostic.rule;
        let colour = severity_role(rule.severity);
        self.prefix()?;
        let evidence = self.lines.secrets.words(&*diagnostic.evidence);
        let evidence = escape::text(&evidence, SENTENCES);
        let told = if evidence.is_empty() { rule.title } else { &evidence };
        writeln!(
            self.out,
            "{} {} {} {told} {}",
            self.paint(colour, severity_sign(rule.severity)),
            diagnostic.direction.arrow(),
            self.paint(colour, rule.code),
            self.paint(Role::Weak, format!("({})", rule.section)),
        )
    }

    fn ended(&mut self, ending: Ending, latency: Option<LatencySummary>) -> io::Result<()> {
        let seen = self.lines.connections.remove(&self.connection).unwrap_or_default();
        for request in &seen.requests {
            self.unanswered(request)?;
        }
        for direction in [Direction::ClientToServer, Direction::ServerToClient] {
            let facts = seen.compression[direction.index()];
            if facts.messages > 0 {
                let messages = counted(facts.messages, "message", "messages");
                let text = format!("{messages} compressed: {facts}");
                self.direction(Role::Weak, "·", direction, &text)?;
            }
        }
        if let Some(latency) = latency {
            self.plain(Role::Weak, "·", &requests(&latency))?;
        }
        // Where the other side's frames are missing in part, its Close may have come first.
        let by = ending.closed_by().map_or(String::new(), |by| format!(" by {}", by.sender()));
        let close = match ending.close {
            Some((_, Some(code))) => format!("{code} {}{by}", CloseCode(code).name()),
            Some((_, None)) => format!("no status code,{by}").trim_end_matches(',').to_owned(),
            None => match ending.how {
                Finish::Fin => format!("FIN by {}", ending.by.sender()),
                Finish::Reset => format!("RST by {}", ending.by.sender()),
            },
        };
        let torn = match (ending.close, ending.how) {
            (Some(_), Finish::Reset) => format!(", RST by {}", ending.by.sender()),
            _ => String::new(),
        };
        let frames = match seen.frames {
            [0, 0] => String::new(),
            [up, down] => format!("  ↑ {} ↓ {} frames", thousands(up), thousands(down)),
        };
        let lasted = match seen.opened_at {
            None => String::new(),
            Some(opened_at) => format!("  {:.3} s", self.at.since(opened_at).as_secs_f64()),
        };
        self.prefix()?;
        let figures = self.paint(Role::Weak, format!("{frames}{lasted}"));
        writeln!(self.out, "{} {close}{torn}{figures}", self.paint(Role::Note, "○ ended "))
    }
}

#[cfg(test)]
mod tests;
