//! The capture: a pcapng file that Wireshark opens too. See `docs/CAPTURE.md`.
//!
//! ```text
//!  Record ─► StreamEncoder ─► blocks ─► FILE.pcapng ─► CaptureReader ─► Record   written = read
//!                                          │
//!                                          └─ LaneTable ─► LanePlan ─► any octets of any lane
//! ```
//!
//! Octets go in, octets and records come out; files, sockets and clocks are the caller's.

// Files come from anywhere: nothing in them may make this panic.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)
)]

mod append;
mod block;
mod blocks;
mod comment;
pub mod encoder;
pub mod fault;
mod foreign;
mod ids;
mod lane;
#[cfg(test)]
mod laws;
pub mod locate;
mod own;
mod packet;
mod packets;
mod past;
mod pcap;
mod pieces;
pub mod reader;
mod reassembly;
mod recognise;
pub mod record;
pub mod set;
pub mod unrecorded;
mod walk;
pub mod writer;

pub use append::Append;
pub use block::in_proxy_value;
pub use encoder::StreamEncoder;
pub use fault::CaptureFault;
pub use locate::{LanePlan, LaneTable};
pub use reader::{CaptureItem, CaptureReader};
pub use record::{Finish, Leg, Record};
pub use set::SetPlace;
pub use unrecorded::Unrecorded;
pub use writer::{CaptureWriter, write_section_header};
