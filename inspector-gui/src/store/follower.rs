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

/// How long a file must not have grown to count as finished.
const QUIET: Duration = Duration::from_millis(700);

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

pub(super) fn spawn(shared: Arc<Shared>) -> JoinHandle<()> {
    let work = move || {
        let outcome = follow(&shared, |step| {
            match step {
                Follow::Records(records) => feed(&shared, records),
                Follow::Fault(fault) => *shared.trouble.lock() = Some(fault.to_string()),
                Follow::CaughtUp => shared.caught_up.store(true, Ordering::Release),
                Follow::Finished => shared.index.write().finish(),
                Follow::Restart => {
                    *shared.index.write() = Index::new();
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
    let mut records = Vec::new();
    let mut trouble = None;
    while !shared.stopped() {
        let told = std::mem::replace(&mut trouble, source.trouble());
        if told != trouble {
            shared.wake.touch();
        }
        let wait = match (source.is_file(), finished) {
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
                take(Follow::Restart);
                continue;
            }
            (true, false) => {
                tail.read_more().map_err(tell)?;
            }
            // A file that does not grow gives out what was held back; a proxy's capture goes on.
            (false, false) if source.is_file() && quiet_since.elapsed() >= QUIET => {
                tail.finish();
                finished = true;
            }
            (false, _) => continue,
        }
        while let Some(item) = tail.poll() {
            match item {
                CaptureItem::Record { record, block_offset } => {
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
