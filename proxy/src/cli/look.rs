//! The flags of everything that writes the view.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use framescope_core::present::Secrets;
use framescope_core::subprotocol::{Override, Subprotocol};

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
    /// Read messages as this sub-protocol; auto tells from the handshake and the first messages, none
    /// reads no sub-protocol
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = parse_subprotocol())]
    subprotocol: Override,
}

/// Names of sub-protocols, `auto` and `none`.
fn parse_subprotocol() -> impl TypedValueParser<Value = Override> {
    let names = ["auto", "none"].into_iter().chain(Subprotocol::ALL.map(Subprotocol::name));
    PossibleValuesParser::new(names).map(|name| {
        match (name.as_str(), Subprotocol::from_name(&name)) {
            (_, Some(subprotocol)) => Override::Always(subprotocol),
            ("none", None) => Override::Off,
            _ => Override::Auto,
        }
    })
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

    /// Which sub-protocol connections speak.
    pub fn subprotocol(&self) -> Override {
        self.subprotocol
    }
}
