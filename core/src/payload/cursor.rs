//! A place in a payload that moves on as fields are read.

use super::Span;
use super::fault::Fault;

/// Reads fields one after the other. A field that is not all there is a [`Fault`] and moves nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(octets: &'a [u8]) -> Self {
        Self { octets, at: 0 }
    }

    /// From `span.start` on, ending at `span.end`; offsets stay those of the whole.
    pub(super) fn within(octets: &'a [u8], span: Span) -> Self {
        let end = span.end.min(octets.len());
        Self { octets: octets.get(..end).unwrap_or_default(), at: span.start.min(end) }
    }

    /// The same octets, the next of which is at `at`.
    pub(super) fn moved_to(mut self, at: usize) -> Self {
        self.at = at.min(self.octets.len());
        self
    }

    /// The offset of the next octet.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// From `start` up to the next octet.
    pub(super) fn since(&self, start: usize) -> Span {
        Span::new(start, self.at)
    }

    pub(super) const fn left(&self) -> usize {
        self.octets.len().saturating_sub(self.at)
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.left() == 0
    }

    /// The octets that are left.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.octets.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    /// The next `len` octets; `what` they are is told where they are not all there.
    pub(super) fn take(&mut self, len: usize, what: &str) -> Result<&'a [u8], Fault> {
        let taken = self.at.checked_add(len).and_then(|end| self.octets.get(self.at..end));
        let Some(taken) = taken else { return Err(self.early_end(what)) };
        self.at = self.at.saturating_add(len);
        Ok(taken)
    }

    /// As [`Cursor::take`], for a length that the payload says.
    pub(super) fn take_long(&mut self, len: u64, what: &str) -> Result<&'a [u8], Fault> {
        match usize::try_from(len) {
            Ok(len) => self.take(len, what),
            Err(_) => Err(self.early_end(what)),
        }
    }

    pub(super) fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Fault> {
        let taken = self.take(N, what)?;
        taken.try_into().map_err(|_| self.early_end(what))
    }

    pub(super) fn octet(&mut self, what: &str) -> Result<u8, Fault> {
        self.array::<1>(what).map(|[octet]| octet)
    }

    /// An unsigned number of `len` octets (at most 8), most significant first.
    pub(super) fn big_endian(&mut self, len: usize, what: &str) -> Result<u64, Fault> {
        let octets = self.take(len, what)?;
        Ok(octets.iter().fold(0, |value, octet| (value << 8) | u64::from(*octet)))
    }

    pub(super) fn early_end(&self, what: &str) -> Fault {
        Fault::early_end(self.octets.len(), what)
    }
}
