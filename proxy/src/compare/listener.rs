//! One listener for each transport: comes into the room, notes when it hears what, and leaves.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use http::Method;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::http::Client;
use super::{Transport, number_of};

/// Pause between two polls.
const POLL_EVERY: Duration = Duration::from_secs(1);

/// When which message was heard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    pub number: u32,
    pub at: Instant,
}

/// What the listeners tell of themselves, a permit each.
#[derive(Debug)]
pub(super) struct Attendance {
    /// Those that are in the room.
    pub arrived: Semaphore,
    /// Those that have heard everything.
    pub satisfied: Semaphore,
    /// How many messages that is.
    pub messages: u32,
}

/// What a listener has to hold on to.
struct Ear<'a> {
    leaving: watch::Receiver<bool>,
    attendance: &'a Attendance,
    heard: Vec<Heard>,
}

impl Ear<'_> {
    fn hear(&mut self, notice: &Value) {
        if let Some(number) = number_of(notice) {
            self.heard.push(Heard { number, at: Instant::now() });
            if self.heard.len() as u64 == u64::from(self.attendance.messages) {
                self.attendance.satisfied.add_permits(1);
            }
        }
    }

    /// Notes a text of one or no notice.
    fn hear_text(&mut self, text: &str) {
        if let Ok(notice) = serde_json::from_str(text) {
            self.hear(&notice);
        }
    }

    fn has_arrived(&self) {
        self.attendance.arrived.add_permits(1);
    }
}

/// Listens until it is time to leave; what was heard, also where the transport failed.
pub(super) async fn listen(
    transport: Transport,
    target: SocketAddr,
    leaving: watch::Receiver<bool>,
    attendance: &Attendance,
) -> Vec<Heard> {
    let mut ear = Ear { leaving, attendance, heard: Vec::new() };
    let outcome = match transport {
        Transport::Polling => polls(target, &mut ear, "", POLL_EVERY).await,
        Transport::LongPolling => polls(target, &mut ear, "&wait=25", Duration::ZERO).await,
        Transport::HttpStreaming => stream(target, &mut ear, "stream").await,
        Transport::ServerSentEvents => stream(target, &mut ear, "events").await,
        Transport::WebSocket => websocket(target, &mut ear).await,
        Transport::SocketIo => socket_io(target, &mut ear).await,
    };
    if let Err(error) = outcome {
        tracing::warn!("the listener over {} failed: {error}", transport.label());
    }
    ear.heard
}

async fn join(client: &mut Client) -> io::Result<String> {
    let join = json!({"type": "join", "nick": "listener"}).to_string();
    let joined = client.ask_json(Method::POST, "/chat/sessions?room=lobby", join).await?;
    let session = joined["session"].as_str().ok_or(io::ErrorKind::InvalidData)?;
    Ok(format!("/chat/sessions/{session}"))
}

async fn polls(
    target: SocketAddr,
    ear: &mut Ear<'_>,
    wait: &str,
    pause: Duration,
) -> io::Result<()> {
    let mut client = Client::connect(target).await?;
    let session = join(&mut client).await?;
    ear.has_arrived();
    let mut leaving = ear.leaving.clone();
    let mut last = 0;
    let asking = async {
        loop {
            let path = format!("{session}?after={last}{wait}");
            let news = client.ask_json(Method::GET, &path, String::new()).await?;
            last = news["last"].as_u64().unwrap_or(last);
            for notice in news["notices"].as_array().into_iter().flatten() {
                ear.hear(notice);
            }
            sleep(pause).await;
        }
    };
    tokio::select! {
        failed = asking => failed,
        // The room hears of it when the session has been silent for a while.
        _ = leaving.wait_for(|leaving| *leaving) => Ok(()),
    }
}

