//! Connections that came and went while the capture could not be written: told as numbers alone.
//!
//! They are in an Interface Statistics Block (draft-ietf-opsawg-pcapng §4.6), for they belong to no
//! packet. Its comment reads `framescope {"unrecorded":{"connections":12,"octets":3456}}`.

use serde::{Deserialize, Serialize};

use super::append::Append;
use super::block::{self, ByteOrder, INTERFACE_STATISTICS, OPT_COMMENT, Options};
use super::comment;
use crate::{Leg, Timestamp};

/// Octets of the block's body before its options: interface, stamp.
const FIXED_LEN: usize = 12;

/// What there was no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Unrecorded {
    /// How many connections are not in the capture at all.
    pub connections: u64,
    /// Octets that they said, both directions together.
    pub octets: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Comment {
    unrecorded: Unrecorded,
}

impl Unrecorded {
    /// Appends the block that tells of it, stamped `at`.
    pub fn write(self, at: Timestamp, out: &mut impl Append) {
        let stamp = at.as_nanos();
        let [high, low] = [stamp >> 32, stamp & 0xFFFF_FFFF]
            .map(|half| u32::try_from(half).unwrap_or_default().to_le_bytes());
        let interface = block::interface_of(Leg::Client).to_le_bytes();
        let mut body = [interface, high, low].concat();
        // Numbers with string keys: there is nothing in them that JSON cannot say.
        let line = serde_json::to_string(&Comment { unrecorded: self }).unwrap_or_default();
        block::write_option(OPT_COMMENT, [comment::START, &line].concat().as_bytes(), &mut body);
        block::write_option(0, &[], &mut body);
        block::write_block(INTERFACE_STATISTICS, &body, out);
    }

    /// Reads the body of an Interface Statistics Block; `None` where it says nothing of the kind.
    pub(crate) fn read(order: ByteOrder, body: &[u8]) -> Option<Self> {
        Options::new(order, body.get(FIXED_LEN..)?)
            .filter(|(code, _)| *code == OPT_COMMENT)
            .filter_map(|(_, value)| value.strip_prefix(comment::START.as_bytes()))
            .find_map(|line| serde_json::from_slice::<Comment>(line).ok())
            .map(|found| found.unrecorded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{CaptureFault, CaptureItem, CaptureReader, write_section_header};

    #[test]
    fn what_is_not_in_the_capture_is_told_where_it_would_have_been() {
        let mut file = Vec::new();
        write_section_header(&mut file);
        let offset = file.len() as u64;
        let lost = Unrecorded { connections: 12, octets: u64::MAX };
        lost.write(Timestamp::from_nanos(1_700_000_000_000_000_001), &mut file);
        let mut reader = CaptureReader::new();
        reader.receive(file.into());
        reader.finish();
        let fault = CaptureFault::Unrecorded { offset, connections: 12, octets: u64::MAX };
        assert_eq!(reader.poll(), Some(CaptureItem::Fault(fault)));
        assert_eq!(reader.poll(), None);
    }

    #[test]
    fn statistics_of_other_tools_are_passed_over() {
        let mut body = vec![0; FIXED_LEN];
        assert_eq!(Unrecorded::read(ByteOrder::Little, &body[..4]), None);
        assert_eq!(Unrecorded::read(ByteOrder::Little, &body), None);
        block::write_option(5, &7_u64.to_le_bytes(), &mut body);
        block::write_option(OPT_COMMENT, b"Counters provided by dumpcap", &mut body);
        assert_eq!(Unrecorded::read(ByteOrder::Little, &body), None);
    }
}
