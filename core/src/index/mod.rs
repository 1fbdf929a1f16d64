//! The index: compact rows for everything a view lists; payloads stay in the capture.
//!
//! A viewer takes a read lock for as long as it copies the rows it draws, asks for a *read plan* of
//! what the user looks at, lets go of the lock, and reads the octets from the capture by the plan.

pub mod connections;
pub mod frames;
pub mod read;

use std::sync::Arc;

pub use connections::{ConnectionSummary, Exchange, State};
pub use frames::{FrameIndex, FrameRow, MessageRow};
pub use read::{FrameContent, MessageContent, ReadPlan};

use crate::capture::locate::LaneTable;
use crate::connection::ConnectionMap;
use crate::message::inflate::WINDOW;
use crate::session::Limits;
use crate::{
    ConnectionId, Diagnostic, Direction, Event, EventKind, Frame, Leg, Message, Record, Session,
    Timestamp,
};

/// Findings listed in all; beyond it they are only counted on their connection.
const MAX_FINDINGS: usize = 100_000;

/// A compressed lane keeps what its messages can refer to after so many octets …
const CHECKPOINT_OCTETS: u64 = 4 << 20;
/// … or so many messages, so that any message opens by inflating at most that much before it.
const CHECKPOINT_MESSAGES: u32 = 4096;

/// Everything a view lists, growing by records.
#[derive(Debug)]
pub struct Index {
    session: Session,
    frames: FrameIndex,
    messages: Vec<MessageRow>,
    connections: Vec<ConnectionSummary>,
    /// Where each connection stands in `connections`, and what its lanes need to grow.
    places: ConnectionMap<Place>,
    findings: Vec<(ConnectionId, Diagnostic)>,
    table: LaneTable,
    generation: u64,
}

#[derive(Debug)]
struct Place {
    summary: usize,
    /// By [`Direction::index`].
    lanes: [LaneState; 2],
}

#[derive(Debug, Default)]
struct LaneState {
    /// Octets of the lane so far, gaps included: the lane offset of the next one.
    len: u64,
    /// Row of the frame that began the message in progress.
    message_began: Option<u32>,
    /// The latest frame: its ordinal in the lane and its row.
    latest: Option<(u64, u32)>,
    checkpoints: Vec<Checkpoint>,
    /// Messages and octets since the last checkpoint.
    since: (u32, u64),
}

/// A point between two messages of a compressed lane from which inflating can go on.
#[derive(Debug, Clone)]
struct Checkpoint {
    /// Lane offset just behind the message's last frame.
    offset: u64,
    history: Arc<[u8]>,
}

impl Index {
    /// An index of nothing.
    pub fn new() -> Self {
        Self {
            session: Session::new(Limits::COUNT),
            frames: FrameIndex::default(),
            messages: Vec::new(),
            connections: Vec::new(),
            places: ConnectionMap::default(),
            findings: Vec::new(),
            table: LaneTable::default(),
            generation: 0,
        }
    }

    /// Takes in a record and where in the capture its block starts (octets from the file's start).
    pub fn receive(&mut self, record: &Record, block_offset: u64) {
        self.generation = self.generation.saturating_add(1);
        self.locate(record, block_offset);
        let mut session = std::mem::replace(&mut self.session, Session::new(Limits::COUNT));
        session.receive_into(record, &mut |event| self.apply(event));
        self.session = session;
        self.keep_history(record);
    }

    /// No more records come: open lanes say what they left unfinished.
    pub fn finish(&mut self) {
        self.session.finish();
        while let Some(event) = self.session.poll_event() {
            self.generation = self.generation.saturating_add(1);
            self.apply(event);
        }
    }

    /// Grows with every change; a view that has seen this generation is up to date.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// One row a frame, in the order in which frames were completed.
    pub fn frames(&self) -> &FrameIndex {
        &self.frames
    }

    /// One row a message, control frames included, in the order in which they were completed.
    pub fn messages(&self) -> &[MessageRow] {
        &self.messages
    }

    /// One summary a connection, in the order in which they were opened.
    pub fn connections(&self) -> &[ConnectionSummary] {
        &self.connections
    }

