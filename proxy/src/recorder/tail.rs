//! The newest octets of the capture, kept in memory for followers in this process.
//!
//! The file is the truth; this only saves a follower that keeps up from reading it back. One that lags
//! behind what is kept reads the file until it has caught up.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

/// Memory kept for followers that lag.
const KEEP: usize = 48 << 20;
/// Pieces kept for them.
const KEEP_PIECES: usize = 8192;

/// What was written last, and who still wants it.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// One behind the other.
    pieces: VecDeque<Piece>,
    /// Memory that all of them hold.
    held: usize,
    /// Where each follower has come to.
    followers: Vec<Option<u64>>,
}

#[derive(Debug)]
struct Piece {
    /// Where in the capture it begins.
    offset: u64,
    octets: Bytes,
    /// Memory behind it, which may be more than its octets.
    held: usize,
}

impl Piece {
    fn end(&self) -> u64 {
        self.offset + self.octets.len() as u64
    }
}

impl Tail {
    /// One more follower, which will begin at `offset`: its number.
    pub fn join(&mut self, offset: u64) -> usize {
        if let Some(free) = self.followers.iter().position(Option::is_none) {
            self.went_on(free, Some(offset));
            return free;
        }
        self.followers.push(Some(offset));
        self.followers.len() - 1
    }

    /// A follower wants nothing any more.
    pub fn leave(&mut self, follower: usize) {
        self.went_on(follower, None);
    }

    /// Whether anybody follows.
    pub fn is_wanted(&self) -> bool {
        self.followers.iter().any(Option::is_some)
    }

    /// Adds what was written at `offset`, behind all that was written before; it takes `held` octets of
    /// memory.
    pub fn push(&mut self, offset: u64, octets: Bytes, held: usize) {
        self.held += held;
        self.pieces.push_back(Piece { offset, octets, held });
        while self.held > KEEP || self.pieces.len() > KEEP_PIECES {
            self.pop();
        }
    }

    /// What is kept from `offset` on, up to the end of a piece; `None` where nothing is.
    pub fn read(&mut self, follower: usize, offset: u64) -> Option<Bytes> {
        let after = self.pieces.partition_point(|piece| piece.offset <= offset);
        let piece = self.pieces.get(after.checked_sub(1)?)?;
        let skipped = usize::try_from(offset - piece.offset).ok();
        let skipped = skipped.filter(|len| *len < piece.octets.len())?;
        let mut octets = piece.octets.clone();
        octets.advance(skipped);
        self.went_on(follower, Some(offset + octets.len() as u64));
        Some(octets)
    }

    /// A follower has come to here; what nobody wants any more is let go.
    pub fn went_on(&mut self, follower: usize, position: Option<u64>) {
        if let Some(slot) = self.followers.get_mut(follower) {
            *slot = position;
        }
        let wanted_from = self.followers.iter().flatten().min().copied().unwrap_or(u64::MAX);
        while self.pieces.front().is_some_and(|piece| piece.end() <= wanted_from) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(piece) = self.pieces.pop_front() {
            self.held -= piece.held;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(tail: &mut Tail, follower: usize, offset: u64) -> Option<Vec<u8>> {
        tail.read(follower, offset).map(|piece| piece.to_vec())
    }

    #[test]
    fn each_follower_has_every_octet_and_what_all_have_is_let_go() {
        let mut tail = Tail::default();
        assert!(!tail.is_wanted());
        let (fast, slow) = (tail.join(10), tail.join(10));
        tail.push(10, Bytes::from_static(b"one"), 3);
        tail.push(13, Bytes::from_static(b"two"), 3);
        assert_eq!(octets(&mut tail, fast, 10).unwrap(), b"one");
        assert_eq!(octets(&mut tail, fast, 13).unwrap(), b"two");
        assert_eq!(octets(&mut tail, fast, 16), None);
        assert_eq!(tail.held, 6);
        assert_eq!(octets(&mut tail, slow, 11).unwrap(), b"ne");
        assert_eq!(tail.held, 3);
        tail.leave(slow);
        assert_eq!((tail.held, tail.pieces.len()), (0, 0));
        assert_eq!(tail.join(16), slow, "a number that is free is given again");
    }

    #[test]
    fn what_is_kept_for_who_lags_is_bounded() {
        let mut tail = Tail::default();
        let lags = tail.join(0);
        let piece = Bytes::from(vec![0; 1 << 20]);
        for at in 0..40 {
            tail.push(at << 20, piece.clone(), 2 << 20);
        }
        assert_eq!(tail.held, KEEP);
        assert_eq!(tail.read(lags, 0), None);
        assert!(tail.read(lags, 16 << 20).is_some());
        for at in 0..10_000 {
            tail.push((40 << 20) + at, Bytes::from_static(b"x"), 1);
        }
        assert_eq!(tail.pieces.len(), KEEP_PIECES);
    }
}
