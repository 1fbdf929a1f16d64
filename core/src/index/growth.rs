//! How the index grows: one record's octets located, its events made into rows.

use std::sync::Arc;

use crate::capture::locate::LaneTable;
use crate::index::{ConnectionSummary, FrameIndex, MessageRow};
use crate::message::CompressionFacts;
use crate::message::inflate::WINDOW;
use crate::session::{EventSink, Unfragmented};
use crate::transport::{Series, TransportSession};
use crate::{
    ConnectionId, ConnectionInfo, Diagnostic, Direction, Event, EventKind, Frame, Leg, Message,
    Opcode, Record, Session, Timestamp, TransportEvent,
};

/// Findings listed in all; beyond it they are only counted on their connection.
const MAX_FINDINGS: usize = 100_000;

/// Series and sessions listed in all.
const MAX_TRANSPORTS: usize = 100_000;

/// A compressed lane keeps what its messages can refer to after so many octets …
const CHECKPOINT_OCTETS: u64 = 4 << 20;
/// … or so many messages, so that any message opens by inflating at most that much before it.
const CHECKPOINT_MESSAGES: u32 = 4096;

/// The rows of all views.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) frames: FrameIndex,
    pub(super) messages: Vec<MessageRow>,
    pub(super) connections: Vec<ConnectionSummary>,
    pub(super) findings: Vec<(ConnectionId, Diagnostic)>,
    /// By number.
    pub(super) series: Vec<Arc<Series>>,
    pub(super) sessions: Vec<Arc<TransportSession>>,
}

/// Frames of a lane from one whose row is kept to the next: what a search for a frame by its ordinal
/// walks through.
const ORDINAL_STEP: u64 = 64;

/// One connection: its summary's row, and what its lanes need to grow and to be read.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) summary: usize,
    /// By [`Direction::index`].
    pub(super) lanes: [LaneState; 2],
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub(super) struct LaneState {
    /// Octets of the lane so far, gaps included: the lane offset of the next one.
    len: u64,
    /// Where they lie in the capture.
    pub(super) table: LaneTable,
    /// Octets are missing behind the latest frame.
    met_gap: bool,
    /// Where octets are missing for the first time.
    missing_from: Option<u64>,
    /// Row of the frame that began the message in progress.
    message_began: Option<u32>,
    /// The latest frame: its ordinal in the lane and its row.
    latest: Option<(u64, u32)>,
    /// The rows of every [`ORDINAL_STEP`]th frame, the first one's first.
    stepping_rows: Vec<u32>,
    checkpoints: Vec<Checkpoint>,
    /// Messages and octets since the last checkpoint.
    since: (u32, u64),
}

/// A point between two messages of a compressed lane from which inflating can go on.
#[derive(Debug, Clone)]
pub(super) struct Checkpoint {
    /// Lane offset just behind the message's last frame.
    pub(super) offset: u64,
    /// What messages from there on can refer to.
    pub(super) history: Arc<[u8]>,
}

/// One connection while a record of it is taken in: looked up once, whatever the record holds.
pub(super) struct Growth<'a> {
    id: ConnectionId,
    summary: &'a mut ConnectionSummary,
    lanes: &'a mut [LaneState; 2],
    frames: &'a mut FrameIndex,
    messages: &'a mut Vec<MessageRow>,
    findings: &'a mut Vec<(ConnectionId, Diagnostic)>,
    series: &'a mut Vec<Arc<Series>>,
    sessions: &'a mut Vec<Arc<TransportSession>>,
    /// The handshake agreed on permessage-deflate.
    is_deflate_agreed: bool,
}

impl Rows {
    /// A connection begins.
    pub(super) fn open(&mut self, id: ConnectionId, at: Timestamp, info: &ConnectionInfo) -> Place {
        let summary = self.connections.len();
        self.connections.push(ConnectionSummary::new(id, at, Arc::new(info.clone())));
        Place { summary, lanes: [LaneState::default(), LaneState::default()] }
    }

    /// The rows as this connection lets them grow.
    #[inline]
    pub(super) fn growth<'a>(
        &'a mut self,
        id: ConnectionId,
        place: &'a mut Place,
    ) -> Option<Growth<'a>> {
        let Self { frames, messages, connections, findings, series, sessions } = self;
        let summary = connections.get_mut(place.summary)?;
        let is_deflate_agreed = summary.is_deflate_agreed();
        let lanes = &mut place.lanes;
        Some(Growth {
            id,
            summary,
            lanes,
            frames,
            messages,
            findings,
            series,
            sessions,
            is_deflate_agreed,
        })
    }
}

