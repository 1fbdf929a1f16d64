//! The intercepting proxy.
//!
//! ```text
//!  listener ─► wires ─► connection ─► sniff ─► tls/accept ─► relay ◄─► upstream
//!                                                             │
//!                                                             ├─ http: where the heads are, what is edited
//!                                                             ▼
//!                                                          recorder ─► capture file ─► whoever follows it
//! ```
//!
//! Start reading at [`connection`], then [`relay`]. [`Engine`] puts the parts together for a caller
//! without tokio: that is all the desktop app and the command line use.

pub mod cli;
pub mod clock;
pub mod compare;
pub mod connection;
pub mod demo;
pub mod engine;
pub mod follow;
pub mod http;
pub mod listener;
pub mod priority;
pub mod recorder;
pub mod relay;
pub mod set;
pub mod sniff;
pub mod tls;
pub mod upstream;
pub mod view;
pub mod wires;

pub use engine::{Engine, EngineConfig, StartError, Stats, Upstream, WhenSlow};
