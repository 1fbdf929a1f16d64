//! Where the time of a connection went.

use std::time::Duration;

use crate::session::pings::RoundTrip;
use crate::{Direction, Timestamp};

use super::connections::ConnectionSummary;

/// The stages of one connection, as far as they were recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// The client's TLS handshake, from the accept on.
    pub client_tls: Option<Duration>,
    /// Name resolution and TCP connect to the upstream.
    pub dial: Option<Duration>,
    /// The TLS handshake with the upstream.
    pub upstream_tls: Option<Duration>,
    /// From the whole request head on the client leg to the whole one on the upstream leg: what the
    /// proxy took, dialling included.
    pub request_in_proxy: Option<Duration>,
    /// From the whole request head on the upstream leg to the whole answer there: what the server took.
    pub answer_of_server: Option<Duration>,
    /// From the whole request head to the whole answer, as the client saw it.
    pub handshake: Option<Duration>,
    /// From the accept to the first octet of the first frame, by [`Direction::index`].
    pub first_frame: [Option<Duration>; 2],
    /// From the accept to the end, or to what was last seen.
    pub life: Duration,
}

/// The round trips of one direction's Pings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RoundTrips {
    /// How many Pings were answered.
    pub count: u64,
    /// The shortest.
    pub shortest: Duration,
    /// The longest.
    pub longest: Duration,
    /// All together.
    pub total: Duration,
    /// The latest.
    pub latest: Duration,
}

impl RoundTrips {
    pub(super) fn add(&mut self, trip: RoundTrip) {
        let took = trip.took;
        self.shortest = if self.count == 0 { took } else { self.shortest.min(took) };
        self.longest = self.longest.max(took);
        self.total = self.total.saturating_add(took);
        self.latest = took;
        self.count = self.count.saturating_add(1);
    }

    /// `None` before the first.
    pub fn mean(&self) -> Option<Duration> {
        let count = u128::from(self.count);
        let nanos = self.total.as_nanos().checked_div(count)?;
        Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }
}

impl ConnectionSummary {
    /// Where its time went.
    pub fn timing(&self) -> Timing {
        let noted = |value: fn(&crate::ConnectionNote) -> Option<u64>| {
            self.notes.iter().rev().find_map(|note| value(note)).map(Duration::from_nanos)
        };
        let between = |from: Option<Timestamp>, to: Option<Timestamp>| Some(to?.since(from?));
        let opening = self.exchanges.last();
        let asked_at = opening.map(|exchange| exchange.requested_at);
        let answered_at = opening.and_then(|exchange| exchange.answered_at);
        let [forwarded_at, upstream_answered_at] = self.upstream_head_at;
        Timing {
            client_tls: noted(|note| note.client_tls_nanos),
            dial: noted(|note| note.dial_nanos),
            upstream_tls: noted(|note| note.upstream_tls_nanos),
            request_in_proxy: between(asked_at, forwarded_at),
            answer_of_server: between(forwarded_at, upstream_answered_at),
            handshake: between(asked_at, answered_at),
            first_frame: Direction::BOTH.map(|direction| {
                between(Some(self.opened_at), self.first_frame_at[direction.index()])
            }),
            life: self.last_at.since(self.opened_at),
        }
    }
}
