//! The rhythm of a client's requests to one URL: is it polling, or is it long polling?

use std::collections::VecDeque;
use std::time::Duration;

use super::target::Wait;
use super::{Evidence, TransportKind};
use crate::Timestamp;
use crate::present::{counted, span};

/// Exchanges that are looked back at.
const LOOK_BACK: usize = 8;
/// Intervals that have to be alike before it is polling.
const ALIKE: usize = 3;
/// The shortest period: what is faster is a loop that does not wait.
const SHORTEST_PERIOD: Duration = Duration::from_millis(100);
/// A timer may be early or late by so much, or by a fifth.
const JITTER: Duration = Duration::from_millis(30);
/// An answer that took so long may have been held.
const HELD: Duration = Duration::from_millis(1500);
/// An answer that was asked for with a time to wait was held if it took so long.
const HELD_AS_ASKED: Duration = Duration::from_secs(1);
/// A client that waits for news asks again within this time.
const AT_ONCE: Duration = Duration::from_secs(1);

/// One exchange that is over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beat {
    pub(super) requested_at: Timestamp,
    pub(super) ended_at: Timestamp,
    /// From the whole request to the first octet of the answer's content.
    pub(super) held: Duration,
    /// Octets of the request's content.
    pub(super) request_len: u64,
    /// The answer was no fault of client or server (a status below 400).
    pub(super) is_good: bool,
    /// From its end to the next request, once that came.
    pub(super) pause: Option<Duration>,
}

/// The last exchanges of one client with one URL, one after the other.
#[derive(Debug, Default)]
pub(super) struct Rhythm {
    beats: VecDeque<Beat>,
}

/// What the rhythm shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) kind: TransportKind,
    pub(super) evidence: Evidence,
    pub(super) reason: String,
}

/// What is asked for, as far as the rhythm's meaning depends on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) method: &'a str,
    /// How long the client asks to be waited for.
    pub(super) wait: Option<&'a Wait>,
}

impl Rhythm {
    /// The next request came.
    pub(super) fn begin(&mut self, at: Timestamp) {
        if let Some(last) = self.beats.back_mut() {
            last.pause = Some(at.since(last.ended_at));
        }
    }

    /// An exchange is over.
    pub(super) fn end(&mut self, beat: Beat) {
        if self.beats.len() >= LOOK_BACK {
            self.beats.pop_front();
        }
        self.beats.push_back(beat);
    }

    /// Forgets what was seen: an exchange in between was cut.
    pub(super) fn break_off(&mut self) {
        self.beats.clear();
    }

    /// What it shows by now.
    pub(super) fn shows(&self, asking: Asking<'_>) -> Option<Shown> {
        self.held_as_asked(asking)
            .or_else(|| self.long_polling(asking))
            .or_else(|| self.polling(asking))
    }

    /// The median time from one request to the next, of the last ones.
    pub(super) fn period(&self) -> Option<Duration> {
        let mut spans: Vec<Duration> = self.intervals().collect();
        spans.sort_unstable();
        spans.get(spans.len() / 2).copied()
    }

    fn intervals(&self) -> impl Iterator<Item = Duration> {
        let later = self.beats.iter().skip(1);
        self.beats.iter().zip(later).map(|(one, next)| next.requested_at.since(one.requested_at))
    }

    fn polling(&self, asking: Asking<'_>) -> Option<Shown> {
        if !matches!(asking.method, "GET" | "HEAD") {
            return None;
        }
        let intervals: Vec<Duration> = self.intervals().collect();
        let last = intervals.get(intervals.len().checked_sub(ALIKE)?..)?;
        let mut sorted = last.to_vec();
        sorted.sort_unstable();
        let period = *sorted.get(sorted.len() / 2)?;
        let slack = JITTER.max(part(period, 5));
        let is_alike = |span: &Duration| span.abs_diff(period) <= slack;
        if period < SHORTEST_PERIOD || !last.iter().all(is_alike) {
            return None;
        }
        let took = |beat: &Beat| beat.ended_at.since(beat.requested_at);
        let seen = self.beats.iter().rev().take(ALIKE.saturating_add(1));
        let longest = seen.map(took).max()?;
        if longest > part(period, 2) {
            return None;
        }
        let requests = self.beats.len();
        let reason = format!(
            "{requests} requests, one every {}, each over within {}",
            span(period),
            span(longest)
        );
        Some(Shown { kind: TransportKind::Polling, evidence: Evidence::Timing, reason })
    }

