//! Numbers as people read them.

use std::time::Duration;

/// `1284` as `1,284`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len().saturating_mul(2));
    for (digit, left) in digits.chars().zip((0..digits.len()).rev()) {
        out.push(digit);
        if left > 0 && left.is_multiple_of(3) {
            out.push(',');
        }
    }
    out
}

/// `1 octet`, `48 octets`, `8,294 octets`.
pub fn octets(count: u64) -> String {
    counted(count, "octet", "octets")
}

/// A number with its noun.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { many })
}

/// A duration to three figures or so: `183 µs`, `2.48 ms`, `24.98 s`, `14 min 3 s`.
pub fn span(span: Duration) -> String {
    let nanos = span.as_nanos();
    let secs = span.as_secs();
    match nanos {
        0 => "0 s".to_owned(),
        1..1_000 => format!("{nanos} ns"),
        1_000..1_000_000 => format!("{} µs", nanos / 1_000),
        1_000_000..10_000_000 => format!("{:.2} ms", span.as_secs_f64() * 1e3),
        10_000_000..1_000_000_000 => format!("{} ms", nanos / 1_000_000),
        _ if secs < 100 => format!("{:.2} s", span.as_secs_f64()),
        _ if secs < 3_600 => format!("{} min {} s", secs / 60, secs % 60),
        _ => format!("{} h {} min", secs / 3_600, secs / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_unit_that_fits() {
        let rows = [
            (0, "0 s"),
            (7, "7 ns"),
            (183_456, "183 µs"),
            (2_484_000, "2.48 ms"),
            (183_456_000, "183 ms"),
            (24_980_000_000, "24.98 s"),
            (843_000_000_000, "14 min 3 s"),
            (7_384_000_000_000, "2 h 3 min"),
        ];
        for (nanos, text) in rows {
            assert_eq!(span(Duration::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn numbers_have_their_thousands_apart() {
        let rows = [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (65_536, "65,536"),
            (1_284_567, "1,284,567"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ];
        for (number, text) in rows {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn nouns_agree_with_their_number() {
        assert_eq!(octets(0), "0 octets");
        assert_eq!(octets(1), "1 octet");
        assert_eq!(octets(8294), "8,294 octets");
    }
}
