//! The same chat over six transports at once, measured: why there are WebSockets.
//!
//! ```text
//!  speaker ─────────────────────────────────────────► demo server
//!  listener over WebSocket ────► engine, capture ───►     │ one room
//!  listener over events ───────► engine, capture ───►     │
//!  …                                                      ▼
//!  what each heard, and when ─► delays        its capture ─► requests, octets
//! ```
//!
//! Each listener has an engine and a capture of its own, so that what its transport costs is counted
//! from the wire: heads, framing, requests that brought nothing. The speaker is not counted.

mod http;
mod listener;
mod report;
mod tally;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::SinkExt as _;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{connect_async, tungstenite};

pub use report::{Comparison, Row};
pub use tally::Tally;

use crate::demo::Server;
use crate::engine::{Engine, EngineConfig, StartError, Upstream};
use listener::{Attendance, Heard};

/// How long listeners are waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a listener hears of what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A request a second.
    Polling,
    /// A request that is held until there is something to say.
    LongPolling,
    /// An answer that goes on, a line a message.
    HttpStreaming,
    /// `text/event-stream`.
    ServerSentEvents,
    /// Socket.IO, opened by polling and upgraded to WebSocket.
    SocketIo,
    /// RFC 6455.
    WebSocket,
}

impl Transport {
    /// All of them, from the oldest.
    pub const ALL: [Self; 6] = [
        Self::Polling,
        Self::LongPolling,
        Self::HttpStreaming,
        Self::ServerSentEvents,
        Self::SocketIo,
        Self::WebSocket,
    ];

    /// As people write it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Polling => "polling, once a second",
            Self::LongPolling => "long polling",
            Self::HttpStreaming => "HTTP streaming",
            Self::ServerSentEvents => "server-sent events",
            Self::SocketIo => "Socket.IO",
            Self::WebSocket => "WebSocket",
        }
    }
}

