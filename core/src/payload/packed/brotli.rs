//! Brotli, RFC 7932: no header tells it, so it is recognised by coming out whole.

use brotli_decompressor::{
    BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc as Alloc,
};

use super::{Ended, STEP, Sink};
use crate::payload::Fact;
use crate::payload::fault::Fault;

pub(super) fn unpack(payload: &[u8], sink: &mut Sink, _: &mut Vec<Fact>) -> Result<(), Ended> {
    // Strict: windows of more than 16 MiB, which are not of the RFC, are refused.
    let mut state = BrotliState::new_strict(Alloc::default(), Alloc::default(), Alloc::default());
    let mut step = [0; STEP];
    let (mut left, mut at, mut total) = (payload.len(), 0, 0);
    loop {
        let (mut room, mut made) = (STEP, 0);
        let result = BrotliDecompressStream(
            &mut left, &mut at, payload, &mut room, &mut made, &mut step, &mut total, &mut state,
        );
        if !sink.push(step.get(..made).unwrap_or_default()) {
            return Err(Ended::Full { at });
        }
        match result {
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::NeedsMoreInput => {
                return Err(Fault::early_end(payload.len(), "Brotli data").into());
            }
            BrotliResult::ResultFailure => {
                return Err(Fault::wrong(at, "this is not Brotli data").into());
            }
            BrotliResult::ResultSuccess if at < payload.len() => {
                let what = "nothing may follow the compressed data";
                return Err(Fault::wrong(at, what).into());
            }
            BrotliResult::ResultSuccess => return Ok(()),
        }
    }
}
