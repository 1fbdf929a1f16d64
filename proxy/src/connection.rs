//! One client connection, from accept to end.
//!
//! ```text
//!  accept ─► sniff ─┬─► TLS off ─► sniff ─┐
//!                   └─────────────────────┴─► first request head ─► dial ─► pump ─► end
//! ```

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use framescope_core::connection::TlsInfo;
use framescope_core::http::HeadReader;
use framescope_core::{
    ConnectionId, ConnectionInfo, ConnectionNote, Direction, Finish, Head, Leg, Timestamp,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::clock::Clock;
use crate::http::{Answer, Exchange, HEAD_LIMIT, Rewrite};
use crate::recorder::{Queue, Tape};
use crate::relay::{Counters, Ending, Pump, Rewind, Socket};
use crate::sniff::{Protocol, sniff};
use crate::tls::ClientTls;
use crate::upstream::{Dialled, Dialler};

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
    pub counters: Counters,
    /// Connections accepted so far; numbers them.
    pub accepted: AtomicU32,
    /// Connections open now.
    pub open: AtomicU64,
}

/// Counts a connection as open while it lives.
struct Open<'a>(&'a AtomicU64);

impl<'a> Open<'a> {
    fn count(open: &'a AtomicU64) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(open)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Serves one connection to its end. Never fails: what goes wrong is in the capture.
pub async fn serve(surroundings: Arc<Surroundings>, stream: TcpStream, client: SocketAddr) {
    let _open = Open::count(&surroundings.open);
    let id = ConnectionId(surroundings.accepted.fetch_add(1, Ordering::Relaxed).wrapping_add(1));
    let accepted = surroundings.clock.now();
    // Without it small frames would wait for acknowledgements; a socket without it still works.
    let _ = stream.set_nodelay(true);
    // Fails where the client is gone already; then any address will do.
    let server = stream.local_addr().unwrap_or(client);
    // A listener on all addresses sees IPv4 clients as IPv6 ones.
    let [client, server] =
        [client, server].map(|peer| SocketAddr::new(peer.ip().to_canonical(), peer.port()));
    Arrival { surroundings: &surroundings, id, accepted, client, server }.welcome(stream).await;
}

/// A connection that was accepted and has no tape yet.
struct Arrival<'a> {
    surroundings: &'a Surroundings,
    id: ConnectionId,
    accepted: Timestamp,
    client: SocketAddr,
    server: SocketAddr,
}

impl Arrival<'_> {
    fn tape(&self, tls: Option<TlsInfo>) -> Tape {
        let info = ConnectionInfo {
            client: self.client,
            server: self.server,
            mode: Some(self.surroundings.mode.into()),
            upstream: Some(self.surroundings.dialler.target().to_string()),
            tls,
        };
        Tape::open(&self.surroundings.queue, self.id, self.accepted, &info)
    }

    async fn welcome(self, mut stream: TcpStream) {
        let mut early = Early::within(self.surroundings.head_timeout);
        let protocol = early.protocol(&mut stream).await;
        if matches!(protocol, Ok(Protocol::Tls)) {
            return self.take_tls_off(stream, early).await;
        }
        let tape = self.tape(None);
        converse(self.surroundings, stream, tape, early, protocol, false).await;
    }

    async fn take_tls_off(self, stream: TcpStream, early: Early) {
        let Surroundings { clock, client_tls, .. } = self.surroundings;
        let stream = Rewind::new(early.octets, stream);
        let (mut stream, info) = match client_tls.accept(stream, self.server, clock.now()).await {
            Ok(accepted) => accepted,
            Err(failure) => {
                let stage = failure.stage();
                return self.tape(None).fail(stage, Some(failure.leg), failure.message);
            }
        };
        let mut tape = self.tape(Some(info));
        let took = clock.now().since(self.accepted);
        let client_tls_nanos = u64::try_from(took.as_nanos()).ok();
        tape.note(&ConnectionNote { client_tls_nanos, ..ConnectionNote::default() });
        let mut early = Early::within(self.surroundings.head_timeout);
        let protocol = early.protocol(&mut stream).await;
        converse(self.surroundings, stream, tape, early, protocol, true).await;
    }
}

/// Client octets that were read before the upstream was dialled.
#[derive(Debug)]
struct Early {
    octets: Vec<u8>,
    timeout: Duration,
    deadline: Option<Instant>,
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

impl Early {
    /// None yet; `timeout` after the first there must be a whole head.
    fn within(timeout: Duration) -> Self {
        Self { octets: Vec::new(), timeout, deadline: None }
    }

    /// Reads until it is certain what the client speaks.
    async fn protocol(&mut self, stream: &mut impl Socket) -> Result<Protocol, Cut> {
        loop {
            if let Some(protocol) = sniff(&self.octets) {
                return Ok(protocol);
            }
            self.read(stream).await?;
        }
    }

