//! Framescope's desktop app: connections, messages, frames bit by bit.
//!
//! ```text
//!  source ─► store (index, contents, search) ─► list (rows, columns) ─► panels ─► app
//!                                                detail, handshake_tab ─┘
//! ```
//!
//! [`source`] is the only file that knows the proxy; [`command`] names every action.

// The gallery's sample data is that of the tests too, and names the crate from outside.
#[cfg(test)]
extern crate self as framescope_gui;

pub mod app;
pub mod command;
pub mod desktop;
pub mod detail;
pub mod find;
pub mod fonts;
pub mod handshake_tab;
pub mod list;
pub mod panels;
pub mod settings;
pub mod source;
pub mod store;
pub mod theme;
pub mod timing_tab;
pub mod widgets;

pub use app::App;
