//! What the files of a set are called.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// The numbers have so many digits at least.
const DIGITS: usize = 4;

/// A folder, what stands before the number, what stands behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetName {
    folder: PathBuf,
    stem: String,
    /// With its dot; may be empty.
    extension: String,
}

impl SetName {
    /// For the set that is to be called `path`: `chat.pcapng` becomes `chat-0001.pcapng` and so on.
    /// `None` where the name is not text.
    pub fn new(path: &Path) -> Option<Self> {
        let folder = path.parent()?.to_owned();
        let stem = path.file_stem()?.to_str()?.to_owned();
        let extension = match path.extension() {
            Some(extension) => format!(".{}", extension.to_str()?),
            None => String::new(),
        };
        Some(Self { folder, stem, extension })
    }

    /// The set that `path` would be a file of, and its number there.
    pub fn of_file(path: &Path) -> Option<(Self, u32)> {
        let mut name = Self::new(path)?;
        let (stem, digits) = name.stem.rsplit_once('-')?;
        let number = number(digits)?;
        name.stem = stem.to_owned();
        Some((name, number))
    }

    /// The file with this number.
    pub fn path(&self, number: u32) -> PathBuf {
        let Self { folder, stem, extension } = self;
        folder.join(format!("{stem}-{number:0DIGITS$}{extension}"))
    }

    /// The numbers of all files that are called so, in order.
    pub fn numbers(&self) -> Vec<u32> {
        let folder = if self.folder.as_os_str().is_empty() { Path::new(".") } else { &self.folder };
        let names =
            fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let mut numbers: Vec<u32> = names.filter_map(|name| self.number_of(&name)).collect();
        numbers.sort_unstable();
        numbers
    }

    fn number_of(&self, name: &OsString) -> Option<u32> {
        let rest = name.to_str()?.strip_prefix(&self.stem)?.strip_prefix('-')?;
        number(rest.strip_suffix(&self.extension)?)
    }
}

/// Such as `0001`: written in the one way that [`SetName::path`] writes it.
fn number(digits: &str) -> Option<u32> {
    let number: u32 = digits.parse().ok()?;
    (number > 0 && format!("{number:0DIGITS$}") == digits).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for (path, number, file) in [
            ("chat.pcapng", 1, "chat-0001.pcapng"),
            ("/a/b/chat.x.pcapng", 12, "/a/b/chat.x-0012.pcapng"),
            ("no-extension", 12_345, "no-extension-12345"),
        ] {
            let name = SetName::new(Path::new(path)).unwrap();
            assert_eq!(name.path(number), Path::new(file));
            assert_eq!(SetName::of_file(Path::new(file)), Some((name, number)));
        }
    }

    #[test]
    fn other_names_are_of_no_set() {
        for path in ["chat.pcapng", "chat-1.pcapng", "chat-00001.pcapng", "chat-0000.pcapng", "/"] {
            assert_eq!(SetName::of_file(Path::new(path)), None, "{path}");
        }
    }

    #[test]
    fn the_files_of_a_set_are_found_in_order_among_others() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a-0010.x", "a-0002.x", "a-2.x", "a-0003.y", "b-0001.x", "a-0001.x.part"] {
            fs::write(folder.path().join(name), b"").unwrap();
        }
        let name = SetName::new(&folder.path().join("a.x")).unwrap();
        assert_eq!(name.numbers(), [2, 10]);
    }
}
