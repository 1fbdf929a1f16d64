//! How the index grows: one record's octets located, its events made into rows.

use std::ops::Range;
use std::sync::Arc;

use crate::capture::locate::LaneTable;
use crate::index::{ConnectionSummary, FrameIndex, FrameRow, MessageRow};
use crate::message::{CompressionFacts, MessageFault};
use crate::session::{EventSink, Unfragmented};
use crate::transport::{Series, TransportSession};
use crate::{
    ConnectionId, ConnectionInfo, Diagnostic, Direction, Event, EventKind, Frame, Leg, Message,
    Opcode, Record, Timestamp, TransportEvent,
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

/// From one frame of a lane whose row is kept to the next there are fewer frames of the lane than this …
const FRAMES_STEP: u32 = 64;
/// … and fewer rows of all lanes than this: what a search for a frame by its ordinal walks through.
const ROWS_STEP: u32 = 16 << 10;

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
    /// From where on something is missing that compressed messages may refer to: octets, or what a
    /// message that cannot be inflated stood for.
    missing_from: Option<u64>,
    /// Row of the frame that began the message in progress.
    message_began: Option<u32>,
    /// The latest frame: its ordinal in the lane and its row.
    latest: Option<(u64, u32)>,
    /// Ordinals and rows of some frames, in order, by [`FRAMES_STEP`] and [`ROWS_STEP`]; of each behind one
    /// that has no row, since octets of it are missing.
    steps: Vec<(u32, u32)>,
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
    /// The row of its first frame.
    pub(super) fn first_row(&self) -> Option<usize> {
        self.steps.first().map(|(_, row)| *row as usize)
    }

    /// The latest frame has this ordinal in the lane and this row of `frames`.
    #[inline]
    fn note_row(&mut self, ordinal: u64, row: u32, frames: &mut FrameIndex) {
        if std::mem::take(&mut self.met_gap) {
            frames.mark_behind_gap(row);
        }
        let is_next = self.latest.is_none_or(|(latest, _)| ordinal == latest.saturating_add(1));
        self.latest = Some((ordinal, row));
        // There are no more frames in a lane than rows.
        let number = u32::try_from(ordinal).unwrap_or(u32::MAX);
        let is_near = self.steps.last().is_some_and(|(last, last_row)| {
            number.saturating_sub(*last) < FRAMES_STEP && row.saturating_sub(*last_row) < ROWS_STEP
        });
        if !is_near || !is_next {
            self.steps.push((number, row));
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
        let number = u32::try_from(ordinal).ok()?;
        let step = self.steps.partition_point(|(first, _)| *first <= number).checked_sub(1)?;
        let (first, row) = *self.steps.get(step)?;
        let (start, behind) = (row as usize, number.saturating_sub(first) as usize);
        let next = self.steps.get(step.saturating_add(1)).map(|(_, row)| *row as usize);
        in_lane(lane, start..next.unwrap_or(usize::MAX), frames).nth(behind)
    }

    /// The ordinal in the lane of the frame with this row of `frames`, which is of the lane.
    pub(super) fn ordinal_of(
        &self,
        lane: (ConnectionId, Direction),
        row: usize,
        frames: &FrameIndex,
    ) -> Option<u64> {
        let after = self.steps.partition_point(|(_, first)| *first as usize <= row);
        let (ordinal, first) = *self.steps.get(after.checked_sub(1)?)?;
        let before = in_lane(lane, first as usize..row, frames).count();
        Some(u64::from(ordinal).saturating_add(before as u64))
    }

    /// Whether something that compressed messages may refer to is missing before this lane offset.
    pub(super) fn misses_before(&self, offset: u64) -> bool {
        self.missing_from.is_some_and(|from| from <= offset)
    }

    /// The last checkpoint at or before this lane offset.
    pub(super) fn checkpoint_before(&self, offset: u64) -> Option<&Checkpoint> {
        let after = self.checkpoints.partition_point(|point| point.offset <= offset);
        after.checked_sub(1).and_then(|at| self.checkpoints.get(at))
    }
}

/// The rows of a lane among these, within reach of one of its steps.
fn in_lane(
    lane: (ConnectionId, Direction),
    range: Range<usize>,
    frames: &FrameIndex,
) -> impl Iterator<Item = usize> + '_ {
    let rows = frames.rows().iter().enumerate().take(range.end).skip(range.start);
    let rows = rows.take(ROWS_STEP as usize);
    let in_lane = move |(_, row): &(usize, &FrameRow)| (row.connection(), row.direction()) == lane;
    rows.filter(in_lane).map(|(row, _)| row)
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

    #[inline]
    fn wants_history(&self, direction: Direction) -> bool {
        let (messages, octets) = self.lanes[direction.index()].since;
        messages >= CHECKPOINT_MESSAGES || octets >= CHECKPOINT_OCTETS
    }

    fn history(&mut self, direction: Direction, offset: u64, history: &[u8]) {
        let lane = &mut self.lanes[direction.index()];
        lane.checkpoints.push(Checkpoint { offset, history: history.into() });
        lane.since = (0, 0);
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
            if matches!(
                message.fault,
                Some(MessageFault::InflateFailed { .. } | MessageFault::OverBudget { .. })
            ) {
                let last = self.frames.get(last_frame as usize);
                let end = last.map(|row| row.offset().saturating_add(row.wire_len()));
                lane.missing_from = lane.missing_from.or(end);
            }
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{FrameHeader, LengthForm, PayloadLength, Rsv};

    #[test]
    fn a_frame_is_found_within_few_rows_however_far_apart_those_of_its_lane_are() {
        const DOWN: Direction = Direction::ServerToClient;
        let header = FrameHeader {
            fin: true,
            rsv: Rsv::from_bits(0),
            opcode: Opcode::Text,
            masking_key: None,
            payload_len: PayloadLength { value: 0, form: LengthForm::Seven },
        };
        let (mut frames, mut lanes) =
            (FrameIndex::default(), [(); 2].map(|()| LaneState::default()));
        let (ids, mut rows) = ([ConnectionId(1), ConnectionId(2)], [vec![], vec![]]);
        for turn in 0..5 * u64::from(ROWS_STEP) {
            // The first lane says something now and then, and three times in a row.
            let which = usize::from(turn % 30_011 > 2);
            let (id, ordinal) = (ids[which], rows[which].len() as u64);
            let seen = Unfragmented {
                direction: DOWN,
                frame_index: ordinal,
                message_index: ordinal,
                offset: 2 * ordinal,
                header,
                at: Timestamp::default(),
            };
            let row = frames.push_unfragmented(id, &seen);
            lanes[which].note_row(ordinal, u32::try_from(row).unwrap(), &mut frames);
            rows[which].push(row);
        }
        for (which, rows) in rows.iter().enumerate() {
            let (lane, id) = (&lanes[which], ids[which]);
            for (ordinal, row) in (0..).zip(rows) {
                assert_eq!(lane.row_of((id, DOWN), ordinal, &frames), Some(*row));
                assert_eq!(lane.ordinal_of((id, DOWN), *row, &frames), Some(ordinal));
                let before = lane.steps.partition_point(|(_, kept)| *kept as usize <= *row) - 1;
                assert!(row - (lane.steps[before].1 as usize) < ROWS_STEP as usize);
            }
            assert_eq!(lane.row_of((id, DOWN), rows.len() as u64, &frames), None);
            assert!(lane.steps.len() <= rows.len() / FRAMES_STEP as usize + 6);
        }
    }
}
