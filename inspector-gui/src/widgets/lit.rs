//! Text of which some places stand on a ground of their own: what is looked for.

use std::ops::Range;

use egui::text::LayoutJob;
use egui::{Color32, FontId, Label, Response, TextFormat, Ui};

use super::format;
use super::row::centered;
use crate::theme::{self, Palette};

/// The ground of what is looked for.
pub fn ground(palette: &Palette) -> Color32 {
    palette.tint_strong(palette.warning)
}

/// Appends `text`, which begins `from` octets behind where the `places` are counted from. Characters that
/// cannot be seen are shown as signs; of a long text the first `most` characters are laid out.
pub fn append(
    job: &mut LayoutJob,
    (text, from): (&str, usize),
    most: usize,
    format: &TextFormat,
    (places, ground): (&[Range<usize>], Color32),
) {
    let is_lit = |at: usize| {
        let behind = places.partition_point(|place| place.end <= at);
        places.get(behind).is_some_and(|place| place.start <= at)
    };
    let format_of = |lit: bool| {
        let background = if lit { ground } else { format.background };
        TextFormat { background, ..format.clone() }
    };
    let (mut run, mut run_is_lit) = (String::new(), false);
    for (at, character) in text.char_indices().take(most) {
        let lit = is_lit(from + at);
        if lit != run_is_lit && !run.is_empty() {
            job.append(&std::mem::take(&mut run), 0.0, format_of(run_is_lit));
        }
        run_is_lit = lit;
        run.push(format::visible(character));
    }
    if !run.is_empty() {
        job.append(&run, 0.0, format_of(run_is_lit));
    }
}

/// As [`super::key_value`], with what is looked for lit in the value.
pub fn key_value(
    ui: &mut Ui,
    name: &str,
    value: &str,
    color: Color32,
    places: &[Range<usize>],
) -> Response {
    let palette = theme::palette(ui);
    let mut job = LayoutJob::default();
    job.append(name, 0.0, centered(FontId::proportional(11.5), palette.weak));
    let mono = centered(FontId::monospace(11.5), color);
    job.append("", 6.0, mono.clone());
    append(&mut job, (value, 0), usize::MAX, &mono, (places, ground(palette)));
    ui.add(Label::new(job).extend())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_alternate_and_keep_the_text() {
        let mut job = LayoutJob::default();
        let plain = TextFormat::default();
        append(&mut job, ("GET ", 0), 99, &plain, (&[2..6, 7..9], Color32::RED));
        append(&mut job, ("/é\tb", 4), 3, &plain, (&[2..6, 7..9], Color32::RED));
        assert_eq!(job.text, "GET /é⇥");
        let runs: Vec<_> = job
            .sections
            .iter()
            .map(|section| {
                let lit = section.format.background == Color32::RED;
                (&job.text[section.byte_range.start.0..section.byte_range.end.0], lit)
            })
            .collect();
        assert_eq!(runs, [("GE", false), ("T /é⇥", true)]);
    }
}
