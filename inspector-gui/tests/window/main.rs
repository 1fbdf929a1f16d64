//! The window, driven by role and label as a user of assistive technology drives it.

mod exchange_menu;
mod exchanges;
mod exporting;
mod fixture;
mod panels;
mod saving;
mod searches;
mod sessions;
mod subprotocols;
mod terminal;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use egui::{Key, Modifiers, Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use fixture::{Capture, DOWN, UP, Window};
use framescope_core::Opcode;
use framescope_gui::app::Tab;
use framescope_gui::settings::Listing;

/// Two connections, three messages on one and one on the other.
fn chat() -> Window {
    let mut capture = Capture::new();
    let chat = capture.websocket("/chat");
    capture.text(chat, UP, "hello ada");
    capture.text(chat, DOWN, "hello bob");
    capture.frame(chat, DOWN, Opcode::Ping, b"keep-alive");
    let echo = capture.websocket("/echo?x=1");
    capture.frame(echo, UP, Opcode::Binary, &[0xde, 0xad, 0xbe, 0xef]);
    capture.end(echo);
    capture.open(1280.0, 800.0)
}

fn long(count: usize) -> Window {
    let mut capture = Capture::new();
    let on = capture.websocket("/ticker");
    capture.flood(on, count);
    capture.open(1280.0, 800.0)
}

#[test]
fn lists_connections_and_messages_with_their_previews() {
    let mut window = chat();
    window.until("previews are there", |app| {
        let key = framescope_gui::store::RowKey::Message(3);
        app.store().contents().preview(key).is_some()
    });
    for label in ["message 1,", "text from client, 9 octets", ": hello ada", ": de ad be ef"] {
        window.harness.get_by_label_contains(label);
    }
    window.harness.get_by_label_contains("connection /chat #1, open");
    window.harness.get_by_label_contains("connection /echo?x=1 #2, cut by client (1006)");
    window.harness.get_by_label_contains("All connections, 2");
}

#[test]
fn a_click_selects_and_the_arrow_keys_move() {
    let mut window = chat();
    window.harness.get_by_label_contains("message 2,").click();
    window.harness.run_ok();
    assert_eq!(window.app().view().messages.selected, Some(1));
    let moves = [
        (Key::ArrowDown, 2),
        (Key::ArrowUp, 1),
        (Key::ArrowUp, 0),
        (Key::ArrowUp, 0),
        (Key::End, 3),
        (Key::Home, 0),
        (Key::PageDown, 3),
    ];
    for (key, selected) in moves {
        window.harness.key_press(key);
        window.harness.run_ok();
        assert_eq!(window.app().view().messages.selected, Some(selected), "{key:?}");
    }
    let row = window.harness.get_by_label_contains("message 4,");
    assert_eq!(row.accesskit_node().is_selected(), Some(true));
    window.until("its octets are read", |app| app.store().contents().loaded().is_some());
    window.harness.run_ok();
    assert!(window.harness.query_all_by_label_contains("de ad be ef").count() > 0);
}

#[test]
fn the_chips_and_the_connections_narrow_the_rows() {
    let mut window = chat();
    window.harness.get_by_label("Only what servers sent").click();
    window.harness.run_ok();
    assert_eq!(window.app().view().messages.rows.len(), 2);
    window.harness.get_by_label("Only pings").click();
    window.harness.run_ok();
    assert_eq!(window.app().view().messages.rows.len(), 1);
    window.harness.get_by_label_contains("connection /echo").click();
    window.harness.run_ok();
    assert!(window.app().view().messages.rows.is_empty());
    window.harness.get_by_label("Reset filters").click();
    window.harness.run_ok();
    assert_eq!(window.app().view().messages.rows.len(), 1, "the connection stays chosen");
    window.harness.get_by_label_contains("All connections").click();
    window.harness.run_ok();
    assert_eq!(window.app().view().messages.rows.len(), 4);
}

#[test]
fn ctrl_f_searches_payloads_whatever_their_case_and_by_expression() {
    let mut window = chat();
    let rows = [("HELLO", 2), ("/ada|keep/", 2), ("nowhere", 0)];
    for (pattern, found) in rows {
        window.harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
        window.harness.run_ok();
        let field = window.harness.get_by_label("Search messages and HTTP");
        assert!(field.is_focused(), "Ctrl+F brings the cursor there");
        field.type_text(pattern);
        window.harness.run_ok();
        window.until("the search has come to the end", |app| {
            app.view().running_search().is_some_and(|search| search.state().caught_up)
        });
        window.harness.run_ok();
        assert_eq!(window.app().view().messages.rows.len(), found, "{pattern}");
        window.harness.get_by_label("Empty the search").click();
        window.harness.run_ok();
    }
    assert_eq!(window.app().view().messages.rows.len(), 4);
}

/// Chooses an entry of the menu beside the search field, and closes the menu.
fn choose_search_option(window: &mut Window, label: &str) {
    window.harness.get_by_label("Search options").click();
    window.harness.run_ok();
    window.harness.get_by_label(label).click();
    window.harness.run_ok();
    window.harness.get_by_label("Search options").click();
    window.harness.run_ok();
}

fn search_for(window: &mut Window, pattern: &str) {
    window.harness.get_by_label("Search messages and HTTP").focus();
    window.harness.run_ok();
    window.harness.get_by_label("Search messages and HTTP").type_text(pattern);
    window.harness.run_ok();
    window.until("the search has come to the end", |app| {
        app.view().running_search().is_some_and(|search| search.state().caught_up)
    });
    window.harness.run_ok();
}

#[test]
fn matches_are_gone_through_among_all_rows() {
    let mut window = chat();
    choose_search_option(&mut window, "Hide rows without a match");
    search_for(&mut window, "hello");
    assert_eq!(window.app().view().messages.rows.len(), 4, "the other rows stay");
    window.harness.get_by_label("2 found");
    for (shift, selected, told) in [
        (false, 0, "1 of 2"),
        (false, 1, "2 of 2"),
        (false, 0, "1 of 2"),
        (true, 1, "2 of 2"),
        (true, 0, "1 of 2"),
    ] {
        let modifiers = if shift { Modifiers::SHIFT } else { Modifiers::NONE };
        window.harness.key_press_modifiers(modifiers, Key::F3);
        window.harness.run_ok();
        assert_eq!(window.app().view().messages.selected, Some(selected));
        window.harness.get_by_label(told);
    }
    window.harness.get_by_label("Next match").click();
    window.harness.run_ok();
    assert_eq!(window.app().view().messages.selected, Some(1));
    window.harness.get_by_label("Search messages and HTTP").focus();
    window.harness.run_ok();
    window.harness.key_press(Key::Enter);
    window.harness.run_ok();
    assert_eq!(window.app().view().messages.selected, Some(0));
    assert!(
        window.harness.get_by_label("Search messages and HTTP").is_focused(),
        "Enter stays there"
    );
}

#[test]
fn octets_are_searched_for_and_case_matters_where_asked() {
    let mut window = chat();
    choose_search_option(&mut window, "Octets in hex");
    search_for(&mut window, "ad ?? ef");
    assert_eq!(window.app().view().messages.rows.len(), 1);
    window.harness.get_by_label("Empty the search").click();
    choose_search_option(&mut window, "Text");
    choose_search_option(&mut window, "Match case");
    search_for(&mut window, "Hello");
    assert!(window.app().view().messages.rows.is_empty());
}

#[test]
fn a_broken_expression_says_so_and_hides_nothing() {
    let mut window = chat();
    window.harness.get_by_label("Search messages and HTTP").focus();
    window.harness.run_ok();
    window.harness.get_by_label("Search messages and HTTP").type_text("/a(b/");
    window.harness.run_ok();
    assert!(window.harness.query_all_by_label_contains("unclosed group").count() > 0);
    assert_eq!(window.app().view().messages.rows.len(), 4);
}

#[test]
fn clear_hides_what_is_there_and_can_be_taken_back() {
    let mut window = chat();
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    window.harness.run_ok();
    assert!(window.app().view().messages.rows.is_empty());
    window.harness.get_by_label("Cleared");
    assert_eq!(window.app().full_extent().messages, 4, "nothing is deleted");
    window.harness.get_by_label("Show cleared rows").click();
    window.harness.run_ok();
    assert_eq!(window.app().view().messages.rows.len(), 4);
}

#[test]
fn pause_holds_the_view_while_the_capture_grows() {
    let mut window = chat();
    window.harness.key_press(Key::Space);
    window.harness.run_ok();
    let on = window.capture.websocket("/late");
    window.capture.text(on, DOWN, "late");
    window.capture.flush();
    window.until("it is in the index", |app| app.full_extent().messages == 5);
    assert_eq!(window.app().view().messages.rows.len(), 4);
    window.harness.get_by_label_contains("paused, 1 new");
    window.harness.get_by_label("Resume").click();
    window.harness.run_ok();
    assert_eq!(window.app().view().messages.rows.len(), 5);
}

#[test]
fn following_ends_when_scrolled_up_and_resumes_at_the_bottom() {
    let mut window = long(500);
    window.harness.key_press(Key::End);
    window.harness.run_ok();
    window.capture.flood(framescope_core::ConnectionId(1), 1);
    window.capture.flush();
    window.until("it has grown", |app| app.full_extent().messages == 501);
    let follows = |window: &Window| window.app().view().messages.list.follow;
    assert!(follows(&window));
    window.harness.get_by_label_contains("message 500,");
    let over = window.harness.get_by_label_contains("message 495,").rect().center();
    window.harness.hover_at(over);
    window.wheel(40.0 * 22.0);
    assert!(!follows(&window));
    assert!(window.harness.query_by_label_contains("message 500,").is_none());
    window.wheel(-100.0 * 22.0);
    assert!(follows(&window), "back at the bottom");
    window.wheel(40.0 * 22.0);
    window.harness.get_by_label("Stay at the newest row; scrolling up stops it").click();
    window.harness.run_ok();
    assert!(follows(&window));
    window.harness.get_by_label_contains("message 500,");
}

#[test]
fn frames_show_every_bit_of_the_header() {
    let mut window = chat();
    window.harness.get_by_label_contains("message 4,").click();
    window.harness.run_ok();
    window.harness.get_by_label("Frames").click();
    window.harness.run_ok();
    assert_eq!(window.app().view().frames.rows.len(), 4);
    assert_eq!(window.app().view().frames.selected, Some(3), "the same frame stays selected");
    window.harness.get_by_label_contains("frame 1, text from client");
}

#[test]
fn an_empty_capture_says_what_to_do() {
    let window = Capture::new().open(1024.0, 640.0);
    window.harness.get_by_label("No WebSocket in this capture");
    window.harness.get_by_label("Open capture…");
}

#[test]
fn a_file_that_is_no_capture_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.pcapng");
    std::fs::write(&path, "hello, this is text").expect("written");
    let mut window = fixture::open_file(&path);
    window.until("it is found out", |app| app.store().trouble().is_some());
    window.harness.run_ok();
    window.harness.get_by_label("This capture cannot be shown");
    assert!(window.harness.query_all_by_label_contains("not a capture").count() > 0);
}

