//! What the fuzz targets share: how they read their input, measure memory, and make their first corpus.
//!
//! Each target is one file in `fuzz_targets/`; it says in its caption what must hold.

pub mod cuts;
pub mod peak;
pub mod script;
pub mod seeds;
pub mod smoke;
pub mod wire;

pub use cuts::Cuts;
