//! Numbers, times and sizes as the app writes them.

use std::time::Duration;

use framescope_core::Timestamp;
use jiff::tz::TimeZone;

pub use crate::widgets::format::{size, thousands};

/// `00:41`, `1:02:03`: minutes and seconds of how long something has lasted.
pub fn lasted(span: Duration) -> String {
    let secs = span.as_secs();
    let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{secs:02}")
    } else {
        format!("{minutes:02}:{secs:02}")
    }
}

/// `+51.2 ms`, `+3.70 s`, `+2:05 min`: the time since the row before.
pub fn delta(span: Duration) -> String {
    let millis = span.as_secs_f64() * 1000.0;
    if millis < 10_000.0 {
        format!("+{millis:.1} ms")
    } else if span.as_secs() < 600 {
        format!("+{:.1} s", span.as_secs_f64())
    } else {
        format!("+{}", lasted(span))
    }
}

/// `0 ms`, `12 ms`, `1.3 s`: how far something lags behind.
pub fn lag(span: Duration) -> String {
    if span.as_millis() < 1000 {
        format!("{} ms", span.as_millis())
    } else {
        format!("{:.1} s", span.as_secs_f64())
    }
}

/// `12:04:29.100` in the given time zone.
pub fn clock(at: Timestamp, zone: &TimeZone) -> String {
    match jiff::Timestamp::from_nanosecond(i128::from(at.as_nanos())) {
        Ok(stamp) => {
            let time = zone.to_datetime(stamp).time();
            let millis = time.subsec_nanosecond() / 1_000_000;
            format!("{:02}:{:02}:{:02}.{millis:03}", time.hour(), time.minute(), time.second())
        }
        Err(_) => String::from("–"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_the_unit_that_fits() {
        assert_eq!(delta(Duration::from_micros(300)), "+0.3 ms");
        assert_eq!(delta(Duration::from_millis(6286)), "+6286.0 ms");
        assert_eq!(delta(Duration::from_secs(12)), "+12.0 s");
        assert_eq!(delta(Duration::from_secs(3723)), "+1:02:03");
        assert_eq!(lasted(Duration::from_secs(41)), "00:41");
    }

    #[test]
    fn a_time_is_told_in_the_zone_to_the_millisecond() {
        let at = Timestamp::from_nanos(1_700_000_000_123_456_789);
        assert_eq!(clock(at, &TimeZone::UTC), "22:13:20.123");
    }
}
