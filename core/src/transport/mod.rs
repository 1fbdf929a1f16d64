//! Transports: how a client that has no WebSocket, or none yet, is told what is new.
//!
//! | word | is |
//! |---|---|
//! | [`ExchangeFacts`] | one request and its answer, over: when it was asked, how long it was held, how long it went on |
//! | [`Series`] | the exchanges of one client with one URL, one after the other, that are one transport together |
//! | [`TransportKind`] | which one: polling, long polling, HTTP streaming, server-sent events, … |
//! | [`Evidence`] | whether the peers say so in their protocol, or their timing shows it |
//! | [`BodyPiece`] | one chunk or line of a body that goes on: a message of an HTTP stream |
//! | [`TransportSession`] | a session of Engine.IO or SockJS and all connections that carry it |
//!
//! ```text
//!  heads, body ends, times ─► Exchanges (one connection) ─► Transports (all of them) ─► TransportEvent
//! ```
//!
//! Nothing is known here but what crossed the wire. A claim has its reason in words, and is made once
//! the octets or several exchanges bear it out: a page that loads its pictures, a slow answer or a large
//! download makes none. Times are those of the capture, so that a replay says what was said live.
//! Memory is bounded: see [`MAX_URLS`], [`MAX_POLLERS`], [`MAX_SESSIONS`] and [`MAX_MEMBERS`].
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)
)]

mod exchange;
mod facts;
mod kind;
mod piece;
mod rhythm;
mod series;
mod session;
mod stream;
mod target;
mod transports;

pub(crate) use exchange::Exchanges;
pub use facts::{Carried, ExchangeFacts, Series, SeriesId, Totals, TransportEvent};
pub use kind::{Evidence, TransportKind};
pub use piece::{BodyPiece, PieceUnit};
pub(crate) use piece::{PieceReader, media_type};
pub use session::{MAX_MEMBERS, SessionChange, SessionId, SessionMember, TransportSession};
pub(crate) use target::Stated;
pub use target::{SessionProtocol, Target};
pub use transports::{MAX_POLLERS, MAX_SESSIONS, MAX_URLS};
pub(crate) use transports::{SessionKey, Transports};
