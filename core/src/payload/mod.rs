//! What the application says in a message: its payload told, read and shown in any of many formats.
//!
//! | word | is |
//! |---|---|
//! | [`Format`] | a way to read a payload: text, JSON, CBOR, gzip … |
//! | [`Detection`] | the format a payload seems to have, and the reason in words |
//! | [`View`] | a payload read as one format: facts, and a body to show |
//! | [`Lens`], [`Seen`] | a format and a schema that somebody chose for all payloads, and one seen through it |
//! | [`Tree`] | what every structured format becomes: values, exact, each with its octets |
//! | [`Notation`] | a tree as text, laid out in lines or on one |
//! | [`Fault`] | the first octet that is wrong, and what is wrong with it |
//! | [`Limits`], [`Cut`] | what a view may cost, and what was left out to stay within |
//!
//! ```
//! use framescope_core::payload::{Body, Format, Hints, Limits, Notation, detect, view};
//!
//! let payload = br#"{"id":9007199254740993}"#;
//! let detection = detect(payload, &Hints::default());
//! assert_eq!(detection.format, Format::Json);
//! assert_eq!(detection.reason, "begins with { and is JSON to its end");
//!
//! let view = view(detection.format, payload, &Limits::VIEW);
//! let Body::Tree(tree) = &view.body else { unreachable!() };
//! let id = &tree.nodes()[1];
//! assert_eq!(id.span.of(payload), b"9007199254740993");
//! assert_eq!(id.note.as_deref(), Some("JavaScript reads 9007199254740992"));
//! assert_eq!(Notation::new(tree, payload).pretty(), "{\n  \"id\": 9007199254740993\n}\n");
//! ```
//!
//! Detection is a guess with a reason, and whoever looks may choose another format at any time: every
//! format has a view of any octets. Where they are not of the format the view shows what came before,
//! and says at which octet it went wrong. Payloads come from peers: nothing here recurses, panics, or
//! takes more memory than [`Limits`] allow for.

mod base64;
pub mod bson;
mod builder;
pub mod cbor;
mod cursor;
mod decimal128;
pub mod detect;
pub mod fault;
pub mod format;
pub mod hex;
pub mod image;
mod items;
pub mod json;
mod jwt;
#[cfg(test)]
mod laws;
mod lens;
pub mod limits;
mod moment;
pub mod msgpack;
pub mod notation;
pub mod number;
mod packed;
pub mod protobuf;
pub mod span;
pub mod text;
pub mod tree;
mod utf16;
pub mod view;

pub use detect::{Confidence, Detection, Hints, candidates, detect};
pub use fault::{Cut, CutLimit, Fault};
pub use format::Format;
pub use lens::{Lens, Seen};
pub use limits::Limits;
pub use notation::Notation;
pub use number::Number;
pub(crate) use packed::{unpack_beginning, unpack_coding};
pub use span::Span;
pub use tree::{Key, Node, Tree, Value};
pub use view::{Body, Fact, Inner, View, view};
