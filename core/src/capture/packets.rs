//! From blocks to packets: sections, interfaces, stamps.

use std::mem;
use std::ops::Range;
use std::time::Duration;

use bytes::{Buf, Bytes};

use super::CaptureFault;
use super::block::{
    self, ByteOrder, INTERFACE_DESCRIPTION, INTERFACE_STATISTICS, Interface, PacketPlace,
    SECTION_HEADER, is_packet,
};
use super::blocks::{Block, BlockKind, Blocks, Form};
use super::pcap::PcapHeader;
use super::unrecorded::Unrecorded;
use crate::Timestamp;

/// A packet, as the capture has it.
#[derive(Debug)]
pub(crate) struct Packet {
    /// Where its block starts.
    pub(crate) block_offset: u64,
    /// When; for a packet without a stamp, that of the packet before.
    pub(crate) at: Timestamp,
    /// The interface it was seen on.
    pub(crate) interface: Interface,
    /// The interface's number in its section.
    pub(crate) interface_number: u32,
    /// How many octets it had on the wire.
    pub(crate) original_len: usize,
    /// How the options write their numbers.
    pub(crate) order: ByteOrder,
    /// The body of its block, and where the packet is in it.
    body: Bytes,
    place: PacketPlace,
}

impl Packet {
    /// Its octets, as many as were captured.
    pub(crate) fn octets(&self) -> &[u8] {
        self.place.octets(&self.body)
    }

    /// The options of its block.
    pub(crate) fn options(&self) -> &[u8] {
        self.place.options(&self.body)
    }

    /// How long it was in the proxy, where it is one of ours and says so.
    pub(crate) fn in_proxy(&self) -> Option<Duration> {
        self.interface.leg?;
        block::in_proxy(self.order, self.options())
    }

    /// Takes some of its octets out of it, and leaves it empty.
    pub(crate) fn take(&mut self, part: Range<usize>) -> Bytes {
        // Not a slice, which would count one more owner only to drop one at once.
        let mut octets = mem::take(&mut self.body);
        octets.advance(self.place.start.saturating_add(part.start).min(octets.len()));
        octets.truncate(part.len());
        octets
    }
}

/// Finds the packets of a capture that comes in any pieces.
#[derive(Debug, Default)]
pub(crate) struct Packets {
    blocks: Blocks,
    interfaces: Vec<Interface>,
    /// Stamp of the last packet that had one.
    last_at: Timestamp,
}

/// What must be known to read a capture from its middle.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    form: Form,
    interfaces: Vec<Interface>,
}

impl Packets {
    /// Goes on from the block at `offset` in a capture of this layout.
    pub(crate) fn resume(layout: &Layout, offset: u64) -> Self {
        Self {
            blocks: Blocks::resume(layout.form, offset),
            interfaces: layout.interfaces.clone(),
            last_at: Timestamp::default(),
        }
    }

    /// Behind the preamble that each file of a set begins with.
    pub(crate) fn of_set() -> Self {
        let (mut packets, mut preamble) = (Self::default(), Vec::new());
        block::write_preamble(None, &mut preamble);
        packets.push(preamble.into());
        // There is no packet in it, and no fault.
        let _ = packets.next();
        packets
    }

    /// What was learnt so far; `None` before the capture's first octets.
    pub(crate) fn layout(&self) -> Option<Layout> {
        Some(Layout { form: self.blocks.form()?, interfaces: self.interfaces.clone() })
    }

    /// Takes in octets.
    pub(crate) fn push(&mut self, octets: Bytes) {
        self.blocks.push(octets);
    }

    /// Goes on at `offset`; says what is missing before.
    pub(crate) fn jump(&mut self, offset: u64) -> Option<CaptureFault> {
        self.blocks.jump(offset)
    }

    /// No more octets will come.
    pub(crate) fn finish(&mut self) {
        self.blocks.finish();
    }

    /// Whether everything that was received belongs to a whole block.
    pub(crate) fn is_between_blocks(&self) -> bool {
        self.blocks.is_between_blocks()
    }

    /// The next packet, or what is wrong with the capture; `None` when more octets are needed.
    pub(crate) fn next(&mut self) -> Option<Result<Packet, CaptureFault>> {
        loop {
            match self.blocks.next()? {
                Ok(mut block) => {
                    if let Some(found) = self.receive(&mut block) {
                        return Some(found);
                    }
                }
                Err(fault) => return Some(Err(fault)),
            }
        }
    }

    fn receive(&mut self, block: &mut Block) -> Option<Result<Packet, CaptureFault>> {
        match block.kind {
            BlockKind::Pcap(header) => {
                let place = header.packet(&block.body)?;
                let link_type = header.link_type;
                let interface =
                    Interface { link_type, snap_len: 0, clock: PcapHeader::CLOCK, leg: None };
                Some(Ok(self.packet(block, interface, place)))
            }
            BlockKind::Pcapng(SECTION_HEADER) => {
                self.interfaces.clear();
                None
            }
            BlockKind::Pcapng(INTERFACE_DESCRIPTION) => {
                let Some(interface) = Interface::parse(block.order, &block.body) else {
                    return Some(damaged(block, "an interface description is cut short"));
                };
                self.interfaces.push(interface);
                None
            }
            BlockKind::Pcapng(INTERFACE_STATISTICS) => {
                let Unrecorded { connections, octets } =
                    Unrecorded::read(block.order, &block.body)?;
                let offset = block.offset;
                Some(Err(CaptureFault::Unrecorded { offset, connections, octets }))
            }
            BlockKind::Pcapng(kind) => self.receive_pcapng(block, kind),
        }
    }

    fn receive_pcapng(
        &mut self,
        block: &mut Block,
        kind: u32,
    ) -> Option<Result<Packet, CaptureFault>> {
        if !is_packet(kind) {
            return None;
        }
        let snap_len = self.interfaces.first().map_or(0, |interface| interface.snap_len);
        let Some(place) = PacketPlace::find(block.order, kind, &block.body, snap_len) else {
            return Some(damaged(block, "a packet is longer than its block"));
        };
        let number = usize::try_from(place.interface).unwrap_or(usize::MAX);
        let Some(&interface) = self.interfaces.get(number) else {
            return Some(damaged(block, "a packet names an interface that is not described"));
        };
        Some(Ok(self.packet(block, interface, place)))
    }

    fn packet(&mut self, block: &mut Block, interface: Interface, place: PacketPlace) -> Packet {
        if let Some(ticks) = place.ticks {
            self.last_at = interface.clock.timestamp(ticks);
        }
        Packet {
            block_offset: block.offset,
            at: self.last_at,
            interface,
            interface_number: place.interface,
            original_len: place.original_len,
            order: block.order,
            body: mem::take(&mut block.body),
            place,
        }
    }
}

fn damaged(block: &Block, reason: &str) -> Result<Packet, CaptureFault> {
    Err(CaptureFault::Damaged { offset: block.offset, reason: reason.to_owned() })
}
