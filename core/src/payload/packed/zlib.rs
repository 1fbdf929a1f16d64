//! zlib, RFC 1950, and the DEFLATE data that it and gzip wrap.
//!
//! ```text
//!  CMF (4 bits method = 8, 4 bits window) | FLG (check, dictionary, level) | DEFLATE data | Adler-32
//! ```

use flate2::{Decompress, FlushDecompress, Status};

use super::{Ended, STEP, Sink};
use crate::payload::fault::Fault;
use crate::payload::{Fact, Span};

/// Whether the first two octets can be a zlib header: method 8, a window of at most 2^15, and the two
/// octets a multiple of 31 (§2.2).
pub(in crate::payload) fn is_header(payload: &[u8]) -> bool {
    let Some([cmf, flg]) = payload.first_chunk() else { return false };
    let both = u16::from_be_bytes([*cmf, *flg]);
    cmf & 0x0F == 8 && cmf >> 4 <= 7 && both.is_multiple_of(31)
}

pub(super) fn unpack(payload: &[u8], sink: &mut Sink, facts: &mut Vec<Fact>) -> Result<(), Ended> {
    if !is_header(payload) {
        return Err(Fault::wrong(0, "no zlib header stands here").into());
    }
    if let Some([cmf, flg]) = payload.first_chunk() {
        let window = 1_u64 << (cmf >> 4).saturating_add(8);
        facts.push(Fact::new("window", crate::present::octets(window)).at(Span::at(0, 1)));
        let level = match flg >> 6 {
            0 => "fastest",
            1 => "fast",
            2 => "default",
            _ => "best",
        };
        facts.push(Fact::new("level", level).at(Span::at(1, 1)));
        if flg & 0x20 != 0 {
            let what = "a dictionary is needed, which the payload does not hold";
            return Err(Fault::wrong(1, what).into());
        }
    }
    let end = inflate(payload, 0, Decompress::new(true), "zlib data", sink)?;
    match payload.get(end) {
        None => Ok(()),
        Some(_) => Err(Fault::wrong(end, "nothing may follow the compressed data").into()),
    }
}

/// Inflates from `start` on; where the data ends.
pub(super) fn inflate(
    payload: &[u8],
    start: usize,
    mut stream: Decompress,
    what: &str,
    sink: &mut Sink,
) -> Result<usize, Ended> {
    let mut at = start;
    let mut step = [0; STEP];
    loop {
        let (taken_before, made_before) = (stream.total_in(), stream.total_out());
        let rest = payload.get(at..).unwrap_or_default();
        let status = stream.decompress(rest, &mut step, FlushDecompress::None);
        let moved = |after: u64, before: u64| {
            usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX)
        };
        let taken = moved(stream.total_in(), taken_before);
        let made = moved(stream.total_out(), made_before);
        at = at.saturating_add(taken);
        if !sink.push(step.get(..made).unwrap_or_default()) {
            return Err(Ended::Full { at });
        }
        match status {
            Err(_) => return Err(Fault::wrong(at, format!("this is not {what}")).into()),
            Ok(Status::StreamEnd) => return Ok(at),
            Ok(_) if taken == 0 && made == 0 => {
                return Err(Fault::early_end(payload.len(), what).into());
            }
            Ok(_) => {}
        }
    }
}
