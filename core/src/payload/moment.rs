//! Points in time as formats have them.

use jiff::Timestamp;

/// RFC 3339 in UTC, with as many decimals as are not zero; `None` beyond the years −9999 to 9999.
pub(super) fn of_seconds(seconds: i64, nanos: u32) -> Option<String> {
    let stamp = Timestamp::new(seconds, i32::try_from(nanos).ok()?).ok()?;
    Some(stamp.to_string())
}

/// As [`of_seconds`].
pub(super) fn of_millis(millis: i64) -> Option<String> {
    Timestamp::from_millisecond(millis).ok().map(|stamp| stamp.to_string())
}

/// As [`of_seconds`], from a float, to the microsecond: its digits say no more for the times that are met.
pub(super) fn of_float_seconds(seconds: f64) -> Option<String> {
    let micros = format!("{:.0}", seconds * 1e6).parse().ok()?;
    Timestamp::from_microsecond(micros).ok().map(|stamp| stamp.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_as_rfc_3339() {
        assert_eq!(of_seconds(1_363_896_240, 0).as_deref(), Some("2013-03-21T20:04:00Z"));
        assert_eq!(of_seconds(-1, 500_000_000).as_deref(), Some("1969-12-31T23:59:59.5Z"));
        assert_eq!(of_millis(1_363_896_240_500).as_deref(), Some("2013-03-21T20:04:00.5Z"));
        assert_eq!(of_seconds(i64::MAX, 0), None);
    }
}
