//! Dialling the upstream: resolve, connect, TLS; each stage timed, and named where it fails.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::{Duration, Instant};

use framescope_core::ConnectionNote;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::{TcpStream, lookup_host};
use tokio::task::yield_now;
use tokio::time::error::Elapsed;
use tokio::time::{sleep, timeout};
use tokio_rustls::client::TlsStream;

use super::Target;
use crate::relay::ReadAhead;
use crate::tls::{TlsFailure, UpstreamTls, UpstreamTlsConfig};

/// Resolving and connecting may take this long.
const DIAL_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an address has before the next one is tried beside it (RFC 8305 §5).
const NEXT_ATTEMPT: Duration = Duration::from_millis(250);

/// Makes connections to one upstream.
#[derive(Debug)]
pub struct Dialler {
    target: Target,
    url: String,
    tls: Option<UpstreamTls>,
}

/// A connection to the upstream.
#[derive(Debug)]
pub enum Dialled {
    /// `ws://` or `http://`.
    Plain(TcpStream),
    /// `wss://` or `https://`.
    Tls(Box<TlsStream<ReadAhead<TcpStream>>>),
}

/// A connection could not be made.
#[derive(Debug)]
pub struct DialError {
    /// `resolve`, `dial` or `upstream-tls`.
    pub stage: &'static str,
    /// One line that names the upstream.
    pub message: String,
    /// What is known all the same.
    pub note: ConnectionNote,
}

impl Dialler {
    /// For `target`; `tls` is used where its URL asks for it.
    pub fn new(target: Target, tls: &UpstreamTlsConfig) -> Result<Self, TlsFailure> {
        let tls = target.tls().then(|| UpstreamTls::new(tls)).transpose()?;
        Ok(Self { url: target.to_string(), target, tls })
    }

    /// The upstream.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The upstream as a URL, for display.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes a connection, and says how long each stage took.
    pub async fn dial(&self) -> Result<(Dialled, ConnectionNote), DialError> {
        let mut note = ConnectionNote::default();
        let started = Instant::now();
        let (tcp, addr) = match within(DIAL_TIMEOUT, self.connect()).await {
            Ok(Ok(connected)) => connected,
            Ok(Err((stage, reason))) => return Err(self.failed(stage, &reason, note)),
            Err(_) => {
                let reason = format!("no answer within {} s", DIAL_TIMEOUT.as_secs());
                return Err(self.failed("dial", &reason, note));
            }
        };
        note.dial_nanos = Some(nanos(started.elapsed()));
        note.upstream_addr = Some(addr);
        note.upstream_local_addr = tcp.local_addr().ok();
        // Without it small frames would wait for acknowledgements; a socket without it still works.
        let _ = tcp.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return Ok((Dialled::Plain(tcp), note));
        };
        let started = Instant::now();
        // In a box: a plain connection shall not hold room for it.
        match Box::pin(tls.connect(ReadAhead::new(Vec::new(), tcp), self.target.host())).await {
            Ok((stream, info)) => {
                note.upstream_tls_nanos = Some(nanos(started.elapsed()));
                note.upstream_tls = Some(info);
                Ok((Dialled::Tls(Box::new(stream)), note))
            }
            Err(failure) => Err(self.failed(failure.stage(), &failure.message, note)),
        }
    }

    async fn connect(&self) -> Result<(TcpStream, SocketAddr), (&'static str, String)> {
        let (host, port) = (self.target.host(), self.target.port());
        let addresses: Vec<SocketAddr> = lookup_host((host, port))
            .await
            .map_err(|error| ("resolve", format!("the name `{host}` is not known: {error}")))?
            .collect();
        connect_any(&addresses).await.map_err(|error| ("dial", reason(&error)))
    }

    fn failed(&self, stage: &'static str, reason: &str, note: ConnectionNote) -> DialError {
        DialError { stage, message: format!("cannot reach {}: {reason}", self.url), note }
    }
}

/// What `work` gives, unless it takes longer than `limit`. A server on this machine has answered when the
/// system is asked again: no timer is set for it, which would interrupt the thread's sleep.
async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, Elapsed> {
    let mut work = pin!(work);
    tokio::select! {
        biased;
        done = &mut work => return Ok(done),
        () = yield_now() => {}
    }
    timeout(limit, work).await
}

/// Tries the addresses in order, each with a head start; the first that answers wins.
async fn connect_any(addresses: &[SocketAddr]) -> io::Result<(TcpStream, SocketAddr)> {
    if let [only] = addresses {
        return connect_to(*only).await;
    }
    let mut waiting = addresses.iter().copied();
    let mut attempts = FuturesUnordered::new();
    let mut last_error = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    attempts.extend(waiting.next().map(connect_to));
    while !attempts.is_empty() {
        tokio::select! {
            Some(outcome) = attempts.next() => match outcome {
                Ok(connected) => return Ok(connected),
                Err(error) => {
                    last_error = error;
                    attempts.extend(waiting.next().map(connect_to));
                }
            },
            () = sleep(NEXT_ATTEMPT), if waiting.len() > 0 => {
                attempts.extend(waiting.next().map(connect_to));
            }
        }
    }
    Err(last_error)
}

async fn connect_to(address: SocketAddr) -> io::Result<(TcpStream, SocketAddr)> {
    Ok((TcpStream::connect(address).await?, address))
}

/// The error in the user's words, with the mend where there is one.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "nothing listens there (connection refused); start the server, or check the port".into()
        }
        io::ErrorKind::TimedOut => "no answer (timed out)".into(),
        _ => error.to_string(),
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
