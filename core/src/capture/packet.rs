//! Synthetic IP packets: how one connection's octets become TCP segments (RFC 791, 8200, 9293).
//!
//! ```text
//! |Ver 4| IHL 5 |   TOS 0   |          Total Length             |  |Ver 6| Class |   Flow Label: tag     |
//! |   Identification: tag   |DF |        Fragment Offset 0      |  |  Payload Length  |Next Hdr 6|  Hops |
//! |  TTL 64 |  Protocol 6   |          Checksum 0               |  |  Source Address, 4 words            |
//! |  Source Address, Destination Address                        |  |  Destination Address, 4 words       |
//! +-------------------------------------------------------------+--+-------------------------------------+
//! |  Source Port            |          Destination Port         |
//! |  Sequence Number                                            |
//! |  Acknowledgment Number                                      |
//! |  Offset |  flags        |          Window                   |
//! |  Checksum 0             |          Urgent Pointer 0         |
//! ```
//!
//! The *tag* is the low 16 (IPv4) or 20 (IPv6) bits of the connection's number: it tells connections
//! between the same addresses apart, and a packet that is never fragmented may carry anything there
//! (RFC 6864 §4.1).

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;

use super::append::Append;
use super::block::{self, ByteOrder};
use crate::{ConnectionId, Leg, Timestamp};

/// TCP's flags, as in the fourteenth octet of its header.
pub(crate) mod flags {
    /// No more octets from the sender.
    pub(crate) const FIN: u8 = 0x01;
    /// Opens a connection.
    pub(crate) const SYN: u8 = 0x02;
    /// Tears a connection down.
    pub(crate) const RST: u8 = 0x04;
    /// The octets are to be handed on.
    pub(crate) const PSH: u8 = 0x08;
    /// The acknowledgment number counts.
    pub(crate) const ACK: u8 = 0x10;
}

/// Most octets one packet carries: what fits the 65,535 octets of an IPv4 packet.
pub(crate) const MAX_PAYLOAD_LEN: usize = 65_535 - 40;

/// SYNs say so: largest segment 65,495 octets; window scale 14, so that no burst looks as though it
/// had filled the window.
const SYN_OPTIONS: [u32; 2] = [0x0204_FFD7, 0x0103_030E];
const WINDOW: u16 = u16::MAX;

/// Both ends of a TCP connection, as its packets name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flow {
    addresses: Addresses,
    ports: [u16; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Addresses {
    V4([u32; 2]),
    V6([[u32; 4]; 2]),
}

impl Flow {
    /// From `from` to `to`. Where only one is IPv6, the other becomes an IPv4-mapped address.
    pub(crate) fn new(from: SocketAddr, to: SocketAddr) -> Self {
        let addresses = match (from.ip(), to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => Addresses::V4([from.to_bits(), to.to_bits()]),
            (from, to) => Addresses::V6([v6_words(from), v6_words(to)]),
        };
        Self { addresses, ports: [from.port(), to.port()] }
    }

    /// Like [`Flow::new`], but never from an address to itself, where no direction could be told:
    /// the far port is then the next one.
    pub(crate) fn between(client: SocketAddr, server: SocketAddr) -> Self {
        let mut flow = Self::new(client, server);
        if flow == flow.reversed() {
            let [near, far] = flow.ports;
            flow.ports = [near, far.wrapping_add(1)];
        }
        flow
    }

    /// The same connection, seen from its other end.
    pub(crate) fn reversed(self) -> Self {
        let addresses = match self.addresses {
            Addresses::V4([from, to]) => Addresses::V4([to, from]),
            Addresses::V6([from, to]) => Addresses::V6([to, from]),
        };
        let [from, to] = self.ports;
        Self { addresses, ports: [to, from] }
    }

    /// The sender's address.
    pub(crate) fn from(&self) -> SocketAddr {
        let [port, _] = self.ports;
        let ip = match self.addresses {
            Addresses::V4([from, _]) => IpAddr::V4(Ipv4Addr::from_bits(from)),
            Addresses::V6([from, _]) => IpAddr::V6(v6_address(from)),
        };
        SocketAddr::new(ip, port)
    }

    /// The receiver's address.
    pub(crate) fn to(&self) -> SocketAddr {
        self.reversed().from()
    }

    /// As much of a connection's number as the packets of this flow carry.
    pub(crate) fn tag(&self, connection: ConnectionId) -> u32 {
        match self.addresses {
            Addresses::V4(_) => connection.0 & 0xFFFF,
            Addresses::V6(_) => connection.0 & 0xF_FFFF,
        }
    }
}

impl Hash for Flow {
    /// In few words: each packet that is read is looked up by its flow.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [from, to] = self.ports;
        state.write_u32(u32::from(from) << 16 | u32::from(to));
        match self.addresses {
            Addresses::V4([from, to]) => state.write_u64(u64::from(from) << 32 | u64::from(to)),
            Addresses::V6(addresses) => {
                for address in addresses {
                    state.write_u128(v6_address(address).to_bits());
                }
            }
        }
    }
}

