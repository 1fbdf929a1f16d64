//! Answers of plain HTTP that belong to a sub-protocol: the info of `SockJS`.

use std::collections::VecDeque;

use crate::connection::ConnectionMap;
use crate::subprotocol::{Dissection, read_sockjs_info};
use crate::{Direction, Event, EventKind, Head, Leg};

/// Requests of one connection that may wait for their answers; where there are more, none are told.
const MOST_WAITING: usize = 64;

/// The plain HTTP of all connections.
#[derive(Debug, Default)]
pub(super) struct Answers {
    connections: ConnectionMap<Asked>,
}

/// What one connection asked for.
#[derive(Debug, Default)]
struct Asked {
    /// The targets of the requests that wait for their answer, where the answer may tell something.
    waiting: VecDeque<Option<String>>,
    /// That of the request whose answer goes by.
    answered: Option<String>,
    is_over: bool,
}

impl Answers {
    pub(super) fn receive(&mut self, event: &Event) -> Option<Dissection> {
        match &event.kind {
            EventKind::HeadReceived { leg: Leg::Client, head, .. } => {
                self.connections.entry(event.connection).or_default().head(head);
                None
            }
            EventKind::BodyCompleted { direction: Direction::ServerToClient, content, .. } => {
                let target = self.connections.get_mut(&event.connection)?.answered.take()?;
                read_sockjs_info(&target, content)
            }
            EventKind::HandshakeCompleted(handshake) if handshake.upgraded => {
                self.connections.remove(&event.connection);
                None
            }
            EventKind::ConnectionEnded(_) => {
                self.connections.remove(&event.connection);
                None
            }
            _ => None,
        }
    }
}

impl Asked {
    fn head(&mut self, head: &Head) {
        let Some(target) = head.target() else {
            // Those below 200 come before the answer.
            if head.status().is_some_and(|status| status >= 200) {
                self.answered = self.waiting.pop_front().flatten();
            }
            return;
        };
        self.is_over |= self.waiting.len() >= MOST_WAITING;
        if self.is_over {
            self.waiting.clear();
            return;
        }
        let may_tell = head.method() == Some("GET") && target.contains("/info");
        self.waiting.push_back(may_tell.then(|| target.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::Direction::{ClientToServer, ServerToClient};
    use crate::export::jsonl::samples::stamp;
    use crate::{ConnectionId, Timestamp};

    fn event(kind: EventKind) -> Event {
        let at: Timestamp = stamp(1);
        Event { connection: ConnectionId(1), at, kind }
    }

    fn asks(target: &str) -> Event {
        let head = Head::parse_request(format!("GET {target} HTTP/1.1\r\n\r\n").into(), 0);
        let head = Arc::new(head.unwrap());
        event(EventKind::HeadReceived { leg: Leg::Client, direction: ClientToServer, head })
    }

    fn is_answered(status: u16) -> Event {
        let head = Head::parse_response(format!("HTTP/1.1 {status} OK\r\n\r\n").into(), 0);
        let head = Arc::new(head.unwrap());
        event(EventKind::HeadReceived { leg: Leg::Client, direction: ServerToClient, head })
    }

    fn body(content: &'static [u8]) -> Event {
        let len = content.len() as u64;
        event(EventKind::BodyCompleted {
            direction: ServerToClient,
            wire_len: len,
            content_len: len,
            content: Bytes::from_static(content),
        })
    }

    fn told(events: &[Event]) -> Vec<String> {
        let mut answers = Answers::default();
        events.iter().filter_map(|event| Some(answers.receive(event)?.summary())).collect()
    }

    const INFO: &[u8] =
        br#"{"websocket":true,"origins":["*:*"],"cookie_needed":false,"entropy":1}"#;

    #[test]
    fn the_info_of_sockjs_is_told_with_the_request_that_asked_for_it() {
        let rows: [(&[Event], usize); 5] = [
            (&[asks("/echo/info?t=1"), is_answered(200), body(INFO)], 1),
            (&[asks("/other"), is_answered(200), body(INFO)], 0),
            (&[asks("/echo/info"), is_answered(103), is_answered(200), body(INFO)], 1),
            (&[asks("/a"), asks("/echo/info"), is_answered(204), is_answered(200), body(INFO)], 1),
            (&[asks("/echo/info"), is_answered(304), asks("/b"), is_answered(200), body(INFO)], 0),
        ];
        for (events, count) in rows {
            assert_eq!(told(events), vec!["info WebSocket is on"; count], "{events:?}");
        }
    }

    #[test]
    fn a_flood_of_requests_is_not_kept() {
        let mut events: Vec<Event> = (0..=MOST_WAITING).map(|_| asks("/echo/info")).collect();
        events.extend([is_answered(200), body(INFO)]);
        assert_eq!(told(&events), [""; 0]);
    }
}
