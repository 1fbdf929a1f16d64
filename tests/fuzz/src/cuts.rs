//! Octets in pieces: the input says where they are cut, so that any split can be held against the whole.

use bytes::Bytes;

/// Octets, and the places where the input cuts them.
///
/// As an input: how many cuts there are (an octet, 0–15), two octets for each, and then the octets.
#[derive(Debug)]
pub struct Cuts<'a> {
    /// The octets in one piece.
    pub whole: &'a [u8],
    cuts: Vec<usize>,
}

impl<'a> Cuts<'a> {
    /// Reads an input; a short one has no cuts.
    pub fn read(input: &'a [u8]) -> Self {
        let Some((count, rest)) = input.split_first() else {
            return Self { whole: &[], cuts: Vec::new() };
        };
        let count = usize::from(count % 16);
        let (places, whole) = rest.split_at_checked(count * 2).unwrap_or((&[], rest));
        let mut cuts: Vec<usize> = places
            .chunks_exact(2)
            .map(|place| usize::from(u16::from_be_bytes([place[0], place[1]])) % (whole.len() + 1))
            .collect();
        cuts.extend([0, whole.len()]);
        cuts.sort_unstable();
        Self { whole, cuts }
    }

    /// The octets as the input cuts them; some pieces may be empty.
    pub fn pieces(&self) -> Vec<&'a [u8]> {
        self.cuts.windows(2).map(|pair| &self.whole[pair[0]..pair[1]]).collect()
    }

    /// Each octet a piece of its own.
    pub fn octet_by_octet(&self) -> Vec<&'a [u8]> {
        self.whole.chunks(1).collect()
    }

    /// The splits that are held against the whole.
    pub fn splits(&self) -> Vec<Vec<&'a [u8]>> {
        vec![self.pieces(), self.octet_by_octet()]
    }
}

/// An input that [`Cuts::read`] reads as these octets without a cut.
pub fn uncut(octets: &[u8]) -> Vec<u8> {
    [&[0], octets].concat()
}

/// Pieces as a reader of captures takes them.
pub fn owned(pieces: &[&[u8]]) -> Vec<Bytes> {
    pieces.iter().map(|piece| Bytes::copy_from_slice(piece)).collect()
}