    /// Reads once; the time for a whole head begins to run with its first octet.
    async fn read(&mut self, stream: &mut impl Socket) -> Result<usize, Cut> {
        self.octets.reserve(4096);
        let read = stream.read_buf(&mut self.octets);
        let outcome = match self.deadline {
            Some(deadline) => timeout_at(deadline, read).await.map_err(|_| Cut::TimedOut)?,
            None => read.await,
        };
        self.deadline.get_or_insert_with(|| Instant::now() + self.timeout);
        match outcome {
            Ok(0) => Err(Cut::Ended),
            Ok(len) => Ok(len),
            // TLS that ended without saying so.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Cut::Ended),
            Err(error) => Err(Cut::Broke(error)),
        }
    }
}

/// Goes on once the octets are plain: the first request, the upstream, the relay.
async fn converse<C: Socket>(
    surroundings: &Surroundings,
    mut client: C,
    mut tape: Tape,
    mut early: Early,
    protocol: Result<Protocol, Cut>,
    client_tls: bool,
) {
    let up = Direction::ClientToServer;
    surroundings.counters.read(early.octets.len());
    tape.octets(Leg::Client, up, &early.octets);
    let head = match protocol {
        Ok(Protocol::Http1) => read_head(surroundings, &mut client, &mut tape, &mut early).await,
        Ok(protocol) => return tape.fail("sniff", Some(Leg::Client), refusal(protocol)),
        Err(cut) => Err(cut),
    };
    let head = match head {
        Ok(head) => head,
        Err(Cut::Ended) => return tape.finish(Leg::Client, up, Finish::Fin),
        Err(Cut::TimedOut) => {
            let line = format!(
                "no whole request head within {} s of its first octet; the connection was closed",
                surroundings.head_timeout.as_secs_f32()
            );
            return tape.fail("head", Some(Leg::Client), line);
        }
        Err(Cut::Broke(error)) => {
            tracing::debug!("connection {client_tls} broke before its first request: {error}");
            return tape.finish(Leg::Client, up, Finish::Reset);
        }
    };
    let exchange =
        Exchange::new(Arc::clone(&surroundings.rewrite), client_tls, surroundings.strict);
    let (dialled, note) = match surroundings.dialler.dial().await {
        Ok(dialled) => dialled,
        Err(error) => {
            tape.note(&error.note);
            tape.fail(error.stage, Some(Leg::Upstream), error.message.clone());
            let method = head.as_ref().and_then(Head::method);
            let answer = Answer::bad_gateway(&error.message, "", method);
            return say(surroundings, client, tape, answer).await;
        }
    };
    tape.note(&note);
    drop(head);
    let early = early.octets;
    match dialled {
        Dialled::Plain(upstream) => {
            relay(surroundings, client, upstream, exchange, tape, early).await;
        }
        Dialled::Tls(upstream) => {
            relay(surroundings, client, *upstream, exchange, tape, early).await;
        }
    }
}

/// Reads until the first head is whole; `None` where it cannot be read as one.
async fn read_head<C: Socket>(
    surroundings: &Surroundings,
    client: &mut C,
    tape: &mut Tape,
    early: &mut Early,
) -> Result<Option<Head>, Cut> {
    let mut reader = HeadReader::default();
    let mut taken = 0;
    loop {
        let mut input = early.octets.get(taken..).unwrap_or_default();
        match reader.take(&mut input, HEAD_LIMIT) {
            Ok(Some(raw)) => return Ok(Head::parse_request(raw, 0).ok()),
            Ok(None) => {}
            Err(_) => return Ok(None),
        }
        taken = early.octets.len();
        let len = early.read(client).await?;
        surroundings.counters.read(len);
        let new = early.octets.get(taken..).unwrap_or_default();
        tape.octets(Leg::Client, Direction::ClientToServer, new);
    }
}

async fn relay<C: Socket, U: Socket>(
    surroundings: &Surroundings,
    mut client: C,
    mut upstream: U,
    exchange: Exchange,
    mut tape: Tape,
    early: Vec<u8>,
) {
    let counters = &surroundings.counters;
    let pump = Pump::new(&mut client, &mut upstream, exchange, &mut tape, counters, &early);
    drop(early);
    match pump.run().await {
        Ending::Closed => {}
        Ending::Reset(Direction::ClientToServer) => upstream.reset_on_drop(),
        Ending::Reset(Direction::ServerToClient) => client.reset_on_drop(),
        Ending::Refused(answer) => {
            drop(upstream);
            say(surroundings, client, tape, answer).await;
        }
    }
}

/// Gives the client an answer of the proxy's own, and ends.
async fn say<C: Socket>(
    surroundings: &Surroundings,
    mut client: C,
    mut tape: Tape,
    answer: Answer,
) {
    let down = Direction::ServerToClient;
    tape.alter(vec![answer.alteration]);
    tape.octets(Leg::Client, down, &answer.octets);
    surroundings.counters.passed(answer.octets.len());
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
}

fn refusal(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Http2 => {
            "the client speaks HTTP/2 without having been offered it; only HTTP/1.1 is relayed: \
             switch HTTP/2 off in the client"
        }
        Protocol::Socks => {
            "the client speaks SOCKS; this is a reverse proxy: use its address as the server's"
        }
        Protocol::Tls => "the client speaks TLS inside TLS",
        Protocol::Http1 | Protocol::Unknown => {
            "the client speaks neither HTTP/1.1 nor TLS; point a WebSocket client or a browser here"
        }
    }
}
