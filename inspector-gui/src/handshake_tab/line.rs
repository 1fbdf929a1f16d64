//! One line of a head: its secret masked or shown, what is looked for on a ground of its own.

use std::ops::Range;

use egui::text::LayoutJob;
use egui::{Color32, FontId, Label, Ui};
use framescope_core::Head;
use framescope_core::http::{Header, StartLine};
use framescope_core::present::Secrets;

use super::matches::Matches;
use crate::theme::{self, Palette};
use crate::widgets::row::centered;
use crate::widgets::{chip, chip_button, lit};

/// Longer values are cut: a head can have a quarter of a megabyte.
const VALUE_LIMIT: usize = 4_000;

/// One line: coloured parts, and the same with its secret shown.
pub(super) struct Line {
    /// Octets of the head.
    span: Range<usize>,
    /// With secrets hidden, where there are any.
    hidden: Option<Vec<(String, Color32)>>,
    /// As sent.
    parts: Vec<(String, Color32)>,
}

impl Line {
    pub(super) fn start(palette: &Palette, head: &Head) -> Self {
        let span = head.start_span();
        match &head.start {
            StartLine::Request { method, target, minor_version } => {
                let parts = |target: String| {
                    vec![
                        (format!("{method} "), palette.text),
                        (target, palette.text),
                        (format!(" HTTP/1.{minor_version}"), palette.weak),
                    ]
                };
                let masked = Secrets::Masked.target(target);
                let hidden = (masked != *target).then(|| parts(masked.into_owned()));
                Self { span, hidden, parts: parts(target.clone()) }
            }
            StartLine::Response { status, reason, minor_version } => {
                let color = match status {
                    100..=399 => palette.good,
                    400..=499 => palette.warning,
                    _ => palette.error,
                };
                let version = (format!("HTTP/1.{minor_version} "), palette.weak);
                let parts = vec![version, (format!("{status} {reason}"), color)];
                Self { span, hidden: None, parts }
            }
        }
    }

    pub(super) fn field(palette: &Palette, header: &Header) -> Self {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        let color = if is("Sec-WebSocket-Key") {
            palette.masking_key
        } else if is("Sec-WebSocket-Accept") {
            palette.payload
        } else {
            palette.text
        };
        let parts =
            |value: String| vec![(format!("{}: ", header.name), palette.weak), (value, color)];
        let value = header.value_text();
        let masked = Secrets::Masked.header_value(&header.name, value.clone());
        let hidden = (masked != value).then(|| parts(masked.into_owned()));
        Self { span: header.span.clone(), hidden, parts: parts(value.into_owned()) }
    }

    /// Draws the line with its chips; says whether the chip that shows or hides was clicked.
    pub(super) fn ui(
        &self,
        ui: &mut Ui,
        change: Option<&str>,
        show: bool,
        matches: &mut Matches<'_>,
    ) -> bool {
        let palette = theme::palette(ui);
        let mut clicked = false;
        let (parts, is_masked) = match &self.hidden {
            Some(hidden) if !show => (hidden, true),
            _ => (&self.parts, false),
        };
        let text: String = parts.iter().map(|(text, _)| text.as_str()).collect();
        let here = matches.in_line(&self.span, &text, is_masked);
        let mut job = LayoutJob { break_on_newline: false, ..LayoutJob::default() };
        let mut from = 0;
        for (text, color) in parts {
            let format = centered(FontId::monospace(11.5), *color);
            let lit = (&here.lit[..], lit::ground(palette));
            lit::append(&mut job, (text, from), VALUE_LIMIT, &format, lit);
            from += text.len();
        }
        // A value without spaces has to be broken somewhere.
        job.wrap.break_anywhere = job.text.split(' ').any(|word| word.len() > 60);
        ui.horizontal_wrapped(|ui| {
            ui.set_min_height(19.0);
            ui.spacing_mut().item_spacing = egui::vec2(7.0, 2.0);
            let label = ui.add(Label::new(job).selectable(true));
            if here.is_brought {
                label.scroll_to_me(Some(egui::Align::Center));
            }
            if here.is_masked {
                chip(ui, "match in what is hidden", palette.warning);
            }
            if self.hidden.is_some() {
                clicked = chip_button(ui, if show { "hide" } else { "show" }).clicked();
            }
            if let Some(change) = change {
                chip(ui, change, palette.weak);
            }
        });
        clicked
    }
}
