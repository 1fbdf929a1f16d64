//! What an engine recorded, read back.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use framescope_core::capture::{CaptureFault, CaptureItem, CaptureReader};
use framescope_core::connection::Failure;
use framescope_core::session::Limits;
use framescope_core::{
    ConnectionId, Diagnostic, Direction, Event, EventKind, Finish, Frame, Leg, Message,
    OpeningHandshake, Record, Session,
};
use std::sync::Arc;

/// A whole capture: its records, and what they mean.
#[derive(Debug)]
pub struct Recorded {
    /// Every record, in order.
    pub records: Vec<Record>,
    /// Every event, in order.
    pub events: Vec<Event>,
}

impl Recorded {
    /// Reads the capture at `path`; a fault in it fails the test.
    pub fn read(path: &Path) -> Self {
        Self::read_all(path, |fault| panic!("a fault in the capture: {fault}"))
    }

    /// The same of a capture whose writer was killed: it may end within a block.
    pub fn read_cut(path: &Path) -> Self {
        Self::read_all(path, |fault| {
            assert!(
                matches!(fault, CaptureFault::CutTail { .. }),
                "a fault in the capture: {fault}"
            );
        })
    }

    fn read_all(path: &Path, fault: impl Fn(CaptureFault)) -> Self {
        let mut reader = CaptureReader::new();
        reader.receive(Bytes::from(fs::read(path).expect("a capture")));
        reader.finish();
        let mut session = Session::new(Limits::KEEP);
        let (mut records, mut events) = (Vec::new(), Vec::new());
        while let Some(item) = reader.poll() {
            match item {
                CaptureItem::Record { record, .. } => {
                    session.receive(&record);
                    records.push(record);
                }
                CaptureItem::Fault(found) => fault(found),
            }
            events.extend(std::iter::from_fn(|| session.poll_event()));
        }
        session.finish();
        events.extend(std::iter::from_fn(|| session.poll_event()));
        Self { records, events }
    }

    /// All octets of one lane of the client leg, of all connections in order.
    pub fn lane(&self, wanted: Direction) -> Vec<u8> {
        let mut lane = Vec::new();
        for record in &self.records {
            if let Record::Octets { leg: Leg::Client, direction, octets, .. } = record
                && *direction == wanted
            {
                lane.extend_from_slice(octets);
            }
        }
        lane
    }

    /// The octets of every gap of the client leg, by direction, in order.
    pub fn gaps(&self) -> Vec<(Direction, u64)> {
        let gap = |record: &Record| match record {
            Record::Gap { leg: Leg::Client, direction, len, .. } => Some((*direction, *len)),
            _ => None,
        };
        self.records.iter().filter_map(gap).collect()
    }

    /// What the proxy says went wrong on its way, in order.
    pub fn failures(&self) -> Vec<Failure> {
        self.pick(|kind| match kind {
            EventKind::ConnectionNoted(note) => note.failure.clone(),
            _ => None,
        })
    }

    /// How the directions of the client leg ended, in order.
    pub fn endings(&self) -> Vec<(Direction, Finish)> {
        self.records.iter().filter_map(client_ending).collect()
    }

    /// The same of the connection that was accepted as the first.
    pub fn endings_of_first(&self) -> Vec<(Direction, Finish)> {
        let is_first = |record: &&Record| record.connection() == ConnectionId(1);
        self.records.iter().filter(is_first).filter_map(client_ending).collect()
    }

    /// Every frame, in order.
    pub fn frames(&self) -> Vec<Frame> {
        self.pick(|kind| match kind {
            EventKind::FrameDecoded(frame) => Some(frame.clone()),
            _ => None,
        })
    }

    /// Every data message, in order.
    pub fn messages(&self) -> Vec<Message> {
        self.pick(|kind| match kind {
            EventKind::MessageCompleted(message) => Some(message.clone()),
            _ => None,
        })
    }

    /// Every finding, in order.
    pub fn findings(&self) -> Vec<Diagnostic> {
        self.pick(|kind| match kind {
            EventKind::DiagnosticRaised(finding) => Some(finding.clone()),
            _ => None,
        })
    }

    /// The codes of all findings, in order.
    pub fn codes(&self) -> Vec<&'static str> {
        self.findings().iter().map(|finding| finding.rule.code).collect()
    }

    /// Every opening handshake, in order.
    pub fn handshakes(&self) -> Vec<Arc<OpeningHandshake>> {
        self.pick(|kind| match kind {
            EventKind::HandshakeCompleted(handshake) => Some(handshake.clone()),
            _ => None,
        })
    }

    /// What `of` finds among the events, in order.
    pub fn pick<T>(&self, of: impl Fn(&EventKind) -> Option<T>) -> Vec<T> {
        self.events.iter().filter_map(|event| of(&event.kind)).collect()
    }
}

fn client_ending(record: &Record) -> Option<(Direction, Finish)> {
    match record {
        Record::Finished { leg: Leg::Client, direction, how, .. } => Some((*direction, *how)),
        _ => None,
    }
}
