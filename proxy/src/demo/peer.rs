//! One WebSocket of the demo server, with the limits that every endpoint keeps.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use super::closing::Closing;

/// A reader that takes nothing for this long is too slow.
const WRITE_LIMIT: Duration = Duration::from_secs(10);
/// How long a peer may take to answer a Close frame, and then to close its socket.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// Pings that may stand unanswered before the peer counts as gone.
const UNANSWERED_PINGS: u32 = 3;
/// A Close frame holds at most 125 octets, of which two are the code (RFC 6455 §5.5).
const REASON_MAX: usize = 123;

/// What an endpoint allows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Largest message it takes, in octets.
    pub message_max: usize,
    /// Time between two of our pings.
    pub ping_every: Duration,
}

/// Why a conversation ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The peer closed, or its connection broke: nothing more can be said.
    Gone,
    /// We close, with this code and reason.
    Close(u16, String),
}

impl End {
    /// The peer broke a rule of this server: 1008.
    pub fn policy(reason: &str) -> Self {
        Self::Close(CloseCode::Policy.into(), reason.to_owned())
    }

    /// The peer does not read what it asked for: 1008.
    pub fn slow_reader() -> Self {
        Self::policy("reads too slowly")
    }

    /// There is no room for it now: 1013.
    pub fn try_again_later(reason: &str) -> Self {
        Self::Close(CloseCode::Again.into(), reason.to_owned())
    }
}

/// One WebSocket.
pub(super) struct Peer {
    socket: WebSocketStream<TokioIo<Upgraded>>,
    closing: Closing,
    heartbeat: Interval,
    pings_sent: u32,
    unanswered: u32,
}

impl Peer {
    /// Takes over an upgraded connection.
    pub async fn new(upgraded: Upgraded, limits: Limits, closing: Closing) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(8 * 1024)
            .write_buffer_size(0)
            .max_write_buffer_size(2 * limits.message_max + 64 * 1024)
            .max_message_size(Some(limits.message_max))
            .max_frame_size(Some(limits.message_max));
        let io = TokioIo::new(upgraded);
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        let mut heartbeat = interval(limits.ping_every);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.reset();
        Self { socket, closing, heartbeat, pings_sent: 0, unanswered: 0 }
    }

    /// The next text or binary message. Answers pings, sends ours, and follows the closing handshake.
    ///
    /// Cancel safe: no message is lost.
    pub async fn receive(&mut self) -> Result<Message, End> {
        loop {
            tokio::select! {
                biased;
                () = self.closing.wait() => {
                    return Err(End::Close(CloseCode::Away.into(), "the demo server stops".into()));
                }
                message = self.socket.next() => {
                    self.unanswered = 0;
                    match message {
                        Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => return Ok(message),
                        Some(Ok(Message::Close(_))) => return Err(self.see_off().await),
                        // Tungstenite answers a ping at the next read.
                        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                        Some(Err(fault)) => return Err(end_for(&fault)),
                        None => return Err(End::Gone),
                    }
                }
                _ = self.heartbeat.tick() => self.ping().await?,
            }
        }
    }

    /// Sends one message; a peer that does not take it in time is a slow reader.
    pub async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(WRITE_LIMIT, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::slow_reader()),
        }
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.unanswered >= UNANSWERED_PINGS {
            return Err(End::policy("no answer to our pings"));
        }
        self.unanswered += 1;
        self.pings_sent = self.pings_sent.wrapping_add(1);
        let payload = format!("demo {}", self.pings_sent);
        self.send(Message::Ping(Bytes::from(payload))).await
    }

    /// The peer sent Close: lets the answer out and waits for the socket to end.
    async fn see_off(&mut self) -> End {
        let _ = timeout(CLOSE_LIMIT, async { while let Some(Ok(_)) = self.socket.next().await {} })
            .await;
        End::Gone
    }

    /// Ends the conversation as `end` says, and the connection in any case.
    pub async fn finish(mut self, end: End) {
        if let End::Close(code, reason) = end {
            let frame = CloseFrame { code: code.into(), reason: cut(&reason).into() };
            let said = timeout(CLOSE_LIMIT, self.socket.close(Some(frame))).await;
            if matches!(said, Ok(Ok(()))) {
                self.see_off().await;
            }
        }
        linger(self.socket.into_inner()).await;
    }
}

/// Closes our direction and reads until the peer closes its own: octets that stand unread when a
/// socket is closed make the kernel send RST, which can overtake the Close frame.
async fn linger(mut io: TokioIo<Upgraded>) {
    let mut scratch = [0; 4096];
    let _ = timeout(CLOSE_LIMIT, async {
        io.shutdown().await?;
        while io.read(&mut scratch).await? > 0 {}
        std::io::Result::Ok(())
    })
    .await;
}

/// The close code that RFC 6455 §7.4.1 gives for a fault of the peer.
fn end_for(fault: &Error) -> End {
    let code = match fault {
        Error::Capacity(_) => CloseCode::Size,
        Error::Protocol(_) => CloseCode::Protocol,
        Error::Utf8(_) => CloseCode::Invalid,
        _ => return End::Gone,
    };
    End::Close(code.into(), fault.to_string())
}

/// As much of `reason` as a Close frame holds, whole characters only.
fn cut(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(REASON_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_cut_at_a_whole_character() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"x".repeat(200)).len(), 123);
        // 61 two-octet characters are 122 octets; half of the 62nd must not go out.
        assert_eq!(cut(&"é".repeat(100)), "é".repeat(61));
    }
}
