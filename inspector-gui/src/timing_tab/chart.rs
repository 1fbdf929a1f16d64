//! Frames and octets over time: client to server upwards, server to client downwards.

use std::time::Duration;

use egui::{Align2, FontId, Rect, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use framescope_core::Direction;
use framescope_core::index::{Flow, Rates};
use jiff::tz::TimeZone;

use crate::theme;
use crate::widgets::{format, section};

const HEIGHT: f32 = 84.0;

/// What a chart shows of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Frames,
    Octets,
}

impl Measure {
    const fn of(self, flow: Flow) -> u64 {
        match self {
            Self::Frames => flow.frames,
            Self::Octets => flow.octets,
        }
    }

    const fn heading(self) -> &'static str {
        match self {
            Self::Frames => "Frames over time",
            Self::Octets => "Octets over time",
        }
    }

    /// All of a direction.
    fn total(self, rates: &Rates, direction: Direction) -> String {
        let flows = rates.steps().iter().map(|step| self.of(step[direction.index()]));
        format::thousands(flows.sum())
    }

    /// The most there was in one step, as so much a second.
    fn rate(self, most: u64, width: Duration) -> String {
        #[expect(clippy::cast_precision_loss, reason = "shown without decimals")]
        let rate = most as f64 / width.as_secs_f64();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float is cut at the largest integer"
        )]
        let whole = rate.round() as u64;
        match self {
            Self::Frames => format!("{} frames/s", format::thousands(whole)),
            Self::Octets => format!("{}/s", format::size(whole)),
        }
    }
}

/// Draws both charts over the same time.
pub fn charts_ui(ui: &mut Ui, rates: &Rates, zone: &TimeZone) {
    let palette = theme::palette(ui);
    if rates.steps().is_empty() {
        section(ui, Measure::Frames.heading(), |_| {});
        ui.label(RichText::new("No frame yet.").size(11.5).color(palette.weak));
        return;
    }
    for measure in [Measure::Frames, Measure::Octets] {
        let peak = rates.steps().iter().flatten().map(|flow| measure.of(*flow)).max();
        let peak = peak.unwrap_or(0).max(1);
        section(ui, measure.heading(), |ui| {
            let width = rates.width();
            let told = format!("peak {} in {}", measure.rate(peak, width), format::duration(width));
            ui.label(RichText::new(told).monospace().size(11.0).color(palette.weak));
            let [up, down] = Direction::BOTH.map(|direction| {
                format!("{} {}", direction.arrow(), measure.total(rates, direction))
            });
            for (told, color) in [(down, palette.down), (up, palette.up)] {
                ui.label(RichText::new(told).monospace().size(11.0).color(color));
            }
        });
        chart_ui(ui, rates, measure, peak, zone);
        axis_ui(ui, rates, zone);
        ui.add_space(6.0);
    }
}

fn chart_ui(ui: &mut Ui, rates: &Rates, measure: Measure, peak: u64, zone: &TimeZone) {
    let palette = theme::palette(ui);
    let size = vec2(ui.available_width(), HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let [up, down] = Direction::BOTH.map(|direction| measure.total(rates, direction));
    response.widget_info(|| {
        let name = format!("{}: {up} up, {down} down", measure.heading());
        WidgetInfo::labeled(Role::Image, true, name)
    });
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, theme::RADIUS_SMALL, palette.panel);
    let steps = rates.steps().len();
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let step_width = rect.width() / steps.max(1) as f32;
    let middle = rect.center().y;
    let room = HEIGHT / 2.0 - 4.0;
    let pointed = response.hover_pos().map(|at| step_at(at.x - rect.min.x, step_width, steps));
    for (step, flows) in rates.steps().iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        let left = rect.min.x + step as f32 * step_width;
        let gap = if step_width > 3.0 { 1.0 } else { 0.0 };
        if pointed == Some(step) {
            let column = Rect::from_min_size(pos2(left, rect.min.y), vec2(step_width, HEIGHT));
            painter.rect_filled(column, 0.0, palette.raised);
        }
        for direction in Direction::BOTH {
            let value = measure.of(flows[direction.index()]);
            if value == 0 {
                continue;
            }
            #[expect(clippy::cast_precision_loss, reason = "a share of the height")]
            let height = (value as f32 / peak as f32 * room).max(1.0);
            let top = match direction {
                Direction::ClientToServer => middle - height,
                Direction::ServerToClient => middle,
            };
            let bar =
                Rect::from_min_size(pos2(left, top), vec2((step_width - gap).max(1.0), height));
            painter.rect_filled(bar, 0.0, palette.direction(direction));
        }
    }
    painter.hline(rect.x_range(), middle, palette.hairline_stroke());
    if let Some(step) = pointed {
        response.on_hover_ui_at_pointer(|ui| step_ui(ui, rates, step, zone));
    }
}

