//! The upstream: its URL, and how a connection to it is made.

mod dial;
mod target;

pub use dial::{DialError, Dialled, Dialler};
pub use target::{Target, TargetError};
