//! End-to-end tests: real sockets, an engine between them, and the capture it leaves.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod captured;
mod endings;
mod faults;
mod handshake;
mod http;
mod messages;
mod over_tls;
mod rotation;
mod steadiness;
mod verbatim;
