//! pcapng blocks: the outer shape of everything in a capture (draft-ietf-opsawg-pcapng §3–4).
//!
//! ```text
//!  0                   1                   2                   3
//! +---------------------------------------------------------------+
//! |  Block Type                                                   |
//! |  Block Total Length (a multiple of 4, this field counted)     |
//! |  Block Body, then Options                                     |
//! |  Block Total Length again, so that one can walk backwards     |
//! +---------------------------------------------------------------+
//! ```

use std::time::Duration;

use super::Leg;
use super::append::Append;
use crate::Timestamp;

/// Section Header Block; reads the same in both byte orders.
pub(crate) const SECTION_HEADER: u32 = 0x0A0D_0D0A;
/// Interface Description Block.
pub(crate) const INTERFACE_DESCRIPTION: u32 = 1;
/// Packet Block, obsolete; still found in old files.
pub(crate) const PACKET: u32 = 2;
/// Simple Packet Block.
pub(crate) const SIMPLE_PACKET: u32 = 3;
/// Interface Statistics Block.
pub(crate) const INTERFACE_STATISTICS: u32 = 5;
/// Enhanced Packet Block.
pub(crate) const ENHANCED_PACKET: u32 = 6;

/// Blocks that are claimed to be longer are taken for damage.
pub(crate) const MAX_BLOCK_LEN: usize = 16 << 20;
/// Type, length, length again.
pub(crate) const MIN_BLOCK_LEN: usize = 12;

/// Link type of packets that begin with their IP header.
pub(crate) const LINK_TYPE_RAW: u16 = 101;

/// Code of a comment, on any block.
pub(crate) const OPT_COMMENT: u16 = 1;
/// How long octets were in the proxy, in nanoseconds, as a number of 32 bits. Codes from 0x8000 on are
/// for local use; on an interface of ours this one is ours.
const OPT_IN_PROXY: u16 = 0x8001;
const OPT_END: u16 = 0;
const SHB_USERAPPL: u16 = 4;
const IF_NAME: u16 = 2;
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;

const BYTE_ORDER_MAGIC: u32 = 0x1A2B_3C4D;

/// What the interface of each leg is called, and recognised by.
const fn interface_name(leg: Leg) -> &'static str {
    match leg {
        Leg::Client => "framescope:client",
        Leg::Upstream => "framescope:upstream",
    }
}

/// The number of a leg's interface in the captures we write.
pub(crate) const fn interface_of(leg: Leg) -> u32 {
    match leg {
        Leg::Client => 0,
        Leg::Upstream => 1,
    }
}

/// Appends what every capture of ours starts with: one section header, two interfaces.
pub(crate) fn write_preamble(comment: Option<&str>, out: &mut Vec<u8>) {
    let mut body = Vec::with_capacity(64);
    body.extend_from_slice(&BYTE_ORDER_MAGIC.to_le_bytes());
    body.extend_from_slice(&1u16.to_le_bytes()); // major version
    body.extend_from_slice(&0u16.to_le_bytes()); // minor version
    body.extend_from_slice(&u64::MAX.to_le_bytes()); // section length: not told
    write_option(
        SHB_USERAPPL,
        concat!("Framescope ", env!("CARGO_PKG_VERSION")).as_bytes(),
        &mut body,
    );
    if let Some(comment) = comment {
        write_option(OPT_COMMENT, comment.as_bytes(), &mut body);
    }
    write_option(OPT_END, &[], &mut body);
    write_block(SECTION_HEADER, &body, out);
    for leg in [Leg::Client, Leg::Upstream] {
        body.clear();
        body.extend_from_slice(&LINK_TYPE_RAW.to_le_bytes());
        body.extend_from_slice(&0u16.to_le_bytes()); // reserved
        body.extend_from_slice(&0u32.to_le_bytes()); // snap length: no limit
        write_option(IF_NAME, interface_name(leg).as_bytes(), &mut body);
        write_option(IF_TSRESOL, &[9], &mut body); // stamps count 10^-9 s
        write_option(OPT_END, &[], &mut body);
        write_block(INTERFACE_DESCRIPTION, &body, out);
    }
}

