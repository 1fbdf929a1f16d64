//! Numbers without loss: as they were written, or as the bits on the wire say.

use std::fmt::{self, Write as _};

/// A number of any size, exact.
#[derive(Debug, Clone, PartialEq)]
pub enum Number {
    /// A whole number of up to 64 bits and a sign.
    Integer(i128),
    /// IEEE 754 binary32.
    Single(f32),
    /// IEEE 754 binary64; binary16 as well, which it holds without loss.
    Double(f64),
    /// Digits as they stand in a text, or those of a number too large for the others.
    Written(Box<str>),
}

/// The largest whole number up to which doubles hold every other: 2^53.
const SAFE: u128 = 1 << 53;

impl Number {
    /// What a reader that keeps numbers as IEEE 754 doubles, as JavaScript does, would make of it,
    /// where that is another number: `9007199254740992` for `9007199254740993`.
    ///
    /// Fractions are left alone: `0.1` has no double, and all the world takes the nearest for it.
    pub fn loss_in_double(&self) -> Option<String> {
        let text = match self {
            Self::Integer(value) if value.unsigned_abs() > SAFE => value.to_string(),
            Self::Written(text) => text.to_string(),
            _ => return None,
        };
        // Shorter digits are whole numbers below 2^53, and their powers of ten cannot overflow.
        if text.len() < 16 && !text.contains(['e', 'E']) {
            return None;
        }
        let double: f64 = text.parse().ok()?;
        if double.is_infinite() {
            return Some(if double > 0.0 { "Infinity" } else { "-Infinity" }.to_owned());
        }
        if text.contains(['.', 'e', 'E']) {
            let says_zero =
                text.split(['e', 'E']).next()?.chars().all(|c| !('1'..='9').contains(&c));
            return (double == 0.0 && !says_zero).then(|| "0".to_owned());
        }
        let held = format!("{double:.0}");
        (held != text).then_some(held)
    }
}

impl fmt::Display for Number {
    /// Whole numbers in decimal; floats with the fewest digits that give the same bits, a `.0` where
    /// they are whole (RFC 8949 §8), an exponent from 1e21 on and below 1e-6.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Single(value) if value.is_finite() => f.write_str(&float(&format!("{value:e}"))),
            Self::Double(value) if value.is_finite() => f.write_str(&float(&format!("{value:e}"))),
            Self::Single(value) => f.write_str(not_finite(f64::from(*value))),
            Self::Double(value) => f.write_str(not_finite(*value)),
            Self::Written(text) => f.write_str(text),
        }
    }
}

const fn not_finite(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// `-1.25e2`, as Rust writes it, in the form that the RFC's examples have.
fn float(scientific: &str) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if !(-7..21).contains(&exponent) {
        let fraction = if fraction.is_empty() { "0" } else { fraction };
        let plus = if exponent > 0 { "+" } else { "" };
        return format!("{sign}{whole}.{fraction}e{plus}{exponent}");
    }
    let digits = format!("{whole}{fraction}");
    let Ok(shift) = usize::try_from(exponent) else {
        let zeros =
            "0".repeat(usize::try_from(exponent.unsigned_abs()).unwrap_or(1).saturating_sub(1));
        return format!("{sign}0.{zeros}{digits}");
    };
    let point = shift.saturating_add(1);
    match digits.split_at_checked(point) {
        Some((whole, fraction)) if !fraction.is_empty() => format!("{sign}{whole}.{fraction}"),
        _ => format!("{sign}{digits:0<point$}.0"),
    }
}

/// IEEE 754 binary16 as a double, which holds each of them exactly (RFC 8949 appendix D).
pub(super) fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from((bits >> 10) & 0x1F);
    let bits = bits & 0x3FF;
    let fraction = f64::from(bits);
    match exponent {
        0 => sign * fraction * 2_f64.powi(-24),
        31 if bits == 0 => sign * f64::INFINITY,
        31 => f64::NAN,
        _ => sign * (1.0 + fraction / 1024.0) * 2_f64.powi(exponent.saturating_sub(15)),
    }
}

/// A natural number of any length, most significant octet first, in decimal.
///
/// Costs the square of the length: callers bound it.
pub(super) fn natural(octets: &[u8]) -> String {
    /// As many decimal digits as fit a limb.
    const LIMB: u64 = 1_000_000_000;
    let mut limbs: Vec<u64> = vec![0];
    for octet in octets {
        let mut carry = u64::from(*octet);
        for limb in &mut limbs {
            let value = (*limb << 8) | carry & 0xFF;
            // The carry is below 256 but for the first limb, where it is the octet.
            *limb = value % LIMB;
            carry = value / LIMB;
        }
        if carry > 0 {
            limbs.push(carry);
        }
    }
    let mut text = String::new();
    for limb in limbs.iter().rev() {
        if text.is_empty() && *limb > 0 {
            text = limb.to_string();
        } else if !text.is_empty() {
            let _ = write!(text, "{limb:09}");
        }
    }
    if text.is_empty() { "0".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_read_as_in_the_appendix_of_rfc_8949() {
        let rows = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (1.1, "1.1"),
            (-4.1, "-4.1"),
            (65504.0, "65504.0"),
            (100_000.0, "100000.0"),
            (1.0e300, "1.0e+300"),
            (5.960_464_477_539_063e-8, "5.960464477539063e-8"),
            (0.000_061_035_156_25, "0.00006103515625"),
            (3.402_823_466_385_288_6e38, "3.4028234663852886e+38"),
            (123.456, "123.456"),
            (1e20, "100000000000000000000.0"),
            (f64::NEG_INFINITY, "-Infinity"),
            (f64::NAN, "NaN"),
        ];
        for (value, text) in rows {
            assert_eq!(Number::Double(value).to_string(), text);
        }
        assert_eq!(Number::Single(0.1).to_string(), "0.1");
    }

    #[test]
    fn every_half_is_the_double_that_the_bits_say() {
        let rows = [(0x0000, 0.0), (0x3c00, 1.0), (0x7bff, 65504.0), (0x0001, 2_f64.powi(-24))];
        for (bits, value) in rows {
            assert_eq!(half(bits).to_bits(), f64::to_bits(value));
        }
        assert!(half(0x7e00).is_nan());
        assert_eq!(half(0xfc00).to_bits(), f64::NEG_INFINITY.to_bits());
    }

    #[test]
    fn natural_numbers_of_any_length() {
        assert_eq!(natural(&[]), "0");
        assert_eq!(natural(&[0, 0, 255]), "255");
        assert_eq!(natural(&[1, 0, 0, 0, 0, 0, 0, 0, 0]), "18446744073709551616");
        let all = u128::MAX - 12;
        assert_eq!(natural(&all.to_be_bytes()), all.to_string());
    }

    #[test]
    fn what_a_double_would_make_of_it() {
        let written = |text: &str| Number::Written(text.into()).loss_in_double();
        assert_eq!(written("9007199254740993").as_deref(), Some("9007199254740992"));
        assert_eq!(written("9007199254740992"), None);
        assert_eq!(written("12345678901234567890").as_deref(), Some("12345678901234567168"));
        assert_eq!(written("1e400").as_deref(), Some("Infinity"));
        assert_eq!(written("-1E400").as_deref(), Some("-Infinity"));
        assert_eq!(written("1e-400").as_deref(), Some("0"));
        assert_eq!(written("0e-400"), None);
        assert_eq!(written("0.1"), None);
        assert_eq!(
            Number::Integer((1 << 53) + 1).loss_in_double().as_deref(),
            Some("9007199254740992")
        );
    }
}
