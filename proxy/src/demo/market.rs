//! Invented shares whose prices walk at random: what the ticker tells.

use serde::Serialize;

/// Levels on each side of an order book in a [`Market::depth`] message.
pub(super) const DEPTH_LEVELS: usize = 8;
/// First octet of a depth message.
pub(super) const DEPTH_TAG: u8 = b'D';

const OPENING: [(&str, &str, u32); 8] = [
    ("ACME", "Acme Anvils", 12_940),
    ("BYTE", "Bytes & Sons", 4_218),
    ("FRAM", "Frame Works", 31_055),
    ("MASK", "Masquerade Keys", 886),
    ("OPCD", "Opcode Union", 5_120),
    ("PING", "Ping Logistics", 7_443),
    ("PONG", "Pong Logistics", 7_442),
    ("WIRE", "Wire & Wave", 18_607),
];

/// All shares and the generator that moves them.
#[derive(Debug)]
pub(super) struct Market {
    random: fastrand::Rng,
    shares: Vec<Share>,
    quotes: u64,
}

#[derive(Debug)]
struct Share {
    symbol: &'static str,
    name: &'static str,
    opening_cents: u32,
    cents: u32,
    volume: u64,
}

/// What the ticker says in text.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Tick {
    /// The first message of each conversation: all shares, in the order of their indexes.
    Snapshot { seq: u64, shares: Vec<Quote> },
    /// One share moved.
    Quote {
        seq: u64,
        #[serde(flatten)]
        quote: Quote,
    },
}

/// One share now.
#[derive(Debug, Serialize)]
pub(super) struct Quote {
    symbol: &'static str,
    name: &'static str,
    price: f64,
    change: f64,
    volume: u64,
}

impl Market {
    /// A market at its opening prices; the same seed gives the same day.
    pub fn new(seed: u64) -> Self {
        let share = |&(symbol, name, cents): &(&'static str, &'static str, u32)| Share {
            symbol,
            name,
            opening_cents: cents,
            cents,
            volume: 0,
        };
        Self {
            random: fastrand::Rng::with_seed(seed),
            shares: OPENING.iter().map(share).collect(),
            quotes: 0,
        }
    }

    /// All shares.
    pub fn snapshot(&self) -> Tick {
        Tick::Snapshot { seq: self.quotes, shares: self.shares.iter().map(Share::quote).collect() }
    }

    /// Moves one share and tells it.
    pub fn next(&mut self) -> Tick {
        let index = self.random.usize(..self.shares.len());
        let share = &mut self.shares[index];
        // At most 0.8 % a step, drawn back to the opening price so that no day runs away.
        let reach = (share.cents / 125).max(2);
        let step = i64::from(self.random.u32(0..=2 * reach)) - i64::from(reach);
        let pull = (i64::from(share.opening_cents) - i64::from(share.cents)) / 40;
        let cents = (i64::from(share.cents) + step + pull).max(100);
        share.cents = u32::try_from(cents).unwrap_or(share.cents);
        share.volume += u64::from(self.random.u32(1..=40)) * 10;
        self.quotes += 1;
        Tick::Quote { seq: self.quotes, quote: share.quote() }
    }

    /// The order book of one share, packed: the tag `D`, the share's index, the number of levels, 0,
    /// then as many bid sizes, then as many ask sizes, 16 bits each in network order.
    pub fn depth(&mut self) -> Vec<u8> {
        let index = self.random.usize(..self.shares.len());
        let mut packed = Vec::with_capacity(4 + 4 * DEPTH_LEVELS);
        packed.extend([DEPTH_TAG, index.to_le_bytes()[0], DEPTH_LEVELS.to_le_bytes()[0], 0]);
        for level in (0..DEPTH_LEVELS).chain(0..DEPTH_LEVELS) {
            let deepest = 200 + 150 * u16::try_from(level).unwrap_or(0);
            packed.extend(self.random.u16(20..deepest).to_be_bytes());
        }
        packed
    }
}

impl Share {
    fn quote(&self) -> Quote {
        Quote {
            symbol: self.symbol,
            name: self.name,
            price: f64::from(self.cents) / 100.0,
            change: (f64::from(self.cents) - f64::from(self.opening_cents)) / 100.0,
            volume: self.volume,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_day() {
        let day = |seed| {
            let mut market = Market::new(seed);
            (0..50).map(|_| serde_json::to_string(&market.next()).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(day(7), day(7));
        assert_ne!(day(7), day(8));
    }

    #[test]
    fn prices_stay_near_their_opening() {
        let mut market = Market::new(1);
        for _ in 0..100_000 {
            market.next();
        }
        for share in &market.shares {
            assert!(share.cents >= 100 && share.cents < 2 * share.opening_cents, "{share:?}");
        }
    }

    #[test]
    fn a_depth_message_is_as_long_as_its_levels_say() {
        let mut market = Market::new(1);
        let depth = market.depth();
        assert_eq!(depth[0], DEPTH_TAG);
        assert!(usize::from(depth[1]) < OPENING.len());
        assert_eq!(depth.len(), 4 + 4 * usize::from(depth[2]));
    }
}