/// Appends a block with this body, which is a multiple of 4 octets long.
pub(crate) fn write_block(kind: u32, body: &[u8], out: &mut impl Append) {
    let total = u32::try_from(body.len().saturating_add(MIN_BLOCK_LEN)).unwrap_or(u32::MAX);
    out.append(&kind.to_le_bytes());
    out.append(&total.to_le_bytes());
    out.append(body);
    out.append(&total.to_le_bytes());
}

/// What stands for a time in the proxy that is not known, or does not fit.
const UNKNOWN: [u8; 4] = u32::MAX.to_le_bytes();

/// How far before the end of a packet's block the value of the option is: behind it are the end of the
/// options and the block's length.
pub(crate) const IN_PROXY_FROM_END: usize = 12;

/// The options of a packet that was so long in the proxy, their end included.
pub(crate) fn in_proxy_options(in_proxy: Option<Duration>) -> [u8; 12] {
    let [c0, c1] = OPT_IN_PROXY.to_le_bytes();
    let [n0, n1, n2, n3] = in_proxy.map_or(UNKNOWN, in_proxy_value);
    [c0, c1, 4, 0, n0, n1, n2, n3, 0, 0, 0, 0]
}

/// A time in the proxy as a capture has it, for the places that
/// [`StreamEncoder::octets_timed`](super::StreamEncoder::octets_timed) names.
pub fn in_proxy_value(in_proxy: Duration) -> [u8; 4] {
    u32::try_from(in_proxy.as_nanos()).map_or(UNKNOWN, u32::to_le_bytes)
}

/// What [`in_proxy_options`] wrote, among `options`.
pub(crate) fn in_proxy(order: ByteOrder, options: &[u8]) -> Option<Duration> {
    let (_, value) = Options::new(order, options).find(|(code, _)| *code == OPT_IN_PROXY)?;
    let nanos = order.u32(value, 0).filter(|nanos| *nanos != u32::MAX)?;
    Some(Duration::from_nanos(nanos.into()))
}

/// Appends one option: code, length, value, padding. At most 65,535 octets of `value` are kept.
pub(crate) fn write_option(code: u16, value: &[u8], out: &mut Vec<u8>) {
    let len = u16::try_from(value.len()).unwrap_or(u16::MAX);
    let value = value.get(..usize::from(len)).unwrap_or(value);
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(value);
    write_padding(value.len(), out);
}

/// As [`write_option`], for a value that `write` appends. Where it appends more than an option holds,
/// nothing is left of it: says whether it is there.
pub(crate) fn write_option_with(
    code: u16,
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>),
) -> bool {
    let start = out.len();
    write_option(code, &[], out);
    let value_start = out.len();
    write(out);
    let len = out.len().saturating_sub(value_start);
    let field = out.get_mut(value_start.saturating_sub(2)..value_start);
    if let (Ok(len), Some(field)) = (u16::try_from(len), field) {
        field.copy_from_slice(&len.to_le_bytes());
        write_padding(usize::from(len), out);
        return true;
    }
    out.truncate(start);
    false
}

/// Appends the zeros that bring `len` octets to a multiple of 4.
pub(crate) fn write_padding(len: usize, out: &mut impl Append) {
    let zeros: &[u8] = match len % 4 {
        0 => &[],
        1 => &[0; 3],
        2 => &[0; 2],
        _ => &[0; 1],
    };
    out.append(zeros);
}

/// `len` with its padding.
pub(crate) const fn padded(len: usize) -> usize {
    len.next_multiple_of(4)
}

/// How a section writes its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ByteOrder {
    /// Least significant octet first; ours.
    #[default]
    Little,
    /// Most significant octet first.
    Big,
}