    /// The summary of one connection.
    pub fn connection(&self, id: ConnectionId) -> Option<&ConnectionSummary> {
        self.connections.get(self.places.get(&id)?.summary)
    }

    /// Findings in order, the first hundred thousand of them.
    pub fn findings(&self) -> &[(ConnectionId, Diagnostic)] {
        &self.findings
    }

    /// How to read the frame of this row (an index into [`Index::frames`]) from the capture.
    pub fn frame_plan(&self, row: usize) -> Option<ReadPlan> {
        let frame = self.frames.get(row)?;
        let end = frame.offset().saturating_add(frame.wire_len());
        let lane = self.table.plan(frame.connection(), frame.direction(), frame.offset()..end);
        Some(ReadPlan::frame(lane, frame.offset()))
    }

    /// How to read the message of this row (an index into [`Index::messages`]) from the capture,
    /// inflated where it was compressed.
    pub fn message_plan(&self, row: usize) -> Option<ReadPlan> {
        let message = self.messages.get(row)?;
        let first = self.frames.get(message.first_frame as usize)?;
        let last = self.frames.get(message.last_frame as usize)?;
        let end = last.offset().saturating_add(last.wire_len());
        let (id, direction) = (first.connection(), first.direction());
        let mut start = first.offset();
        let mut history = None;
        if first.is_compressed() {
            let takes_over = self.takes_context_over(id, direction);
            if takes_over {
                let lane = &self.places.get(&id)?.lanes[direction.index()];
                let after =
                    lane.checkpoints.partition_point(|point| point.offset <= first.offset());
                let point = after.checked_sub(1).and_then(|at| lane.checkpoints.get(at));
                start =
                    point.map_or_else(|| self.frames_begin(id, direction), |point| point.offset);
                history = point.map(|point| point.history.clone());
            }
            let history = history.unwrap_or_default();
            let lane = self.table.plan(id, direction, start..end);
            return Some(ReadPlan::compressed(lane, start, first.offset(), !takes_over, history));
        }
        let lane = self.table.plan(id, direction, start..end);
        Some(ReadPlan::plain(lane, start))
    }

    fn takes_context_over(&self, id: ConnectionId, direction: Direction) -> bool {
        let deflate = self.connection(id).and_then(|c| c.handshake.as_ref()?.deflate);
        deflate.is_some_and(|params| match direction {
            Direction::ClientToServer => !params.client_no_context_takeover,
            Direction::ServerToClient => !params.server_no_context_takeover,
        })
    }

    /// Lane offset of the first octet behind the opening handshake.
    fn frames_begin(&self, id: ConnectionId, direction: Direction) -> u64 {
        let handshake = self.connection(id).and_then(|connection| connection.handshake.as_ref());
        handshake.map_or(0, |handshake| {
            let head = match direction {
                Direction::ClientToServer => &handshake.request,
                Direction::ServerToClient => &handshake.response,
            };
            head.offset.saturating_add(head.raw.len() as u64)
        })
    }

    /// Notes where a record's octets lie, before they are understood.
    fn locate(&mut self, record: &Record, block_offset: u64) {
        let (id, at) = (record.connection(), record.at());
        if let Record::Opened { info, .. } = record {
            let summary = self.connections.len();
            self.connections.push(ConnectionSummary::new(id, at, Arc::new((**info).clone())));
            self.places
                .insert(id, Place { summary, lanes: [LaneState::default(), LaneState::default()] });
            return;
        }
        let Some(place) = self.places.get_mut(&id) else { return };
        let Some(summary) = self.connections.get_mut(place.summary) else { return };
        summary.last_at = summary.last_at.max(at);
        match record {
            Record::Octets { leg: Leg::Client, direction, octets, .. } => {
                let lane = &mut place.lanes[direction.index()];
                self.table.add(id, *direction, lane.len, block_offset, octets.len());
                lane.len = lane.len.saturating_add(octets.len() as u64);
                let seen = &mut summary.octets[direction.index()];
                *seen = seen.saturating_add(octets.len() as u64);
            }
            Record::Gap { leg: Leg::Client, direction, len, .. } => {
                let lane = &mut place.lanes[direction.index()];
                lane.len = lane.len.saturating_add(*len);
            }
            _ => {}
        }
    }

