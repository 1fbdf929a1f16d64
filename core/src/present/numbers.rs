//! Numbers as people read them.

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

#[cfg(test)]
mod tests {
    use super::*;

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
