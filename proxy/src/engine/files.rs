//! Where captures and the local CA live, and how a capture file is made.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use framescope_core::Timestamp;

use super::{EngineConfig, StartError};
use crate::set::{SetName, Writer};

/// How many captures may begin in one second.
const SAME_SECOND: u32 = 1000;

/// `given`, else `FRAMESCOPE_DATA_DIR`, else the user's own.
pub fn data_dir(given: Option<&Path>) -> Result<PathBuf, StartError> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    if let Some(named) = std::env::var_os("FRAMESCOPE_DATA_DIR").filter(|name| !name.is_empty()) {
        return Ok(named.into());
    }
    directories::ProjectDirs::from("", "", "framescope")
        .map(|dirs| dirs.data_dir().to_owned())
        .ok_or(StartError::NoDataDir)
}

/// The folder of the local CA.
pub fn authority_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("ca")
}

/// Makes the capture that the user asked for; only an empty file may stand there already.
pub(super) fn create_at(path: &Path) -> Result<File, StartError> {
    let failed = |source| StartError::Capture { path: path.to_owned(), source };
    match create_private(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
            let found = file.metadata().map_err(failed)?;
            // A pipe or a device holds nothing that could be lost.
            if found.is_file() && found.len() > 0 {
                return Err(StartError::CaptureExists(path.to_owned()));
            }
            Ok(file)
        }
        other => other.map_err(failed),
    }
}

/// Makes a capture named after `now` in `data_dir`.
pub(super) fn create_in(data_dir: &Path, now: Timestamp) -> Result<(File, PathBuf), StartError> {
    let folder = data_dir.join("captures");
    let failed = |path: &Path, source| StartError::Capture { path: path.to_owned(), source };
    create_folder(&folder).map_err(|source| failed(&folder, source))?;
    let name = format!("framescope-{}", local_time(now));
    let mut path = folder.join(format!("{name}.pcapng"));
    for again in 2..SAME_SECOND {
        match create_private(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                path = folder.join(format!("{name}-{again}.pcapng"));
            }
            Err(source) => return Err(failed(&path, source)),
        }
    }
    Err(StartError::CaptureExists(path))
}

/// Begins the set that `config` asks for: its first file, by its path.
pub(super) fn create_set(
    config: &EngineConfig,
    now: Timestamp,
) -> Result<(Writer, PathBuf), StartError> {
    let path = if let Some(path) = &config.capture {
        path.clone()
    } else {
        let folder = data_dir(config.data_dir.as_deref())?.join("captures");
        create_folder(&folder)
            .map_err(|source| StartError::Capture { path: folder.clone(), source })?;
        folder.join(format!("framescope-{}.pcapng", local_time(now)))
    };
    let failed = |source| StartError::Capture { path: path.clone(), source };
    let name = SetName::new(&path).ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
    if let Some(taken) = name.numbers().first() {
        return Err(StartError::CaptureExists(name.path(*taken)));
    }
    let first = name.path(1);
    let create = |path: PathBuf| create_private(&path);
    let writer = Writer::begin(name, now.as_nanos(), config.rotation, create).map_err(failed)?;
    Ok((writer, first))
}

/// Takes back a capture that nothing could be written to: a full disk.
pub(super) fn remove_empty(path: &Path) {
    if fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() == 0) {
        // Where this fails too, an empty file stays behind: there is nothing more to be done.
        let _ = fs::remove_file(path);
    }
}

/// Such as `2026-11-20-130431`.
fn local_time(now: Timestamp) -> String {
    let stamp = jiff::Timestamp::from_nanosecond(i128::from(now.as_nanos())).unwrap_or_default();
    stamp.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d-%H%M%S").to_string()
}

/// Makes a file that is readable for the user alone, where nothing is yet: captures and what is taken from
/// them hold passwords and cookies.
pub fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

    #[test]
    fn captures_of_the_same_second_get_names_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let (_, first) = create_in(dir.path(), NOW).unwrap();
        let (_, second) = create_in(dir.path(), NOW).unwrap();
        assert_ne!(first, second);
        let name = first.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(name.starts_with("framescope-2023-11-1") && name.ends_with(".pcapng"), "{name}");
    }

    #[test]
    fn a_file_that_holds_anything_is_never_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pcapng");
        create_at(&path).unwrap();
        create_at(&path).expect("an empty file may be used");
        fs::write(&path, b"dear").unwrap();
        let error = create_at(&path).unwrap_err();
        assert!(matches!(error, StartError::CaptureExists(_)), "{error}");
        assert_eq!(error.exit_code(), 5);
        assert_eq!(fs::read(&path).unwrap(), b"dear");
    }

    #[test]
    fn a_capture_in_a_folder_that_is_not_there_says_so() {
        let error = create_at(Path::new("/nonexistent/folder/a.pcapng")).unwrap_err();
        assert!(error.to_string().contains("cannot be made"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_capture_is_readable_for_its_user_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (file, _) = create_in(dir.path(), NOW).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
