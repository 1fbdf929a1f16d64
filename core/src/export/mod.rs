//! Exports: what the session says, written for other programs.
//!
//! [`pairing`] puts each message beside the frame that ended it, [`jsonl`] writes one JSON object a
//! line (`docs/JSONL.md`).

pub mod jsonl;
pub mod pairing;

pub use jsonl::JsonLines;
pub use pairing::{Paired, Pairing};
