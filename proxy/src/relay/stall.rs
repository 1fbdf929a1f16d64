//! Receivers that take nothing: how long, at the cost of a clock read each time one is full.
//!
//! The timer is made once and not set anew for each short stall: it goes off when it was set for,
//! looks how long the stall of that moment has lasted, and is set for the rest.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// A receiver that takes nothing for so long is slow; below that it is busy.
pub(super) const SLOW: Duration = Duration::from_secs(1);

/// A receiver that takes nothing for so long is waited for no longer where the other side is gone.
pub(super) const GONE: Duration = Duration::from_secs(30);

/// The stalls of one lane, one after the other.
#[derive(Debug)]
pub(super) struct Stall {
    /// Since when the receiver takes nothing, while that is so.
    since: Option<Instant>,
    timer: Pin<Box<Sleep>>,
    is_told: bool,
    /// How long the stall was that has ended, where it was told.
    ended: Option<Duration>,
}

/// What is to be told of a stall.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stalled {
    /// So far, or in all.
    pub took: Duration,
    /// Octets that wait in the lane.
    pub waiting: usize,
    pub is_over: bool,
}

impl Stall {
    pub fn new() -> Self {
        Self { since: None, timer: Box::pin(sleep(SLOW)), is_told: false, ended: None }
    }

    /// The receiver is full: ready, once, when it has been for [`SLOW`].
    pub fn poll_slow(&mut self, cx: &mut Context<'_>) -> Poll<Duration> {
        let since = *self.since.get_or_insert_with(Instant::now);
        while !self.is_told && self.timer.as_mut().poll(cx).is_ready() {
            let took = since.elapsed();
            if took >= SLOW {
                self.is_told = true;
                return Poll::Ready(took);
            }
            self.timer.as_mut().reset(since + SLOW);
        }
        Poll::Pending
    }

    /// The receiver is slow, which was told, and the other side is gone since `alone`: ready when both have
    /// lasted for [`GONE`].
    pub fn poll_gone(&mut self, alone: Instant, cx: &mut Context<'_>) -> Poll<()> {
        // Until it is told the timer is for that.
        let Some(since) = self.since.filter(|_| self.is_told) else { return Poll::Pending };
        let until = alone.max(since) + GONE;
        if self.timer.deadline() != until {
            self.timer.as_mut().reset(until);
        }
        self.timer.as_mut().poll(cx)
    }

    /// The receiver took octets.
    pub fn end(&mut self) {
        let since = self.since.take();
        if std::mem::take(&mut self.is_told) {
            self.ended = since.map(|since| since.elapsed());
            self.timer.as_mut().reset(Instant::now() + SLOW);
        }
    }

    /// How long the stall was that has just ended, where it was told.
    pub fn take_ended(&mut self) -> Option<Duration> {
        self.ended.take()
    }

    /// Ready when the receiver has not been full for a while.
    pub fn poll_unused(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.since {
            None => self.timer.as_mut().poll(cx),
            Some(_) => Poll::Pending,
        }
    }
}