    /// The client asked to be waited for, and it was.
    fn held_as_asked(&self, asking: Asking<'_>) -> Option<Shown> {
        let wait = asking.wait?;
        let limit = Duration::from_millis(wait.millis);
        let slack = Duration::from_millis(500).max(part(limit, 33));
        let held = self.beats.iter().filter(|beat| beat.is_good && beat.held >= HELD_AS_ASKED);
        let longest = held.map(|beat| beat.held).max()?;
        let is_to_the_end = longest.abs_diff(limit) <= slack;
        let asked_again = self.beats.iter().filter(|beat| is_at_once(beat)).count();
        if !is_to_the_end && (asked_again < 2 || longest > limit.saturating_add(slack)) {
            return None;
        }
        let reason =
            format!("asks with {} to be waited for, and was held for {}", wait.said, span(longest));
        Some(Shown { kind: TransportKind::LongPolling, evidence: Evidence::Protocol, reason })
    }

    /// Held, and asked again at once, in a way that no slow answer explains: held for different times, or
    /// twice to the same round limit.
    fn long_polling(&self, asking: Asking<'_>) -> Option<Shown> {
        let again: Vec<&Beat> = self.beats.iter().filter(|beat| is_at_once(beat)).collect();
        let held: Vec<&&Beat> =
            again.iter().filter(|beat| beat.is_good && beat.held >= HELD).collect();
        let shortest = again.iter().map(|beat| beat.held).min()?;
        let longest = held.iter().map(|beat| beat.held).max()?;
        let enough = match asking.method {
            "GET" => 2,
            "POST" if is_same(again.iter().map(|beat| beat.request_len)) => 3,
            _ => return None,
        };
        let differ = again.len() > enough && longest >= shortest.saturating_mul(2);
        let to_limit = held.iter().filter(|beat| is_round_limit(beat.held, longest)).count();
        if held.len() < enough || !(differ || to_limit >= enough) {
            return None;
        }
        let pause = again.iter().filter_map(|beat| beat.pause).max().unwrap_or_default();
        let reason = format!(
            "held for up to {}, and asked again within {} of the answer, {}",
            span(longest),
            span(pause),
            counted(again.len() as u64, "time", "times")
        );
        Some(Shown { kind: TransportKind::LongPolling, evidence: Evidence::Timing, reason })
    }
}

fn part(span: Duration, of: u32) -> Duration {
    span.checked_div(of).unwrap_or_default()
}

fn is_at_once(beat: &Beat) -> bool {
    beat.is_good && beat.pause.is_some_and(|pause| pause <= AT_ONCE)
}

fn is_same(mut values: impl Iterator<Item = u64>) -> bool {
    let first = values.next();
    values.all(|value| Some(value) == first)
}

