//! A walk along a capture: connections followed message by message, each by itself.

use framescope_core::connection::ConnectionMap;
use framescope_core::session::{Inspector, Limits, Shared};
use framescope_core::subprotocol::{Choice, Dissection, FIRST_MESSAGES, Override, Tracker};
use framescope_core::transport::Target;
use framescope_core::{ConnectionId, Direction, Event, EventKind, Record};

use super::kept::Place;
use crate::store::packets::is_its_own;

/// What is kept of a message while it is read: no dissector takes more.
const LIMITS: Limits =
    Limits { frame_payload: 0, message_data: 4 << 20, body_content: 0, ..Limits::KEEP };

/// What a walk comes by.
#[derive(Debug)]
pub(super) enum Seen {
    /// It is told what a connection speaks.
    Chosen(ConnectionId, Choice),
    /// A data message is whole, and what it says where its connection's sub-protocol is known.
    Message(Place, Option<Dissection>),
    /// All frames of a lane up to this offset were seen.
    ReadTo(ConnectionId, Direction, u64),
    /// A connection speaks nothing that is known: it is passed over from now on.
    Silent(ConnectionId),
    /// Nothing more comes of a connection.
    Ended(ConnectionId),
}

/// Connections that are followed.
#[derive(Debug, Default)]
pub(super) struct Walk {
    connections: ConnectionMap<Followed>,
    shared: Shared,
}

/// One connection.
#[derive(Debug)]
struct Followed {
    inspector: Inspector,
    tracker: Tracker,
    by_user: Override,
    /// Lane offset of the frame that began the message in progress, by [`Direction::index`].
    began: [u64; 2],
    messages: u32,
    is_chosen: bool,
    /// Its session began over another connection, of which nothing is read here.
    began_elsewhere: bool,
}

impl Walk {
    /// Takes in the next record. `by_user` is asked how a new connection is to be read; one for which
    /// it gives nothing is passed over.
    pub(super) fn receive(
        &mut self,
        record: &Record,
        by_user: impl FnOnce(ConnectionId) -> Option<Override>,
        seen: &mut Vec<Seen>,
    ) {
        let id = record.connection();
        if matches!(record, Record::Opened { .. })
            && let Some(by_user) = by_user(id)
        {
            self.connections.insert(id, Followed::new(id, by_user));
        }
        let Some(followed) = self.connections.get_mut(&id) else { return };
        let goes_on = followed.receive(record, &mut self.shared, seen);
        if !goes_on {
            self.connections.remove(&id);
        }
    }

    /// Follows a connection no further.
    pub(super) fn forget(&mut self, connection: ConnectionId) {
        self.connections.remove(&connection);
    }
}

impl Followed {
    fn new(id: ConnectionId, by_user: Override) -> Self {
        Self {
            inspector: Inspector::new(id, LIMITS),
            tracker: Tracker::new(by_user),
            by_user,
            began: [0; 2],
            messages: 0,
            is_chosen: false,
            began_elsewhere: false,
        }
    }

    /// Whether there is any reason to follow it further.
    fn receive(&mut self, record: &Record, shared: &mut Shared, seen: &mut Vec<Seen>) -> bool {
        let Self { inspector, tracker, began, messages, is_chosen, by_user, began_elsewhere } =
            self;
        let id = inspector.id();
        let mut is_silent = false;
        let mut sink = |event: Event| match &event.kind {
            EventKind::FrameDecoded(frame) => {
                let lane = frame.direction.index();
                if frame.header.opcode.begins_message() {
                    began[lane] = frame.offset;
                }
                let header_len = u64::from(frame.header.encoded_len());
                let len = header_len.saturating_add(frame.header.payload_len.value);
                let to = frame.offset.saturating_add(len);
                match seen.last_mut() {
                    Some(Seen::ReadTo(on, direction, before))
                        if (*on, *direction) == (id, frame.direction) =>
                    {
                        *before = to;
                    }
                    _ => seen.push(Seen::ReadTo(id, frame.direction, to)),
                }
            }
            EventKind::MessageCompleted(message) => {
                let mut dissection = tracker.receive(&event);
                if *began_elsewhere {
                    let packets = dissection.iter_mut().flat_map(|said| &mut said.packets);
                    packets.for_each(|packet| packet.problems.retain(is_its_own));
                }
                *messages = messages.saturating_add(1);
                let offset = began[message.direction.index()];
                let place = Place { connection: id, direction: message.direction, offset };
                is_silent = dissection.is_none() && *messages >= FIRST_MESSAGES;
                *is_chosen = *is_chosen || dissection.is_some();
                // Whoever is told that a frame was read finds its message there.
                let read_to = seen.pop_if(|seen| matches!(seen, Seen::ReadTo(..)));
                seen.push(Seen::Message(place, dissection));
                seen.extend(read_to);
            }
            EventKind::HandshakeCompleted(handshake) => {
                tracker.receive(&event);
                // An Engine.IO session that moves to a WebSocket says so by its number.
                *began_elsewhere = Target::of(&handshake.request).parameter("sid").is_some();
                match tracker.choice(id) {
                    Some(choice) => {
                        *is_chosen = true;
                        seen.push(Seen::Chosen(id, choice.clone()));
                    }
                    None => is_silent = *by_user == Override::Off && handshake.upgraded,
                }
            }
            EventKind::ConnectionEnded(_) => seen.push(Seen::Ended(id)),
            _ => {}
        };
        inspector.receive(record, shared, &mut sink);
        if is_silent && !*is_chosen {
            seen.push(Seen::Silent(id));
            return false;
        }
        !inspector.has_ended()
    }
}

impl Seen {
    /// The connection it is about.
    pub(super) fn connection(&self) -> ConnectionId {
        match self {
            Self::Message(place, _) => place.connection,
            Self::Chosen(connection, _)
            | Self::ReadTo(connection, ..)
            | Self::Silent(connection)
            | Self::Ended(connection) => *connection,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use framescope_core::{ConnectionInfo, Leg, Timestamp};

    use super::*;

    /// What is wrong with the client's first message, a pong, on a WebSocket to this target.
    fn problems_of_a_pong(target: &str) -> usize {
        let (connection, at) = (ConnectionId(1), Timestamp::from_nanos(1));
        let addr = "127.0.0.1:9870".parse().unwrap();
        let info =
            ConnectionInfo { client: addr, server: addr, mode: None, upstream: None, tls: None };
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
            Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        let octets = |direction, octets: &[u8]| Record::Octets {
            connection,
            at,
            leg: Leg::Client,
            direction,
            octets: Bytes::copy_from_slice(octets),
            in_proxy: None,
        };
        let records = [
            Record::Opened { connection, at, info: Box::new(info) },
            octets(Direction::ClientToServer, request.as_bytes()),
            octets(Direction::ServerToClient, answer.as_bytes()),
            octets(Direction::ClientToServer, b"\x81\x81\x00\x00\x00\x003"),
        ];
        let (mut walk, mut seen) = (Walk::default(), Vec::new());
        for record in &records {
            walk.receive(record, |_| Some(Override::Auto), &mut seen);
        }
        let said = seen.iter().find_map(|seen| match seen {
            Seen::Message(_, dissection) => dissection.as_ref(),
            _ => None,
        });
        said.expect("Engine.IO is told by the target").problems().count()
    }

    #[test]
    fn what_answers_something_said_over_another_connection_is_not_blamed() {
        assert_eq!(problems_of_a_pong("/socket.io/?EIO=4&transport=websocket&sid=lv_VI97HAX"), 0);
        assert_eq!(problems_of_a_pong("/socket.io/?EIO=4&transport=websocket"), 1);
    }
}
