//! How long answers took, all requests of a connection together.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use super::{Dissection, MessageRef, Role};

/// Requests whose answers come in parts that are remembered, so that only the first part counts.
const MAX_STREAMS: usize = 4_096;

/// Buckets for each doubling of the time: the median is exact to a sixteenth.
const STEPS: u32 = 16;

/// Requests of one connection and their answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatencySummary {
    /// Packets that ask for an answer, either way.
    pub requests: u64,
    /// How many of them were answered.
    pub answered: u64,
    /// The median time from the last octet that asked to the last octet of the first answer, at most a
    /// sixteenth too long; `None` where there was no answer.
    pub median: Option<Duration>,
    /// The longest.
    pub longest: Option<Duration>,
}

impl LatencySummary {
    /// Requests that had no answer, so far or ever.
    pub fn unanswered(&self) -> u64 {
        self.requests.saturating_sub(self.answered)
    }
}

/// Counts requests and answers.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    requests: u64,
    answered: u64,
    longest: Duration,
    /// How many answers took so long: buckets by the exponent of the nanoseconds, and [`STEPS`] of each.
    buckets: Vec<u64>,
    /// Requests that were answered in part.
    begun: HashSet<MessageRef>,
    begun_order: VecDeque<MessageRef>,
}

impl Latencies {
    /// Takes in what a message says.
    pub(super) fn add(&mut self, said: &Dissection) {
        for packet in &said.packets {
            if packet.role == Role::Request {
                self.requests = self.requests.saturating_add(1);
            }
            let Some(answer) = &packet.answers else { continue };
            let is_counted = match packet.role {
                Role::Response => !self.begun.contains(&answer.to),
                Role::StreamItem => self.begins(answer.to),
                _ => false,
            };
            if is_counted {
                self.answered = self.answered.saturating_add(1);
                self.longest = self.longest.max(answer.latency);
                self.count(answer.latency);
            }
        }
    }

    /// Whether this is the first part of an answer.
    fn begins(&mut self, to: MessageRef) -> bool {
        if !self.begun.insert(to) {
            return false;
        }
        self.begun_order.push_back(to);
        if self.begun_order.len() > MAX_STREAMS
            && let Some(oldest) = self.begun_order.pop_front()
        {
            self.begun.remove(&oldest);
        }
        true
    }

    fn count(&mut self, latency: Duration) {
        let at = bucket(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
        if self.buckets.len() <= at {
            self.buckets.resize(at.saturating_add(1), 0);
        }
        if let Some(count) = self.buckets.get_mut(at) {
            *count = count.saturating_add(1);
        }
    }

    /// `None` where nothing asked for an answer.
    pub(super) fn summary(&self) -> Option<LatencySummary> {
        let is_any = self.requests > 0 || self.answered > 0;
        let has_answers = self.answered > 0;
        is_any.then(|| LatencySummary {
            requests: self.requests.max(self.answered),
            answered: self.answered,
            median: self.median(),
            longest: has_answers.then_some(self.longest),
        })
    }

    fn median(&self) -> Option<Duration> {
        let half = self.answered.div_ceil(2);
        let mut seen = 0_u64;
        let at = self.buckets.iter().position(|count| {
            seen = seen.saturating_add(*count);
            seen >= half && half > 0
        })?;
        Some(Duration::from_nanos(longest_in(at)).min(self.longest))
    }
}

/// The bucket of a time: below [`STEPS`] nanoseconds one for each, above it [`STEPS`] for each doubling.
fn bucket(nanos: u64) -> usize {
    let exponent = nanos.checked_ilog2().unwrap_or_default().saturating_sub(STEPS.ilog2());
    let step = nanos.checked_shr(exponent).unwrap_or_default();
    let place = u64::from(exponent.saturating_mul(STEPS)).saturating_add(step);
    usize::try_from(place).unwrap_or_default()
}

/// The longest time of a bucket.
fn longest_in(bucket: usize) -> u64 {
    let (bucket, steps) = (bucket as u64, u64::from(STEPS));
    if bucket < steps.saturating_mul(2) {
        return bucket;
    }
    let exponent = bucket.checked_div(steps).unwrap_or_default().saturating_sub(1);
    let step = bucket.saturating_sub(exponent.saturating_mul(steps)).saturating_add(1);
    let shift = u32::try_from(exponent).unwrap_or(u32::MAX);
    let beyond = u128::from(step).checked_shl(shift).unwrap_or(u128::MAX);
    u64::try_from(beyond.saturating_sub(1)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subprotocol::testing::Talk;
    use crate::subprotocol::{Opening, Subprotocol};

    #[test]
    fn every_time_is_in_its_bucket_and_none_is_off_by_more_than_a_sixteenth() {
        let times = (0..64)
            .flat_map(|bits| [1_u64 << bits, (1 << bits) + (1 << bits >> 3), (1 << bits) - 1]);
        let mut last = 0;
        for nanos in times.chain([0, 15, 16, 17, 31, 32, 33, 1_000_003, u64::MAX]) {
            let longest = longest_in(bucket(nanos));
            assert!(longest >= nanos, "{nanos}: {longest}");
            assert!(longest - nanos <= nanos / 16, "{nanos}: {longest}");
            last = last.max(bucket(nanos));
        }
        assert!(last < 1_000, "{last}");
    }

    #[test]
    fn requests_are_counted_with_the_time_of_their_first_answer() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.summary(), None);
        let mut talk = Talk::opened(Subprotocol::JsonRpc, &Opening::default());
        for id in 0..4 {
            let ask = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"a"}}"#);
            latencies.add(&talk.up(&ask));
        }
        for id in [0, 2, 1] {
            latencies.add(&talk.down(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":1}}"#)));
        }
        let summary = latencies.summary().unwrap();
        assert_eq!((summary.requests, summary.answered, summary.unanswered()), (4, 3, 1));
        let millis = |span: Option<Duration>| span.unwrap().as_secs_f64() * 1e3;
        // Asked at 1, 3, 2 ms, answered at 5, 6, 7 ms.
        assert!((4.0..4.25).contains(&millis(summary.median)), "{summary:?}");
        assert!((millis(summary.longest) - 5.0).abs() < 1e-9);
    }

    #[test]
    fn an_answer_in_parts_counts_once() {
        let mut latencies = Latencies::default();
        let mut talk = Talk::opened(Subprotocol::GraphqlTransportWs, &Opening::default());
        let subscribe =
            r#"{"type":"subscribe","id":"1","payload":{"query":"subscription A { a }"}}"#;
        latencies.add(&talk.up(subscribe));
        for _ in 0..3 {
            latencies.add(&talk.down(r#"{"type":"next","id":"1","payload":{"data":{"a":1}}}"#));
        }
        latencies.add(&talk.down(r#"{"type":"complete","id":"1"}"#));
        let summary = latencies.summary().unwrap();
        assert_eq!((summary.requests, summary.answered), (1, 1));
        assert_eq!(summary.longest, Some(Duration::from_millis(1)));
    }
}
