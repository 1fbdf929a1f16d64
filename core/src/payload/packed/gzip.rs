//! gzip, RFC 1952: members, each with a header, DEFLATE data, a check and a length.
//!
//! ```text
//!  1f 8b | 08 | flags | mtime (4) | extra flags | system | [extra] [name 00] [comment 00] [crc16]
//!  DEFLATE data | CRC-32 (4) | length modulo 2^32 (4)
//! ```

use flate2::{Crc, Decompress};

use super::zlib::inflate;
use super::{Ended, Sink};
use crate::payload::cursor::Cursor;
use crate::payload::fault::Fault;
use crate::payload::{Fact, Span, moment};

pub(super) fn unpack(payload: &[u8], sink: &mut Sink, facts: &mut Vec<Fact>) -> Result<(), Ended> {
    let mut input = Cursor::new(payload);
    let mut members = 0_u64;
    while members == 0 || !input.is_at_end() {
        let is_first = members == 0;
        header(&mut input, is_first.then_some(&mut *facts))?;
        let before = sink.out.len();
        let stream = Decompress::new(false);
        let end = inflate(payload, input.at(), stream, "DEFLATE data", sink)?;
        input = Cursor::within(payload, Span::new(end, payload.len()));
        trailer(&mut input, sink.out.get(before..).unwrap_or_default())?;
        members = members.saturating_add(1);
    }
    if members > 1 {
        facts.push(Fact::new("members", members.to_string()));
    }
    Ok(())
}

fn header(input: &mut Cursor<'_>, facts: Option<&mut Vec<Fact>>) -> Result<(), Fault> {
    let what = "a gzip header";
    let start = input.at();
    let [id1, id2, method, flags] = input.array(what)?;
    if [id1, id2] != [0x1F, 0x8B] {
        return Err(Fault::wrong(start, "a gzip member must begin with 1f 8b"));
    }
    if method != 8 {
        let at = start.saturating_add(2);
        return Err(Fault::wrong(at, format!("there is no compression method {method}")));
    }
    let mtime_at = input.at();
    let mtime = u32::from_le_bytes(input.array(what)?);
    input.take(2, what)?;
    if flags & 4 != 0 {
        let len = u16::from_le_bytes(input.array(what)?);
        input.take(usize::from(len), what)?;
    }
    let mut named = Vec::new();
    for (flag, label) in [(8, "file name"), (16, "comment")] {
        if flags & flag != 0 {
            let at = input.at();
            let end = memchr::memchr(0, input.rest()).ok_or_else(|| input.early_end(what))?;
            // "text must consist of ISO 8859-1 (LATIN-1) characters" (§2.3.1)
            let text: String = input.take(end, what)?.iter().map(|o| char::from(*o)).collect();
            named.push(Fact::new(label, text).at(input.since(at)));
            input.octet(what)?;
        }
    }
    if flags & 2 != 0 {
        input.take(2, what)?;
    }
    if let Some(facts) = facts {
        if mtime > 0
            && let Some(text) = moment::of_seconds(mtime.into(), 0)
        {
            facts.push(Fact::new("modified", text).at(Span::at(mtime_at, 4)));
        }
        facts.extend(named);
    }
    Ok(())
}

fn trailer(input: &mut Cursor<'_>, unpacked: &[u8]) -> Result<(), Fault> {
    let start = input.at();
    let sum = u32::from_le_bytes(input.array("the check of a gzip member")?);
    let len = u32::from_le_bytes(input.array("the length of a gzip member")?);
    let mut crc = Crc::new();
    crc.update(unpacked);
    if crc.sum() != sum {
        let what = format!("the check says {sum:08x}, the octets have {:08x}", crc.sum());
        return Err(Fault::wrong(start, what));
    }
    if crc.amount() != len {
        let what = format!("the length says {len}, the octets are {}", crc.amount());
        return Err(Fault::wrong(start.saturating_add(4), what));
    }
    Ok(())
}
