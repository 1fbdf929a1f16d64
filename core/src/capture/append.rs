//! Where encoded blocks go.

/// Memory that whole blocks are appended to: a vector, or memory of the caller's own kind.
pub trait Append {
    /// Octets appended so far.
    fn end(&self) -> usize;

    /// Makes room for so many more at once, where that is cheaper than doing so piece by piece.
    fn reserve(&mut self, more: usize);

    /// Appends octets.
    fn append(&mut self, octets: &[u8]);
}

impl Append for Vec<u8> {
    fn end(&self) -> usize {
        self.len()
    }

    fn reserve(&mut self, more: usize) {
        self.reserve(more);
    }

    fn append(&mut self, octets: &[u8]) {
        self.extend_from_slice(octets);
    }
}
