//! A file that comes in pieces, read as if it were one: partial input changes nothing.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};

/// Octets that came and were not taken yet.
///
/// What lies within one piece is taken without a copy; what lies across pieces is copied together
/// once.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    /// The next octets, unless `joined` has any.
    front: Bytes,
    /// The next octets where they lie across pieces.
    joined: BytesMut,
    /// What comes after them.
    rest: VecDeque<Bytes>,
    /// Octets in `rest`.
    rest_len: usize,
    /// Octets taken so far.
    offset: u64,
}

impl Pieces {
    /// None yet, and the first that comes is the octet of the file at `offset`.
    pub(crate) fn starting_at(offset: u64) -> Self {
        Self { offset, ..Self::default() }
    }

    /// Puts octets behind those that are there.
    pub(crate) fn push(&mut self, octets: Bytes) {
        if self.is_empty() {
            self.front = octets;
        } else if !octets.is_empty() {
            self.rest_len = self.rest_len.saturating_add(octets.len());
            self.rest.push_back(octets);
        }
    }

    /// Where the next octet lies, from the start of the file.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// How many octets are there.
    pub(crate) fn len(&self) -> usize {
        self.front.len().saturating_add(self.joined.len()).saturating_add(self.rest_len)
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.front.is_empty() && self.joined.is_empty() && self.rest.is_empty()
    }

    /// The next `len` octets, if so many are there.
    pub(crate) fn peek(&mut self, len: usize) -> Option<&[u8]> {
        if self.near().len() < len && !self.join(len) {
            return None;
        }
        self.near().get(..len)
    }

    /// Takes the next `len` octets, if so many are there.
    pub(crate) fn take(&mut self, len: usize) -> Option<Bytes> {
        self.take_part(len, 0..len)
    }

    /// Takes the next `len` octets, if so many are there, and gives back this part of them.
    pub(crate) fn take_part(&mut self, len: usize, part: Range<usize>) -> Option<Bytes> {
        self.peek(len)?.get(part.clone())?;
        self.offset = self.offset.saturating_add(len as u64);
        Some(if self.joined.is_empty() {
            let octets = self.front.slice(part);
            self.front.advance(len);
            octets
        } else {
            self.joined.split_to(len).freeze().slice(part)
        })
    }

    /// Passes over the next octet.
    pub(crate) fn skip_one(&mut self) {
        if self.peek(1).is_none() {
            return;
        }
        self.offset = self.offset.saturating_add(1);
        if self.joined.is_empty() {
            self.front.advance(1);
        } else {
            self.joined.advance(1);
        }
    }

    /// Forgets everything that is there.
    pub(crate) fn clear(&mut self) {
        *self = Self { offset: self.offset.saturating_add(self.len() as u64), ..Self::default() };
    }

    fn near(&self) -> &[u8] {
        if self.joined.is_empty() { &self.front } else { &self.joined }
    }

    /// Brings the next octets together until `len` of them are; says whether there were so many.
    fn join(&mut self, len: usize) -> bool {
        if self.joined.is_empty() {
            if self.front.is_empty() {
                self.advance_front();
                if self.front.len() >= len {
                    return true;
                }
            }
            if self.rest.is_empty() {
                // Nothing to join with yet: the piece stays as it is until the next one comes.
                return false;
            }
            self.joined.extend_from_slice(&self.front);
            self.front = Bytes::new();
        }
        while let Some(missing) = len.checked_sub(self.joined.len()).filter(|&missing| missing > 0)
        {
            let Some(piece) = self.rest.front_mut() else { return false };
            let part = piece.split_to(missing.min(piece.len()));
            self.joined.extend_from_slice(&part);
            self.rest_len = self.rest_len.saturating_sub(part.len());
            if piece.is_empty() {
                self.rest.pop_front();
            }
        }
        true
    }

    fn advance_front(&mut self) {
        if let Some(piece) = self.rest.pop_front() {
            self.rest_len = self.rest_len.saturating_sub(piece.len());
            self.front = piece;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_lies_in_one_piece_is_not_copied() {
        let piece = Bytes::from(vec![1, 2, 3, 4, 5, 6]);
        let mut pieces = Pieces::default();
        pieces.push(piece.clone());
        let _ = pieces.take(2);
        assert_eq!(pieces.take(3).unwrap().as_ptr(), piece.as_ptr().wrapping_add(2));
        assert_eq!(pieces.peek(2), None);
        pieces.push(Bytes::from_static(&[7, 8]));
        assert_eq!(pieces.take(2).unwrap(), [6, 7][..]);
        assert_eq!((pieces.offset(), pieces.len()), (7, 1));
    }

    proptest! {
        #[test]
        fn any_pieces_are_taken_as_one(
            cuts in proptest::collection::vec(0usize..9, 1..60),
            takes in proptest::collection::vec(1usize..12, 1..60),
        ) {
            let (mut pieces, mut came, mut taken) = (Pieces::default(), 0u8, 0u8);
            let mut takes = takes.into_iter();
            let mut wanted = takes.next();
            for cut in cuts {
                let next = came.wrapping_add(u8::try_from(cut).unwrap());
                pieces.push((0..cut).map(|at| came.wrapping_add(u8::try_from(at).unwrap())).collect());
                came = next;
                while let Some(len) = wanted && pieces.len() >= len {
                    let expected: Vec<u8> =
                        (0..len).map(|at| taken.wrapping_add(u8::try_from(at).unwrap())).collect();
                    prop_assert_eq!(pieces.peek(len), Some(&expected[..]));
                    if len % 5 == 0 {
                        (0..len).for_each(|_| pieces.skip_one());
                    } else {
                        let octets = pieces.take(len);
                        prop_assert_eq!(octets.as_deref(), Some(&expected[..]));
                    }
                    taken = taken.wrapping_add(u8::try_from(len).unwrap());
                    wanted = takes.next();
                }
                if let Some(len) = wanted {
                    prop_assert_eq!(pieces.peek(len), None);
                }
                prop_assert_eq!(pieces.len() % 256, usize::from(came.wrapping_sub(taken)));
            }
        }
    }
}
