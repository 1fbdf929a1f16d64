//! The listener: accepts, and gives each connection to a thread of the wire.

use std::io;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use crate::wires::Wires;

/// How long to wait when no socket can be had: some will be given back meanwhile.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Accepts until told to stop.
pub async fn listen(listener: TcpListener, wires: &Wires, mut stop: oneshot::Receiver<()>) {
    let own = listener.local_addr().ok().filter(|own| !own.ip().is_unspecified());
    // Until when nothing is accepted, since no socket could be had.
    let mut paused: Option<Instant> = None;
    let mut exhausted = false;
    loop {
        let resumed = sleep_until(paused.unwrap_or_else(Instant::now));
        tokio::select! {
            // A stop that was dropped is a stop.
            _ = &mut stop => break,
            () = resumed, if paused.is_some() => paused = None,
            accepted = listener.accept(), if paused.is_none() => match accepted {
                Ok((stream, client)) => {
                    if std::mem::take(&mut exhausted) {
                        tracing::warn!("connections are accepted again");
                    }
                    wires.take(stream, client, own);
                }
                // Gone before it was accepted: nobody is waiting.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    // Said once, however long it lasts.
                    if !std::mem::replace(&mut exhausted, true) {
                        tracing::warn!(
                            "no connection can be accepted: {error}; new ones wait until others end"
                        );
                    }
                    paused = Some(Instant::now() + EXHAUSTED);
                }
            },
        }
    }
}
