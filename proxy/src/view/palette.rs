//! Colours by meaning: one for each field of a frame, the same in every view.

use std::fmt::{self, Display};
use std::io::IsTerminal;

use anstyle::{Ansi256Color, AnsiColor, Effects, Style};

/// What a piece of text is; says its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Sent by the client (↑).
    ClientToServer,
    /// Sent by the server (↓).
    ServerToClient,
    /// The FIN bit.
    Fin,
    /// The three reserved bits.
    Rsv,
    /// The opcode.
    Opcode,
    /// The MASK bit.
    Mask,
    /// The payload length in any form.
    Length,
    /// The masking key, and `Sec-WebSocket-Key`.
    Key,
    /// The payload, and `Sec-WebSocket-Accept`.
    Payload,
    /// Something broken.
    Error,
    /// Something likely to hurt.
    Warning,
    /// Worth knowing.
    Note,
    /// Something that is as it must be.
    Good,
    /// A heading.
    Strong,
    /// Frames of tables, separators, explanations.
    Weak,
    /// Plain text.
    Text,
}

impl Role {
    const fn style(self) -> Style {
        let colour = match self {
            Self::ClientToServer | Self::Fin | Self::Warning => AnsiColor::Yellow,
            Self::ServerToClient | Self::Payload | Self::Good => AnsiColor::Green,
            Self::Opcode => AnsiColor::Magenta,
            Self::Error => AnsiColor::Red,
            // The sixteen have no orange, and red says that something is broken.
            Self::Mask => {
                return Style::new().fg_color(Some(anstyle::Color::Ansi256(Ansi256Color(209))));
            }
            Self::Length | Self::Note => AnsiColor::Cyan,
            Self::Key => AnsiColor::BrightMagenta,
            // Not bright black: it is the background of some themes.
            Self::Rsv | Self::Weak => return Style::new().effects(Effects::DIMMED),
            Self::Strong => return Style::new().effects(Effects::BOLD),
            Self::Text => return Style::new(),
        };
        Style::new().fg_color(Some(anstyle::Color::Ansi(colour)))
    }
}

/// Whether colours are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Palette {
    /// Text alone.
    Plain,
    /// ANSI escape sequences around text, in the colours that follow the terminal's theme.
    Coloured,
}

impl Palette {
    /// Colours for a terminal, none for a pipe or a file; `NO_COLOR`, `CLICOLOR_FORCE` and
    /// `TERM=dumb` are heeded.
    pub fn for_stream(stream: &(impl IsTerminal + anstream::stream::RawStream)) -> Self {
        match anstream::AutoStream::choice(stream) {
            anstream::ColorChoice::Never => Self::Plain,
            _ => Self::Coloured,
        }
    }

    /// `text` in the colour of `role`.
    pub const fn paint<T: Display>(self, role: Role, text: T) -> Painted<T> {
        Painted { palette: self, role, text }
    }
}

/// Text that displays in its colour.
#[derive(Debug, Clone, Copy)]
pub struct Painted<T> {
    palette: Palette,
    role: Role,
    text: T,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = self.role.style();
        if self.palette == Palette::Plain || style == Style::new() {
            return self.text.fmt(f);
        }
        write!(f, "{}", style.render())?;
        self.text.fmt(f)?;
        write!(f, "{}", style.render_reset())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_surround_the_text_and_keep_its_padding() {
        let painted = Palette::Coloured.paint(Role::Opcode, "text");
        assert_eq!(format!("{painted:<6}|"), "\u{1b}[35mtext  \u{1b}[0m|");
        let plain = Palette::Plain.paint(Role::Opcode, "text");
        assert_eq!(format!("{plain:<6}|"), "text  |");
    }
}
