//! Lists of any length: the virtual list, its columns, and which rows it shows.

pub mod columns;
pub mod rows;
pub mod virtual_list;

pub use columns::{Column, Columns};
pub use rows::{Kind, Kinds, RowFilter, ViewRows};
pub use virtual_list::{List, RowLook, Shown, VirtualList, list_id};

/// The lists of the window, by the name they are announced with.
pub const CONNECTIONS: &str = "Connections";
/// The table of messages.
pub const MESSAGES: &str = "Messages";
/// The table of frames.
pub const FRAMES: &str = "Frames";
/// The findings.
pub const FINDINGS: &str = "Findings";
