//! Peers, proxies and captures for end-to-end tests: plain blocking sockets, nothing that knows
//! better than the wire.
//!
//! | room | is |
//! |---|---|
//! | [`peer`] | raw TCP peers: an upstream that is scripted octet by octet, a client likewise |
//! | [`client`] | a client that speaks TLS or does not |
//! | [`proxy`] | a Framescope engine in a folder of its own, in front of a peer |
//! | [`process`] | the command line as a process that can be limited, measured and killed |
//! | [`hostile`] | conversations made from a seed: any octets, any pieces, any ending |
//! | [`capture`] | what the engine recorded, as records and events |
//! | [`wire`] | octets of handshakes and frames, hashes |
//! | [`tls`] | TLS peers with throw-away authorities |

pub mod capture;
pub mod client;
pub mod hostile;
pub mod peer;
#[cfg(target_os = "linux")]
pub mod process;
pub mod proxy;
pub mod tls;
pub mod wire;

pub use capture::Recorded;
pub use client::{Client, Place, Speaks};
pub use peer::{Peer, Upstream};
#[cfg(target_os = "linux")]
pub use process::Process;
pub use proxy::Proxy;
