//! Memory that the file system keeps of a capture: bounded, and used again and again.
//!
//! A file that grows for ever fills all free memory with its pages, and a page that was never used
//! before costs many times more than one that was: writing then takes several times as long. So pages
//! are given back some way behind the end of the file. Whoever follows it live has read them by then;
//! whoever comes later reads them from the disk.

use super::Sink;

/// Octets behind the end whose pages stay.
const KEEP: u64 = 32 << 20;
/// Octets written between two rounds.
const STEP: u64 = 8 << 20;
/// Octets that each round goes over: the disk needs some rounds until a page may be given back.
const REACH: u64 = 128 << 20;

/// What was written, and up to where pages were given back.
#[derive(Debug, Default)]
pub(super) struct Pages {
    written: u64,
    told: u64,
}

impl Pages {
    /// `len` more octets were written to `sink`.
    pub fn wrote(&mut self, sink: &impl Sink, len: usize) {
        self.written = self.written.saturating_add(len as u64);
        if self.written.saturating_sub(self.told) < STEP {
            return;
        }
        self.told = self.written;
        let end = self.written.saturating_sub(KEEP);
        let start = end.saturating_sub(REACH);
        if start < end {
            sink.give_back(start, end - start);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Told(Mutex<Vec<(u64, u64)>>);

    impl Write for Told {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Sink for Told {
        fn give_back(&self, offset: u64, len: u64) {
            self.0.lock().expect("one thread").push((offset, len));
        }
    }

    #[test]
    fn pages_are_given_back_behind_the_end_and_every_octet_gets_its_turn() {
        let (sink, mut pages) = (Told::default(), Pages::default());
        let step = 1 << 20;
        for _ in 0..400 {
            pages.wrote(&sink, step);
        }
        let told = sink.0.into_inner().expect("one thread");
        assert_eq!(told.first(), Some(&(0, 8 << 20)), "nothing before 32 MiB and a step");
        let mut covered = 0;
        for (offset, len) in told {
            assert!(offset <= covered, "a hole before {offset}");
            covered = covered.max(offset + len);
        }
        assert_eq!(covered, (400 << 20) - KEEP);
    }
}
