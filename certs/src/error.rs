//! What can go wrong with certificates and their files: one line each, with the mend.

use std::io;
use std::path::{Path, PathBuf};

/// Of this crate.
pub type Result<T> = std::result::Result<T, CertsError>;

/// Why a certificate, a key or the CA's folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertsError {
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried: `read`, `create`, …
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// A file or folder of the CA is not safe to use as it lies there.
    #[error("{}: {what}; {mend}", path.display())]
    Unsafe {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
        /// What to do.
        mend: String,
    },
    /// A file does not hold what it should.
    #[error("{}: {what}; {mend}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
        /// What to do.
        mend: String,
    },
    /// The CA's certificate is not valid at this time.
    #[error("{}: {what}; {mend}", path.display())]
    OutOfTime {
        /// The certificate's file.
        path: PathBuf,
        /// Since or until when.
        what: String,
        /// What to do.
        mend: String,
    },
    /// No certificate can be made for such a name.
    #[error("no certificate can be made for \"{name}\": {why}")]
    Name {
        /// As it was given, cut to a line.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Mint(String),
}

impl CertsError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    pub(crate) fn content(path: &Path, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::Content { path: path.to_owned(), what: what.into(), mend: mend.into() }
    }
}

impl From<rcgen::Error> for CertsError {
    fn from(error: rcgen::Error) -> Self {
        Self::Mint(error.to_string())
    }
}
