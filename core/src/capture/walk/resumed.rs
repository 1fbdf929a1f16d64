//! Reading on where a file of a set begins, because the file before, in which the known packet of the lane
//! is, was deleted: there the stream is said to go on, and how much was sent before.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use super::{Anchor, Entry, Pattern, REACH, Wanted, Window};
use crate::capture::comment::{Comment, Resume};
use crate::capture::packet::Segment;
use crate::capture::packets::{Layout, Packet, Packets};
use crate::{ConnectionId, Direction, Leg};

impl Entry {
    /// Fills what is there of the entry's octets. Says whether the stream was found to go on.
    pub(crate) fn fill_resumed<R: Read + Seek>(
        &self,
        lane: (ConnectionId, Direction),
        layout: &Layout,
        part: &Range<u64>,
        window: &mut Window<'_, R>,
        wanted: &mut Wanted,
    ) -> io::Result<bool> {
        let reach = self.block_offset..self.block_offset.saturating_add(REACH);
        let Some(start) = window.first_there(reach.clone())? else { return Ok(false) };
        let Some(anchor) = window.resumed(lane, layout, start..reach.end)? else {
            return Ok(false);
        };
        self.walk(start, Some(anchor), layout, part, window, wanted)
    }
}

impl<R: Read + Seek> Window<'_, R> {
    /// The first offset of this range that is in a file that is there.
    fn first_there(&mut self, range: Range<u64>) -> io::Result<Option<u64>> {
        let Range { mut start, mut end } = range;
        if !self.is_there(end)? {
            return Ok(None);
        }
        while start < end {
            let middle = start.midpoint(end);
            if self.is_there(middle)? {
                end = middle;
            } else {
                start = middle.saturating_add(1);
            }
        }
        Ok(Some(start))
    }

    fn is_there(&mut self, offset: u64) -> io::Result<bool> {
        match self.file.seek(SeekFrom::Start(offset)) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// How the lane goes on, where one of the blocks of this range says so.
    fn resumed(
        &mut self,
        lane: (ConnectionId, Direction),
        layout: &Layout,
        range: Range<u64>,
    ) -> io::Result<Option<Anchor>> {
        let mut packets = Packets::resume(layout, range.start);
        let mut position = range.start;
        loop {
            let octets = self.read(position)?;
            if octets.is_empty() {
                return Ok(None);
            }
            position = position.saturating_add(octets.len() as u64);
            packets.push(octets);
            while let Some(found) = packets.next() {
                let Ok(packet) = found else { continue };
                if packet.block_offset >= range.end {
                    return Ok(None);
                }
                if let Some(anchor) = Anchor::resumed(&packet, lane) {
                    return Ok(Some(anchor));
                }
            }
        }
    }
}

impl Anchor {
    /// What a packet with which a connection goes on says of one of its lanes.
    fn resumed(
        packet: &Packet,
        (connection, direction): (ConnectionId, Direction),
    ) -> Option<Self> {
        if packet.interface.leg != Some(Leg::Client) || packet.options().is_empty() {
            return None;
        }
        let comments = Comment::read(packet.order, packet.options()).into_iter().flatten();
        let Resume { sent, again, .. } = comments
            .filter(|comment| comment.id == connection)
            .find_map(|comment| comment.resume)?;
        // The client says it.
        let segment = Segment::of_ours(packet.octets())?;
        let next = match again {
            Some(again) => again.next,
            None => [segment.seq, segment.ack?],
        };
        let ([up_sent, down_sent], [up_next, down_next]) = (sent, next);
        let (flow, lane_end, seq_end) = match direction {
            Direction::ClientToServer => (segment.flow, up_sent, up_next),
            Direction::ServerToClient => (segment.flow.reversed(), down_sent, down_next),
        };
        let pattern = Pattern { flow, ours: Some((packet.interface_number, segment.tag)) };
        Some(Self { pattern, lane_end, seq_end })
    }
}
