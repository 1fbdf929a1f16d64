//! Small charts as SVG: lines over two logarithmic axes, three panels in a row.

use std::fmt::Write as _;

/// One pair of axes.
#[derive(Debug)]
pub struct Panel {
    /// What is shown, with its unit.
    pub title: &'static str,
    /// Where the lower axis is marked, and with what.
    pub x_ticks: Vec<(f64, String)>,
    /// What is drawn.
    pub lines: Vec<Line>,
}

/// One line of a panel. Figures that are not positive are left out.
#[derive(Debug)]
pub struct Line {
    /// For the legend.
    pub name: &'static str,
    /// Over the lower axis, and the figure.
    pub points: Vec<(f64, f64)>,
}

const COLUMNS: usize = 3;
const COLOURS: [&str; 2] = ["#8a8f98", "#0b6bcb"];
/// The size of a panel, and what is free around its axes.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 28.0;

/// All panels as one picture.
#[expect(clippy::cast_precision_loss, reason = "there are few panels")]
pub fn svg(panels: &[Panel]) -> String {
    let (width, height) = (WIDTH * COLUMNS as f64, HEIGHT * panels.len().div_ceil(COLUMNS) as f64);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for (at, panel) in panels.iter().enumerate() {
        let (x, y) = (WIDTH * (at % COLUMNS) as f64, HEIGHT * (at / COLUMNS) as f64);
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(out, "<g transform=\"translate({x} {y})\">");
        panel.draw(&mut out);
        out.push_str("</g>\n");
    }
    out + "</svg>\n"
}

impl Panel {
    fn draw(&self, out: &mut String) {
        let all = || self.lines.iter().flat_map(Line::visible);
        let (x, y) = (Axis::around(all().map(|it| it.0)), Axis::around(all().map(|it| it.1)));
        let decades =
            Axis { from: y.from.floor(), until: y.until.ceil().max(y.from.floor() + 1.0) };
        let place = |at: (f64, f64)| {
            let across = LEFT + x.share(at.0) * (WIDTH - LEFT - RIGHT);
            (across, HEIGHT - BOTTOM - decades.share(at.1) * (HEIGHT - TOP - BOTTOM))
        };
        let (left, right, bottom) = (LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM);
        let _ =
            writeln!(out, "<text x=\"{left}\" y=\"16\" font-weight=\"bold\">{}</text>", self.title);
        let mut exponent = decades.from;
        while exponent <= decades.until {
            let value = 10_f64.powf(exponent);
            let (_, y) = place((10_f64.powf(x.from), value));
            let _ = writeln!(
                out,
                "<path d=\"M{left} {y:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{:.1}\" \
                 text-anchor=\"end\">{}</text>",
                left - 4.0,
                y + 4.0,
                short(value)
            );
            exponent += 1.0;
        }
        for (value, name) in &self.x_ticks {
            let (x, _) = place((*value, 10_f64.powf(decades.from)));
            let _ = writeln!(
                out,
                "<path d=\"M{x:.1} {bottom}v4\" stroke=\"#555\"/><text x=\"{x:.1}\" y=\"{}\" \
                 text-anchor=\"middle\">{name}</text>",
                bottom + 16.0
            );
        }
        let mut legend_at = left;
        for (line, colour) in self.lines.iter().zip(COLOURS) {
            let _ = writeln!(
                out,
                "<text x=\"{legend_at:.0}\" y=\"32\" fill=\"{colour}\">● {}</text>",
                line.name
            );
            // Seven units are the width of a letter at the most.
            legend_at += 28.0 + 7.0 * f64::from(u32::try_from(line.name.len()).unwrap_or_default());
            let mut path = String::new();
            for at in line.visible().map(place) {
                let _ = write!(
                    path,
                    "{}{:.1} {:.1}",
                    if path.is_empty() { 'M' } else { 'L' },
                    at.0,
                    at.1
                );
                let _ = writeln!(
                    out,
                    "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\" fill=\"{colour}\"/>",
                    at.0, at.1
                );
            }
            let _ = writeln!(
                out,
                "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>"
            );
        }
    }
}

impl Line {
    /// Points that have a place on logarithmic axes.
    fn visible(&self) -> impl Iterator<Item = (f64, f64)> {
        self.points.iter().copied().filter(|(x, y)| *x > 0.0 && *y > 0.0)
    }
}

/// A range, as decimal logarithms.
struct Axis {
    from: f64,
    until: f64,
}

impl Axis {
    fn around(values: impl Iterator<Item = f64>) -> Self {
        let (from, until) = values
            .map(f64::log10)
            .fold((f64::MAX, f64::MIN), |range, value| (range.0.min(value), range.1.max(value)));
        if from > until { Self { from: 0.0, until: 1.0 } } else { Self { from, until } }
    }

    /// Where a value is between the ends, from 0 to 1.
    fn share(&self, value: f64) -> f64 {
        (value.log10() - self.from) / (self.until - self.from).max(f64::EPSILON)
    }
}

/// A power of ten: 0.01, 10, 1k, 10M.
fn short(value: f64) -> String {
    match value {
        _ if value >= 0.9e9 => format!("{:.0}G", value / 1e9),
        _ if value >= 0.9e6 => format!("{:.0}M", value / 1e6),
        _ if value >= 0.9e3 => format!("{:.0}k", value / 1e3),
        _ if value >= 0.9 => format!("{value:.0}"),
        _ => {
            let text = format!("{value:.6}");
            text.trim_end_matches('0').to_owned()
        }
    }
}
