//! How a thread of the wire waits: where octets follow each other closely it looks again for a moment, and
//! sleeps otherwise.
//!
//! To fall asleep and be woken takes many times as long as to pass a small message on, most of all in a
//! virtual machine. So a thread whose last sleeps were [`SHORT`] stays awake behind what it passed on, for
//! [`PATIENCE`]. Meanwhile it asks the system for more, and offers its processor to every other thread that
//! wants it.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use tokio::task;

/// How long a thread stays awake for octets that do not come.
const PATIENCE: Duration = Duration::from_micros(150);
/// A sleep shorter than this would not have been needed: much of it is the time to be woken.
const SHORT: Duration = Duration::from_micros(400);
/// A wait in vain costs what so many short ones have earned, and has to be earned before: a question, its
/// answer and then a pause are no reason to stay awake.
const PRICE: u32 = 4;
/// The most that is put by.
const CREDIT: u32 = 4 * PRICE;
/// Where the processor was gone for longer, others have more to do than this thread's peers.
const GONE: Duration = Duration::from_micros(150);
/// Sleeps until the next try after the processor was gone: at first, and when it is gone again and again.
const ABSTAIN: (u32, u32) = (16, 1024);

thread_local! {
    /// Whether octets moved on this thread since its watch looked last.
    static MOVED: Cell<bool> = const { Cell::new(false) };
    /// The watch of this thread, while that sleeps.
    static ASLEEP: RefCell<Option<Waker>> = const { RefCell::new(None) };
}

/// Threads that stay awake now: at most half of the processors are kept so.
static AWAKE: AtomicUsize = AtomicUsize::new(0);

/// Octets moved on this thread.
pub(super) fn moved() {
    MOVED.set(true);
    if let Some(watch) = ASLEEP.take() {
        watch.wake();
    }
}

/// Keeps this thread awake while that is worth it. Never ends; it wants a runtime that runs on this thread
/// alone.
pub async fn watch() {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let mut pace = Pace::default();
    loop {
        let asleep = Instant::now();
        movement().await;
        pace.slept(asleep.elapsed());
        if pace.is_close()
            && let Some(_awake) = Awake::among(&AWAKE, processors / 2)
        {
            look_again(&mut pace).await;
        }
    }
}

/// Until octets move.
async fn movement() {
    poll_fn(|cx| {
        if MOVED.take() {
            return Poll::Ready(());
        }
        ASLEEP.set(Some(cx.waker().clone()));
        Poll::Pending
    })
    .await;
}

/// Asks the system for more until nothing has come for [`PATIENCE`] or the processor was [`GONE`].
async fn look_again(pace: &mut Pace) {
    let mut last = Instant::now();
    let mut waits = false;
    loop {
        // With nothing else to do the runtime asks the system and comes back.
        task::yield_now().await;
        let looked = Instant::now();
        if MOVED.take() {
            if std::mem::take(&mut waits) {
                pace.waited_well();
            }
            last = looked;
        } else if looked.duration_since(last) > PATIENCE {
            return pace.waited_in_vain();
        } else {
            waits = true;
            thread::yield_now();
            if looked.elapsed() > GONE {
                return pace.processor_gone();
            }
        }
    }
}

/// What past waits tell of the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pace {
    /// Grows with waits that were short, and is spent by those in vain.
    credit: u32,
    /// Sleeps until the next try.
    abstains: u32,
    /// How many those will be when the processor is gone next.
    abstains_next: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { credit: 0, abstains: 0, abstains_next: ABSTAIN.0 }
    }
}

impl Pace {
    /// The thread was asleep for so long.
    fn slept(&mut self, time: Duration) {
        self.credit = if time < SHORT { (self.credit + 1).min(CREDIT) } else { 0 };
        self.abstains = self.abstains.saturating_sub(1);
    }

