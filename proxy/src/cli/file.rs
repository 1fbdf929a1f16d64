//! Files that a command writes beside captures: made anew, whole or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::{Exit, Failure, Outcome};
use crate::engine::create_private;
use crate::view::escape;

/// Who may read a file that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Whoever the system lets: there is no secret in it.
    Usual,
    /// Its owner alone.
    Owner,
}

/// Writes a file that must not exist yet; leaves none where that fails.
pub fn write_new(path: &Path, readers: Readers, octets: &[u8]) -> Outcome {
    let made = match readers {
        Readers::Usual => File::create_new(path),
        Readers::Owner => create_private(path),
    };
    let mut file = made.map_err(|error| cannot_write(path, &error))?;
    let written = file.write_all(octets).and_then(|()| file.sync_all());
    written.map_err(|error| {
        // The first error is the one to tell.
        let _ = std::fs::remove_file(path);
        cannot_write(path, &error)
    })
}

/// What the system said, without its error number.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    let name = escape::whole(&path.display().to_string());
    let mend = match error.kind() {
        io::ErrorKind::AlreadyExists => "choose another name, or remove it first",
        io::ErrorKind::NotFound => "make its folder first, or choose another",
        _ => "choose another place",
    };
    Failure::new(Exit::File, format!("cannot write {name}: {}", reason(error))).help(mend)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_may_hold_secrets_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |name: &str, readers| {
            let path = folder.path().join(name);
            write_new(&path, readers, b"octets").unwrap();
            path.metadata().unwrap().permissions().mode() & 0o777
        };
        assert_eq!(mode("capture", Readers::Owner), 0o600);
        let usual = folder.path().join("usual");
        std::fs::write(&usual, b"octets").unwrap();
        let usual = usual.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode("certificate", Readers::Usual), usual);
    }
}
