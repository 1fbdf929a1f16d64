//! The pump between real sockets and between pipes that are too small.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use framescope_core::Direction::{self, ClientToServer as Up, ServerToClient as Down};
use framescope_core::{Finish, Leg, Record};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::lane::{Lane, Step};
use super::stall::{GONE, SLOW};
use super::{Early, Ending, Pump, Socket};
use crate::engine::WhenSlow;
use crate::http::{Exchange, Rewrite, Upward};
use crate::recorder::Tape;
use crate::recorder::testing::{Recording, Valve};
use crate::upstream::Target;

const PATIENCE: Duration = Duration::from_mins(1);

/// An exchange in which both sides are a WebSocket already.
fn bare() -> Exchange {
    let rewrite = Rewrite::new(&Target::parse("ws://upstream").unwrap(), true);
    let mut exchange = Exchange::new(Arc::new(rewrite), false, false);
    let mut request = &b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"[..];
    exchange.upward(&mut request);
    let mut answer = &b"HTTP/1.1 101 Switching Protocols\r\n\r\n"[..];
    exchange.downward(&mut answer);
    assert!(request.is_empty() && answer.is_empty());
    exchange
}

/// Runs a pump as a connection does: what is left of it is dropped, or reset.
fn pump<C, U>(client: C, upstream: U, tape: Tape) -> JoinHandle<Ending>
where
    C: Socket + 'static,
    U: Socket + 'static,
{
    let early = Early { first: Upward::Held, rest: b"early" };
    let mut pump = Pump::new((client, upstream), bare(), tape, Arc::default(), early);
    tokio::spawn(async move {
        let ending = pump.run().await;
        if let Ending::Reset(sender) = ending {
            pump.reset_receiver(sender);
        }
        ending
    })
}

/// Two ends of one TCP connection.
async fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = TcpStream::connect(listener.local_addr().unwrap());
    let (near, accepted) = tokio::join!(connect, listener.accept());
    (near.unwrap(), accepted.unwrap().0)
}

/// Octets without a pattern, the same each time.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_u32;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    })
    .take(len)
    .collect()
}

fn lane(records: &[Record], wanted: Direction) -> Vec<u8> {
    let octets = records.iter().filter_map(|record| match record {
        Record::Octets { leg: Leg::Client, direction, octets, .. } if *direction == wanted => {
            Some(&octets[..])
        }
        _ => None,
    });
    octets.flatten().copied().collect()
}

fn endings(records: &[Record]) -> Vec<(Direction, Finish)> {
    let ending = |record: &Record| match record {
        Record::Finished { direction, how, .. } => Some((*direction, *how)),
        _ => None,
    };
    records.iter().filter_map(ending).collect()
}

async fn read_to_end(mut stream: impl AsyncRead + Unpin) -> (Vec<u8>, io::Result<usize>) {
    let mut octets = Vec::new();
    let end = timeout(PATIENCE, stream.read_to_end(&mut octets)).await.expect("an end");
    (octets, end)
}

#[tokio::test]
async fn every_octet_arrives_both_ways_however_small_the_pipe() {
    let up = noise(300_000);
    let down: Vec<u8> = noise(200_000).into_iter().rev().collect();
    for capacity in [1, 100, 1 << 20] {
        let scale = if capacity == 1 { 100 } else { 1 };
        let (up, down) = (&up[..up.len() / scale], &down[..down.len() / scale]);
        let recording = Recording::start(WhenSlow::Block);
        let (mut client, near) = duplex(capacity);
        let (far, mut upstream) = duplex(capacity);
        let running = pump(near, far, recording.tape(1));
        let mut early = [0; 5];
        upstream.read_exact(&mut early).await.unwrap();
        assert_eq!(&early, b"early");
        let (mut client_reads, mut client_writes) = tokio::io::split(&mut client);
        let (mut upstream_reads, mut upstream_writes) = tokio::io::split(&mut upstream);
        let ((), (), arrived_up, arrived_down) = tokio::join!(
            async {
                client_writes.write_all(up).await.unwrap();
                client_writes.shutdown().await.unwrap();
            },
            async {
                upstream_writes.write_all(down).await.unwrap();
                upstream_writes.shutdown().await.unwrap();
            },
            read_to_end(&mut upstream_reads),
            read_to_end(&mut client_reads),
        );
        assert!(matches!(running.await.unwrap(), Ending::Closed));
        assert!(arrived_up.0 == up && arrived_down.0 == down, "pipe of {capacity}");
        let records = recording.finish();
        assert!(lane(&records, Up) == up && lane(&records, Down) == down, "pipe of {capacity}");
    }
}

