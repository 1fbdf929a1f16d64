//! Exports: what the session says, written for other programs.
//!
//! [`reading`] reads whole messages as deeply as somebody asks for, [`pairing`] puts each message beside the
//! frame that ended it, [`only`] leaves out what is not asked for, [`jsonl`] writes one JSON object a line
//! (`docs/JSONL.md`).

mod answers;
pub mod compression;
pub mod jsonl;
pub mod only;
pub mod pairing;
pub mod reading;
pub mod timing;

pub use compression::Compressed;
pub use jsonl::JsonLines;
pub use only::Only;
pub use pairing::{Paired, Pairing};
pub use reading::{Depth, MessageReader, Reading};
pub use timing::{FrameTiming, FrameTimings};
