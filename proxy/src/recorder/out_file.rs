//! A capture file that is written to: large writes go past the page cache.
//!
//! A write through the page cache copies the octets, takes a page of memory for each 4 KiB of them,
//! and leaves it to the system to write that page later: at the speed of a fast wire this costs more
//! than all the rest of the proxy. So whole pages of a large write go to the disk from where they lie
//! (`O_DIRECT`). What comes in small pieces, and the ends of large ones, go through the page cache: no
//! page is ever written both ways at once.

use std::fs::File;
use std::io::{self, IoSlice, Write};
#[cfg(target_os = "linux")]
use std::num::NonZeroU64;
use std::ops::Deref;
#[cfg(target_os = "linux")]
use std::time::Instant;

#[cfg(target_os = "linux")]
use rustix::fs::{Advice, OFlags, fadvise, fcntl_getfl, fcntl_setfl};

use super::Sink;
use super::buffer::PAGE;

/// Writes of fewer octets go through the page cache.
#[cfg(target_os = "linux")]
const LEAST_DIRECT: usize = 256 << 10;
/// Nanoseconds an octet: a disk that needs longer is slower than the page cache by far, which then
/// takes what the disk does not.
#[cfg(target_os = "linux")]
const SLOW_NANOS: u128 = 1;

/// A file written from its start to its end, and nowhere else.
#[derive(Debug)]
pub struct OutFile {
    file: File,
    position: u64,
    way: Way,
    /// Whether more waits to be written than should.
    is_behind: bool,
    /// Whether the disk takes octets more slowly than the page cache would.
    is_slow: bool,
}

/// How the next write will go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Through the page cache.
    Cached,
    /// Past it.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "Linux alone has this way"))]
    Direct,
    /// Through the page cache, always: it is no file on a disk, or its file system knows no other way.
    CachedOnly,
}

impl OutFile {
    /// Writes to `file`, which is empty.
    pub fn new(file: File) -> Self {
        // On a pipe the same flag means something else.
        let is_file = cfg!(target_os = "linux") && file.metadata().is_ok_and(|file| file.is_file());
        let way = if is_file { Way::Cached } else { Way::CachedOnly };
        Self { file, position: 0, way, is_behind: false, is_slow: false }
    }

    /// Whether more waits to be written than should.
    #[cfg(test)]
    pub fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// What of the start of `parts`, which follow each other, is to be written with one call, and how.
    #[cfg(target_os = "linux")]
    fn plan<'a>(&self, parts: &[&'a [u8]]) -> (Vec<IoSlice<'a>>, Way) {
        let first = parts.first().copied().unwrap_or_default();
        let to_page_end = first.as_ptr().align_offset(PAGE);
        let fits = (self.position + to_page_end as u64).is_multiple_of(PAGE as u64);
        let cached = self.way == Way::CachedOnly || (self.is_behind && self.is_slow);
        if cached || !fits || first.len() < LEAST_DIRECT {
            return (vec![IoSlice::new(first)], Way::Cached);
        }
        let (head, _) = first.split_at(to_page_end);
        if !head.is_empty() {
            return (vec![IoSlice::new(head)], Way::Cached);
        }
        let mut pages = Vec::new();
        for part in parts.iter().take_while(|part| part.as_ptr().align_offset(PAGE) == 0) {
            let (whole, rest) = part.split_at(part.len() - part.len() % PAGE);
            pages.push(IoSlice::new(whole));
            if !rest.is_empty() {
                break;
            }
        }
        (pages, Way::Direct)
    }

    /// Makes the next write go this way; says whether it will.
    #[cfg(target_os = "linux")]
    fn take_way(&mut self, way: Way) -> bool {
        if self.way == way || self.way == Way::CachedOnly {
            return self.way == way;
        }
        let set = fcntl_getfl(&self.file).and_then(|mut flags| {
            flags.set(OFlags::DIRECT, way == Way::Direct);
            fcntl_setfl(&self.file, flags)
        });
        self.way = if set.is_ok() { way } else { Way::CachedOnly };
        set.is_ok()
    }

    #[cfg(target_os = "linux")]
    fn write_some(&mut self, parts: &[&[u8]]) -> io::Result<usize> {
        let (planned, way) = self.plan(parts);
        if way == Way::Direct && self.take_way(Way::Direct) {
            let since = Instant::now();
            match self.file.write_vectored(&planned) {
                Ok(len) => {
                    self.is_slow = since.elapsed().as_nanos() > len as u128 * SLOW_NANOS;
                    return Ok(len);
                }
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    // A file system that takes the flag and not the write.
                    self.take_way(Way::Cached);
                    self.way = Way::CachedOnly;
                }
                Err(error) => return Err(error),
            }
        }
        self.take_way(Way::Cached);
        self.file.write_vectored(&planned)
    }

    #[cfg(not(target_os = "linux"))]
    fn write_some(&mut self, parts: &[&[u8]]) -> io::Result<usize> {
        self.file.write(parts.first().copied().unwrap_or_default())
    }
}

