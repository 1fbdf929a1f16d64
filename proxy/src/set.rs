//! A set: one capture in several files, `NAME-0001.pcapng`, `NAME-0002.pcapng`, …
//!
//! ```text
//!  recorder ─► Writer ─► NAME-0001 │ NAME-0002 │ NAME-0003 ─► CaptureFile ─► one capture, read from any offset
//! ```
//!
//! Offsets count the octets of all files of the set since the first, whether they are still there or
//! not: each file tells its own in its section header ([`framescope_core::capture::SetPlace`]).

mod name;
mod reader;
mod writer;

pub use name::SetName;
pub use reader::CaptureFile;
pub use writer::{Rotation, Writer};
