//! The look: one palette a theme, and egui's styles made from it.

use std::collections::BTreeMap;

use egui::style::{ScrollStyle, Selection, WidgetVisuals, Widgets};
use egui::{
    Color32, Context, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, Style, TextStyle,
    Theme, Ui, Visuals, vec2,
};

use crate::fonts;

/// Height of a list row, in points.
pub const ROW_HEIGHT: f32 = 22.0;
/// Corner radius of small things: chips, cells.
pub const RADIUS_SMALL: u8 = 4;
/// Corner radius of larger things: buttons, cards, windows.
pub const RADIUS: u8 = 6;
/// The name of the text style for headings, see [`title`].
pub const TITLE: &str = "title";
/// The name of the text style for stressed words in running text, see [`strong`].
pub const STRONG: &str = "strong";

/// The part of a frame that something stands for; each has one colour throughout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The FIN bit.
    Fin,
    /// The RSV1 bit.
    Rsv1,
    /// The RSV2 bit.
    Rsv2,
    /// The RSV3 bit.
    Rsv3,
    /// The four bits of the opcode.
    Opcode,
    /// The MASK bit.
    Mask,
    /// The payload length, extended octets included.
    Length,
    /// The masking key.
    MaskingKey,
    /// The payload.
    Payload,
}

impl Field {
    /// Every field, in the order of the bits.
    pub const ALL: [Self; 9] = [
        Self::Fin,
        Self::Rsv1,
        Self::Rsv2,
        Self::Rsv3,
        Self::Opcode,
        Self::Mask,
        Self::Length,
        Self::MaskingKey,
        Self::Payload,
    ];
}

/// Every colour there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palette {
    /// Whether this is the dark one.
    pub dark: bool,
    /// Behind data.
    pub background: Color32,
    /// Behind controls.
    pub panel: Color32,
    /// Chips, cards, hovered rows.
    pub raised: Color32,
    /// Between areas.
    pub hairline: Color32,
    /// Running text.
    pub text: Color32,
    /// Labels.
    pub weak: Color32,
    /// What may be overlooked.
    pub faint: Color32,
    /// Selection, focus, the active tab.
    pub accent: Color32,
    /// Behind the selected row.
    pub selection: Color32,
    /// Client to server; always with its arrow.
    pub up: Color32,
    /// Server to client; always with its arrow.
    pub down: Color32,
    /// FIN.
    pub fin: Color32,
    /// RSV1–3.
    pub rsv: Color32,
    /// Opcode.
    pub opcode: Color32,
    /// The MASK bit.
    pub mask: Color32,
    /// Payload length.
    pub length: Color32,
    /// Masking key, and `Sec-WebSocket-Key`.
    pub masking_key: Color32,
    /// Payload, and `Sec-WebSocket-Accept`.
    pub payload: Color32,
    /// Passed, open, running.
    pub good: Color32,
    /// Against a MUST; always with its sign.
    pub error: Color32,
    /// Against a SHOULD; always with its sign.
    pub warning: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    let [_, red, green, blue] = hex.to_be_bytes();
    Color32::from_rgb(red, green, blue)
}

/// The dark palette.
pub static DARK: Palette = Palette {
    dark: true,
    background: rgb(0x11_13_17),
    panel: rgb(0x17_1a_1f),
    raised: rgb(0x1e_22_28),
    hairline: rgb(0x28_2d_35),
    text: rgb(0xdf_e3_ea),
    weak: rgb(0x8a_93_a2),
    faint: rgb(0x5b_64_72),
    accent: rgb(0x4c_c2_ff),
    selection: rgb(0x1c_34_42),
    up: rgb(0xf2_b8_4b),
    down: rgb(0x56_d1_a0),
    fin: rgb(0xf2_b8_4b),
    rsv: rgb(0x8a_93_a2),
    opcode: rgb(0xb7_94_f6),
    mask: rgb(0xff_9b_6b),
    length: rgb(0x4c_c2_ff),
    masking_key: rgb(0xff_7e_b6),
    payload: rgb(0x56_d1_a0),
    good: rgb(0x56_d1_a0),
    error: rgb(0xff_6b_6b),
    warning: rgb(0xf2_b8_4b),
};

/// The light palette.
pub static LIGHT: Palette = Palette {
    dark: false,
    background: rgb(0xff_ff_ff),
    panel: rgb(0xf6_f7_f9),
    raised: rgb(0xec_ef_f3),
    hairline: rgb(0xdd_e1_e7),
    text: rgb(0x1c_21_29),
    weak: rgb(0x5d_66_75),
    faint: rgb(0x98_a1_ae),
    accent: rgb(0x0a_76_c4),
    selection: rgb(0xd3_e6_f5),
    up: rgb(0xa8_64_00),
    down: rgb(0x0b_7d_54),
    fin: rgb(0xa8_64_00),
    rsv: rgb(0x5d_66_75),
    opcode: rgb(0x6b_3f_c0),
    mask: rgb(0xc2_50_1a),
    length: rgb(0x0a_76_c4),
    masking_key: rgb(0xb8_25_6e),
    payload: rgb(0x0b_7d_54),
    good: rgb(0x0b_7d_54),
    error: rgb(0xc6_28_28),
    warning: rgb(0xa8_64_00),
};

