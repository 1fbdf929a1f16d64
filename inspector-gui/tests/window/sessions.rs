//! Sessions of Engine.IO that move from connection to connection are shown as one.

use egui::Role;
use egui_kittest::kittest::Queryable as _;
use framescope_core::ConnectionId;
use framescope_gui::store::exchanges::Row;

use crate::fixture::{Capture, DOWN, UP, Window};

const SID: &str = "lv_VI97HAXpY6yYWAAAC";
const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

fn ask(capture: &mut Capture, on: ConnectionId, target: &str) {
    capture.raw(
        on,
        UP,
        format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:9870\r\n\r\n").as_bytes(),
    );
}

fn post(capture: &mut Capture, on: ConnectionId, target: &str, body: &str) {
    let len = body.len();
    let request = format!(
        "POST {target} HTTP/1.1\r\nHost: 127.0.0.1:9870\r\nContent-Length: {len}\r\n\r\n{body}"
    );
    capture.raw(on, UP, request.as_bytes());
}

fn answer(capture: &mut Capture, on: ConnectionId, body: &str) {
    let len = body.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len}\r\n\r\n{body}"
    );
    capture.raw(on, DOWN, answer.as_bytes());
}

/// Opened by polling on connection 1, said something on connection 2, moved to a WebSocket on connection
/// 3; connection 4 is none of its.
fn moving() -> Window {
    let mut capture = Capture::new();
    let first = capture.connection();
    ask(&mut capture, first, POLLING);
    let open = format!(
        r#"0{{"sid":"{SID}","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}}"#
    );
    answer(&mut capture, first, &open);
    let second = capture.connection();
    let named = format!("{POLLING}&sid={SID}");
    post(&mut capture, second, &named, "40\u{1e}420[\"ask\",{\"n\":1}]");
    answer(&mut capture, second, "ok");
    ask(&mut capture, first, &named);
    answer(&mut capture, first, "40{\"sid\":\"x\"}\u{1e}430[\"yes\"]\u{1e}bAQID\u{1e}9");
    let socket = capture.websocket(&format!("/socket.io/?EIO=4&transport=websocket&sid={SID}"));
    capture.text(socket, UP, "2probe");
    capture.text(socket, DOWN, "3probe");
    capture.text(socket, UP, "5");
    capture.text(socket, DOWN, r#"42["news"]"#);
    let other = capture.connection();
    ask(&mut capture, other, "/page");
    answer(&mut capture, other, "hello");
    capture.open(1440.0, 900.0)
}

fn choose(window: &mut Window, number: u32) {
    let label = format!("#{number},");
    window.harness.get_by_label_contains(&label).click();
    window.harness.run_ok();
    shown(window, number);
}

/// Waits until this connection is the chosen one, and its rows are read.
fn shown(window: &mut Window, number: u32) {
    assert_eq!(window.app().view().connection, Some(ConnectionId(number)));
    if number != 3 {
        window.until("its exchanges are read", |app| {
            let ended = |row: &Row| match row {
                Row::Exchange(one) => one.ended_at.is_some(),
                _ => true,
            };
            let rows = app.view().exchanges.rows();
            let count = if number == 1 { 2 } else { 1 };
            rows.is_some_and(|rows| {
                rows.end() == count && (0..count).all(|n| rows.get(n).is_some_and(ended))
            })
        });
    }
    window.harness.run_ok();
}

#[test]
fn the_list_tells_which_connections_carry_a_session() {
    let window = moving();
    let all = |label: &str| window.harness.query_all_by_label_contains(label).count();
    for entry in [
        "#1, long polling · 2 requests §1,",
        "#2, sending · 1 request §1,",
        "#3, open §1 · Socket.IO,",
    ] {
        assert_eq!(all(entry), 1, "{entry}");
    }
    assert_eq!(all("connection /page #4, GET 200 ,"), 1);
    assert_eq!(all(SID), 0, "what names it is hidden");
}

#[test]
fn an_exchange_shows_its_session_and_leads_to_the_other_connections() {
    let mut window = moving();
    choose(&mut window, 2);
    window.harness.get_by_label_contains("exchange 1, POST").click();
    window.harness.run_ok();
    for label in [
        "Engine.IO session §1",
        "sid ••• at /socket.io/",
        "long polling on",
        "from its beginning",
        "sending on",
        "connection 2, this one",
        "WebSocket on",
        "upgraded after 12.0 ms",
    ] {
        window.harness.get_by_label(label);
    }
    window.harness.get_by_role_and_label(Role::Link, "connection 1").click();
    window.harness.run_ok();
    shown(&mut window, 1);
    choose(&mut window, 4);
    window.harness.get_by_label_contains("exchange 1, GET /page").click();
    window.harness.run_ok();
    window.harness.get_by_label("Exchange 1");
    assert!(window.harness.query_by_label("Engine.IO session §1").is_none());
}

#[test]
fn the_handshake_of_its_websocket_shows_the_session_and_leads_back() {
    let mut window = moving();
    choose(&mut window, 3);
    window.harness.get_by_role_and_label(Role::Tab, "Handshake").click();
    window.harness.run_ok();
    window.harness.get_by_label("connection 3, this one");
    // A list of one kind of connections does not hide where a link leads.
    window.harness.get_by_label_contains("all kinds").click();
    window.harness.run_ok();
    window.harness.get_by_label("WebSockets").click();
    window.harness.run_ok();
    choose(&mut window, 3);
    window.harness.get_by_role_and_label(Role::Link, "connection 1").click();
    window.harness.run_ok();
    shown(&mut window, 1);
    window.harness.get_by_label_contains("all kinds");
    window.harness.get_by_label("connection 1, this one");
    window.harness.get_by_role_and_label(Role::Link, "connection 2");
    window.harness.get_by_role_and_label(Role::Link, "connection 3");
}

#[test]
fn bodies_of_a_session_list_their_packets() {
    let mut window = moving();
    choose(&mut window, 2);
    window.harness.get_by_label_contains("exchange 1, POST").click();
    window.harness.run_ok();
    window.harness.get_by_role_and_label(Role::Tab, "Request").click();
    window.harness.run_ok();
    let lines = |window: &Window, wanted: &[&str]| {
        for line in wanted {
            assert_eq!(window.harness.query_all_by_label(line).count(), 1, "{line}");
        }
    };
    lines(&window, &["Packets", "CONNECT /", r#"EVENT / "ask" 1 arg, ack 0"#]);
    window.harness.get_by_role_and_label(Role::Tab, "Response").click();
    window.harness.run_ok();
    assert!(window.harness.query_by_label("Packets").is_none(), "ok is no packet");
    choose(&mut window, 1);
    window.harness.get_by_label_contains("exchange 2, GET").click();
    window.harness.run_ok();
    lines(&window, &["Packets", "ACK / 0, 1 arg", "attachment 3 octets"]);
    assert_eq!(window.harness.query_all_by_label_contains("⚠").count(), 1, "9 is no type");
    // What it answers went over another connection.
    assert!(window.harness.query_by_label_contains("nothing asked for").is_none());
}