#[tokio::test]
async fn a_half_close_passes_and_the_other_way_stays_open() {
    for first in Direction::BOTH {
        let recording = Recording::start(WhenSlow::Block);
        let ((client, near), (far, upstream)) = (tcp().await, tcp().await);
        let running = pump(near, far, recording.tape(1));
        let (mut ends, mut goes_on) = match first {
            Up => (client, upstream),
            Down => (upstream, client),
        };
        ends.write_all(b"last words").await.unwrap();
        ends.shutdown().await.unwrap();
        let (heard, end) = read_to_end(&mut goes_on).await;
        assert!(heard.ends_with(b"last words") && end.is_ok());
        goes_on.write_all(b"still here").await.unwrap();
        drop(goes_on);
        let (heard, end) = read_to_end(&mut ends).await;
        assert!(heard.ends_with(b"still here") && end.is_ok());
        assert!(matches!(running.await.unwrap(), Ending::Closed));
        assert_eq!(endings(&recording.finish()), [(first, Finish::Fin), (!first, Finish::Fin)]);
    }
}

#[tokio::test]
async fn a_reset_passes_as_a_reset() {
    for by in Direction::BOTH {
        let recording = Recording::start(WhenSlow::Block);
        let ((client, near), (far, upstream)) = (tcp().await, tcp().await);
        let running = pump(near, far, recording.tape(1));
        let (resets, other) = match by {
            Up => (client, upstream),
            Down => (upstream, client),
        };
        resets.reset_on_drop();
        drop(resets);
        let (_, end) = read_to_end(other).await;
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        assert!(matches!(running.await.unwrap(), Ending::Reset(direction) if direction == by));
        assert_eq!(endings(&recording.finish()), [(by, Finish::Reset)]);
    }
}