    fn apply(&mut self, event: Event) {
        let id = event.connection;
        // By reference: frames and messages are many, and moving one is dearer than noting it.
        match &event.kind {
            EventKind::FrameDecoded(frame) => return self.add_frame(id, frame),
            EventKind::MessageCompleted(message) => return self.add_message(id, message),
            _ => {}
        }
        match event.kind {
            EventKind::DiagnosticRaised(finding) => self.add_finding(id, finding),
            kind => {
                let Some(place) = self.places.get(&id) else { return };
                if let Some(summary) = self.connections.get_mut(place.summary) {
                    summary.apply(event.at, kind);
                }
            }
        }
    }

    fn add_frame(&mut self, id: ConnectionId, frame: &Frame) {
        let Some(place) = self.places.get_mut(&id) else { return };
        let Some(summary) = self.connections.get_mut(place.summary) else { return };
        let lane = &mut place.lanes[frame.direction.index()];
        let begins = frame.header.opcode.begins_message();
        let agreed =
            summary.handshake.as_ref().is_some_and(|handshake| handshake.deflate.is_some());
        let compressed = begins && frame.header.rsv.rsv1() && agreed;
        let row = self.frames.push(id, frame, compressed);
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        lane.latest = Some((frame.index, row));
        summary.count_frame(frame);
        if begins {
            lane.message_began = Some(row);
        }
        // What is no part of a data message is a row of its own.
        let continues =
            frame.header.opcode == crate::Opcode::Continuation && lane.message_began.is_some();
        if !begins && !continues {
            let data_len = frame.header.payload_len.value;
            self.messages.push(MessageRow { first_frame: row, last_frame: row, data_len });
        }
    }

    fn add_message(&mut self, id: ConnectionId, message: &Message) {
        let Some(place) = self.places.get_mut(&id) else { return };
        let lane = &mut place.lanes[message.direction.index()];
        let Some((_, last_frame)) = lane.latest else { return };
        let first_frame = lane.message_began.take().unwrap_or(last_frame);
        if message.compressed {
            let (messages, octets) = &mut lane.since;
            *messages = messages.saturating_add(1);
            *octets = octets.saturating_add(message.wire_len).saturating_add(message.data_len);
        }
        self.messages.push(MessageRow { first_frame, last_frame, data_len: message.data_len });
        if let Some(summary) = self.connections.get_mut(place.summary) {
            let seen = &mut summary.messages[message.direction.index()];
            *seen = seen.saturating_add(1);
        }
    }

    fn add_finding(&mut self, id: ConnectionId, finding: Diagnostic) {
        if let Some(place) = self.places.get(&id) {
            if let Some(summary) = self.connections.get_mut(place.summary) {
                summary.count_finding(finding.rule.severity);
            }
            let latest = place.lanes[finding.direction.index()].latest;
            if let (Some(about), Some((ordinal, row))) = (finding.place.frame, latest)
                && about == ordinal
            {
                self.frames.mark(row as usize, finding.rule.severity);
            }
        }
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push((id, finding));
        }
    }

    /// Keeps a checkpoint where a compressed lane has come far enough since the last one.
    fn keep_history(&mut self, record: &Record) {
        let Record::Octets { connection, direction, leg: Leg::Client, .. } = record else { return };
        let Some(place) = self.places.get_mut(connection) else { return };
        let lane = &mut place.lanes[direction.index()];
        let (messages, octets) = lane.since;
        if messages < CHECKPOINT_MESSAGES && octets < CHECKPOINT_OCTETS {
            return;
        }
        // Only between messages does the history belong to a known offset.
        let Some(offset) = self.session.offset_between_messages(*connection, *direction) else {
            return;
        };
        let Some(history) = self.session.inflate_history(*connection, *direction) else { return };
        if history.len() <= WINDOW {
            lane.checkpoints.push(Checkpoint { offset, history: history.into() });
            lane.since = (0, 0);
        }
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
        let first = self.frames.get(row.first_frame as usize)?.first_octet_at();
        Some((first, self.frames.last_octet_at(row.last_frame as usize)?))
    }
}
