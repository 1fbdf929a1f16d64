//! The areas of the window together: what one shows, the others do not deny.

use std::io::{Read as _, Write as _};

use egui::{Event, Key, Modifiers, OutputCommand, Role};
use egui_kittest::kittest::Queryable as _;
use framescope_core::{ConnectionId, Opcode};

use crate::fixture::{self, Capture, DOWN, UP, Window};

/// Drops a file on the window, and waits until it is listed.
pub fn drop_file(window: &mut Window, path: &std::path::Path) {
    let file = std::sync::Arc::new(crate::Dropped(path.to_owned()));
    window.harness.input_mut().dropped_files.push(file);
    window.harness.step();
    window.harness.run_ok();
}

/// What was copied last.
pub fn copied(window: &Window) -> Option<String> {
    let commands = &window.harness.output().platform_output.commands;
    commands.iter().rev().find_map(|command| match command {
        OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    })
}

#[test]
fn a_proxy_goes_on_while_a_file_is_looked_at_and_there_is_a_way_back() {
    let (mut window, addr, _) = fixture::open_live();
    window.harness.run_ok();
    assert!(window.harness.query_by_label("Back to live").is_none());
    let mut capture = Capture::new();
    let on = capture.websocket("/filed");
    capture.text(on, UP, "hello");
    let other = capture.open(1280.0, 800.0);
    drop_file(&mut window, other.app().source().capture_path());
    window.settle();
    window.harness.get_by_label_contains("connection /filed #1");
    window.harness.get_by_label(&format!("recording on {addr}"));
    std::net::TcpStream::connect(addr).expect("the proxy still listens");
    window.harness.get_by_label("Back to live").click();
    window.harness.run_ok();
    assert_eq!(window.app().source().listen_addr(), Some(addr));
    assert!(window.harness.query_by_label("Back to live").is_none());
    assert!(window.harness.query_by_label_contains("connection /filed #1").is_none());
}

#[test]
fn what_is_shown_of_a_message_is_of_the_capture_that_is_looked_at() {
    let saying = |words: &str| {
        let mut capture = Capture::new();
        let on = capture.websocket("/chat");
        capture.text(on, UP, words);
        capture.open(1280.0, 800.0)
    };
    let select = |window: &mut Window| {
        window.harness.get_by_label_contains("message 1,").click();
        window.harness.run_ok();
        window.until("it is read", |app| app.store().contents().loaded().is_some());
        window.harness.run_ok();
    };
    let other = saying("world");
    let mut window = saying("hello");
    select(&mut window);
    // The same rows, in the same places, of the same length.
    drop_file(&mut window, other.app().source().capture_path());
    window.settle();
    select(&mut window);
    window.harness.get_by_label("Copy as text").click();
    window.harness.step();
    assert_eq!(copied(&window).as_deref(), Some("world"));
}

#[test]
fn the_findings_of_other_connections_are_a_click_away() {
    let mut capture = Capture::new();
    let bad = capture.websocket("/bad");
    let bare = fixture::frame_octets(DOWN, Opcode::Text, b"bare");
    capture.raw(bad, UP, &bare);
    capture.connection();
    let mut window = capture.open(1280.0, 800.0);
    window.harness.get_by_label_contains("connection from 127.0.0.1:40000 #2").click();
    window.harness.run_ok();
    window.harness.get_by_label("Findings").click();
    window.harness.run_ok();
    window.harness.get_by_label("No findings on #2");
    window.harness.get_by_label("Show all").click();
    window.harness.run_ok();
    window.harness.get_by_label_contains("a client frame is not masked");
}

#[test]
fn a_connection_stays_listed_as_long_as_its_rows_are() {
    let mut capture = Capture::new();
    let gone = capture.websocket("/gone");
    capture.text(gone, UP, "before");
    let stays = capture.websocket("/stays");
    capture.text(stays, UP, "before");
    let mut window = capture.open(1280.0, 800.0);
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    window.harness.run_ok();
    window.capture.text(stays, UP, "after");
    window.capture.end(gone);
    window.capture.end(stays);
    window.capture.flush();
    window.until("they have ended", |app| {
        let index = app.store().index();
        let mut connections = index.connections().iter();
        connections.all(|connection| connection.state == framescope_core::index::State::Ended)
    });
    window.harness.run_ok();
    window.harness.get_by_label_contains("message 3,");
    window.harness.get_by_label_contains("connection /stays");
    assert!(window.harness.query_by_label_contains("connection /gone").is_none());
}

