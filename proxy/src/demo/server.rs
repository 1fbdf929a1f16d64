//! The demo server: one port for the pages and the WebSocket endpoints.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::{
    HeaderName, RETRY_AFTER, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

use super::closing::{self, Closing};
use super::pages::{self, Page};
use super::peer::Peer;
use super::rooms::Rooms;
use super::ticker::Ticker;
use super::transports::{self, Body, boxed};
use super::visitors::Visitors;
use super::{CHAT_PROTOCOL, chat, echo, socket_io, ticker};

/// Connections served at once; the others are answered 503.
const CONNECTIONS_MAX: usize = 256;
/// Time for a client to send a whole request head.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// Time for the WebSockets to be closed at shutdown.
const CLOSE_LIMIT: Duration = Duration::from_secs(3);
/// Pause after a failed accept: it usually means that no file descriptor is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A demo server that listens but does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: std::net::TcpListener,
    local_addr: SocketAddr,
}

impl Server {
    /// Listens on `addr`; port 0 takes a free one. Needs no runtime.
    pub fn bind(addr: SocketAddr) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        let local_addr = listener.local_addr()?;
        Ok(Self { listener, local_addr })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` resolves, then closes every WebSocket with 1001 and returns.
    ///
    /// # Errors
    /// When the runtime does not take the listener; a client's fault never ends the server.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let listener = TcpListener::from_std(self.listener)?;
        let (closer, closing) = closing::channel();
        let rooms: Arc<Rooms> = Arc::default();
        let (socket_io, sockets) = socket_io::service(Arc::clone(&rooms));
        let demo = Arc::new(Demo {
            rooms,
            visitors: Visitors::default(),
            socket_io,
            ticker: Ticker::new(fastrand::u64(..)),
            closing,
        });
        // Dropping the set, here or when the caller drops us, ends every task in it.
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        let mut market = pin!(Arc::clone(&demo.ticker).run());
        let mut tidying = pin!(transports::tidy(&demo.visitors));
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                never = &mut market => match never {},
                never = &mut tidying => match never {},
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        let full = connections.len() >= CONNECTIONS_MAX;
                        connections.spawn(Arc::clone(&demo).connection(stream, full));
                    }
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
            }
        }
        drop(listener);
        closer.close();
        let all_closed = async {
            sockets.close().await;
            while connections.join_next().await.is_some() {}
        };
        // Whoever has not closed by then is cut off when the set is dropped.
        let _ = tokio::time::timeout(CLOSE_LIMIT, all_closed).await;
        Ok(())
    }
}

/// What all connections share.
struct Demo {
    rooms: Arc<Rooms>,
    visitors: Visitors,
    socket_io: socket_io::Service,
    ticker: Arc<Ticker>,
    closing: Closing,
}

/// What a connection becomes after the 101.
struct Upgrading {
    on_upgrade: OnUpgrade,
    endpoint: Endpoint,
}

enum Endpoint {
    Chat { room: String },
    Echo,
    Ticker,
}

impl Demo {
    /// One connection, from its first request to its end as a WebSocket if it becomes one.
    async fn connection(self: Arc<Self>, stream: TcpStream, full: bool) {
        // Small messages shall go out when they are sent; without it they are only late.
        let _ = stream.set_nodelay(true);
        let upgrading = Mutex::new(None);
        let service = service_fn(|request| {
            let answer = self.answer(request, full, &upgrading);
            async { Ok::<_, Infallible>(answer.await) }
        });
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_LIMIT)
            .keep_alive(!full)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut served = pin!(served);
        let mut closing = self.closing.clone();
        let outcome = tokio::select! {
            outcome = &mut served => outcome,
            () = closing.wait() => {
                served.as_mut().graceful_shutdown();
                served.await
            }
        };
        let upgrading = upgrading.lock().take();
        if let (Ok(()), Some(Upgrading { on_upgrade, endpoint })) = (outcome, upgrading)
            && let Ok(upgraded) = on_upgrade.await
        {
            let closing = self.closing.clone();
            match endpoint {
                Endpoint::Chat { room } => {
                    let peer = Peer::new(upgraded, chat::LIMITS, closing).await;
                    chat::serve(peer, &self.rooms, &room).await;
                }
                Endpoint::Echo => {
                    let peer = Peer::new(upgraded, echo::LIMITS, closing).await;
                    echo::serve(peer).await;
                }
                Endpoint::Ticker => {
                    let peer = Peer::new(upgraded, ticker::LIMITS, closing).await;
                    ticker::serve(peer, &self.ticker).await;
                }
            }
        }
    }
}

impl Demo {
    /// Answers one request.
    async fn answer(
        &self,
        request: Request<Incoming>,
        full: bool,
        upgrading: &Mutex<Option<Upgrading>>,
    ) -> Response<Body> {
        let path = request.uri().path();
        if full {
            boxed(busy())
        } else if path.starts_with(socket_io::PATH) {
            let Ok(answer) = self.socket_io.call(request).await;
            answer.map(http_body_util::BodyExt::boxed_unsync)
        } else if transports::is_session(path) {
            transports::answer(request, &self.rooms, &self.visitors, self.closing.clone()).await
        } else {
            boxed(route(request, upgrading))
        }
    }
}

/// Answers one request; where that is a 101, leaves in `upgrading` what comes after it.
fn route(mut request: Request<Incoming>, upgrading: &Mutex<Option<Upgrading>>) -> Page {
    let endpoint = match request.uri().path() {
        "/chat" => match room_asked_for(request.uri().query()) {
            Some(room) => Endpoint::Chat { room: room.to_owned() },
            None => {
                return pages::text(
                    StatusCode::BAD_REQUEST,
                    "The room must be 1 to 32 letters, digits, - or _, as in /chat?room=lobby\n",
                );
            }
        },
        "/echo" => Endpoint::Echo,
        "/ticker" => Endpoint::Ticker,
        path => return pages::answer(request.method(), path, request.headers()),
    };
    if !request.headers().contains_key(UPGRADE) {
        return upgrade_required(
            "This is a WebSocket endpoint: connect to it with ws:// or wss://.\n",
        );
    }
    if request.headers().get(SEC_WEBSOCKET_VERSION).is_some_and(|version| version != "13") {
        return upgrade_required("Only version 13 of the WebSocket protocol is spoken here.\n");
    }
    let Ok(mut response) = create_response_with_body(&request, Full::<Bytes>::default) else {
        return pages::text(
            StatusCode::BAD_REQUEST,
            "This is no opening handshake by RFC 6455: see its section 4.2.1.\n",
        );
    };
    if matches!(endpoint, Endpoint::Chat { .. }) && offers(request.headers(), CHAT_PROTOCOL) {
        let protocol = HeaderValue::from_static(CHAT_PROTOCOL);
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    *upgrading.lock() = Some(Upgrading { on_upgrade: hyper::upgrade::on(&mut request), endpoint });
    response
}

/// The room in the query, `lobby` if none is named; `None` if it may not be called so.
fn room_asked_for(query: Option<&str>) -> Option<&str> {
    let room = transports::field(query, "room").unwrap_or("lobby");
    chat::is_room_name(room).then_some(room)
}

/// Whether the client offers `protocol`, in whichever of its header lines.
fn offers(headers: &HeaderMap, protocol: &str) -> bool {
    let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|name| name.trim() == protocol)
}

fn upgrade_required(line: &'static str) -> Page {
    let mut page = pages::text(StatusCode::UPGRADE_REQUIRED, line);
    let set = |page: &mut Page, name: HeaderName, value| {
        page.headers_mut().insert(name, HeaderValue::from_static(value));
    };
    set(&mut page, UPGRADE, "websocket");
    set(&mut page, SEC_WEBSOCKET_VERSION, "13");
    page
}

fn busy() -> Page {
    let mut page =
        pages::text(StatusCode::SERVICE_UNAVAILABLE, "All places are taken; try again later.\n");
    page.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    page
}
