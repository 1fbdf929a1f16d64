//! The pane by role and label: what a search brings into sight.

use egui::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use framescope_core::Timestamp;
use framescope_core::search::Pattern;

use super::*;

const ON: ConnectionId = ConnectionId(1);

/// A pane, and the row that it shows: its number, and the exchange.
struct Shown {
    pane: ExchangePane,
    number: usize,
    exchange: Exchange,
}

/// A pane that looks for "attic", onto a request whose body is not read yet.
fn shown() -> Harness<'static, Shown> {
    let head = Bytes::from_static(b"POST /rooms HTTP/1.1\r\nContent-Length: 5\r\n\r\n");
    let exchange = Exchange {
        requested_at: Timestamp::default(),
        request: Arc::new(Head::parse_request(head, 0).expect("a head")),
        answered_at: None,
        response: None,
        ended_at: None,
        bodies: [None, None],
        packets: Default::default(),
        events: 0,
        pieces: 0,
    };
    let mut pane = ExchangePane::default();
    let pattern = Pattern::parse("attic").expect("a pattern");
    pane.look_for(Some(Sought::new(1, Arc::new(pattern))));
    let state = Shown { pane, number: 0, exchange };
    let size = vec2(600.0, 700.0);
    Harness::builder().with_size(size).build_ui_state(
        |ui, shown: &mut Shown| {
            theme::install_once(ui.ctx());
            let row = Row::Exchange(Box::new(shown.exchange.clone()));
            let at = (ON, shown.number);
            shown.pane.ui(ui, at, &row, &Known::default(), &TimeZone::UTC);
        },
        state,
    )
}

fn body_is_read(harness: &mut Harness<'_, Shown>) {
    let octets = Bytes::from_static(b"attic");
    let body = Some(Content { len: octets.len() as u64, octets });
    harness.state_mut().exchange.bodies[Direction::ClientToServer.index()] = body;
    harness.run();
    harness.get_by_role_and_label(Role::Tab, "Request · match");
}

fn is_request_shown(harness: &Harness<'_, Shown>) -> bool {
    harness.query_by_label("POST /rooms HTTP/1.1").is_some()
}

#[test]
fn a_part_that_is_read_later_is_brought_into_sight() {
    let mut harness = shown();
    harness.state_mut().pane.bring((ON, 0));
    harness.run();
    assert!(!is_request_shown(&harness));
    body_is_read(&mut harness);
    assert!(is_request_shown(&harness));
    harness.get_by_role_and_label(Role::Tab, "Response").click();
    harness.run();
    assert!(!is_request_shown(&harness), "once is enough");
}

#[test]
fn what_was_to_be_brought_into_sight_of_one_row_is_not_of_another() {
    let mut harness = shown();
    harness.state_mut().pane.bring((ON, 0));
    for number in [0, 1, 0] {
        harness.state_mut().number = number;
        harness.run();
    }
    body_is_read(&mut harness);
    assert!(!is_request_shown(&harness));
}

#[test]
fn what_is_being_saved_outlasts_all_else() {
    let mut pane = ExchangePane { part: Part::Request, ..ExchangePane::default() };
    pane.saving.ask(false);
    pane.start_over();
    assert_eq!((pane.part, pane.saving.is_at_work()), (Part::Response, true));
}
