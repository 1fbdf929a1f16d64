//! The newest octets of the capture, kept in memory for followers in this process.
//!
//! The file is the truth; this only saves a follower that keeps up from reading it back. One that lags
//! behind what is kept reads the file until it has caught up.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

/// Octets kept for followers that lag.
const KEEP: usize = 32 << 20;
/// Pieces kept for them.
const KEEP_PIECES: usize = 8192;

/// What was written last, and who still wants it.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// One behind the other, each with its offset in the capture.
    pieces: VecDeque<(u64, Bytes)>,
    len: usize,
    /// Where each follower has come to.
    followers: Vec<Option<u64>>,
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

    /// Adds what was written at `offset`, behind all that was written before.
    pub fn push(&mut self, offset: u64, piece: Bytes) {
        self.len += piece.len();
        self.pieces.push_back((offset, piece));
        while self.len > KEEP || self.pieces.len() > KEEP_PIECES {
            self.pop();
        }
    }

    /// What is kept from `offset` on, up to the end of a piece; `None` where nothing is.
    pub fn read(&mut self, follower: usize, offset: u64) -> Option<Bytes> {
        let after = self.pieces.partition_point(|(start, _)| *start <= offset);
        let (start, piece) = self.pieces.get(after.checked_sub(1)?)?;
        let skipped = usize::try_from(offset - start).ok().filter(|len| *len < piece.len())?;
        let mut piece = piece.clone();
        piece.advance(skipped);
        self.went_on(follower, Some(offset + piece.len() as u64));
        Some(piece)
    }

    /// A follower has come to here; what nobody wants any more is let go.
    pub fn went_on(&mut self, follower: usize, position: Option<u64>) {
        if let Some(slot) = self.followers.get_mut(follower) {
            *slot = position;
        }
        let wanted_from = self.followers.iter().flatten().min().copied().unwrap_or(u64::MAX);
        while let Some((start, piece)) = self.pieces.front()
            && start + piece.len() as u64 <= wanted_from
        {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some((_, piece)) = self.pieces.pop_front() {
            self.len -= piece.len();
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
        tail.push(10, Bytes::from_static(b"one"));
        tail.push(13, Bytes::from_static(b"two"));
        assert_eq!(octets(&mut tail, fast, 10).unwrap(), b"one");
        assert_eq!(octets(&mut tail, fast, 13).unwrap(), b"two");
        assert_eq!(octets(&mut tail, fast, 16), None);
        assert_eq!(tail.len, 6);
        assert_eq!(octets(&mut tail, slow, 11).unwrap(), b"ne");
        assert_eq!(tail.len, 3);
        tail.leave(slow);
        assert_eq!((tail.len, tail.pieces.len()), (0, 0));
        assert_eq!(tail.join(16), slow, "a number that is free is given again");
    }

    #[test]
    fn what_is_kept_for_who_lags_is_bounded() {
        let mut tail = Tail::default();
        let lags = tail.join(0);
        let piece = Bytes::from(vec![0; 1 << 20]);
        for at in 0..40 {
            tail.push(at << 20, piece.clone());
        }
        assert_eq!(tail.len, KEEP);
        assert_eq!(tail.read(lags, 0), None);
        assert!(tail.read(lags, 8 << 20).is_some());
        for at in 0..10_000 {
            tail.push((40 << 20) + at, Bytes::from_static(b"x"));
        }
        assert_eq!(tail.pieces.len(), KEEP_PIECES);
    }
}