impl Write for OutFile {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(octets)])
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let parts: Vec<&[u8]> = parts.iter().map(Deref::deref).collect();
        let len = self.write_some(&parts)?;
        self.position += len as u64;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Sink for OutFile {
    fn fall_behind(&mut self, is_behind: bool) {
        self.is_behind = is_behind;
    }

    #[cfg(unix)]
    fn is_unreachable(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        self.file.metadata().is_ok_and(|file| file.nlink() == 0)
    }

    #[cfg(target_os = "linux")]
    fn give_back(&self, offset: u64, len: u64) {
        // Advice: where it is not taken, nothing but speed is lost.
        let _ = fadvise(&self.file, offset, NonZeroU64::new(len), Advice::DontNeed);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::Arc;

    use framescope_core::capture::Append;

    use super::super::buffer::Pool;
    use super::super::memory::Size;
    use super::*;

    fn octets(len: usize) -> Vec<u8> {
        (0..=252).cycle().take(len).collect()
    }

    #[test]
    fn a_large_write_goes_in_whole_pages_and_its_ends_through_the_page_cache() {
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let path = folder.path().join("out");
        let mut out = OutFile::new(File::create_new(&path).unwrap());
        let all = octets(2_000_000);
        let pool = Arc::new(Pool::default());
        let mut ways = Vec::new();
        let mut rest = &all[..];
        for len in [100, 900_000, 50, 500_000, 599_850] {
            let mut buffer = pool.lend(Size::Huge, 0, out.position);
            buffer.out().append(&rest[..len]);
            rest = &rest[len..];
            let mut left = buffer.as_ref();
            while !left.is_empty() {
                let (planned, way) = out.plan(&[left]);
                ways.push((way, planned.iter().map(|part| part.len()).sum::<usize>()));
                let len = out.write(left).unwrap();
                left = &left[len..];
            }
        }
        assert_eq!(std::fs::read(&path).unwrap(), all);
        let direct: usize =
            ways.iter().filter(|(way, _)| *way == Way::Direct).map(|(_, len)| len).sum();
        assert!(direct > 1_900_000 && direct.is_multiple_of(PAGE), "{ways:?}");
        assert!(ways.len() <= 12, "{ways:?}");
    }

    #[test]
    fn buffers_that_follow_each_other_go_with_one_call_and_the_rest_of_the_last_page_later() {
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let path = folder.path().join("out");
        let mut out = OutFile::new(File::create_new(&path).unwrap());
        let pool = Arc::new(Pool::default());
        let mut first = pool.lend(Size::Huge, 0, 0);
        first.out().append(&vec![1; 1_000_000]);
        let mut second = first.split_at_page();
        second.out().append(&vec![2; 500_000]);
        let end = second.end();
        let parts = [first.as_ref(), second.as_ref()];
        let (planned, way) = out.plan(&parts);
        assert_eq!((planned.len(), way), (2, Way::Direct));
        let written = out.write_vectored(&parts.map(IoSlice::new)).unwrap();
        assert_eq!(written as u64, end - end % PAGE as u64);
        out.write_all(&second.as_ref()[written - first.len()..]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), parts.concat());

        // A disk that is too slow for the wire gets help from the page cache, any other does not.
        for (is_behind, is_slow) in [(true, false), (false, true), (true, true)] {
            (out.position, out.is_slow) = (0, is_slow);
            out.fall_behind(is_behind);
            assert_eq!(out.plan(&parts).1 == Way::Cached, is_behind && is_slow);
        }
    }

    #[test]
    fn memory_that_does_not_lie_as_the_file_does_is_written_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut out = OutFile::new(File::create_new(&path).unwrap());
        let all = octets(1_000_000);
        out.write_all(&all[..1]).unwrap();
        for part in all[1..].chunks(400_001) {
            out.write_all(part).unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), all);
    }

    #[test]
    fn what_is_no_file_on_a_disk_is_never_written_past_the_cache() {
        let mut out = OutFile::new(File::options().write(true).open("/dev/null").unwrap());
        let pool = Arc::new(Pool::default());
        let mut buffer = pool.lend(Size::Huge, 0, 0);
        buffer.out().append(&vec![0; 1_000_000]);
        assert_eq!(out.plan(&[buffer.as_ref()]).1, Way::Cached);
        out.write_all(buffer.as_ref()).unwrap();
    }
}