/// Puts a row at its number, from 1; numbers come without gaps.
fn put<T>(rows: &mut Vec<Arc<T>>, number: u32, row: &Arc<T>) {
    let at = number.saturating_sub(1) as usize;
    if let Some(old) = rows.get_mut(at) {
        *old = Arc::clone(row);
    } else if at == rows.len() && at < MAX_TRANSPORTS {
        rows.push(Arc::clone(row));
    }
}

impl LaneState {
    /// The latest frame has this ordinal in the lane and this row of `frames`.
    #[inline]
    fn note_row(&mut self, ordinal: u64, row: u32, frames: &mut FrameIndex) {
        if std::mem::take(&mut self.met_gap) {
            frames.mark_behind_gap(row);
        }
        self.latest = Some((ordinal, row));
        if ordinal.is_multiple_of(ORDINAL_STEP) {
            self.stepping_rows.push(row);
        }
    }

    /// The row of the frame with this ordinal in the lane, among `frames`.
    pub(super) fn row_of(
        &self,
        lane: (ConnectionId, Direction),
        ordinal: u64,
        frames: &FrameIndex,
    ) -> Option<usize> {
        let (latest, latest_row) = self.latest?;
        if ordinal >= latest {
            return (ordinal == latest).then_some(latest_row as usize);
        }
        let step = usize::try_from(ordinal.checked_div(ORDINAL_STEP)?).ok()?;
        let start = *self.stepping_rows.get(step)? as usize;
        let behind = usize::try_from(ordinal.checked_rem(ORDINAL_STEP)?).ok()?;
        let rows = frames.rows().get(start..)?.iter().zip(start..);
        let mut in_lane = rows.filter(|(row, _)| (row.connection(), row.direction()) == lane);
        in_lane.nth(behind).map(|(_, row)| row)
    }

    /// Whether octets are missing before this lane offset.
    pub(super) fn misses_before(&self, offset: u64) -> bool {
        self.missing_from.is_some_and(|from| from <= offset)
    }

    /// The last checkpoint at or before this lane offset.
    pub(super) fn checkpoint_before(&self, offset: u64) -> Option<&Checkpoint> {
        let after = self.checkpoints.partition_point(|point| point.offset <= offset);
        after.checked_sub(1).and_then(|at| self.checkpoints.get(at))
    }
}

impl EventSink for Growth<'_> {
    #[inline]
    fn unfragmented(&mut self, _: ConnectionId, seen: &Unfragmented) {
        let side = seen.direction.index();
        let row = self.frames.push_unfragmented(self.id, seen);
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        let lane = &mut self.lanes[side];
        lane.note_row(seen.frame_index, row, self.frames);
        lane.message_began = None;
        let data_len = seen.header.payload_len.value;
        self.messages.push(MessageRow { first_frame: row, last_frame: row, data_len });
        self.summary.count_data_frame(seen.direction, seen.at);
        let messages = &mut self.summary.messages[side];
        *messages = messages.saturating_add(1);
    }

    #[inline]
    fn frame(&mut self, _: ConnectionId, frame: Frame) {
        self.add_frame(&frame);
    }

    #[inline]
    fn message(&mut self, _: ConnectionId, message: Message) {
        self.add_message(&message);
    }

    fn event(&mut self, event: Event) {
        match event.kind {
            EventKind::FrameDecoded(frame) => self.add_frame(&frame),
            EventKind::MessageCompleted(message) => self.add_message(&message),
            EventKind::DiagnosticRaised(finding) => self.add_finding(finding),
            kind => {
                if let EventKind::TransportSeen(seen) = &kind {
                    self.saw_transport(seen);
                }
                self.summary.apply(event.at, kind);
                self.is_deflate_agreed = self.summary.is_deflate_agreed();
            }
        }
    }
}

