//! What can be done with a row of exchanges: its menu, and what is copied.

use egui::Role;
use egui_kittest::kittest::Queryable as _;
use framescope_core::Direction;
use framescope_gui::app::Tab;
use framescope_gui::command::Command;
use framescope_gui::store::saving::Payload;

use crate::fixture::{Capture, DOWN, UP, Window};
use crate::saving::saved;

/// A form that is sent with credentials, and a stream of one event.
fn posted() -> Window {
    let mut capture = Capture::new();
    let on = capture.connection();
    let request = "POST /rooms?token=abc HTTP/1.1\r\nHost: a.example\r\nCookie: id=s3cret\r\n\
        Content-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"name\":\"it's\"}";
    capture.raw(on, UP, request.as_bytes());
    let answer =
        "HTTP/1.1 201 Created\r\nSet-Cookie: id=n3w; Path=/\r\nContent-Length: 3\r\n\r\nyes";
    capture.raw(on, DOWN, answer.as_bytes());
    capture.raw(on, UP, b"GET /events HTTP/1.1\r\nHost: a.example\r\n\r\n");
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: hello\n\n";
    capture.raw(on, DOWN, head.as_bytes());
    let mut window = capture.open(1440.0, 900.0);
    window.harness.get_by_label_contains("connection /events").click();
    window.until("its exchanges are read", |app| {
        app.view().exchanges.rows().is_some_and(|rows| rows.end() == 3)
    });
    window.harness.run_ok();
    window
}

/// Chooses an entry of this row's menu; what is copied then.
fn choose(window: &mut Window, row: &str, entry: &str) -> Option<String> {
    window.harness.get_by_label_contains(row).click_secondary();
    window.harness.run_ok();
    window.harness.get_by_label(entry).click();
    let mut copied = None;
    for _ in 0..4 {
        window.harness.step();
        copied = copied.or_else(|| crate::panels::copied(window));
    }
    copied
}

#[test]
fn parts_of_an_exchange_are_copied_with_their_credentials_masked() {
    let mut window = posted();
    let request = "POST /rooms?token=••• HTTP/1.1\nHost: a.example\nCookie: id=•••\n\
        Content-Type: application/json\nContent-Length: 15";
    let curl = "curl 'http://a.example/rooms?token=•••' \\\n  -H 'Cookie: id=•••' \\\n  \
        -H 'Content-Type: application/json' \\\n  -H 'User-Agent:' \\\n  -H 'Accept:' \\\n  \
        --data-raw '{\"name\":\"it'\\''s\"}'";
    for (entry, text) in [
        ("Copy URL", "http://a.example/rooms?token=•••"),
        ("Copy request head", request),
        (
            "Copy response head",
            "HTTP/1.1 201 Created\nSet-Cookie: id=•••; Path=/\nContent-Length: 3",
        ),
        ("Copy as cURL", curl),
    ] {
        let copied = choose(&mut window, "exchange 1,", entry);
        assert_eq!(copied.as_deref(), Some(text), "{entry}");
        window.harness.get_by_label("copied with credentials masked");
    }
    let copied = choose(&mut window, "exchange 1,", "Copy response body");
    assert_eq!(copied.as_deref(), Some("yes"));
    assert!(window.harness.query_by_label("copied with credentials masked").is_none());
    choose(&mut window, "exchange 1,", "Copy URL").expect("it is copied");
    window.harness.get_by_label_contains("exchange 1,").click();
    window.harness.run_ok();
    window.harness.get_by_label("copied with credentials masked");
    window.harness.get_by_label("Copy the body").click();
    window.harness.run_ok();
    assert!(window.harness.query_by_label("copied with credentials masked").is_none());
}

#[test]
fn a_body_is_copied_as_its_head_says_that_it_is_coded() {
    let mut capture = Capture::new();
    let on = capture.connection();
    capture.raw(on, UP, b"GET /data HTTP/1.1\r\nHost: x\r\n\r\n");
    // What Node's brotli makes of 29 octets that look like nothing.
    let plain: Vec<u8> = (1..30_u8).map(|n| n.wrapping_mul(83)).collect();
    let head = b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 33\r\n\r\n";
    capture.raw(on, DOWN, &[&head[..], &[0x0b, 0x0e, 0x80], &plain[..], &[0x03]].concat());
    let mut window = capture.open(1440.0, 900.0);
    window.harness.get_by_label_contains("connection /data").click();
    window.until("its exchange is read", |app| {
        app.view().exchanges.rows().is_some_and(|rows| rows.end() == 1)
    });
    window.harness.run_ok();
    let copied = choose(&mut window, "exchange 1,", "Copy response body").expect("it is copied");
    assert!(copied.contains("53 a6 f9") && !copied.contains("0b 0e 80"), "{copied}");
}

