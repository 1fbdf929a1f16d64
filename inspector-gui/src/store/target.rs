//! A file that is to be written: one that may be, and that is there by its name only once it is whole.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::source::{Source, create_private};

/// Where to write. What is made there is readable for its owner alone; what is replaced keeps its mode, but
/// for what that would give to others than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    path: PathBuf,
    /// The user agreed that what is there is replaced.
    replaces: bool,
}

impl Target {
    /// `path`, unless one of these captures lies there, or another file that is not to be replaced: one line.
    pub fn new<'a>(
        path: &Path,
        captures: impl IntoIterator<Item = &'a Source>,
        replaces: bool,
    ) -> Result<Self, String> {
        if captures.into_iter().any(|capture| capture.owns(path)) {
            return Err("that file is the capture itself; choose another one".to_owned());
        }
        let target = Self { path: path.to_owned(), replaces };
        target.free().map_err(|error| error.to_string())?;
        Ok(target)
    }

    /// Where it will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Has it written beside its place, and moves it there; what was begun is deleted where that fails.
    pub(super) fn write<T, E: From<io::Error>>(
        &self,
        write: impl FnOnce(File) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut part = self.path.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = create_private(&part).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                io::Error::other(format!("{} is there already", part.display()))
            }
            _ => error,
        })?;
        let outcome = write(file).and_then(|written| {
            self.free()?;
            self.keep_mode(&part)?;
            std::fs::rename(&part, &self.path)?;
            Ok(written)
        });
        if outcome.is_err() {
            // The reason that is told is why it was not written; what is left behind is small beside it.
            let _ = std::fs::remove_file(&part);
        }
        outcome
    }

    /// Gives what is written the mode of what it replaces.
    #[cfg(unix)]
    fn keep_mode(&self, part: &Path) -> io::Result<()> {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        // Where nothing is there, it stays as it was made.
        let Ok(before) = self.path.metadata() else { return Ok(()) };
        let written = part.metadata()?;
        let has_same = (before.uid() == written.uid(), before.gid() == written.gid());
        let mode = kept_mode(before.permissions().mode(), has_same);
        std::fs::set_permissions(part, std::fs::Permissions::from_mode(mode))
    }

    #[cfg(not(unix))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "there are no modes")]
    fn keep_mode(&self, _part: &Path) -> io::Result<()> {
        Ok(())
    }

    fn free(&self) -> io::Result<()> {
        if !self.replaces && self.path.symlink_metadata().is_ok() {
            let line = format!("{} is there already: choose another name", self.path.display());
            return Err(io::Error::other(line));
        }
        Ok(())
    }
}

/// What of a mode goes over to a file that may have another owner and another group: who may read it may have
/// been kept from what it replaces.
#[cfg(unix)]
const fn kept_mode(mode: u32, (same_owner, same_group): (bool, bool)) -> u32 {
    match (same_owner, same_group) {
        (true, true) => mode & 0o777,
        (false, true) => mode & 0o770,
        (_, false) => mode & 0o700,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_is_there_is_replaced_only_where_that_was_agreed_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.jsonl");
        std::fs::write(&path, "mine").expect("a file");
        let line = Target::new(&path, [], false).expect_err("it is there");
        assert_eq!(line, format!("{} is there already: choose another name", path.display()));
        let target = Target::new(&path, [], true).expect("agreed to");
        let failed: io::Result<()> = target.write(|mut file| {
            file.write_all(b"half")?;
            Err(io::ErrorKind::Interrupted.into())
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read(&path).expect("it is there"), b"mine");
        target.write(|mut file| file.write_all(b"whole")).expect("written");
        assert_eq!(std::fs::read(&path).expect("it is there"), b"whole");
        let part = folder.path().join("a.jsonl.part");
        assert!(!part.exists(), "what was begun is gone");
        std::fs::write(&part, "another's").expect("a file");
        let line = target.write(|_| io::Result::Ok(())).expect_err("in the way").to_string();
        assert_eq!(line, format!("{} is there already", part.display()));
        assert!(part.exists());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_written_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.jsonl");
        let mode = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
        let write = |file: File| {
            let part = file.metadata()?.permissions().mode() & 0o777;
            io::Result::Ok(part)
        };
        let target = Target::new(&path, [], false).expect("it is free");
        assert_eq!(target.write(write).expect("written"), 0o600, "while it is written too");
        assert_eq!(mode(&path), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("its owner");
        let target = Target::new(&path, [], true).expect("agreed to");
        assert_eq!(target.write(write).expect("written"), 0o600);
        assert_eq!(mode(&path), 0o640, "as it was");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_replaced_gives_its_mode_to_the_same_people_alone() {
        let rows = [
            ((true, true), 0o664),
            ((false, true), 0o660),
            ((true, false), 0o600),
            ((false, false), 0o600),
        ];
        for (has_same, mode) in rows {
            assert_eq!(kept_mode(0o100_664, has_same), mode, "{has_same:?}");
        }
    }

    #[test]
    fn no_file_of_the_captures_set_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name);
        for name in ["chat-0001.pcapng", "chat-0002.pcapng", "other.pcapng"] {
            std::fs::write(file(name), "").expect("a file");
        }
        let capture = Source::open(&file("chat-0001.pcapng")).expect("it is opened");
        for (name, is_free) in [
            ("chat-0001.pcapng", false),
            ("chat-0002.pcapng", false),
            ("chat-0003.pcapng", false),
            ("other.pcapng", true),
            ("chat-0002.jsonl", true),
        ] {
            let target = Target::new(&file(name), [&capture], true);
            assert_eq!(target.is_ok(), is_free, "{name}");
        }
    }
}
