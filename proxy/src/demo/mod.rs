//! The built-in demo: a small server full of WebSocket life, and two clients that chat on it.
//!
//! | path | is |
//! |---|---|
//! | `/` | a chat page for a browser, with an echo box and a stock ticker |
//! | `/chat?room=NAME` | a chat room, subprotocol `chat.framescope`: [`chat`] says which messages |
//! | `/chat/sessions…` | the same rooms by polling, long polling, HTTP streaming and server-sent events: [`transports`] |
//! | `/socket.io/` | the same rooms over Socket.IO: [`socket_io`] |
//! | `/echo` | returns each message; the text `close 4001 reason` closes with that code: [`echo`] |
//! | `/ticker` | quotes of invented shares, several a second: [`ticker`] |
//! | `/healthz` | `ok` |
//!
//! ```text
//!  Server ─ one task a connection ─► hyper: pages, upgrade ─► Peer ─► chat ─► Rooms
//!                                                               ├──► echo
//!                              │                                └──► ticker ◄─ Market
//!                              ├─► Visitors (requests that come and go) ─► Rooms
//!                              └─► Socket.IO ─► Rooms
//! ```
//!
//! Memory is bounded everywhere: connections, rooms, members, message sizes, and the messages that
//! wait for a reader. Who reads too slowly is closed with 1008.

pub mod chat;
pub mod clients;
pub mod echo;
pub mod server;
pub mod ticker;

mod closing;
mod market;
mod pages;
mod peer;
mod rooms;
mod socket_io;
#[cfg(test)]
mod tests;
mod transports;
mod visitors;

pub use server::Server;

/// The subprotocol of the chat rooms.
pub const CHAT_PROTOCOL: &str = "chat.framescope";
