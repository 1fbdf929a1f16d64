//! Two clients, ada and grace, that keep the demo full of life through the proxy.
//!
//! Both chat in the lobby for ever: [`talk`] knows what, [`chatter`] when and how. Grace also
//! follows the ticker, and ada tries the echo endpoint now and then: [`visits`].
//! Who loses its connection comes back.

mod chatter;
mod talk;
mod visits;

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::HeaderValue;
use http::header::{SEC_WEBSOCKET_PROTOCOL, USER_AGENT};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::closing::{self, Closing};

/// Time to connect, and for the closing handshake.
const PATIENCE: Duration = Duration::from_secs(5);

/// The two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Ada,
    Grace,
}

impl Name {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ada => "ada",
            Self::Grace => "grace",
        }
    }
}

/// Runs the clients against `target`, usually the proxy, until `shutdown` resolves; then they say
/// good-bye and it returns.
pub async fn run(target: SocketAddr, shutdown: impl Future<Output = ()>) {
    let (closer, closing) = closing::channel();
    let mut random = fastrand::Rng::new();
    let mut again = |errand: Errand| errand.again(target, random.fork(), closing.clone());
    let (chat, answer) = (again(Errand::Chat(Name::Ada)), again(Errand::Chat(Name::Grace)));
    let (ticker, echo) = (again(Errand::Ticker(Name::Grace)), again(Errand::Echo(Name::Ada)));
    let clients = async { tokio::join!(chat, answer, ticker, echo) };
    let stop = async {
        shutdown.await;
        closer.close();
        sleep(PATIENCE).await;
    };
    tokio::select! {
        _ = clients => {}
        () = stop => {}
    }
}

/// What a client does again and again, one session at a time.
#[derive(Debug, Clone, Copy)]
enum Errand {
    Chat(Name),
    Ticker(Name),
    Echo(Name),
}

impl Errand {
    /// Holds one session after the other, with a pause between, until the clients shall stop.
    async fn again(self, target: SocketAddr, mut random: fastrand::Rng, mut closing: Closing) {
        loop {
            // A session that fails is seen in the inspector; the next one is due all the same.
            let pause = match self.session(target, &mut random, &mut closing).await {
                Ok(()) => random.u64(600..2_500),
                Err(_) => random.u64(1_500..4_000),
            };
            tokio::select! {
                biased;
                () = closing.wait() => return,
                () = sleep(Duration::from_millis(pause)) => {}
            }
        }
    }

    async fn session(
        self,
        target: SocketAddr,
        random: &mut fastrand::Rng,
        closing: &mut Closing,
    ) -> Result<(), Error> {
        match self {
            Self::Chat(name) => chatter::session(target, name, random, closing).await,
            Self::Ticker(name) => visits::watch_ticker(target, name, random, closing).await,
            Self::Echo(name) => visits::try_echo(target, name, random, closing).await,
        }
    }
}

/// One WebSocket of a client.
struct Connection(WebSocketStream<TcpStream>);

impl Connection {
    /// Opens `ws://target/path`.
    async fn open(
        target: SocketAddr,
        path: &str,
        name: Name,
        protocol: Option<&'static str>,
    ) -> Result<Self, Error> {
        let mut request = format!("ws://{target}{path}").into_client_request()?;
        let headers = request.headers_mut();
        let agent = format!("framescope-demo/{} ({})", env!("CARGO_PKG_VERSION"), name.as_str());
        headers.insert(USER_AGENT, HeaderValue::try_from(agent).map_err(http::Error::from)?);
        if let Some(protocol) = protocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
        }
        let config = WebSocketConfig::default()
            .read_buffer_size(8 * 1024)
            .max_message_size(Some(1024 * 1024))
            .max_frame_size(Some(1024 * 1024));
        let opening = async {
            let stream = TcpStream::connect(target).await?;
            stream.set_nodelay(true)?;
            client_async_with_config(request, stream, Some(config)).await
        };
        match timeout(PATIENCE, opening).await {
            Ok(opened) => Ok(Self(opened?.0)),
            Err(_) => Err(Error::Io(std::io::ErrorKind::TimedOut.into())),
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Error> {
        self.0.send(message).await
    }

    /// Sends `text` as several frames of about `part` octets each.
    async fn send_in_parts(&mut self, text: &str, part: usize) -> Result<(), Error> {
        let octets = Bytes::copy_from_slice(text.as_bytes());
        let mut from = 0;
        while from < octets.len() {
            let to = (from + part.max(1)).min(octets.len());
            let opcode = if from == 0 { Data::Text } else { Data::Continue };
            let last = to == octets.len();
            let frame = Frame::message(octets.slice(from..to), OpCode::Data(opcode), last);
            self.send(Message::Frame(frame)).await?;
            from = to;
        }
        Ok(())
    }

    /// The next message of any kind; an error when there will be none. Cancel safe.
    async fn receive(&mut self) -> Result<Message, Error> {
        self.0.next().await.unwrap_or(Err(Error::ConnectionClosed))
    }

    /// Closes and waits for the peer's answer.
    async fn close(mut self, code: u16, reason: &'static str) -> Result<(), Error> {
        self.0.close(Some(CloseFrame { code: code.into(), reason: reason.into() })).await?;
        self.drain().await;
        Ok(())
    }

    /// Reads to the end, for a limited time.
    async fn drain(&mut self) {
        let _ = timeout(PATIENCE, async { while let Some(Ok(_)) = self.0.next().await {} }).await;
    }
}
