//! Everything about WebSocket traffic that is true without a socket.
//!
//! # Vocabulary
//!
//! | word | is |
//! |---|---|
//! | [`Direction`] | client to server (↑) or server to client (↓) |
//! | lane | all octets of one connection in one direction, counted from 0 |
//! | [`Record`] | one thing that happened on the wire: octets, a finish, a gap, a note; the truth |
//! | [`Head`] | the octets of one HTTP/1.1 request or response head, and a parsed view of them |
//! | [`OpeningHandshake`] | the two heads that open a WebSocket, checked (RFC 6455 §4) |
//! | [`Frame`] | one frame: its [`FrameHeader`], its place in the lane, its payload (RFC 6455 §5.2) |
//! | [`Message`] | what one or more frames carry, put together, inflated, checked (RFC 6455 §5.4, RFC 7692) |
//! | [`Diagnostic`] | one thing a peer did against, or at the edge of, a standard: a *finding* |
//! | [`TransportEvent`] | one thing about polling, streaming and sessions that change their transport |
//! | [`Event`] | what the [`Session`] says when it has understood something |
//! | [`Index`] | compact rows for millions of frames, messages, connections and findings |
//!
//! # Pipeline
//!
//! ```text
//! capture file ─► CaptureReader ─► Record ─► Session ─► Event ─► Index, JSON Lines, terminal view
//! ```
//!
//! Octets and time go in, events come out; nothing here reads a clock, a socket, a path or the environment.
//! Start reading at [`session`], then [`frame::decoder`].
//!
//! # Laws
//!
//! Each is a property test in `tests/laws.rs`.
//!
//! - *split invariance*: any split of the octets gives the same events;
//! - *totality*: any octets give events: no panic, bounded memory;
//! - *lane independence*: what a lane says does not depend on how lanes interleave;
//! - *tiling*: heads, bodies and frames cover a lane without gap or overlap;
//! - *replay*: events live equal events of the file written and read.

pub mod capture;
pub mod connection;
pub mod diagnostics;
pub mod direction;
pub mod export;
pub mod frame;
pub mod handshake;
pub mod http;
pub mod index;
pub mod message;
pub mod payload;
pub mod present;
pub mod search;
pub mod session;
pub mod subprotocol;
pub mod time;
pub mod transport;

pub use capture::record::{Finish, Leg, Record};
pub use connection::{ConnectionId, ConnectionInfo, ConnectionNote};
pub use diagnostics::{Diagnostic, Severity};
pub use direction::Direction;
pub use frame::{CloseCode, Frame, FrameHeader, MaskingKey, Opcode, PayloadLength};
pub use handshake::OpeningHandshake;
pub use http::Head;
pub use index::Index;
pub use message::Message;
pub use session::{Event, EventKind, Session};
pub use time::Timestamp;
pub use transport::TransportEvent;
