//! One lane of the relay: reads from one side, writes to the other, holds what a full socket refuses.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;
use tokio::time::Instant;

use super::Socket;
use super::stall::{Stall, Stalled};

/// Octets taken by one read. A multiple of what one packet of a capture holds, so that a full read
/// becomes full packets.
const READ_LEN: usize = 2 * 65_495;

thread_local! {
    /// Shared by all connections of a thread: it is only used within one poll.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_LEN].into());
}

/// The state of one direction.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// Octets that the other side's full socket refused, from `sent` on. Nothing more is read before
    /// they are gone.
    stash: Vec<u8>,
    sent: usize,
    stage: Stage,
    /// Made when the receiver is full for the first time.
    stall: Option<Box<Stall>>,
    /// Since when the sender takes nothing any more.
    alone: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Open,
    /// The sender has ended: the other side is to hear of it once the stash is gone.
    Ending(End),
    /// The other side has heard.
    Ended,
    /// The other side cannot be written to any more.
    Lost,
}

/// How a sender ended in good order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// FIN, after `close_notify` where TLS is spoken.
    Fin,
    /// FIN without the `close_notify` that was due (RFC 8446 §6.1).
    Cut,
}

/// What one step did.
#[derive(Debug)]
pub(super) enum Step {
    /// Octets moved, or the lane's stage did: another step may follow.
    Went,
    /// Nothing can be done now; the task is woken when something can.
    Waits,
    /// The receiver has taken nothing for [`stall::SLOW`], or takes octets again after that.
    Stalled(Stalled),
    /// The receiver has taken nothing for [`stall::GONE`] since its own octets are taken no more.
    GaveUp,
    /// The sender has ended. Said once.
    SenderEnded(End),
    /// The reading side broke.
    ReadFailed(io::Error),
    /// The writing side broke: the lane is over. Said once.
    WriteFailed(io::Error),
    /// Nothing will happen on this lane any more.
    Over,
}

