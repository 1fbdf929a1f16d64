//! What the selected message says in its sub-protocol: why it is read so, its parts, its answers.

mod fields;

use std::sync::Arc;

use egui::containers::menu::MenuButton;
use egui::{Button, Label, RichText, Ui};
use fields::Fields;
use framescope_core::subprotocol::{Dissection, Override, Problem, Subprotocol};

use crate::detail::selected::{DetailAction, Selected};
use crate::fonts::{self, icon};
use crate::store::dissections::{Link, Said};
use crate::theme;
use crate::widgets::format;

/// Problems told of one message; those beyond it are counted.
const PROBLEMS: usize = 4;

/// A name that fits into a chip.
pub fn subprotocol_name(subprotocol: Subprotocol) -> &'static str {
    match subprotocol {
        Subprotocol::GraphqlTransportWs | Subprotocol::GraphqlWs => "GraphQL",
        Subprotocol::Phoenix => "Phoenix",
        Subprotocol::JsonRpc => "JSON-RPC",
        Subprotocol::DevTools => "DevTools",
        Subprotocol::ApiGateway => "API Gateway",
        other => other.title(),
    }
}

/// What the pane remembers between passes.
#[derive(Debug, Default)]
pub(super) struct SubprotocolPane {
    said: Option<Arc<Said>>,
    fields: Fields,
}

impl SubprotocolPane {
    /// Takes in what was found out about the selected message, if anything was by now.
    pub(super) fn take_in(&mut self, said: Option<Arc<Said>>, selected: &Selected) {
        let is_same = match (&self.said, &said) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            (None, None) => true,
            _ => false,
        };
        if is_same {
            return;
        }
        let dissection = |said: &Option<Arc<Said>>| {
            said.as_ref().and_then(|said| said.dissection.as_ref()).map(Arc::as_ptr)
        };
        // An answer that came meanwhile changes nothing about the parts, nor what of them is open.
        if dissection(&self.said) != dissection(&said) || said.is_none() {
            let data = selected.message.as_ref().map(|message| message.content.data.clone());
            let parts = said.as_ref().and_then(|said| said.dissection.as_deref());
            self.fields = parts
                .map_or_else(Fields::default, |said| Fields::new(said, &data.unwrap_or_default()));
        }
        self.said = said;
    }

    /// Whether there is a message to speak of.
    pub(super) fn is_there(&self) -> bool {
        self.said.is_some()
    }

    /// Whether the message says anything in a sub-protocol that is known.
    pub(super) fn tells_more(&self) -> bool {
        self.dissection().is_some_and(|said| !said.packets.is_empty())
    }

    fn dissection(&self) -> Option<&Dissection> {
        self.said.as_ref()?.dissection.as_deref()
    }

    /// What the tab is called.
    pub(super) fn tab_name(&self) -> &'static str {
        let choice = self.said.as_ref().and_then(|said| said.reading.choice.as_ref());
        choice.map_or("Sub-protocol", |choice| subprotocol_name(choice.protocol))
    }

    /// All that is shown, as text.
    pub(super) fn text(&self) -> String {
        self.fields.text()
    }

    /// Draws all of it into this height.
    pub(super) fn ui(&mut self, ui: &mut Ui, height: f32) -> Option<DetailAction> {
        let said = self.said.clone()?;
        let bottom = ui.cursor().top() + height;
        let mut action = choice_ui(ui, &said);
        let mut link = |ui: &mut Ui, words: &str, link: &Link, more: &str| {
            if let Some(row) = link_ui(ui, words, link, more) {
                action = Some(DetailAction::ShowMessage(row));
            }
        };
        if let Some(asked) = &said.asked {
            link(ui, "answers", asked, "");
        }
        if let Some((first, count)) = &said.answered {
            let more = match count {
                1 => String::new(),
                count => format!(", the first of {}", format::thousands(u64::from(*count))),
            };
            link(ui, "answered by", first, &more);
        }
        if let Some(dissection) = said.dissection.as_deref() {
            problems_ui(ui, dissection);
        } else {
            let why = match said.reading.choice {
                Some(_) => "This message came before it was known what is spoken here.",
                None if said.reading.by_user == Override::Off => "Read as nothing but payload.",
                None => "Nothing that is known: neither the handshake nor the messages tell.",
            };
            ui.label(RichText::new(why).color(theme::palette(ui).weak));
        }
        let left = (bottom - ui.cursor().top()).max(60.0);
        if self.fields.is_empty() {
            return action;
        }
        self.fields.ui(ui, left);
        action
    }
}

