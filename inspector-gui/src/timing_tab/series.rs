//! What a connection said over time, gathered row by row.

use std::time::Duration;

use framescope_core::ConnectionId;
use framescope_core::index::{ConnectionSummary, Rates};
use framescope_core::subprotocol::Subprotocol;

use crate::store::Store;
use crate::store::dissections::Place;

/// Rows looked at in one picture.
const BUDGET: usize = 200_000;
/// Messages looked at in one picture; each costs a look into what its sub-protocol says.
const MESSAGES: usize = 20_000;

/// Rates, and how long answers took.
#[derive(Debug)]
pub struct Series {
    rates: Rates,
    /// Frame rows looked at.
    frames: usize,
    /// Message rows looked at.
    messages: usize,
    answers: Answers,
    /// The sub-protocol by which the answers were told.
    spoken: Option<Subprotocol>,
}

/// How long answers took, where the sub-protocol tells which message answers which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answers {
    /// How many there were.
    pub count: u64,
    /// The quickest.
    pub shortest: Duration,
    /// The slowest.
    pub longest: Duration,
    /// All together.
    pub total: Duration,
}

impl Answers {
    fn add(&mut self, took: Duration) {
        self.shortest = if self.count == 0 { took } else { self.shortest.min(took) };
        self.longest = self.longest.max(took);
        self.total = self.total.saturating_add(took);
        self.count += 1;
    }

    /// `None` before the first.
    pub fn mean(&self) -> Option<Duration> {
        let nanos = self.total.as_nanos().checked_div(u128::from(self.count))?;
        Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }
}

impl Series {
    /// Nothing yet of this connection.
    pub fn of(connection: &ConnectionSummary) -> Self {
        Self {
            rates: Rates::new(connection.opened_at),
            frames: 0,
            messages: 0,
            answers: Answers::default(),
            spoken: None,
        }
    }

    /// What it said over time.
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    /// How long answers took.
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// The sub-protocol by which answers are told, where one is known.
    pub fn subprotocol(&self) -> Option<Subprotocol> {
        self.spoken
    }

    /// Whether more rows were looked at than there are: the capture, or the view of it, began anew.
    pub fn is_beyond(&self, frames: usize) -> bool {
        self.frames > frames
    }

    /// Takes in rows up to `until` frames and messages, some at a time; whether any is left.
    pub fn update(
        &mut self,
        store: &Store,
        connection: ConnectionId,
        (frames, messages): (usize, usize),
    ) -> bool {
        let index = store.index();
        let stop = frames.min(self.frames.saturating_add(BUDGET));
        let rows = index.frames().rows().get(self.frames..stop).unwrap_or_default();
        rows.iter()
            .filter(|row| row.connection() == connection)
            .for_each(|row| self.rates.add(row));
        self.frames = self.frames.max(stop);

        let kept = store.dissections().kept();
        let reading = kept.reading(connection);
        let spoken = reading.choice.map(|choice| choice.protocol);
        if self.spoken != spoken {
            (self.messages, self.answers, self.spoken) = (0, Answers::default(), spoken);
        }
        let stop = messages.min(self.messages.saturating_add(MESSAGES));
        while self.messages < stop {
            let Some(message) = index.messages().get(self.messages) else { break };
            let place = |row: u32| {
                let frame = index.frames().get(row as usize)?;
                let (connection, direction) = (frame.connection(), frame.direction());
                Some(Place { connection, direction, offset: frame.offset() })
            };
            let ends = place(message.first_frame).zip(place(message.last_frame));
            if let Some((first, last)) = ends.filter(|(first, _)| first.connection == connection) {
                // The walk along the sub-protocol comes behind the index: what it has not read waits.
                if !kept.is_read(last) {
                    return self.frames < frames;
                }
                if let Some(latency) = kept.line(first).and_then(|line| line.latency) {
                    self.answers.add(latency);
                }
            }
            self.messages += 1;
        }
        self.frames < frames || self.messages < messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_summed_up() {
        let mut answers = Answers::default();
        assert_eq!(answers.mean(), None);
        for millis in [30, 10, 20] {
            answers.add(Duration::from_millis(millis));
        }
        let millis = |span: Duration| span.as_millis();
        assert_eq!(answers.mean().map(millis), Some(20));
        assert_eq!((millis(answers.shortest), millis(answers.longest)), (10, 30));
    }
}
