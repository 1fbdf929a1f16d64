//! Whole payloads, written to files.

use std::path::Path;

use framescope_core::Opcode;
use framescope_gui::store::saving::Payload;
use framescope_gui::store::{RowKey, Target};

use crate::fixture::{Capture, UP, Window, frame_octets};

/// Writes it: how it ended.
pub fn saved(window: &Window, payload: Payload, path: &Path) -> Result<String, String> {
    let target = Target::new(path, [&**window.app().source()], true)?;
    let saving = window.app().store().find_payload(payload)?.save(target);
    loop {
        if let Some(end) = saving.end() {
            return end;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_payload_is_saved_whole_unmasked_and_without_the_frames_between() {
    // More than is read at once, in two frames with a Ping between them.
    let data: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let (first, second) = data.split_at(1_234_567);
    let mut beginning = frame_octets(UP, Opcode::Binary, first);
    beginning[0] &= 0x7f;
    let mut capture = Capture::new();
    let on = capture.websocket("/upload");
    for octets in [
        beginning,
        frame_octets(UP, Opcode::Ping, b"still there?"),
        frame_octets(UP, Opcode::Continuation, second),
    ] {
        for chunk in octets.chunks(32 << 10) {
            capture.raw(on, UP, chunk);
        }
    }
    let window = capture.open(1280.0, 800.0);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("payload.bin");

    let index = window.app().store().index();
    let rows = 0..index.messages().len();
    let is_data = |row: &usize| index.messages().get(*row).is_some_and(|row| row.data_len > 100);
    let row = rows.clone().find(is_data).expect("the message");
    let frame = index.frames().get(0).expect("its first frame");
    let octets = frame.offset()..frame.offset() + frame.wire_len();
    let fragment = Payload::Frame { connection: on, direction: UP, octets };
    drop(index);

    let told = saved(&window, Payload::Message(RowKey::Message(row)), &path);
    assert_eq!(told, Ok(format!("3,000,000 octets written to {}", path.display())));
    assert!(std::fs::read(&path).expect("written") == data, "the same octets");
    saved(&window, fragment, &path).expect("written");
    assert!(std::fs::read(&path).expect("written") == first, "the first frame's");
}

#[test]
fn a_file_that_cannot_be_written_is_told_in_a_line() {
    let mut capture = Capture::new();
    let on = capture.websocket("/upload");
    capture.text(on, UP, "hello");
    let window = capture.open(1280.0, 800.0);
    let told = saved(&window, Payload::Message(RowKey::Message(0)), Path::new("/nowhere/at/all"));
    let line = told.expect_err("there is no such folder");
    assert!(line.starts_with("cannot write /nowhere/at/all: "), "{line}");
    let capture = window.app().source().capture_path().to_owned();
    let len = || capture.metadata().expect("it is there").len();
    let before = len();
    let told = saved(&window, Payload::Message(RowKey::Message(0)), &capture);
    assert_eq!(told, Err("that file is the capture itself; choose another one".to_owned()));
    assert_eq!(len(), before, "and stays what it is");
}
