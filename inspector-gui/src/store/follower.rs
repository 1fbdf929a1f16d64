//! The follower: reads the capture as it grows and feeds the index, in short bites.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use framescope_core::capture::{CaptureFault, CaptureItem};
use framescope_core::{Index, Record};
use framescope_proxy::priority::stand_behind_the_wire;
use parking_lot::RwLockWriteGuard;

use super::Shared;

/// How long the index may be held by the follower at a time.
const BITE: Duration = Duration::from_millis(2);
/// How long a wait for more of a proxy's capture lasts before it is asked again whether to go on.
const WAIT: Duration = Duration::from_millis(250);
/// How often a file is looked at: whoever writes it does not tell.
const LOOK: Duration = Duration::from_millis(50);

/// A file that was left alone for long is finished when it did not grow for so long.
const QUIET: Duration = Duration::from_millis(700);
/// A file of another tool may be written to in bursts: so long after the last one it is finished.
const BURST: Duration = Duration::from_secs(10);
/// Nothing of a capture of our own is held back that would have to be given out soon.
const OWN_PAUSE: Duration = Duration::from_mins(5);
/// The mode of connections that were put together from another tool's packets.
const OF_PACKETS: &str = "capture";

/// What comes out of a capture.
pub(super) enum Follow<'a> {
    /// Records, each with the offset of its block.
    Records(&'a mut Vec<(Record, u64)>),
    /// Something is wrong with the capture; reading goes on.
    Fault(CaptureFault),
    /// Everything there was has been read.
    CaughtUp,
    /// A file that does not grow has been read to its end.
    Finished,
    /// A file that had ended grew after all: it is read from its start again.
    Restart,
}

/// When a file counts as finished.
#[derive(Debug, Default)]
struct Patience {
    /// Its connections come from packets of another tool, or are recorded by us; `None` while there is
    /// no connection.
    is_ours: Option<bool>,
    /// How often it grew after it had counted as finished.
    restarts: u32,
}

impl Patience {
    fn take_in(&mut self, record: &Record) {
        if let Record::Opened { info, .. } = record {
            self.is_ours = Some(info.mode.as_deref() != Some(OF_PACKETS));
        }
    }

    /// How long after the last octet was written the file counts as finished: twice as long each time
    /// that was wrong, since it is then read from its start again.
    fn with_file(&self, is_between_blocks: bool) -> Duration {
        let least = match self.is_ours {
            Some(true) if is_between_blocks => OWN_PAUSE,
            Some(_) => BURST,
            None => QUIET,
        };
        least.saturating_mul(1 << self.restarts.min(16))
    }
}

pub(super) fn spawn(shared: Arc<Shared>) -> JoinHandle<()> {
    let work = move || {
        // Where the capture is read again, what was known of it is shown until that is done.
        let mut anew: Option<Index> = None;
        let mut end = None;
        let outcome = follow(&shared, |step| {
            match step {
                Follow::Records(records) => match &mut anew {
                    Some(index) => {
                        for (record, block_offset) in records.drain(..) {
                            index.receive(&record, block_offset);
                        }
                    }
                    None => feed(&shared, records),
                },
                Follow::Fault(fault) => *shared.trouble.lock() = Some(fault.to_string()),
                Follow::CaughtUp => {
                    if let Some(index) = anew.take() {
                        shared.replace(index);
                    }
                    let now = shared.read.load(Ordering::Relaxed);
                    if end.replace(now).is_some_and(|before| before < now) {
                        shared.grows.store(true, Ordering::Release);
                    }
                    shared.caught_up.store(true, Ordering::Release);
                }
                Follow::Finished => match &mut anew {
                    Some(index) => index.finish(),
                    None => shared.index.write().finish(),
                },
                Follow::Restart => {
                    anew = Some(Index::new());
                    *shared.trouble.lock() = None;
                }
            }
            shared.wake.touch();
            true
        });
        if let Err(line) = outcome {
            *shared.trouble.lock() = Some(line);
            shared.caught_up.store(true, Ordering::Release);
            shared.wake.touch();
        }
    };
    std::thread::Builder::new()
        .name("follower".to_owned())
        .spawn(work)
        .expect("a thread can be started")
}

