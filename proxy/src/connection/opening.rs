//! How a connection begins: what the client speaks, its first request, and the upstream for it.

use std::future::poll_fn;
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;

use framescope_core::connection::TlsInfo;
use framescope_core::{
    ConnectionId, ConnectionInfo, ConnectionNote, Direction, Finish, Leg, Timestamp,
};
use tokio::net::TcpStream;

use super::early::Early;
use super::{Cut, Rest, Surroundings, relay, say};
use crate::http::{Answer, Exchange, Upward};
use crate::recorder::Tape;
use crate::relay::{self, Pump, ReadAhead, Socket};
use crate::sniff::Protocol;
use crate::upstream::Dialled;

/// A connection that was accepted and has no tape yet.
#[derive(Debug)]
pub(super) struct Opening {
    pub surroundings: Arc<Surroundings>,
    pub id: ConnectionId,
    pub accepted: Timestamp,
    pub client: SocketAddr,
    pub server: SocketAddr,
}

impl Opening {
    /// Opens the connection: what remains to be done then, or `None` where it has ended already.
    pub async fn welcome(self, mut stream: TcpStream) -> Option<Rest> {
        // Where the wire waits for the recorder, newcomers do too.
        poll_fn(|cx| self.surroundings.queue.poll_room(cx)).await;
        let mut early = Early::within(self.surroundings.head_timeout);
        let protocol = early.protocol(&mut stream).await;
        if matches!(protocol, Ok(Protocol::Tls)) {
            return Box::pin(self.take_tls_off(stream, early)).await;
        }
        let tape = self.tape(None);
        Plain { surroundings: &self.surroundings, client: stream, tape, early, client_tls: false }
            .converse(protocol)
            .await
    }

    async fn take_tls_off(self, stream: TcpStream, early: Early) -> Option<Rest> {
        let surroundings = &*self.surroundings;
        let Surroundings { clock, client_tls, .. } = surroundings;
        let stream = ReadAhead::new(early.into_octets(), stream);
        // A certificate is for those whose clocks are right, also where this one was set since the start.
        let wall_clock = crate::clock::now();
        let (stream, info) = match client_tls.accept(stream, self.server, wall_clock).await {
            Ok(accepted) => accepted,
            Err(failure) => {
                let stage = failure.stage();
                self.tape(None).fail(stage, Some(failure.leg), failure.message);
                return None;
            }
        };
        let mut stream = Box::new(stream);
        let mut tape = self.tape(Some(info));
        let took = clock.now().since(self.accepted);
        let client_tls_nanos = u64::try_from(took.as_nanos()).ok();
        tape.note(&ConnectionNote { client_tls_nanos, ..ConnectionNote::default() });
        let mut early = Early::within(surroundings.head_timeout);
        let protocol = early.protocol(&mut stream).await;
        Plain { surroundings, client: stream, tape, early, client_tls: true }
            .converse(protocol)
            .await
    }

    fn tape(&self, tls: Option<TlsInfo>) -> Tape {
        let info = ConnectionInfo {
            client: self.client,
            server: self.server,
            mode: Some(self.surroundings.mode.into()),
            upstream: Some(self.surroundings.dialler.url().to_owned()),
            tls,
        };
        Tape::open(&self.surroundings.queue, self.id, self.accepted, &info)
    }
}

/// A connection whose octets are plain: without TLS, or with it taken off.
struct Plain<'a, C> {
    surroundings: &'a Surroundings,
    client: C,
    tape: Tape,
    early: Early,
    client_tls: bool,
}

impl<C: Socket + 'static> Plain<'_, C> {
    /// The first request, then the upstream.
    async fn converse(mut self, protocol: Result<Protocol, Cut>) -> Option<Rest> {
        self.record();
        let Surroundings { rewrite, strict, .. } = self.surroundings;
        let mut exchange = Exchange::new(Arc::clone(rewrite), self.client_tls, *strict);
        let first = match protocol {
            Ok(Protocol::Http1) => self.first_head(&mut exchange).await,
            Ok(protocol) => {
                self.tape.fail("sniff", Some(Leg::Client), refusal(protocol));
                return None;
            }
            Err(cut) => Err(cut),
        };
        match first {
            Ok((first, taken)) => self.dial(exchange, first, taken).await,
            Err(cut) => {
                self.end(&cut);
                None
            }
        }
    }

    /// Reads until the first head is whole, or cannot be read as one: what it is to the exchange, and
    /// how many of the early octets it took.
    async fn first_head(
        &mut self,
        exchange: &mut Exchange,
    ) -> Result<(Upward<'static>, usize), Cut> {
        loop {
            let octets = self.early.octets();
            let mut input = octets;
            if let Some(first) = exchange.upward_head(&mut input) {
                return Ok((first, octets.len() - input.len()));
            }
            self.early.clear();
            self.early.read(&mut self.client).await?;
            self.record();
        }
    }

    /// All early octets have just been read.
    fn record(&mut self) {
        let Self { surroundings, tape, early, .. } = self;
        surroundings.counters.read(early.octets().len());
        tape.octets(Leg::Client, Direction::ClientToServer, early.octets());
    }

    /// There is no first request.
    fn end(mut self, cut: &Cut) {
        let up = Direction::ClientToServer;
        match cut {
            Cut::Ended => self.tape.finish(Leg::Client, up, Finish::Fin),
            Cut::TimedOut => {
                let line = format!(
                    "no whole request head within {} s of its first octet; the connection was closed",
                    self.surroundings.head_timeout.as_secs_f32()
                );
                self.tape.fail("head", Some(Leg::Client), line);
            }
            Cut::Broke(error) => {
                tracing::debug!("a connection broke before its first request: {error}");
                self.tape.finish(Leg::Client, up, Finish::Reset);
            }
        }
    }

    async fn dial(
        self,
        exchange: Exchange,
        mut first: Upward<'static>,
        taken: usize,
    ) -> Option<Rest> {
        let Self { surroundings, client, mut tape, early, .. } = self;
        let (dialled, mut note) = match surroundings.dialler.dial().await {
            Ok(dialled) => dialled,
            Err(error) => {
                tape.note(&error.note);
                tape.fail(error.stage, Some(Leg::Upstream), error.message.clone());
                let answer = Answer::bad_gateway(&error.message, "", exchange.awaited_method());
                say(&surroundings.counters, client, tape, answer).await;
                return None;
            }
        };
        if let Upward::Head { alterations, .. } = &mut first {
            note.alterations = mem::take(alterations);
        }
        tape.note(&note);
        let rest = early.octets().get(taken..).unwrap_or_default();
        let early = relay::Early { first, rest };
        let counters = Arc::clone(&surroundings.counters);
        Some(match dialled {
            Dialled::Plain(upstream) => {
                relay(Pump::new((client, upstream), exchange, tape, counters, early))
            }
            Dialled::Tls(upstream) => {
                relay(Pump::new((client, upstream), exchange, tape, counters, early))
            }
        })
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
