//! The pane by role and label.

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use framescope_core::Direction;

use super::*;

struct State {
    pane: DetailPane,
    selected: Selected,
    action: Option<DetailAction>,
}

fn harness(selected: Selected) -> Harness<'static, State> {
    sized(selected, egui::vec2(540.0, 900.0))
}

fn sized(selected: Selected, size: egui::Vec2) -> Harness<'static, State> {
    let state = State { pane: DetailPane::new(TimeZone::UTC), selected, action: None };
    let mut harness = Harness::builder().with_size(size).build_ui_state(
        |ui, state: &mut State| {
            theme::install_once(ui.ctx());
            state.action = state.pane.ui(ui, &state.selected).or(state.action);
        },
        state,
    );
    harness.run();
    harness
}

#[test]
fn the_header_line_names_number_direction_type_and_local_time() {
    let harness = harness(sample::masked_text());
    for label in ["Message 1,281", "↑ client to server", "text", "22:13:20.482 190 000"] {
        harness.get_by_label(label);
    }
    harness.get_by_label("62 B · header 6 · payload 56");
}

#[test]
fn the_connection_is_named() {
    let mut harness = harness(sample::masked_text());
    harness.state_mut().pane.name_connection("#3 /ticker".to_owned());
    harness.run();
    harness.get_by_label("#3 /ticker");
}

/// A message of which much is to be said: masked and compressed.
fn compressed() -> Selected {
    use framescope_core::message::{CompressionFacts, Microscope, Takeover};
    let mut selected = sample::masked_text();
    let message = selected.message.as_mut().expect("a message");
    message.compressed = true;
    message.compression = Some(SelectedCompression {
        seen: Microscope::of(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]),
        takeover: Takeover::Unused,
        direction: CompressionFacts::default(),
        connection: CompressionFacts::default(),
    });
    selected
}

#[test]
fn the_payload_has_half_of_the_pane_and_more_where_it_is_left() {
    let mut harness = sized(compressed(), egui::vec2(460.0, 700.0));
    let text = harness.get_by_role_and_label(egui::Role::Tab, "Text").rect();
    assert!((340.0..360.0).contains(&text.top()), "{text}");
    // A frame without a masking key has less to say.
    let mut short = sample::prose();
    short.direction = Direction::ServerToClient;
    short.frame.header.masking_key = None;
    harness.state_mut().selected = short;
    harness.run();
    let text = harness.get_by_role_and_label(egui::Role::Tab, "Text").rect();
    assert!(text.top() <= 360.0, "{text}");
}

#[test]
fn compression_is_a_line_until_it_is_unfolded() {
    let mut harness = harness(compressed());
    harness.get_by_label_contains("saved");
    assert!(harness.query_by_label("blocks1 fixed").is_none());
    harness.get_by_label("Compression: permessage-deflate").click();
    harness.run();
    harness.get_by_label("blocks1 fixed");
}

#[test]
fn nothing_stands_over_anything_in_a_narrow_pane() {
    let mut fragment = sample::compressed_fragment();
    fragment.number = 1_281_281;
    for selected in [sample::masked_text(), fragment, compressed()] {
        let mut harness = sized(selected, egui::vec2(300.0, 2000.0));
        harness.state_mut().pane.name_connection("#3 /a/long/path?of=many&words".to_owned());
        harness.run();
        let roles =
            [egui::Role::Label, egui::Role::Button, egui::Role::Tab, egui::Role::RadioButton];
        let mut drawn = Vec::new();
        for role in roles {
            for node in harness.query_all_by_role(role) {
                let name = format!(
                    "{:?}",
                    node.accesskit_node().label().or(node.accesskit_node().value())
                );
                drawn.push((name, node.rect().shrink(1.0)));
            }
        }
        for (at, (name, rect)) in drawn.iter().enumerate() {
            assert!(rect.min.x >= -0.5 && rect.max.x <= 300.5, "{name} at {rect}");
            let over = drawn[at + 1..].iter().find(|(_, other)| other.intersects(*rect));
            assert!(over.is_none(), "{name} {rect} over {over:?}");
        }
    }
}