#[test]
fn what_the_pane_shows_is_copied_as_it_was_sent() {
    let mut window = posted();
    window.harness.get_by_label_contains("exchange 1,").click();
    window.harness.run_ok();
    window.harness.get_by_role_and_label(Role::Tab, "Request").click();
    window.harness.run_ok();
    let chips: Vec<_> = window.harness.get_all_by_role_and_label(Role::Button, "show").collect();
    assert_eq!(chips.len(), 2);
    chips[1].click();
    drop(chips);
    window.harness.run_ok();
    window.harness.get_by_label("Cookie: id=s3cret");
    let copied = choose(&mut window, "exchange 1,", "Copy as cURL").expect("it is copied");
    assert!(copied.contains("'Cookie: id=s3cret'") && copied.contains("token=•••"), "{copied}");
    window.harness.get_by_label_contains("exchange 2,").click();
    window.harness.run_ok();
    let copied = choose(&mut window, "exchange 1,", "Copy request head").expect("it is copied");
    assert!(!copied.contains("s3cret"), "it is hidden again: {copied}");
}

#[test]
fn an_event_leads_to_its_request_and_an_exchange_to_its_heads() {
    let mut window = posted();
    assert_eq!(choose(&mut window, "event 3,", "Copy content").as_deref(), Some("hello"));
    let copied = choose(&mut window, "event 3,", "Copy URL");
    assert_eq!(copied.as_deref(), Some("http://a.example/events"));
    choose(&mut window, "event 3,", "Go to its request");
    window.harness.get_by_label("Exchange 2");
    choose(&mut window, "exchange 1,", "Show in Handshake");
    assert_eq!(window.app().view().tab, Tab::Handshake);
    window.harness.run_ok();
    window.harness.get_by_label("POST /rooms?token=••• HTTP/1.1");
}

#[test]
fn heads_that_are_not_listed_any_more_are_not_mistaken_for_others() {
    let mut capture = Capture::new();
    let on = capture.connection();
    for _ in 0..101 {
        let requests = "GET /poll HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100);
        capture.raw(on, UP, requests.as_bytes());
        capture.raw(on, DOWN, "HTTP/1.1 204 No Content\r\n\r\n".repeat(100).as_bytes());
    }
    let mut window = capture.open(1440.0, 900.0);
    window.harness.get_by_label_contains("connection /poll").click();
    window.until("its exchanges are read", |app| {
        app.view().exchanges.rows().is_some_and(|rows| rows.end() == 10_100)
    });
    window.harness.run_ok();
    choose(&mut window, "exchange 1,", "Show in Handshake");
    assert_eq!(window.app().view().tab, Tab::Messages);
    window
        .harness
        .get_by_label("the handshake tab lists the last 10,000 exchanges: this one is older");
}

