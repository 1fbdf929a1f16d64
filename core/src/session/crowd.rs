//! What connections tell together: keys that are used again, clients that come back again and again.
//! Memory is bounded, whatever the number of connections.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use crate::diagnostics::shown;
use crate::{ConnectionId, Head, Timestamp};

/// Keys that are remembered.
const MOST_KEYS: usize = 4_096;

/// Pairs of client and target that are remembered.
const MOST_VISITORS: usize = 1_024;

/// Failed connections one after the other that make a storm, where they come within [`STORM_SPAN`].
const STORM: usize = 10;

/// The time in which they come.
const STORM_SPAN: Duration = Duration::from_mins(1);

/// Remembers a little of all connections of a capture.
#[derive(Debug, Default)]
pub struct Crowd {
    /// Nonces, with the handshake that used each first.
    keys: HashMap<[u8; 16], Handshake>,
    /// The same nonces, the oldest first.
    key_order: VecDeque<[u8; 16]>,
    visitors: HashMap<Visitor, Failures>,
}

/// When a connection asked for a WebSocket, and was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handshake {
    /// Which connection.
    pub connection: ConnectionId,
    /// When its request was whole.
    pub asked_at: Timestamp,
    /// When the answer was.
    pub answered_at: Timestamp,
}

impl Handshake {
    /// Whether one of the two took place while the other waited for its answer: these are the hops of one
    /// handshake, on either side of a proxy that passes the key on.
    fn is_hop_of(&self, other: &Self) -> bool {
        let is_within = |inner: &Self, outer: &Self| {
            inner.asked_at >= outer.asked_at && inner.answered_at <= outer.answered_at
        };
        is_within(self, other) || is_within(other, self)
    }
}

/// A client's address, and the `Host` and target it asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Visitor {
    client: IpAddr,
    host: String,
    target: String,
}

/// When its last connections failed, the oldest first.
#[derive(Debug, Default)]
struct Failures {
    at: VecDeque<Timestamp>,
    told_at: Option<Timestamp>,
}

impl Visitor {
    /// Who asks for what, with this request.
    pub fn new(client: IpAddr, request: &Head) -> Self {
        let host = request.value("Host").unwrap_or_default();
        Self { client, host: shown(&host), target: shown(request.target().unwrap_or_default()) }
    }
}

impl Crowd {
    /// The nonce of the key of a handshake: the earlier connection that used it too, for a handshake of
    /// its own.
    pub fn saw_key(&mut self, nonce: [u8; 16], handshake: Handshake) -> Option<ConnectionId> {
        if let Some(first) = self.keys.get(&nonce) {
            let is_another = first.connection != handshake.connection;
            return (is_another && !first.is_hop_of(&handshake)).then_some(first.connection);
        }
        if self.key_order.len() >= MOST_KEYS
            && let Some(oldest) = self.key_order.pop_front()
        {
            self.keys.remove(&oldest);
        }
        self.keys.insert(nonce, handshake);
        self.key_order.push_back(nonce);
        None
    }

    /// A connection that was opened `opened_at` failed `at`: one line where that makes a storm. A
    /// storm that goes on is told once in [`STORM_SPAN`].
    ///
    /// Only a connection that was opened after the failure before it counts: many that are open at the
    /// same time and fail together are no visitor that comes back.
    pub fn saw_failure(
        &mut self,
        visitor: &Visitor,
        opened_at: Timestamp,
        at: Timestamp,
    ) -> Option<String> {
        if !self.visitors.contains_key(visitor) {
            self.make_room();
            self.visitors.insert(visitor.clone(), Failures::default());
        }
        let failures = self.visitors.get_mut(visitor)?;
        if failures.at.back().is_some_and(|last| opened_at < *last) {
            return None;
        }
        failures.at.push_back(at);
        if failures.at.len() > STORM {
            failures.at.pop_front();
        }
        let first = failures.at.front().copied()?;
        let span = at.since(first);
        let is_told = failures.told_at.is_some_and(|told| at.since(told) <= STORM_SPAN);
        if failures.at.len() < STORM || span > STORM_SPAN || is_told {
            return None;
        }
        failures.told_at = Some(at);
        let Visitor { client, host, target } = visitor;
        let apart = span.as_secs_f64() / f64::from(u8::try_from(STORM.saturating_sub(1)).ok()?);
        Some(format!(
            "{client} came {STORM} times to {target} of {host} within {:.1} s, {apart:.2} s from one \
             failure to the next",
            span.as_secs_f64()
        ))
    }

