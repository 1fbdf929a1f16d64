//! The index: compact rows for everything a view lists; payloads stay in the capture.
//!
//! A viewer takes a read lock for as long as it copies the rows it draws, asks for a *read plan* of
//! what the user looks at, lets go of the lock, and reads the octets from the capture by the plan.

pub mod connections;
pub mod exchange_rows;
pub mod frames;
mod growth;
pub mod rates;
pub mod read;
pub mod timing;

pub use connections::{ConnectionSummary, Exchange, ExchangeOver, Gaps, State};
pub use exchange_rows::{ExchangePart, ExchangeRows, Placed};
pub use frames::{FrameIndex, FrameRow, MessageRow};
pub use rates::{Flow, Rates};
pub use read::{FrameContent, MessageContent, ReadPlan};
pub use timing::{RoundTrips, Timing};

use std::ops::Range;
use std::sync::Arc;

use growth::{LaneState, Place, Rows};

use crate::capture::LanePlan;
use crate::connection::ConnectionMap;
use crate::session::{EventSink as _, Limits};
use crate::transport::{Series, SessionId, TransportSession};
use crate::{ConnectionId, Diagnostic, Direction, Record, Session, Timestamp};

/// Everything a view lists, growing by records.
#[derive(Debug)]
pub struct Index {
    session: Session,
    rows: Rows,
    /// Where each connection stands among the rows, and what its lanes need to grow.
    places: ConnectionMap<Place>,
    generation: u64,
}

impl Index {
    /// An index of nothing.
    pub fn new() -> Self {
        Self {
            session: Session::new(Limits::COUNT),
            rows: Rows::default(),
            places: ConnectionMap::default(),
            generation: 0,
        }
    }

    /// Takes in a record and where in the capture its block starts (octets from the file's start).
    pub fn receive(&mut self, record: &Record, block_offset: u64) {
        self.generation = self.generation.saturating_add(1);
        let Self { session, rows, places, .. } = self;
        let id = record.connection();
        if let Record::Opened { at, info, .. } = record {
            places.insert(id, rows.open(id, *at, info));
        }
        let Some(mut growth) = places.get_mut(&id).and_then(|place| rows.growth(id, place)) else {
            return;
        };
        growth.locate(record, block_offset);
        session.receive_to(record, &mut growth);
    }

    /// No more records come: open lanes say what they left unfinished.
    pub fn finish(&mut self) {
        self.session.finish();
        while let Some(event) = self.session.poll_event() {
            self.generation = self.generation.saturating_add(1);
            let id = event.connection;
            let place = self.places.get_mut(&id);
            if let Some(mut growth) = place.and_then(|place| self.rows.growth(id, place)) {
                growth.event(event);
            }
        }
    }

    /// Grows with every change; a view that has seen this generation is up to date.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// One row a frame, in the order in which frames were completed.
    pub fn frames(&self) -> &FrameIndex {
        &self.rows.frames
    }

    /// One row a message, control frames included, in the order in which they were completed.
    pub fn messages(&self) -> &[MessageRow] {
        &self.rows.messages
    }

    /// One summary a connection, in the order in which they were opened.
    pub fn connections(&self) -> &[ConnectionSummary] {
        &self.rows.connections
    }

    /// The number of a connection's summary in [`Index::connections`].
    pub fn connection_row(&self, id: ConnectionId) -> Option<usize> {
        Some(self.places.get(&id)?.summary)
    }

    /// The summary of one connection.
    pub fn connection(&self, id: ConnectionId) -> Option<&ConnectionSummary> {
        self.rows.connections.get(self.places.get(&id)?.summary)
    }

    /// Findings in order, the first hundred thousand of them.
    pub fn findings(&self) -> &[(ConnectionId, Diagnostic)] {
        &self.rows.findings
    }

    /// The row (an index into [`Index::frames`]) of the frame with this ordinal in its lane, from 0:
    /// what [`Place::frame`](crate::diagnostics::Place::frame) names.
    pub fn frame_row(
        &self,
        connection: ConnectionId,
        direction: Direction,
        ordinal: u64,
    ) -> Option<usize> {
        let lane = self.lane(connection, direction)?;
        lane.row_of((connection, direction), ordinal, self.frames())
    }

    /// The ordinal in its lane of the frame with this row, from 0: the other way round.
    pub fn frame_ordinal(&self, row: usize) -> Option<u64> {
        let frame = self.frames().get(row)?;
        let lane = (frame.connection(), frame.direction());
        self.lane(lane.0, lane.1)?.ordinal_of(lane, row, self.frames())
    }