impl ByteOrder {
    /// From the octets after a Section Header Block's length.
    pub(crate) fn of_magic(magic: &[u8]) -> Option<Self> {
        [Self::Little, Self::Big]
            .into_iter()
            .find(|order| order.u32(magic, 0) == Some(BYTE_ORDER_MAGIC))
    }

    /// The 16-bit number at `at`.
    pub(crate) fn u16(self, octets: &[u8], at: usize) -> Option<u16> {
        let octets = *octets.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(octets),
            Self::Big => u16::from_be_bytes(octets),
        })
    }

    /// The 32-bit number at `at`.
    pub(crate) fn u32(self, octets: &[u8], at: usize) -> Option<u32> {
        let octets = *octets.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(octets),
            Self::Big => u32::from_be_bytes(octets),
        })
    }

    fn i64(self, octets: &[u8]) -> Option<i64> {
        let octets = *octets.first_chunk()?;
        Some(match self {
            Self::Little => i64::from_le_bytes(octets),
            Self::Big => i64::from_be_bytes(octets),
        })
    }

    /// The 32-bit number at `at`, as a length.
    pub(crate) fn len(self, octets: &[u8], at: usize) -> Option<usize> {
        self.u32(octets, at).and_then(|len| usize::try_from(len).ok())
    }
}

/// Walks the options at the end of a block's body; stops where they do not hold together.
#[derive(Debug, Clone)]
pub(crate) struct Options<'a> {
    order: ByteOrder,
    rest: &'a [u8],
}

impl<'a> Options<'a> {
    /// The options in `rest`.
    pub(crate) fn new(order: ByteOrder, rest: &'a [u8]) -> Self {
        Self { order, rest }
    }
}

impl<'a> Iterator for Options<'a> {
    /// Code and value.
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let code = self.order.u16(self.rest, 0)?;
        let len = usize::from(self.order.u16(self.rest, 2)?);
        let value = self.rest.get(4..)?.get(..len)?;
        self.rest = self.rest.get(4..)?.get(padded(len)..).unwrap_or_default();
        (code != OPT_END).then_some((code, value))
    }
}

/// What an Interface Description Block says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interface {
    /// How its packets begin, as in the registry of link types.
    pub(crate) link_type: u16,
    /// Octets kept of each packet; 0 is no limit.
    pub(crate) snap_len: u32,
    /// What its stamps count.
    pub(crate) clock: Clock,
    /// The leg it stands for, where it is one of ours.
    pub(crate) leg: Option<Leg>,
}

impl Interface {
    /// Reads the body of an Interface Description Block.
    pub(crate) fn parse(order: ByteOrder, body: &[u8]) -> Option<Self> {
        let link_type = order.u16(body, 0)?;
        let snap_len = order.u32(body, 4)?;
        let mut clock = Clock::MICROSECONDS;
        let mut leg = None;
        for (code, value) in Options::new(order, body.get(8..)?) {
            match (code, value) {
                (IF_NAME, name) => {
                    leg = [Leg::Client, Leg::Upstream]
                        .into_iter()
                        .find(|&leg| name == interface_name(leg).as_bytes());
                }
                (IF_TSRESOL, &[resolution]) => clock.resolution = resolution,
                (IF_TSOFFSET, offset) => clock.offset_secs = order.i64(offset).unwrap_or(0),
                _ => {}
            }
        }
        leg = leg.filter(|_| link_type == LINK_TYPE_RAW);
        Some(Self { link_type, snap_len, clock, leg })
    }
}

/// What an interface's stamps count, and from when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    /// Negative power of 10, or of 2 where the high bit is set.
    resolution: u8,
    /// Seconds to be added.
    offset_secs: i64,
}

impl Clock {
    /// Where an interface says nothing.
    pub(crate) const MICROSECONDS: Self = Self { resolution: 6, offset_secs: 0 };
    /// Ours.
    pub(crate) const NANOSECONDS: Self = Self { resolution: 9, offset_secs: 0 };