fn v6_words(address: IpAddr) -> [u32; 4] {
    let bits = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    };
    [96, 64, 32, 0].map(|shift| u32::try_from(bits >> shift & 0xFFFF_FFFF).unwrap_or(u32::MAX))
}

fn v6_address(words: [u32; 4]) -> Ipv6Addr {
    Ipv6Addr::from_bits(words.into_iter().fold(0, |bits, word| bits << 32 | u128::from(word)))
}

/// What one synthetic packet says besides its octets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PacketHead {
    /// The side of the proxy, which says the interface.
    pub(crate) leg: Leg,
    /// When.
    pub(crate) at: Timestamp,
    /// From the sender to the receiver.
    pub(crate) flow: Flow,
    /// See [`Flow::tag`].
    pub(crate) tag: u32,
    /// Sequence number of the first octet.
    pub(crate) seq: u32,
    /// The next sequence number awaited from the other side.
    pub(crate) ack: u32,
    /// See [`flags`].
    pub(crate) flags: u8,
    /// Shrinks the window by one, so that a packet without octets is a window update and not a
    /// duplicate acknowledgment.
    pub(crate) nudge: bool,
}

impl PacketHead {
    /// Appends the packet in its block. `payload` has at most [`MAX_PAYLOAD_LEN`] octets; `options`
    /// are ready-made options of the block, their end included, or empty.
    pub(crate) fn write(&self, payload: &[u8], options: &[u8], out: &mut impl Append) {
        let syn = self.flags & flags::SYN != 0;
        let ip_len: usize = match self.flow.addresses {
            Addresses::V4(_) => 20,
            Addresses::V6(_) => 40,
        };
        let tcp_len: usize = if syn { 28 } else { 20 };
        let segment_len = tcp_len.saturating_add(payload.len());
        let packet_len = ip_len.saturating_add(segment_len);
        // Type, length, interface, stamp (2 words), captured and original length; length again.
        let block_len =
            32usize.saturating_add(block::padded(packet_len)).saturating_add(options.len());
        out.reserve(block_len);

        let [high, low] = halves(self.at.as_nanos());
        let interface = block::interface_of(self.leg);
        let [block_word, packet_word] = [block_len, packet_len].map(word);
        append_words(
            [block::ENHANCED_PACKET, block_word, interface, high, low, packet_word, packet_word]
                .map(u32::to_le_bytes),
            out,
        );
        match self.flow.addresses {
            Addresses::V4([from, to]) => append_words(
                [0x4500_0000 | packet_word, self.tag << 16 | 0x4000, 0x4006_0000, from, to]
                    .map(u32::to_be_bytes),
                out,
            ),
            Addresses::V6([from, to]) => {
                let head = [0x6000_0000 | self.tag, word(segment_len) << 16 | 0x0640];
                append_words(head.map(u32::to_be_bytes), out);
                append_words(from.map(u32::to_be_bytes), out);
                append_words(to.map(u32::to_be_bytes), out);
            }
        }
        let [from, to] = self.flow.ports;
        let window = WINDOW.wrapping_sub(u16::from(self.nudge));
        append_words(
            [
                u32::from(from) << 16 | u32::from(to),
                self.seq,
                self.ack,
                word(tcp_len) << 26 | u32::from(self.flags) << 16 | u32::from(window),
                0,
            ]
            .map(u32::to_be_bytes),
            out,
        );
        if syn {
            append_words(SYN_OPTIONS.map(u32::to_be_bytes), out);
        }
        out.append(payload);
        block::write_padding(packet_len, out);
        out.append(options);
        out.append(&block_word.to_le_bytes());
    }
}

