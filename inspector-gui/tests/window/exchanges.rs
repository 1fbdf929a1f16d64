//! Connections that are no WebSocket: exchanges and events of streams as rows.

use egui::{Key, Modifiers, Role};
use egui_kittest::kittest::Queryable as _;
use framescope_core::ConnectionId;
use framescope_core::index::State;

use crate::fixture::{Capture, DOWN, UP, Window};

/// A page asked for, then a stream of three events.
fn stream() -> Window {
    let mut capture = Capture::new();
    let on = capture.connection();
    let ask = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
    capture.raw(on, UP, ask("/rooms").as_bytes());
    let rooms = br#"{"rooms":["lobby"]}"#;
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        rooms.len()
    );
    capture.raw(on, DOWN, head.as_bytes());
    capture.raw(on, DOWN, rooms);
    capture.raw(on, UP, ask("/events?token=abc").as_bytes());
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    capture.raw(on, DOWN, head.as_bytes());
    for event in [
        "event: joined\nid: 7\ndata: {\"who\":\"ada\"}\n\n",
        "retry: 2500\n\n",
        "data: hello\ndata: world\n\n",
    ] {
        capture.raw(on, DOWN, event.as_bytes());
    }
    let socket = capture.websocket("/chat");
    capture.text(socket, UP, "hello");
    let mut window = capture.open(1440.0, 900.0);
    window.harness.get_by_label_contains("connection /events").click();
    window.until("its exchanges are read", |app| {
        app.view().exchanges.rows().is_some_and(|rows| rows.end() == 5)
    });
    window.harness.run_ok();
    window
}

#[test]
fn an_exchange_and_each_event_of_a_stream_are_rows() {
    let window = stream();
    for label in [
        "exchange 1, GET /rooms, 200 application/json after 1.0 ms",
        "exchange 2, GET /events?token=",
        "200 text/event-stream after 1.0 ms, 3 events",
        "event 3, joined, id 7,",
        "event 4, setting, retry 2,500 ms,",
        "event 5, message, ,",
        "server-sent events",
    ] {
        assert!(window.harness.query_all_by_label_contains(label).count() > 0, "{label}");
    }
    assert!(window.harness.query_by_label_contains("token=abc").is_none(), "a secret is masked");
}

#[test]
fn a_selected_exchange_shows_heads_and_decoded_bodies_and_an_event_its_fields() {
    let mut window = stream();
    window.harness.get_by_label_contains("exchange 1,").click();
    window.harness.run_ok();
    window.harness.get_by_label("Exchange 1");
    window.harness.get_by_label("rooms: [ 1");
    window.harness.get_by_role_and_label(Role::Tab, "Request").click();
    window.harness.run_ok();
    window.harness.get_by_label("No body.");
    window.harness.get_by_label_contains("event 3,").click();
    window.harness.run_ok();
    window.harness.get_by_label("eventjoined");
    window.harness.get_by_label("id7");
    window.harness.get_by_label("who: \"ada\"");
    window.harness.get_by_label("Close the detail pane (Escape)").click();
    window.harness.run_ok();
    assert!(window.harness.query_by_label("Event 3").is_none());
    window.harness.get_by_label_contains("connection /chat").click();
    window.harness.run_ok();
    window.harness.get_by_label_contains("message 1,");
}

#[test]
fn the_list_narrows_to_one_kind_of_connections() {
    let mut window = stream();
    window.harness.get_by_label_contains("all kinds").click();
    window.harness.run_ok();
    window.harness.get_by_label("WebSockets").click();
    window.harness.run_ok();
    assert!(window.harness.query_by_label_contains("connection /events").is_none());
    assert_eq!(window.app().view().connection, None, "what is not listed is not chosen");
    window.harness.get_by_label_contains("connection /chat");
}

/// Shows the secret of the cookie that is in sight.
fn show_cookie(window: &mut Window) {
    window.harness.get_by_label("Cookie: session=•••");
    let chips: Vec<_> = window.harness.get_all_by_role_and_label(Role::Button, "show").collect();
    assert_eq!(chips.len(), 1);
    chips[0].click();
    drop(chips);
    window.harness.run_ok();
    window.harness.get_by_label("Cookie: session=s3cret");
}

#[test]
fn what_was_shown_of_a_row_is_not_shown_of_another_reading() {
    let mut capture = Capture::new();
    let (on, held) = (capture.connection(), capture.connection());
    capture.raw(on, UP, b"GET /account HTTP/1.1\r\nCookie: session=s3cret\r\n\r\n");
    // An answer waits for its request, until none can come.
    capture.raw(held, DOWN, b"HTTP/1.1 204 No Content\r\n\r\n");
    capture.leave_alone();
    let mut window = capture.open(1440.0, 900.0);
    let select = |window: &mut Window| {
        window.harness.key_press_modifiers(Modifiers::COMMAND, Key::Num1);
        window.harness.run_ok();
        window.until("its row is read", |app| {
            app.view().exchanges.rows().is_some_and(|rows| rows.end() >= 1)
        });
        window.harness.run_ok();
        window.harness.get_by_label_contains("exchange 1,").click();
        window.harness.run_ok();
        window.harness.get_by_role_and_label(Role::Tab, "Request").click();
        window.harness.run_ok();
    };
    window.harness.get_by_label_contains("connection /account").click();
    window.harness.run_ok();
    select(&mut window);
    show_cookie(&mut window);
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::Num2);
    window.harness.run_ok();
    show_cookie(&mut window);

    window.until("the file counts as finished", |app| {
        let index = app.store().index();
        index.connection(held).is_some_and(|held| held.state != State::Connecting)
    });
    window.capture.raw(ConnectionId(1), DOWN, b"HTTP/1.1 204 No Content\r\n\r\n");
    window.capture.flush();
    window.until("it is read anew", |app| app.store().reading() == 1);
    window.harness.run_ok();
    window.harness.get_by_label("Cookie: session=•••");
    assert_eq!(window.app().view().exchanges.selected(), None);
    select(&mut window);
    window.harness.get_by_label("Cookie: session=•••");
}