#[test]
fn the_url_of_a_connection_is_masked_whatever_is_shown_of_its_other_requests() {
    let mut capture = Capture::new();
    let on = capture.connection();
    for target in ["/first?token=abc", "/last?token=s3cret"] {
        capture.raw(on, UP, format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n").as_bytes());
        capture.raw(on, DOWN, b"HTTP/1.1 204 No Content\r\n\r\n");
    }
    let mut window = capture.open(1440.0, 900.0);
    window.harness.get_by_label_contains("connection /last").click();
    window.harness.run_ok();
    window.harness.get_by_role_and_label(Role::Tab, "Handshake").click();
    window.harness.run_ok();
    let context = window.harness.ctx.clone();
    let copied = |window: &mut Window| {
        window.harness.state_mut().run(&context, Command::CopyConnectionUrl);
        window.harness.step();
        crate::panels::copied(window).expect("it is copied")
    };
    for (row, line, url) in [
        (
            "GET /first?token=••• 204",
            "GET /first?token=abc HTTP/1.1",
            "http://a.example/last?token=•••",
        ),
        (
            "GET /last?token=••• 204",
            "GET /last?token=s3cret HTTP/1.1",
            "http://a.example/last?token=s3cret",
        ),
    ] {
        window.harness.get_by_label_contains(row).click();
        window.harness.run_ok();
        window.harness.get_by_role_and_label(Role::Button, "show").click();
        window.harness.run_ok();
        window.harness.get_by_label(line);
        assert_eq!(copied(&mut window), url, "{row}");
    }
}

#[test]
fn connections_with_the_same_path_are_found() {
    let mut window = posted();
    // Its connection has asked for something else since.
    for (row, path) in [("exchange 1,", "/rooms"), ("exchange 2,", "/events")] {
        choose(&mut window, row, "Find connections with this path");
        assert_eq!(window.app().view().connection_words, path);
        assert_eq!(window.app().view().connection, None);
        window.harness.run_ok();
        window.harness.get_by_label_contains("connection /events").click();
        window.harness.run_ok();
    }
}

#[test]
fn what_a_command_line_leaves_out_is_told() {
    let mut capture = Capture::new();
    let on = capture.connection();
    let head = b"PUT /a HTTP/1.1\r\nHost: x\r\nCookie: id=s3cret\r\nX-Name: caf\xe9\r\n\
        Content-Length: 2\r\n\r\n\xff\xfe";
    capture.raw(on, UP, head);
    capture.raw(on, DOWN, b"HTTP/1.1 204 No Content\r\n\r\n");
    capture.raw(on, UP, b"PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf");
    let mut window = capture.open(1440.0, 900.0);
    window.harness.get_by_label_contains("connection /b").click();
    window.until("its exchanges are read", |app| {
        app.view().exchanges.rows().is_some_and(|rows| rows.end() == 2)
    });
    window.harness.run_ok();
    let copied = choose(&mut window, "exchange 1,", "Copy as cURL").expect("it is copied");
    assert!(!copied.contains("X-Name") && copied.contains("@a-request.bin"), "{copied}");
    window.harness.get_by_label(
        "the command takes the body from a-request.bin: save it there; copied with credentials \
         masked; left out 1 field that no command line can hold",
    );
    choose(&mut window, "exchange 2,", "Copy as cURL").expect("it is copied");
    window
        .harness
        .get_by_label("the body has not ended yet: the command takes it from b-request.bin");
}

#[test]
fn an_event_that_is_not_utf_8_is_saved_as_it_is_shown() {
    let mut capture = Capture::new();
    let on = capture.connection();
    capture.raw(on, UP, b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: caf\xe9\n\n";
    capture.raw(on, DOWN, head);
    let window = capture.open(1280.0, 800.0);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("event.txt");
    let direction = Direction::ServerToClient;
    let told = saved(&window, Payload::Content { connection: on, row: 1, direction }, &path);
    assert_eq!(told, Ok(format!("6 octets written to {}", path.display())));
    assert_eq!(std::fs::read_to_string(&path).expect("written"), "caf\u{fffd}");
}

#[test]
fn a_body_is_saved_whole_however_little_of_it_is_kept() {
    let mut capture = Capture::new();
    let on = capture.connection();
    // More than the table keeps of a body.
    let data: Vec<u8> = (0..600_000_u32).map(|n| (n % 251) as u8).collect();
    capture.raw(on, UP, b"GET /data HTTP/1.1\r\nHost: x\r\n\r\n");
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", data.len());
    capture.raw(on, DOWN, head.as_bytes());
    for chunk in data.chunks(32 << 10) {
        capture.raw(on, DOWN, chunk);
    }
    let window = capture.open(1280.0, 800.0);
    let folder = tempfile::tempdir().expect("a folder");
    let saved = |payload, name: &str| {
        let path = folder.path().join(name);
        saved(&window, payload, &path).map(|_| std::fs::read(&path).expect("written"))
    };
    let body = |row, direction| Payload::Content { connection: on, row, direction };
    assert!(saved(body(0, Direction::ServerToClient), "a").expect("saved") == data);
    let kept = Payload::Kept(b"kept"[..].into());
    assert_eq!(saved(kept, "b").expect("saved"), b"kept");
    let line = saved(body(1, Direction::ServerToClient), "c").expect_err("there is no such row");
    assert!(line.ends_with("its end is not in the capture"), "{line}");
}
