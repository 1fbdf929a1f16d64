//! Columns as tables; scrolling, selecting and copying by pointer and keyboard.

use egui_kittest::kittest::Queryable as _;

use super::*;

#[test]
fn the_row_narrows_with_the_room() {
    let per_row = |width| Columns::fitting(width, 100).per_row;
    assert_eq!((per_row(80), per_row(71), per_row(60), per_row(10)), (16, 16, 8, 4));
    assert!(Columns::fitting(72, 100).gap);
    assert!(!Columns::fitting(71, 100).gap);
    assert_eq!(Columns::fitting(200, 100 << 20).address, 8);
}

#[test]
fn every_octet_is_found_under_its_own_column() {
    for columns in [Columns::fitting(80, 9), Columns::fitting(71, 9), Columns::fitting(44, 9)] {
        for octet in 0..columns.per_row {
            #[expect(clippy::cast_precision_loss, reason = "columns are few")]
            for column in [columns.hex(octet), columns.hex(octet) + 1] {
                assert_eq!(columns.octet_at(column as f32 + 0.3), Some(octet), "{columns:?}");
            }
            #[expect(clippy::cast_precision_loss, reason = "columns are few")]
            let text = (columns.text_start() + octet) as f32;
            assert_eq!(columns.octet_at(text), Some(octet), "{columns:?}");
        }
        assert_eq!(columns.octet_at(1.0), None);
    }
}

#[test]
fn a_dump_has_address_hex_and_text() {
    let dumped = dump(b"\x81\x05Hello, WebSocket!");
    let mut lines = dumped.lines();
    assert_eq!(
        lines.next(),
        Some("00000000  81 05 48 65 6c 6c 6f 2c 20 57 65 62 53 6f 63 6b  ··Hello, WebSock")
    );
    assert_eq!(
        lines.next(),
        Some("00000010  65 74 21                                         et!")
    );
}

struct State {
    view: HexView,
    octets: Vec<u8>,
    output: Option<(Option<usize>, Option<usize>)>,
}

fn harness(octets: Vec<u8>) -> egui_kittest::Harness<'static, State> {
    let mut harness =
        egui_kittest::Harness::builder().with_size(vec2(600.0, 300.0)).build_ui_state(
            |ui, state: &mut State| {
                theme::install_once(ui.ctx());
                let content = HexContent {
                    name: "Octets",
                    octets: &state.octets,
                    color_of: &|_| Color32::WHITE,
                    highlights: &[(0..2, Color32::RED)],
                };
                let output = state.view.ui(ui, 10.0 * ROW, &content);
                state.output = Some((output.hovered, output.clicked));
            },
            State { view: HexView::default(), octets, output: None },
        );
    harness.run();
    harness
}

/// Where this octet is drawn in the given line of what is in sight.
fn place(harness: &egui_kittest::Harness<'_, State>, line: usize, octet: usize) -> egui::Pos2 {
    let rect = harness.get_by_label("Octets").rect();
    let glyph = harness.ctx.fonts_mut(|fonts| fonts.glyph_width(&FontId::monospace(11.5), '0'));
    let columns = Columns::fitting(80, harness.state().octets.len());
    #[expect(clippy::cast_precision_loss, reason = "a few")]
    let (column, row) = (columns.hex(octet) as f32 + 1.0, line as f32 + 0.5);
    pos2(rect.min.x + column * glyph, rect.min.y + row * ROW)
}

#[test]
fn a_hundred_megabytes_scroll_to_the_very_last_octet() {
    let mut harness = harness(vec![0; 100 << 20]);
    let at = place(&harness, 0, 0);
    harness.hover_at(at);
    harness.run();
    assert_eq!(harness.state().output, Some((Some(0), None)));
    harness.get_by_label("Octets").focus();
    harness.run();
    harness.key_press(Key::End);
    harness.run();
    let last = (100 << 20) - 1;
    let at = place(&harness, 9, 15);
    harness.hover_at(at);
    harness.run();
    assert_eq!(harness.state().output, Some((Some(last), None)));
}

#[test]
fn what_is_dragged_over_is_copied_as_hex() {
    let mut harness = harness((0..64).collect());
    let (from, to) = (place(&harness, 0, 3), place(&harness, 1, 1));
    harness.drag_at(from);
    harness.run();
    harness.hover_at(to);
    harness.run();
    harness.drop_at(to);
    harness.run();
    harness.event(Event::Copy);
    harness.step();
    let commands = &harness.output().platform_output.commands;
    let copied = commands.iter().find_map(|command| match command {
        egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    });
    let expected: Vec<u8> = (3..=17).collect();
    assert_eq!(copied, Some(format::hex(&expected)));
}
