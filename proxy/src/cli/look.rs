//! The flags of everything that writes the view.

use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use framescope_core::export::Depth;
use framescope_core::payload::protobuf::{MessageType, Schema};
use framescope_core::payload::{self, Lens};
use framescope_core::present::Secrets;
use framescope_core::subprotocol::{Override, Subprotocol};

use super::file::reason;
use super::{Exit, Failure};
use crate::view::Format;
use crate::view::escape;
use crate::view::terminal::{PAYLOAD_LINES, detect_layout};

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
    /// Show below each message what is in it: its payload, the fields of its sub-protocol, how it was
    /// compressed
    #[arg(long)]
    detail: bool,
    /// Show below each message its payload read as this format; auto tells which one it is, and why
    #[arg(long, value_name = "FORMAT", value_parser = parse_payload(), help_heading = "Payloads")]
    payload: Option<Told>,
    /// Lines that one payload may take; 0 shows all
    #[arg(long, value_name = "COUNT", default_value_t = PAYLOAD_LINES, value_parser = lines, help_heading = "Payloads")]
    payload_lines: usize,
    /// The schema of Protobuf payloads: a descriptor set, as `protoc --include_imports
    /// --descriptor_set_out` and `buf build` write it
    #[arg(long, value_name = "FILE", requires = "message_type", help_heading = "Payloads")]
    descriptor_set: Option<PathBuf>,
    /// The type of Protobuf payloads, such as package.Message
    #[arg(long, value_name = "NAME", requires = "descriptor_set", help_heading = "Payloads")]
    message_type: Option<String>,
}

/// What `--payload` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Auto,
    As(payload::Format),
}

/// Message types that an error names at most.
const NAMED_TYPES: usize = 12;

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

/// Names of payload formats, and `auto`.
fn parse_payload() -> impl TypedValueParser<Value = Told> {
    let names = ["auto"].into_iter().chain(payload::Format::ALL.map(payload::Format::name));
    PossibleValuesParser::new(names)
        .map(|name| payload::Format::named(&name).map_or(Told::Auto, Told::As))
}

/// A number of lines, and what to give in its place.
fn lines(text: &str) -> Result<usize, &'static str> {
    text.parse().map_err(|_| "give a number of lines, such as 40; 0 shows all")
}

impl Look {
    /// What is written for each event.
    pub fn format(&self) -> Format {
        if self.json {
            return Format::Json;
        }
        let (payload_lines, fields) = (self.payload_lines, self.detail);
        Format::Text(crate::view::Layout { payload_lines, fields, ..detect_layout() })
    }

    /// Whether credentials are shown.
    pub fn secrets(&self) -> Secrets {
        if self.show_secrets { Secrets::Shown } else { Secrets::Masked }
    }

    /// How deeply messages are read.
    ///
    /// # Errors
    /// A schema that cannot be read, or is of no use here.
    pub fn depth(&self) -> Result<Depth, Failure> {
        let payload = self.lens()?;
        Ok(Depth { subprotocol: self.subprotocol, payload, microscope: self.detail })
    }

    fn lens(&self) -> Result<Option<Lens>, Failure> {
        let message_type = match (&self.descriptor_set, &self.message_type) {
            (Some(file), Some(name)) => Some(message_type(file, name)?),
            _ => None,
        };
        let told = match (self.payload, &message_type) {
            (Some(Told::As(format)), Some(_)) if format != payload::Format::Protobuf => {
                let what = format!("--descriptor-set is of no use to --payload {}", format.name());
                return Err(Failure::new(Exit::Usage, what)
                    .help("give --payload protobuf, or --payload auto, or leave --payload out"));
            }
            (Some(told), _) => told,
            (None, Some(_)) if !self.detail => Told::As(payload::Format::Protobuf),
            (None, _) if self.detail => Told::Auto,
            (None, _) => return Ok(None),
        };
        let format = match told {
            Told::Auto => None,
            Told::As(format) => Some(format),
        };
        Ok(Some(Lens { format, message_type }))
    }
}

/// The type `name` of the descriptor set in `file`.
fn message_type(file: &Path, name: &str) -> Result<MessageType, Failure> {
    let shown = escape::whole(&file.display().to_string());
    let octets = fs::read(file).map_err(|error| {
        let reason = reason(&error);
        Failure::new(Exit::File, format!("cannot read the descriptor set {shown}: {reason}"))
            .help("give a file that protoc --descriptor_set_out=FILE wrote")
    })?;
    let schema = Schema::parse(&octets).map_err(|error| {
        let error = escape::text(error.reason(), 200);
        Failure::new(Exit::File, format!("{shown} is no descriptor set: {error}")).help(
            "make one with protoc --include_imports --descriptor_set_out=FILE PROTO, or buf build -o FILE",
        )
    })?;
    schema.message_type(name).ok_or_else(|| {
        let types = schema.messages();
        let named =
            types.iter().take(NAMED_TYPES).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = if types.len() > NAMED_TYPES { ", …" } else { "" };
        let name = escape::text(name, 100);
        Failure::new(Exit::Usage, format!("there is no message type {name} in {shown}"))
            .help(format!("it has {}{more}", escape::text(&named, 300)))
    })
}