    /// The row of the frame before this row's one in the same lane, looking at `most` rows before it.
    pub fn row_before(&self, row: usize, most: usize) -> Option<usize> {
        let lane = |row: &FrameRow| (row.connection(), row.direction());
        let of_row = lane(self.frames().get(row)?);
        let from = row.saturating_sub(most);
        let before = self.frames().rows().get(from..row)?;
        before.iter().rposition(|row| lane(row) == of_row).map(|at| from.saturating_add(at))
    }

    /// Series of HTTP exchanges that are one transport together, in the order in which they were told,
    /// each as it is by now; the first hundred thousand of them.
    pub fn series(&self) -> &[Arc<Series>] {
        &self.rows.series
    }

    /// Sessions of Engine.IO and SockJS, in the order in which they were first seen, each as it is by
    /// now; the first hundred thousand of them.
    pub fn transport_sessions(&self) -> &[Arc<TransportSession>] {
        &self.rows.sessions
    }

    /// The session with this number, as it is by now.
    pub fn transport_session(&self, id: SessionId) -> Option<&Arc<TransportSession>> {
        let at = usize::try_from(id.0.checked_sub(1)?).ok()?;
        self.rows.sessions.get(at)
    }

    /// How to read these octets of a lane (lane offsets) from the capture, as they were on the wire.
    pub fn octets_plan(
        &self,
        connection: ConnectionId,
        direction: Direction,
        range: Range<u64>,
    ) -> Option<LanePlan> {
        Some(self.lane(connection, direction)?.table.plan(connection, direction, range))
    }

    /// How to read the frame of this row (an index into [`Index::frames`]) from the capture.
    pub fn frame_plan(&self, row: usize) -> Option<ReadPlan> {
        let frame = self.frames().get(row)?;
        let end = frame.offset().saturating_add(frame.wire_len());
        let (id, direction) = (frame.connection(), frame.direction());
        let lane = self.lane(id, direction)?.table.plan(id, direction, frame.offset()..end);
        Some(ReadPlan::frame(lane, frame.offset()))
    }

    /// How to read the message of this row (an index into [`Index::messages`]) from the capture,
    /// inflated where it was compressed.
    pub fn message_plan(&self, row: usize) -> Option<ReadPlan> {
        let message = self.rows.messages.get(row)?;
        let first = self.frames().get(message.first_frame as usize)?;
        let last = self.frames().get(message.last_frame as usize)?;
        let (id, direction) = (first.connection(), first.direction());
        let lane = self.lane(id, direction)?;
        let wanted = first.offset();
        let end = last.offset().saturating_add(last.wire_len());
        if !first.is_compressed() {
            return Some(ReadPlan::plain(lane.table.plan(id, direction, wanted..end), wanted));
        }
        let takes_over = self.takes_context_over(id, direction);
        if takes_over && lane.misses_before(wanted) {
            let plan = lane.table.plan(id, direction, wanted..end);
            return Some(ReadPlan::without_context(plan, wanted));
        }
        let point = if takes_over { lane.checkpoint_before(wanted) } else { None };
        let start = match point {
            Some(point) => point.offset,
            None if takes_over => self.frames_begin(id, direction),
            None => wanted,
        };
        let history = point.map(|point| point.history.clone()).unwrap_or_default();
        let plan = lane.table.plan(id, direction, start..end);
        Some(ReadPlan::compressed(plan, start, wanted, !takes_over, history))
    }

    fn lane(&self, id: ConnectionId, direction: Direction) -> Option<&LaneState> {
        Some(&self.places.get(&id)?.lanes[direction.index()])
    }

    fn takes_context_over(&self, id: ConnectionId, direction: Direction) -> bool {
        let deflate = self.connection(id).and_then(|connection| connection.deflate);
        deflate.is_some_and(|params| match direction {
            Direction::ClientToServer => !params.client_no_context_takeover,
            Direction::ServerToClient => !params.server_no_context_takeover,
        })
    }

    /// Lane offset of the first frame.
    fn frames_begin(&self, id: ConnectionId, direction: Direction) -> u64 {
        let first = self.lane(id, direction).and_then(LaneState::first_row);
        first.and_then(|row| self.frames().get(row)).map_or(0, FrameRow::offset)
    }
}

impl Default for Index {
    fn default() -> Self {
        Self::new()
    }
}

/// Times of a row as the views need them.
impl Index {
    /// When the first octet of a message row was read, and when its last one was.
    pub fn message_times(&self, row: &MessageRow) -> Option<(Timestamp, Timestamp)> {
        let first = self.frames().get(row.first_frame as usize)?.first_octet_at();
        Some((first, self.frames().last_octet_at(row.last_frame as usize)?))
    }
}
