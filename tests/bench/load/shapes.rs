//! What is done on an open connection: pipelined messages, one at a time, handshakes.

use std::time::Instant;

use anyhow::{Result, bail};
use framescope_core::frame::Rsv;
use framescope_core::{FrameHeader, MaskingKey, Opcode, PayloadLength};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Figures, Socket, Way, handshake};

/// Messages of more octets are binary.
const TEXT_LEN_MAX: usize = 4 << 10;

/// A masked frame with `size` octets of payload, text or binary by its size, and the length of the frame
/// that answers it.
pub fn message(size: usize) -> (Vec<u8>, usize) {
    let payload: Vec<u8> = (b'a'..=b'z').cycle().take(size).collect();
    let key = MaskingKey([0x37, 0xFA, 0x21, 0x3D]);
    let header = FrameHeader {
        fin: true,
        rsv: Rsv::NONE,
        opcode: if size <= TEXT_LEN_MAX { Opcode::Text } else { Opcode::Binary },
        masking_key: Some(key),
        payload_len: PayloadLength::minimal(size as u64),
    };
    let mut frame = Vec::new();
    header.encode(&mut frame);
    key.apply_into(0, &payload, &mut frame);
    let answer_len = frame.len() - 4;
    (frame, answer_len)
}

/// Messages of `size` octets, up to `in_flight` of them under way, until `end` or `most` came back.
pub async fn pipelined(
    socket: Socket,
    size: usize,
    in_flight: usize,
    end: Instant,
    most: u64,
) -> Result<Figures> {
    let (frame, answer_len) = message(size);
    let burst = frame.repeat(in_flight);
    let Socket { mut read, mut write } = socket;
    let (room_for, mut room) = tokio::sync::mpsc::unbounded_channel::<usize>();
    let frame_len = frame.len();
    let mut writer = tokio::spawn(async move {
        let mut sent = 0u64;
        let mut free = in_flight;
        loop {
            let left = usize::try_from(most - sent).unwrap_or(usize::MAX);
            let count = free.min(left);
            write.write_all(&burst[..count * frame_len]).await?;
            write.flush().await?;
            sent += count as u64;
            if sent == most {
                break;
            }
            let Some(more) = room.recv().await else { break };
            free = more;
            while let Ok(more) = room.try_recv() {
                free += more;
            }
            if Instant::now() >= end {
                break;
            }
        }
        anyhow::Ok((sent, write))
    });
    // All that is under way fits in; thousands of connections stay small.
    let mut buffer = vec![0; (2 * in_flight * answer_len).clamp(16 << 10, 256 << 10)];
    let (mut octets, mut answered) = (0u64, 0u64);
    // The writer may have sent its last message: nothing more comes then, and the time ends the wait.
    while answered < most
        && let Ok(len) = tokio::time::timeout_at(end.into(), read.read(&mut buffer)).await
    {
        let len = len?;
        if len == 0 {
            bail!("the connection ended under load");
        }
        octets += len as u64;
        let whole = octets / answer_len as u64;
        let fresh = usize::try_from(whole - answered)?;
        answered = whole;
        // The writer is gone once it has sent all it may.
        if fresh > 0 && room_for.send(fresh).is_err() && most == u64::MAX {
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

/// One message of `size` octets at a time, until `end`.
pub async fn ping_pong(mut socket: Socket, size: usize, end: Instant) -> Result<Figures> {
    let (frame, answer_len) = message(size);
    let mut answer = vec![0; answer_len];
    let mut figures = Figures::default();
    loop {
        let start = Instant::now();
        if start >= end {
            return Ok(figures);
        }
        socket.write.write_all(&frame).await?;
        socket.write.flush().await?;
        socket.read.read_exact(&mut answer).await?;
        figures.count += 1;
        figures.latencies.push(u64::try_from(start.elapsed().as_nanos())?);
    }
}

/// Handshakes, one after the other, until `end`.
pub async fn handshakes(way: Way, end: Instant) -> Result<Figures> {
    let mut figures = Figures::default();
    while Instant::now() < end {
        handshake(&way).await?;
        figures.count += 1;
    }
    Ok(figures)
}
