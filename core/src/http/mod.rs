//! HTTP/1.1 as far as it surrounds WebSockets: heads kept as raw octets, bodies measured.
//!
//! ```text
//! octets ─► HeadReader ─► Head (raw + parsed view + faults) ─► BodyFraming ─► BodyDecoder
//!                           │                                                 └─► EventStreamReader
//!                           └─► edit: change a field in place, every other octet as it was
//! ```
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)
)]

pub mod body;
pub mod check;
pub mod edit;
pub mod event_stream;
pub mod head;
mod parse;
mod reader;

pub use body::{AnswerTo, BodyDecoder, BodyFraming, BodyPart};
pub use edit::{Edit, EditError};
pub use event_stream::{EventStreamReader, ServerSentEvent};
pub use head::{FaultKind, Head, HeadError, HeadFault, Header, StartLine};
pub(crate) use parse::is_token;
pub use reader::HeadReader;