#[test]
fn a_row_of_another_connection_is_not_selected_any_longer() {
    let mut capture = Capture::new();
    let [one, two] = ["/one", "/two"].map(|target| capture.websocket(target));
    capture.text(one, UP, "first");
    capture.text(two, UP, "second");
    let mut window = capture.open(1280.0, 800.0);
    for (connection, selected) in [("/one", Some(0)), ("/two", None)] {
        window.harness.get_by_label_contains("All connections").click();
        window.harness.run_ok();
        window.harness.get_by_label_contains("message 1,").click();
        window.harness.run_ok();
        window.harness.get_by_label_contains(&format!("connection {connection}")).click();
        window.harness.run_ok();
        assert_eq!(window.app().view().messages.selected, selected, "{connection}");
    }
}

#[test]
fn the_selected_row_is_in_sight_when_a_search_ends() {
    let mut capture = Capture::new();
    let on = capture.websocket("/long");
    for number in 0..300 {
        capture.text(on, UP, &format!("message of number {number}"));
    }
    let mut window = capture.open(1280.0, 800.0);
    crate::search_for(&mut window, "number 250");
    window.harness.get_by_label_contains("message 251,").click();
    window.harness.run_ok();
    window.harness.get_by_label("Empty the search").click();
    window.harness.run_ok();
    assert_eq!(window.app().view().messages.rows.len(), 300);
    window.harness.get_by_label_contains("message 251,");
}

#[test]
fn escape_closes_only_what_lies_on_top() {
    let mut window = crate::chat();
    window.harness.get_by_label_contains("message 1,").click();
    window.harness.run_ok();
    window.harness.get_by_label("Menu").click();
    window.harness.run_ok();
    window.harness.get_by_label("Copy capture path");
    window.harness.key_press(Key::Escape);
    window.harness.run_ok();
    assert_eq!(window.app().view().messages.selected, Some(0), "the row stays selected");
    assert!(window.harness.query_by_label("Dark theme").is_none(), "the menu is closed");
    window.harness.key_press(Key::Escape);
    window.harness.run_ok();
    assert_eq!(window.app().view().messages.selected, None);
}

#[test]
fn a_finished_file_is_shown_from_its_first_row_and_offers_neither_pause_nor_follow() {
    let mut window = crate::long(500);
    window.harness.get_by_label_contains("message 1,");
    let follow = "Stay at the newest row; scrolling up stops it";
    assert!(window.harness.query_by_label("Pause").is_none());
    assert!(window.harness.query_by_label(follow).is_none());
    window.capture.flood(ConnectionId(1), 1);
    window.capture.flush();
    window.until("it has grown", |app| app.store().grows());
    window.harness.run_ok();
    window.harness.get_by_label("Pause");
    window.harness.get_by_label(follow);
    window.harness.get_by_label_contains("message 1,");
}

