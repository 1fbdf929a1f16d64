//! Framescope as a rival: an engine that records, and a follower that decodes every frame live.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use framescope_core::capture::CaptureItem;
use framescope_core::session::{EventSink, Limits, Unfragmented};
use framescope_core::{ConnectionId, Event, Frame, Index, Message, Session};
use framescope_proxy::follow::Follower;
use framescope_proxy::priority::stand_behind_the_wire;
use framescope_proxy::set::Rotation;
use framescope_proxy::{Engine, EngineConfig, Upstream};
use serde::{Deserialize, Serialize};

use crate::process::own_resident;

/// The capture's name in the folder that is given.
pub const CAPTURE: &str = "bench.pcapng";

/// Relays, records and decodes until the process is ended. Takes plain and TLS clients on one port.
///
/// `words` are the folder for its files, the certificate chain, its key, and, where the capture shall be
/// a set of files, the octets of each and how many are kept.
pub fn serve(upstream: &str, words: &[&str]) -> Result<()> {
    let [folder, chain, key, rotation @ ..] = words else {
        anyhow::bail!("a folder, a chain and a key are wanted");
    };
    let folder = Path::new(folder);
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut config = EngineConfig::new(listen, Upstream::Url(format!("ws://{upstream}")));
    config.capture = Some(folder.join(CAPTURE));
    config.data_dir = Some(folder.join("data"));
    config.own_certificate = Some((PathBuf::from(chain), PathBuf::from(key)));
    if let [size, keep] = rotation {
        config.rotation =
            Rotation { size: Some(size.parse()?), every: None, keep: Some(keep.parse()?) };
    }
    let engine = Engine::start(config)?;
    println!("{}", engine.listen_addr());
    let mut follower = engine.follow()?;
    stand_behind_the_wire();
    let (mut session, mut seen) = (Session::new(Limits::COUNT), Seen::default());
    loop {
        engine.wait_beyond(follower.offset(), Duration::from_secs(1));
        while follower.read_more()? {
            while let Some(item) = follower.poll() {
                if let CaptureItem::Record { record, .. } = item {
                    session.receive_to(&record, &mut seen);
                }
            }
        }
    }
}

/// What the follower saw: every frame and message is decoded and checked, and then only counted.
#[derive(Debug, Default)]
struct Seen {
    frames: u64,
    events: u64,
}

impl EventSink for Seen {
    fn unfragmented(&mut self, _: ConnectionId, _: &Unfragmented) {
        self.frames += 1;
    }

    fn frame(&mut self, _: ConnectionId, _: Frame) {
        self.frames += 1;
    }

    fn message(&mut self, _: ConnectionId, _: Message) {}

    fn event(&mut self, _: Event) {
        self.events += 1;
    }
}

/// What opening a capture took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Opened {
    /// Rows of the index.
    pub frames: u64,
    /// Until the first row was there.
    pub first_row_seconds: f64,
    /// Until all rows were there.
    pub seconds: f64,
    /// Resident memory that the index takes, in octets.
    pub resident: u64,
}

/// Indexes the capture at `path`, as the desktop app does when it opens one, and says what it took as
/// one line of JSON.
pub fn index(path: &str) -> Result<()> {
    let before = own_resident();
    let start = Instant::now();
    let mut follower = Follower::open(Path::new(path))?;
    let mut index = Index::new();
    let mut first_row = None;
    let mut receive = |follower: &mut Follower, index: &mut Index| {
        while let Some(item) = follower.poll() {
            if let CaptureItem::Record { record, block_offset } = item {
                index.receive(&record, block_offset);
            }
            if first_row.is_none() && !index.frames().is_empty() {
                first_row = Some(start.elapsed());
            }
        }
    };
    while follower.read_more()? {
        receive(&mut follower, &mut index);
    }
    follower.finish();
    receive(&mut follower, &mut index);
    index.finish();
    let opened = Opened {
        frames: index.frames().len() as u64,
        first_row_seconds: first_row.unwrap_or_default().as_secs_f64(),
        seconds: start.elapsed().as_secs_f64(),
        resident: own_resident().saturating_sub(before),
    };
    println!("{}", serde_json::to_string(&opened)?);
    Ok(())
}
