//! The index: any capture, damaged too, gives rows whose read plans read or fail, in bounded memory;
//! of an undamaged one every row reads back what the session saw.
#![no_main]

use std::collections::HashMap;
use std::io::Cursor;

use bytes::Bytes;
use framescope_core::capture::CaptureItem;
use framescope_core::session::Limits;
use framescope_core::{EventKind, Index};
use framescope_fuzz::script::{self, Script};
use framescope_fuzz::{peak, seeds};
use libfuzzer_sys::fuzz_target;

/// An input with this bit set is a capture as it stands.
const RAW: u8 = 0x80;
/// Octets of a frame or message that are read.
const READ_LIMIT: usize = 1 << 20;

fuzz_target!(init: seeds::begin(inputs(), check), |input: &[u8]| check(input));

fn check(input: &[u8]) {
    let Some((&choice, input)) = input.split_first() else { return };
    if choice & RAW != 0 {
        return read_all(input.to_vec());
    }
    let damage = usize::from(choice % 4) * 3;
    let Some((damage, input)) = input.split_at_checked(damage) else { return };
    let script = Script::read(input);
    let mut file = script.capture();
    if damage.is_empty() {
        return read_back(&script, file);
    }
    for poke in damage.chunks_exact(3) {
        let place = usize::from(u16::from_be_bytes([poke[0], poke[1]])) % file.len();
        file[place] = poke[2];
    }
    read_all(file);
}

fn index(file: &[u8]) -> Index {
    let mut index = Index::new();
    script::each_item([Bytes::copy_from_slice(file)], |item| {
        if let CaptureItem::Record { record, block_offset } = item {
            index.receive(&record, block_offset);
        }
    });
    index.finish();
    index
}

/// Reads every row; errors are an answer.
fn read_all(file: Vec<u8>) {
    let index = peak::within((2 << 20) + 128 * file.len(), || index(&file));
    let mut file = Cursor::new(file);
    for row in 0..index.frames().len() {
        let plan = index.frame_plan(row).expect("every row has a plan");
        let read = peak::within(4 << 20, || plan.read_frame(&mut file, 1 << 10));
        if let Ok(content) = read {
            assert!(content.payload.len() <= 1 << 10);
        }
    }
    for row in 0..index.messages().len() {
        let plan = index.message_plan(row).expect("every row has a plan");
        let read = peak::within(4 << 20, || plan.read_message(&mut file, 1 << 10));
        if let Ok(content) = read {
            assert!(content.data.len() <= 1 << 10);
        }
    }
}

fn read_back(script: &Script, file: Vec<u8>) {
    let index = index(&file);
    let mut file = Cursor::new(file);
    let (mut rows, mut messages) = (HashMap::new(), 0);
    for event in script::events(Limits::KEEP, &script.records) {
        match event.kind {
            EventKind::FrameDecoded(frame) => {
                let row = rows.len();
                rows.insert((event.connection, frame.direction, frame.index), row);
                let plan = index.frame_plan(row).expect("every frame has a row");
                let content = plan.read_frame(&mut file, READ_LIMIT).expect("it is in the capture");
                assert_eq!(content.header, frame.header);
                assert_eq!(content.payload, frame.payload);
            }
            EventKind::MessageCompleted(message) => {
                messages += 1;
                let key = (event.connection, message.direction, message.first_frame);
                let first = u32::try_from(rows[&key]).unwrap();
                let row = index
                    .messages()
                    .iter()
                    .position(|row| row.first_frame == first)
                    .expect("every message has a row");
                assert_eq!(index.messages()[row].data_len, message.data_len);
                let plan = index.message_plan(row).expect("every message has a plan");
                let content = plan.read_message(&mut file, 8 << 20).expect("it is in the capture");
                assert_eq!(content.fault, message.fault);
                assert_eq!(content.data, message.data);
            }
            _ => {}
        }
    }
    assert_eq!(rows.len(), index.frames().len());
    assert!(messages <= index.messages().len());
}

fn inputs() -> Vec<Vec<u8>> {
    let mut inputs = Vec::new();
    for input in script::inputs() {
        let file = Script::read(&input).capture();
        if file.len() < 4000 {
            inputs.push([vec![RAW], file].concat());
        }
        inputs.push([&[1, 1, 44, 7][..], &input].concat());
        inputs.push([&[0][..], &input].concat());
    }
    inputs
}
