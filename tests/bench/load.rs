//! The load: one generator for every rival.

mod open;
mod shapes;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

pub use open::{Socket, Way, handshake, open};
pub use shapes::message;

use crate::work::{Kind, Work};

/// Handshakes under way at once while many connections are opened.
const OPENING: usize = 16;

/// When a run of a work is over.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// After so long.
    Span(Duration),
    /// When so many messages have come back; of pipelined work only.
    Messages(u64),
}

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

/// Does `work` over `way` until `goal`.
pub fn run(work: &Work, way: &Way, goal: Goal) -> Result<Figures> {
    let work = *work;
    super::process::runtime()?.block_on(async move {
        let sockets = match work.kind {
            Kind::Handshakes => Vec::new(),
            _ => open_many(way, work.connections).await?,
        };
        let mut tasks = JoinSet::new();
        let start = Instant::now();
        let (end, each) = match goal {
            Goal::Span(span) => (start + span, u64::MAX),
            Goal::Messages(count) => {
                (start + Duration::from_hours(1), count / work.connections.max(1) as u64)
            }
        };
        match work.kind {
            Kind::Pipelined { size, in_flight } => {
                for socket in sockets {
                    tasks.spawn(shapes::pipelined(socket, size, in_flight, end, each));
                }
            }
            Kind::PingPong { size } => {
                for socket in sockets {
                    tasks.spawn(shapes::ping_pong(socket, size, end));
                }
            }
            Kind::Handshakes => {
                for _ in 0..work.connections {
                    tasks.spawn(shapes::handshakes(way.clone(), end));
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

/// Idle WebSockets, open until this is dropped.
pub struct Held {
    runtime: Runtime,
    sockets: Vec<Socket>,
}

impl Held {
    /// Opens `count` of them; fails when they are not open after `limit`.
    pub fn open(way: &Way, count: usize, limit: Duration) -> Result<Self> {
        let runtime = super::process::runtime()?;
        let sockets = runtime.block_on(async {
            tokio::time::timeout(limit, open_many(way, count)).await.context("too slow")?
        })?;
        let mut held = Self { runtime, sockets };
        // One message each, so that every way through is in its steady state.
        held.use_each()?;
        Ok(held)
    }

    /// Sends one message over each and waits for its echo.
    pub fn use_each(&mut self) -> Result<()> {
        let (frame, answer_len) = message(64);
        let mut answer = vec![0; answer_len];
        self.runtime.block_on(async {
            for socket in &mut self.sockets {
                socket.write.write_all(&frame).await?;
                socket.write.flush().await?;
                socket.read.read_exact(&mut answer).await?;
            }
            Ok(())
        })
    }
}

async fn open_many(way: &Way, count: usize) -> Result<Vec<Socket>> {
    let mut tasks = JoinSet::new();
    let mut sockets = Vec::with_capacity(count);
    for _ in 0..count {
        if tasks.len() >= OPENING
            && let Some(done) = tasks.join_next().await
        {
            sockets.push(done??);
        }
        let way = way.clone();
        tasks.spawn(async move { open(&way).await });
    }
    while let Some(done) = tasks.join_next().await {
        sockets.push(done??);
    }
    Ok(sockets)
}
