//! How a command ends when it cannot do its work: one clear line, the mend, a documented exit code.

use std::fmt::Write as _;
use std::process::ExitCode;

use crate::engine::StartError;
use crate::view::{Palette, Role, escape};

/// The documented exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Anything that has no code of its own.
    General = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// The listener cannot be opened.
    Listen = 3,
    /// The upstream, or a file of a certificate or key, cannot be used.
    Upstream = 4,
    /// Another file cannot be read or written, or is no capture.
    File = 5,
    /// The certificate authority cannot be used.
    Authority = 6,
}

impl Exit {
    /// The documented meaning of a code.
    pub const fn from_code(code: u8) -> Self {
        match code {
            2 => Self::Usage,
            3 => Self::Listen,
            4 => Self::Upstream,
            5 => Self::File,
            6 => Self::Authority,
            _ => Self::General,
        }
    }
}

/// As `--help` tells them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done; also after Ctrl-C, with the capture complete
  1  something went wrong that has no code of its own
  2  the command line cannot be understood, or contradicts itself
  3  cannot listen there
  4  the upstream, or a certificate or key given for TLS, cannot be used or read
  5  any other file cannot be read or written, or is no capture
  6  the certificate authority cannot be used";

/// The variables that say where things are and what is written, as `--help` tells them.
pub const ENVIRONMENT: &str = "\
Environment:
  FRAMESCOPE_DATA_DIR  the folder of the certificate authority, and of captures without -w
  XDG_DATA_HOME        on Linux and where the former is not set, they are in its folder framescope
  FRAMESCOPE_LOG       what is logged on stderr: error, warn (the default), info, debug or trace
  NO_COLOR             no colours; CLICOLOR_FORCE: colours in pipes and files too";

/// Why a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    /// One line: what went wrong, and where.
    pub message: String,
    /// Lines that show the place, such as a caret under a column.
    pub excerpt: Option<String>,
    /// One line: how to mend it.
    pub help: Option<String>,
}

/// What every command returns.
pub type Outcome = Result<(), Failure>;

impl Failure {
    /// A failure without excerpt and help.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), excerpt: None, help: None }
    }

    /// With a line on how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With lines that show the place.
    #[must_use]
    pub fn excerpt(mut self, excerpt: impl Into<String>) -> Self {
        self.excerpt = Some(excerpt.into());
        self
    }

    /// The text for stderr.
    pub fn render(&self, palette: Palette) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "{} {}", palette.paint(Role::Error, "error:"), self.message);
        for line in self.excerpt.iter().flat_map(|excerpt| excerpt.lines()) {
            let _ = writeln!(out, "  {line}");
        }
        if let Some(help) = &self.help {
            let _ = writeln!(out, "{} {help}", palette.paint(Role::Note, "help:"));
        }
        out
    }
}

impl From<StartError> for Failure {
    /// In the words of the engine: `what; how to mend it`.
    fn from(error: StartError) -> Self {
        let exit = Exit::from_code(error.exit_code());
        let text = escape::whole(&error.to_string());
        match (text.rsplit_once("; "), error) {
            (Some((what, _)), StartError::PortInUse { free: Some(port), .. }) => {
                Self::new(exit, what).help(format!("port {port} is free: --listen {port}"))
            }
            (Some((what, mend)), _) => Self::new(exit, what).help(mend),
            (None, _) => Self::new(exit, text),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_table_tells_the_same_codes() {
        let page = include_str!("../../../docs/JSONL.md");
        let codes = EXIT_CODES.lines().skip(1).filter_map(|line| line.trim().split_once("  "));
        for (code, meaning) in codes {
            // Code 0 has more to say there.
            let row = format!("| {code} | {}", meaning.split("; ").next().unwrap_or(meaning));
            assert!(page.contains(&row), "{row}");
        }
        assert_eq!(EXIT_CODES.lines().count(), 8);
    }

    #[test]
    fn a_failure_reads_as_error_excerpt_help() {
        let failure = Failure::new(Exit::Usage, "not a hex digit").excerpt("8g\n ^").help("look");
        assert_eq!(
            failure.render(Palette::Plain),
            "error: not a hex digit\n  8g\n   ^\nhelp: look\n"
        );
    }
}