#[test]
fn a_capture_that_is_deleted_while_it_grows_is_told_across_the_window() {
    let (mut window, addr, path) = fixture::open_live();
    window.harness.run_ok();
    assert_eq!(window.harness.query_all_by_label_contains("was deleted").count(), 0);
    std::fs::remove_file(&path).expect("deleted");
    let mut client = TcpStream::connect(addr).expect("the proxy listens");
    client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).expect("an answer");
    window.until("it is told", |app| app.source().trouble().is_some());
    window.harness.run_ok();
    assert!(window.harness.query_all_by_label_contains("was deleted").count() > 0);
}

#[test]
fn the_tabs_show_the_handshake_and_the_findings_of_a_connection() {
    let mut capture = Capture::new();
    let on = capture.websocket("/bad");
    // A client frame that is not masked.
    let octets = fixture::frame_octets(DOWN, Opcode::Text, b"bare");
    capture.raw(on, UP, &octets);
    let mut window = capture.open(1280.0, 800.0);
    window.harness.get_by_label_contains("connection /bad").click();
    window.harness.get_by_label("Handshake").click();
    window.harness.run_ok();
    assert_eq!(window.app().view().tab, Tab::Handshake);
    window.harness.get_by_label("Findings").click();
    window.harness.run_ok();
    window.harness.get_by_label_contains("a client frame is not masked").click();
    window.until("its octets are read", |app| app.view().findings.chosen().is_some());
    window.harness.run_ok();
    for told in ["proven", "FRAME_UNMASKED_FROM_CLIENT", "RFC 6455 §5.1"] {
        window.harness.get_by_label(told);
    }
    assert!(window.harness.query_all_by_label_contains("from the frame's first on").count() > 0);
    window.harness.get_by_label("Show the frame").click();
    window.harness.run_ok();
    let listing = window.app().settings().listing;
    assert_eq!((window.app().view().tab, listing), (Tab::Messages, Listing::Frames));
    assert_eq!(window.app().view().frames.selected, Some(0));
}

