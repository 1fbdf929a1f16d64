//! Framescope as a rival: an engine that records, and a follower that decodes every frame live.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use framescope_core::capture::CaptureItem;
use framescope_core::session::Limits;
use framescope_core::{EventKind, Session};
use framescope_proxy::follow::Follower;
use framescope_proxy::{Engine, EngineConfig, Upstream};

/// Relays, records and decodes until the process is ended.
pub fn serve(upstream: &str, folder: &str) -> Result<()> {
    let folder = Path::new(folder);
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut config = EngineConfig::new(listen, Upstream::Url(format!("ws://{upstream}")));
    let path = folder.join("bench.pcapng");
    config.capture = Some(path.clone());
    config.data_dir = Some(folder.join("data"));
    let engine = Engine::start(config)?;
    println!("{}", engine.listen_addr());
    let mut follower = Follower::open(&path)?;
    let (mut session, mut frames) = (Session::new(Limits::COUNT), 0u64);
    loop {
        engine.wait_beyond(follower.offset(), Duration::from_secs(1));
        while follower.read_more()? {
            while let Some(item) = follower.poll() {
                if let CaptureItem::Record { record, .. } = item {
                    session.receive_into(&record, &mut |event| {
                        frames += u64::from(matches!(event.kind, EventKind::FrameDecoded(_)));
                    });
                }
            }
        }
    }
}
