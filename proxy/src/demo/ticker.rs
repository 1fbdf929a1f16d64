//! `/ticker`: quotes of invented shares, several a second, in JSON; an order book in binary now and then.
//!
//! The first message is a `snapshot` of all shares, then come `quote` messages. The server pings
//! every four seconds. What the client sends is read and ignored.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_tungstenite::tungstenite::Message;

use super::market::{Market, Tick};
use super::peer::{End, Limits, Peer};

pub(super) const LIMITS: Limits =
    Limits { message_max: 4 * 1024, ping_every: Duration::from_secs(4) };

/// Time between two quotes.
const PACE: Duration = Duration::from_millis(400);
/// One order book follows after so many quotes.
const QUOTES_PER_DEPTH: u32 = 8;
/// Messages that may wait for one reader.
const WAITING_MAX: usize = 64;

/// The market and everyone who watches it.
#[derive(Debug)]
pub(super) struct Ticker {
    market: Mutex<Market>,
    watchers: broadcast::Sender<Message>,
}

impl Ticker {
    /// A ticker that stands still until [`Ticker::run`].
    pub fn new(seed: u64) -> Arc<Self> {
        let (watchers, _) = broadcast::channel(WAITING_MAX);
        Arc::new(Self { market: Mutex::new(Market::new(seed)), watchers })
    }

    /// Moves the market for ever, as long as somebody watches.
    pub async fn run(self: Arc<Self>) -> Infallible {
        let mut pace = tokio::time::interval(PACE);
        let mut quotes = 0_u32;
        loop {
            pace.tick().await;
            if self.watchers.receiver_count() == 0 {
                continue;
            }
            quotes = quotes.wrapping_add(1);
            self.tell(|market| text(&market.next()));
            if quotes.is_multiple_of(QUOTES_PER_DEPTH) {
                self.tell(|market| Message::binary(market.depth()));
            }
        }
    }

    /// Moves and tells under one lock, so that who watches from now on misses nothing.
    fn tell(&self, step: impl FnOnce(&mut Market) -> Message) {
        let mut market = self.market.lock();
        // An error says that the last watcher has just left.
        let _ = self.watchers.send(step(&mut market));
    }

    fn watch(&self) -> (Message, broadcast::Receiver<Message>) {
        let market = self.market.lock();
        (text(&market.snapshot()), self.watchers.subscribe())
    }
}

/// Holds one conversation to its end.
pub(super) async fn serve(mut peer: Peer, ticker: &Ticker) {
    let Err(end) = converse(&mut peer, ticker).await;
    peer.finish(end).await;
}

async fn converse(peer: &mut Peer, ticker: &Ticker) -> Result<Infallible, End> {
    let (snapshot, mut ticks) = ticker.watch();
    peer.send(snapshot).await?;
    loop {
        tokio::select! {
            ignored = peer.receive() => drop(ignored?),
            tick = ticks.recv() => match tick {
                Ok(message) => peer.send(message).await?,
                Err(RecvError::Lagged(_) | RecvError::Closed) => return Err(End::slow_reader()),
            }
        }
    }
}

fn text(tick: &Tick) -> Message {
    Message::text(serde_json::to_string(tick).expect("a tick has no key that JSON cannot hold"))
}
