//! One value of a payload on one line: its key, what it is, what its format calls it.

use std::fmt::Write as _;

use egui::text::LayoutJob;
use egui::{Color32, FontId, TextFormat};
use framescope_core::payload::{Key, Node, Value};

use crate::theme::Palette;
use crate::widgets::format;

/// Of a longer value only this much is laid out; the rest is counted.
const SHOWN: usize = 400;
/// Octets shown of a value that is nothing but octets.
const OCTETS_SHOWN: usize = 48;

/// The line of `node`, which was read from `octets`.
pub(crate) fn job(palette: &Palette, node: &Node, open: bool, octets: &[u8]) -> LayoutJob {
    let mut job = LayoutJob { break_on_newline: false, ..LayoutJob::default() };
    let mut put = |text: &str, color: Color32| {
        job.append(text, 0.0, TextFormat::simple(FontId::monospace(11.5), color));
    };
    match &node.key {
        Key::Root => {}
        Key::Index(index) => put(&format!("{index}: "), palette.faint),
        Key::Name(name) => {
            put(&one_line(name), palette.text);
            put(": ", palette.weak);
        }
        Key::Scalar(key) => {
            put(&one_line(key), palette.length);
            put(": ", palette.weak);
        }
        Key::Field { number, name } => {
            if let Some(name) = name {
                put(&one_line(name), palette.text);
                put(" ", palette.weak);
            }
            put(&format!("{number}"), palette.length);
            put(": ", palette.weak);
        }
        Key::Part(role) => put(&format!("{role}: "), palette.faint),
    }
    if node.value.is_container() {
        container(palette, node, open, &mut put);
    } else {
        let color = match &node.value {
            Value::Text(_) => palette.payload,
            Value::Number(_) => palette.length,
            Value::Bool(_) => palette.opcode,
            Value::Octets(_) | Value::Extension { .. } | Value::Literal(_) => palette.masking_key,
            _ => palette.weak,
        };
        put(&scalar_line(node, octets), color);
    }
    // Text formats show their types by their spelling.
    if !matches!(node.kind, "object" | "array" | "string" | "number" | "boolean" | "null" | "") {
        put(&format!("  {}", node.kind), palette.faint);
    }
    if let Some(note) = &node.note {
        put(&format!("  {}", one_line(note)), palette.weak);
    }
    for reading in &node.readings {
        put(&format!("  or {} ", reading.kind), palette.faint);
        put(&one_line(&reading.text), palette.weak);
    }
    if !node.is_whole {
        put("  not whole", palette.warning);
    }
    job
}

fn container(palette: &Palette, node: &Node, open: bool, put: &mut impl FnMut(&str, Color32)) {
    let held = node.children as u64;
    let (opening, closing, one, many) = match &node.value {
        Value::Map(_) => ("{", "}", "member", "members"),
        Value::Array(_) => ("[", "]", "element", "elements"),
        Value::Chunks(_) => ("(", ")", "chunk", "chunks"),
        Value::Tag(number) => {
            return put(&format!("tag {number}"), palette.masking_key);
        }
        Value::Entry => return put("entry", palette.weak),
        _ => return put(&format::counted(held, "value", "values"), palette.weak),
    };
    if held == 0 {
        put(&format!("{opening}{closing}"), palette.weak);
    } else if open {
        put(opening, palette.weak);
        put(&format!(" {}", format::thousands(held)), palette.faint);
    } else {
        put(&format!("{opening}…{closing} "), palette.weak);
        put(&format::counted(held, one, many), palette.faint);
    }
}

fn scalar_line(node: &Node, octets: &[u8]) -> String {
    match &node.value {
        Value::Text(text) => {
            let mut line = format!("\"{}\"", one_line(&text.text));
            if !text.is_whole {
                let more = text.content.len().saturating_sub(text.text.len());
                let _ = write!(line, "… {} more", format::octets(more as u64));
            }
            line
        }
        _ => one_line(&scalar(node, octets, OCTETS_SHOWN)),
    }
}

/// A value without parts as text; of octets, the first `most`.
pub(super) fn scalar(node: &Node, octets: &[u8], most: usize) -> String {
    let dump = |content: &[u8]| {
        let shown = content.get(..most.min(content.len())).unwrap_or_default();
        let mut text = format::hex(shown);
        if let Some(more) = content.len().checked_sub(most).filter(|more| *more > 0) {
            let _ = write!(text, " … {} more", format::octets(more as u64));
        }
        text
    };
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Undefined => "undefined".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => text.text.to_string(),
        Value::Octets(span) => dump(span.of(octets)),
        Value::Extension { kind, content } => {
            format!("extension {kind}: {}", dump(content.of(octets)))
        }
        Value::Literal(text) => text.to_string(),
        Value::Tag(_)
        | Value::Array(_)
        | Value::Map(_)
        | Value::Chunks(_)
        | Value::Entry
        | Value::Sequence => String::new(),
    }
}

/// The text with what cannot be seen made visible, cut where it is long.
fn one_line(text: &str) -> String {
    let mut line: String = text.chars().take(SHOWN).map(format::visible).collect();
    if let Some((at, _)) = text.char_indices().nth(SHOWN) {
        let _ = write!(line, "… {} more", format::octets((text.len() - at) as u64));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_and_counted() {
        assert_eq!(one_line(&"é".repeat(401)), format!("{}… 2 octets more", "é".repeat(400)));
        assert_eq!(one_line("a\u{202e}b"), "a◌b");
    }
}
