//! MQTT 3.1, 3.1.1 and 5.0 over WebSocket: control packets in a stream of octets.
//!
//! ```text
//!   7 6 5 4   3 2 1 0
//!  ┌────────┬─────────┬──────────────────┬─────────────────┬─────────┐
//!  │  type  │  flags  │ remaining length │ variable header │ payload │
//!  └────────┴─────────┴──────────────────┴─────────────────┴─────────┘
//!                       1–4 octets, 7 bits each, lowest first
//! ```
//!
//! "A single WebSocket data frame can contain multiple or partial MQTT Control Packets" (MQTT 5 §6.0):
//! the messages of a direction are one stream.

mod names;
mod packet;
mod properties;
mod reader;

use std::collections::HashMap;

use super::conversation::Dissector;
use super::dissection::Packets;
use super::pending::Pending;
use super::{MAX_HELD, MessageFacts, Packet, Problem, ProblemCode, Role, Subprotocol};
use crate::present::{octets, thousands};
use names::type_name;

/// Topic aliases kept for a direction.
const MAX_ALIASES: usize = 4096;

/// One connection's MQTT.
#[derive(Debug, Default)]
pub(super) struct Mqtt {
    /// By [`crate::Direction::index`].
    lanes: [Lane; 2],
    state: State,
}

/// What packets before say about those to come.
#[derive(Debug, Default)]
struct State {
    /// The protocol level of CONNECT: 3, 4 or 5.
    level: Option<u8>,
    pending: Pending<Asked>,
    /// Topics by alias, by [`crate::Direction::index`].
    aliases: [HashMap<u16, Box<str>>; 2],
}

#[derive(Debug, Default)]
struct Lane {
    /// The beginning of a packet that goes on in the next message.
    held: Vec<u8>,
    /// Octets to come of a packet that was told already.
    skip: u64,
    /// Whether a packet was seen.
    has_begun: bool,
}

/// What waits for an answer: the type of the answer, and the packet identifier where there is one.
/// Who asked is part of it: both peers number their packets on their own.
type Asked = (bool, u8, u16);

/// Where a control packet begins and ends.
struct FixedHeader {
    first: u8,
    remaining: u32,
    /// Octets of the fixed header.
    len: usize,
}

enum Header {
    Whole(FixedHeader),
    Unfinished,
    /// The remaining length goes on behind four octets.
    TooLong,
}

impl FixedHeader {
    /// MQTT 5 §2.1, §1.5.5.
    fn read(octets: &[u8]) -> Header {
        let Some((first, rest)) = octets.split_first() else { return Header::Unfinished };
        let mut remaining = 0_u32;
        for (place, octet) in (0_u32..).zip(rest.iter().take(4)) {
            remaining |= u32::from(octet & 0x7F) << (7_u32.saturating_mul(place));
            if octet & 0x80 == 0 {
                return Header::Whole(Self {
                    first: *first,
                    remaining,
                    len: (place as usize).saturating_add(2),
                });
            }
        }
        if rest.len() < 4 { Header::Unfinished } else { Header::TooLong }
    }

    fn total(&self) -> u64 {
        u64::from(self.remaining).saturating_add(self.len as u64)
    }
}

impl Dissector for Mqtt {
    fn receive(&mut self, message: &MessageFacts<'_>, out: &mut Packets) {
        let [up, down] = &mut self.lanes;
        let lane = if message.is_from_client() { up } else { down };
        if message.is_text() {
            let detail = "MQTT goes in binary messages alone (MQTT 5 §6.0, MQTT-6.0.0-1)";
            let problem =
                Problem { code: ProblemCode::WrongOpcode, at: None, detail: detail.into() };
            out.push(Packet::unreadable(Subprotocol::Mqtt, problem));
        }
        lane.receive(message, &mut self.state, out);
    }
}

impl Lane {
    fn receive(&mut self, message: &MessageFacts<'_>, state: &mut State, out: &mut Packets) {
        let mut data = message.data;
        if self.skip > 0 {
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(data.len());
            self.skip = self.skip.saturating_sub(skipped as u64);
            data = data.get(skipped..).unwrap_or_default();
            if self.skip > 0 {
                // Those that were not kept are octets of the same packet, as far as they go.
                self.skip = self.skip.saturating_sub(message.missing());
                return;
            }
        }
        let mut held = std::mem::take(&mut self.held);
        let carried = held.len();
        // Where `data` starts in the message, so that spans count from the message's first octet.
        let begin = message.data.len().saturating_sub(data.len());
        if carried > 0 {
            held.extend_from_slice(data);
            data = &held;
        }
        let at = self.packets(data, Place { carried, begin }, message, state, out);
        let rest = data.len().saturating_sub(at.min(data.len()));
        if rest > 0 && carried > 0 {
            held.drain(..at);
            self.held = held;
        } else if rest > 0 {
            self.held = data.get(at..).unwrap_or_default().to_vec();
        }
    }