#[test]
fn the_timing_tab_tells_rates_and_what_is_not_known() {
    let mut capture = Capture::new();
    let on = capture.websocket("/timed");
    for _ in 0..3 {
        capture.text(on, UP, "ask");
        capture.text(on, DOWN, "answer");
    }
    capture.frame(on, DOWN, Opcode::Ping, b"alive");
    capture.frame(on, UP, Opcode::Pong, b"alive");
    let mut window = capture.open(1280.0, 800.0);
    window.harness.get_by_label("Timing").click();
    window.harness.run_ok();
    window.harness.get_by_label("Select a connection to see where its time went.");
    window.harness.get_by_label_contains("connection /timed").click();
    window.harness.run_ok();
    assert_eq!(window.app().view().tab, Tab::Timing);
    window.harness.get_by_label("#1 /timed");
    for told in
        ["Frames over time: 4 up, 4 down", "TCP to the server: not recorded", "↓ the server"]
    {
        window.harness.get_by_label(told);
    }
    let answers = "Which message answers which is known only where a sub-protocol tells.";
    window.harness.get_by_label(answers);
}

/// `package m; message Q { int32 side = 1; }`, as `protoc --descriptor_set_out` writes it.
const DESCRIPTOR_SET: &[u8] = b"\x0a\x27\x0a\x07a.proto\x12\x01m\x22\x11\x0a\x01Q\x12\x0c\
    \x0a\x04side\x18\x01\x20\x01\x28\x05\x62\x06proto3";

