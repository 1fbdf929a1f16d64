//! JSON Lines of a capture, of a connection, and of what the list shows.

use std::path::Path;
use std::time::{Duration, Instant};

use egui::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use framescope_core::{Direction, Opcode};
use framescope_gui::list::{RowFilter, ViewRows};
use framescope_gui::settings::Listing;
use framescope_gui::store::{ExportState, Extract, ListedRows, Target};

use crate::fixture::{Capture, DOWN, Window, frame_octets};
use crate::panels::drop_file;

/// Opens the dialog.
fn ask(window: &mut Window) {
    window.harness.get_by_label("Menu").click();
    window.harness.run_ok();
    window.harness.get_by_label("Export…").click();
    window.harness.run_ok();
}

/// Exports where the dialog suggests it: the lines.
fn export(window: &mut Window, name: &str) -> Vec<String> {
    window.harness.get_by_label("Export").click();
    let path = window.app().source().capture_path().with_file_name(name);
    window.until("it is written", |_| path.exists());
    let lines = lines(&path);
    let told = format!("{} lines written to {}", lines.len(), path.display());
    let deadline = Instant::now() + Duration::from_mins(1);
    while window.harness.query_by_label(&told).is_none() {
        assert!(Instant::now() < deadline, "it is not told");
        window.harness.step();
    }
    // The dialog is in its middle once it knows how large it is.
    window.harness.run_ok();
    window.harness.get_by_label("Close").click();
    window.harness.run_ok();
    lines
}

fn lines(path: &Path) -> Vec<String> {
    let lines = std::fs::read_to_string(path).expect("it is there");
    lines.lines().map(str::to_owned).collect()
}

fn of_type<'a>(lines: &'a [String], name: &str) -> Vec<&'a String> {
    let start = format!("{{\"type\":\"{name}\"");
    lines.iter().filter(|line| line.starts_with(&start)).collect()
}

#[test]
fn a_connection_is_exported_as_json_lines() {
    let mut window = crate::chat();
    window.harness.get_by_label_contains("connection /chat").click();
    window.harness.run_ok();
    ask(&mut window);
    window.harness.get_by_label("Export").click();
    let path = window.app().source().capture_path().with_file_name("test-1.jsonl");
    window.until("it is written", |_| path.exists());
    let lines = std::fs::read_to_string(&path).expect("it is there");
    assert!(lines.contains("hello ada") && !lines.contains("/echo"), "{lines}");
    window.harness.run_ok();
    window.harness.get_by_label_contains("lines written to");
    window.harness.get_by_label("Close").click();
    window.harness.run_ok();
    ask(&mut window);
    window.harness.get_by_label("Export").click();
    window.harness.run_ok();
    window.harness.get_by_label_contains("test-1.jsonl is there already: choose another name");
}

#[test]
fn an_export_goes_on_while_another_capture_is_looked_at() {
    let mut window = crate::chat();
    let other = in_parts();
    ask(&mut window);
    drop_file(&mut window, other.app().source().capture_path());
    assert!(window.harness.query_by_label("Export as JSON Lines").is_none(), "nothing had begun");
    ask(&mut window);
    window.harness.get_by_label("Export").click();
    window.harness.step();
    let path = other.app().source().capture_path().with_file_name("test.jsonl");
    let third = crate::chat();
    drop_file(&mut window, third.app().source().capture_path());
    window.until("it is written", |_| path.exists());
    window.harness.run_ok();
    window.harness.get_by_label_contains(&format!("lines written to {}", path.display()));
    assert!(std::fs::read_to_string(&path).expect("it is there").contains("in parts"));
}

#[test]
fn what_the_list_shows_is_exported_and_counted_before() {
    let mut window = crate::chat();
    crate::search_for(&mut window, "hello ada");
    ask(&mut window);
    window.harness.get_by_label("Everything: 4 frames of 2 connections");
    let listed = window.harness.get_by_label("What the list shows: 1 message");
    assert_eq!(listed.accesskit_node().role(), Role::RadioButton);
    let lines = export(&mut window, "test-listed.jsonl");
    let frames = of_type(&lines, "frame");
    assert_eq!(frames.len(), 1, "{lines:?}");
    assert!(frames[0].contains("hello ada"));
    assert_eq!(of_type(&lines, "handshake").len(), 1, "of its connection, and of no other");
    assert!(!lines.iter().any(|line| line.contains("/echo")), "{lines:?}");

    ask(&mut window);
    window.harness.get_by_label("Everything: 4 frames of 2 connections").click();
    window.harness.run_ok();
    let lines = export(&mut window, "test.jsonl");
    assert_eq!(of_type(&lines, "frame").len(), 4);
}

#[test]
fn nothing_is_exported_where_the_list_shows_nothing() {
    let mut window = crate::chat();
    crate::search_for(&mut window, "nobody says this");
    ask(&mut window);
    window.harness.get_by_label("What the list shows: 0 messages");
    assert!(window.harness.get_by_label("Export").accesskit_node().is_disabled());
}

#[test]
fn a_list_that_is_not_on_the_screen_is_called_by_its_tab() {
    let mut window = crate::chat();
    window.harness.get_by_role_and_label(Role::Tab, "Timing").click();
    window.harness.run_ok();
    ask(&mut window);
    window.harness.get_by_label("What the Messages tab lists: 4 messages");
}

