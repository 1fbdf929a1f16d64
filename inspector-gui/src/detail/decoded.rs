//! The payload read as a format: the one it seems to have, with the reason, or the one chosen.

use std::ops::Range;

use bytes::Bytes;
use egui::containers::menu::MenuButton;
use egui::{Button, Label, RichText, Ui};
use framescope_core::payload::{
    Body, Detection, Format, Hints, Lens, Limits, Seen, Span, View, detect, protobuf,
};

use crate::detail::Sought;
use crate::fonts::{self, icon};
use crate::theme;
use crate::widgets::hex::HexContent;
use crate::widgets::{HexView, TextView, TreeView, key_value};

/// Longer payloads are not decoded before somebody asks for it.
const UNASKED_OCTETS: usize = 4 << 20;
/// Of those, so much tells what they look like.
const GUESSED_FROM: usize = 64 << 10;

/// A payload, decoded.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    octets: Bytes,
    /// What its opcode says, and whether there is more of it.
    hints: Hints<'static>,
    /// What the user chose; it stays for the payloads that follow.
    lens: Lens,
    /// What it was read as last, with what came out of each wrapping; `None` where nobody has looked yet.
    seen: Option<Seen>,
    /// What its beginning looks like, where nobody has looked at the whole yet.
    guess: Option<Detection>,
    tree: Option<TreeView>,
    text: Option<String>,
    text_view: TextView,
    hex_view: HexView,
    /// What is looked for.
    sought: Option<Sought>,
    /// Where in what is shown that is.
    places: Vec<Range<usize>>,
}

impl Decoded {
    /// Takes in another payload. `is_text` is what its opcode says, `is_cut` that there is more of it.
    pub(super) fn take_in(&mut self, octets: &Bytes, is_text: Option<bool>, is_cut: bool) {
        self.take(octets, Hints { is_text, is_cut, ..Hints::default() });
    }

    /// Takes in a body; `coding` is its content coding.
    pub(super) fn take_in_body(&mut self, octets: &Bytes, coding: Option<&str>, is_cut: bool) {
        self.take(octets, hints_of_body(coding, is_cut));
    }

    fn take(&mut self, octets: &Bytes, hints: Hints<'static>) {
        (self.octets, self.hints) = (octets.clone(), hints);
        self.read(self.lens.format.is_some() || octets.len() <= UNASKED_OCTETS);
    }

    /// Reads Protobuf as messages of this type from now on, or without a schema.
    pub(super) fn read_protobuf_as(&mut self, message_type: Option<protobuf::MessageType>) {
        if self.lens.message_type != message_type {
            self.lens.message_type = message_type;
            self.read(self.seen.is_some());
        }
    }

    fn view(&self) -> Option<&View> {
        self.seen.as_ref().map(|seen| &seen.view)
    }

    /// Marks what is looked for from now on, or nothing.
    pub(super) fn look_for(&mut self, sought: Option<Sought>) {
        self.sought = sought;
        self.mark();
    }

    /// Marks what is looked for in what is shown.
    fn mark(&mut self) {
        self.places.clear();
        let Some(Seen { view, .. }) = &self.seen else { return };
        let octets = view.innermost().1.unwrap_or(&self.octets);
        self.places = self.sought.as_ref().map_or_else(Vec::new, |sought| sought.places(octets));
        self.text_view.mark(&self.places);
        if let Some(tree) = &mut self.tree {
            tree.mark(&self.places);
        }
    }

    /// Whether what is shown has any of what is looked for.
    pub(super) fn is_marked(&self) -> bool {
        !self.places.is_empty()
    }

    /// The format it is shown as.
    fn format(&self) -> Option<Format> {
        self.lens.format.or_else(|| self.view().map(|view| view.format))
    }

