//! What permessage-deflate made of a message, on the line of the frame that ends it.

use serde::Serialize;

use crate::export::Compressed;
use crate::message::{CompressionFacts, Microscope, Takeover};

#[derive(Debug, Serialize)]
pub(super) struct CompressionOf {
    wire_len: u64,
    data_len: u64,
    ratio: Option<f64>,
    saved: i64,
    takeover: Option<&'static str>,
    microscope: Option<MicroscopeOf>,
    so_far: SoFarOf,
}

/// The DEFLATE data of one message.
#[derive(Debug, Serialize)]
struct MicroscopeOf {
    stored_blocks: u64,
    fixed_blocks: u64,
    dynamic_blocks: u64,
    stored: u64,
    literals: u64,
    matches: u64,
    matched: u64,
    longest: u64,
    from_before: u64,
    farthest: Option<u32>,
    window_bits: u32,
}

/// All compressed messages of the direction, up to this one.
#[derive(Debug, Serialize)]
struct SoFarOf {
    messages: u64,
    wire_len: u64,
    data_len: u64,
    ratio: Option<f64>,
    saved: i64,
}

impl CompressionOf {
    pub(super) fn of(compressed: &Compressed) -> Self {
        let Compressed { facts, seen, so_far } = compressed;
        Self {
            wire_len: facts.wire_len,
            data_len: facts.data_len,
            ratio: ratio(*facts),
            saved: saved(*facts),
            takeover: seen.map(|(_, takeover)| name(takeover)),
            microscope: seen.map(|(microscope, _)| MicroscopeOf::of(&microscope)),
            so_far: SoFarOf {
                messages: so_far.messages,
                wire_len: so_far.wire_len,
                data_len: so_far.data_len,
                ratio: ratio(*so_far),
                saved: saved(*so_far),
            },
        }
    }
}

impl MicroscopeOf {
    fn of(microscope: &Microscope) -> Self {
        Self {
            stored_blocks: microscope.stored_blocks,
            fixed_blocks: microscope.fixed_blocks,
            dynamic_blocks: microscope.dynamic_blocks,
            stored: microscope.stored,
            literals: microscope.literals,
            matches: microscope.matches,
            matched: microscope.matched,
            longest: microscope.longest,
            from_before: microscope.from_before,
            farthest: microscope.reach.farthest.map(|farthest| farthest.distance),
            window_bits: microscope.window_bits(),
        }
    }
}

/// With two decimals.
#[expect(clippy::cast_precision_loss, reason = "two decimals of a ratio, not an exact count")]
fn ratio(facts: CompressionFacts) -> Option<f64> {
    facts.ratio_percent().map(|percent| percent as f64 / 100.0)
}

fn saved(facts: CompressionFacts) -> i64 {
    let limit = if facts.saved() < 0 { i64::MIN } else { i64::MAX };
    i64::try_from(facts.saved()).unwrap_or(limit)
}

const fn name(takeover: Takeover) -> &'static str {
    match takeover {
        Takeover::Used => "used",
        Takeover::Unused => "unused",
        Takeover::Forgotten => "forgotten",
        Takeover::Broken => "broken",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value as Json, json};

    use super::super::JsonLines;
    use super::super::samples::{deflating, frame, message, stamp};
    use crate::Direction::ServerToClient;
    use crate::present::Secrets;
    use crate::{ConnectionId, Event, EventKind};

    #[test]
    fn the_messages_of_rfc_7692_section_7_2_3_2() {
        let mut out = JsonLines::new(Vec::new(), Secrets::Masked).unwrap();
        let mut kinds = vec![EventKind::HandshakeCompleted(Arc::new(deflating()))];
        for (index, wire) in [(0, "c1 07 f248cdc9c90700"), (1, "c1 05 f200110000")] {
            let frame = frame(ServerToClient, index, wire);
            let message = message(&frame, b"Hello");
            kinds.extend([EventKind::FrameDecoded(frame), EventKind::MessageCompleted(message)]);
        }
        // Not compressed, on the same lane.
        let plain = frame(ServerToClient, 2, "81 02 6869");
        let said = message(&plain, b"hi");
        kinds.extend([EventKind::FrameDecoded(plain), EventKind::MessageCompleted(said)]);
        for kind in kinds {
            out.receive(Event { connection: ConnectionId(7), at: stamp(3), kind }).unwrap();
        }
        let text = String::from_utf8(out.out().clone()).unwrap();
        let told: Vec<Json> = text
            .lines()
            .map(|line| serde_json::from_str::<Json>(line).unwrap())
            .filter(|line| line["type"] == "frame")
            .map(|line| line["compression"].clone())
            .collect();
        assert_eq!(told[0]["takeover"], "unused");
        assert_eq!((&told[0]["ratio"], &told[0]["saved"]), (&json!(0.71), &json!(-2)));
        assert_eq!(told[0]["microscope"]["literals"], 5);
        assert_eq!(told[1]["takeover"], "used");
        assert_eq!(told[1]["microscope"]["from_before"], 4);
        let so_far =
            json!({"messages": 2, "wire_len": 12, "data_len": 10, "ratio": 0.83, "saved": -2});
        assert_eq!(told[1]["so_far"], so_far);
        assert_eq!(told[2], Json::Null);
    }
}
