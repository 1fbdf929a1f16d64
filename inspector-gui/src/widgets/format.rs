//! Numbers, sizes, times and octets as people read them.

use std::fmt::Write as _;
use std::time::Duration;

use framescope_core::Timestamp;
use framescope_core::present::characters::{control_picture, is_deceptive};
pub use framescope_core::present::{counted, octets, thousands};
use jiff::tz::TimeZone;

/// `0 B`, `999 B`, `8.2 kB`, `104.9 MB`: powers of ten, as storage and networks count.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub fn size(octets: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if octets < 1000 {
        return format!("{octets} B");
    }
    let mut value = octets as f64 / 1000.0;
    let mut units = UNITS.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    for larger in units {
        // 999.95 would be written as 1000.0.
        if value < 999.95 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    format!("{value:.1} {unit}")
}

/// Local time of day with nanoseconds: `12:04:31.482 190 000`.
pub fn time_of_day(at: Timestamp, zone: &TimeZone) -> String {
    let nanos = i128::from(at.as_nanos());
    let Ok(stamp) = jiff::Timestamp::from_nanosecond(nanos) else {
        return format!("{} ns", at.as_nanos());
    };
    let time = stamp.to_zoned(zone.clone()).time();
    format!(
        "{:02}:{:02}:{:02}.{:03} {:03} {:03}",
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond(),
        time.microsecond(),
        time.nanosecond(),
    )
}

/// Local date and time, to the second, with the zone's offset: `2026-11-20 12:04:31 +01:00`.
pub fn date_time(at: Timestamp, zone: &TimeZone) -> String {
    let nanos = i128::from(at.as_nanos());
    let Ok(stamp) = jiff::Timestamp::from_nanosecond(nanos) else {
        return format!("{} ns", at.as_nanos());
    };
    let zoned = stamp.to_zoned(zone.clone());
    zoned.strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// `850 ns`, `12.5 µs`, `4.4 ms`, `1.25 s`, `2 min 05 s`.
pub fn duration(span: Duration) -> String {
    let nanos = span.as_nanos();
    let seconds = span.as_secs_f64();
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..100_000 => format!("{:.1} µs", seconds * 1e6),
        100_000..1_000_000 => format!("{:.0} µs", seconds * 1e6),
        1_000_000..100_000_000 => format!("{:.1} ms", seconds * 1e3),
        100_000_000..1_000_000_000 => format!("{:.0} ms", seconds * 1e3),
        1_000_000_000..60_000_000_000 => format!("{seconds:.2} s"),
        _ => format!("{} min {:02} s", span.as_secs() / 60, span.as_secs() % 60),
    }
}

/// Octets as `37 fa 21 3d`.
pub fn hex(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len() * 3);
    for (at, octet) in octets.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        let _ = write!(out, "{octet:02x}");
    }
    out
}

/// The character that stands for an octet in a column of text: itself, or a middle dot.
pub fn printable(octet: u8) -> char {
    if matches!(octet, 0x20..=0x7e) { char::from(octet) } else { '·' }
}

/// `text` cut after at most `limit` characters, with an ellipsis where it was cut.
pub fn cut(text: &str, limit: usize) -> std::borrow::Cow<'_, str> {
    match text.char_indices().nth(limit) {
        None => text.into(),
        Some((at, _)) => format!("{}…", &text[..at]).into(),
    }
}

/// Stands for a character that cannot be seen, or would turn the text around. What is no UTF-8 at all is
/// shown as U+FFFD.
pub const HIDDEN: char = '◌';

/// Whether this character is drawn as [`HIDDEN`].
pub fn is_hidden(character: char) -> bool {
    // Characters are drawn one by one: a joiner would be as invisible as a zero-width space.
    let is_joiner = matches!(character, '\u{200c}' | '\u{200d}');
    control_picture(character).is_none() && (is_joiner || is_deceptive(character))
}

/// A character that can be seen: line ends and tabs become arrows, other control codes their pictures
/// (U+2400 and on), what would hide itself or turn the text around becomes [`HIDDEN`].
pub fn visible(character: char) -> char {
    match character {
        // The pictures of these, letters a third as high as others, cannot be read in a row.
        '\n' => '↵',
        '\r' => '⇤',
        '\t' => '⇥',
        _ if is_hidden(character) => HIDDEN,
        _ => control_picture(character).unwrap_or(character),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_never_show_a_thousand_of_a_unit() {
        let rows = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_951, "1.0 MB"),
            (104_857_600, "104.9 MB"),
            (u64::MAX, "18.4 EB"),
        ];
        for (octets, text) in rows {
            assert_eq!(size(octets), text);
        }
    }

    #[test]
    fn times_are_local_and_to_the_nanosecond() {
        let at = Timestamp::from_nanos(1_700_000_000_123_456_789);
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(time_of_day(at, &zone), "00:13:20.123 456 789");
        assert_eq!(date_time(at, &zone), "2023-11-15 00:13:20 +02:00");
        assert_eq!(time_of_day(Timestamp::from_nanos(0), &TimeZone::UTC), "00:00:00.000 000 000");
    }

    #[test]
    fn durations_take_the_unit_that_fits() {
        let rows = [
            (850, "850 ns"),
            (12_500, "12.5 µs"),
            (900_000, "900 µs"),
            (4_400_000, "4.4 ms"),
            (1_250_000_000, "1.25 s"),
            (125_000_000_000, "2 min 05 s"),
        ];
        for (nanos, text) in rows {
            assert_eq!(duration(Duration::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cut("grüße", 3), "grü…");
        assert_eq!(cut("grüße", 5), "grüße");
        assert_eq!(cut("", 0), "");
    }

    #[test]
    fn what_would_hide_or_turn_text_around_is_seen() {
        assert_eq!(
            [visible('\n'), visible('\r'), visible('\t'), visible('\x1b')],
            ['↵', '⇤', '⇥', '␛']
        );
        assert_eq!(visible('\u{202e}'), HIDDEN);
        assert_eq!(visible('\u{200d}'), HIDDEN, "not as what is no UTF-8");
        assert_eq!(visible('\u{fffd}'), '\u{fffd}');
        assert_eq!(visible('é'), 'é');
    }
}