impl Palette {
    /// The colour of a field of the frame.
    pub const fn field(&self, field: Field) -> Color32 {
        match field {
            Field::Fin => self.fin,
            Field::Rsv1 | Field::Rsv2 | Field::Rsv3 => self.rsv,
            Field::Opcode => self.opcode,
            Field::Mask => self.mask,
            Field::Length => self.length,
            Field::MaskingKey => self.masking_key,
            Field::Payload => self.payload,
        }
    }

    /// The colour of a direction.
    pub const fn direction(&self, direction: framescope_core::Direction) -> Color32 {
        match direction {
            framescope_core::Direction::ClientToServer => self.up,
            framescope_core::Direction::ServerToClient => self.down,
        }
    }

    /// The colour of a finding.
    pub const fn severity(&self, severity: framescope_core::Severity) -> Color32 {
        match severity {
            framescope_core::Severity::Note => self.weak,
            framescope_core::Severity::Warning => self.warning,
            framescope_core::Severity::Error => self.error,
        }
    }

    /// `color` thinned over the background, opaque: the fill of a cell whose text is `color`.
    pub fn tint(&self, color: Color32) -> Color32 {
        self.background.lerp_to_gamma(color, if self.dark { 0.24 } else { 0.18 })
    }

    /// As [`Palette::tint`], stronger: the fill of a hovered or chosen cell.
    pub fn tint_strong(&self, color: Color32) -> Color32 {
        self.background.lerp_to_gamma(color, if self.dark { 0.42 } else { 0.34 })
    }

    /// The line between areas.
    pub fn hairline_stroke(&self) -> Stroke {
        Stroke::new(1.0, self.hairline)
    }
}

/// The sign that goes with a finding of this severity, for [`fonts::ICONS`].
pub const fn severity_icon(severity: framescope_core::Severity) -> &'static str {
    match severity {
        framescope_core::Severity::Note => fonts::icon::INFO,
        framescope_core::Severity::Warning => fonts::icon::WARNING,
        framescope_core::Severity::Error => fonts::icon::X_CIRCLE,
    }
}

/// The palette in use here.
pub fn palette(ui: &Ui) -> &'static Palette {
    if ui.visuals().dark_mode { &DARK } else { &LIGHT }
}

/// The palette in use in the whole context.
pub fn palette_of(ctx: &Context) -> &'static Palette {
    match ctx.theme() {
        Theme::Dark => &DARK,
        Theme::Light => &LIGHT,
    }
}

/// Text style of headings.
pub fn title() -> TextStyle {
    TextStyle::Name(TITLE.into())
}

/// Text style of stressed words.
pub fn strong() -> TextStyle {
    TextStyle::Name(STRONG.into())
}

/// Sets fonts and both styles.
pub fn install(ctx: &Context) {
    ctx.set_fonts(fonts::definitions());
    ctx.style_mut_of(Theme::Dark, |style| apply(style, &DARK));
    ctx.style_mut_of(Theme::Light, |style| apply(style, &LIGHT));
}

/// As [`install`], but only in the first pass: for tests that have no place that runs once.
#[cfg(test)]
pub fn install_once(ctx: &Context) {
    if ctx.cumulative_pass_nr() == 0 {
        install(ctx);
    }
}

fn apply(style: &mut Style, palette: &Palette) {
    let inter = |size| FontId::new(size, FontFamily::Proportional);
    style.text_styles = BTreeMap::from([
        (TextStyle::Small, inter(11.0)),
        (TextStyle::Body, inter(12.5)),
        (TextStyle::Button, inter(12.5)),
        (TextStyle::Monospace, FontId::new(11.5, FontFamily::Monospace)),
        (TextStyle::Heading, fonts::semibold(15.0)),
        (title(), fonts::semibold(13.5)),
        (strong(), fonts::semibold(12.5)),
    ]);
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(8.0, 4.0);
    spacing.button_padding = vec2(9.0, 4.0);
    spacing.interact_size = vec2(24.0, 24.0);
    spacing.window_margin = Margin::same(14);
    spacing.menu_margin = Margin::same(5);
    spacing.menu_spacing = 4.0;
    spacing.tooltip_width = 380.0;
    spacing.icon_width = 15.0;
    spacing.scroll = ScrollStyle {
        bar_width: 8.0,
        floating_width: 5.0,
        floating_allocated_width: 0.0,
        handle_min_length: 28.0,
        bar_outer_margin: 2.0,
        foreground_color: true,
        dormant_handle_opacity: 0.35,
        active_handle_opacity: 0.45,
        interact_handle_opacity: 0.7,
        dormant_background_opacity: 0.0,
        active_background_opacity: 0.0,
        interact_background_opacity: 0.12,
        fade: egui::style::ScrollFadeStyle { strength: 0.0, ..Default::default() },
        ..ScrollStyle::floating()
    };
    style.interaction.tooltip_delay = 0.35;
    style.interaction.selectable_labels = false;
    style.animation_time = 0.1;
    style.visuals = visuals(palette);
}