impl Lane {
    /// Whether nothing will happen on this lane any more.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Ended | Stage::Lost)
    }

    /// Whether the receiver broke.
    pub fn is_lost(&self) -> bool {
        self.stage == Stage::Lost
    }

    /// The sender takes nothing any more, so that a receiver who waits to be read will wait for ever.
    pub fn leave_alone(&mut self) {
        self.alone.get_or_insert_with(Instant::now);
    }

    /// Adds octets behind what waits to be written.
    pub fn put(&mut self, octets: &[u8]) {
        self.stash.extend_from_slice(octets);
    }

    /// One step: write what waits; else end, if the sender has; else read once and let `pass` write.
    pub fn step<R: Socket, W: Socket>(
        &mut self,
        from: &mut R,
        to: &mut W,
        cx: &mut Context<'_>,
        may_read: bool,
        pass: impl FnOnce(&[u8], &mut Outlet<'_, '_, W>),
    ) -> Step {
        if self.is_over() {
            return Step::Over;
        }
        let written = self.write_stash(to, cx);
        if let Some(ended) = self.stall.as_mut().and_then(|stall| stall.take_ended()) {
            let waiting = self.stash.len() - self.sent;
            return Step::Stalled(Stalled { took: ended, waiting, is_over: true });
        }
        match written {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return self.lose(error),
            Poll::Pending => return self.stalls(cx),
        }
        if let Stage::Ending(end) = self.stage {
            return self.end(end, to, cx);
        }
        if !may_read {
            return self.idle(to, cx);
        }
        BUFFER.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            let read = read_all(from, cx, &mut buffer);
            let went = !buffer.filled().is_empty();
            if went {
                let mut outlet = Outlet { stash: &mut self.stash, to, cx, error: None };
                pass(buffer.filled(), &mut outlet);
                if let Some(error) = outlet.error {
                    return self.lose(error);
                }
            }
            match read {
                Poll::Ready(Ok(true)) => Step::Went,
                Poll::Ready(Ok(false)) => self.sender_ended(End::Fin),
                Poll::Pending if went => Step::Went,
                Poll::Pending => self.idle(to, cx),
                Poll::Ready(Err(error)) => match error.kind() {
                    // rustls says so where TCP ended and TLS had not.
                    io::ErrorKind::UnexpectedEof => self.sender_ended(End::Cut),
                    io::ErrorKind::Interrupted => Step::Went,
                    _ => Step::ReadFailed(error),
                },
            }
        })
    }

    fn write_stash<W: Socket>(&mut self, to: &mut W, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.stash.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut *to).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(len)) => {
                    self.sent += len;
                    if let Some(stall) = &mut self.stall {
                        stall.end();
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        (self.stash, self.sent) = (Vec::new(), 0);
        Poll::Ready(Ok(()))
    }

    fn end<W: Socket>(&mut self, end: End, to: &mut W, cx: &mut Context<'_>) -> Step {
        let done = match end {
            End::Fin => Pin::new(&mut *to).poll_shutdown(cx),
            End::Cut => Pin::new(&mut *to).poll_flush(cx).map_ok(|()| to.cut()),
        };
        match done {
            Poll::Pending => Step::Waits,
            // It may have gone before it was told to: that is as good.
            Poll::Ready(Err(error)) if error.kind() != io::ErrorKind::NotConnected => {
                self.lose(error)
            }
            Poll::Ready(_) => {
                self.stage = Stage::Ended;
                Step::Went
            }
        }
    }

    /// The receiver is full.
    fn stalls(&mut self, cx: &mut Context<'_>) -> Step {
        let waiting = self.stash.len() - self.sent;
        let stall = self.stall.get_or_insert_with(|| Box::new(Stall::new()));
        if let Poll::Ready(took) = stall.poll_slow(cx) {
            return Step::Stalled(Stalled { took, waiting, is_over: false });
        }
        match self.alone.map(|alone| stall.poll_gone(alone, cx)) {
            Some(Poll::Ready(())) => Step::GaveUp,
            Some(Poll::Pending) | None => Step::Waits,
        }
    }

    /// Nothing to read: what TLS still holds back is flushed.
    fn idle<W: Socket>(&mut self, to: &mut W, cx: &mut Context<'_>) -> Step {
        // A connection that says nothing holds nothing.
        if self.stall.as_mut().is_some_and(|stall| stall.poll_unused(cx).is_ready()) {
            self.stall = None;
        }
        match Pin::new(to).poll_flush(cx) {
            Poll::Ready(Err(error)) => self.lose(error),
            Poll::Ready(Ok(())) | Poll::Pending => Step::Waits,
        }
    }

    fn sender_ended(&mut self, end: End) -> Step {
        self.stage = Stage::Ending(end);
        Step::SenderEnded(end)
    }

    fn lose(&mut self, error: io::Error) -> Step {
        self.stage = Stage::Lost;
        (self.stash, self.sent) = (Vec::new(), 0);
        Step::WriteFailed(error)
    }
}

/// Reads once, and on for as long as that costs no call of the system: a read of TLS gives one record. Says
/// how the last read went, and whether there was anything where that went well.
fn read_all<R: Socket>(
    from: &mut R,
    cx: &mut Context<'_>,
    buffer: &mut ReadBuf<'_>,
) -> Poll<io::Result<bool>> {
    loop {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut *from).poll_read(cx, buffer))?;
        let went = buffer.filled().len() > before;
        if !went || !from.is_ahead() || buffer.remaining() == 0 {
            return Poll::Ready(Ok(went));
        }
    }
}

/// Where a lane's octets go: at once, as far as the socket takes them.
pub(super) struct Outlet<'a, 'c, W> {
    stash: &'a mut Vec<u8>,
    to: &'a mut W,
    cx: &'a mut Context<'c>,
    error: Option<io::Error>,
}

impl<W: Socket> Outlet<'_, '_, W> {
    /// Sends octets, behind those that wait. Says whether the socket has taken all of them.
    pub fn send(&mut self, octets: &[u8]) -> bool {
        let mut rest = octets;
        while self.stash.is_empty() && self.error.is_none() && !rest.is_empty() {
            match Pin::new(&mut *self.to).poll_write(self.cx, rest) {
                Poll::Ready(Ok(0)) => self.error = Some(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(len)) => rest = rest.get(len..).unwrap_or_default(),
                Poll::Ready(Err(error)) => self.error = Some(error),
                Poll::Pending => break,
            }
        }
        if self.error.is_none() {
            self.stash.extend_from_slice(rest);
        }
        rest.is_empty() && self.error.is_none()
    }
}
