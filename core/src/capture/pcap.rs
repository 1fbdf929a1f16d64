//! Classic pcap: a file header, then packets, each behind a header of its own
//! (draft-ietf-opsawg-pcap).
//!
//! ```text
//! | Magic: byte order and unit | Version | 0 | 0 | Snap Length | Link Type |
//! | Seconds | Micro- or nanoseconds | Captured Length | Original Length | octets … |
//! ```

use super::block::{ByteOrder, Clock, PacketPlace};

/// Octets of pcap's file header.
pub(crate) const PCAP_HEADER_LEN: usize = 24;
/// Octets of pcap's record header: two of the stamp, captured and original length.
pub(crate) const PCAP_RECORD_LEN: usize = 16;

/// What a classic pcap file says at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PcapHeader {
    /// How the file writes its numbers.
    pub(crate) order: ByteOrder,
    /// What the second word of a stamp counts.
    pub(crate) nanoseconds: bool,
    /// As in the registry of link types.
    pub(crate) link_type: u16,
}

impl PcapHeader {
    /// Reads the header; `None` where the octets are none.
    pub(crate) fn parse(octets: &[u8]) -> Option<Self> {
        let (order, nanoseconds) = Self::of_magic(octets)?;
        // The upper bits tell the length of frame check sequences.
        let link_type = u16::try_from(order.u32(octets, 20)? & 0xFFFF).ok()?;
        Some(Self { order, nanoseconds, link_type })
    }

    /// Byte order, and whether stamps count nanoseconds, by the first four octets.
    pub(crate) fn of_magic(octets: &[u8]) -> Option<(ByteOrder, bool)> {
        [ByteOrder::Little, ByteOrder::Big].into_iter().find_map(|order| {
            match order.u32(octets, 0)? {
                0xA1B2_C3D4 => Some((order, false)),
                0xA1B2_3C4D => Some((order, true)),
                _ => None,
            }
        })
    }

    /// Finds the packet in a record.
    pub(crate) fn packet(self, record: &[u8]) -> Option<PacketPlace> {
        let seconds = u64::from(self.order.u32(record, 0)?);
        let fraction = u64::from(self.order.u32(record, 4)?);
        let unit = if self.nanoseconds { 1 } else { 1000 };
        let nanos = seconds.checked_mul(1_000_000_000)?.checked_add(fraction.checked_mul(unit)?)?;
        Some(PacketPlace {
            interface: 0,
            ticks: Some(nanos),
            start: PCAP_RECORD_LEN,
            captured_len: self.order.len(record, 8)?,
            original_len: self.order.len(record, 12)?,
        })
    }

    /// What [`PacketPlace::ticks`] counts.
    pub(crate) const CLOCK: Clock = Clock::NANOSECONDS;
}
