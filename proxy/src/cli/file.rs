//! Files that a command writes beside captures: made anew, whole or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::{Exit, Failure, Outcome};
use crate::view::escape;

/// Writes a file that must not exist yet; leaves none where that fails.
pub fn write_new(path: &Path, octets: &[u8]) -> Outcome {
    let mut file = File::create_new(path).map_err(|error| cannot_write(path, &error))?;
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