#[test]
fn protobuf_is_read_by_a_message_type_that_was_chosen() {
    let mut capture = Capture::new();
    let on = capture.websocket("/quotes");
    capture.frame(on, DOWN, Opcode::Binary, b"\x08\x96\x01\x12\x07testing");
    let mut window = capture.open(1280.0, 800.0);
    window.harness.get_by_label_contains("message 1,").click();
    window.until("it is read", |app| app.store().contents().loaded().is_some());
    window.harness.run_ok();
    window.harness.get_by_label("no schema").click();
    window.harness.run_ok();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("quotes.binpb");
    std::fs::write(&path, DESCRIPTOR_SET).expect("written");
    let field = window.harness.get_by_label("Path of the descriptor set");
    field.focus();
    window.harness.run_ok();
    let field = window.harness.get_by_label("Path of the descriptor set");
    field.type_text(&path.display().to_string());
    window.harness.run_ok();
    window.harness.get_by_label("Read").click();
    window.harness.run_ok();
    window.harness.get_by_label("m.Q").click();
    window.harness.run_ok();
    assert_eq!(window.app().settings().protobuf.message_type.as_deref(), Some("m.Q"));
    assert_eq!(window.app().settings().protobuf.descriptor_set.as_deref(), Some(&*path));
    assert!(window.harness.query_all_by_label_contains("side").count() > 0, "fields have names");
    window.harness.get_by_label("m.Q");
}

