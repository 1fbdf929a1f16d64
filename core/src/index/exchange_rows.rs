//! The rows of one connection's HTTP exchanges: which of them an event is about.
//!
//! A request with its answer is a row, and so is each event, chunk or line of an answer that goes on. They
//! are numbered in the order in which they began, so that whoever walks the capture by itself, as a search
//! does, means the same row by the same number.

use std::collections::VecDeque;

use crate::http::{AnswerTo, BodyFraming};
use crate::{Direction, EventKind, Head, Leg, TransportEvent};

/// Numbers the rows of one connection, event by event.
#[derive(Debug, Clone, Default)]
pub struct ExchangeRows {
    next: usize,
    /// The row of the latest request.
    asked: Option<usize>,
    /// Rows of requests whose answers are not whole, oldest first, and what each asked for.
    waiting: VecDeque<(usize, AnswerTo)>,
}

/// Where an event belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The row that it is about.
    pub row: usize,
    /// The row of its exchange: the same, but for events and pieces of an answer.
    pub exchange: usize,
    /// What of it.
    pub part: ExchangePart,
}

/// What an event tells of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangePart {
    /// The request's head: a row begins.
    Request {
        /// It has no body, of which no end is told then.
        is_whole: bool,
    },
    /// The answer's head; interim ones are none.
    Response {
        /// It has no body, of which no end is told then.
        is_whole: bool,
    },
    /// The body in this direction, whole.
    Body(Direction),
    /// An event of the answer, or a chunk or line of it: a row of its own.
    Piece,
}

impl ExchangeRows {
    /// One more than the number of the last row.
    pub fn end(&self) -> usize {
        self.next
    }

    /// Takes in the next event of the connection; where it belongs, if it is about an exchange.
    pub fn place(&mut self, kind: &EventKind) -> Option<Placed> {
        match kind {
            EventKind::HeadReceived { leg: Leg::Client, direction, head } => match direction {
                Direction::ClientToServer => Some(self.request(head)),
                Direction::ServerToClient => self.response(head),
            },
            EventKind::BodyCompleted { direction, .. } => {
                let row = match direction {
                    // Requests come one after the other.
                    Direction::ClientToServer => self.asked,
                    Direction::ServerToClient => self.waiting.pop_front().map(|(row, _)| row),
                }?;
                Some(Placed { row, exchange: row, part: ExchangePart::Body(*direction) })
            }
            EventKind::ServerSentEvent(_)
            | EventKind::TransportSeen(TransportEvent::PieceReceived(_)) => {
                let (exchange, _) = *self.waiting.front()?;
                Some(Placed { row: self.begin(), exchange, part: ExchangePart::Piece })
            }
            _ => None,
        }
    }

    fn request(&mut self, head: &Head) -> Placed {
        let row = self.begin();
        self.asked = Some(row);
        self.waiting.push_back((row, AnswerTo::request(head)));
        let is_whole = BodyFraming::of_request(head) == BodyFraming::Empty;
        Placed { row, exchange: row, part: ExchangePart::Request { is_whole } }
    }

    fn response(&mut self, head: &Head) -> Option<Placed> {
        // One that is followed by the answer that counts; after 101 there is none.
        if head.status().is_some_and(|status| (100..200).contains(&status) && status != 101) {
            return None;
        }
        let (row, asked) = *self.waiting.front()?;
        let is_whole = BodyFraming::of_response(head, asked.method()) == BodyFraming::Empty;
        if is_whole {
            self.waiting.pop_front();
        }
        Some(Placed { row, exchange: row, part: ExchangePart::Response { is_whole } })
    }

    fn begin(&mut self) -> usize {
        let row = self.next;
        self.next = self.next.saturating_add(1);
        row
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::http::ServerSentEvent;

    const UP: Direction = Direction::ClientToServer;
    const DOWN: Direction = Direction::ServerToClient;

    fn head(direction: Direction, text: &'static str) -> EventKind {
        let raw = Bytes::from_static(text.as_bytes());
        let head = match direction {
            UP => Head::parse_request(raw, 0),
            DOWN => Head::parse_response(raw, 0),
        };
        EventKind::HeadReceived { leg: Leg::Client, direction, head: Arc::new(head.unwrap()) }
    }

    fn body(direction: Direction) -> EventKind {
        EventKind::BodyCompleted { direction, wire_len: 2, content_len: 2, content: Bytes::new() }
    }

    #[test]
    fn pipelined_requests_interim_answers_and_streams_are_told_apart() {
        let event = || EventKind::ServerSentEvent(Box::<ServerSentEvent>::default());
        let (request, response) = (
            |is_whole| ExchangePart::Request { is_whole },
            |is_whole| ExchangePart::Response { is_whole },
        );
        let steps = [
            (event(), None),
            (
                head(UP, "POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\n"),
                Some((0, 0, request(false))),
            ),
            (body(UP), Some((0, 0, ExchangePart::Body(UP)))),
            (head(UP, "HEAD /b HTTP/1.1\r\n\r\n"), Some((1, 1, request(true)))),
            (head(UP, "GET /c HTTP/1.1\r\n\r\n"), Some((2, 2, request(true)))),
            (head(DOWN, "HTTP/1.1 103 Early Hints\r\n\r\n"), None),
            (
                head(DOWN, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
                Some((0, 0, response(false))),
            ),
            (body(DOWN), Some((0, 0, ExchangePart::Body(DOWN)))),
            (
                head(DOWN, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
                Some((1, 1, response(true))),
            ),
            (
                head(DOWN, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"),
                Some((2, 2, response(false))),
            ),
            (event(), Some((3, 2, ExchangePart::Piece))),
            (event(), Some((4, 2, ExchangePart::Piece))),
            (body(DOWN), Some((2, 2, ExchangePart::Body(DOWN)))),
            (
                head(UP, "GET /d HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"),
                Some((5, 5, request(true))),
            ),
            (head(DOWN, "HTTP/1.1 101 Switching Protocols\r\n\r\n"), Some((5, 5, response(true)))),
            (head(DOWN, "HTTP/1.1 200 OK\r\n\r\n"), None),
        ];
        let mut rows = ExchangeRows::default();
        for (at, (kind, expected)) in steps.into_iter().enumerate() {
            let expected = expected.map(|(row, exchange, part)| Placed { row, exchange, part });
            assert_eq!(rows.place(&kind), expected, "step {at}");
        }
        assert_eq!(rows.end(), 6);
    }
}