#[test]
fn the_connection_of_the_selected_row_is_offered() {
    let mut window = crate::chat();
    window.harness.get_by_label_contains("message 4,").click();
    window.harness.run_ok();
    ask(&mut window);
    window.harness.get_by_label("Connection #2 /echo?x=1: 1 frame").click();
    window.harness.run_ok();
    let lines = export(&mut window, "test-2.jsonl");
    assert_eq!(of_type(&lines, "frame").len(), 1);
    assert!(!lines.iter().any(|line| line.contains("hello")), "{lines:?}");
}

/// Messages in parts on two connections at once, a Ping between the parts.
fn in_parts() -> Window {
    let part = |opcode, fin: bool, data: &[u8]| {
        let mut octets = frame_octets(DOWN, opcode, data);
        octets[0] &= if fin { 0xff } else { 0x7f };
        octets
    };
    let mut capture = Capture::new();
    let (one, two) = (capture.websocket("/one"), capture.websocket("/two"));
    capture.text(one, DOWN, "before");
    capture.raw(one, DOWN, &part(Opcode::Text, false, b"in "));
    capture.raw(two, DOWN, &part(Opcode::Text, false, b"els"));
    capture.frame(one, DOWN, Opcode::Ping, b"?");
    capture.raw(one, DOWN, &part(Opcode::Continuation, true, b"parts"));
    capture.raw(two, DOWN, &part(Opcode::Continuation, true, b"where"));
    capture.text(one, DOWN, "after");
    capture.open(1280.0, 800.0)
}

#[test]
fn a_listed_message_is_exported_with_all_of_its_frames_and_none_between_them() {
    let window = in_parts();
    let folder = tempfile::tempdir().expect("a folder");
    // The frames of each listing that its rows stand for: before, in + parts, els + where, ?, after.
    let cases: [(Listing, Wants, usize, &str); 3] = [
        (Listing::Messages, |opcode, len| opcode == Opcode::Text && len == 8, 4, "in parts"),
        (Listing::Messages, |opcode, _| opcode == Opcode::Ping, 1, "\"opcode\":9"),
        (Listing::Frames, |opcode, _| opcode == Opcode::Continuation, 2, "in parts"),
    ];
    for (number, (listing, wants, frames, holds)) in cases.into_iter().enumerate() {
        let path = folder.path().join(format!("{number}.jsonl"));
        let lines = listed(&window, listing, wants, &path);
        let told = of_type(&lines, "frame");
        assert_eq!(told.len(), frames, "{lines:?}");
        assert!(told.iter().any(|line| line.contains(holds)), "{lines:?}");
        assert!(!lines.iter().any(|line| line.contains("before")), "{lines:?}");
    }
}

#[test]
fn behind_a_frame_that_has_no_row_the_listed_ones_are_exported_and_no_others() {
    let mut capture = Capture::new();
    let on = capture.websocket("/");
    capture.text(on, DOWN, "whole");
    let cut = frame_octets(DOWN, Opcode::Text, b"with a gap in it");
    capture.raw(on, DOWN, &cut[..6]);
    capture.gap(on, DOWN, 4);
    capture.raw(on, DOWN, &cut[10..]);
    for text in ["the next one", "behind that"] {
        capture.text(on, DOWN, text);
    }
    let window = capture.open(1280.0, 800.0);
    let folder = tempfile::tempdir().expect("a folder");
    let cases: [(Wants, &str); 2] =
        [(|_, len| len == 12, "the next one"), (|_, len| len == 11, "behind that")];
    for (number, (wants, holds)) in cases.into_iter().enumerate() {
        let path = folder.path().join(format!("{number}.jsonl"));
        let lines = listed(&window, Listing::Frames, wants, &path);
        let told = of_type(&lines, "frame");
        assert!(told.len() == 1 && told[0].contains(holds), "{lines:?}");
    }
}

/// Which rows are exported, by opcode and length.
type Wants = fn(Opcode, u64) -> bool;

/// Exports the rows that `wants` admits.
fn listed(window: &Window, listing: Listing, wants: Wants, path: &Path) -> Vec<String> {
    let store = window.app().store();
    let index = store.index();
    let row = |row: usize| match listing {
        Listing::Messages => {
            let message = index.messages().get(row)?;
            let first = index.frames().get(message.first_frame as usize)?;
            Some(wants(first.opcode(), message.data_len))
        }
        Listing::Frames => {
            index.frames().get(row).map(|frame| wants(frame.opcode(), frame.payload_len()))
        }
    };
    let len = window.app().full_extent().of(listing);
    let filter = RowFilter { direction: Some(Direction::ServerToClient), ..RowFilter::default() };
    let mut rows = ViewRows::default();
    assert!(!rows.update(filter, len, len, row), "all were looked at");
    drop(index);
    let rows = ListedRows { listing, rows, reading: store.reading() };
    written(window, rows, path).expect("it is written");
    lines(path)
}

/// Exports these rows: how many lines that were.
fn written(window: &Window, rows: ListedRows, path: &Path) -> Result<u64, String> {
    let target = Target::new(path, [], false).expect("it is free");
    let export = window.app().store().export(target, Extract::Listed(rows)).expect("it begins");
    loop {
        match export.state() {
            ExportState::Writing { .. } => std::thread::yield_now(),
            ExportState::Written { lines } => return Ok(lines),
            ExportState::Failed(line) => return Err(line),
        }
    }
}

#[test]
fn rows_of_another_reading_are_not_exported() {
    let window = in_parts();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.jsonl");
    let mut rows = ViewRows::default();
    rows.update(RowFilter::default(), 3, 3, |_| None);
    let rows = ListedRows { listing: Listing::Frames, rows, reading: 7 };
    let line = written(&window, rows, &path).expect_err("its numbers mean nothing");
    assert!(line.ends_with("is read again: export once more"), "{line}");
    assert!(!path.exists());
}
