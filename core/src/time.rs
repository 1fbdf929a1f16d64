//! Points in time, as the capture stores them.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time: whole nanoseconds since the Unix epoch (1970-01-01T00:00:00Z).
///
/// Within one capture stamps come from a monotonic clock laid over one wall-clock anchor, so that
/// differences are exact even when the wall clock is set meanwhile.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From nanoseconds since the Unix epoch.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time passed since `earlier`; zero where `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// This point moved forward; stays at the far end of the range where that would be passed.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with nine decimals, such as `2026-11-20T12:04:31.482190000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(stamp) => write!(f, "{stamp:.9}"),
            Err(_) => write!(f, "{} ns", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_rfc_3339_with_nanoseconds() {
        let stamp = Timestamp::from_nanos(1_700_000_000_123_456_789);
        assert_eq!(stamp.to_string(), "2023-11-14T22:13:20.123456789Z");
        assert_eq!(Timestamp::default().to_string(), "1970-01-01T00:00:00.000000000Z");
    }

    #[test]
    fn differences_never_go_below_zero() {
        let (a, b) = (Timestamp::from_nanos(5), Timestamp::from_nanos(9));
        assert_eq!(b.since(a), Duration::from_nanos(4));
        assert_eq!(a.since(b), Duration::ZERO);
        assert_eq!(
            Timestamp::from_nanos(u64::MAX).plus(Duration::from_secs(1)).as_nanos(),
            u64::MAX
        );
    }
}