/// Which sub-protocol it is read as, why, and what else it could be read as.
fn choice_ui(ui: &mut Ui, said: &Said) -> Option<DetailAction> {
    let palette = theme::palette(ui);
    let mut chosen = None;
    let by_user = said.reading.by_user;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        let label = match (&said.reading.choice, by_user) {
            (Some(choice), _) => choice.protocol.title(),
            (None, Override::Off) => "none",
            (None, _) => "not known",
        };
        let caret = RichText::new(icon::CARET_DOWN).font(fonts::icons(10.0));
        let button = Button::new((RichText::new(label).size(12.0), caret));
        let (response, _) = MenuButton::from_button(button).ui(ui, |ui| {
            ui.set_min_width(190.0);
            let fixed =
                [(Override::Auto, "Tell by handshake and content"), (Override::Off, "None")];
            let protocols = Subprotocol::ALL.map(|one| (Override::Always(one), one.title()));
            for (choice, title) in fixed.into_iter().chain(protocols) {
                if ui.selectable_label(by_user == choice, title).clicked() {
                    chosen = Some(choice);
                }
            }
        });
        response.on_hover_text("Read this connection as another sub-protocol");
        let reason = match (&said.reading.choice, by_user) {
            (_, Override::Always(_) | Override::Off) => "as you chose for this connection",
            (Some(choice), Override::Auto) => &choice.reason,
            (None, Override::Auto) => "",
        };
        let reason = format::cut(reason, 200);
        let reason: String = reason.chars().map(format::visible).collect();
        let text = RichText::new(reason).size(11.5).color(palette.weak);
        ui.add(Label::new(text).truncate());
    });
    chosen.filter(|choice| *choice != by_user).map(DetailAction::ReadAs)
}

/// Another message of the conversation; the row to go to where it was clicked.
fn link_ui(ui: &mut Ui, words: &str, link: &Link, more: &str) -> Option<usize> {
    let palette = theme::palette(ui);
    let mut went = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        ui.label(RichText::new(words).size(11.5).color(palette.weak));
        if let Some(row) = link.row {
            let number = format!("message {}", format::thousands(row as u64 + 1));
            let text = RichText::new(number).size(11.5).color(palette.accent);
            if ui.link(text).on_hover_text("Show that message").clicked() {
                went = Some(row);
            }
        }
        let after = format!("{} apart{more}", format::duration(link.latency));
        ui.label(RichText::new(after).size(11.5).color(palette.text));
        let what = RichText::new(&link.text).monospace().size(11.0).color(palette.weak);
        ui.add(Label::new(what).truncate());
    });
    went
}

fn problems_ui(ui: &mut Ui, dissection: &Dissection) {
    let palette = theme::palette(ui);
    let line = |ui: &mut Ui, text: String, color| {
        ui.add(Label::new(RichText::new(text).size(11.5).color(color)).wrap());
    };
    for Problem { code, at, detail } in dissection.problems().take(PROBLEMS) {
        let place =
            at.map_or(String::new(), |at| format!(", octet {}", format::thousands(at as u64)));
        let detail: String = format::cut(detail, 300).chars().map(format::visible).collect();
        line(ui, format!("⚠ {}{place}: {detail}", code.name()), palette.warning);
    }
    let more = dissection.problems().count().saturating_sub(PROBLEMS);
    if more > 0 {
        line(ui, format!("and {more} more"), palette.weak);
    }
    if dissection.packets.is_empty() {
        line(ui, "It ends no packet: that goes on in the next message.".to_owned(), palette.weak);
    }
}
