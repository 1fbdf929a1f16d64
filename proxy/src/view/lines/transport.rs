//! The lines of plain HTTP that is a transport: polling, streams, sessions that move.

use std::io::{self, Write};
use std::time::Duration;

use framescope_core::present::{octets, span, thousands};
use framescope_core::subprotocol::Dissection;
use framescope_core::transport::{
    BodyPiece, Carried, Evidence, ExchangeFacts, Series, SessionChange, TransportKind,
    TransportSession,
};
use framescope_core::{Direction, TransportEvent};

use super::Line;
use crate::view::{Role, escape};

/// An answer that took so long is worth a line of its own.
const LONG: Duration = Duration::from_secs(1);

impl<W: Write> Line<'_, W> {
    pub(super) fn transport(
        &mut self,
        seen: &TransportEvent,
        dissection: Option<&Dissection>,
    ) -> io::Result<()> {
        match seen {
            TransportEvent::ExchangeEnded(facts) => self.exchange_ended(facts),
            TransportEvent::SeriesTold(series) => self.series(series),
            TransportEvent::PieceReceived(piece) => self.piece(piece, dissection),
            TransportEvent::SessionChanged { session, change } => self.session(session, *change),
            TransportEvent::PacketsCarried(carried) => self.packets(carried, dissection),
        }
    }

    /// How long an answer was held, or went on, where that says more than its own line.
    fn exchange_ended(&mut self, facts: &ExchangeFacts) -> io::Result<()> {
        let held = facts.held().unwrap_or_default();
        let lasted = facts.lasted().unwrap_or_default();
        let target = self.lines.secrets.target(facts.request.target().unwrap_or_default());
        let target = escape::text(&target, 60);
        let pieces = match facts.pieces {
            0 | 1 => String::new(),
            pieces => format!(" in {} pieces", thousands(pieces)),
        };
        let content = octets(facts.response_len);
        let text = match facts.kind {
            _ if facts.is_cut && facts.response.is_some() => {
                format!("{target} was cut after {}{pieces}", span(lasted))
            }
            // Told by the line of the request that has no answer.
            _ if facts.is_cut => return Ok(()),
            Some(TransportKind::LongPolling) if held >= LONG => {
                format!("{target} was held for {}, then {content}", span(held))
            }
            Some(TransportKind::HttpStreaming | TransportKind::ServerSentEvents) => {
                format!("{target} went on for {}: {content}{pieces}", span(lasted))
            }
            None if held >= LONG => format!("{target} was answered after {}", span(held)),
            None if lasted >= LONG => format!("{target} took {} to come: {content}", span(lasted)),
            _ => return Ok(()),
        };
        self.plain(Role::Weak, "·", &text)
    }

    /// `≋1 long polling of GET /news: held for …`
    fn series(&mut self, series: &Series) -> io::Result<()> {
        let (id, kind) = (series.id, series.kind);
        let (method, path) = (&series.method, &series.path);
        let sure = match series.evidence {
            Evidence::Protocol => "",
            Evidence::Timing => "likely ",
        };
        let reason = self.lines.secrets.words(&*series.reason).into_owned();
        self.plain(Role::Note, "≋", &format!("{id} {sure}{kind} of {method} {path}: {reason}"))
    }

    /// A chunk or line of a body that goes on.
    fn piece(&mut self, piece: &BodyPiece, dissection: Option<&Dissection>) -> io::Result<()> {
        self.prefix()?;
        write!(
            self.out,
            "{} {:<6} {:>21}",
            self.paint(Role::ServerToClient, Direction::ServerToClient.arrow()),
            self.paint(Role::Opcode, piece.unit.name()),
            thousands(piece.len),
        )?;
        let Some(dissection) = dissection else {
            let mut text = String::new();
            escape::push_text(&mut text, &piece.content, self.room(34));
            return writeln!(self.out, "  {text}");
        };
        writeln!(self.out, "  {}", escape::text(&dissection.summary(), self.room(34)))?;
        self.problems(dissection, Direction::ServerToClient)
    }

    /// `§1 Engine.IO session: began over long polling`
    fn session(&mut self, session: &TransportSession, change: SessionChange) -> io::Result<()> {
        let (id, protocol) = (session.id, session.protocol);
        let after = |at: framescope_core::Timestamp| span(at.since(session.began_at));
        let what = match change {
            SessionChange::Began => {
                let over = session.kind().map(|kind| format!(" over {kind}")).unwrap_or_default();
                let path = escape::text(&session.path, 60);
                let before = if session.is_whole { "begins" } else { "is met on its way" };
                format!("{before}{over} at {path}")
            }
            SessionChange::Joined(member) => {
                let (kind, connection) = (member.kind, member.connection);
                format!("{connection} carries it too: {kind}")
            }
            SessionChange::Probed => "the server answers the probe over WebSocket".to_owned(),
            SessionChange::Upgraded => {
                let at = session.upgraded_at.map(after).unwrap_or_default();
                format!("goes on over WebSocket, {at} after it began")
            }
        };
        self.plain(Role::Note, "≋", &format!("{id} {protocol} session: {what}"))
    }

    /// What a body of a session says.
    fn packets(&mut self, carried: &Carried, dissection: Option<&Dissection>) -> io::Result<()> {
        let Some(dissection) = dissection else { return Ok(()) };
        self.prefix()?;
        let role = match carried.direction {
            Direction::ClientToServer => Role::ClientToServer,
            Direction::ServerToClient => Role::ServerToClient,
        };
        write!(
            self.out,
            "{} {:<6} {:>21}",
            self.paint(role, carried.direction.arrow()),
            self.paint(Role::Opcode, "body"),
            thousands(carried.content_len),
        )?;
        let text = escape::text(&dissection.summary(), self.room(34));
        writeln!(self.out, "  {text}")?;
        self.problems(dissection, carried.direction)
    }
}