/// Times along the foot of a chart: where it begins, its quarters as there is room, where it ends.
fn axis_ui(ui: &mut Ui, rates: &Rates, zone: &TimeZone) {
    const TICK: f32 = 110.0;
    let palette = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 15.0), Sense::hover());
    let parts: u32 = if rect.width() >= 4.0 * TICK { 4 } else { 2 };
    let steps = u32::try_from(rates.steps().len()).unwrap_or(u32::MAX);
    let span = rates.width().saturating_mul(steps);
    let times: Vec<_> = (0..=parts)
        .map(|part| {
            let at = rates.from().plus(span.saturating_mul(part) / parts);
            shortened(&format::time_of_day(at, zone), span / parts).to_owned()
        })
        .collect();
    for (part, time) in (0u8..).zip(&times) {
        let share = f32::from(part) / f32::from(u8::try_from(parts).unwrap_or(u8::MAX));
        let x = rect.min.x + rect.width() * share;
        let align = match share {
            0.0 => Align2::LEFT_TOP,
            1.0 => Align2::RIGHT_TOP,
            _ => Align2::CENTER_TOP,
        };
        ui.painter().vline(x, rect.min.y - 3.0..=rect.min.y, palette.hairline_stroke());
        let font = FontId::monospace(9.5);
        ui.painter().text(pos2(x, rect.min.y + 1.0), align, time, font, palette.weak);
    }
    let told = format!("from {} to {}", times[0], times[times.len() - 1]);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &told));
}

/// A time of day as exact as times so far apart need it: to the second, else to the millisecond, else whole.
fn shortened(time: &str, apart: Duration) -> &str {
    let len = match apart {
        _ if apart >= Duration::from_secs(2) => "00:00:00".len(),
        _ if apart >= Duration::from_millis(2) => "00:00:00.000".len(),
        _ => time.len(),
    };
    time.get(..len).unwrap_or(time)
}

fn step_at(x: f32, step_width: f32, steps: usize) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred")]
    let step = (x / step_width).max(0.0) as usize;
    step.min(steps.saturating_sub(1))
}

/// When it was, and what went each way.
fn step_ui(ui: &mut Ui, rates: &Rates, step: usize, zone: &TimeZone) {
    let palette = theme::palette(ui);
    let Some(flows) = rates.steps().get(step) else { return };
    let times = u32::try_from(step).unwrap_or(u32::MAX);
    let began = rates.from().plus(rates.width().saturating_mul(times));
    let time = format::time_of_day(began, zone);
    let heading = format!("{time} and {} on", format::duration(rates.width()));
    ui.label(RichText::new(heading).monospace().size(11.0));
    for direction in Direction::BOTH {
        let flow = flows[direction.index()];
        let mut line = format!(
            "{} {}, {}",
            direction.arrow(),
            format::counted(flow.frames, "frame", "frames"),
            format::octets(flow.octets)
        );
        if let Some(mean) = flow.mean_size() {
            line = format!("{line}, {} each on average", format::octets(mean));
        }
        ui.label(RichText::new(line).color(palette.direction(direction)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_told_for_a_second_whatever_the_step() {
        let step = Duration::from_millis(4);
        assert_eq!(Measure::Frames.rate(3, step), "750 frames/s");
        assert_eq!(Measure::Octets.rate(4_000, step), "1.0 MB/s");
    }

    #[test]
    fn times_of_the_axis_are_as_exact_as_they_are_apart() {
        let time = "13:30:35.056 757 441";
        let rows = [(5_000_000, "13:30:35"), (5_000, "13:30:35.056"), (5, time)];
        for (micros, told) in rows {
            assert_eq!(shortened(time, Duration::from_micros(micros)), told);
        }
    }

    #[test]
    fn the_pointer_is_on_a_step_that_is_there() {
        assert_eq!([-3.0, 0.0, 9.9, 10.1, 500.0].map(|x| step_at(x, 10.0, 3)), [0, 0, 0, 1, 2]);
    }
}