    /// The point in time that a stamp of this clock means; the nearest one that can be told.
    pub(crate) fn timestamp(self, ticks: u64) -> Timestamp {
        if self == Self::NANOSECONDS {
            return Timestamp::from_nanos(ticks);
        }
        let exponent = u32::from(self.resolution & 0x7F);
        let ticks = i128::from(ticks);
        let billions = ticks.saturating_mul(1_000_000_000);
        let nanos = if self.resolution & 0x80 != 0 {
            billions.checked_shr(exponent).unwrap_or(0)
        } else {
            10i128.checked_pow(exponent).and_then(|unit| billions.checked_div(unit)).unwrap_or(0)
        };
        let nanos =
            nanos.saturating_add(i128::from(self.offset_secs).saturating_mul(1_000_000_000));
        Timestamp::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
    }
}

/// Where the parts of a packet lie in the body of its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PacketPlace {
    /// The interface it was seen on.
    pub(crate) interface: u32,
    /// Its stamp; Simple Packet Blocks have none.
    pub(crate) ticks: Option<u64>,
    /// Where its octets start.
    pub(crate) start: usize,
    /// How many of its octets are there.
    pub(crate) captured_len: usize,
    /// How many octets it had on the wire.
    pub(crate) original_len: usize,
}

/// Whether blocks of this type hold packets.
pub(crate) const fn is_packet(kind: u32) -> bool {
    matches!(kind, ENHANCED_PACKET | PACKET | SIMPLE_PACKET)
}

impl PacketPlace {
    /// Finds the packet in the body of a block of type `kind`; `None` where there is none.
    /// `snap_len` is the one of interface 0, which Simple Packet Blocks need.
    pub(crate) fn find(order: ByteOrder, kind: u32, body: &[u8], snap_len: u32) -> Option<Self> {
        let ticks = |at: usize| {
            let high = u64::from(order.u32(body, at)?);
            let low = u64::from(order.u32(body, at.checked_add(4)?)?);
            Some(high << 32 | low)
        };
        let place = match kind {
            ENHANCED_PACKET => Self {
                interface: order.u32(body, 0)?,
                ticks: Some(ticks(4)?),
                start: 20,
                captured_len: order.len(body, 12)?,
                original_len: order.len(body, 16)?,
            },
            PACKET => Self {
                interface: u32::from(order.u16(body, 0)?),
                ticks: Some(ticks(4)?),
                start: 20,
                captured_len: order.len(body, 12)?,
                original_len: order.len(body, 16)?,
            },
            SIMPLE_PACKET => {
                let original_len = order.len(body, 0)?;
                let snap_len = match usize::try_from(snap_len).ok()? {
                    0 => usize::MAX,
                    limit => limit,
                };
                let captured_len = original_len.min(snap_len);
                Self { interface: 0, ticks: None, start: 4, captured_len, original_len }
            }
            _ => return None,
        };
        (body.len().checked_sub(place.start)? >= place.captured_len).then_some(place)
    }