/// Whether an answer was held for as long as the longest, and that is a time that people set: whole
/// seconds from 5 on, a multiple of five.
fn is_round_limit(held: Duration, longest: Duration) -> bool {
    let slack = Duration::from_millis(100).max(part(longest, 100));
    let nearest = longest.saturating_add(Duration::from_millis(2500)).as_secs() / 5;
    let round = Duration::from_secs(nearest.saturating_mul(5));
    round >= Duration::from_secs(5)
        && held.abs_diff(longest) <= slack
        && longest.abs_diff(round) <= slack.saturating_mul(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::target::{Parameters, Target};

    /// Exchanges by milliseconds: the pause before each, and how long it was held.
    fn shown(method: &str, query: &str, exchanges: &[(u64, u64)]) -> Option<Shown> {
        let wait = Parameters::of(&Target::parse(query)).wait();
        let at = |millis: u64| Timestamp::from_nanos(millis * 1_000_000);
        let (mut rhythm, mut now) = (Rhythm::default(), 0);
        let asking = Asking { method, wait: wait.as_ref() };
        let mut last = None;
        for (pause, held) in exchanges {
            now += pause;
            rhythm.begin(at(now));
            last = last.or_else(|| rhythm.shows(asking));
            rhythm.end(Beat {
                requested_at: at(now),
                ended_at: at(now + held),
                held: Duration::from_millis(*held),
                request_len: 0,
                is_good: true,
                pause: None,
            });
            now += held;
            last = last.or_else(|| rhythm.shows(asking));
        }
        last
    }

    fn kind(
        method: &str,
        query: &str,
        exchanges: &[(u64, u64)],
    ) -> Option<(TransportKind, Evidence)> {
        shown(method, query, exchanges).map(|shown| (shown.kind, shown.evidence))
    }

    #[test]
    fn polling_is_regular_and_short() {
        use TransportKind::Polling;
        let timing = Some((Polling, Evidence::Timing));
        assert_eq!(kind("GET", "/", &[(0, 2), (998, 3), (1005, 1), (1000, 2)]), timing);
        let reason = shown("GET", "/", &[(0, 2), (998, 3), (997, 1), (999, 2)]).unwrap().reason;
        assert_eq!(reason, "4 requests, one every 1.00 s, each over within 3.00 ms");
        // Not often enough, not regular, in a loop without a timer, busy all the time, saying something.
        assert_eq!(kind("GET", "/", &[(0, 2), (998, 3), (997, 1)]), None);
        assert_eq!(kind("GET", "/", &[(0, 2), (300, 3), (2000, 1), (900, 2), (5000, 1)]), None);
        assert_eq!(kind("GET", "/", &[(0, 9), (1, 9), (1, 9), (1, 9), (1, 9)]), None);
        assert_eq!(kind("GET", "/", &[(0, 900), (100, 900), (100, 900), (100, 900)]), None);
        assert_eq!(kind("POST", "/", &[(0, 2), (998, 3), (1005, 1), (1000, 2)]), None);
    }

    #[test]
    fn long_polling_is_held_and_asked_again_at_once() {
        use TransportKind::LongPolling;
        let timing = Some((LongPolling, Evidence::Timing));
        assert_eq!(kind("GET", "/", &[(0, 24_980), (3, 24_990), (2, 10)]), timing);
        assert_eq!(kind("GET", "/", &[(0, 2_100), (3, 9_300), (4, 40), (2, 7)]), timing);
        assert_eq!(
            kind("POST", "/", &[(0, 2_100), (3, 9_300), (4, 4_000), (2, 7), (3, 9)]),
            timing
        );
        let reason = shown("GET", "/", &[(0, 24_980), (3, 24_990), (2, 10)]).unwrap().reason;
        assert_eq!(
            reason,
            "held for up to 24.99 s, and asked again within 3.00 ms of the answer, 2 times"
        );
        // A slow answer, asked for twice; one that always takes as long; a person between them.
        assert_eq!(kind("GET", "/", &[(0, 3_000), (5, 3_100)]), None);
        assert_eq!(kind("GET", "/", &[(0, 3_000), (5, 3_100), (5, 3_050), (5, 2_950)]), None);
        assert_eq!(
            kind("GET", "/", &[(0, 2_000), (9_000, 9_000), (3_000, 4_000), (5_000, 9)]),
            None
        );
    }

    #[test]
    fn a_wait_that_was_asked_for_needs_less() {
        use TransportKind::LongPolling;
        let protocol = Some((LongPolling, Evidence::Protocol));
        assert_eq!(kind("GET", "/?wait=25", &[(0, 24_990)]), protocol);
        assert_eq!(kind("GET", "/?timeout=30000", &[(0, 2_000), (3, 40), (3, 40)]), protocol);
        let reason = shown("GET", "/?wait=25", &[(0, 24_990)]).unwrap().reason;
        assert_eq!(reason, "asks with wait=25 to be waited for, and was held for 24.99 s");
        // A search with a limit is answered when it is done.
        assert_eq!(kind("GET", "/?timeout=30", &[(0, 3_000)]), None);
        assert_eq!(kind("GET", "/?timeout=30", &[(0, 3_000), (60_000, 9_000), (9_000, 1)]), None);
    }

    #[test]
    fn faults_are_never_held() {
        let mut rhythm = Rhythm::default();
        let at = |secs: u64| Timestamp::from_nanos(secs * 1_000_000_000);
        for n in 0..4 {
            rhythm.begin(at(60 * n));
            rhythm.end(Beat {
                requested_at: at(60 * n),
                ended_at: at(60 * n + 60),
                held: Duration::from_mins(1),
                request_len: 0,
                is_good: false,
                pause: None,
            });
        }
        assert_eq!(rhythm.shows(Asking { method: "GET", wait: None }), None);
    }
}
