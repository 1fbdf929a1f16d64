//! Octets as rows of sixteen, each row made when it is looked at.

use std::fmt::Write as _;

use super::Span;

/// Octets of a row.
pub const ROW: usize = 16;

/// One row of a hex dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HexRow<'a> {
    /// The offset of its first octet.
    pub offset: usize,
    /// Its octets, 1 to [`ROW`].
    pub octets: &'a [u8],
}

/// How many rows a payload of `len` octets has.
pub const fn rows(len: usize) -> usize {
    len.div_ceil(ROW)
}

/// The row at `place`, from 0.
pub fn row(payload: &[u8], place: usize) -> Option<HexRow<'_>> {
    let offset = place.checked_mul(ROW)?;
    let octets = Span::at(offset, ROW).of(payload);
    (!octets.is_empty()).then_some(HexRow { offset, octets })
}

/// `01ff`: two digits an octet.
pub fn digits(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len().saturating_mul(2));
    for octet in octets {
        let _ = write!(out, "{octet:02x}");
    }
    out
}

/// All rows as text: offset, octets, ASCII.
pub fn dump(payload: &[u8]) -> String {
    let mut out = String::new();
    for place in 0..rows(payload.len()) {
        let Some(row) = row(payload, place) else { break };
        let line = format!("{:08x}  {:<48}  {}\n", row.offset, row.hex(), row.ascii());
        out.push_str(&line);
    }
    out
}

impl HexRow<'_> {
    /// `48 65 6c 6c 6f`, two groups of eight with two spaces between.
    pub fn hex(&self) -> String {
        let mut out = String::with_capacity(ROW.saturating_mul(3));
        for (place, octet) in self.octets.iter().enumerate() {
            if place > 0 {
                out.push_str(if place.is_multiple_of(8) { "  " } else { " " });
            }
            let _ = write!(out, "{octet:02x}");
        }
        out
    }

    /// `Hello`: printable ASCII as it is, a dot for all else.
    pub fn ascii(&self) -> String {
        self.octets
            .iter()
            .map(|octet| match octet {
                b' '..=b'~' => char::from(*octet),
                _ => '.',
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_sixteen() {
        let payload: Vec<u8> = (60..78).collect();
        assert_eq!((rows(0), rows(16), rows(payload.len())), (0, 1, 2));
        let first = row(&payload, 0).unwrap();
        assert_eq!(first.hex(), "3c 3d 3e 3f 40 41 42 43  44 45 46 47 48 49 4a 4b");
        assert_eq!(first.ascii(), "<=>?@ABCDEFGHIJK");
        let second = row(&payload, 1).unwrap();
        assert_eq!((second.offset, second.hex().as_str()), (16, "4c 4d"));
        assert_eq!(row(b"a\n\x80", 0).unwrap().ascii(), "a..");
        assert_eq!(row(&payload, 2), None);
    }
}
