//! Reading a capture: one file, or a set as if it were one, while it grows and while old files go.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use framescope_core::capture::SetPlace;
use framescope_core::capture::set::SET_PLACE_LEN;

use super::SetName;

/// A capture. An end of file is no end: it may grow, and may go on in another file.
#[derive(Debug)]
pub struct CaptureFile {
    path: PathBuf,
    file: File,
    set: Option<Set>,
    /// The octet of the capture that is read next.
    position: u64,
}

/// What is known of a set.
#[derive(Debug)]
struct Set {
    name: SetName,
    /// The file that is open.
    place: SetPlace,
    /// The number of each file that was met, by the offset of its first octet.
    known: BTreeMap<u64, u32>,
}

impl CaptureFile {
    /// Opens the capture at `path`.
    ///
    /// The first file of a set that is still there stands for the whole set, and so do the name of a
    /// first file that was deleted and the set's name without a number. A later file stands for itself.
    pub fn open(path: &Path) -> io::Result<Self> {
        match File::open(path) {
            Ok(file) => Self::opened(path, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Self::first_of(path).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    fn opened(path: &Path, mut file: File) -> io::Result<Self> {
        let set = match place_of(&mut file)? {
            Some(place) => SetName::of_file(path)
                .filter(|(name, number)| *number == place.file && is_first(name, place))
                .map(|(name, _)| Set::new(name, place)),
            None => None,
        };
        let position = set.as_ref().map_or(0, |set| set.place.offset);
        Ok(Self { path: path.to_owned(), file, set, position })
    }

    /// The first file that is there of the set that `path` means.
    fn first_of(path: &Path) -> Option<Self> {
        let as_file = SetName::of_file(path).map(|(name, _)| name);
        let as_name = SetName::new(path);
        as_file.into_iter().chain(as_name).find_map(|name| {
            name.numbers().into_iter().find_map(|number| {
                let path = name.path(number);
                let found = Self::opened(&path, File::open(&path).ok()?).ok()?;
                found.set.is_some().then_some(found)
            })
        })
    }

    /// The file that is read at the moment.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The octet of the capture that is read next. Where files were deleted before they were read, it
    /// moves past them at once.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Octets of the capture up to its end as it is now, those of deleted files counted.
    pub fn len(&self) -> io::Result<u64> {
        let newest = self.newest();
        let (file, place) = newest.as_ref().map(|(file, place)| (file, *place)).unzip();
        let offset =
            place.or(self.set.as_ref().map(|set| set.place)).map_or(0, |place| place.offset);
        Ok(offset.saturating_add(file.unwrap_or(&self.file).metadata()?.len()))
    }

    /// When it was written to last.
    pub fn modified(&self) -> io::Result<SystemTime> {
        match self.newest() {
            Some((file, _)) => file.metadata()?.modified(),
            None => self.file.metadata()?.modified(),
        }
    }

    /// The last file of the set, where that is behind the one that is read.
    fn newest(&self) -> Option<(File, SetPlace)> {
        let Set { name, place, .. } = self.set.as_ref()?;
        let later = name.numbers().into_iter().rev().take_while(|number| *number > place.file);
        later.into_iter().find_map(|number| {
            // It may have been deleted meanwhile, or not have its header yet.
            let mut file = File::open(name.path(number)).ok()?;
            let last = place_of(&mut file).ok()?.filter(|last| last.id == place.id)?;
            Some((file, last))
        })
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// The file after the one that is open, if it has begun.
    fn next(&self) -> Option<(File, PathBuf, SetPlace)> {
        let Set { place, .. } = self.set.as_ref()?;
        let number = place.file.checked_add(1)?;
        // Files are deleted in order: where this one is there, the next was not deleted before it.
        self.open_number(number)
            .or_else(|| if self.path.exists() { None } else { self.first_from(number) })
    }

    /// The first file of the set from this number on that is still there.
    fn first_from(&self, number: u32) -> Option<(File, PathBuf, SetPlace)> {
        let numbers = self.set.as_ref()?.name.numbers().into_iter();
        numbers.skip_while(|other| *other < number).find_map(|number| self.open_number(number))
    }

    fn open_number(&self, number: u32) -> Option<(File, PathBuf, SetPlace)> {
        let Set { name, place, .. } = self.set.as_ref()?;
        let path = name.path(number);
        let mut file = File::open(&path).ok()?;
        let found = place_of(&mut file).ok()??;
        (found.id == place.id && found.file == number).then_some((file, path, found))
    }

    fn enter(&mut self, (file, path, place): (File, PathBuf, SetPlace)) {
        (self.file, self.path, self.position) = (file, path, place.offset);
        if let Some(set) = &mut self.set {
            set.place = place;
            set.known.insert(place.offset, place.file);
        }
    }

    /// Opens the file of the set that the octet at `offset` is in, as far as that is known.
    fn enter_file_of(&mut self, offset: u64) -> io::Result<()> {
        let Some(Set { place, known, .. }) = &self.set else { return Ok(()) };
        let nearest = known.range(..=offset).next_back().map(|(_, number)| *number);
        if nearest != Some(place.file) {
            // Where that one was deleted too, a later one may hold it.
            let found = nearest.and_then(|number| self.first_from(number));
            let found = found.filter(|(_, _, found)| found.offset <= offset);
            self.enter(found.ok_or_else(|| {
                let line = "the file of the set that held it was deleted";
                io::Error::new(io::ErrorKind::NotFound, line)
            })?);
        }
        while let Some(next) = self.next().filter(|(_, _, next)| next.offset <= offset) {
            self.enter(next);
        }
        Ok(())
    }
}

impl Set {
    fn new(name: SetName, place: SetPlace) -> Self {
        Self { name, place, known: BTreeMap::from([(place.offset, place.file)]) }
    }
}

impl Read for CaptureFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let mut len = self.file.read(buffer)?;
            if len == 0 {
                let Some(next) = self.next() else { return Ok(0) };
                // A file is complete once the next has begun: what came since is read first.
                len = self.file.read(buffer)?;
                if len == 0 {
                    self.enter(next);
                    continue;
                }
            }
            self.position = self.position.saturating_add(len as u64);
            return Ok(len);
        }
    }
}

impl Seek for CaptureFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(ahead) => self.position.checked_add_signed(ahead),
            SeekFrom::End(ahead) => self.len()?.checked_add_signed(ahead),
        };
        let offset = target.ok_or(io::ErrorKind::InvalidInput)?;
        self.enter_file_of(offset)?;
        let start = self.set.as_ref().map_or(0, |set| set.place.offset);
        self.file.seek(SeekFrom::Start(offset.saturating_sub(start)))?;
        self.position = offset;
        Ok(offset)
    }
}

