//! What is known of the frame besides its bits: findings, close code, the message it is part of.

use egui::{Label, RichText, Ui};
use framescope_core::frame::CloseBody;
use framescope_core::message::MessageFault;
use framescope_core::{Opcode, Severity};

use crate::detail::finding;
use crate::detail::selected::{Selected, SelectedMessage};
use crate::theme;
use crate::widgets::chip::severity_sign;
use crate::widgets::{card, format, key_value};

/// The findings about this frame, each with its evidence, its place and what to do.
pub fn findings_ui(ui: &mut Ui, selected: &Selected) {
    for told in &selected.findings {
        ui.add_space(2.0);
        card(ui, |ui| {
            ui.set_width(ui.available_width());
            finding::heading_ui(ui, told);
            finding::evidence_ui(ui, told);
            let place = finding::place_in_words(told.place, Some(selected.offset));
            let weak = theme::palette(ui).weak;
            ui.add(Label::new(RichText::new(place).size(11.0).color(weak)).wrap());
            finding::explanation_ui(ui, told);
        });
    }
}

/// Close code and reason, or the message's frames, sizes and faults; nothing where there is no more
/// to say than the header says.
pub fn message_ui(ui: &mut Ui, selected: &Selected) {
    if selected.behind_gap {
        gap_ui(ui, selected);
    }
    if selected.frame.header.opcode == Opcode::Close {
        close_ui(ui, &selected.frame.payload);
    }
    if let Some(message) = &selected.message {
        facts_ui(ui, message);
    }
}

fn gap_ui(ui: &mut Ui, selected: &Selected) {
    let palette = theme::palette(ui);
    ui.add_space(2.0);
    ui.horizontal_wrapped(|ui| {
        severity_sign(ui, Severity::Warning);
        let sender = selected.direction.sender();
        let line = format!("What the {sender} said just before this is missing from the capture.");
        ui.label(RichText::new(line).size(12.0).color(palette.text));
    });
}

fn close_ui(ui: &mut Ui, payload: &[u8]) {
    let palette = theme::palette(ui);
    ui.add_space(2.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 14.0;
        match CloseBody::parse(payload) {
            CloseBody::Empty => {
                key_value(ui, "close code", "none", palette.text);
            }
            CloseBody::OneOctet(octet) => {
                key_value(ui, "close code", &format!("cut: {octet:02x}"), palette.error);
            }
            CloseBody::Status { code, reason } => {
                let color = if code.may_be_sent() { palette.text } else { palette.error };
                key_value(ui, "close code", &format!("{code} {}", code.name()), color);
                if reason.is_empty() {
                    key_value(ui, "reason", "none", palette.weak);
                } else {
                    let reason = String::from_utf8_lossy(reason);
                    let reason: String = reason.chars().map(format::visible).collect();
                    key_value(ui, "reason", &format!("“{reason}”"), palette.text);
                }
            }
        }
    });
}

fn facts_ui(ui: &mut Ui, message: &SelectedMessage) {
    let palette = theme::palette(ui);
    if message.frames > 1 || message.compressed {
        ui.add_space(2.0);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 14.0;
            let frames = format::counted(message.frames, "frame", "frames");
            key_value(
                ui,
                "message",
                &format!("{} in {frames}", message.opcode.name()),
                palette.text,
            );
            if message.compressed {
                key_value(ui, "deflate", &sizes(message), palette.payload);
            } else {
                key_value(ui, "together", &format::octets(message.data_len), palette.payload);
            }
        });
    }
    if let Some(fault) = message.content.fault {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            let severity = match fault {
                MessageFault::OverBudget { .. } => Severity::Warning,
                _ => Severity::Error,
            };
            let color = palette.severity(severity);
            severity_sign(ui, severity);
            ui.add(Label::new(RichText::new(fault_in_words(fault)).color(color)).wrap());
        });
    }
}

/// `61 → 8,294 octets, 136×`.
fn sizes(message: &SelectedMessage) -> String {
    let (wire, data) = (message.wire_len, message.data_len);
    let both = format!("{} → {}", format::thousands(wire), format::octets(data));
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let ratio = data as f64 / wire.max(1) as f64;
    match (message.content.fault, ratio) {
        (Some(_), _) => both,
        (None, 10.0..) => format!("{both}, {ratio:.0}×"),
        (None, _) => format!("{both}, {ratio:.1}×"),
    }
}

/// What is wrong with the message, for a reader who does not know the terms.
fn fault_in_words(fault: MessageFault) -> String {
    match fault {
        MessageFault::NotUtf8 { at } => {
            format!(
                "Not valid UTF-8: message octet {} cannot be part of text",
                format::thousands(at)
            )
        }
        MessageFault::InflateFailed { after } => format!(
            "The compressed data breaks off: {} came out, the rest cannot be unpacked",
            format::octets(after)
        ),
        MessageFault::OverBudget { budget } => {
            format!("Unpacks to more than {}; only its beginning is shown", format::octets(budget))
        }
        MessageFault::ContextLost => {
            "Cannot be unpacked: it builds on an earlier message that could not be unpacked"
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detail::sample;

    #[test]
    fn a_ratio_is_told_only_where_all_came_out() {
        let mut message = sample::compressed_fragment().message.expect("a message");
        assert_eq!(sizes(&message), "61 → 82 octets");
        message.content.fault = None;
        assert_eq!(sizes(&message), "61 → 82 octets, 1.3×");
        message.data_len = 8_294;
        assert_eq!(sizes(&message), "61 → 8,294 octets, 136×");
        message.wire_len = 0;
        message.data_len = 0;
        assert_eq!(sizes(&message), "0 → 0 octets, 0.0×");
    }
}