    /// The packet's octets within the body it was found in.
    pub(crate) fn octets<'a>(&self, body: &'a [u8]) -> &'a [u8] {
        body.get(self.start..).and_then(|rest| rest.get(..self.captured_len)).unwrap_or_default()
    }

    /// The options' octets within the body it was found in.
    pub(crate) fn options<'a>(&self, body: &'a [u8]) -> &'a [u8] {
        body.get(self.start..)
            .and_then(|rest| rest.get(padded(self.captured_len)..))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::*;

    #[test]
    fn our_captures_begin_with_these_octets() {
        let mut out = Vec::new();
        write_preamble(None, &mut out);
        let version = env!("CARGO_PKG_VERSION").len();
        let shb = 28 + 4 + padded("Framescope ".len() + version) + 4;
        assert_eq!(
            out[..8],
            [&hex!("0a0d0d0a")[..], &u32::try_from(shb).unwrap().to_le_bytes()].concat()
        );
        assert_eq!(out[8..24], hex!("4d3c2b1a 0100 0000 ffffffffffffffff"));
        assert_eq!(
            out[shb..shb + 56],
            [
                &hex!("01000000 38000000 6500 0000 00000000 0200 1100")[..],
                b"framescope:client\0\0\0",
                &hex!("0900 0100 09 000000 0000 0000 38000000"),
            ]
            .concat()
        );
        assert_eq!(out.len() % 4, 0);
    }

    #[test]
    fn interfaces_are_read_in_both_byte_orders() {
        let little = hex!("6500 0000 00000100 0900 0100 09 000000 0000 0000");
        let big = hex!("0065 0000 00010000 0009 0001 09 000000 0000 0000");
        for (order, body) in [(ByteOrder::Little, little), (ByteOrder::Big, big)] {
            assert_eq!(
                Interface::parse(order, &body),
                Some(Interface {
                    link_type: 101,
                    snap_len: 65_536,
                    clock: Clock::NANOSECONDS,
                    leg: None
                })
            );
        }
        assert_eq!(Interface::parse(ByteOrder::Little, &little[..7]), None);
    }

    #[test]
    fn stamps_of_any_resolution_become_nanoseconds() {
        for (resolution, offset_secs, ticks, nanos) in [
            (9, 0, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789),
            (6, 0, 1_700_000_000_123_456, 1_700_000_000_123_456_000),
            (3, 0, 1_700_000_000_123, 1_700_000_000_123_000_000),
            (0, 0, 1_700_000_000, 1_700_000_000_000_000_000),
            (12, 0, 1_234_567, 1_234),
            (127, 0, u64::MAX, 0),
            (0x8A, 0, 1024 + 512, 1_500_000_000),
            (0xFF, 0, u64::MAX, 0),
            (6, 2, 5, 2_000_005_000),
            (6, -2, 5, 0),
            (0, 0, u64::MAX, u64::MAX),
        ] {
            let clock = Clock { resolution, offset_secs };
            assert_eq!(clock.timestamp(ticks), Timestamp::from_nanos(nanos), "{clock:?} {ticks}");
        }
    }

    #[test]
    fn options_end_where_they_do_not_hold_together() {
        let octets = hex!("0100 0300 616263 00 0200 0000 0500 ff00 01");
        let options: Vec<_> = Options::new(ByteOrder::Little, &octets).collect();
        assert_eq!(options, [(1, &b"abc"[..]), (2, &b""[..])]);
        let ended = hex!("0000 0000 0100 0100 61 000000");
        assert_eq!(Options::new(ByteOrder::Little, &ended).count(), 0);
    }

    #[test]
    fn packets_are_found_in_each_kind_of_block() {
        let enhanced =
            hex!("01000000 00000000 07000000 03000000 09000000 aabbcc 00 0100 0100 78 000000");
        let place = PacketPlace::find(ByteOrder::Little, ENHANCED_PACKET, &enhanced, 0).unwrap();
        assert_eq!((place.interface, place.ticks, place.original_len), (1, Some(7), 9));
        assert_eq!(place.octets(&enhanced), hex!("aabbcc"));
        assert_eq!(place.options(&enhanced), hex!("0100 0100 78 000000"));

        let obsolete = hex!("0001 0000 00000001 00000002 00000002 00000002 aabb 0000");
        let place = PacketPlace::find(ByteOrder::Big, PACKET, &obsolete, 0).unwrap();
        assert_eq!((place.interface, place.ticks), (1, Some(0x1_0000_0002)));
        assert_eq!(place.octets(&obsolete), hex!("aabb"));

        let simple = hex!("05000000 aabb 0000");
        let place = PacketPlace::find(ByteOrder::Little, SIMPLE_PACKET, &simple, 2).unwrap();
        assert_eq!((place.octets(&simple), place.original_len), (&hex!("aabb")[..], 5));
        assert_eq!(PacketPlace::find(ByteOrder::Little, SIMPLE_PACKET, &simple, 0), None);
    }
}
