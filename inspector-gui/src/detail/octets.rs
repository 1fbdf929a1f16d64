//! The octets of the frame on the wire, and which field each belongs to.

use std::ops::Range;

use egui::{RichText, Ui};
use framescope_core::FrameHeader;
use framescope_core::diagnostics::Place;

use crate::detail::selected::Selected;
use crate::theme::{self, Field};
use crate::widgets::hex::{HexContent, ROW};
use crate::widgets::{HexView, fold, format};

/// The view is never higher than this; more octets scroll.
pub const MOST_HEIGHT: f32 = 6.0 * ROW;

/// The octets of the frame that hold this field; `None` where the frame has no such field.
pub fn of_field(field: Field, header: &FrameHeader) -> Option<Range<usize>> {
    let extended = usize::from(header.payload_len.form.extended_octets());
    let end = usize::from(header.encoded_len());
    match field {
        Field::Fin | Field::Rsv1 | Field::Rsv2 | Field::Rsv3 | Field::Opcode => Some(0..1),
        Field::Mask => Some(1..2),
        Field::Length => Some(1..2 + extended),
        Field::MaskingKey => header.masking_key.map(|_| 2 + extended..end),
        Field::Payload => {
            let len = usize::try_from(header.payload_len.value).unwrap_or(usize::MAX);
            (len > 0).then(|| end..end.saturating_add(len))
        }
    }
}

/// The field that this octet of the frame stands for; of an octet with several, the widest.
pub fn field_at(octet: usize, header: &FrameHeader) -> Option<Field> {
    [Field::Opcode, Field::Length, Field::MaskingKey, Field::Payload]
        .into_iter()
        .find(|field| of_field(*field, header).is_some_and(|range| range.contains(&octet)))
}

/// Which octets of the frame, whose first stands at `offset` of its lane, a finding is about; `None`
/// where it is about all of them, or about none.
fn in_frame(place: Place, offset: u64, len: usize) -> Option<Range<usize>> {
    let start = usize::try_from(place.offset.checked_sub(offset)?).ok()?;
    let end = start.saturating_add(usize::try_from(place.len).ok()?).min(len);
    (start < end && (start, end) != (0, len)).then_some(start..end)
}

/// Draws heading and octets; the answer is the octet under the pointer.
pub fn wire_ui(
    ui: &mut Ui,
    view: &mut HexView,
    selected: &Selected,
    field: Option<Field>,
    payload_octet: Option<usize>,
) -> Option<usize> {
    let palette = theme::palette(ui);
    let header = &selected.frame.header;
    let header_len = header.encoded_len();
    let wire = &selected.frame.wire;
    let payload_len = header.payload_len.value;
    let whole = u64::from(header_len).saturating_add(payload_len);
    let is_open = fold(ui, "octets", "Octets on the wire", true, |ui| {
        let text = format!(
            "{} B · header {header_len} · payload {}",
            format::thousands(whole),
            format::thousands(payload_len)
        );
        ui.label(RichText::new(text).monospace().size(11.0).color(palette.weak)).on_hover_text(
            format!(
                "Octets {} to {} of this direction, the opening handshake counted in",
                format::thousands(selected.offset),
                format::thousands(selected.offset.saturating_add(whole).saturating_sub(1)),
            ),
        );
    });
    if !is_open {
        return None;
    }

    let mut highlights: Vec<_> = selected
        .findings
        .iter()
        .filter_map(|finding| {
            let range = in_frame(finding.place, selected.offset, wire.len())?;
            Some((range, palette.tint(palette.severity(finding.rule.severity))))
        })
        .collect();
    if let Some(field) = field
        && let Some(range) = of_field(field, header)
    {
        highlights.push((range, palette.tint_strong(palette.field(field))));
    }
    if let Some(octet) = payload_octet {
        let at = usize::from(header_len) + octet;
        highlights.push((at..at + 1, palette.tint_strong(palette.masking_key)));
        if header.masking_key.is_some() {
            let key = usize::from(header_len) - 4 + (octet & 3);
            highlights.push((key..key + 1, palette.tint_strong(palette.masking_key)));
        }
    }
    let color_of =
        |octet: usize| field_at(octet, header).map_or(palette.text, |field| palette.field(field));
    let height = view.height_of(wire.len()).min(MOST_HEIGHT);
    let output = view.ui(
        ui,
        height,
        &HexContent {
            name: "Octets on the wire",
            octets: wire,
            color_of: &color_of,
            highlights: &highlights,
        },
    );
    let missing = whole.saturating_sub(wire.len() as u64);
    if missing > 0 {
        let text = format!("{} more are in the capture, not shown here", format::octets(missing));
        ui.label(RichText::new(text).size(11.0).color(palette.weak));
    }
    output.hovered
}

#[cfg(test)]
mod tests {
    use framescope_core::frame::{LengthForm, PayloadLength, Rsv};
    use framescope_core::{MaskingKey, Opcode};

    use super::*;

    #[test]
    fn fields_tile_the_frame() {
        let forms = [LengthForm::Seven, LengthForm::Sixteen, LengthForm::SixtyFour];
        for form in forms {
            for key in [None, Some(MaskingKey([1, 2, 3, 4]))] {
                let header = FrameHeader {
                    fin: true,
                    rsv: Rsv::NONE,
                    opcode: Opcode::Text,
                    masking_key: key,
                    payload_len: PayloadLength { value: 100, form },
                };
                let mut at = 0;
                for field in [Field::Opcode, Field::Length, Field::MaskingKey, Field::Payload] {
                    if let Some(range) = of_field(field, &header) {
                        assert_eq!(range.start, at, "{field:?}");
                        assert!(range.clone().all(|octet| field_at(octet, &header) == Some(field)));
                        at = range.end;
                    }
                }
                assert_eq!(at, usize::from(header.encoded_len()) + 100);
                assert_eq!(field_at(at, &header), None);
            }
        }
    }
}
