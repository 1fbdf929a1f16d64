//! The tab by role and label.

use std::sync::Arc;

use egui::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use framescope_core::index::ConnectionSummary;
use framescope_core::search::{Marks, Pattern};

use super::{HandshakeTab, handshakes};
use crate::detail::Sought;
use crate::theme;

fn harness(connection: Option<ConnectionSummary>, width: f32) -> Harness<'static, HandshakeTab> {
    let mut harness = Harness::builder().with_size(egui::vec2(width, 900.0)).build_ui_state(
        move |ui, tab: &mut HandshakeTab| {
            theme::install_once(ui.ctx());
            tab.ui(ui, connection.as_ref(), None);
        },
        HandshakeTab::default(),
    );
    harness.run();
    harness
}

#[test]
fn a_good_handshake_shows_both_heads_the_derivation_and_the_checks() {
    for width in [1100.0, 520.0] {
        let harness = harness(Some(handshakes::accepted()), width);
        for label in [
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "HTTP/1.1 101 Switching Protocols",
            "Sec-WebSocket-Accept matches",
            "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
            "b3 7a 4f 2c c0 62 4f 16 90 f6 46 06 cf 38 59 45 b2 be c4 ea",
            "equal",
            "Version is 13",
            "8.4 ms",
            "upgrade 4.4 ms",
            "window 32,768 octets, goes on from message to message",
        ] {
            assert!(harness.query_all_by_label(label).count() >= 1, "{label} at {width}");
        }
        assert!(harness.query_all_by_label("passed").count() >= 6);
        assert!(harness.query_by_label("error").is_none());
    }
}

#[test]
fn what_was_edited_says_what_it_was_forwarded_as() {
    let harness = harness(Some(handshakes::accepted()), 1100.0);
    harness.get_by_label("forwarded as demo.example:8443");
    harness.get_by_label("forwarded as https://demo.example:8443");
    let polling = self::harness(Some(handshakes::polling()), 1100.0);
    polling.get_by_label("forwarded as demo.example:8443");
}

#[test]
fn an_answer_of_the_proxy_is_told_as_its_own() {
    let harness = harness(Some(handshakes::answered_by_proxy()), 1100.0);
    harness.get_by_label("Response, written by the proxy itself");
    harness.get_by_label_contains("The proxy wrote this answer itself");
    harness.get_by_label("connecting to the server");
    for not in ["the server sent", "went through unchanged", "dial"] {
        assert_eq!(harness.query_all_by_label_contains(not).count(), 0, "{not}");
    }
}

#[test]
fn secrets_are_hidden_until_shown() {
    let mut harness = harness(Some(handshakes::accepted()), 1100.0);
    harness.get_by_label("GET /chat?room=ops&access_token=••• HTTP/1.1");
    harness.get_by_label("Cookie: session=•••");
    let chips: Vec<_> = harness.get_all_by_role_and_label(Role::Button, "show").collect();
    assert_eq!(chips.len(), 2);
    chips[1].click();
    drop(chips);
    harness.run();
    harness.get_by_label("Cookie: session=4f1c");
    harness.get_by_label("GET /chat?room=ops&access_token=••• HTTP/1.1");
    harness.get_by_role_and_label(Role::Button, "hide").click();
    harness.run();
    harness.get_by_label("Cookie: session=•••");
}

/// The same tab onto connections that change.
fn growing() -> Harness<'static, (HandshakeTab, ConnectionSummary)> {
    let mut harness = Harness::builder().with_size(egui::vec2(1100.0, 900.0)).build_ui_state(
        |ui, (tab, connection): &mut (HandshakeTab, ConnectionSummary)| {
            theme::install_once(ui.ctx());
            tab.ui(ui, Some(connection), None);
        },
        (HandshakeTab::default(), handshakes::polling()),
    );
    harness.run();
    harness
}

/// The next request, as the index lists it: the first goes.
fn ask_once_more(connection: &mut ConnectionSummary) {
    let mut next = connection.exchanges.remove(0);
    next.row = handshakes::next_row(&mut connection.rows, &next.request);
    connection.exchanges.push(next);
}

#[test]
fn a_secret_that_is_shown_is_that_of_one_request_wherever_it_stands_in_the_list() {
    let mut harness = growing();
    harness.get_by_label("GET /poll?since=8 HTTP/1.1");
    harness.get_by_role_and_label(Role::Button, "show").click();
    harness.run();
    harness.get_by_label("Authorization: Bearer abc");
    ask_once_more(&mut harness.state_mut().1);
    harness.run();
    harness.get_by_label("GET /poll?since=0 HTTP/1.1");
    harness.get_by_label("Authorization: Bearer •••");
    harness.get_by_label("GET /poll?since=8 200  12.0 ms").click();
    harness.run();
    harness.get_by_label("Authorization: Bearer abc");
}