fn append_words<const N: usize>(words: [[u8; 4]; N], out: &mut impl Append) {
    out.append(words.as_flattened());
}

fn word(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn halves(number: u64) -> [u32; 2] {
    [number >> 32, number & 0xFFFF_FFFF].map(|half| u32::try_from(half).unwrap_or(u32::MAX))
}

/// A TCP segment as it was found in a packet, ours or anyone's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    /// From its sender to its receiver.
    pub(crate) flow: Flow,
    /// IPv4 identification or IPv6 flow label: the tag, where the packet is ours.
    pub(crate) tag: u32,
    /// Sequence number of the first octet, or of the SYN before it.
    pub(crate) seq: u32,
    /// What the sender awaits next, if it says so.
    pub(crate) ack: Option<u32>,
    /// See [`flags`].
    pub(crate) flags: u8,
    /// Where its octets lie in the packet.
    pub(crate) payload: Range<usize>,
    /// How many octets of it were cut off by whoever captured it.
    pub(crate) cut: usize,
}

impl Segment {
    /// Reads a packet of the shape that [`PacketHead::write`] gives it; `None` for any other, such as
    /// one with IP options, and for one cut off within its headers.
    pub(crate) fn of_ours(packet: &[u8]) -> Option<Self> {
        let word = |at: usize| ByteOrder::Big.u32(packet, at);
        let first = word(0)?;
        let (addresses, tag, ip_len, packet_len) = match first >> 24 {
            0x45 => {
                let second = word(4)?;
                let protocol = word(8)? >> 16 & 0xFF;
                // Not TCP, or a fragment.
                if protocol != 6 || second & 0x3FFF != 0 {
                    return None;
                }
                (Addresses::V4([word(12)?, word(16)?]), second >> 16, 20, first & 0xFFFF)
            }
            0x60..=0x6F => {
                let second = word(4)?;
                if second >> 8 & 0xFF != 6 {
                    return None;
                }
                let from = [word(8)?, word(12)?, word(16)?, word(20)?];
                let to = [word(24)?, word(28)?, word(32)?, word(36)?];
                (Addresses::V6([from, to]), first & 0xF_FFFF, 40, (second >> 16).checked_add(40)?)
            }
            _ => return None,
        };
        let tcp = packet.get(ip_len..)?;
        let ports = ByteOrder::Big.u32(tcp, 0)?;
        let seq = ByteOrder::Big.u32(tcp, 4)?;
        let ack = ByteOrder::Big.u32(tcp, 8)?;
        let control = ByteOrder::Big.u32(tcp, 12)?;
        let tcp_len =
            usize::try_from(control >> 28).ok()?.checked_mul(4).filter(|&len| len >= 20)?;
        let start = ip_len.checked_add(tcp_len)?;
        let end = usize::try_from(packet_len).ok()?;
        let len = end.checked_sub(start)?;
        let there = packet.len().checked_sub(start)?.min(len);
        let flags = u8::try_from(control >> 16 & 0xFF).ok()?;
        Some(Self {
            flow: Flow {
                addresses,
                ports: [ports >> 16, ports & 0xFFFF]
                    .map(|port| u16::try_from(port).unwrap_or_default()),
            },
            tag,
            seq,
            ack: (flags & flags::ACK != 0).then_some(ack),
            flags,
            payload: start..start.checked_add(there)?,
            cut: len.checked_sub(there)?,
        })
    }

