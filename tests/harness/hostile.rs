//! Hostile conversations, each made from a seed alone: what both peers say, in which pieces, and how it ends.

use std::ops::Range;

use framescope_core::{Direction, MaskingKey, Opcode};

use crate::wire::{Random, frame, noise, request, response};

/// One conversation. Whoever knows its seed knows every octet of it.
#[derive(Debug)]
pub struct Hostile {
    /// What it is made from; it stands in the target of the request.
    pub seed: u64,
    /// All that the client says: the opening request, then anything.
    pub up: Vec<u8>,
    /// All that the server says: the 101, then anything.
    pub down: Vec<u8>,
    /// How it ends.
    pub ending: Ending,
    /// Octets of each head, by [`Direction::index`].
    heads: [usize; 2],
    /// Whether what follows the heads is written together with them.
    is_glued: bool,
}

/// How a conversation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Both talk at once, and each says FIN when it has said all.
    Together,
    /// The server talks after the client's FIN.
    ClientFirst,
    /// The client talks after the server's FIN.
    ServerFirst,
    /// The client says RST when both have heard all.
    ClientResets,
    /// The server does.
    ServerResets,
    /// The client says all it has to say and RST behind it, and hears nothing.
    ClientVanishes,
    /// The server does, once it has read the request's head.
    ServerVanishes,
}

impl Ending {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Together,
        Self::ClientFirst,
        Self::ServerFirst,
        Self::ClientResets,
        Self::ServerResets,
        Self::ClientVanishes,
        Self::ServerVanishes,
    ];

    /// Whether octets may be lost on the way: RST overtakes them on any wire.
    pub fn loses(self) -> bool {
        matches!(self, Self::ClientVanishes | Self::ServerVanishes)
    }
}

impl Hostile {
    /// The conversation of this seed.
    pub fn from_seed(seed: u64) -> Self {
        let random = &mut Random::new(seed);
        let extension = match random.below(2) {
            0 => "",
            _ => "Sec-WebSocket-Extensions: permessage-deflate\r\n",
        };
        let mut up = request(&format!("/{seed}"), "h", extension).into_bytes();
        let mut down = response(extension).into_bytes();
        let heads = [up.len(), down.len()];
        say_anything(random, Some(MaskingKey([1, 0, 0xFF, 0x5A])), &mut up);
        say_anything(random, None, &mut down);
        let ending = Ending::ALL[random.below(Ending::ALL.len())];
        // Who hears the end of it knows that the other has heard all.
        for (lane, head) in [(&mut up, heads[0]), (&mut down, heads[1])] {
            if lane.len() == head && matches!(ending, Ending::ClientResets | Ending::ServerResets) {
                lane.push(b'.');
            }
        }
        Self { seed, up, down, ending, heads, is_glued: random.below(2) == 0 }
    }

    /// The conversation whose client says this first.
    pub fn of_client_lane(octets: &[u8]) -> Option<Self> {
        let rest = octets.strip_prefix(b"GET /")?;
        let digits = rest.split(|octet| *octet == b' ').next()?;
        let seed = std::str::from_utf8(digits).ok()?.parse().ok()?;
        Some(Self::from_seed(seed))
    }

    /// What this direction carries.
    pub fn lane(&self, direction: Direction) -> &[u8] {
        match direction {
            Direction::ClientToServer => &self.up,
            Direction::ServerToClient => &self.down,
        }
    }

    /// The pieces that a lane is written in. The first is the head, with some of what follows it
    /// where the conversation glues them and `may_glue`.
    pub fn pieces(&self, direction: Direction, may_glue: bool) -> Vec<Range<usize>> {
        let random = &mut Random::new(self.seed ^ direction.index() as u64 ^ 0xD1B5);
        let (lane, head) = (self.lane(direction), self.heads[direction.index()]);
        let glued = if self.is_glued && may_glue { random.length(lane.len() - head) } else { 0 };
        let mut at = head + glued;
        let mut pieces: Vec<_> = std::iter::once(0..at).collect();
        while at < lane.len() {
            let rest = lane.len() - at;
            // Small ones first, so that headers are cut; then no more than a few.
            let len = if pieces.len() < 12 { 1 + random.length(rest - 1) } else { rest };
            pieces.push(at..at + len);
            at += len;
        }
        pieces
    }
}

/// Noise, frames, frames that break every rule, HTTP where none may be, or nothing.
fn say_anything(random: &mut Random, key: Option<MaskingKey>, out: &mut Vec<u8>) {
    let len = match random.below(100) {
        0..=69 => random.below(400),
        70..=92 => random.below(4_000),
        93..=98 => random.below(70_000),
        _ => random.below(500_000),
    };
    let end = out.len() + len;
    match random.below(5) {
        0 => out.extend(noise(random.next(), len)),
        1 => {
            while out.len() < end {
                let payload = noise(random.next(), random.length(end - out.len()));
                let opcode = Opcode::from_bits(random.octet());
                out.extend(frame(random.below(4) > 0, opcode, key, &payload));
            }
        }
        2 => {
            while out.len() < end {
                // Any header, any length, as much payload as there happens to be.
                out.extend(noise(random.next(), 2));
                let edge = [0, 1, 125, 126, 127, 0xFFFF, u64::MAX >> 1, u64::MAX][random.below(8)];
                out.extend(&edge.to_be_bytes()[random.below(8)..]);
                out.extend(noise(random.next(), random.length(end.saturating_sub(out.len()))));
            }
        }
        3 => {
            while out.len() < end {
                let line: &[u8] = match random.below(6) {
                    0 => b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n",
                    1 => b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
                    2 => b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                    3 => b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                    4 => b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                    _ => b"\x1b]0;title\x07\x1b[2J\r\n\0",
                };
                out.extend(line);
            }
        }
        _ => {}
    }
}