#[tokio::test]
async fn what_a_server_said_before_it_reset_still_arrives() {
    let recording = Recording::start(WhenSlow::Block);
    let ((mut client, near), (far, mut upstream)) = (tcp().await, tcp().await);
    let running = pump(near, far, recording.tape(1));
    upstream.write_all(b"last words").await.unwrap();
    // Unread octets make the close a reset.
    client.write_all(b"unread").await.unwrap();
    upstream.readable().await.unwrap();
    drop(upstream);
    let mut heard = [0; 10];
    timeout(PATIENCE, client.read_exact(&mut heard)).await.unwrap().unwrap();
    assert_eq!(&heard, b"last words");
    assert_eq!(client.read(&mut heard).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert!(matches!(running.await.unwrap(), Ending::Reset(Down)));
}

/// Both ends wait to be read, and one of them is gone then.
#[tokio::test(start_paused = true)]
async fn who_waits_to_be_read_is_given_up_where_the_other_side_is_gone() {
    for gone in Direction::BOTH {
        let recording = Recording::start(WhenSlow::Block);
        let ((mut client, near), (far, mut upstream)) = (duplex(100), duplex(100));
        let running = pump(near, far, recording.tape(1));
        for end in [&mut client, &mut upstream] {
            while timeout(SLOW * 2, end.write(&[7; 50])).await.is_ok() {}
        }
        let (goes, stays) = if gone == Up { (client, upstream) } else { (upstream, client) };
        let since = tokio::time::Instant::now();
        drop(goes);
        let ending = running.await.unwrap();
        assert!(matches!(ending, Ending::Reset(by) if by == gone), "{gone} {ending:?}");
        assert!((GONE..GONE * 2).contains(&since.elapsed()), "{:?}", since.elapsed());
        drop(stays);
        assert_eq!(endings(&recording.finish()), [(gone, Finish::Reset)]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_side_said_before_it_was_gone_is_for_a_receiver_that_is_busy_for_a_while() {
    let recording = Recording::start(WhenSlow::Block);
    let ((mut client, near), (far, mut upstream)) = (duplex(100), duplex(100));
    let running = pump(near, far, recording.tape(1));
    upstream.write_all(&[7; 100]).await.unwrap();
    upstream.write_all(&[7; 100]).await.unwrap();
    tokio::time::sleep(SLOW * 2).await;
    drop(upstream);
    client.write_all(b"anybody there?").await.unwrap();
    tokio::time::sleep(GONE / 2).await;
    let (heard, _) = read_to_end(&mut client).await;
    assert_eq!(heard, [7; 200]);
    running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_full_after_the_other_side_is_gone_is_told_of_as_soon_as_any() {
    let recording = Recording::start(WhenSlow::Block);
    let ((mut client, near), (far, mut upstream)) = (duplex(100), duplex(100));
    let running = pump(near, far, recording.tape(1));
    // Nothing waits yet when the client meets the end of the server, which said more than fits.
    upstream.write_all(&[7; 100]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    upstream.write_all(&[7; 100]).await.unwrap();
    drop(upstream);
    client.write_all(b"anybody there?").await.unwrap();
    running.await.unwrap();
    let told = stalls(&recording.finish());
    let [(Down, after, 100, false)] = told[..] else { panic!("{told:?}") };
    assert!((1_000..1_100).contains(&after), "{after}");
}

#[tokio::test]
async fn a_refused_answer_is_heard_however_the_upstream_goes_on_behind_it() {
    let recording = Recording::start(WhenSlow::Block);
    let rewrite = Rewrite::new(&Target::parse("ws://upstream").unwrap(), true);
    let mut exchange = Exchange::new(Arc::new(rewrite), false, true);
    let request = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n\r\n";
    let first = exchange.upward_head(&mut &request[..]).unwrap();
    let upstream = Pieces(VecDeque::from([
        Ok(&b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"[..]),
        Err(io::ErrorKind::ConnectionReset.into()),
    ]));
    let sockets = (Pieces(VecDeque::new()), upstream);
    let early = Early { first, rest: b"" };
    let mut pump = Pump::new(sockets, exchange, recording.tape(1), Arc::default(), early);
    assert!(matches!(pump.run().await, Ending::Refused(_)));
}

/// A socket whose TLS ends without `close_notify`.
struct Abrupt(TcpStream);

impl AsyncRead for Abrupt {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.0).poll_read(cx, buf) {
            Poll::Ready(Ok(())) if buf.filled().len() == before => {
                Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()))
            }
            other => other,
        }
    }
}

impl AsyncWrite for Abrupt {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        panic!("a close_notify would be sent that the other side did not send")
    }
}

impl Socket for Abrupt {
    fn tcp(&self) -> Option<&TcpStream> {
        Some(&self.0)
    }
}

#[tokio::test]
async fn tls_cut_off_is_told_and_passes_as_cut_off() {
    let recording = Recording::start(WhenSlow::Block);
    let ((client, near), (far, upstream)) = (tcp().await, tcp().await);
    let running = pump(Abrupt(near), Abrupt(far), recording.tape(1));
    drop(client);
    let (heard, end) = read_to_end(upstream).await;
    assert_eq!((&heard[..], end.unwrap()), (&b"early"[..], 5));
    assert!(matches!(running.await.unwrap(), Ending::Closed));
    let records = recording.finish();
    let cuts = records.iter().filter_map(|record| match record {
        Record::Noted { note, .. } => note.without_close_notify,
        _ => None,
    });
    assert_eq!(cuts.collect::<Vec<_>>(), Direction::BOTH);
    assert_eq!(endings(&records), [(Up, Finish::Fin), (Down, Finish::Fin)]);
}

#[tokio::test]
async fn a_receiver_that_does_not_read_makes_the_sender_wait() {
    let recording = Recording::start(WhenSlow::Block);
    let ((mut client, near), (far, mut upstream)) = (tcp().await, tcp().await);
    let running = pump(near, far, recording.tape(1));
    // Far more than all the sockets' buffers together hold.
    let sent = noise(64 << 20);
    let mut accepted = 0;
    while let Ok(written) =
        timeout(Duration::from_millis(100), client.write(&sent[accepted..])).await
    {
        accepted += written.unwrap();
        assert!(accepted < sent.len(), "the sender was never made to wait");
    }
    // The other direction is not held up by it.
    upstream.write_all(b"hello").await.unwrap();
    let mut heard = [0; 5];
    timeout(PATIENCE, client.read_exact(&mut heard)).await.unwrap().unwrap();
    drop(client);
    let (arrived, _) = read_to_end(&mut upstream).await;
    assert!(arrived.strip_prefix(b"early").is_some_and(|rest| rest == &sent[..accepted]));
    drop(upstream);
    running.await.unwrap();
}

#[tokio::test]
async fn the_wire_waits_for_a_slow_recorder_only_where_it_is_told_to() {
    for when_slow in [WhenSlow::Block, WhenSlow::Gap] {
        let valve = Valve::closed();
        let recording = Recording::with(valve.clone(), when_slow, 100_000);
        let ((mut client, near), (far, mut upstream)) = (tcp().await, tcp().await);
        let running = pump(near, far, recording.tape(1));
        let sent = noise(1 << 20);
        let sending = tokio::spawn({
            let sent = sent.clone();
            async move {
                client.write_all(&sent).await.unwrap();
                client
            }
        });
        let mut arrived = Vec::new();
        let whole = sent.len() + b"early".len();
        let mut buffer = vec![0; 1 << 20];
        let mut waited = false;
        while arrived.len() < whole {
            let read = timeout(Duration::from_millis(200), upstream.read(&mut buffer)).await;
            if let Ok(len) = read {
                arrived.extend_from_slice(&buffer[..len.unwrap()]);
            } else if when_slow == WhenSlow::Block && recording.queue().waiting() >= 100_000 {
                waited = true;
                valve.open();
            }
        }
        assert_eq!(waited, when_slow == WhenSlow::Block);
        assert!(arrived.strip_prefix(b"early") == Some(&sent));
        valve.open();
        drop((sending.await.unwrap(), upstream));
        running.await.unwrap();
        let lost = recording.queue().gap_octets();
        let records = recording.finish();
        assert_eq!(lane(&records, Up).len() as u64 + lost, sent.len() as u64);
        assert_eq!(lost > 0, when_slow == WhenSlow::Gap);
    }
}

fn stalls(records: &[Record]) -> Vec<(Direction, u64, u64, bool)> {
    let stall = |record: &Record| match record {
        Record::Noted { note, .. } => note.stall,
        _ => None,
    };
    let seen = records.iter().filter_map(stall);
    seen.map(|stall| (stall.direction, stall.nanos / 1_000_000, stall.waiting, stall.is_over))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_takes_nothing_for_a_second_is_told_of_once_and_when_it_reads_again() {
    let recording = Recording::start(WhenSlow::Block);
    let (mut client, near) = duplex(100);
    let (far, mut upstream) = duplex(1000);
    let running = pump(near, far, recording.tape(1));
    upstream.write_all(&[7; 500]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    let mut octets = [0; 500];
    client.read_exact(&mut octets).await.unwrap();
    // Nobody has to read while nobody speaks.
    tokio::time::sleep(Duration::from_secs(5)).await;
    // Short stalls are none, however many.
    for _ in 0..10 {
        upstream.write_all(&[7; 500]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(700)).await;
        client.read_exact(&mut octets).await.unwrap();
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    drop((client, upstream));
    running.await.unwrap();
    let told = stalls(&recording.finish());
    let [(first, after, waiting, false), (second, in_all, _, true)] = told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((first, second), (Down, Down));
    assert_eq!(waiting, 400);
    assert!((1_000..1_100).contains(&after), "{after}");
    assert!((3_400..3_600).contains(&in_all), "{in_all}");
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_takes_a_little_now_and_then_is_not_stalled() {
    let recording = Recording::start(WhenSlow::Block);
    let (client, near) = duplex(1000);
    let (far, mut upstream) = duplex(10);
    let running = pump(near, far, recording.tape(1));
    let mut client = client;
    client.write_all(&[1; 100]).await.unwrap();
    let mut octets = [0; 10];
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(900)).await;
        upstream.read_exact(&mut octets).await.unwrap();
    }
    drop((client, upstream));
    running.await.unwrap();
    assert_eq!(stalls(&recording.finish()), []);
}

/// Gives one piece with each read, as TLS gives records; is ahead while it has any.
struct Pieces(VecDeque<io::Result<&'static [u8]>>);

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.0.pop_front() {
            None => Poll::Pending,
            Some(piece) => Poll::Ready(piece.map(|piece| buf.put_slice(piece))),
        }
    }
}

impl AsyncWrite for Pieces {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Socket for Pieces {
    fn tcp(&self) -> Option<&TcpStream> {
        None
    }

    fn is_ahead(&self) -> bool {
        !self.0.is_empty()
    }
}

#[tokio::test]
async fn what_was_read_ahead_goes_together_and_before_what_came_behind_it() {
    let reset = || io::Error::from(io::ErrorKind::ConnectionReset);
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    for (last, expected) in [
        (vec![], "Went"),
        (vec![Err(reset())], "ReadFailed"),
        (vec![Err(cut())], "SenderEnded(Cut)"),
        (vec![Ok(&b""[..])], "SenderEnded(Fin)"),
    ] {
        let mut from = Pieces([Ok(&b"one"[..]), Ok(b"two")].into_iter().chain(last).collect());
        let mut to = Pieces(VecDeque::new());
        let (mut lane, mut passed) = (Lane::default(), Vec::new());
        let step = poll_fn(|cx| {
            Poll::Ready(lane.step(&mut from, &mut to, cx, true, |octets, outlet| {
                passed.push(octets.to_vec());
                assert!(outlet.send(octets));
            }))
        });
        let step: Step = step.await;
        assert_eq!(passed, [b"onetwo"], "{expected}");
        assert!(format!("{step:?}").starts_with(expected), "{step:?} rather than {expected}");
    }
}
