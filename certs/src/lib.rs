//! The local certificate authority: made on first use, kept in one folder, trusted by the user's choice.
//!
//! # Vocabulary
//!
//! | word | is |
//! |---|---|
//! | [`Authority`] | one CA of this user on this machine: a certificate that may be trusted, and a key that never leaves its file but into memory |
//! | [`AuthorityPaths`] | where its two files live: `ca-cert.pem` (public) and `ca-key.pem` (secret) |
//! | [`SubjectName`] | a DNS name or an IP address that a certificate is for |
//! | [`Leaf`] | a short-lived server certificate for such names, with a key of its own |
//! | [`Fingerprint`] | SHA-256 over a certificate, as browsers show it |
//! | [`CertificateFacts`] | what a certificate says, for messages |
//! | [`trust`] | how to trust the CA and how to remove it, for each [`Platform`] |
//!
//! # Flow
//!
//! ```text
//! Authority::load_or_create(folder, now) ─► Authority ─► leaf_for(names, now) ─► Leaf ─► a TLS server
//!                                               └► trust::instructions(authority, platform) ─► the user
//! ```
//!
//! The clock is passed in; files are the only thing touched outside, through [`Authority`]
//! and [`load_pem_chain`] / [`load_pem_key`]. Start reading at `authority.rs`.

mod authority;
mod error;
mod facts;
mod fingerprint;
mod leaf;
mod name;
mod pem;
mod platform;
mod store;
pub mod trust;

pub use authority::Authority;
pub use error::{CertsError, Result};
pub use facts::CertificateFacts;
pub use fingerprint::Fingerprint;
pub use leaf::Leaf;
pub use name::SubjectName;
pub use pem::{load_pem_chain, load_pem_key};
pub use platform::{Platform, UnknownPlatform};
pub use store::AuthorityPaths;
