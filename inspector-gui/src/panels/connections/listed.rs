//! Which connections are listed: of many it is found out a few times a second, not in every picture.

use std::sync::Arc;
use std::time::Duration;

use framescope_core::ConnectionId;

use super::Transport;
use crate::app::Extent;

/// So many connections are gone through in every picture.
const FEW: usize = 1000;
/// How long the list of more of them stays as it is, in seconds.
const PAUSE: f64 = 0.25;

/// The rows that are listed, and what they were found for.
#[derive(Debug, Default)]
pub struct Listed {
    asked: Option<Asked>,
    /// When they were found, in seconds.
    at: f64,
    rows: Arc<[u32]>,
}

/// What decides, as far as the user and not the capture changes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) words: String,
    pub(super) transport: Option<Transport>,
    pub(super) connection: Option<ConnectionId>,
    pub(super) cleared: Extent,
    pub(super) paused: Option<Extent>,
    /// Which index the row numbers are of.
    pub(super) reading: u64,
}

impl Listed {
    /// The rows of what is asked now, at `time` in seconds, out of `len` connections; and how long they
    /// stay as they are, where they were not found anew by `find`.
    pub(super) fn rows(
        &mut self,
        asked: Asked,
        len: usize,
        time: f64,
        find: impl FnOnce() -> Arc<[u32]>,
    ) -> (Arc<[u32]>, Option<Duration>) {
        let left = self.at + PAUSE - time;
        let is_kept = len > FEW && left > 0.0 && self.asked.as_ref() == Some(&asked);
        if !is_kept {
            *self = Self { asked: Some(asked), at: time, rows: find() };
        }
        (Arc::clone(&self.rows), is_kept.then(|| Duration::from_secs_f64(left)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_connections_are_gone_through_when_asked_otherwise_or_after_a_pause() {
        let mut listed = Listed::default();
        let chat = Asked { words: "chat".to_owned(), ..Asked::default() };
        let mut was_found = |asked: &Asked, len, time| {
            let mut found = false;
            let find = || {
                found = true;
                Arc::from([1, 2])
            };
            let (rows, wait) = listed.rows(asked.clone(), len, time, find);
            assert_eq!((&rows[..], wait.is_none()), (&[1, 2][..], found));
            found
        };
        assert!(was_found(&chat, 5000, 10.0));
        assert!(!was_found(&chat, 5001, 10.1));
        assert!(was_found(&chat, 5002, 10.3), "after a pause");
        assert!(was_found(&Asked::default(), 5002, 10.31), "other words");
        assert!(was_found(&Asked::default(), 3, 10.32), "few of them");
    }
}
