//! IEEE 754 decimal128 in its binary integer form, as BSON has it.
//!
//! ```text
//!  s eeeeeeeeeeeeee c…c (113 bits)       the value is (-1)^s × c × 10^(e − 6176)
//!  s 11 eeeeeeeeeeeeee c…c (111 bits)    a coefficient beyond 34 digits, which counts as 0
//!  s 11110 …  infinity                   s 11111 …  not a number
//! ```

/// The most that 34 digits can be.
const MOST: u128 = 9_999_999_999_999_999_999_999_999_999_999_999;

/// The number with all its digits, as the BSON specification of decimal128 writes it.
pub(super) fn text(bits: u128) -> String {
    let sign = if bits >> 127 == 0 { "" } else { "-" };
    let top = (bits >> 122) & 0x1F;
    if top >= 0x1E {
        return if top == 0x1F { "NaN".to_owned() } else { format!("{sign}Infinity") };
    }
    let (exponent, coefficient) = if top >= 0x18 {
        ((bits >> 111) & 0x3FFF, 0)
    } else {
        ((bits >> 113) & 0x3FFF, bits & ((1 << 113) - 1))
    };
    let coefficient = if coefficient > MOST { 0 } else { coefficient };
    let exponent = i64::try_from(exponent).unwrap_or_default().saturating_sub(6176);
    let digits = coefficient.to_string();
    let count = i64::try_from(digits.len()).unwrap_or_default();
    let adjusted = exponent.saturating_add(count).saturating_sub(1);
    if exponent > 0 || adjusted < -6 {
        let (first, rest) = digits.split_at_checked(1).unwrap_or((&digits, ""));
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{sign}{first}{point}{rest}E{adjusted:+}");
    }
    if exponent == 0 {
        return format!("{sign}{digits}");
    }
    // Digits behind the point, with zeros before them where they are too few.
    let behind = usize::try_from(exponent.unsigned_abs()).unwrap_or_default();
    let padded = format!("{digits:0>width$}", width = behind.saturating_add(1));
    let (whole, fraction) =
        padded.split_at_checked(padded.len().saturating_sub(behind)).unwrap_or((&padded, ""));
    format!("{sign}{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_bson_corpus() {
        let rows = [
            (0x7c00_0000_0000_0000_0000_0000_0000_0000, "NaN"),
            (0xf800_0000_0000_0000_0000_0000_0000_0000, "-Infinity"),
            (0x3040_0000_0000_0000_0000_0000_0000_0000, "0"),
            (0xb040_0000_0000_0000_0000_0000_0000_0000, "-0"),
            (0x303e_0000_0000_0000_0000_0000_0000_0001, "0.1"),
            (0x3034_0000_0000_0000_0000_0000_0000_04d2, "0.001234"),
            (0x3046_0000_0000_0000_0000_0000_0000_0001, "1E+3"),
            (0x302c_0000_0000_0000_0000_0000_0012_d687, "0.0001234567"),
            (0x3040_ffff_ffff_ffff_ffff_ffff_ffff_ffff, "5192296858534827628530496329220095"),
            (0, "0E-6176"),
        ];
        for (bits, expected) in rows {
            assert_eq!(text(bits), expected);
        }
    }
}