fn feed(shared: &Shared, records: &mut Vec<(Record, u64)>) {
    let mut waiting = records.drain(..).peekable();
    while waiting.peek().is_some() {
        let mut index = shared.index.write();
        let until = Instant::now() + BITE;
        for (record, block_offset) in waiting.by_ref() {
            index.receive(&record, block_offset);
            if Instant::now() >= until {
                break;
            }
        }
        // Whoever waits to draw goes first.
        RwLockWriteGuard::unlock_fair(index);
    }
}

/// Gives everything of the capture to `take` as it comes, until `take` says no or the store is
/// dropped. `Err` says in one line why the capture cannot be followed.
pub(super) fn follow(
    shared: &Shared,
    mut take: impl FnMut(Follow<'_>) -> bool,
) -> Result<(), String> {
    let source = &shared.source;
    let tell =
        |error: std::io::Error| format!("cannot read {}: {error}", source.capture_path().display());
    let mut tail = source.follow().map_err(tell)?;
    if !source.is_file() {
        stand_behind_the_wire();
    }
    let mut finished = false;
    let mut quiet_since = Instant::now();
    let mut patience = Patience::default();
    let mut records = Vec::new();
    let mut trouble = None;
    while !shared.stopped() {
        let told = std::mem::replace(&mut trouble, source.trouble());
        if told != trouble {
            shared.wake.touch();
        }
        let is_quiet = quiet_since.elapsed() >= QUIET;
        let wait = match (source.is_file(), finished || is_quiet) {
            (true, false) => LOOK,
            _ => WAIT,
        };
        let grown = source.wait_beyond(tail.offset(), wait) > tail.offset();
        if grown {
            quiet_since = Instant::now();
        }
        match (grown, finished) {
            (true, true) => {
                (tail, finished) = (source.follow().map_err(tell)?, false);
                patience.restarts += 1;
                take(Follow::Restart);
                continue;
            }
            (true, false) => {
                tail.read_more().map_err(tell)?;
            }
            // A file that does not grow gives out what was held back; a proxy's capture goes on.
            (false, false)
                if source.is_file()
                    && is_quiet
                    && source.written_ago(quiet_since.elapsed())
                        >= patience.with_file(tail.is_between_blocks()) =>
            {
                tail.finish();
                finished = true;
            }
            (false, _) => continue,
        }
        while let Some(item) = tail.poll() {
            match item {
                CaptureItem::Record { record, block_offset } => {
                    patience.take_in(&record);
                    records.push((record, block_offset));
                }
                CaptureItem::Fault(fault) => {
                    take(Follow::Fault(fault));
                }
            }
        }
        shared.read.fetch_max(tail.offset(), Ordering::Relaxed);
        let wants_more = take(Follow::Records(&mut records));
        records.clear();
        if finished {
            take(Follow::Finished);
        }
        if finished || source.wait_beyond(tail.offset(), Duration::ZERO) <= tail.offset() {
            take(Follow::CaughtUp);
        }
        if !wants_more {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use framescope_core::{ConnectionId, ConnectionInfo, Timestamp};

    use super::*;

    fn opened(mode: Option<&str>) -> Record {
        let addr = ([127, 0, 0, 1], 80).into();
        let mode = mode.map(str::to_owned);
        let info = ConnectionInfo { client: addr, server: addr, mode, upstream: None, tls: None };
        let (connection, at) = (ConnectionId(1), Timestamp::default());
        Record::Opened { connection, at, info: Box::new(info) }
    }

    #[test]
    fn a_file_that_went_on_after_a_pause_is_waited_for_twice_as_long() {
        let mut patience = Patience::default();
        assert_eq!(patience.with_file(true), QUIET, "of nothing there is nothing to read again");
        patience.take_in(&opened(Some(OF_PACKETS)));
        assert_eq!(patience.with_file(true), BURST);
        patience.restarts = 2;
        assert_eq!(patience.with_file(true), 4 * BURST);
        patience.restarts = u32::MAX;
        assert!(patience.with_file(true) > Duration::from_hours(24));
    }

    #[test]
    fn a_capture_of_ours_is_waited_for_unless_it_is_cut() {
        let mut patience = Patience::default();
        patience.take_in(&opened(None));
        assert_eq!(patience.with_file(true), OWN_PAUSE);
        assert_eq!(patience.with_file(false), BURST);
    }
}
