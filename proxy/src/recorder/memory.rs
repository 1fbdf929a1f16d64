//! Memory for capture octets: a little from the heap, or much in huge pages.
//!
//! What is recorded goes through memory that is in no cache any more. Where that lies in pages of 4 KiB,
//! looking up where each of them is costs about as much as the copy itself, and so it does for the
//! system when it writes them from where they lie; in one page of 2 MiB neither is noticed.

use std::ops::{Deref, DerefMut, Range};

use framescope_core::capture::Append;
use memmap2::MmapMut;

/// A huge page on most machines. Where the system has none of that size, or has none to spare, it takes
/// small ones by itself.
const HUGE: usize = 2 << 20;
/// What slow traffic fills between two writes, with room for the longest record.
const SMALL: usize = 512 << 10;

/// How much memory is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// 512 KiB, of which no more is resident than was used.
    Small,
    /// A huge page.
    Huge,
}

/// Memory that fills from its start, and grows where it must.
#[derive(Debug)]
pub(super) struct Memory {
    place: Place,
    len: usize,
}

#[derive(Debug)]
enum Place {
    Heap(Vec<u8>),
    /// A mapping, and the part of it that is used.
    Mapped(MmapMut, Range<usize>),
}

impl Default for Memory {
    /// None at all.
    fn default() -> Self {
        Self { place: Place::Heap(Vec::new()), len: 0 }
    }
}

impl Memory {
    /// Empty memory.
    pub fn new(size: Size) -> Self {
        let place = match size {
            Size::Small => None,
            Size::Huge => Place::huge(),
        };
        Self { place: place.unwrap_or_else(|| Place::Heap(vec![0; SMALL])), len: 0 }
    }

    /// Its size, if it has not grown since.
    pub fn size(&self) -> Option<Size> {
        match &self.place {
            Place::Heap(octets) => (octets.len() == SMALL).then_some(Size::Small),
            Place::Mapped(..) => Some(Size::Huge),
        }
    }

    /// How much memory it takes: a huge page does as a whole.
    pub fn resident(&self) -> usize {
        match &self.place {
            Place::Heap(_) => self.len,
            Place::Mapped(_, used) => used.len(),
        }
    }

    /// Keeps no more than the first `len` octets.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// How far from its start the next page begins, of so many octets.
    pub fn to_page(&self, page: usize) -> usize {
        self.place.as_ptr().align_offset(page)
    }

    fn grow(&mut self, least: usize) {
        let mut grown = self.to_vec();
        grown.resize(least.next_power_of_two(), 0);
        self.place = Place::Heap(grown);
    }
}

impl Append for Memory {
    fn end(&self) -> usize {
        self.len
    }

    fn reserve(&mut self, more: usize) {
        let end = self.len.saturating_add(more);
        if end > self.place.len() {
            self.grow(end);
        }
    }

    fn append(&mut self, octets: &[u8]) {
        self.reserve(octets.len());
        let start = self.len;
        self.len = self.len.saturating_add(octets.len());
        if let Some(place) = self.place.get_mut(start..self.len) {
            place.copy_from_slice(octets);
        }
    }
}

impl Deref for Memory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.place.get(..self.len).unwrap_or_default()
    }
}

impl DerefMut for Memory {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.place.get_mut(..self.len).unwrap_or_default()
    }
}

impl Place {
    /// Twice the address space, for a huge page begins at a multiple of its size; only what is used of
    /// it takes memory.
    fn huge() -> Option<Self> {
        let mapping = MmapMut::map_anon(2 * HUGE).ok()?;
        let start = mapping.as_ptr().align_offset(HUGE);
        // Advice: where it is not taken, nothing but speed is lost.
        #[cfg(target_os = "linux")]
        let _ = mapping.advise_range(memmap2::Advice::HugePage, start, HUGE);
        (start <= HUGE).then(|| Self::Mapped(mapping, start..start + HUGE))
    }
}

impl Deref for Place {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Heap(octets) => octets,
            Self::Mapped(mapping, used) => mapping.get(used.clone()).unwrap_or_default(),
        }
    }
}

impl DerefMut for Place {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Heap(octets) => octets,
            Self::Mapped(mapping, used) => mapping.get_mut(used.clone()).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_stay_as_they_were_appended_however_many() {
        for size in [Size::Small, Size::Huge] {
            let mut memory = Memory::new(size);
            assert_eq!(memory.size(), Some(size));
            let mut expected = Vec::new();
            for len in [0, 1, 7, 300_000, 65_000, 2_000_000, 3] {
                let octets: Vec<u8> = (0..=252).cycle().take(len).collect();
                expected.extend_from_slice(&octets);
                memory.append(&octets);
                assert_eq!((memory.end(), &memory[..]), (expected.len(), &expected[..]));
            }
            assert_eq!(memory.size(), None, "it had to grow");
            memory[5] = 0;
            memory.truncate(10);
            expected[5] = 0;
            assert_eq!(memory[..], expected[..10]);
        }
    }

    #[test]
    fn much_memory_begins_where_a_huge_page_does() {
        assert_eq!(Memory::new(Size::Huge).to_page(HUGE), 0);
    }
}
