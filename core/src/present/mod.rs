//! How things read, the same in the terminal, in exports and in the desktop app.
//!
//! [`numbers`] writes counts, [`characters`] tells which characters would hide or turn text around,
//! [`secrets`] masks what should not be read over a shoulder. What the fields of a frame mean is told
//! by [`crate::frame::explain`].

pub mod characters;
pub mod numbers;
pub mod secrets;

pub use numbers::{counted, octets, span, thousands};
pub use secrets::Secrets;
