//! Values as they stand in a line.

use std::fmt;
use std::time::Duration;

use base64::display::Base64Display;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD};
use serde::{Serialize, Serializer};

use crate::Timestamp;

/// RFC 3339 in UTC with nine decimals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp(pub Timestamp);

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Nanoseconds since the Unix epoch in decimal digits.
///
/// A string: they pass 2^53, from where on many JSON readers round numbers without a word.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nanos(pub Timestamp);

impl Serialize for Nanos {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.as_nanos())
    }
}

/// A duration as a number of nanoseconds.
pub(super) fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// Octets in base64 (RFC 4648 §4, padded).
#[derive(Debug, Clone, Copy)]
pub(super) struct Base64<'a>(pub &'a [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let display: Base64Display<'_, '_, GeneralPurpose> = Base64Display::new(self.0, &STANDARD);
        serializer.collect_str(&display)
    }
}

/// Octets in lower-case hex without separators.
#[derive(Debug, Clone)]
pub(super) struct Hex(pub Vec<u8>);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
