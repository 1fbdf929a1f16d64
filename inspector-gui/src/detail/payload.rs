//! The payload in the form that tells most: text, its values decoded, octets.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use egui::{Label, RichText, Ui};
use framescope_core::Opcode;
use framescope_core::payload::protobuf::MessageType;

use crate::detail::Sought;
use crate::detail::decoded::Decoded;
use crate::detail::saving::SavingPane;
use crate::detail::selected::{DetailAction, Selected, SelectedKind};
use crate::detail::subprotocol::SubprotocolPane;
use crate::fonts::icon;
use crate::store::dissections::Said;
use crate::theme;
use crate::widgets::hex::HexContent;
use crate::widgets::tabs::{TAB_HEIGHT, segmented_width, tab_bar};
use crate::widgets::{HexView, TextView, format, icon_button, segmented};

/// A way to show the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PayloadTab {
    /// As what its sub-protocol says.
    Subprotocol,
    /// As text.
    #[default]
    Text,
    /// As what its format says: see [`Decoded`].
    Decoded,
    /// As octets.
    Hex,
}

/// Which octets are shown, where there is a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The whole message, inflated.
    Message,
    /// This frame's payload, unmasked, as it was sent.
    Frame,
}

/// Without so much room the length, which is told above, is left away.
const LENGTH_LEAST: f32 = 50.0;
/// Characters that are looked at for such as cannot be seen.
const LOOKED_AT: usize = 100_000;
const SOURCES: [(Source, &str); 2] = [(Source::Message, "Message"), (Source::Frame, "This frame")];

/// What the pane remembers between passes.
#[derive(Debug, Default)]
pub struct PayloadPane {
    made_from: Option<MadeFrom>,
    source: Option<Source>,
    tab: PayloadTab,
    /// Whether the user chose the tab, rather than the payload.
    tab_chosen: bool,
    octets: Bytes,
    text: String,
    /// Octets that are not UTF-8 were replaced in `text`.
    lossy: bool,
    /// Its beginning has characters that cannot be seen.
    hides: bool,
    decoded: Decoded,
    said: SubprotocolPane,
    saving: SavingPane,
    text_view: TextView,
    hex_view: HexView,
    /// What is marked wherever the payload holds it.
    sought: Option<Sought>,
    /// Where in `octets` it is.
    places: Vec<Range<usize>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct MadeFrom {
    shown: super::Shown,
    source: Source,
    len: usize,
}

impl PayloadPane {
    pub(super) fn tab(&self) -> PayloadTab {
        self.tab
    }

    /// Takes in what is selected; does nothing where that is shown already.
    pub(super) fn take_in(&mut self, selected: &Selected) {
        let shown = super::Shown::of(selected);
        if self.made_from.is_none_or(|from| from.shown != shown) {
            self.source = None;
        }
        let source = self.source.unwrap_or_else(|| first_source(selected));
        let octets = match (source, &selected.message) {
            (Source::Message, Some(message)) => &message.content.data,
            _ => &selected.frame.payload,
        };
        let made_from = MadeFrom { shown, source, len: octets.len() };
        if self.made_from == Some(made_from) {
            return;
        }
        let another = self.made_from.is_none_or(|from| from.shown != shown);
        self.made_from = Some(made_from);
        self.source = Some(source);
        self.octets = octets.clone();
        (self.text, self.lossy) = match std::str::from_utf8(octets) {
            Ok(text) => (text.to_owned(), false),
            Err(_) => (String::from_utf8_lossy(octets).into_owned(), true),
        };
        self.hides = self.text.chars().take(LOOKED_AT).any(format::is_hidden);
        self.text_view = TextView::default();
        self.hex_view = HexView::default();
        let whole = match (source, &selected.message) {
            (Source::Message, Some(message)) => message.data_len,
            _ => selected.frame.header.payload_len.value,
        };
        let is_cut = (octets.len() as u64) < whole;
        let opcode = selected.message.as_ref().map(|message| message.opcode);
        let is_text = opcode.map(|opcode| opcode == Opcode::Text);
        self.decoded.take_in(octets, is_text, is_cut);
        self.mark();
        // A tab that the user chose stays for the frames that follow, where it can show them.
        let fits = match self.tab {
            PayloadTab::Subprotocol => self.said.is_there(),
            PayloadTab::Decoded => self.decoded.tells_more(),
            PayloadTab::Text | PayloadTab::Hex => true,
        };
        if another && !(self.tab_chosen && fits) {
            self.tab_chosen = false;
            self.tab = self.most_telling(selected);
        }
    }

    /// Marks what is looked for from now on, or nothing.
    pub(super) fn look_for(&mut self, sought: Option<Sought>) {
        if self.sought != sought {
            self.sought = sought;
            self.mark();
            self.decoded.look_for(self.sought.clone());
        }
    }

    /// Reads Protobuf as messages of this type from now on, or without a schema.
    pub(super) fn read_protobuf_as(&mut self, message_type: Option<MessageType>) {
        self.decoded.read_protobuf_as(message_type);
    }

