//! A stream under TLS: read in large pieces, and given in whatever pieces are asked for.
//!
//! rustls asks for 4 KiB at a time, of records that hold up to 16 KiB. What was read beyond that waits
//! here, and so does what was read to tell TLS from plain HTTP.

use std::cell::RefCell;
use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Octets read at once.
const AHEAD: usize = 64 << 10;
/// Unused buffers that a thread keeps.
const IDLE: usize = 4;

thread_local! {
    /// Buffers of [`AHEAD`] octets: a stream has one only while something waits in it.
    static BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Gives first what was read already, then what the stream itself has. Writes go straight through.
#[derive(Debug)]
pub struct ReadAhead<S> {
    waiting: Vec<u8>,
    /// What waits is in this part of it.
    start: usize,
    end: usize,
    stream: S,
}

impl<S> ReadAhead<S> {
    /// Puts `early` before everything that `stream` will still give.
    pub fn new(early: Vec<u8>, stream: S) -> Self {
        let end = early.len();
        Self { waiting: early, start: 0, end, stream }
    }

    /// The stream below.
    pub fn stream(&self) -> &S {
        &self.stream
    }

    /// Whether octets wait here: the next read has something without asking the stream.
    pub fn is_ahead(&self) -> bool {
        self.start < self.end
    }

    /// Gives of what waits.
    fn give(&mut self, buf: &mut ReadBuf<'_>) {
        let waiting = self.waiting.get(self.start..self.end).unwrap_or_default();
        let (given, _) = waiting.split_at(waiting.len().min(buf.remaining()));
        buf.put_slice(given);
        self.start += given.len();
        if !self.is_ahead() {
            (self.start, self.end) = (0, 0);
            put_back(mem::take(&mut self.waiting));
        }
    }
}

fn take() -> Vec<u8> {
    BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_else(|| vec![0; AHEAD])
}

fn put_back(buffer: Vec<u8>) {
    BUFFERS.with_borrow_mut(|buffers| {
        if buffer.len() == AHEAD && buffers.len() < IDLE {
            buffers.push(buffer);
        }
    });
}

impl<S: AsyncRead + Unpin> AsyncRead for ReadAhead<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.is_ahead() {
            if buf.remaining() >= AHEAD {
                return Pin::new(&mut this.stream).poll_read(cx, buf);
            }
            let mut ahead = take();
            let mut read = ReadBuf::new(&mut ahead);
            let polled = Pin::new(&mut this.stream).poll_read(cx, &mut read);
            (this.start, this.end) = (0, read.filled().len());
            this.waiting = ahead;
            if !matches!(polled, Poll::Ready(Ok(()))) {
                put_back(mem::take(&mut this.waiting));
                return polled;
            }
        }
        this.give(buf);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ReadAhead<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, octets)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, octets)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn every_octet_comes_once_and_in_order_whatever_is_asked_for() {
        let late: Vec<u8> = (0..=252).cycle().take(200_000).collect();
        for chunk in [1, 4096, AHEAD - 1, AHEAD, 100_000] {
            let mut stream = ReadAhead::new(b"early ".to_vec(), &late[..]);
            let mut read = Vec::new();
            let mut buffer = vec![0; chunk];
            loop {
                match stream.read(&mut buffer).await.unwrap() {
                    0 => break,
                    len => read.extend_from_slice(&buffer[..len]),
                }
            }
            assert!(read == [b"early ", &late[..]].concat(), "{chunk}");
            assert!(!stream.is_ahead() && stream.waiting.is_empty(), "it holds nothing at rest");
        }
    }

    #[tokio::test]
    async fn a_failure_comes_behind_what_was_read_before_it() {
        let failing = fails_after(b"octets");
        let mut stream = ReadAhead::new(Vec::new(), failing);
        let mut buffer = [0; 4];
        assert_eq!(stream.read(&mut buffer).await.unwrap(), 4);
        assert!(stream.is_ahead());
        assert_eq!(stream.read(&mut buffer).await.unwrap(), 2);
        let error = stream.read(&mut buffer).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    /// Gives these octets with one read, then fails.
    fn fails_after(octets: &'static [u8]) -> impl AsyncRead + Unpin {
        struct Failing(Option<&'static [u8]>);
        impl AsyncRead for Failing {
            fn poll_read(
                mut self: Pin<&mut Self>,
                _: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                match self.0.take() {
                    None => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                    Some(octets) => {
                        buf.put_slice(octets);
                        Poll::Ready(Ok(()))
                    }
                }
            }
        }
        Failing(Some(octets))
    }
}
