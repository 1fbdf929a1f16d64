//! The areas of the window, one file each.

mod cells;
pub mod chooser;
pub mod connections;
mod context_menu;
pub mod elsewhere;
pub mod exchanges;
pub mod export;
pub mod filter_bar;
pub mod findings;
pub mod format;
pub mod notice;
pub mod open;
pub mod parts;
mod path_field;
pub mod schema;
pub mod search;
pub mod status;
pub mod table;
pub mod top;
