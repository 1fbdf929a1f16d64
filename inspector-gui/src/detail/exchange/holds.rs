//! Which part of an exchange holds what is looked for.

use framescope_core::{ConnectionId, Direction, Head};

use crate::detail::Sought;
use crate::store::exchanges::{Content, Exchange};

/// The answer for the exchange that was asked about last: a body is gone through once.
#[derive(Debug, Default)]
pub(super) struct Holds {
    of: Option<Of>,
    /// By [`Direction::index`].
    parts: [bool; 2],
}

/// An exchange, as far as it had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Of {
    at: (ConnectionId, usize),
    is_answered: bool,
    bodies: [Option<usize>; 2],
}

impl Holds {
    /// Whether request and answer hold what is looked for, by [`Direction::index`].
    pub(super) fn of(
        &mut self,
        at: (ConnectionId, usize),
        exchange: &Exchange,
        sought: Option<&Sought>,
    ) -> [bool; 2] {
        let Some(sought) = sought else { return [false; 2] };
        let bodies =
            [0, 1].map(|side: usize| exchange.bodies[side].as_ref().map(|b| b.octets.len()));
        let of = Of { at, is_answered: exchange.response.is_some(), bodies };
        if self.of != Some(of) {
            self.of = Some(of);
            let heads = [Some(&exchange.request), exchange.response.as_ref()];
            self.parts = Direction::BOTH.map(|direction| {
                let body = exchange.bodies[direction.index()].as_ref();
                heads[direction.index()].is_some_and(|head| holds(head, body, sought))
            });
        }
        self.parts
    }
}

fn holds(head: &Head, body: Option<&Content>, sought: &Sought) -> bool {
    let pattern = sought.pattern();
    let coding = head.value("Content-Encoding");
    pattern.is_in(&head.raw)
        || body.is_some_and(|body| pattern.is_in_body(&body.octets, coding.as_deref()))
}
