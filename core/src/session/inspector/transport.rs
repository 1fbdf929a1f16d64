//! What the connection's plain HTTP exchanges say of transports; see [`crate::transport`].

use std::sync::Arc;

use bytes::Bytes;

use super::exchange::is_event_stream;
use super::{Inspector, LaneOut, Out};
use crate::http::{BodyFraming, EventStreamReader};
use crate::session::http_lane::Reading;
use crate::session::{Event, EventKind, EventSink, Limits, Shared};
use crate::transport::{BodyPiece, Exchanges, PieceReader, Stated, Target};
use crate::{ConnectionId, Direction, Head, Message, Timestamp, TransportEvent};

/// Octets of each message that are kept on a WebSocket that a session may move to: its probe.
const PROBE: usize = 16;

/// Adds the connection to what exchanges say.
fn teller(id: ConnectionId, out: Out<'_>) -> impl FnMut(Timestamp, TransportEvent) {
    move |at, event| {
        out(Event { connection: id, at, kind: EventKind::TransportSeen(event) });
    }
}

impl Inspector {
    pub(super) fn saw_request(
        &mut self,
        head: &Arc<Head>,
        at: Timestamp,
        has_body: bool,
        shared: &mut Shared,
        out: Out<'_>,
    ) {
        let (id, client) = (self.id, self.behaviour.client);
        let exchanges = self.exchanges.get_or_insert_with(|| Box::new(Exchanges::new(id, client)));
        exchanges.requested(head, at, has_body, &mut shared.transports, &mut teller(id, out));
    }

    /// How the body of the answer to the first request that waits is to be read while it comes.
    pub(super) fn reading(&self, head: &Head, framing: BodyFraming) -> Reading {
        let keep = self.limits.body_content;
        if is_event_stream(head) {
            return Reading::Events(EventStreamReader::new(keep));
        }
        let has_lines = self.exchanges.as_ref().is_some_and(|exchanges| exchanges.has_lines());
        PieceReader::of(head, framing, has_lines, keep).map_or(Reading::Whole, Reading::Pieces)
    }

    /// Octets of the answer to come that have to be kept whatever the limits are.
    pub(super) fn wanted_content(&self) -> usize {
        self.exchanges.as_ref().map_or(0, |exchanges| exchanges.wanted_content())
    }

    pub(super) fn saw_answer(
        &mut self,
        head: &Arc<Head>,
        at: Timestamp,
        is_whole: bool,
        shared: &mut Shared,
        out: Out<'_>,
    ) {
        let Some(exchanges) = &mut self.exchanges else { return };
        let transports = &mut shared.transports;
        let mut tell = teller(self.id, out);
        exchanges.answered(head, at, is_event_stream(head), transports, &mut tell);
        if is_whole {
            exchanges.answer_ended(at, 0, &Bytes::new(), transports, &mut tell);
        }
    }

    pub(super) fn saw_content(
        &mut self,
        direction: Direction,
        at: Timestamp,
        begins: bool,
        pieces: Vec<BodyPiece>,
        shared: &mut Shared,
        out: Out<'_>,
    ) {
        let Some(exchanges) = &mut self.exchanges else { return };
        if direction == Direction::ClientToServer {
            return;
        }
        if begins {
            exchanges.content_began(at);
        }
        if !pieces.is_empty() {
            exchanges.pieces(at, pieces, &mut shared.transports, &mut teller(self.id, out));
        }
    }

    pub(super) fn body_ended(
        &mut self,
        direction: Direction,
        at: Timestamp,
        content_len: u64,
        content: &Bytes,
        shared: &mut Shared,
        out: Out<'_>,
    ) {
        let Some(exchanges) = &mut self.exchanges else { return };
        let (transports, mut tell) = (&mut shared.transports, teller(self.id, out));
        match direction {
            Direction::ClientToServer => {
                exchanges.request_ended(at, content_len, content, transports, &mut tell);
            }
            Direction::ServerToClient => {
                exchanges.answer_ended(at, content_len, content, transports, &mut tell);
            }
        }
    }

    /// The connection is a WebSocket from here on.
    pub(super) fn saw_upgrade(&mut self, at: Timestamp, shared: &mut Shared, out: Out<'_>) {
        let Some(mut exchanges) = self.exchanges.take() else { return };
        let mut tell = teller(self.id, out);
        self.behaviour.moving = exchanges.upgraded(at, &mut shared.transports, &mut tell);
    }

    /// The connection ended.
    pub(super) fn cut_exchanges(&mut self, at: Timestamp, shared: &mut Shared, out: Out<'_>) {
        if let Some(mut exchanges) = self.exchanges.take() {
            exchanges.cut(at, &mut shared.transports, &mut teller(self.id, out));
        }
    }

    /// The limits of a WebSocket that was opened with this request.
    pub(super) fn limits_of(&self, request: &Head) -> Limits {
        let limits = self.limits;
        let may_move = Stated::of(&Target::of(request)).is_some_and(|stated| stated.may_move());
        let keep = if may_move { PROBE } else { 0 };
        Limits { message_data: limits.message_data.max(keep), ..limits }
    }
}

impl<S: EventSink + ?Sized> LaneOut<'_, S> {
    /// A message of a WebSocket that a session may move to.
    #[cold]
    pub(super) fn saw_move(&mut self, message: &Message) {
        let Self { connection, behaviour, transports, sink, .. } = self;
        let Some(key) = &behaviour.moving else { return };
        let (connection, at) = (*connection, message.last_octet_at);
        let goes_on = transports.saw_message(key, message, &mut |event| {
            sink.event(Event { connection, at, kind: EventKind::TransportSeen(event) });
        });
        if !goes_on {
            behaviour.moving = None;
        }
    }
}