#[test]
fn the_selected_message_is_copied_as_text_and_as_hex_and_its_url_too() {
    let mut window = crate::chat();
    window.harness.get_by_label_contains("message 1,").click();
    window.until("it is read", |app| app.store().contents().loaded().is_some());
    window.harness.event(Event::Copy);
    window.harness.step();
    assert_eq!(copied(&window).as_deref(), Some("hello ada"));
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::Num2);
    window.harness.run_ok();
    window.harness.event(Event::Copy);
    window.harness.step();
    assert_eq!(copied(&window), None, "it is not shown");
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::Num1);
    window.harness.run_ok();
    for (row, entry, text) in [
        ("message 4,", "Copy message", "de ad be ef"),
        ("message 1,", "Copy message as hex", "68 65 6c 6c 6f 20 61 64 61"),
        ("message 1,", "Copy URL of the connection", "ws://127.0.0.1:9870/chat"),
    ] {
        window.harness.get_by_label_contains(row).click_secondary();
        window.harness.run_ok();
        window.until("it is read", |app| {
            let loaded = app.store().contents().loaded();
            loaded.is_some_and(|loaded| {
                let of_row = framescope_gui::store::RowKey::Message;
                app.view().messages.selected.map(of_row) == Some(loaded.selection.key)
            })
        });
        window.harness.get_by_label(entry).click();
        window.harness.step();
        let mut told = copied(&window);
        for _ in 0..3 {
            window.harness.step();
            told = told.or_else(|| copied(&window));
        }
        assert_eq!(told.as_deref(), Some(text), "{entry}");
    }
    window.harness.get_by_label_contains("message 1,").click_secondary();
    window.harness.run_ok();
    window.harness.get_by_label("Show only this connection").click();
    window.harness.run_ok();
    assert_eq!(window.app().view().connection, Some(ConnectionId(1)));
}

#[test]
fn many_connections_are_listed_by_number_and_narrowed_by_words() {
    let mut capture = Capture::new();
    for number in 0..12 {
        let on = capture.websocket(&format!("/room/{number}?user=x"));
        capture.text(on, UP, "hello");
    }
    let mut window = capture.open(1280.0, 800.0);
    let field = "Only connections with these words in path or state";
    window.harness.get_by_label(field).focus();
    window.harness.run_ok();
    window.harness.get_by_label(field).type_text("room/11 OPEN");
    window.harness.run_ok();
    window.harness.get_by_label_contains("connection /room/11");
    assert!(window.harness.query_by_label_contains("connection /room/1?").is_none());
    window.harness.key_press(Key::Escape);
    window.harness.run_ok();
    window.harness.get_by_label_contains("connection /room/1?");
}

#[test]
fn how_many_rows_a_filter_leaves_is_told() {
    let mut window = crate::chat();
    window.harness.get_by_label("Only what servers sent").click();
    window.harness.run_ok();
    window.harness.get_by_label("2 of 4 shown");
}

#[test]
fn everything_can_be_reached_in_the_smallest_window() {
    let mut capture = Capture::new();
    let on = capture.websocket("/small");
    capture.text(on, UP, "hello");
    let mut window = capture.open(760.0, 480.0);
    window.harness.get_by_label_contains("message 1,").click();
    window.until("it is read", |app| app.store().contents().loaded().is_some());
    window.harness.run_ok();
    let detail = window.harness.get_by_label("Close the detail pane (Escape)").rect().max.x;
    let names = ["Messages", "Handshake", "Findings", "Timing"];
    let tabs = names.map(|name| window.harness.get_by_role_and_label(Role::Tab, name).rect());
    for two in tabs.windows(2) {
        assert!(two[0].max.x <= two[1].min.x + 0.5 && two[1].max.x < detail, "{two:?}");
    }
    let frames = window.harness.get_by_role_and_label(Role::RadioButton, "Frames").rect();
    assert!(frames.min.y >= tabs[0].max.y, "the choice of rows stands below: {frames}");
    window.harness.get_by_label_contains("Filter").click();
    window.harness.run_ok();
    window.harness.get_by_label("Only pings").click();
    window.harness.run_ok();
    assert!(window.app().view().messages.rows.is_empty());
}

#[test]
fn why_a_connection_failed_stands_where_its_messages_would() {
    let (mut window, addr, _) = fixture::open_live();
    let mut client = std::net::TcpStream::connect(addr).expect("the proxy listens");
    let request = "GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    client.write_all(request.as_bytes()).expect("sent");
    let mut answer = [0; 12];
    client.read_exact(&mut answer).expect("an answer");
    drop(client);
    window.until("it has ended", |app| {
        let index = app.store().index();
        let ended = framescope_core::index::State::Ended;
        index.connections().first().is_some_and(|connection| connection.state == ended)
    });
    window.harness.run_ok();
    window.harness.get_by_label("The connection failed");
    let line = window.harness.get_by_label_contains("cannot reach ws://127.0.0.1:1");
    assert!(format!("{line:?}").contains("the client was answered 502"), "{line:?}");
}