impl Growth<'_> {
    /// Notes where a record's octets lie, before they are understood.
    pub(super) fn locate(&mut self, record: &Record, block_offset: u64) {
        self.summary.last_at = self.summary.last_at.max(record.at());
        match record {
            Record::Octets { leg: Leg::Client, direction, octets, .. } => {
                let lane = &mut self.lanes[direction.index()];
                lane.table.add(lane.len, block_offset, octets.len());
                lane.len = lane.len.saturating_add(octets.len() as u64);
                let seen = &mut self.summary.octets[direction.index()];
                *seen = seen.saturating_add(octets.len() as u64);
                let reads = &mut self.summary.reads[direction.index()];
                *reads = reads.saturating_add(1);
            }
            Record::Gap { leg: Leg::Client, direction, len, .. } => {
                let lane = &mut self.lanes[direction.index()];
                lane.met_gap = true;
                lane.missing_from.get_or_insert(lane.len);
                lane.len = lane.len.saturating_add(*len);
                // Continuations behind it are none of its frames.
                lane.message_began = None;
            }
            _ => {}
        }
    }

    #[inline]
    fn add_frame(&mut self, frame: &Frame) {
        let lane = &mut self.lanes[frame.direction.index()];
        let opcode = frame.header.opcode;
        let begins = opcode.begins_message();
        let compressed = begins && frame.header.rsv.rsv1() && self.is_deflate_agreed;
        let row = self.frames.push(self.id, frame, compressed);
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        lane.note_row(frame.index, row, self.frames);
        self.summary.count_frame(frame);
        if begins {
            lane.message_began = Some(row);
        }
        // What is no part of a data message is a row of its own.
        let continues = opcode == Opcode::Continuation && lane.message_began.is_some();
        if !begins && !continues {
            let data_len = frame.header.payload_len.value;
            self.messages.push(MessageRow { first_frame: row, last_frame: row, data_len });
        }
    }

    #[inline]
    fn add_message(&mut self, message: &Message) {
        let lane = &mut self.lanes[message.direction.index()];
        let Some((_, last_frame)) = lane.latest else { return };
        let first_frame = lane.message_began.take().unwrap_or(last_frame);
        if message.compressed {
            let (messages, octets) = &mut lane.since;
            *messages = messages.saturating_add(1);
            *octets = octets.saturating_add(message.wire_len).saturating_add(message.data_len);
            if let Some(facts) = CompressionFacts::of(message) {
                self.summary.compression[message.direction.index()].add(facts);
            }
        }
        self.messages.push(MessageRow { first_frame, last_frame, data_len: message.data_len });
        let seen = &mut self.summary.messages[message.direction.index()];
        *seen = seen.saturating_add(1);
    }

    /// Series and sessions have numbers from 1; the row of each is told anew with every change.
    fn saw_transport(&mut self, seen: &TransportEvent) {
        match seen {
            TransportEvent::SeriesTold(series) => put(self.series, series.id.0, series),
            TransportEvent::ExchangeEnded(facts) => {
                if let Some(series) = &facts.series {
                    put(self.series, series.id.0, series);
                }
            }
            TransportEvent::SessionChanged { session, .. } => {
                put(self.sessions, session.id.0, session);
            }
            TransportEvent::PieceReceived(_) | TransportEvent::PacketsCarried(_) => {}
        }
    }

    fn add_finding(&mut self, finding: Diagnostic) {
        self.summary.count_finding(finding.rule.severity);
        if let Some(ordinal) = finding.place.frame {
            let lane = &self.lanes[finding.direction.index()];
            if let Some(row) = lane.row_of((self.id, finding.direction), ordinal, self.frames) {
                self.frames.mark(row, finding.rule.severity);
            }
        }
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push((self.id, finding));
        }
    }

    /// Keeps a checkpoint where a compressed lane has come far enough since the last one.
    #[inline]
    pub(super) fn keep_history(&mut self, record: &Record, session: &mut Session) {
        let Record::Octets { direction, leg: Leg::Client, .. } = record else { return };
        let lane = &mut self.lanes[direction.index()];
        let (messages, octets) = lane.since;
        if messages < CHECKPOINT_MESSAGES && octets < CHECKPOINT_OCTETS {
            return;
        }
        // Only between messages does the history belong to a known offset.
        let Some(offset) = session.offset_between_messages(self.id, *direction) else { return };
        let Some(history) = session.inflate_history(self.id, *direction) else { return };
        if history.len() <= WINDOW {
            lane.checkpoints.push(Checkpoint { offset, history: history.into() });
            lane.since = (0, 0);
        }
    }
}
