//! The threads of the wire: each has a runtime of its own, and keeps the connections that it is given.
//!
//! A connection stays on its thread: what it reads is in that processor's cache when it is written, and
//! no thread wakes another for it. So what matters is who gets it, which is whoever has the fewest.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::{JoinError, JoinSet};

use crate::connection::{self, Arrival, Surroundings};
use crate::relay;

/// More threads than this would relay no faster.
const WIRES_MAX: usize = 8;

/// How long a name resolution that is under way may hold up the end.
pub(crate) const FAREWELL: Duration = Duration::from_millis(200);

/// All threads of the wire. Dropping them ends what is open.
#[derive(Debug)]
pub struct Wires {
    surroundings: Arc<Surroundings>,
    wires: Vec<Wire>,
}

#[derive(Debug)]
struct Wire {
    runtime: Handle,
    /// `None` once it is to end.
    arrivals: Option<UnboundedSender<(Arrival, Accepted)>>,
    /// Connections on it.
    load: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

/// A client's stream, as it comes to the thread that is to keep it.
enum Accepted {
    /// That thread's own runtime has accepted it.
    Here(TcpStream),
    /// Another's has, and knows it no more.
    Elsewhere(std::net::TcpStream),
}

impl Accepted {
    /// The stream, in the runtime of the calling thread.
    fn into_stream(self) -> io::Result<TcpStream> {
        match self {
            Self::Here(stream) => Ok(stream),
            Self::Elsewhere(stream) => TcpStream::from_std(stream),
        }
    }
}

impl Wires {
    /// One thread for each core, up to eight.
    pub fn start(surroundings: &Arc<Surroundings>) -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let wires = (0..cores.min(WIRES_MAX)).map(|_| Wire::start(Arc::clone(surroundings)));
        let wires = wires.collect::<io::Result<_>>()?;
        Ok(Self { surroundings: Arc::clone(surroundings), wires })
    }

    /// The runtime of the first thread, for the listener: it takes turns with that thread's connections, and
    /// needs no thread of its own to be woken for each client.
    pub fn first_runtime(&self) -> Option<&Handle> {
        self.wires.first().map(|wire| &wire.runtime)
    }

    /// Gives a client that was just accepted, on the first of the threads, to that which has the fewest;
    /// `own` is the address that it connected to, where the listener has no other.
    pub fn take(&self, stream: TcpStream, client: SocketAddr, own: Option<SocketAddr>) {
        let arrival = Arrival::now(&self.surroundings, client, own);
        let Some((index, wire)) = idlest(&self.wires) else { return };
        let stream = match index {
            0 => Accepted::Here(stream),
            // Fails only where the runtime is at its end.
            _ => match stream.into_std() {
                Ok(stream) => Accepted::Elsewhere(stream),
                Err(_) => return,
            },
        };
        if let Some(arrivals) = &wire.arrivals {
            wire.load.fetch_add(1, Ordering::Relaxed);
            // Fails only while all of them end.
            let _ = arrivals.send((arrival, stream));
        }
    }
}

impl Drop for Wires {
    fn drop(&mut self) {
        for wire in &mut self.wires {
            wire.arrivals = None;
        }
        for wire in &mut self.wires {
            if let Some(thread) = wire.thread.take()
                && thread.join().is_err()
            {
                tracing::error!("a thread of the wire failed; please report it");
            }
        }
    }
}

impl Wire {
    fn start(surroundings: Arc<Surroundings>) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (arrivals, arriving) = mpsc::unbounded_channel();
        let load = Arc::new(AtomicUsize::new(0));
        let handle = runtime.handle().clone();
        let thread = thread::Builder::new().name("framescope-wire".into()).spawn({
            let load = Arc::clone(&load);
            move || run(runtime, surroundings, arriving, load)
        })?;
        Ok(Self { runtime: handle, arrivals: Some(arrivals), load, thread: Some(thread) })
    }
}

fn run(
    runtime: Runtime,
    surroundings: Arc<Surroundings>,
    arriving: UnboundedReceiver<(Arrival, Accepted)>,
    load: Arc<AtomicUsize>,
) {
    runtime.block_on(carry(surroundings, arriving, load));
    runtime.shutdown_timeout(FAREWELL);
}

/// Serves what arrives until nothing can any more, then ends what is open.
async fn carry(
    surroundings: Arc<Surroundings>,
    mut arriving: UnboundedReceiver<(Arrival, Accepted)>,
    load: Arc<AtomicUsize>,
) {
    let mut connections = JoinSet::new();
    tokio::spawn(relay::watch());
    loop {
        tokio::select! {
            arrival = arriving.recv() => match arrival {
                None => break,
                Some((arrival, stream)) => match stream.into_stream() {
                    Ok(stream) => {
                        let surroundings = Arc::clone(&surroundings);
                        connections.spawn(connection::serve(surroundings, arrival, stream));
                    }
                    Err(error) => {
                        load.fetch_sub(1, Ordering::Relaxed);
                        tracing::error!("a connection cannot be served: {error}");
                    }
                }
            },
            Some(ended) = connections.join_next() => {
                load.fetch_sub(1, Ordering::Relaxed);
                report(ended);
            }
        }
    }
    connections.abort_all();
    while let Some(ended) = connections.join_next().await {
        report(ended);
    }
}

/// The thread that has the fewest connections, and which one it is.
fn idlest(wires: &[Wire]) -> Option<(usize, &Wire)> {
    wires.iter().enumerate().min_by_key(|(_, wire)| wire.load.load(Ordering::Relaxed))
}

/// One connection's failure is its own.
fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("a connection failed inside Framescope; please report it: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_with_the_fewest_connections_gets_the_next() {
        let runtime = Builder::new_current_thread().build().unwrap();
        let runtime = runtime.handle();
        let wire = |load| {
            let runtime = runtime.clone();
            Wire { runtime, arrivals: None, load: Arc::new(load), thread: None }
        };
        let wires = [3, 1, 2].map(AtomicUsize::new).map(wire);
        for expected in [[3, 2, 2], [3, 3, 2], [3, 3, 3], [4, 3, 3]] {
            idlest(&wires).unwrap().1.load.fetch_add(1, Ordering::Relaxed);
            assert_eq!(wires.each_ref().map(|wire| wire.load.load(Ordering::Relaxed)), expected);
        }
    }
}