#[test]
fn a_request_stays_chosen_until_it_is_not_listed_any_more() {
    let mut harness = growing();
    let (tab, connection) = harness.state_mut();
    tab.choose(connection.id, 1);
    harness.run();
    harness.get_by_label("GET /poll?since=1 HTTP/1.1");
    ask_once_more(&mut harness.state_mut().1);
    harness.run();
    harness.get_by_label("GET /poll?since=1 HTTP/1.1");
    ask_once_more(&mut harness.state_mut().1);
    harness.run();
    harness.get_by_label("This request is not listed any more");
    harness.get_by_label("GET /poll?since=8 200  12.0 ms").click();
    harness.run();
    harness.get_by_label("GET /poll?since=8 HTTP/1.1");
}

#[test]
fn a_row_that_was_asked_for_is_looked_at_whether_it_is_listed_or_not() {
    let mut harness = growing();
    ask_once_more(&mut harness.state_mut().1);
    let (tab, connection) = harness.state_mut();
    assert_eq!(tab.looked_at(connection), Some(9), "the last");
    for row in [0, 4, 9, 10] {
        tab.show(connection.id, row);
        assert_eq!(tab.looked_at(connection), Some(row));
    }
    assert_eq!(tab.chosen(connection).map(|exchange| exchange.row), Some(9), "10 is not there yet");
    tab.show(connection.id, 0);
    assert!(tab.chosen(connection).is_none(), "it is not listed any more");
    harness.run();
    harness.get_by_label("This request is not listed any more");
    harness.get_by_label("GET /poll?since=8 200  12.0 ms").click();
    harness.run();
    let (tab, connection) = harness.state();
    assert_eq!(tab.looked_at(connection), Some(8), "another one was chosen");
}

#[test]
fn what_no_head_holds_is_not_waited_for() {
    let mut harness = growing();
    let (tab, connection) = harness.state_mut();
    let pattern = Arc::new(Pattern::parse("lobby").expect("a pattern"));
    let mut found = Marks::default();
    found.mark(3);
    tab.look_for(Some(Sought::new(1, pattern)), found);
    tab.show(connection.id, 3);
    assert!(tab.brings);
    harness.run();
    harness.get_by_label("What is looked for is in a body, not in these heads.");
    let (tab, connection) = harness.state_mut();
    assert!(!tab.brings, "another head that holds it is not brought into sight");
    tab.show(connection.id, 9);
    harness.run();
    assert!(harness.state().0.brings, "it is not listed yet");
}

#[test]
fn a_wrong_answer_is_said_to_be_wrong() {
    let harness = harness(Some(handshakes::wrong()), 1100.0);
    harness.get_by_label("Sec-WebSocket-Accept does not match");
    harness.get_by_label("not equal");
    harness.get_by_label("Sec-WebSocket-Accept does not answer the key");
    assert!(harness.query_all_by_label("error").count() >= 2);
}

#[test]
fn a_refused_upgrade_says_what_the_server_answered() {
    let harness = harness(Some(handshakes::refused()), 1100.0);
    harness.get_by_label("The server answered 403, not 101");
    harness.get_by_label("Sec-WebSocket-Accept is not due");
    harness.get_by_label("Set-Cookie: id=•••; Path=/");
}

#[test]
fn kept_alive_requests_are_listed_and_can_be_chosen() {
    let mut harness = harness(Some(handshakes::polling()), 1100.0);
    harness.get_by_label("GET /poll?since=8 HTTP/1.1");
    harness.get_by_label("GET /poll?since=7 200  12.0 ms").click();
    harness.run();
    harness.get_by_label("GET /poll?since=7 HTTP/1.1");
    harness.get_by_label("Plain HTTP");
}

#[test]
fn failures_and_silence_are_told() {
    let failed = harness(Some(handshakes::unreachable()), 1100.0);
    failed.get_by_label("Failed towards the server");
    failed.get_by_label("demo.example:8443 refused the connection; is the server running?");
    failed.get_by_label("None yet.");
    harness(Some(handshakes::silent()), 1100.0).get_by_label("Nothing asked yet");
    harness(None, 1100.0).get_by_label("No connection");
}

#[test]
fn what_is_missing_is_told_and_that_the_rest_is_followed() {
    let harness = harness(Some(handshakes::gapped()), 1100.0);
    harness.get_by_label("↑ is not all here");
    harness.get_by_label(
        "2,013,704 octets missing from the capture, in 2 places; the frames behind are followed.",
    );
    harness.get_by_label("↓ is not all here");
    assert!(harness.query_by_label_contains("731 octets before them could not be told").is_some());
}

#[test]
fn a_connection_that_was_open_before_the_capture_says_so() {
    for width in [1100.0, 520.0] {
        let harness = harness(Some(handshakes::midway()), width);
        harness.get_by_label("No opening handshake");
        let told = harness.query_all_by_label_contains("It was open before the capture began;");
        assert_eq!(told.count(), 2, "at {width}");
    }
}