    fn read(&mut self, is_asked: bool) {
        let see = || self.lens.see(&self.octets, &self.hints, &Limits::VIEW);
        self.seen = is_asked.then(see);
        self.guess = (!is_asked).then(|| {
            let beginning = &self.octets[..self.octets.len().min(GUESSED_FROM)];
            detect(beginning, &Hints { is_cut: true, ..self.hints })
        });
        (self.tree, self.text) = (None, None);
        (self.text_view, self.hex_view) = (TextView::default(), HexView::default());
        if let Some(Seen { view, .. }) = &self.seen {
            let (inner, unpacked) = view.innermost();
            match &inner.body {
                Body::Tree(tree) => self.tree = Some(TreeView::new(tree.clone())),
                Body::Lines(_) => {
                    let octets = unpacked.unwrap_or(&self.octets);
                    self.text = Some(String::from_utf8_lossy(octets).into_owned());
                }
                Body::Octets | Body::Image(_) | Body::Inner(_) => {}
            }
        }
        self.mark();
    }

    /// Whether decoding shows more than text or octets do.
    pub(super) fn tells_more(&self) -> bool {
        let Some(view) = self.view() else { return false };
        match &view.body {
            Body::Tree(tree) => {
                let root = tree.root();
                self.lens.format.is_some() || root.is_some_and(|root| root.value.is_container())
            }
            Body::Image(_) | Body::Inner(_) => true,
            Body::Octets | Body::Lines(_) => false,
        }
    }

    /// What it looks like, where that says more than text or octets and the whole was not decoded.
    fn guessed(&self) -> Option<Format> {
        let format = self.guess.as_ref()?.format;
        (!matches!(format, Format::Text | Format::Octets)).then_some(format)
    }

    /// What the tab is called: the format, where it says more than text or octets.
    pub(super) fn tab_name(&self) -> &'static str {
        match self.format() {
            Some(Format::Text | Format::Octets) | None => "Decoded",
            Some(format) => format.label(),
        }
    }

    /// The payload as it is shown, as text.
    pub(super) fn text(&self, octets: &[u8]) -> String {
        self.view().map(|view| view.text(octets)).unwrap_or_default()
    }

    /// The octets of the payload that the selected value was read from.
    pub(super) fn selected_span(&self) -> Option<Span> {
        let is_direct = matches!(self.view()?.body, Body::Tree(_));
        self.tree.as_ref()?.selected_span().filter(|span| is_direct && !span.is_empty())
    }

    /// The choice of a format, and what is to be said of the whole; whether a message type is to be
    /// chosen.
    pub(super) fn choice_ui(&mut self, ui: &mut Ui) -> bool {
        let palette = theme::palette(ui);
        let (mut choice, mut asks_for_type, mut is_asked) = (None, false, false);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            let label = self.format().map_or("choose a format", Format::label);
            let caret = RichText::new(icon::CARET_DOWN).font(fonts::icons(10.0));
            let button = Button::new((RichText::new(label).size(12.0), caret));
            let (response, _) = MenuButton::from_button(button).ui(ui, |ui| {
                ui.set_min_width(150.0);
                if self.lens.format.is_some() && ui.button("As detected").clicked() {
                    choice = Some(None);
                }
                for format in Format::ALL {
                    let is_shown = self.format() == Some(format);
                    if ui.selectable_label(is_shown, format.label()).clicked() {
                        choice = Some(Some(format));
                    }
                }
            });
            response.on_hover_text("Read the payload as another format");
            if self.format() == Some(Format::Protobuf) {
                let name =
                    self.lens.message_type.as_ref().map_or("no schema", |known| known.name());
                let button = Button::new(RichText::new(name).size(12.0)).truncate();
                let response = ui.add(button).on_hover_text("Choose a schema and a message type");
                asks_for_type = response.clicked();
            }
            let guessed = self.guessed();
            if let Some(format) = guessed {
                let words = format!("Decode as {}", format.label());
                let button = Button::new(RichText::new(words).size(12.0)).fill(palette.raised);
                is_asked = ui.add(button).clicked();
            }
            let reason = match (&self.seen, guessed) {
                (Some(seen), _) => seen.reason.clone(),
                (None, Some(format)) => {
                    format!("looks like {}; a long payload, so only when asked for", format.label())
                }
                (None, None) => "a long payload: not decoded unless asked for".to_owned(),
            };
            let reason = RichText::new(reason).size(11.5).color(palette.weak);
            ui.add(Label::new(reason).truncate());
        });
        if let Some(format) = choice {
            self.lens.format = format;
            self.read(true);
        } else if is_asked {
            self.read(true);
        }
        let mut next = self.view();
        while let Some(view) = next {
            facts_ui(ui, view);
            next = match &view.body {
                Body::Inner(inner) => {
                    let inside =
                        format!("inside: {}, {}", inner.detection.format, inner.detection.reason);
                    ui.add(
                        Label::new(RichText::new(inside).size(11.5).color(palette.weak)).truncate(),
                    );
                    Some(&inner.view)
                }
                _ => None,
            };
        }
        asks_for_type
    }

    /// What it holds, in all the width and this height.
    pub(super) fn body_ui(&mut self, ui: &mut Ui, height: f32, octets: &Bytes, text: &str) {
        let Some(Seen { view, .. }) = &self.seen else { return };
        let (inner, unpacked) = view.innermost();
        let is_unpacked = unpacked.is_some();
        let octets = unpacked.unwrap_or(octets).clone();
        if let Some(tree) = &mut self.tree {
            return tree.ui(ui, height, &octets);
        }
        match &inner.body {
            Body::Lines(_) if !is_unpacked => self.text_view.ui(ui, height, text),
            Body::Lines(_) => {
                self.text_view.ui(ui, height, self.text.as_deref().unwrap_or_default());
            }
            // The facts say what there is to say.
            Body::Image(_) => {}
            _ => {
                let palette = theme::palette(ui);
                let color_of = |_| palette.payload;
                let ground = palette.tint_strong(palette.warning);
                let lit: Vec<_> = self.places.iter().map(|place| (place.clone(), ground)).collect();
                let content = HexContent {
                    name: "Decoded octets",
                    octets: &octets,
                    color_of: &color_of,
                    highlights: &lit,
                };
                self.hex_view.ui(ui, height, &content);
            }
        }
    }
}

