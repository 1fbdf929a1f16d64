//! The desktop around the window: is there a display, is it dark or light, the window's icon.

use egui::{Color32, Context, IconData};

/// In the order in which the window library looks at them.
const DISPLAY_VARIABLES: [&str; 3] = ["WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY"];

/// The display the environment names, such as `DISPLAY=:0`.
pub fn display_name() -> String {
    let named = DISPLAY_VARIABLES.into_iter().find_map(|variable| {
        let value = std::env::var_os(variable).filter(|value| !value.is_empty())?;
        Some(format!("{variable}={}", value.to_string_lossy()))
    });
    named.unwrap_or_else(|| "this desktop".to_owned())
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

/// Whether files can be dropped onto the window: winit takes none on Wayland.
pub fn takes_dropped_files() -> bool {
    !cfg!(target_os = "linux") || !["WAYLAND_DISPLAY", "WAYLAND_SOCKET"].into_iter().any(is_set)
}

/// Whether the environment names a display at all; `Err` says so.
pub fn display_named() -> Result<(), String> {
    if DISPLAY_VARIABLES.into_iter().any(is_set) || !cfg!(target_os = "linux") {
        Ok(())
    } else {
        Err("there is no display (DISPLAY and WAYLAND_DISPLAY are not set)".to_owned())
    }
}

/// Keeps the theme "System" at what the desktop says, dark where it says nothing.
///
/// The window system does not tell on Linux, so the desktop's settings portal is asked.
pub fn follow_theme(ctx: Context) {
    #[cfg(target_os = "linux")]
    {
        let follow = move || {
            // A desktop without a portal has no say: the theme stays as it is.
            let _ = portal::follow_color_scheme(&ctx);
        };
        let _ = std::thread::Builder::new().name("desktop theme".to_owned()).spawn(follow);
    }
    #[cfg(not(target_os = "linux"))]
    drop(ctx);
}

#[cfg(target_os = "linux")]
mod portal {
    //! `org.freedesktop.portal.Settings`: dark or light, now and whenever it changes.

    use egui::{Context, Theme};
    use zbus::blocking::{Connection, Proxy};
    use zbus::zvariant::{OwnedValue, Value};

    const NAMESPACE: &str = "org.freedesktop.appearance";
    const KEY: &str = "color-scheme";
    const PREFERS_LIGHT: u32 = 2;

    pub(super) fn follow_color_scheme(ctx: &Context) -> zbus::Result<()> {
        let session = Connection::session()?;
        let settings = Proxy::new(
            &session,
            "org.freedesktop.portal.Desktop",
            "/org/freedesktop/portal/desktop",
            "org.freedesktop.portal.Settings",
        )?;
        let changes = settings.receive_signal("SettingChanged")?;
        let scheme: OwnedValue = settings.call("ReadOne", &(NAMESPACE, KEY))?;
        apply(ctx, &scheme);
        for change in changes {
            let (namespace, key, value): (String, String, OwnedValue) =
                change.body().deserialize()?;
            if namespace == NAMESPACE && key == KEY {
                apply(ctx, &value);
            }
        }
        Ok(())
    }

    fn apply(ctx: &Context, scheme: &Value<'_>) {
        let is_light = matches!(scheme, Value::U32(PREFERS_LIGHT));
        let theme = if is_light { Theme::Light } else { Theme::Dark };
        ctx.options_mut(|options| options.fallback_theme = theme);
        ctx.request_repaint();
    }
}

/// The app's sign: two directions of traffic as bars in a rounded frame.
pub fn icon() -> IconData {
    const SIZE: usize = 64;
    let accent = Color32::from_rgb(0x4c, 0xc2, 0xff);
    let up = Color32::from_rgb(0xf2, 0xb8, 0x4b);
    let down = Color32::from_rgb(0x56, 0xd1, 0xa0);
    let ground = Color32::from_rgb(0x11, 0x13, 0x17);
    let bars = [(18..25, 28, up), (29..36, 18, down), (40..47, 34, up)];
    let at = |x: usize, y: usize| {
        let inside = |margin: usize, radius: usize| {
            let (low, high) = (margin + radius, SIZE - 1 - margin - radius);
            let (dx, dy) = (x.abs_diff(x.clamp(low, high)), y.abs_diff(y.clamp(low, high)));
            dx * dx + dy * dy <= radius * radius
        };
        let bar =
            bars.iter().find(|(columns, top, _)| columns.contains(&x) && (*top..50).contains(&y));
        match bar {
            _ if !inside(2, 14) => Color32::TRANSPARENT,
            _ if !inside(7, 9) => accent,
            Some((_, _, color)) => *color,
            None => ground,
        }
    };
    let rgba = (0..SIZE).flat_map(|y| (0..SIZE).flat_map(move |x| at(x, y).to_array())).collect();
    IconData { rgba, width: 64, height: 64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_icon_is_a_whole_picture_with_clear_corners() {
        let icon = icon();
        assert_eq!(icon.rgba.len(), 64 * 64 * 4);
        assert_eq!(icon.rgba[3], 0, "the corner is clear");
        assert_eq!(icon.rgba[(32 * 64 + 32) * 4 + 3], 255, "the middle is not");
    }
}
