//! Sub-protocols in the window: lines in the table, the tab of the detail pane, filters.

use egui::{Key, Role};
use egui_kittest::kittest::Queryable as _;
use framescope_core::Opcode;
use framescope_core::subprotocol::{Override, Subprotocol};
use framescope_gui::command::Command;
use framescope_gui::store::RowKey;

use crate::fixture::{Capture, DOWN, UP, Window};

/// A Socket.IO session: two pairs of question and answer, and a binary attachment.
fn socket_io() -> Capture {
    let mut capture = Capture::new();
    let on = capture.websocket("/socket.io/?EIO=4&transport=websocket");
    capture.text(
        on,
        DOWN,
        r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#,
    );
    capture.text(on, UP, "40");
    capture.text(on, UP, r#"4217["order",{"side":"buy","quantity":25}]"#);
    capture.text(on, DOWN, r#"4317["filled"]"#);
    capture.text(on, DOWN, r#"451-["chart",{"_placeholder":true,"num":0}]"#);
    capture.frame(on, DOWN, Opcode::Binary, &[1, 2, 3]);
    capture.text(on, DOWN, "2");
    capture.text(on, UP, "3");
    capture
}

fn open(capture: Capture) -> Window {
    let mut window = capture.open(1440.0, 900.0);
    window.until("all of it was read", |app| {
        let said: u64 = app.store().dissections().kept().counts().iter().map(|(_, n)| n).sum();
        said == app.full_extent().messages as u64
    });
    window.harness.run_ok();
    window
}

fn select(window: &mut Window, row: usize) {
    let label = format!("message {},", row + 1);
    window.harness.get_by_label_contains(&label).click();
    window.until("it is looked at", |app| {
        let contents = app.store().contents().loaded();
        app.store().dissections().said().is_some_and(|said| said.key == RowKey::Message(row))
            && contents.is_some_and(|loaded| loaded.selection.key == RowKey::Message(row))
    });
    window.harness.run_ok();
}

#[test]
fn rows_tell_what_messages_say_beside_their_octets() {
    let window = open(socket_io());
    for label in [
        r#"Socket.IO EVENT / "order" 1 arg, ack 17, 4217["#,
        "Socket.IO ACK / 17, 1 arg,",
        r#"attachment 1 of 1, 3 octets, completes BINARY_EVENT / "chart""#,
    ] {
        window.harness.get_by_label_contains(label);
    }
}

#[test]
fn a_request_and_its_answer_are_one_click_apart() {
    let mut window = open(socket_io());
    select(&mut window, 2);
    window.harness.get_by_role_and_label(Role::Tab, "Socket.IO");
    window.harness.get_by_label("the target asks for EIO=4");
    for label in ["event: \"order\"", "side: \"buy\"", "quantity: 25"] {
        window.harness.get_by_label(label);
    }
    window.harness.get_by_label("1.0 ms apart");
    window.harness.get_by_label("message 4").click();
    window.until("the answer is looked at", |app| {
        app.store().dissections().said().is_some_and(|said| said.key == RowKey::Message(3))
    });
    window.harness.run_ok();
    assert_eq!(window.app().view().messages.selected, Some(3));
    window.harness.get_by_label("answers");
    window.harness.get_by_label("message 3");
}

#[test]
fn a_connection_can_be_read_as_anything_or_as_nothing() {
    let mut window = open(socket_io());
    select(&mut window, 2);
    let menu = "Read this connection as another sub-protocol";
    window.harness.get_by_label_contains("Socket.IO \u{e136}").click();
    window.harness.run_ok();
    window.harness.get_by_label("None").click();
    window.harness.run_ok();
    assert!(window.harness.query_by_label(menu).is_none());
    window.until("it is read anew", |app| {
        let kept = app.store().dissections().kept();
        let on = app.store().index().connections()[0].id;
        kept.reading(on).by_user == Override::Off && kept.counts().is_empty()
    });
    window.harness.run_ok();
    assert!(window.harness.query_by_label_contains("Socket.IO EVENT").is_none());
    let on = window.app().store().index().connections()[0].id;
    window.app().store().dissections().read_as(on, Override::Always(Subprotocol::JsonRpc));
    window.until("it is read as JSON-RPC", |app| {
        app.store().dissections().kept().counts() == [(Subprotocol::JsonRpc, 8)]
    });
    window.app().store().dissections().read_as(on, Override::Auto);
    window.until("it is read as before", |app| {
        let kept = app.store().dissections().kept();
        kept.counts() == [(Subprotocol::SocketIo, 5), (Subprotocol::EngineIo, 3)]
    });
    window.harness.run_ok();
    window.harness.get_by_label_contains(r#"Socket.IO EVENT / "order""#);
}

#[test]
fn the_frames_table_tells_it_too_where_a_frame_is_a_message() {
    let mut window = open(socket_io());
    window.harness.get_by_label("Frames").click();
    window.harness.run_ok();
    window.harness.get_by_label_contains("frame 3, text from client, 42 octets");
    window.harness.get_by_label_contains(r#"Socket.IO EVENT / "order""#);
    window.harness.key_press(Key::Home);
    window.harness.run_ok();
}

#[test]
fn traffic_without_a_sub_protocol_is_shown_as_it_is() {
    let mut capture = Capture::new();
    let on = capture.websocket("/plain");
    for _ in 0..40 {
        capture.text(on, UP, "hello");
    }
    let mut window = capture.open(1440.0, 900.0);
    select(&mut window, 30);
    window.harness.get_by_role_and_label(Role::Tab, "Sub-protocol");
    assert!(window.app().store().dissections().kept().counts().is_empty());
    window.harness.get_by_label_contains("message 31, text from client");
}

#[test]
fn words_and_protocols_narrow_the_rows_as_they_are_read() {
    let mut window = open(socket_io());
    let field = "Only messages whose sub-protocol line has these words";
    for (words, rows) in [("order", 1), ("ack 17", 2), ("engine.io", 3), ("nothing", 0)] {
        window.harness.get_by_label(field).focus();
        window.harness.run_ok();
        window.harness.get_by_label(field).type_text(words);
        window.harness.run_ok();
        assert_eq!(window.app().view().messages.rows.len(), rows, "{words}");
        let context = window.harness.ctx.clone();
        window.harness.state_mut().run(&context, Command::ResetFilters);
        window.harness.run_ok();
    }
    assert_eq!(window.app().view().messages.rows.len(), 8);
    window.harness.get_by_label_contains("any protocol").click();
    window.harness.run_ok();
    window.harness.get_by_label("Engine.IO, 3").click();
    window.harness.run_ok();
    assert_eq!(window.app().view().messages.rows.len(), 3);
}