fn visuals(palette: &Palette) -> Visuals {
    let base = if palette.dark { Visuals::dark() } else { Visuals::light() };
    let shadow = Shadow {
        offset: [0, 6],
        blur: 20,
        spread: 0,
        color: Color32::from_black_alpha(if palette.dark { 130 } else { 40 }),
    };
    Visuals {
        override_text_color: None,
        weak_text_color: Some(palette.weak),
        widgets: widgets(palette),
        selection: Selection {
            bg_fill: palette.selection,
            stroke: Stroke::new(1.0, palette.accent),
        },
        hyperlink_color: palette.accent,
        faint_bg_color: palette.panel,
        extreme_bg_color: palette.background,
        text_edit_bg_color: Some(palette.background),
        code_bg_color: palette.raised,
        warn_fg_color: palette.warning,
        error_fg_color: palette.error,
        window_corner_radius: CornerRadius::same(8),
        window_shadow: shadow,
        window_fill: palette.panel,
        window_stroke: palette.hairline_stroke(),
        menu_corner_radius: CornerRadius::same(RADIUS),
        panel_fill: palette.panel,
        popup_shadow: shadow,
        text_cursor: egui::style::TextCursorStyle {
            stroke: Stroke::new(1.5, palette.accent),
            ..base.text_cursor
        },
        indent_has_left_vline: false,
        interact_cursor: None,
        ..base
    }
}

fn widgets(palette: &Palette) -> Widgets {
    let plain = WidgetVisuals {
        bg_fill: palette.raised,
        weak_bg_fill: Color32::TRANSPARENT,
        bg_stroke: Stroke::NONE,
        corner_radius: CornerRadius::same(RADIUS),
        fg_stroke: Stroke::new(1.0, palette.text),
        expansion: 0.0,
    };
    let pressed = palette.raised.lerp_to_gamma(palette.text, 0.10);
    Widgets {
        noninteractive: WidgetVisuals {
            bg_fill: palette.panel,
            weak_bg_fill: palette.panel,
            bg_stroke: palette.hairline_stroke(),
            ..plain
        },
        // A check box and a scroll handle need a fill that can be seen on `raised`.
        inactive: WidgetVisuals {
            bg_fill: palette.raised.lerp_to_gamma(palette.text, 0.08),
            fg_stroke: Stroke::new(1.0, palette.text),
            ..plain
        },
        hovered: WidgetVisuals {
            bg_fill: palette.raised.lerp_to_gamma(palette.text, 0.14),
            weak_bg_fill: palette.raised,
            ..plain
        },
        active: WidgetVisuals {
            bg_fill: pressed,
            weak_bg_fill: pressed,
            // Also the look of a widget with keyboard focus.
            bg_stroke: Stroke::new(1.0, palette.accent),
            ..plain
        },
        open: WidgetVisuals { weak_bg_fill: palette.raised, ..plain },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.1 contrast ratio.
    fn contrast(a: Color32, b: Color32) -> f32 {
        let luminance = |color: Color32| {
            let linear = egui::Rgba::from(color);
            0.2126 * linear.r() + 0.7152 * linear.g() + 0.0722 * linear.b()
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_can_be_read_on_every_surface() {
        for palette in [&DARK, &LIGHT] {
            for surface in [palette.background, palette.panel, palette.raised, palette.selection] {
                assert!(contrast(palette.text, surface) >= 7.0);
                assert!(contrast(palette.weak, surface) >= 4.0, "{surface:?}");
            }
            for color in Field::ALL.map(|field| palette.field(field)) {
                assert!(contrast(color, palette.background) >= 4.5, "{color:?}");
                assert!(contrast(color, palette.tint(color)) >= 3.0, "{color:?}");
            }
        }
    }

    #[test]
    fn installing_sets_both_themes() {
        for (theme, expected) in [(Theme::Dark, &DARK), (Theme::Light, &LIGHT)] {
            let mut harness = egui_kittest::Harness::new_ui(|ui| {
                install(ui.ctx());
                ui.ctx().set_theme(theme);
                if ui.ctx().cumulative_pass_nr() > 1 {
                    assert_eq!(palette(ui), expected);
                    assert_eq!(palette_of(ui.ctx()), expected);
                    assert_eq!(ui.visuals().panel_fill, expected.panel);
                }
            });
            harness.run_steps(3);
        }
    }
}
