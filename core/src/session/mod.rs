//! The session: records in, events out.
//!
//! ```text
//!  Record ─► Session ─► which connection ─► Inspector ─► which lane ─► HttpLane or FrameLane ─► Event
//! ```

pub mod crowd;
pub mod event;
pub mod frame_checks;
pub mod frame_lane;
pub mod http_lane;
pub mod inspector;
pub mod lane_event;
pub mod mask_keys;
pub mod message_watch;
pub mod pace;
pub mod pings;
pub mod seeking;

use std::collections::VecDeque;

use crowd::Crowd;
pub use event::{EndedBy, Ending, Event, EventKind, EventSink, Unfragmented};
pub use inspector::Inspector;

use crate::Record;
use crate::connection::ConnectionMap;
use crate::transport::Transports;

/// How much of what is seen is kept; what is beyond a limit is counted, and said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of payload kept on a [`crate::Frame`].
    pub frame_payload: usize,
    /// Octets kept on a [`crate::Message`].
    pub message_data: usize,
    /// Octets kept of the content of one plain HTTP body, and of the data of one server-sent event.
    pub body_content: usize,
    /// Octets one message may inflate to before inflating stops.
    pub inflate_budget: u64,
    /// Octets of one HTTP head.
    pub head: usize,
    /// Octets of one lane that may wait for the other: behind an upgrade request before its answer,
    /// responses before their requests, heads of requests before their responses.
    pub early: usize,
}

impl Limits {
    /// Keeps payloads whole up to 64 MiB: for exports and detail views.
    pub const KEEP: Self = Self {
        frame_payload: 64 << 20,
        message_data: 64 << 20,
        body_content: 1 << 20,
        inflate_budget: 256 << 20,
        head: 256 << 10,
        early: 1 << 20,
    };

    /// Keeps no payload; checks and counts all the same: for the index.
    pub const COUNT: Self =
        Self { frame_payload: 0, message_data: 0, body_content: 0, ..Self::KEEP };
}

impl Default for Limits {
    fn default() -> Self {
        Self::KEEP
    }
}

/// Understands a whole capture: any number of connections.
#[derive(Debug)]
pub struct Session {
    limits: Limits,
    /// In boxes, so that the room that a map keeps free is small.
    connections: ConnectionMap<Box<Inspector>>,
    events: VecDeque<Event>,
    shared: Shared,
}

/// What connections share.
#[derive(Debug, Default)]
pub struct Shared {
    /// Working room.
    pub(crate) scratch: Vec<u8>,
    /// What they tell together.
    pub(crate) crowd: Crowd,
    /// What their plain HTTP exchanges make together.
    pub(crate) transports: Transports,
}

impl Session {
    /// A session that has seen nothing yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            connections: ConnectionMap::default(),
            events: VecDeque::new(),
            shared: Shared::default(),
        }
    }

    /// Takes in one record. What it means is then to be had from [`Session::poll_event`].
    pub fn receive(&mut self, record: &Record) {
        let mut events = std::mem::take(&mut self.events);
        self.receive_into(record, &mut |event| events.push_back(event));
        self.events = events;
    }

    /// Takes in one record and tells what it means at once, without a queue.
    ///
    /// A connection that ended is forgotten; records that still name it are passed over.
    pub fn receive_into(&mut self, record: &Record, out: &mut dyn FnMut(Event)) {
        self.receive_to(record, &mut |event| out(event));
    }

    /// The same for whoever need not have an event made of each frame and message.
    #[inline]
    pub fn receive_to(&mut self, record: &Record, sink: &mut impl EventSink) {
        let id = record.connection();
        if matches!(record, Record::Opened { .. }) {
            self.connections.insert(id, Box::new(Inspector::new(id, self.limits)));
        }
        let Some(inspector) = self.connections.get_mut(&id) else { return };
        inspector.receive(record, &mut self.shared, sink);
        if inspector.has_ended() {
            self.connections.remove(&id);
        }
    }

    /// No more records come: says of each open lane what is left unfinished.
    pub fn finish(&mut self) {
        let mut open: Vec<Box<Inspector>> =
            self.connections.drain().map(|(_, open)| open).collect();
        open.sort_by_key(|inspector| inspector.id());
        for mut inspector in open {
            inspector.finish(&mut self.shared, &mut |event| self.events.push_back(event));
        }
    }

    /// The next event, in the order of the octets.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}
