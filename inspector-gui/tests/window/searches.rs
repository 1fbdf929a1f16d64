//! The search in HTTP: exchanges, events of streams, heads of the opening handshake.

use egui::{Key, Modifiers, Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use framescope_core::ConnectionId;
use framescope_gui::app::Tab;

use crate::fixture::{Capture, DOWN, UP, Window};
use crate::{choose_search_option, search_for};

const FIRST: ConnectionId = ConnectionId(1);
const SOCKET: ConnectionId = ConnectionId(2);
const LAST: ConnectionId = ConnectionId(3);

/// Exchanges and a stream, then a WebSocket, then a request with a secret that is not answered.
fn traffic() -> Window {
    let mut capture = Capture::new();
    let on = capture.connection();
    let ask = |target: &str, fields: &str| format!("GET {target} HTTP/1.1\r\n{fields}\r\n");
    capture.raw(on, UP, ask("/rooms", "X-Trace: t-17\r\n").as_bytes());
    let rooms = br#"{"rooms":["lobby","attic"]}"#;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", rooms.len());
    capture.raw(on, DOWN, head.as_bytes());
    capture.raw(on, DOWN, rooms);
    capture.raw(on, UP, ask("/events", "").as_bytes());
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    capture.raw(on, DOWN, head.as_bytes());
    for event in ["event: joined\ndata: ada\n\n", "data: to the attic\n\n"] {
        capture.raw(on, DOWN, event.as_bytes());
    }
    let socket = capture.websocket("/chat?room=attic");
    capture.text(socket, UP, "who is in the attic?");
    capture.text(socket, DOWN, "nobody");
    let secret = capture.connection();
    let fields = "Cookie: session=s3cret\r\n";
    capture.raw(secret, UP, ask("/account?token=abc", fields).as_bytes());
    capture.open(1440.0, 900.0)
}

fn press(window: &mut Window, modifiers: Modifiers, key: Key) {
    window.harness.key_press_modifiers(modifiers, key);
    window.harness.run_ok();
}

/// Where the window stands: the chosen connection, the tab, the selected row of its exchanges.
fn standing(window: &Window) -> (Option<ConnectionId>, Tab, Option<usize>) {
    let view = window.app().view();
    (view.connection, view.tab, view.exchanges.selected())
}

#[test]
fn what_http_holds_is_counted_and_gone_through_from_one_connection_to_the_next() {
    let mut window = traffic();
    search_for(&mut window, "attic");
    window.harness.get_by_label("1 found, 3 in HTTP");
    window.harness.get_by_label("3 rows of HTTP on 2 connections hold it too.");
    for (name, found) in [("/events", "2 found in HTTP"), ("/chat", "1 found in HTTP")] {
        let entries = window.harness.query_all_by_label_contains(found);
        let of_it = |label: String| label.contains(&format!("connection {name}"));
        let labels = entries.filter_map(|entry| entry.accesskit_node().label());
        assert_eq!(labels.filter(|label| of_it(label.clone())).count(), 1, "{name}: {found}");
    }
    window.harness.get_by_label("Show in HTTP").click();
    window.harness.run_ok();
    let (exchange, event) =
        ((Some(FIRST), Tab::Messages, Some(0)), (Some(FIRST), Tab::Messages, Some(3)));
    let handshake = (Some(SOCKET), Tab::Handshake, None);
    assert_eq!(standing(&window), exchange);
    window.until("its exchanges are read", |app| {
        app.view().exchanges.rows().is_some_and(|rows| rows.end() == 4)
    });
    window.harness.run_ok();
    window.harness.get_by_label("1 of 3 in HTTP");
    window.harness.get_by_label("1 message holds it too.");
    assert!(window.harness.query_by_label_contains("event 3, joined").is_none(), "hidden");
    window.harness.get_by_label_contains("event 4, message");
    press(&mut window, Modifiers::NONE, Key::F3);
    assert_eq!(standing(&window), event);
    window.harness.get_by_label("2 of 3 in HTTP");
    press(&mut window, Modifiers::NONE, Key::F3);
    assert_eq!(standing(&window), handshake);
    window.harness.get_by_label("3 of 3 in HTTP");
    press(&mut window, Modifiers::NONE, Key::F3);
    assert_eq!(standing(&window), exchange);
    press(&mut window, Modifiers::SHIFT, Key::F3);
    assert_eq!(standing(&window), handshake);
    press(&mut window, Modifiers::SHIFT, Key::F3);
    assert_eq!(standing(&window), event);
    window.harness.get_by_label("Show messages").click();
    window.harness.run_ok();
    assert_eq!(standing(&window), (None, Tab::Messages, None));
    window.harness.get_by_label_contains("message 1,");
}

#[test]
fn where_the_table_lists_no_match_the_way_goes_on_in_http() {
    let mut capture = Capture::new();
    let other = capture.websocket("/other");
    capture.text(other, DOWN, "the attic");
    capture.websocket("/silent");
    let plain = capture.connection();
    capture.raw(plain, UP, b"GET /attic HTTP/1.1\r\n\r\n");
    let mut window = capture.open(1440.0, 900.0);
    search_for(&mut window, "attic");
    window.harness.get_by_label_contains("connection /silent").click();
    window.harness.run_ok();
    press(&mut window, Modifiers::NONE, Key::F3);
    assert_eq!(standing(&window), (Some(plain), Tab::Messages, Some(0)));
}

#[test]
fn connections_that_were_cleared_away_are_passed_over() {
    let mut capture = Capture::new();
    let [ended, open] = [(); 2].map(|()| {
        let on = capture.connection();
        capture.raw(on, UP, b"GET /attic HTTP/1.1\r\n\r\n");
        on
    });
    capture.end(ended);
    let mut window = capture.open(1440.0, 900.0);
    search_for(&mut window, "attic");
    window.harness.get_by_label("Clear").click();
    window.harness.run_ok();
    for modifiers in [Modifiers::NONE, Modifiers::NONE, Modifiers::SHIFT] {
        press(&mut window, modifiers, Key::F3);
        assert_eq!(standing(&window), (Some(open), Tab::Messages, Some(0)));
    }
}

#[test]
fn the_part_that_holds_it_is_shown() {
    let mut window = traffic();
    search_for(&mut window, "x-trace: T-17");
    window.harness.get_by_label("0 found, 1 in HTTP");
    press(&mut window, Modifiers::NONE, Key::F3);
    window.until("its exchanges are read", |app| {
        app.view().exchanges.rows().is_some_and(|rows| rows.end() >= 1)
    });
    window.harness.run_ok();
    window.harness.get_by_role_and_label(Role::Tab, "Request · match");
    window.harness.get_by_role_and_label(Role::Tab, "Response");
    window.harness.get_by_label("X-Trace: t-17");
}

#[test]
fn rows_without_a_match_stay_where_asked() {
    let mut window = traffic();
    choose_search_option(&mut window, "Hide rows without a match");
    search_for(&mut window, "attic");
    window.harness.get_by_label_contains("connection /events").click();
    window.until("its exchanges are read", |app| {
        app.view().exchanges.rows().is_some_and(|rows| rows.end() == 4)
    });
    window.harness.run_ok();
    window.harness.get_by_label_contains("event 3, joined");
    let marked = window.harness.query_all_by_label_contains("holds a match").count();
    assert_eq!(marked, 2, "the first exchange and the last event");
    window.harness.get_by_label("3 found in HTTP");
    window.harness.get_by_label("Next match").click();
    window.harness.run_ok();
    assert_eq!(standing(&window), (Some(FIRST), Tab::Messages, Some(0)));
}

#[test]
fn a_connection_without_a_match_says_so() {
    let mut window = traffic();
    search_for(&mut window, "s3cret");
    window.harness.get_by_label_contains("connection /events").click();
    window.until("its exchanges are read", |app| {
        app.view().exchanges.rows().is_some_and(|rows| rows.end() >= 1)
    });
    window.harness.run_ok();
    window.harness.get_by_label("No row matches");
}

#[test]
fn a_masked_secret_is_found_and_stays_masked_until_it_is_shown() {
    let mut window = traffic();
    search_for(&mut window, "s3cret");
    window.harness.get_by_label("0 found, 1 in HTTP");
    press(&mut window, Modifiers::NONE, Key::F3);
    assert_eq!(standing(&window), (Some(LAST), Tab::Messages, Some(0)));
    window.until("its exchanges are read", |app| {
        app.view().exchanges.rows().is_some_and(|rows| rows.end() >= 1)
    });
    window.harness.run_ok();
    window.harness.get_by_label("Cookie: session=•••");
    window.harness.get_by_label("match in what is hidden");
    assert!(window.harness.query_by_label_contains("session=s3cret").is_none());
    let chips: Vec<_> = window.harness.get_all_by_role_and_label(Role::Button, "show").collect();
    assert_eq!(chips.len(), 2, "of the target, and of the cookie");
    chips[1].click();
    drop(chips);
    window.harness.run_ok();
    window.harness.get_by_label("Cookie: session=s3cret");
    assert!(window.harness.query_by_label("match in what is hidden").is_none());
}

#[test]
fn a_row_that_is_not_kept_any_more_says_so_and_the_search_goes_on_behind_it() {
    let mut capture = Capture::new();
    let on = capture.connection();
    capture.raw(on, UP, b"GET /events HTTP/1.1\r\n\r\n");
    capture.raw(on, DOWN, b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
    let (first, last, end) = (5, 50_005, 50_011);
    let events = (1..end)
        .map(|row| if row == first || row == last { "data: attic\n\n" } else { "data:\n\n" });
    capture.raw(on, DOWN, events.collect::<String>().as_bytes());
    let mut window = capture.open(1440.0, 900.0);
    search_for(&mut window, "attic");
    window.harness.get_by_label("0 found, 2 in HTTP");
    press(&mut window, Modifiers::NONE, Key::F3);
    window.until("its rows are read", |app| {
        app.view().exchanges.rows().is_some_and(|rows| rows.end() == end)
    });
    window.harness.run_ok();
    assert_eq!(standing(&window), (Some(FIRST), Tab::Messages, Some(first)));
    window.harness.get_by_label("Row 6");
    window.harness.get_by_label_contains("It is not kept any more");
    window.harness.get_by_label("1 of 2 in HTTP");
    press(&mut window, Modifiers::NONE, Key::F3);
    assert_eq!(standing(&window), (Some(FIRST), Tab::Messages, Some(last)));
    window.harness.get_by_label("Event 50,006");
    press(&mut window, Modifiers::NONE, Key::F3);
    assert_eq!(standing(&window), (Some(FIRST), Tab::Messages, Some(first)));
    window.harness.get_by_label("Close the detail pane (Escape)").click();
    window.harness.run_ok();
    assert_eq!(standing(&window), (Some(FIRST), Tab::Messages, None));
}

#[test]
fn events_of_a_connection_that_became_a_websocket_are_gone_through() {
    let mut capture = Capture::new();
    let on = capture.connection();
    capture.raw(on, UP, b"GET /events HTTP/1.1\r\n\r\n");
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
    capture.raw(on, DOWN, format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes());
    for event in ["data: lobby\n\n", "data: attic\n\n", "data: attic again\n\n"] {
        capture.raw(on, DOWN, format!("{:x}\r\n{event}\r\n", event.len()).as_bytes());
    }
    capture.raw(on, DOWN, b"0\r\n\r\n");
    capture.upgrade(on, "/chat?room=attic");
    capture.text(on, UP, "who is there?");
    let mut window = capture.open(1440.0, 900.0);
    search_for(&mut window, "attic");
    window.harness.get_by_label("0 found, 4 in HTTP");
    let (events, chat) = ("GET /events HTTP/1.1", "GET /chat?room=attic HTTP/1.1");
    let in_a_body = Some("What is looked for is in a body, not in these heads.");
    let in_an_event = Some("What is looked for is in an event of this answer.");
    let stops = [
        (Modifiers::NONE, "1 of 4 in HTTP", events, in_a_body),
        (Modifiers::NONE, "2 of 4 in HTTP", events, in_an_event),
        (Modifiers::NONE, "3 of 4 in HTTP", events, in_an_event),
        (Modifiers::NONE, "4 of 4 in HTTP", chat, None),
        (Modifiers::NONE, "1 of 4 in HTTP", events, in_a_body),
        (Modifiers::SHIFT, "4 of 4 in HTTP", chat, None),
        (Modifiers::SHIFT, "3 of 4 in HTTP", events, in_an_event),
        (Modifiers::SHIFT, "2 of 4 in HTTP", events, in_an_event),
    ];
    for (modifiers, place, request, line) in stops {
        press(&mut window, modifiers, Key::F3);
        assert_eq!(standing(&window), (Some(FIRST), Tab::Handshake, None));
        window.harness.get_by_label(place);
        window.harness.get_by_label(request);
        let told = window.harness.query_by_label_contains("What is looked for is in ");
        let told = told.and_then(|label| label.accesskit_node().value());
        assert_eq!(told.as_deref(), line, "{place}");
    }
}

#[test]
fn the_handshake_tab_says_which_request_holds_it() {
    let mut window = traffic();
    search_for(&mut window, "t-17");
    window.harness.get_by_label_contains("connection /events").click();
    press(&mut window, Modifiers::COMMAND, Key::Num2);
    window.harness.get_by_label_contains("GET /rooms 200");
    window.harness.get_by_label_contains("holds a match").click();
    window.harness.run_ok();
    window.harness.get_by_label("1 of 1 in HTTP");
    window.harness.get_by_label("X-Trace: t-17");
}
