//! The lines of requests, answers and opening handshakes.

use std::io::{self, Write};
use std::sync::Arc;

use framescope_core::export::Paired;
use framescope_core::handshake::AcceptVerdict;
use framescope_core::http::{ServerSentEvent, StartLine};
use framescope_core::present::thousands;
use framescope_core::{Direction, Head, Leg, OpeningHandshake};

use super::Line;
use crate::view::{Role, escape};

/// Requests of one connection that may wait for their answers; those beyond are shown as `?`.
const PIPELINE_MAX: usize = 64;

impl<W: Write> Line<'_, W> {
    /// A request waits for its answer; an answer of plain HTTP makes a line with its request.
    pub(super) fn head(&mut self, leg: Leg, head: &Arc<Head>) -> io::Result<()> {
        if leg == Leg::Upstream {
            return Ok(());
        }
        let StartLine::Response { status, .. } = &head.start else {
            let requests = &mut self.seen().requests;
            if requests.len() < PIPELINE_MAX {
                requests.push_back(Arc::clone(head));
            }
            return Ok(());
        };
        // Told by the handshake's own line.
        let is_opening = self.seen().requests.front().is_some_and(|r| r.asks_for_websocket());
        if is_opening {
            return Ok(());
        }
        let is_interim = (100..200).contains(status) && *status != 101;
        let requests = &mut self.seen().requests;
        let request = if is_interim { requests.front().cloned() } else { requests.pop_front() };
        self.prefix()?;
        let mut rest = String::new();
        for (name, unit) in [("Content-Type", ""), ("Content-Length", " octets")] {
            if let Some(value) = head.value(name) {
                rest.push_str("  ");
                rest.push_str(&escape::text(&value, 60));
                rest.push_str(unit);
            }
        }
        let exchange = self.exchange(request.as_deref(), head);
        writeln!(self.out, "⇄ {exchange}{}", self.paint(Role::Weak, rest))
    }

    /// `GET /chat → 101 Switching Protocols`, and what was agreed on.
    pub(super) fn handshake(&mut self, handshake: &OpeningHandshake) -> io::Result<()> {
        self.seen().requests.pop_front();
        self.prefix()?;
        let exchange = self.exchange(Some(&handshake.request), &handshake.response);
        write!(self.out, "⇄ {exchange}")?;
        if let Some(subprotocol) = handshake.subprotocol.chosen.first() {
            let shown = escape::text(self.lines.secrets.subprotocol(subprotocol), 40);
            write!(self.out, "  {}{shown}", self.paint(Role::Weak, "subprotocol "))?;
        }
        for extension in &handshake.extensions.chosen {
            let shown = escape::text(&extension.to_string(), 120);
            write!(self.out, "  {}{shown}", self.paint(Role::Weak, "extension "))?;
        }
        let accept = match handshake.accept.verdict {
            AcceptVerdict::Matches => Some((Role::Good, "✓ accept")),
            AcceptVerdict::Differs => Some((Role::Error, "✗ accept does not answer the key")),
            AcceptVerdict::Missing => Some((Role::Error, "✗ accept is missing")),
            AcceptVerdict::NoKey => Some((Role::Error, "✗ no key to accept")),
            AcceptVerdict::NotDue => None,
        };
        if let Some((role, text)) = accept {
            write!(self.out, "  {}", self.paint(role, text))?;
        }
        writeln!(self.out)
    }

    /// What the body of an answer says in a sub-protocol; any other body has no line.
    pub(super) fn body(&mut self, direction: Direction, paired: &Paired) -> io::Result<()> {
        let Some(dissection) = &paired.reading.dissection else { return Ok(()) };
        let text = format!("{} {}", dissection.choice.protocol, dissection.summary());
        self.direction(Role::Note, "·", direction, &text)?;
        self.detail(paired)
    }

    /// One block of a stream of events: `event`, its length, what sets it apart, its data.
    pub(super) fn server_sent_event(&mut self, sent: &ServerSentEvent) -> io::Result<()> {
        self.prefix()?;
        let mut remark = Vec::new();
        if let Some(event) = &sent.event {
            remark.push(escape::text(event, 40));
        }
        if let Some(id) = &sent.id {
            remark.push(format!("id {}", escape::text(id, 40)));
        }
        if let Some(retry) = sent.retry {
            remark.push(format!("retry {retry} ms"));
        }
        if let Some(comment) = sent.comment.as_ref().filter(|_| !sent.is_dispatched()) {
            remark.push(format!("comment {}", escape::text(comment, 60)));
        }
        let remark = remark.join(", ");
        let len = thousands(if sent.is_dispatched() { sent.data_len } else { sent.len });
        let arrow = Direction::ServerToClient.arrow();
        write!(
            self.out,
            "{} {:<6} {len:>21}",
            self.paint(Role::ServerToClient, arrow),
            self.paint(Role::Opcode, if sent.is_dispatched() { "event" } else { "stream" }),
        )?;
        if !remark.is_empty() {
            write!(self.out, "  {}", self.paint(Role::Weak, format!("({remark})")))?;
        }
        if let Some(data) = &sent.data {
            let room = self.room(32 + escape::columns(&remark) + 3).max(20);
            write!(self.out, "  {}", escape::text(data, room))?;
        }
        writeln!(self.out)
    }

    /// A request that the connection's end left without an answer.
    pub(super) fn unanswered(&mut self, request: &Head) -> io::Result<()> {
        self.prefix()?;
        let request = self.request(request);
        writeln!(self.out, "⇄ {request} → {}", self.paint(Role::Warning, "no answer"))
    }

    fn exchange(&self, request: Option<&Head>, response: &Head) -> String {
        let request = request.map_or_else(|| "?".to_owned(), |request| self.request(request));
        let StartLine::Response { status, reason, .. } = &response.start else { return request };
        let role = match status {
            101 | 200..=299 => Role::Good,
            400..=599 => Role::Error,
            _ => Role::Warning,
        };
        let reason = escape::text(reason, 40);
        let answer = format!("{status} {reason}");
        format!("{request} → {}", self.paint(role, answer.trim_end()))
    }

    fn request(&self, request: &Head) -> String {
        let method = escape::text(request.method().unwrap_or_default(), 20);
        let target = self.lines.secrets.target(request.target().unwrap_or_default());
        format!("{method} {}", escape::text(&target, self.room(40).max(60)))
    }
}