/// Whether no file of the same set is there before this one.
fn is_first(name: &SetName, place: SetPlace) -> bool {
    !name.numbers().into_iter().take_while(|number| *number < place.file).any(|number| {
        let place_before = File::open(name.path(number)).and_then(|mut file| place_of(&mut file));
        place_before.is_ok_and(|before| before.is_some_and(|before| before.id == place.id))
    })
}

/// The file's place in its set. Leaves the file at its start.
fn place_of(file: &mut File) -> io::Result<Option<SetPlace>> {
    // A pipe is no file of a set, and what was read from it could not be given back.
    if !file.metadata()?.is_file() {
        return Ok(None);
    }
    let mut start = Vec::with_capacity(SET_PLACE_LEN);
    (&mut *file).take(SET_PLACE_LEN as u64).read_to_end(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(SetPlace::read(&start))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    /// A set of so many files, and where each begins; behind its header a file has its number.
    fn set(count: u32) -> (TempDir, SetName, Vec<u64>) {
        let folder = tempfile::tempdir().unwrap();
        let name = SetName::new(&folder.path().join("a.pcapng")).unwrap();
        let (mut offset, mut offsets) = (0, Vec::new());
        for file in 1..=count {
            let mut octets = Vec::new();
            SetPlace { id: 1, file, offset }.write_section_header(&mut octets);
            octets.extend_from_slice(&file.to_be_bytes());
            fs::write(name.path(file), &octets).unwrap();
            offsets.push(offset);
            offset += octets.len() as u64;
        }
        offsets.push(offset);
        (folder, name, offsets)
    }

    /// The number that stands before this offset.
    fn number_before(capture: &mut CaptureFile, end: u64) -> io::Result<u32> {
        capture.seek(SeekFrom::Start(end - 4))?;
        let mut number = [0; 4];
        capture.read_exact(&mut number)?;
        Ok(u32::from_be_bytes(number))
    }

    #[test]
    fn length_and_age_are_those_of_the_whole_set() {
        let (_folder, name, offsets) = set(3);
        let later = SystemTime::UNIX_EPOCH + std::time::Duration::from_hours(1);
        let last = File::options().append(true).open(name.path(3)).unwrap();
        last.set_modified(later).unwrap();
        for number in 1..=3 {
            let capture = CaptureFile::open(&name.path(number)).unwrap();
            let is_first = number == 1;
            assert_eq!(capture.len().unwrap() == offsets[3], is_first, "{number}");
            assert_eq!(capture.modified().unwrap() == later, is_first || number == 3, "{number}");
        }
    }

    #[test]
    fn what_is_there_is_found_whatever_was_deleted_since_it_was_last_read() {
        let (_folder, name, offsets) = set(6);
        let mut capture = CaptureFile::open(&name.path(1)).unwrap();
        let mut number = |file: u32| number_before(&mut capture, offsets[file as usize]);
        for file in [3, 1] {
            assert_eq!(number(file).unwrap(), file);
        }
        (1..=4).for_each(|file| fs::remove_file(name.path(file)).unwrap());
        for file in [5, 6] {
            assert_eq!(number(file).unwrap(), file);
        }
        for file in 1..=4 {
            assert_eq!(number(file).unwrap_err().kind(), io::ErrorKind::NotFound, "{file}");
        }
    }
}
