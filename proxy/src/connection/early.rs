//! Client octets that are read before there is an upstream.

use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout_at};

use super::Cut;
use crate::relay::Socket;
use crate::sniff::{Protocol, sniff};

/// Octets asked for at once.
const STEP: usize = 4096;

/// What was read and is not yet taken.
#[derive(Debug)]
pub(super) struct Early {
    octets: Vec<u8>,
    timeout: Duration,
    deadline: Option<Instant>,
}

impl Early {
    /// None yet; `timeout` after the first there must be a whole head.
    pub fn within(timeout: Duration) -> Self {
        Self { octets: Vec::new(), timeout, deadline: None }
    }

    /// What was read and is not yet taken.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Gives them all away.
    pub fn into_octets(self) -> Vec<u8> {
        self.octets
    }

    /// They were all taken.
    pub fn clear(&mut self) {
        self.octets.clear();
    }

    /// Reads until it is certain what the client speaks.
    pub async fn protocol(&mut self, stream: &mut impl Socket) -> Result<Protocol, Cut> {
        loop {
            if let Some(protocol) = sniff(&self.octets) {
                return Ok(protocol);
            }
            self.read(stream).await?;
        }
    }

    /// Reads once; the time for a whole head begins to run with its first octet.
    pub async fn read(&mut self, stream: &mut impl Socket) -> Result<(), Cut> {
        if self.octets.capacity() - self.octets.len() < STEP / 2 {
            self.octets.reserve(STEP);
        }
        let read = stream.read_buf(&mut self.octets);
        let outcome = match self.deadline {
            Some(deadline) => timeout_at(deadline, read).await.map_err(|_| Cut::TimedOut)?,
            None => read.await,
        };
        match outcome {
            Ok(0) => return Err(Cut::Ended),
            Ok(_) => {}
            // TLS that ended without saying so.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(Cut::Ended),
            Err(error) => return Err(Cut::Broke(error)),
        }
        self.deadline.get_or_insert_with(|| Instant::now() + self.timeout);
        Ok(())
    }
}
