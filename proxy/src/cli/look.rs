//! The flags of everything that writes the view.

use framescope_core::present::Secrets;

use crate::view::Format;
use crate::view::terminal::detect_layout;

/// How the view looks.
#[derive(Debug, clap::Args)]
pub struct Look {
    /// Write JSON Lines, one object an event (docs/JSONL.md)
    #[arg(long)]
    json: bool,
    /// Show cookies, authorization headers and tokens in URLs, which are masked otherwise
    #[arg(long)]
    show_secrets: bool,
}

impl Look {
    /// What is written for each event.
    pub fn format(&self) -> Format {
        if self.json { Format::Json } else { Format::Text(detect_layout()) }
    }

    /// Whether credentials are shown.
    pub fn secrets(&self) -> Secrets {
        if self.show_secrets { Secrets::Shown } else { Secrets::Masked }
    }
}
