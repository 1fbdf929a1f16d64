//! Lists of any length: the virtual list, its columns, and which rows it shows.

pub mod columns;
pub mod pace;
pub mod rows;
pub mod virtual_list;
pub mod words;

pub use columns::{Column, Columns};
pub use pace::Pace;
pub use rows::{Kind, Kinds, RowFilter, ViewRows};
pub use virtual_list::{List, RowLook, Shown, VirtualList, list_id};
pub use words::Words;

/// The lists of the window, by the name they are announced with.
pub const CONNECTIONS: &str = "Connections";
/// The table of messages.
pub const MESSAGES: &str = "Messages";
/// The table of frames.
pub const FRAMES: &str = "Frames";
/// The exchanges of a connection that is no WebSocket.
pub const EXCHANGES: &str = "Exchanges";
/// The findings.
pub const FINDINGS: &str = "Findings";
