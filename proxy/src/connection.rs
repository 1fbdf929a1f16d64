//! One client connection, from accept to end.
//!
//! ```text
//!  accept ─► sniff ─┬─► TLS off ─► sniff ─┐
//!                   └─────────────────────┴─► first request head ─► dial ─► pump ─► end
//!  └──────────────────────── Opening ───────────────────────────────────┘  └─ Rest ─┘
//! ```
//!
//! An opening and the rest of the connection's life are two futures: a WebSocket at rest holds nothing
//! of what its opening needed.

mod early;
mod opening;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use framescope_core::{ConnectionId, Direction, Finish, Leg, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::http::{Answer, Rewrite};
use crate::recorder::{Queue, Tape};
use crate::relay::{Counters, Ending, Pump, Socket};
use crate::tls::ClientTls;
use crate::upstream::Dialler;
use opening::Opening;

/// How long a client that was answered by the proxy may go on talking.
const LINGER: Duration = Duration::from_secs(2);

/// What all connections share.
#[derive(Debug)]
pub struct Surroundings {
    /// Stamps.
    pub clock: Clock,
    /// Where tapes record to.
    pub queue: Arc<Queue>,
    /// Takes TLS off the client's octets.
    pub client_tls: ClientTls,
    /// The way to the upstream.
    pub dialler: Dialler,
    /// What requests need on their way there.
    pub rewrite: Arc<Rewrite>,
    /// Refuse a wrong `Sec-WebSocket-Accept`.
    pub strict: bool,
    /// The first head, once begun, must be whole within this time.
    pub head_timeout: Duration,
    /// `reverse` or `demo`.
    pub mode: &'static str,
    /// Figures.
    pub counters: Arc<Counters>,
    /// Connections accepted so far; numbers them.
    pub accepted: AtomicU32,
    /// Connections open now.
    pub open: AtomicU64,
}

/// Counts a connection as open while it lives.
struct Open(Arc<Surroundings>);

impl Open {
    fn count(surroundings: Arc<Surroundings>) -> Self {
        surroundings.open.fetch_add(1, Ordering::Relaxed);
        Self(surroundings)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What remains of a connection once it is open.
type Rest = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What is known of a connection when it is accepted.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    id: ConnectionId,
    at: Timestamp,
    client: SocketAddr,
    own: Option<SocketAddr>,
}

impl Arrival {
    /// A client has just been accepted; `own` is the address that it connected to, where the listener
    /// has no other.
    pub fn now(surroundings: &Surroundings, client: SocketAddr, own: Option<SocketAddr>) -> Self {
        let number = surroundings.accepted.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        Self { id: ConnectionId(number), at: surroundings.clock.now(), client, own }
    }
}

/// Serves one connection to its end. Never fails: what goes wrong is in the capture.
pub fn serve(
    surroundings: Arc<Surroundings>,
    arrival: Arrival,
    stream: TcpStream,
) -> impl Future<Output = ()> + Send + use<> {
    let Arrival { id, at: accepted, client, own } = arrival;
    // Without it small frames would wait for acknowledgements; a socket without it still works.
    let _ = stream.set_nodelay(true);
    // Fails where the client is gone already; then any address will do.
    let server = own.unwrap_or_else(|| stream.local_addr().unwrap_or(client));
    // A listener on all addresses sees IPv4 clients as IPv6 ones.
    let [client, server] =
        [client, server].map(|peer| SocketAddr::new(peer.ip().to_canonical(), peer.port()));
    let open = Open::count(Arc::clone(&surroundings));
    let opening = Box::pin(Opening { surroundings, id, accepted, client, server }.welcome(stream));
    async move {
        let _open = open;
        if let Some(rest) = opening.await {
            rest.await;
        }
    }
}

/// Relays until the end.
fn relay<C: Socket + 'static, U: Socket + 'static>(mut pump: Pump<C, U>) -> Rest {
    Box::pin(async move {
        match pump.run().await {
            Ending::Closed => {}
            Ending::Reset(sender) => pump.reset_receiver(sender),
            Ending::Refused(answer) => {
                let (client, tape, counters) = pump.into_client();
                say(&counters, client, tape, answer).await;
            }
        }
    })
}

/// Gives the client an answer of the proxy's own, and ends. In a box, for it is rare.
fn say<C: Socket + 'static>(
    counters: &Counters,
    mut client: C,
    mut tape: Tape,
    answer: Answer,
) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
    Box::pin(async move {
        let down = Direction::ServerToClient;
        tape.alter(vec![answer.alteration]);
        tape.octets(Leg::Client, down, &answer.octets);
        counters.passed(answer.octets.len());
        let said = async {
            client.write_all(&answer.octets).await?;
            client.shutdown().await
        };
        if matches!(timeout(LINGER, said).await, Ok(Ok(()))) {
            tape.finish(Leg::Client, down, Finish::Fin);
            // A close with unread octets would be an RST, and that could overtake the answer.
            let drain = async {
                let mut rest = vec![0; 4096];
                while let Ok(len @ 1..) = client.read(&mut rest).await {
                    tape.octets(Leg::Client, Direction::ClientToServer, &rest[..len]);
                }
            };
            // It has had its answer; what it does with it is its own affair.
            let _ = timeout(LINGER, drain).await;
        }
    })
}

/// Why there is no first request.
#[derive(Debug)]
enum Cut {
    /// The client ended before.
    Ended,
    /// It went on for too long.
    TimedOut,
    /// The connection broke.
    Broke(io::Error),
}
