//! JSON (RFC 8259) as a tree that shows what was sent: field order, doubled names and every digit of
//! a number stay as they are, because values are ranges of the text and are never converted.

pub mod document;
pub mod tree;

pub use document::{Document, Kind, Node, SyntaxError};
pub use tree::JsonTree;
