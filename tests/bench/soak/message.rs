//! One message that is larger than memory, to the echo and back, compared octet for octet.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use framescope_core::frame::Rsv;
use framescope_core::{FrameHeader, MaskingKey, Opcode, PayloadLength};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::verdict::{Verdict, mebi};
use super::{Plan, Soaked};
use crate::load::{self, Socket};
use crate::process::runtime;
use crate::samples::Samples;

/// Memory that the message may cost at any time, in MiB: the recorder's bounded queue of 16 MiB, what was
/// taken out of it and is being written, 32 MiB that are kept for who follows, and buffers.
const MOST_GROWTH: f64 = 96.0;
/// What the last quarter may take beyond the first, in MiB.
const MOST_DRIFT: f64 = 8.0;
/// Octets of payload that repeat; a power of two.
const PERIOD: usize = 1 << 20;

/// Streams one binary message of `plan.gib` GiB.
pub fn soak(soaked: &Soaked, plan: &Plan) -> Result<Verdict> {
    let octets = plan.gib << 30;
    // What is allocated once is there before the message comes.
    drop(load::Held::open(&soaked.way, 4, plan.span)?);
    let before = soaked.resident();
    let cpu = soaked.rival.cpu();
    let start = Instant::now();
    let (outcome, samples) = Samples::during(&soaked.rival, || stream(soaked, octets));
    outcome?;
    let seconds = start.elapsed().as_secs_f64();
    let cpu = soaked.rival.cpu().saturating_sub(cpu).as_secs_f64();
    let over = if plan.tls { "TLS" } else { "plain" };
    let mut verdict = Verdict::on(format!("one message of {} GiB, {over}", plan.gib));
    verdict.tell("each way", mebi(octets) / seconds, "MiB/s");
    verdict.tell("it took", seconds, "s");
    verdict.tell("CPU time of the proxy", cpu, "s");
    verdict.tell("resident before", mebi(before), "MiB");
    verdict.tell("resident at the most", mebi(samples.peak()), "MiB");
    let growth = mebi(samples.peak()) - mebi(before);
    verdict.bound("that is more than before by", growth, "MiB", MOST_GROWTH);
    verdict.steady(&samples, MOST_DRIFT);
    Ok(verdict)
}

fn stream(soaked: &Soaked, octets: u64) -> Result<()> {
    let payload = noise();
    let header = FrameHeader {
        fin: true,
        rsv: Rsv::NONE,
        opcode: Opcode::Binary,
        masking_key: Some(MaskingKey([0x37, 0xFA, 0x21, 0x3D])),
        payload_len: PayloadLength::minimal(octets),
    };
    let mut head = Vec::new();
    header.encode(&mut head);
    let answer_head_len = head.len() - 4;
    runtime()?.block_on(async {
        let Socket { mut read, mut write } = load::open(&soaked.way).await?;
        let sent = payload.clone();
        let writer = tokio::spawn(async move {
            write.write_all(&head).await?;
            let mut left = octets;
            while left > 0 {
                let len = sent.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                write.write_all(&sent[..len]).await?;
                left -= len as u64;
            }
            write.flush().await?;
            // Open until the echo is complete.
            anyhow::Ok(write)
        });
        let mut answer_head = vec![0; answer_head_len];
        read.read_exact(&mut answer_head).await?;
        let mut buffer = vec![0; 256 << 10];
        let (mut seen, mut at) = (0_u64, 0_usize);
        while seen < octets {
            // The echo sends the payload as it came: its octets repeat in the same way.
            let len = read.read(&mut buffer).await?;
            ensure!(len > 0, "the connection ended after {seen} octets");
            let mut rest = &buffer[..len];
            while !rest.is_empty() {
                let len = rest.len().min(PERIOD - at);
                ensure!(rest[..len] == payload[at..at + len], "other octets near {seen}");
                rest = &rest[len..];
                at = (at + len) % PERIOD;
            }
            seen += len as u64;
        }
        ensure!(seen == octets, "more came back than was sent");
        writer.await.context("the writer")??;
        Ok(())
    })
}

/// Octets without a pattern (xorshift), so that nothing could be left out unseen.
fn noise() -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut octets = Vec::with_capacity(PERIOD);
    while octets.len() < PERIOD {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        octets.extend_from_slice(&state.to_le_bytes());
    }
    octets
}
