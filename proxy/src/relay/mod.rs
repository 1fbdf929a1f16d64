//! The relay: two sockets, and every octet that one says goes to the other.
//!
//! ```text
//!  client ═► read ─► tape ─► Exchange ─► write ═► upstream      lane ↑
//!  client ◄═ write ◄─ tape ◄─ Exchange ◄─ read ◄═ upstream      lane ↓
//! ```
//!
//! It knows octets, and as much of HTTP/1.1 as [`crate::http`] follows until both sides are a WebSocket;
//! of frames it knows nothing. A connection that says nothing holds no buffer.

mod lane;
mod pump;
mod read_ahead;
mod socket;
mod stall;
#[cfg(test)]
mod tests;
mod watch;

pub use pump::{Counters, Early, Ending, Pump};
pub use read_ahead::ReadAhead;
pub use socket::Socket;
pub use watch::watch;