    fn mark(&mut self) {
        let places = |octets: &[u8]| {
            self.sought.as_ref().map_or_else(Vec::new, |sought| sought.places(octets))
        };
        let of_text = if self.lossy { places(self.text.as_bytes()) } else { Vec::new() };
        self.places = places(&self.octets);
        self.text_view.mark(if self.lossy { &of_text } else { &self.places });
    }

    /// Takes in what the message says in its sub-protocol, which may be known later than its octets.
    pub(super) fn take_in_said(&mut self, said: Option<Arc<Said>>, selected: &Selected) {
        self.said.take_in(said, selected);
        if !self.said.is_there() && self.tab == PayloadTab::Subprotocol {
            // It comes back with the first message that has it.
            self.tab_chosen = false;
            self.tab = self.most_telling(selected);
        } else if self.said.tells_more() && !self.tab_chosen {
            self.tab = PayloadTab::Subprotocol;
        }
    }

    fn most_telling(&self, selected: &Selected) -> PayloadTab {
        if self.said.tells_more() {
            return PayloadTab::Subprotocol;
        }
        let text = !self.lossy && !self.octets.is_empty() && mostly_readable(&self.text);
        match (self.decoded.tells_more(), selected.frame.header.opcode) {
            (_, opcode) if opcode.is_control() && text => PayloadTab::Text,
            (_, opcode) if opcode.is_control() => PayloadTab::Hex,
            (true, _) => PayloadTab::Decoded,
            (false, Opcode::Text) if !self.lossy => PayloadTab::Text,
            (false, _) if text => PayloadTab::Text,
            (false, _) => PayloadTab::Hex,
        }
    }

    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        selected: &Selected,
        height: f32,
    ) -> Option<DetailAction> {
        let palette = theme::palette(ui);
        let top = ui.cursor().top();
        let mut is_choice_shown = true;
        ui.horizontal(|ui| {
            let mut tab = self.tab;
            let tabs = [
                (PayloadTab::Subprotocol, self.said.tab_name()),
                (PayloadTab::Text, "Text"),
                (PayloadTab::Decoded, self.decoded.tab_name()),
                (PayloadTab::Hex, "Hex"),
            ];
            tab_bar(ui, &mut tab, &tabs[usize::from(!self.said.is_there())..]);
            if tab != self.tab {
                self.tab = tab;
                self.tab_chosen = true;
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 8.0;
                let save = "Save the whole payload to a file…";
                if icon_button(ui, icon::FLOPPY_DISK, save).clicked() {
                    self.saving.ask(self.source == Some(Source::Message));
                }
                self.copy_ui(ui);
                if has_choice(selected) {
                    is_choice_shown = ui.available_width() >= segmented_width(ui, &SOURCES);
                    if is_choice_shown {
                        self.source_ui(ui);
                    }
                } else if ui.available_width() > LENGTH_LEAST {
                    let len = format::octets(self.octets.len() as u64);
                    let text = RichText::new(len).size(11.5).color(palette.weak);
                    ui.add(Label::new(text).truncate());
                }
            });
        });
        // Beneath the tabs on their left and the choices on their right, one line across.
        let y = ui.cursor().top() - ui.spacing().item_spacing.y - 0.5;
        ui.painter().hline(ui.clip_rect().x_range(), y, palette.hairline_stroke());
        ui.add_space(4.0);
        if !is_choice_shown {
            self.source_ui(ui);
        }
        self.remarks_ui(ui, selected);
        self.saving.line_ui(ui);
        let height = (height - (ui.cursor().top() - top)).max(TAB_HEIGHT);
        if self.tab == PayloadTab::Subprotocol {
            return self.said.ui(ui, height);
        }
        if self.octets.is_empty() {
            let empty = if selected.frame.header.payload_len.value == 0 {
                "No payload."
            } else {
                "Nothing could be read of it."
            };
            ui.label(RichText::new(empty).color(palette.weak));
            return None;
        }
        let mut action = None;
        match self.tab {
            PayloadTab::Subprotocol => {}
            PayloadTab::Decoded => {
                let bottom = ui.cursor().top() + height;
                if self.decoded.choice_ui(ui) {
                    action = Some(DetailAction::ChooseMessageType);
                }
                let left = (bottom - ui.cursor().top()).max(TAB_HEIGHT);
                self.decoded.body_ui(ui, left, &self.octets, &self.text);
            }
            PayloadTab::Hex => {
                let color_of = |_| palette.payload;
                let ground = palette.tint_strong(palette.warning);
                let mut lit: Vec<_> =
                    self.places.iter().map(|place| (place.clone(), ground)).collect();
                let chosen = self.decoded.selected_span();
                lit.extend(chosen.map(|span| (span.start..span.end, palette.selection)));
                let content = HexContent {
                    name: "Payload octets",
                    octets: &self.octets,
                    color_of: &color_of,
                    highlights: &lit,
                };
                self.hex_view.ui(ui, height, &content);
            }
            PayloadTab::Text => self.text_view.ui(ui, height, &self.text),
        }
        action
    }

    pub(super) fn saving(&mut self) -> &mut SavingPane {
        &mut self.saving
    }

    fn copy_ui(&self, ui: &mut Ui) {
        let name = match self.tab {
            PayloadTab::Hex => "Copy as hex",
            PayloadTab::Text => "Copy as text",
            PayloadTab::Decoded => "Copy as decoded",
            PayloadTab::Subprotocol => "Copy as dissected",
        };
        if icon_button(ui, icon::COPY, name).clicked() {
            ui.copy_text(match self.tab {
                PayloadTab::Hex => format::hex(&self.octets),
                PayloadTab::Text => self.text.clone(),
                PayloadTab::Decoded => self.decoded.text(&self.octets),
                PayloadTab::Subprotocol => self.said.text(),
            });
        }
    }

    fn source_ui(&mut self, ui: &mut Ui) {
        let mut source = self.source.unwrap_or(Source::Message);
        segmented(ui, &mut source, &SOURCES);
        self.source = Some(source);
    }

    fn remarks_ui(&self, ui: &mut Ui, selected: &Selected) {
        let palette = theme::palette(ui);
        let mut remark = |text: String| {
            ui.add(Label::new(RichText::new(text).size(11.5).color(palette.weak)).wrap());
        };
        let message = selected.message.as_ref();
        if self.source == Some(Source::Frame) && message.is_some_and(|message| message.compressed) {
            remark("Compressed, as this frame carries it.".to_owned());
        }
        if message.is_none() && !selected.frame.header.opcode.is_control() {
            remark(
                "Part of a message that is not whole: this frame's payload, as sent.".to_owned(),
            );
        }
        let whole = match (self.source, message) {
            (Some(Source::Message), Some(message)) => message.data_len,
            _ => selected.frame.header.payload_len.value,
        };
        let kept = self.octets.len() as u64;
        if kept < whole && kept > 0 {
            remark(format!("The first {} of {}.", format::thousands(kept), format::octets(whole)));
        }
        if self.lossy && self.tab == PayloadTab::Text {
            remark("Not UTF-8: what cannot be read as text is shown as \u{FFFD}.".to_owned());
        }
        if self.hides && self.tab == PayloadTab::Text {
            let hidden = format::HIDDEN;
            remark(format!(
                "{hidden} stands for what cannot be seen: joiners, marks of direction."
            ));
        }
    }
}

