//! What a terminal shows: a capture as lines, and single frames bit by bit.
//!
//! ```text
//!  capture ─► Follower ─► Feed ─┬► Lines      a line an event, for people
//!                               └► JsonLines  a JSON object an event, for programs
//!
//!  octets ─► Anatomy ─► diagram, explanation
//! ```
//!
//! Nothing but [`terminal`] waits.

pub mod anatomy;
pub mod diagram;
pub mod escape;
pub mod explanation;
pub mod feed;
pub mod lines;
pub mod palette;
pub mod stop;
pub mod terminal;

pub use feed::{Feed, Format, Tally, ViewError};
pub use lines::{Layout, Lines};
pub use palette::{Palette, Role};
pub use terminal::{TerminalView, run};