#[test]
fn a_field_is_explained_while_pointed_at_and_once_clicked() {
    let mut harness = harness(sample::masked_text());
    harness.get_by_label_contains("A whole text message in one frame");
    harness.get_by_label("MASK 1").hover();
    harness.run();
    harness.get_by_label_contains("MASK is 1: a client masks");
    harness.get_by_label("Opcode 0x1 text").click();
    harness.run();
    harness.hover_at(egui::pos2(270.0, 890.0));
    harness.run();
    harness.get_by_label_contains("Opcode 0x1, text: begins a text message");
    harness.get_by_label("Opcode 0x1 text").click();
    harness.hover_at(egui::pos2(270.0, 890.0));
    harness.run();
    harness.get_by_label_contains("A whole text message in one frame");
}

#[test]
fn pointing_at_an_octet_tells_its_field_and_its_column_of_the_unmasking() {
    let mut harness = harness(sample::masked_text());
    let octets = harness.get_by_role_and_label(egui::Role::Document, "Octets on the wire");
    let rect = octets.rect();
    // In the first row, beyond two octets of header and four of masking key.
    harness.hover_at(egui::pos2(rect.min.x + rect.width() * 0.39, rect.min.y + 8.0));
    harness.run();
    harness.get_by_label_contains("Payload, 56 octets: the data, masked.");
    let after = harness.get_by_role_and_label(egui::Role::Document, "Octets on the wire");
    assert_eq!(after.rect(), rect, "nothing jumps under the pointer");
    harness.get_by_label_contains("⊕ 11111010 =");
}

#[test]
fn tabs_change_what_the_payload_is_shown_as() {
    let mut harness = harness(sample::masked_text());
    harness.get_by_label("quantity: 25.000");
    let tab = harness.get_by_role_and_label(egui::Role::Tab, "JSON");
    assert_eq!(tab.accesskit_node().is_selected(), Some(true));
    harness.get_by_role_and_label(egui::Role::Tab, "Text").click();
    harness.run();
    harness.get_by_label_contains("{\"op\":\"order\"");
    harness.get_by_role_and_label(egui::Role::Tab, "Hex").click();
    harness.run();
    harness.get_by_label("Payload octets");
    harness.state_mut().selected = sample::prose();
    harness.run();
    assert_eq!(harness.state().pane.payload_tab(), PayloadTab::Hex);
}

#[test]
fn a_fragment_steps_to_its_neighbours_and_tells_its_message() {
    let mut harness = harness(sample::compressed_fragment());
    harness.get_by_label("2 of 3");
    harness.get_by_label("A compressed message cannot be inflated");
    harness.get_by_label_contains("The compressed data breaks off: 82 octets came out");
    harness.get_by_label("Next frame of this message").click();
    harness.run();
    assert_eq!(harness.state().action, Some(DetailAction::NextFragment));
    harness.get_by_label("Previous frame of this message").click();
    harness.run();
    assert_eq!(harness.state().action, Some(DetailAction::PreviousFragment));
}

#[test]
fn a_close_is_told_in_words() {
    let mut harness = harness(sample::close());
    harness.get_by_label("close code1005 No Status Rcvd");
    harness.get_by_label("reason“bye, see you”");
    harness.get_by_label("A close code that must not be sent");
    harness.get_by_label_contains("payload, 14 octets").hover();
    harness.run();
    harness.get_by_label_contains("Close code 1005, No Status Rcvd: this code is for programs");
}

#[test]
fn odd_frames_and_narrow_rooms_are_drawn_all_the_same() {
    let mut frames = vec![sample::binary(), sample::prose(), sample::compressed_fragment()];
    let mut cut = sample::masked_text();
    cut.frame.wire = cut.frame.wire.slice(..3);
    cut.frame.payload = bytes::Bytes::new();
    cut.message = None;
    frames.push(cut);
    let mut huge = sample::binary();
    huge.frame.header.payload_len = framescope_core::PayloadLength::minimal(u64::MAX);
    frames.push(huge);
    let state = State {
        pane: DetailPane::new(TimeZone::UTC),
        selected: sample::masked_text(),
        action: None,
    };
    let mut harness = Harness::builder()
        .with_size(egui::vec2(240.0, 200.0))
        .allow_missing_glyphs()
        .build_ui_state(
            |ui, state: &mut State| {
                theme::install_once(ui.ctx());
                state.pane.ui(ui, &state.selected);
            },
            state,
        );
    for direction in Direction::BOTH {
        for mut selected in frames.clone() {
            selected.direction = direction;
            harness.state_mut().selected = selected;
            harness.run();
        }
    }
}