    /// Forgets the visitor whose last failure is the longest ago, where there are too many.
    fn make_room(&mut self) {
        if self.visitors.len() < MOST_VISITORS {
            return;
        }
        let last = |failures: &Failures| failures.at.back().copied().unwrap_or_default();
        let oldest = self
            .visitors
            .iter()
            .min_by(|(a, x), (b, y)| (last(x), &a.target).cmp(&(last(y), &b.target)))
            .map(|(visitor, _)| visitor.clone());
        if let Some(oldest) = oldest {
            self.visitors.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn visitor(target: u32) -> Visitor {
        let head = format!("GET /{target} HTTP/1.1\r\nHost: a\r\n\r\n");
        let head = Head::parse_request(Bytes::from(head), 0).unwrap();
        Visitor::new(IpAddr::from([192, 0, 2, 1]), &head)
    }

    fn handshake(connection: u32, asked: u64) -> Handshake {
        let (asked_at, answered_at) = (secs(asked), secs(asked + 1));
        Handshake { connection: ConnectionId(connection), asked_at, answered_at }
    }

    fn secs(secs: u64) -> Timestamp {
        Timestamp::from_nanos(secs * 1_000_000_000)
    }

    #[test]
    fn ten_failures_one_after_the_other_make_a_storm() {
        let mut crowd = Crowd::default();
        let told: Vec<u64> = (0..100)
            .filter(|n| crowd.saw_failure(&visitor(1), secs(3 * n), secs(3 * n + 1)).is_some())
            .collect();
        assert_eq!(told, [9, 30, 51, 72, 93], "told once a minute");
        let slow = (0..100)
            .filter(|n| crowd.saw_failure(&visitor(2), secs(7 * n), secs(7 * n + 1)).is_some());
        assert_eq!(slow.count(), 0);
        let together =
            (0..100).filter(|_| crowd.saw_failure(&visitor(3), secs(1), secs(2)).is_some());
        assert_eq!(together.count(), 0);
    }

    #[test]
    fn memory_is_bounded() {
        let mut crowd = Crowd::default();
        for n in 0..10_000_u32 {
            let mut nonce = [0; 16];
            nonce[..4].copy_from_slice(&n.to_be_bytes());
            assert_eq!(crowd.saw_key(nonce, handshake(n, n.into())), None);
            if n % 4 == 0 {
                crowd.saw_failure(&visitor(n), secs(n.into()), secs(n.into()));
            }
        }
        assert_eq!((crowd.keys.len(), crowd.key_order.len()), (MOST_KEYS, MOST_KEYS));
        assert_eq!(crowd.visitors.len(), MOST_VISITORS);
        let mut last = [0; 16];
        last[..4].copy_from_slice(&9_999_u32.to_be_bytes());
        assert_eq!(crowd.saw_key(last, handshake(9_999, 10_002)), None, "the same connection");
        assert_eq!(crowd.saw_key(last, handshake(7, 10_002)), Some(ConnectionId(9_999)));
    }

    #[test]
    fn a_key_that_a_proxy_passes_on_is_used_once() {
        let at = |connection, asked, answered| Handshake {
            connection: ConnectionId(connection),
            asked_at: secs(asked),
            answered_at: secs(answered),
        };
        // What comes after a handshake from 2 s to 4 s, in the order of the answers.
        let rows = [
            (at(2, 1, 5), None, "the hop before it"),
            (at(2, 2, 4), None, "stamped alike"),
            (at(2, 3, 5), Some(ConnectionId(1)), "neither waited for the other"),
            (at(2, 4, 5), Some(ConnectionId(1)), "after it"),
        ];
        for (later, expected, why) in rows {
            let mut crowd = Crowd::default();
            assert_eq!(crowd.saw_key([7; 16], at(1, 2, 4)), None);
            assert_eq!(crowd.saw_key([7; 16], later), expected, "{why}");
        }
    }
}
