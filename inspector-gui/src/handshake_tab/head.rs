//! One head, line by line, as it crossed the wire; what the proxy changed stands beside it.

use std::borrow::Cow;
use std::fmt::Write as _;

use egui::Ui;
use framescope_core::connection::Alteration;
use framescope_core::http::{Header, StartLine};
use framescope_core::index::{ConnectionSummary, Exchange};
use framescope_core::present::Secrets;
use framescope_core::{Direction, Head, OpeningHandshake, Severity};

use super::line::Line;
use super::matches::Matches;
use crate::handshake_tab::HeadLine;
use crate::theme;
use crate::widgets::chip::sign;
use crate::widgets::{chip, format};

/// What the proxy passed on in place of what it was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Of the start line.
    start: Option<String>,
    /// Of fields, by their place in the head that is shown.
    fields: Vec<(usize, String)>,
    /// Of what is not in that head at all.
    others: Vec<String>,
}

impl Changes {
    /// Whether nothing was changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What the server got instead: by the head it got, where that was recorded, else by what the
    /// proxy says that it altered.
    pub fn of_request(
        connection: &ConnectionSummary,
        exchange: &Exchange,
        handshake: Option<&OpeningHandshake>,
    ) -> Self {
        match handshake.and_then(|handshake| handshake.forwarded_request.as_deref()) {
            Some(forwarded) => Self::between(&exchange.request, forwarded),
            None => {
                Self::told(&exchange.request, alterations(connection, Direction::ClientToServer))
            }
        }
    }

    /// What the client got instead of what the server sent; nothing where that sent nothing.
    pub fn of_response(connection: &ConnectionSummary) -> Self {
        let others = alterations(connection, Direction::ServerToClient)
            .filter(|alteration| !alteration.from.is_empty())
            .map(|alteration| {
                format!("the server sent {}", shown(&alteration.what, &alteration.from))
            })
            .collect();
        Self { others, ..Self::default() }
    }

    fn between(sent: &Head, forwarded: &Head) -> Self {
        let mut changes = Self::default();
        if sent.target() != forwarded.target() {
            let target = forwarded.target().unwrap_or_default();
            changes.start = Some(format!("forwarded as {}", Secrets::Masked.target(target)));
        }
        let mut left: Vec<&Header> = forwarded.headers.iter().collect();
        let same = |a: &Header, b: &Header| a.name.eq_ignore_ascii_case(&b.name);
        for (at, header) in sent.headers.iter().enumerate() {
            let found = left
                .iter()
                .position(|other| same(header, other) && other.value == header.value)
                .or_else(|| left.iter().position(|other| same(header, other)));
            match found.map(|found| left.remove(found)) {
                Some(other) if other.value == header.value => {}
                Some(other) => {
                    let value = shown(&other.name, &other.value_text());
                    changes.fields.push((at, format!("forwarded as {value}")));
                }
                None => changes.fields.push((at, "not forwarded".to_owned())),
            }
        }
        let added = left.iter().map(|header| {
            format!("added: {}: {}", header.name, shown(&header.name, &header.value_text()))
        });
        changes.others.extend(added);
        changes
    }

    fn told<'a>(sent: &Head, alterations: impl Iterator<Item = &'a Alteration>) -> Self {
        let mut changes = Self::default();
        for alteration in alterations {
            let text = format!("forwarded as {}", shown(&alteration.what, &alteration.to));
            if alteration.what == "request-target" {
                if sent.target() == Some(&alteration.from) {
                    let target = Secrets::Masked.target(&alteration.to);
                    changes.start = Some(format!("forwarded as {target}"));
                }
                continue;
            }
            let field = sent.headers.iter().position(|header| {
                header.name.eq_ignore_ascii_case(&alteration.what)
                    && header.value_text() == alteration.from
            });
            // One that fits no field was about another exchange of this connection.
            changes.fields.extend(field.map(|field| (field, text)));
        }
        changes
    }

    fn of_field(&self, field: usize) -> Option<&str> {
        self.fields.iter().find(|(at, _)| *at == field).map(|(_, text)| text.as_str())
    }
}

fn alterations(
    connection: &ConnectionSummary,
    direction: Direction,
) -> impl Iterator<Item = &Alteration> {
    let all = connection.notes.iter().flat_map(|note| &note.alterations);
    all.filter(move |alteration| alteration.direction == direction)
}