    /// Whether this flag is set.
    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::*;

    fn head(client: &str, server: &str, flags: u8) -> PacketHead {
        let flow = Flow::between(client.parse().unwrap(), server.parse().unwrap());
        PacketHead {
            leg: Leg::Client,
            at: Timestamp::from_nanos(0x0102_0304_0506_0708),
            flow,
            tag: flow.tag(ConnectionId(0xABC_1234)),
            seq: 0xFFFF_FFFE,
            ack: 7,
            flags,
            nudge: false,
        }
    }

    #[test]
    fn an_ipv4_packet_is_these_octets() {
        let mut out = Vec::new();
        head("192.0.2.1:4660", "198.51.100.2:80", flags::PSH | flags::ACK).write(
            b"hi",
            &[],
            &mut out,
        );
        assert_eq!(
            out,
            hex!(
                "06000000 4c000000 00000000 04030201 08070605 2a000000 2a000000"
                "45 00 002a 1234 4000 40 06 0000 c0000201 c6336402"
                "1234 0050 fffffffe 00000007 5 0 18 ffff 0000 0000"
                "6869 0000"
                "4c000000"
            )
        );
    }

    #[test]
    fn an_ipv6_syn_is_these_octets() {
        let mut out = Vec::new();
        let mut syn = head("[2001:db8::1]:4660", "192.0.2.1:80", flags::SYN);
        syn.leg = Leg::Upstream;
        syn.write(&[], &hex!("0100 0100 78 000000 0000 0000"), &mut out);
        assert_eq!(
            out,
            hex!(
                "06000000 70000000 01000000 04030201 08070605 44000000 44000000"
                "6 00 c1234 001c 06 40"
                "20010db8000000000000000000000001 00000000000000000000ffffc0000201"
                "1234 0050 fffffffe 00000007 7 0 02 ffff 0000 0000 0204ffd7 01 03030e"
                "0100 0100 78 000000 0000 0000"
                "70000000"
            )
        );
    }

    #[test]
    fn packets_are_read_as_they_were_written() {
        for (client, server) in [
            ("127.0.0.1:1", "127.0.0.1:65535"),
            ("[::1]:40000", "[::1]:9000"),
            ("10.0.0.1:40000", "[2001:db8::7]:443"),
            ("127.0.0.1:9", "127.0.0.1:9"),
        ] {
            for (flags, payload) in [
                (flags::SYN, vec![]),
                (flags::ACK | flags::PSH, vec![7; 11]),
                (flags::ACK | flags::PSH, vec![7; MAX_PAYLOAD_LEN]),
                (flags::ACK | flags::FIN, vec![]),
            ] {
                let mut out = Vec::new();
                let head = head(client, server, flags);
                head.write(&payload, &[], &mut out);
                let place =
                    block::PacketPlace::find(ByteOrder::Little, 6, &out[8..out.len() - 4], 0)
                        .unwrap();
                let packet = place.octets(&out[8..]);
                let segment = Segment::of_ours(packet).unwrap();
                assert_eq!((segment.flow, segment.tag), (head.flow, head.tag));
                assert_eq!((segment.seq, segment.flags), (head.seq, flags));
                assert_eq!(segment.ack, (flags & flags::ACK != 0).then_some(7));
                assert_eq!(packet[segment.payload.clone()], payload);
                assert_eq!(segment.cut, 0);

                let cut = Segment::of_ours(&packet[..segment.payload.end - payload.len().min(1)])
                    .unwrap();
                assert_eq!(cut.cut, payload.len().min(1));
                assert_eq!(
                    Segment::of_ours(&packet[..segment.payload.start - 1]).map(|cut| cut.cut),
                    None
                );
            }
        }
    }

    #[test]
    fn a_flow_from_an_address_to_itself_gets_another_far_port() {
        let here = "127.0.0.1:65535".parse().unwrap();
        let flow = Flow::between(here, here);
        assert_eq!((flow.from(), flow.to().port()), (here, 0));
        assert_ne!(flow, flow.reversed());
    }
}
