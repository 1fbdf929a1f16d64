//! Writing a set: a file until it is large or old enough, then the next one.

use std::fs::{self, File};
use std::io::{self, IoSlice, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use framescope_core::capture::SetPlace;

use super::SetName;
use crate::recorder::{OutFile, Sink};

/// After a next file could not be made, the one at hand goes on for so long.
const RETRY: Duration = Duration::from_secs(2);

/// When a capture goes on in another file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rotation {
    /// Once a file holds so many octets.
    pub size: Option<u64>,
    /// Once a file has been written to for so long.
    pub every: Option<Duration>,
    /// So many files are kept, the one being written counted; older ones are deleted.
    pub keep: Option<u32>,
}

impl Rotation {
    /// Whether there ever is another file.
    pub fn is_wanted(&self) -> bool {
        self.size.is_some() || self.every.is_some()
    }
}

/// The file at hand, and what comes after it.
#[derive(Debug)]
pub struct Writer {
    name: SetName,
    rotation: Rotation,
    create: fn(PathBuf) -> io::Result<File>,
    file: OutFile,
    place: SetPlace,
    has_header: bool,
    /// When its first octet behind the header came.
    begun: Option<Instant>,
    not_before: Option<Instant>,
}

impl Writer {
    /// Begins a set, with an `id` of its own. `create` makes a file, and never writes over one.
    pub fn begin(
        name: SetName,
        id: u64,
        rotation: Rotation,
        create: fn(PathBuf) -> io::Result<File>,
    ) -> io::Result<Self> {
        let place = SetPlace { id, file: 1, offset: 0 };
        let file = OutFile::new(create(name.path(place.file))?);
        let (has_header, begun, not_before) = (false, None, None);
        Ok(Self { name, rotation, create, file, place, has_header, begun, not_before })
    }

    /// Makes the next file, whole with its header, or leaves none.
    fn make_next(&self, place: SetPlace) -> io::Result<(OutFile, Vec<u8>)> {
        let path = self.name.path(place.file);
        let mut file = OutFile::new((self.create)(path.clone())?);
        let header = header(place);
        if let Err(error) = file.write_all(&header) {
            // It holds nothing. Where it stays all the same, the next try says so.
            let _ = fs::remove_file(path);
            return Err(error);
        }
        Ok((file, header))
    }

    fn delete_old(&self) {
        let Some(oldest_kept) = self
            .rotation
            .keep
            .map(|keep| (u64::from(self.place.file) + 1).saturating_sub(u64::from(keep.max(1))))
        else {
            return;
        };
        for number in self.name.numbers() {
            if u64::from(number) < oldest_kept
                && let Err(error) = fs::remove_file(self.name.path(number))
            {
                let path = self.name.path(number);
                tracing::warn!("the old capture {} cannot be deleted: {error}", path.display());
            }
        }
    }
}

impl Write for Writer {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(octets)])
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let len = self.file.write_vectored(parts)?;
        if self.has_header {
            self.begun.get_or_insert_with(Instant::now);
        }
        self.has_header = true;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Sink for Writer {
    fn is_unreachable(&self) -> bool {
        self.file.is_unreachable()
    }

    fn give_back(&self, offset: u64, len: u64) {
        self.file.give_back(offset, len);
    }

    fn fall_behind(&mut self, is_behind: bool) {
        self.file.fall_behind(is_behind);
    }

    fn header(&self) -> Vec<u8> {
        header(self.place)
    }

    fn goes_on_elsewhere(&self) -> bool {
        true
    }

    fn file_size(&self) -> Option<u64> {
        let waits = self.not_before.is_some_and(|at| Instant::now() < at);
        self.rotation.size.filter(|_| !waits)
    }

    fn full_at(&self) -> Option<Instant> {
        let at = self.begun?.checked_add(self.rotation.every?)?;
        Some(self.not_before.map_or(at, |not_before| at.max(not_before)))
    }

    fn turn_over(&mut self, offset: u64) -> Option<Vec<u8>> {
        let place = SetPlace { file: self.place.file.saturating_add(1), offset, ..self.place };
        match self.make_next(place) {
            Ok((file, header)) => {
                (self.file, self.place, self.not_before) = (file, place, None);
                (self.has_header, self.begun) = (true, None);
                self.delete_old();
                Some(header)
            }
            Err(error) => {
                let (next, this) = (self.name.path(place.file), self.name.path(self.place.file));
                let (next, this) = (next.display(), this.display());
                tracing::error!("the capture {next} cannot be made: {error}; {this} goes on");
                self.not_before = Instant::now().checked_add(RETRY);
                None
            }
        }
    }
}

fn header(place: SetPlace) -> Vec<u8> {
    let mut header = Vec::new();
    place.write_section_header(&mut header);
    header
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_set_is_written_as_any_other_is() {
        const PAGE: usize = 4096;
        // On a disk: what a temporary folder may not be.
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let name = SetName::new(&folder.path().join("a.pcapng")).unwrap();
        let mut writer = Writer::begin(name, 1, Rotation::default(), File::create_new).unwrap();
        writer.write_all(&[0; PAGE]).unwrap();
        let memory = vec![7; (1 << 20) + PAGE];
        let start = memory.as_ptr().align_offset(PAGE);
        let (first, second) = memory[start..start + (1 << 20)].split_at(1 << 19);
        let parts = [first, second].map(IoSlice::new);
        assert_eq!(writer.write_vectored(&parts).unwrap(), 1 << 20, "both with one call");

        for is_behind in [true, false] {
            writer.fall_behind(is_behind);
            assert_eq!(writer.file.is_behind(), is_behind);
        }
    }
}