    /// Whether the next octets are likely to come soon, and nobody else to need the processor.
    fn is_close(&self) -> bool {
        self.credit >= PRICE && self.abstains == 0
    }

    /// Octets came while the thread waited for them.
    fn waited_well(&mut self) {
        self.credit = (self.credit + 1).min(CREDIT);
        self.abstains_next = self.abstains_next.saturating_sub(1).max(ABSTAIN.0);
    }

    /// Nothing came.
    fn waited_in_vain(&mut self) {
        self.credit = self.credit.saturating_sub(PRICE);
    }

    /// The processor was taken and not given back soon.
    fn processor_gone(&mut self) {
        self.abstains = self.abstains_next;
        self.abstains_next = self.abstains_next.saturating_mul(2).min(ABSTAIN.1);
    }
}

/// Counts a thread that stays awake.
struct Awake(&'static AtomicUsize);

impl Awake {
    /// One more of at most `most`.
    fn among(awake: &'static AtomicUsize, most: usize) -> Option<Self> {
        let more = |awake| (awake < most).then_some(awake + 1);
        awake.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Self(awake))
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(1);

    /// The pace after these waits.
    fn pace(waits: impl IntoIterator<Item = fn(&mut Pace)>) -> Pace {
        let mut pace = Pace::default();
        for wait in waits {
            wait(&mut pace);
        }
        pace
    }

    fn short(pace: &mut Pace) {
        pace.slept(SHORT / 2);
    }

    fn long(pace: &mut Pace) {
        pace.slept(LONG);
    }

    #[test]
    fn a_thread_stays_awake_behind_short_sleeps_only() {
        assert!(!pace([]).is_close());
        assert!(!pace([short as fn(&mut _); 3]).is_close());
        assert!(pace([short as fn(&mut _); 4]).is_close());
        assert!(!pace([short, short, short, short, long]).is_close());
    }

    #[test]
    fn questions_and_answers_with_pauses_between_them_keep_no_thread_awake() {
        let rounds = [short as fn(&mut _), long].repeat(1000);
        assert!(!pace(rounds).is_close());
    }

    #[test]
    fn waits_in_vain_use_up_what_waits_that_were_worth_it_have_earned() {
        let mut pace = pace([short as fn(&mut _); 4]);
        (0..1000).for_each(|_| pace.waited_well());
        let in_vain = (0..).take_while(|_| {
            let is_close = pace.is_close();
            pace.waited_in_vain();
            is_close
        });
        assert_eq!(in_vain.count(), 4);
    }

    #[test]
    fn a_thread_abstains_for_longer_each_time_the_processor_is_wanted_and_tries_again() {
        let mut pace = pace([short as fn(&mut _); 4]);
        let mut abstained = Vec::new();
        for _ in 0..9 {
            pace.processor_gone();
            let sleeps = (0..).take_while(|_| {
                let is_close = pace.is_close();
                short(&mut pace);
                !is_close
            });
            abstained.push(sleeps.count());
        }
        assert_eq!(abstained, [16, 32, 64, 128, 256, 512, 1024, 1024, 1024]);
        (0..2000).for_each(|_| pace.waited_well());
        pace.processor_gone();
        assert_eq!(pace.abstains, 16, "waits that were worth it are taken into account");
    }

    #[test]
    fn no_more_threads_stay_awake_than_may() {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let first = Awake::among(&COUNT, 1);
        assert!(first.is_some() && Awake::among(&COUNT, 1).is_none());
        drop(first);
        assert!(Awake::among(&COUNT, 1).is_some() && Awake::among(&COUNT, 0).is_none());
    }

    #[tokio::test]
    async fn who_watches_lets_all_others_go_on() {
        let watching = tokio::spawn(watch());
        let moving = tokio::spawn(async {
            for _ in 0..10_000 {
                moved();
                task::yield_now().await;
            }
        });
        moving.await.unwrap();
        watching.abort();
        assert!(watching.await.unwrap_err().is_cancelled());
    }
}