/// Whether message and frame differ.
fn has_choice(selected: &Selected) -> bool {
    let compressed = selected.message.as_ref().is_some_and(|message| message.compressed);
    selected.message.is_some() && (selected.fragment.is_some() || compressed)
}

fn first_source(selected: &Selected) -> Source {
    match (selected.kind, selected.fragment, &selected.message) {
        (_, _, None) | (SelectedKind::Frame, Some(_), Some(_)) => Source::Frame,
        _ => Source::Message,
    }
}

/// Whether a look at the beginning says that a person is meant to read this.
fn mostly_readable(text: &str) -> bool {
    text.chars().take(200).all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'))
}

#[cfg(test)]
mod tests {
    use framescope_core::Direction;

    use super::*;
    use crate::detail::sample;

    fn opened(selected: &Selected) -> PayloadPane {
        let mut pane = PayloadPane::default();
        pane.take_in(selected);
        pane
    }

    #[test]
    fn the_most_telling_tab_is_opened() {
        assert_eq!(opened(&sample::masked_text()).tab, PayloadTab::Decoded);
        assert_eq!(opened(&sample::prose()).tab, PayloadTab::Text);
        assert_eq!(opened(&sample::binary()).tab, PayloadTab::Hex);
        assert_eq!(opened(&sample::close()).tab, PayloadTab::Hex);
        let header = sample::masked_text().frame.header;
        let number = sample::selected(Direction::ClientToServer, header, b"42");
        assert_eq!(opened(&number).tab, PayloadTab::Text);
    }

    #[test]
    fn a_chosen_tab_stays_where_it_can() {
        let mut pane = opened(&sample::masked_text());
        (pane.tab, pane.tab_chosen) = (PayloadTab::Hex, true);
        pane.take_in(&sample::prose());
        assert_eq!(pane.tab, PayloadTab::Hex);
        (pane.tab, pane.tab_chosen) = (PayloadTab::Decoded, true);
        pane.take_in(&sample::binary());
        assert_eq!(pane.tab, PayloadTab::Hex);
    }

    #[test]
    fn a_frame_of_a_compressed_message_shows_the_message_first() {
        let mut selected = sample::compressed_fragment();
        assert_eq!(opened(&selected).source, Some(Source::Message));
        assert!(opened(&selected).text.starts_with("{\"symbol\""));
        selected.kind = SelectedKind::Frame;
        assert_eq!(opened(&selected).source, Some(Source::Frame));
        assert_eq!(opened(&selected).octets, selected.frame.payload);
        selected.message = None;
        assert_eq!(opened(&selected).source, Some(Source::Frame));
    }
}