/// The answer that the proxy wrote itself, if this exchange has one: as the capture tells of it. A
/// connection ends with such an answer, so it is the last.
pub fn answer_of_proxy(connection: &ConnectionSummary, exchange: usize) -> Option<&Alteration> {
    let is_last = exchange + 1 == connection.exchanges.len();
    let mut alterations = alterations(connection, Direction::ServerToClient);
    alterations.find(|alteration| is_last && alteration.what == "answer")
}

/// A value for a chip: secrets hidden, on one line, cut.
fn shown(name: &str, value: &str) -> String {
    let value = Secrets::Masked.header_value(name, value.into());
    let value: String = value.chars().map(format::visible).collect();
    format::cut(&value, 80).into_owned()
}

/// Which lines of a head have their secrets shown: the rest have them masked.
pub struct ShownLines<'a>(pub &'a dyn Fn(HeadLine) -> bool);

impl ShownLines<'_> {
    fn secrets(&self, line: HeadLine) -> Secrets {
        if (self.0)(line) { Secrets::Shown } else { Secrets::Masked }
    }

    /// The target of the request, as it may be told.
    pub fn target<'a>(&self, target: &'a str) -> Cow<'a, str> {
        self.secrets(HeadLine::Start).target(target)
    }

    /// The value of the field at this place, as it may be told.
    pub fn value<'a>(&self, place: usize, header: &'a Header) -> Cow<'a, str> {
        self.secrets(HeadLine::Field(place)).header_value(&header.name, header.value_text())
    }

    /// The whole head as text, and whether anything is masked in it.
    pub fn text(&self, head: &Head) -> (String, bool) {
        let mut masked = false;
        let mut text = match &head.start {
            StartLine::Request { method, target, minor_version } => {
                let told = self.target(target);
                masked |= told != *target;
                format!("{method} {told} HTTP/1.{minor_version}")
            }
            StartLine::Response { status, reason, minor_version } => {
                format!("HTTP/1.{minor_version} {status} {reason}")
            }
        };
        for (place, header) in head.headers.iter().enumerate() {
            let told = self.value(place, header);
            masked |= told != header.value_text();
            // Writing to a string does not fail.
            let _ = write!(text, "\n{}: {told}", header.name);
        }
        (text, masked)
    }
}

/// Draws the head. `is_shown` tells whether a line's secret is shown, `matches` what of it is looked for;
/// the answer is the line whose chip was clicked.
pub fn head_ui(
    ui: &mut Ui,
    head: &Head,
    direction: Direction,
    changes: &Changes,
    is_shown: &dyn Fn(HeadLine) -> bool,
    mut matches: Matches<'_>,
) -> Option<HeadLine> {
    let palette = theme::palette(ui);
    let mut clicked = None;
    let start = Line::start(palette, head);
    if start.ui(ui, changes.start.as_deref(), is_shown(HeadLine::Start), &mut matches) {
        clicked = Some(HeadLine::Start);
    }
    for (at, header) in head.headers.iter().enumerate() {
        let line = Line::field(palette, header);
        if line.ui(ui, changes.of_field(at), is_shown(HeadLine::Field(at)), &mut matches) {
            clicked = Some(HeadLine::Field(at));
        }
    }
    for other in &changes.others {
        ui.horizontal_wrapped(|ui| chip(ui, other, palette.weak));
    }
    for fault in &head.faults {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            let color = palette.severity(Severity::Warning);
            sign(ui, theme::severity_icon(Severity::Warning), color, "warning");
            ui.label(egui::RichText::new(fault.kind.text()).color(palette.weak));
        });
    }
    if let Some(more) = direction_of_mistake(head, direction) {
        ui.label(egui::RichText::new(more).color(palette.weak));
    }
    clicked
}

/// A request that came from the server, or a response that came from the client.
fn direction_of_mistake(head: &Head, direction: Direction) -> Option<&'static str> {
    match (head.method().is_some(), direction) {
        (true, Direction::ServerToClient) => Some("A request, where a response was due."),
        (false, Direction::ClientToServer) => Some("A response, where a request was due."),
        _ => None,
    }
}
