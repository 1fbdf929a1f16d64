//! Steadiness: bounded memory and no hang, whatever peers do, over plain and TLS listeners alike.
//!
//! Heavier variants: `docs/TESTING.md`.

mod crowds;
mod fidelity;
mod heads;
mod streams;
