//! Packets of Engine.IO and SockJS in the bodies of one connection, each in a line.

use std::collections::VecDeque;

use framescope_core::subprotocol::{
    Dissection, Packet, Problem, ProblemCode, Subprotocol, Tracker,
};
use framescope_core::transport::{Carried, TransportEvent};
use framescope_core::{Event, EventKind};

use crate::detail::session::is_named_by;

/// Bodies that wait until their session is known.
const WAITING: usize = 16;

/// What a body says, packet by packet.
#[derive(Debug, Clone, Default)]
pub struct Packets {
    /// What they are of; none where there are none.
    pub protocol: Option<Subprotocol>,
    /// A line each, the first of them.
    pub lines: Vec<PacketLine>,
    /// Packets that are not in `lines`.
    pub more: u64,
}

/// One packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketLine {
    /// In the words of its sub-protocol; it may hold text of the peer.
    pub text: String,
    /// What is wrong with it, if anything, whatever was said on other connections of the session.
    pub problem: Option<String>,
}

impl Packets {
    /// Octets of its lines.
    pub fn octets(&self) -> usize {
        let line =
            |line: &PacketLine| line.text.len() + line.problem.as_ref().map_or(0, String::len);
        self.lines.iter().map(line).sum()
    }
}

impl From<Dissection> for Packets {
    fn from(said: Dissection) -> Self {
        let line = |packet: Packet| PacketLine {
            text: packet.summary,
            problem: packet.problems.into_iter().find(is_its_own).map(|problem| problem.detail),
        };
        Self {
            protocol: Some(said.choice.protocol),
            lines: said.packets.into_iter().map(line).collect(),
            more: said.more_packets,
        }
    }
}

/// Whether a problem is one of the packet alone: what it answers, or what came before it, may have crossed
/// another connection of the session, which is not read here.
pub(super) fn is_its_own(problem: &Problem) -> bool {
    use ProblemCode::{OutOfOrder, RepeatedId, UnknownId};
    !matches!(problem.code, OutOfOrder | UnknownId | RepeatedId)
}

/// Reads the packets of one connection from its events.
#[derive(Debug, Default)]
pub(super) struct PacketReader {
    tracker: Tracker,
    /// What a client said before an answer on this connection told the session.
    waiting: VecDeque<Event>,
}

impl PacketReader {
    /// Takes in the next event; gives each body that is read with what it says to `take`.
    pub(super) fn receive(&mut self, event: &Event, take: &mut dyn FnMut(&Carried, Packets)) {
        let EventKind::TransportSeen(seen) = &event.kind else { return };
        match seen {
            TransportEvent::PacketsCarried(carried) if carried.session.is_none() => {
                if self.waiting.len() >= WAITING {
                    self.waiting.pop_front();
                }
                self.waiting.push_back(event.clone());
            }
            TransportEvent::PacketsCarried(carried) => {
                if let Some(said) = self.tracker.receive(event) {
                    take(carried, said.into());
                }
            }
            TransportEvent::SessionChanged { session, .. } => {
                self.tracker.receive(event);
                for mut waiting in std::mem::take(&mut self.waiting) {
                    let EventKind::TransportSeen(TransportEvent::PacketsCarried(carried)) =
                        &mut waiting.kind
                    else {
                        continue;
                    };
                    if !is_named_by(session, &carried.request) {
                        self.waiting.push_back(waiting);
                        continue;
                    }
                    carried.session = Some(session.id);
                    self.receive(&waiting, take);
                }
            }
            _ => {}
        }
    }
}