async fn stream(target: SocketAddr, ear: &mut Ear<'_>, form: &str) -> io::Result<()> {
    let mut client = Client::connect(target).await?;
    let session = join(&mut client).await?;
    let path = format!("{session}/{form}");
    let mut body = client.send(Method::GET, &path, String::new()).await?.into_body();
    ear.has_arrived();
    // While the answer goes on, its connection is taken: leaving needs another one.
    let mut leaving = ear.leaving.clone();
    let leave = async {
        let _ = leaving.wait_for(|leaving| *leaving).await;
        let mut other = Client::connect(target).await?;
        other.ask(Method::DELETE, &session, String::new()).await
    };
    let read = async {
        let mut rest = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(chunk) = frame.map_err(io::Error::other)?.into_data() else { continue };
            rest.extend_from_slice(&chunk);
            while let Some(end) = rest.iter().position(|octet| *octet == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                ear.hear_text(line.strip_prefix("data: ").unwrap_or(&line));
            }
        }
        io::Result::Ok(())
    };
    let (left, read) = tokio::join!(leave, read);
    left.and(read)
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn websocket(target: SocketAddr, ear: &mut Ear<'_>) -> io::Result<()> {
    let url = format!("ws://{target}/chat?room=lobby");
    let (mut socket, _) = connect_async(url).await.map_err(io::Error::other)?;
    let join = json!({"type": "join", "nick": "listener"});
    socket.send(Message::text(join.to_string())).await.map_err(io::Error::other)?;
    ear.has_arrived();
    frames(&mut socket, ear, |text, ear| {
        ear.hear_text(text);
        None
    })
    .await
}

async fn socket_io(target: SocketAddr, ear: &mut Ear<'_>) -> io::Result<()> {
    let mut client = Client::connect(target).await?;
    let path = "/socket.io/?EIO=4&transport=polling";
    let opened = client.ask(Method::GET, path, String::new()).await?;
    let opened: Value = serde_json::from_slice(opened.get(1..).unwrap_or_default())?;
    let sid = opened["sid"].as_str().ok_or(io::ErrorKind::InvalidData)?;
    let path = format!("{path}&sid={sid}");
    // Engine.IO "4" message, Socket.IO "0" CONNECT.
    client.ask(Method::POST, &path, "40".to_owned()).await?;
    client.ask(Method::GET, &path, String::new()).await?;
    let url = format!("ws://{target}/socket.io/?EIO=4&transport=websocket&sid={sid}");
    let (mut socket, _) = connect_async(url).await.map_err(io::Error::other)?;
    socket.send(Message::text("2probe")).await.map_err(io::Error::other)?;
    frames(&mut socket, ear, |text, ear| match text {
        "3probe" => Some(format!("5\u{0}42{}", json!(["join", {"nick": "listener"}]))),
        "2" => Some("3".to_owned()),
        _ => {
            if text.starts_with("42[\"welcome\"") {
                ear.has_arrived();
            }
            let event = text.strip_prefix("42").and_then(|event| serde_json::from_str(event).ok());
            if let Some(Value::Array(event)) = event
                && let Some(notice) = event.get(1)
            {
                ear.hear(notice);
            }
            None
        }
    })
    .await
}

/// Reads until it is time to leave; `take` hears each text and may answer it, with several messages
/// where NUL stands between them.
async fn frames(
    socket: &mut Socket,
    ear: &mut Ear<'_>,
    take: impl Fn(&str, &mut Ear<'_>) -> Option<String>,
) -> io::Result<()> {
    let mut leaving = ear.leaving.clone();
    loop {
        let message = tokio::select! {
            _ = leaving.wait_for(|leaving| *leaving) => break,
            message = socket.next() => message,
        };
        let Some(message) = message else { return Err(io::ErrorKind::UnexpectedEof.into()) };
        if let Message::Text(text) = message.map_err(io::Error::other)?
            && let Some(answers) = take(&text, ear)
        {
            for answer in answers.split('\0') {
                socket.send(Message::text(answer)).await.map_err(io::Error::other)?;
            }
        }
    }
    // Whether it is answered changes nothing about what was measured.
    let _ = socket.close(None).await;
    Ok(())
}