    /// Reads packets to the end, or to one that is to be held; says where that begins.
    fn packets(
        &mut self,
        data: &[u8],
        place: Place,
        message: &MessageFacts<'_>,
        state: &mut State,
        out: &mut Packets,
    ) -> usize {
        let mut at = 0_usize;
        while at < data.len() {
            let rest = data.get(at..).unwrap_or_default();
            let header = match FixedHeader::read(rest) {
                Header::Whole(header) => header,
                Header::Unfinished if message.is_whole() => {
                    out.push(part(rest.first().copied(), rest.len(), None));
                    return at;
                }
                Header::Unfinished => return data.len(),
                Header::TooLong => {
                    let detail = "the remaining length has more than four octets (MQTT 5 §1.5.5); \
                                  the next packet is looked for in the next message";
                    out.push(Packet::unreadable(
                        Subprotocol::Mqtt,
                        Problem {
                            code: ProblemCode::Malformed,
                            at: place.offset(at.saturating_add(1)),
                            detail: detail.to_owned(),
                        },
                    ));
                    return data.len();
                }
            };
            let total = header.total();
            let end = usize::try_from(total).ok().and_then(|total| at.checked_add(total));
            let is_first = !std::mem::replace(&mut self.has_begun, true);
            if let Some(whole) = end.and_then(|end| data.get(at..end)) {
                let mut packet = state.packet(&header, whole, place.behind(at), message, true);
                check_first(&mut packet, is_first, &header, message);
                out.push(packet);
                at = at.saturating_add(whole.len());
                continue;
            }
            if message.is_whole() && total <= MAX_HELD as u64 {
                self.has_begun = !is_first;
                out.push(part(Some(header.first), rest.len(), Some(total)));
                return at;
            }
            // Too large to be held, or cut off by the reader of the message: told by its beginning.
            let mut packet = state.packet(&header, rest, place.behind(at), message, false);
            check_first(&mut packet, is_first, &header, message);
            let to_come = total.saturating_sub(rest.len() as u64);
            if message.missing() > to_come {
                let detail = "packets behind this one were not kept".to_owned();
                packet.problem(ProblemCode::OutOfStep, None, detail);
            }
            self.skip = to_come.saturating_sub(message.missing());
            out.push(packet);
            return data.len();
        }
        at
    }
}

/// Where octets that are looked at lie in the message.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// So many of them are of earlier messages.
    carried: usize,
    /// The message offset of the first one that is not.
    begin: usize,
}

impl Place {
    /// The same for the octets from `at` on.
    fn behind(self, at: usize) -> Self {
        match self.carried.checked_sub(at) {
            Some(carried) => Self { carried, ..self },
            None => Self {
                carried: 0,
                begin: self.begin.saturating_add(at.saturating_sub(self.carried)),
            },
        }
    }

    /// The message offset of an octet; none where it is of an earlier message.
    fn offset(self, at: usize) -> Option<usize> {
        Some(at.checked_sub(self.carried)?.saturating_add(self.begin))
    }
}

/// A packet that goes on in the next message.
fn part(first: Option<u8>, so_far: usize, total: Option<u64>) -> Packet {
    let name = type_name(first.unwrap_or_default() >> 4);
    let mut packet = Packet::new(Subprotocol::Mqtt, name, Role::Unknown);
    let so_far = thousands(so_far as u64);
    match total {
        Some(total) => packet.also(&format!("{so_far} of {} so far", octets(total))),
        None => packet.also(&format!("{so_far} so far")),
    };
    packet
}

/// "After a Network Connection is established by a Client to a Server, the first packet sent from the
/// Client to the Server MUST be a CONNECT packet" (MQTT 5 §3.1, MQTT-3.1.0-1).
fn check_first(
    packet: &mut Packet,
    is_first: bool,
    header: &FixedHeader,
    message: &MessageFacts<'_>,
) {
    let is_connect = header.first >> 4 == names::CONNECT;
    if message.is_from_client() && is_first != is_connect {
        let detail = if is_first {
            "the first packet of a client is CONNECT (MQTT 5 §3.1)"
        } else {
            "a client sends CONNECT once (MQTT 5 §3.1)"
        };
        packet.problem(ProblemCode::OutOfOrder, None, detail);
    }
}

#[cfg(test)]
mod tests;