/// A file dropped on the window.
#[derive(Debug)]
struct Dropped(std::path::PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &std::path::Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

#[test]
fn a_capture_dropped_on_the_window_is_opened_and_remembered() {
    let mut window = chat();
    let other = long(3);
    let path = other.app().source().capture_path().to_owned();
    let drop_it = |window: &mut Window, path: &std::path::Path| {
        let file = std::sync::Arc::new(Dropped(path.to_owned()));
        window.harness.input_mut().dropped_files.push(file);
        window.harness.step();
    };
    window.harness.input_mut().hovered_files.push(egui::HoveredFile::default());
    window.harness.run_ok();
    window.harness.get_by_label("Drop the capture to open it");
    window.harness.input_mut().hovered_files.clear();
    drop_it(&mut window, &path);
    window.settle();
    assert!(window.harness.query_by_label("Drop the capture to open it").is_none());
    window.harness.get_by_label_contains("connection /ticker #1");
    assert_eq!(window.app().full_extent().messages, 3);
    assert_eq!(window.app().settings().recent.first(), Some(&path));
    drop_it(&mut window, &path.with_extension("gone"));
    window.harness.run_ok();
    assert!(window.harness.query_all_by_label_contains("cannot open").count() > 0);
}

#[test]
fn at_a_million_rows_the_last_is_a_key_away_and_one_pixel_is_one_pixel() {
    const ROWS: usize = 1_000_000;
    let mut window = long(ROWS);
    assert_eq!(window.app().view().messages.rows.len(), ROWS);
    window.harness.key_press(Key::Home);
    window.harness.run_ok();
    window.harness.get_by_label_contains("message 1,");
    window.harness.key_press(Key::End);
    window.harness.run_ok();
    let rect = window.harness.get_by_label_contains("message 999995,").rect();
    let drawn = window.harness.query_all_by_role(Role::ListBoxOption).count();
    assert!(drawn < 60, "only what is visible is drawn, not {drawn} rows");
    window.harness.hover_at(rect.center());
    let top = window.app().view().messages.list.top;
    for _ in 0..3 {
        window.wheel(1.0);
    }
    let moved = (top - window.app().view().messages.list.top) * 22.0;
    assert!((moved - 3.0).abs() < 0.01, "moved {moved} px");
}

#[test]
fn escape_empties_the_search_and_space_types_there() {
    let mut window = chat();
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
    window.harness.run_ok();
    window.harness.get_by_label("Search messages and HTTP").type_text("hello");
    window.harness.key_press(Key::Space);
    window.harness.run_ok();
    assert!(window.app().view().paused.is_none(), "a space in a text is a space");
    assert!(window.app().view().query.starts_with("hello"));
    window.harness.key_press(Key::Escape);
    window.harness.run_ok();
    assert_eq!(window.app().view().query, "");
    assert!(window.app().view().search.is_none());
}

#[test]
fn escape_closes_the_detail_pane_and_a_click_opens_it() {
    let mut window = chat();
    let close = "Close the detail pane (Escape)";
    assert!(window.harness.query_by_label(close).is_none(), "nothing is selected at first");
    window.harness.get_by_label_contains("message 1,").click();
    window.until("it is read", |app| app.store().contents().loaded().is_some());
    window.harness.run_ok();
    window.harness.get_by_label(close);
    window.harness.key_press(Key::Escape);
    window.harness.run_ok();
    assert!(window.harness.query_by_label(close).is_none());
    assert_eq!(window.app().view().messages.selected, None);
}

#[test]
fn nothing_is_wider_than_a_small_window() {
    let mut capture = Capture::new();
    let on = capture.websocket(&format!("/{}", "long".repeat(200)));
    capture.text(on, UP, &"wide ".repeat(100_000));
    let mut window = capture.open(1024.0, 640.0);
    window.harness.get_by_label_contains("message 1,").click();
    window.until("it is read", |app| app.store().contents().loaded().is_some());
    window.harness.run_ok();
    for role in [Role::Button, Role::Tab, Role::Switch, Role::RadioButton, Role::TextInput] {
        for node in window.harness.query_all_by_role(role) {
            let rect = node.rect();
            // The detail pane scrolls downwards; nothing goes on to the right.
            assert!(
                rect.min.x >= 0.0 && rect.max.x <= 1024.5,
                "{role:?} {:?} at {rect}",
                node.accesskit_node().label()
            );
        }
    }
}
