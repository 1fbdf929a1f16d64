//! HTTP/1.1 as it crosses the proxy: the octets pass as they are, the heads among them are known.
//!
//! Each client connection has one upstream connection of its own, and the octets of both lanes pass
//! verbatim: heads, bodies, chunk framing, trailers, interim answers, pipelined requests. Nothing is
//! parsed in order to be written anew, so nothing can be lost on the way, and a peer that breaks the
//! rules breaks them before the other one's eyes. [`Exchange`] follows along only to know where the
//! request heads are, which a reverse proxy must edit ([`Rewrite`]), and when both sides have become
//! a WebSocket, after which it looks at nothing any more.

mod answer;
mod exchange;
mod rewrite;

pub use answer::Answer;
pub use exchange::{Downward, Exchange, HEAD_LIMIT, Upward};
pub use rewrite::Rewrite;
