//! Zstandard, RFC 8878: frames one after the other, some of which are to be skipped.
//!
//! ```text
//!  28 b5 2f fd | descriptor | [window] [dictionary id] [content size] | blocks | [checksum]
//!  5x 2a 4d 18 | length (4) | octets to skip
//! ```

use std::io::Read;

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::{Ended, STEP, Sink};
use crate::payload::cursor::Cursor;
use crate::payload::fault::Fault;
use crate::payload::{Fact, Span};
use crate::present::octets;

/// What a Zstandard frame begins with.
pub(in crate::payload) const MAGIC: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];

/// The largest window that is taken: what RFC 8878 §3.1.1.1.2 recommends to support, "at least 8 MB".
const WINDOW: u64 = 8 << 20;

pub(super) fn unpack(payload: &[u8], sink: &mut Sink, facts: &mut Vec<Fact>) -> Result<(), Ended> {
    let mut at = 0_usize;
    while at < payload.len() || at == 0 {
        let mut input = Cursor::within(payload, Span::new(at, payload.len()));
        let magic: [u8; 4] = input.array("a Zstandard frame")?;
        if let [0x50..=0x5F, 0x2A, 0x4D, 0x18] = magic {
            let len = u32::from_le_bytes(input.array("a frame to skip")?);
            input.take_long(len.into(), "a frame to skip")?;
            at = input.at();
            continue;
        }
        if magic != MAGIC {
            return Err(Fault::wrong(at, "a frame must begin with 28 b5 2f fd").into());
        }
        if at == 0 {
            tell_header(&mut input, facts)?;
        }
        at = frame(payload, at, sink)?;
    }
    Ok(())
}

/// One frame from `start` on; where it ends.
fn frame(payload: &[u8], start: usize, sink: &mut Sink) -> Result<usize, Ended> {
    let source = payload.get(start..).unwrap_or_default();
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(WINDOW);
    let mut stream = StreamingDecoder::new_with_decoder(source, decoder).map_err(|error| {
        let what = format!("the frame header is not right: {error}");
        Fault::wrong(start, what)
    })?;
    let mut step = [0; STEP];
    loop {
        let outcome = stream.read(&mut step);
        let at = payload.len().saturating_sub(stream.get_ref().len());
        match outcome {
            Ok(0) => break,
            Ok(made) if sink.push(step.get(..made).unwrap_or_default()) => {}
            Ok(_) => return Err(Ended::Full { at }),
            Err(_) if at >= payload.len() => {
                return Err(Fault::early_end(payload.len(), "Zstandard data").into());
            }
            Err(error) => {
                return Err(Fault::wrong(at, format!("this is not Zstandard data: {error}")).into());
            }
        }
    }
    let at = payload.len().saturating_sub(stream.get_ref().len());
    let said = stream.decoder.get_checksum_from_data();
    match (said, stream.decoder.get_calculated_checksum()) {
        (Some(said), Some(is)) if said != is => {
            let what = format!("the checksum says {said:08x}, the octets have {is:08x}");
            Err(Fault::wrong(at.saturating_sub(4), what).into())
        }
        _ => Ok(at),
    }
}

/// The window, the dictionary and the size that the frame header tells (§3.1.1.1).
fn tell_header(input: &mut Cursor<'_>, facts: &mut Vec<Fact>) -> Result<(), Fault> {
    let what = "a frame header";
    let descriptor = input.octet(what)?;
    let is_single_segment = descriptor & 0x20 != 0;
    if !is_single_segment {
        let at = input.at();
        let window = input.octet(what)?;
        let base = 1_u64 << (window >> 3).saturating_add(10);
        let window = base.saturating_add((base / 8).saturating_mul(u64::from(window & 7)));
        facts.push(Fact::new("window", octets(window)).at(input.since(at)));
    }
    let little = |octets: &[u8]| octets.iter().rev().fold(0, |all, o| (all << 8) | u64::from(*o));
    let at = input.at();
    let len = match descriptor & 3 {
        3 => 4,
        len => usize::from(len),
    };
    let dictionary = little(input.take(len, what)?);
    if dictionary > 0 {
        facts.push(Fact::new("dictionary", dictionary.to_string()).at(input.since(at)));
    }
    let at = input.at();
    let (len, plus) = match descriptor >> 6 {
        0 => (usize::from(is_single_segment), 0),
        1 => (2, 256),
        2 => (4, 0),
        _ => (8, 0),
    };
    let size = little(input.take(len, what)?).saturating_add(plus);
    if len > 0 {
        facts.push(Fact::new("size told", octets(size)).at(input.since(at)));
    }
    Ok(())
}
