//! The HTTP exchanges of one connection, with their bodies and the events of streams, while somebody
//! looks at it.

mod row;
mod whole;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use framescope_core::index::{ExchangePart, ExchangeRows, Placed};
use framescope_core::session::{Inspector, Limits, Shared as Common};
use framescope_core::transport::{Carried, TransportEvent};
use framescope_core::{ConnectionId, Direction, Event, EventKind, Record};
use parking_lot::{RwLock, RwLockReadGuard};

pub use row::{Content, Exchange, Row, StreamEvent, StreamPiece};
pub(super) use whole::read_content;

use super::Shared;
use super::follower::{self, Follow};
use super::packets::{PacketReader, Packets};

/// Of a body, or of the data of an event, as much is kept as a search looks through.
const LIMITS: Limits = Limits { frame_payload: 0, message_data: 0, ..Limits::KEEP };
/// Rows that are kept; beyond, the oldest go.
pub(crate) const MAX_ROWS: usize = 50_000;
/// Octets of bodies and events that are kept; beyond, those of the oldest rows go.
const MAX_OCTETS: usize = 64 << 20;

/// The rows of one connection.
#[derive(Debug, Default)]
pub struct Rows {
    kept: VecDeque<Row>,
    /// How many went before the first.
    gone: usize,
    octets: usize,
    /// The row whose octets are the next to go.
    emptied: usize,
    numbers: ExchangeRows,
}

impl Rows {
    /// One more than the number of the last row.
    pub fn end(&self) -> usize {
        self.gone + self.kept.len()
    }

    /// The number of the first row that is still kept.
    pub fn start(&self) -> usize {
        self.gone
    }

    /// The row with this number, from 0.
    pub fn get(&self, number: usize) -> Option<&Row> {
        self.kept.get(number.checked_sub(self.gone)?)
    }

    fn exchange(&mut self, number: usize) -> Option<&mut Exchange> {
        match self.kept.get_mut(number.checked_sub(self.gone)?)? {
            Row::Exchange(exchange) => Some(exchange),
            Row::Event(_) | Row::Piece(_) => None,
        }
    }

    fn push(&mut self, row: Row) {
        self.octets += row.kept_octets();
        self.kept.push_back(row);
        if self.kept.len() > MAX_ROWS
            && let Some(oldest) = self.kept.pop_front()
        {
            self.gone += 1;
            self.octets -= oldest.kept_octets();
        }
        self.bound();
    }

    fn bound(&mut self) {
        self.emptied = self.emptied.max(self.gone);
        while self.octets > MAX_OCTETS
            && let Some(row) = self.kept.get_mut(self.emptied - self.gone)
        {
            self.octets -= row.kept_octets();
            row.drop_octets();
            self.emptied += 1;
        }
    }

    /// What a body says.
    fn take_packets(&mut self, carried: &Carried, packets: Packets) {
        let of_request = |row: &&mut Row| match row {
            Row::Exchange(exchange) => exchange.request.offset == carried.request.offset,
            Row::Event(_) | Row::Piece(_) => false,
        };
        let Some(Row::Exchange(exchange)) = self.kept.iter_mut().rev().find(of_request) else {
            return;
        };
        let said = &mut exchange.packets[carried.direction.index()];
        self.octets = self.octets - said.octets() + packets.octets();
        *said = packets;
        self.bound();
    }

    fn take(&mut self, event: Event) {
        let Some(placed) = self.numbers.place(&event.kind) else { return };
        let (at, Placed { row, exchange, part }) = (event.at, placed);
        match (event.kind, part) {
            (EventKind::HeadReceived { head, .. }, ExchangePart::Request { is_whole }) => {
                self.push(Row::Exchange(Box::new(Exchange {
                    requested_at: at,
                    request: head,
                    answered_at: None,
                    response: None,
                    ended_at: None,
                    bodies: [is_whole.then(Content::default), None],
                    packets: [Packets::default(), Packets::default()],
                    events: 0,
                    pieces: 0,
                })));
            }
            (EventKind::HeadReceived { head, .. }, ExchangePart::Response { is_whole }) => {
                let Some(of) = self.exchange(row) else { return };
                (of.answered_at, of.response) = (Some(at), Some(head));
                if is_whole {
                    of.ended_at = Some(at);
                    of.bodies[Direction::ServerToClient.index()] = Some(Content::default());
                }
            }
            (
                EventKind::BodyCompleted { content_len, content, .. },
                ExchangePart::Body(direction),
            ) => {
                let Some(of) = self.exchange(row) else { return };
                let len = content.len();
                let body = Content { octets: content, len: content_len };
                of.bodies[direction.index()] = Some(body);
                if direction == Direction::ServerToClient {
                    of.ended_at = Some(at);
                }
                self.octets += len;
                self.bound();
            }
            (EventKind::ServerSentEvent(event), _) => {
                if let Some(of) = self.exchange(exchange) {
                    of.events += 1;
                }
                let event = StreamEvent { at, event: *event, exchange };
                self.push(Row::Event(Box::new(event)));
            }
            (EventKind::TransportSeen(TransportEvent::PieceReceived(piece)), _) => {
                if let Some(of) = self.exchange(exchange) {
                    of.pieces += 1;
                }
                let piece = StreamPiece { at, piece: *piece, exchange };
                self.push(Row::Piece(Box::new(piece)));
            }
            _ => {}
        }
    }
}

/// The exchanges of a connection, read for as long as this is kept.
pub struct Exchanges {
    connection: ConnectionId,
    rows: Arc<RwLock<Rows>>,
    cancelled: Arc<AtomicBool>,
}

impl Exchanges {
    pub(super) fn spawn(shared: Arc<Shared>, connection: ConnectionId) -> Self {
        let new = Self { connection, rows: Arc::default(), cancelled: Arc::default() };
        let (rows, cancelled) = (Arc::clone(&new.rows), Arc::clone(&new.cancelled));
        let work = move || {
            let fresh = || {
                let inspector = Inspector::new(connection, LIMITS);
                (inspector, Common::default(), PacketReader::default())
            };
            let (mut inspector, mut common, mut packets) = fresh();
            // The follower of the index tells what is wrong with the capture; once is enough.
            let _ = follower::follow(&shared, |step| {
                match step {
                    Follow::Records(records) => {
                        let ours = |record: &Record| record.connection() == connection;
                        for (record, _) in records.drain(..).filter(|(record, _)| ours(record)) {
                            let mut rows = rows.write();
                            let mut sink = |event: Event| {
                                packets.receive(&event, &mut |carried, said| {
                                    rows.take_packets(carried, said);
                                });
                                rows.take(event);
                            };
                            inspector.receive(&record, &mut common, &mut sink);
                        }
                    }
                    Follow::Restart => {
                        (inspector, common, packets) = fresh();
                        *rows.write() = Rows::default();
                    }
                    Follow::CaughtUp | Follow::Fault(_) | Follow::Finished => {}
                }
                shared.wake.touch();
                !cancelled.load(Ordering::Acquire)
            });
        };
        // Without it the table stays empty, and the handshake tab tells the rest.
        let _ = std::thread::Builder::new().name("exchanges".to_owned()).spawn(work);
        new
    }

    /// Whose they are.
    pub fn connection(&self) -> ConnectionId {
        self.connection
    }

    /// The rows, for as long as it takes to copy what is drawn.
    pub fn rows(&self) -> RwLockReadGuard<'_, Rows> {
        self.rows.read()
    }
}

impl Drop for Exchanges {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests;
