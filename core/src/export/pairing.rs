//! Pairing: the message that a frame ends, told together with that frame.
//!
//! A session says [`EventKind::FrameDecoded`] first, then what it found about the frame, then
//! [`EventKind::MessageCompleted`]. Whoever writes one line a frame wants the message on that line,
//! so a frame that may end a message is held until its message comes, or until it cannot come.

use std::collections::VecDeque;

use super::{Depth, FrameTiming, FrameTimings, MessageReader, Reading};
use crate::{Event, EventKind, Message, Record};

/// An event, and the message it ends where it is a frame that does.
#[derive(Debug, Clone, PartialEq)]
pub struct Paired {
    /// What was understood; a [`EventKind::MessageCompleted`] only where its frame was not seen.
    pub event: Event,
    /// The message this frame ended.
    pub message: Option<Message>,
    /// What that message says.
    pub reading: Reading,
    /// Of a frame, where records are told to [`Pairing::record`]: its time beside those before it.
    pub timing: Option<FrameTiming>,
}

impl From<Event> for Paired {
    fn from(event: Event) -> Self {
        Self { event, message: None, reading: Reading::default(), timing: None }
    }
}

/// Holds back at most one frame, and the findings about it.
#[derive(Debug, Default)]
pub struct Pairing {
    reader: MessageReader,
    timings: FrameTimings,
    held: Option<(Event, Option<FrameTiming>)>,
    /// Findings that came while a frame was held; they follow it.
    behind: Vec<Event>,
    ready: VecDeque<Paired>,
}

impl Pairing {
    /// Nothing is held yet; messages are read as deeply as `depth` says.
    pub fn new(depth: Depth) -> Self {
        Self { reader: MessageReader::new(depth), ..Self::default() }
    }

    /// Takes in a record, before the events that it gives. Without it nothing is told of timing.
    pub fn record(&mut self, record: &Record) {
        self.timings.record(record);
    }

    /// Takes in the next event of a session.
    pub fn receive(&mut self, event: Event) {
        let timing = self.timings.receive(&event);
        let reading = self.reader.receive(&event);
        if let Some((held, _)) = &self.held {
            match &event.kind {
                EventKind::MessageCompleted(message) if is_ended_by(message, &event, held) => {
                    let message = message.clone();
                    self.release(Some(message), reading);
                    return;
                }
                EventKind::DiagnosticRaised(_) if event.connection == held.connection => {
                    self.behind.push(event);
                    return;
                }
                _ => self.release(None, Reading::default()),
            }
        }
        if may_end_a_message(&event) {
            self.held = Some((event, timing));
        } else {
            self.ready.push_back(Paired { reading, timing, ..event.into() });
        }
    }

    /// Lets go of what is held: call it when the session has no further event for a record, so that
    /// no line waits for the next one.
    pub fn settle(&mut self) {
        self.release(None, Reading::default());
    }

    /// The next event, in the session's order.
    pub fn poll(&mut self) -> Option<Paired> {
        self.ready.pop_front()
    }

    fn release(&mut self, message: Option<Message>, reading: Reading) {
        let Some((event, timing)) = self.held.take() else { return };
        self.ready.push_back(Paired { event, message, reading, timing });
        let behind = self.behind.drain(..).map(Paired::from);
        self.ready.extend(behind);
    }
}

fn may_end_a_message(event: &Event) -> bool {
    match &event.kind {
        EventKind::FrameDecoded(frame) => frame.header.fin && !frame.header.opcode.is_control(),
        _ => false,
    }
}

fn is_ended_by(message: &Message, event: &Event, held: &Event) -> bool {
    match &held.kind {
        EventKind::FrameDecoded(frame) => {
            held.connection == event.connection
                && frame.direction == message.direction
                && frame.index == message.last_frame
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction::ClientToServer;
    use crate::export::jsonl::samples::{finding, frame, message};
    use crate::{ConnectionId, Timestamp};

    fn event(connection: u32, kind: EventKind) -> Event {
        Event { connection: ConnectionId(connection), at: Timestamp::from_nanos(1), kind }
    }

    fn words(events: Vec<Event>) -> Vec<&'static str> {
        let mut pairing = Pairing::default();
        let mut told = Vec::new();
        for event in events {
            pairing.receive(event);
        }
        pairing.settle();
        while let Some(paired) = pairing.poll() {
            told.push(match (paired.event.kind, paired.message) {
                (EventKind::FrameDecoded(_), Some(_)) => "frame+message",
                (EventKind::FrameDecoded(_), None) => "frame",
                (EventKind::MessageCompleted(_), None) => "message",
                (EventKind::DiagnosticRaised(_), None) => "finding",
                _ => "other",
            });
        }
        told
    }

    #[test]
    fn a_message_joins_the_frame_that_ended_it_and_findings_follow() {
        let frame = frame(ClientToServer, 0, "81 05 48656c6c6f");
        let message = message(&frame, b"Hello");
        let events = vec![
            event(1, EventKind::FrameDecoded(frame)),
            event(1, EventKind::DiagnosticRaised(finding())),
            event(1, EventKind::MessageCompleted(message)),
        ];
        assert_eq!(words(events), ["frame+message", "finding"]);
    }

    #[test]
    fn a_frame_is_not_joined_to_another_connections_message() {
        let frame = frame(ClientToServer, 0, "81 05 48656c6c6f");
        let message = message(&frame, b"Hello");
        let events = vec![
            event(1, EventKind::FrameDecoded(frame)),
            event(2, EventKind::MessageCompleted(message)),
        ];
        assert_eq!(words(events), ["frame", "message"]);
    }

    #[test]
    fn fragments_and_control_frames_are_never_held() {
        for wire in ["01 03 48656c", "89 00", "88 00"] {
            let mut pairing = Pairing::default();
            pairing.receive(event(1, EventKind::FrameDecoded(frame(ClientToServer, 0, wire))));
            assert!(pairing.poll().is_some(), "{wire}");
        }
    }

    #[test]
    fn settling_lets_a_held_frame_go_once() {
        let mut pairing = Pairing::default();
        pairing.receive(event(1, EventKind::FrameDecoded(frame(ClientToServer, 0, "81 00"))));
        assert!(pairing.poll().is_none());
        pairing.settle();
        assert!(pairing.poll().is_some());
        pairing.settle();
        assert!(pairing.poll().is_none());
    }
}