/// What is said, and how fast.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Messages that the speaker says.
    pub messages: u32,
    /// Time between two of them, on average.
    pub every: Duration,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// An engine did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The demo server, a folder for the captures or the runtime is not to be had.
    #[error("cannot prepare the comparison: {0}")]
    Prepare(#[from] io::Error),
    /// The speaker cannot reach the demo server.
    #[error("the speaker cannot talk to the demo server: {0}")]
    Speaker(#[from] Box<tungstenite::Error>),
}

/// Lets the speaker say what is planned, and measures what each listener's transport makes of it.
///
/// Takes about `messages` × `every`, and two seconds; listens on loopback only.
///
/// # Errors
/// Where something cannot be started. A listener that fails has what it heard until then.
pub fn compare(plan: Plan) -> Result<Comparison, CompareError> {
    let folder =
        std::env::temp_dir().join(format!("framescope-compare-{:016x}", fastrand::u64(..)));
    std::fs::create_dir(&folder)?;
    let measured = measure(plan, &folder);
    // The figures are what counts; what is left over is in a folder for such things.
    let _ = std::fs::remove_dir_all(&folder);
    measured
}

fn measure(plan: Plan, folder: &std::path::Path) -> Result<Comparison, CompareError> {
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::bind(loopback)?;
    let demo = server.local_addr();
    let mut engines = Vec::new();
    for (number, transport) in Transport::ALL.into_iter().enumerate() {
        let mut config = EngineConfig::new(loopback, Upstream::Url(format!("http://{demo}")));
        config.capture = Some(folder.join(format!("{number}.pcapng")));
        config.data_dir = Some(folder.to_owned());
        engines.push((transport, Engine::start(config)?));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let targets = engines.iter().map(|(transport, engine)| (*transport, engine.listen_addr()));
    let targets: Vec<_> = targets.collect();
    let (said, heard, held) = runtime.block_on(async {
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.run(async move { drop(stopped.await) }));
        let outcome = converse(plan, demo, &targets, &engines).await;
        // The server ends with the runtime where it does not hear this.
        let _ = stop.send(());
        let _ = serving.await;
        outcome
    })?;
    let mut rows = Vec::new();
    for ((transport, engine), (heard, held)) in engines.into_iter().zip(heard.into_iter().zip(held))
    {
        let capture = engine.capture_path().to_owned();
        engine.shutdown();
        let tally = Tally::of(std::fs::File::open(capture)?)?;
        rows.push(Row::new(transport, &tally, held, &said, &heard));
    }
    Ok(Comparison { messages: plan.messages, payload: payload_len(), rows })
}

type Conversation = (Vec<Instant>, Vec<Vec<Heard>>, Vec<u64>);

/// Lets everyone in, says all there is to say, and sees everyone off.
async fn converse(
    plan: Plan,
    demo: SocketAddr,
    targets: &[(Transport, SocketAddr)],
    engines: &[(Transport, Engine)],
) -> Result<Conversation, CompareError> {
    let (leave, leaving) = watch::channel(false);
    let mut listening = JoinSet::new();
    let attendance = Arc::new(Attendance {
        arrived: Semaphore::new(0),
        satisfied: Semaphore::new(0),
        messages: plan.messages,
    });
    for (place, (transport, target)) in targets.iter().copied().enumerate() {
        let (leaving, attendance) = (leaving.clone(), Arc::clone(&attendance));
        listening.spawn(async move {
            (place, listener::listen(transport, target, leaving, &attendance).await)
        });
    }
    // One that cannot come, or does not hear, does not keep the others waiting for ever.
    let all = u32::try_from(targets.len()).unwrap_or(u32::MAX);
    let _ = timeout(PATIENCE, attendance.arrived.acquire_many(all)).await;
    let said = speak(plan, demo).await?;
    let _ = timeout(PATIENCE, attendance.satisfied.acquire_many(all)).await;
    let held = engines.iter().map(|(_, engine)| engine.stats().open).collect();
    let _ = leave.send(true);
    let mut heard = vec![Vec::new(); targets.len()];
    while let Some(left) = listening.join_next().await {
        if let Ok((place, all)) = left
            && let Some(slot) = heard.get_mut(place)
        {
            *slot = all;
        }
    }
    Ok((said, heard, held))
}

/// Says the messages, at moments that no clock of a listener can be in step with.
async fn speak(plan: Plan, demo: SocketAddr) -> Result<Vec<Instant>, CompareError> {
    let told = |error| CompareError::Speaker(Box::new(error));
    let (mut socket, _) =
        connect_async(format!("ws://{demo}/chat?room=lobby")).await.map_err(told)?;
    let join = json!({"type": "join", "nick": "speaker"});
    socket.send(Message::text(join.to_string())).await.map_err(told)?;
    let mut said = Vec::new();
    let mut random = fastrand::Rng::new();
    for number in 0..plan.messages {
        let pause = plan.every.mul_f64(0.5 + random.f64());
        sleep(pause).await;
        said.push(Instant::now());
        let message = json!({"type": "message", "text": text(number)});
        socket.send(Message::text(message.to_string())).await.map_err(told)?;
    }
    // Whether it is answered changes nothing about what was measured.
    let _ = socket.close(None).await;
    Ok(said)
}

/// What is said: the same length for every number.
fn text(number: u32) -> String {
    format!("message {number:06}")
}

/// The number in what was heard, where it is the speaker's.
fn number_of(notice: &Value) -> Option<u32> {
    notice["text"].as_str()?.strip_prefix("message ")?.parse().ok()
}

/// Octets of one notice as the server tells it.
fn payload_len() -> usize {
    let notice = json!({"type": "message", "id": 10, "nick": "speaker", "text": text(0)});
    notice.to_string().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transport_hears_everything_and_the_wire_tells_what_it_costs() {
        let plan = Plan { messages: 20, every: Duration::from_millis(20) };
        let compared = compare(plan).expect("it can be measured");
        let labels: Vec<_> = compared.rows.iter().map(|row| row.transport).collect();
        assert_eq!(labels, Transport::ALL);
        for row in &compared.rows {
            assert_eq!(row.delivered, 20, "{row:?}");
            assert!(row.delay_p50_ms <= row.delay_p99_ms, "{row:?}");
        }
        let of = |wanted| compared.rows.iter().find(|row| row.transport == wanted).expect("a row");
        let (socket, long) = (of(Transport::WebSocket), of(Transport::LongPolling));
        assert_eq!((socket.requests, socket.connections_held), (1, 1));
        assert!(long.requests > 10, "{long:?}");
        assert_eq!(of(Transport::ServerSentEvents).requests, 3);
        // Twenty messages cost twenty frame headers of two octets, and one handshake.
        assert!(socket.head_octets > 200 && socket.head_octets < 1500, "{socket:?}");
        assert!(long.overhead_per_message > 5.0 * socket.overhead_per_message, "{long:?}");
    }
}
