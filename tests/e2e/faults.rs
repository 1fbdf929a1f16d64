//! Faults: whatever dies, the wire goes on, the capture opens, and both say what happened.

#[cfg(target_os = "linux")]
mod disk;
#[cfg(target_os = "linux")]
mod files;
mod peers;
mod tls;