/// What the head says of a body, and whether there is more of it.
pub(crate) fn hints_of_body(coding: Option<&str>, is_cut: bool) -> Hints<'static> {
    // The only one that does not show by itself.
    let is_brotli = coding.is_some_and(|coding| coding.trim().eq_ignore_ascii_case("br"));
    let names: &'static [&'static str] = if is_brotli { &["br"] } else { &[] };
    Hints { names, is_cut, ..Hints::default() }
}

/// Facts in one wrapped line, then what is wrong with it or was left out.
fn facts_ui(ui: &mut Ui, view: &View) {
    let palette = theme::palette(ui);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(14.0, 2.0);
        for fact in &view.facts {
            key_value(ui, fact.label, &fact.text, palette.text);
        }
    });
    let mut remark = |text: String, color| {
        ui.add(Label::new(RichText::new(text).size(11.5).color(color)).wrap());
    };
    if let Some(fault) = &view.fault {
        remark(format!("Not {} from here on: {fault}", view.format), palette.warning);
    }
    if let Some(cut) = view.cut {
        remark(cut.to_string(), palette.weak);
    }
}

#[cfg(test)]
mod tests {
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable as _;

    use super::*;

    fn opened(octets: Vec<u8>) -> Decoded {
        let mut decoded = Decoded::default();
        decoded.take_in(&Bytes::from(octets), Some(true), false);
        decoded
    }

    #[test]
    fn a_long_payload_is_called_what_it_looks_like_and_decoded_by_one_button() {
        let long = format!("[{{\"a\":1}}{}]", ",{\"a\":2}".repeat(UNASKED_OCTETS / 8));
        let mut harness = Harness::new_ui_state(
            |ui, decoded: &mut Decoded| {
                theme::install_once(ui.ctx());
                decoded.choice_ui(ui);
            },
            opened(long.into_bytes()),
        );
        harness.run();
        assert_eq!(harness.state().guessed(), Some(Format::Json));
        assert!(!harness.state().tells_more());
        harness.get_by_label_contains("looks like JSON");
        harness.get_by_label("Decode as JSON").click();
        harness.run();
        assert_eq!(harness.state().format(), Some(Format::Json));
        assert_eq!(harness.state().guessed(), None);
        assert_eq!(harness.state().lens.format, None, "the next payload is told by itself");
    }

    #[test]
    fn long_prose_looks_like_nothing() {
        let long = "all work and no play. ".repeat(UNASKED_OCTETS / 20);
        assert_eq!(opened(long.into_bytes()).guessed(), None);
    }
}
