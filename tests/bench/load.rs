//! The load: one generator for every rival.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use framescope_core::frame::Rsv;
use framescope_core::{FrameHeader, MaskingKey, Opcode, PayloadLength};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::work::{Kind, Work};

/// What one run of one work gave.
#[derive(Debug, Default, Clone)]
pub struct Figures {
    /// Messages that came back, or handshakes that were made.
    pub count: u64,
    /// How long it took.
    pub took: Duration,
    /// Times from sending to echo, in nanoseconds; of ping-pong only.
    pub latencies: Vec<u64>,
}

/// Does `work` through `addr` for `span`.
pub fn run(work: &Work, addr: SocketAddr, span: Duration) -> Result<Figures> {
    let work = *work;
    super::process::runtime()?.block_on(async move {
        let mut tasks = JoinSet::new();
        let mut streams = Vec::new();
        if work.kind != Kind::Handshakes {
            for _ in 0..work.connections {
                streams.push(open(addr).await?);
            }
        }
        let start = Instant::now();
        let end = start + span;
        match work.kind {
            Kind::Pipelined { size, in_flight } => {
                for stream in streams {
                    tasks.spawn(pipelined(stream, size, in_flight, end));
                }
            }
            Kind::PingPong { size } => {
                for stream in streams {
                    tasks.spawn(ping_pong(stream, size, end));
                }
            }
            Kind::Handshakes => {
                for _ in 0..work.connections {
                    tasks.spawn(handshakes(addr, end));
                }
            }
        }
        let mut figures = Figures::default();
        while let Some(done) = tasks.join_next().await {
            let one = done??;
            figures.count += one.count;
            figures.latencies.extend(one.latencies);
        }
        figures.took = start.elapsed();
        Ok(figures)
    })
}

/// Opens `count` idle WebSockets and keeps them until the answer is dropped.
pub fn hold(addr: SocketAddr, count: usize) -> Result<(tokio::runtime::Runtime, Vec<TcpStream>)> {
    let runtime = super::process::runtime()?;
    let streams = runtime.block_on(async {
        let mut streams = Vec::with_capacity(count);
        for _ in 0..count {
            streams.push(open(addr).await?);
        }
        // One message each, so that every way through is in its steady state.
        let (frame, answer_len) = message(64);
        let mut answer = vec![0; answer_len];
        for stream in &mut streams {
            stream.write_all(&frame).await?;
            stream.read_exact(&mut answer).await?;
        }
        anyhow::Ok(streams)
    })?;
    Ok((runtime, streams))
}

async fn open(addr: SocketAddr) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(addr).await.context("the rival accepts")?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET /echo HTTP/1.1\r\nHost: {addr}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            bail!("the connection ended before the answer");
        }
    }
    if !head.starts_with(b"HTTP/1.1 101") {
        bail!("the answer is {}", head.escape_ascii());
    }
    Ok(stream)
}

/// A masked text frame with `size` octets of payload, and the length of the frame that answers it.
fn message(size: usize) -> (Vec<u8>, usize) {
    let payload: Vec<u8> = (b'a'..=b'z').cycle().take(size).collect();
    let key = MaskingKey([0x37, 0xFA, 0x21, 0x3D]);
    let header = FrameHeader {
        fin: true,
        rsv: Rsv::NONE,
        opcode: Opcode::Text,
        masking_key: Some(key),
        payload_len: PayloadLength::minimal(size as u64),
    };
    let mut frame = Vec::new();
    header.encode(&mut frame);
    key.apply_into(0, &payload, &mut frame);
    let answer_len = frame.len() - 4;
    (frame, answer_len)
}

async fn pipelined(
    stream: TcpStream,
    size: usize,
    in_flight: usize,
    end: Instant,
) -> Result<Figures> {
    let (frame, answer_len) = message(size);
    let burst = frame.repeat(in_flight);
    let (mut read, mut write) = stream.into_split();
    let (room_for, mut room) = tokio::sync::mpsc::unbounded_channel::<usize>();
    let frame_len = frame.len();
    let mut writer = tokio::spawn(async move {
        let mut sent = 0u64;
        write.write_all(&burst).await?;
        sent += in_flight as u64;
        while let Some(mut free) = room.recv().await {
            while let Ok(more) = room.try_recv() {
                free += more;
            }
            if Instant::now() >= end {
                break;
            }
            write.write_all(&burst[..free * frame_len]).await?;
            sent += free as u64;
        }
        anyhow::Ok((sent, write))
    });
    let mut buffer = vec![0; 256 << 10];
    let (mut octets, mut answered) = (0u64, 0u64);
    // The writer may have sent its last message: nothing more comes then, and the time ends the wait.
    while let Ok(len) = tokio::time::timeout_at(end.into(), read.read(&mut buffer)).await {
        let len = len?;
        if len == 0 {
            bail!("the connection ended under load");
        }
        octets += len as u64;
        let whole = octets / answer_len as u64;
        let fresh = usize::try_from(whole - answered)?;
        answered = whole;
        if fresh > 0 && room_for.send(fresh).is_err() {
            break;
        }
    }
    let count = answered;
    drop(room_for);
    // What is still under way is read, so that the next work finds the rival at rest. The writer may
    // still be held up by a full socket: it is waited for while reading goes on.
    let mut sent = None;
    while sent.as_ref().is_none_or(|(sent, _)| octets < sent * answer_len as u64) {
        tokio::select! {
            done = &mut writer, if sent.is_none() => sent = Some(done??),
            len = read.read(&mut buffer) => match len? {
                0 => break,
                len => octets += len as u64,
            },
        }
    }
    Ok(Figures { count, ..Figures::default() })
}

async fn ping_pong(mut stream: TcpStream, size: usize, end: Instant) -> Result<Figures> {
    let (frame, answer_len) = message(size);
    let mut answer = vec![0; answer_len];
    let mut figures = Figures::default();
    loop {
        let start = Instant::now();
        if start >= end {
            return Ok(figures);
        }
        stream.write_all(&frame).await?;
        stream.read_exact(&mut answer).await?;
        figures.count += 1;
        figures.latencies.push(u64::try_from(start.elapsed().as_nanos())?);
    }
}

async fn handshakes(addr: SocketAddr, end: Instant) -> Result<Figures> {
    let mut figures = Figures::default();
    while Instant::now() < end {
        let stream = open(addr).await?;
        // No TIME_WAIT here: a run would use up the ports.
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        drop(stream);
        figures.count += 1;
    }
    Ok(figures)
}
