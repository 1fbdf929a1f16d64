//! Following the capture of a recorder in this process: from memory where that has it, else the file.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::Queue;
use crate::follow::Input;
use crate::set::CaptureFile;

/// A capture that is being written here.
#[derive(Debug)]
pub struct Live {
    queue: Arc<Queue>,
    /// Its number among the followers of the queue.
    follower: usize,
    path: PathBuf,
    file: CaptureFile,
    /// The octet of the capture that is read next.
    position: u64,
}

impl Live {
    /// Follows what `queue` writes to `path`, from the start. That must be a file: what a pipe gives is
    /// its reader's.
    pub fn open(queue: &Arc<Queue>, path: &Path) -> io::Result<Self> {
        // Not of the open file: to open a pipe waits for who writes to it.
        if fs::metadata(path).is_ok_and(|place| !place.is_file()) {
            let line = format!("{} is no file that can be read back", path.display());
            return Err(io::Error::new(io::ErrorKind::Unsupported, line));
        }
        let file = CaptureFile::open(path)?;
        let position = file.position();
        let follower = queue.tail().join(position);
        Ok(Self { queue: Arc::clone(queue), follower, path: path.to_owned(), file, position })
    }

    /// Octets of the capture that are in the file, or in the files of the set since its first.
    pub fn written(&self) -> u64 {
        self.queue.written()
    }

    /// Waits until there is more to read or `timeout` has passed.
    pub fn wait(&self, timeout: Duration) {
        self.queue.wait_beyond(self.position, timeout);
    }

    /// Brings the file to where the next octet is. Where that was in a file of a set that is gone,
    /// reading goes on at the first that is left.
    fn seek(&mut self) -> io::Result<()> {
        if self.file.position() == self.position {
            return Ok(());
        }
        match self.file.seek(SeekFrom::Start(self.position)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.file = CaptureFile::open(&self.path)?;
                Ok(())
            }
            outcome => outcome.map(drop),
        }
    }
}

impl Read for Live {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.seek()?;
        let len = self.file.read(buffer)?;
        self.position = self.file.position();
        self.queue.tail().went_on(self.follower, Some(self.position));
        Ok(len)
    }
}

impl Input for Live {
    fn position(&self) -> Option<u64> {
        Some(self.position)
    }

    fn at_hand(&mut self) -> Option<Bytes> {
        let octets = self.queue.tail().read(self.follower, self.position)?;
        self.position += octets.len() as u64;
        Some(octets)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.queue.tail().leave(self.follower);
    }
}
