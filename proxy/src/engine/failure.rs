//! Why an engine does not start: one clear line each, with the mend, and an exit code.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use framescope_certs::CertsError;

use super::port::Holder;
use crate::tls::TlsFailure;
use crate::upstream::TargetError;

/// Why an engine did not start. Displays as one line: what, where, how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken.
    #[error("cannot listen on {address}: {} already uses that port{}", holder_name(holder.as_ref()), try_port(*free))]
    PortInUse {
        /// Where it was tried.
        address: SocketAddr,
        /// The process that has it, where that can be known.
        holder: Option<Holder>,
        /// A port near by that is free.
        free: Option<u16>,
    },
    /// The address cannot be listened on for another reason.
    #[error("cannot listen on {address}: {}", listen_reason(source))]
    Listen {
        /// Where it was tried.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The URL names no upstream.
    #[error(transparent)]
    Upstream(#[from] TargetError),
    /// TLS is asked for in front of an upstream that has none.
    #[error(
        "{option} has no effect: the upstream {upstream} is not TLS; leave it out, or give a wss:// or https:// URL"
    )]
    UpstreamWithoutTls {
        /// The option of the command line.
        option: &'static str,
        /// The upstream's URL.
        upstream: String,
    },
    /// The demo server cannot be started.
    #[error("the built-in demo server cannot start: {0}")]
    Demo(io::Error),
    /// The certificates of the user's own, or further roots, cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsFailure),
    /// The local CA cannot be made or read.
    #[error("{error}{}", data_dir_mend(.0), error = .0)]
    Authority(#[from] CertsError),
    /// The capture would be written over something.
    #[error("the capture {path} exists; choose another name, or remove it first", path = .0.display())]
    CaptureExists(PathBuf),
    /// The capture cannot be made.
    #[error("the capture {path} cannot be made: {source}; choose another place with -w FILE", path = .path.display())]
    Capture {
        /// Where it was to be.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no user's data directory.
    #[error(
        "no data directory is known for this user; set FRAMESCOPE_DATA_DIR to a folder that may be written to"
    )]
    NoDataDir,
    /// Threads cannot be had.
    #[error("threads cannot be started: {0}")]
    Threads(io::Error),
}

impl StartError {
    /// The exit code of a program that ends for this reason: 2 settings that do not go together, 3 cannot listen, 4 upstream or TLS set-up,
    /// 5 capture file, 6 local CA, 1 anything else.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::UpstreamWithoutTls { .. } => 2,
            Self::PortInUse { .. } | Self::Listen { .. } => 3,
            Self::Upstream(_) | Self::Demo(_) | Self::Tls(_) => 4,
            Self::CaptureExists(_) | Self::Capture { .. } | Self::NoDataDir => 5,
            Self::Authority(_) => 6,
            Self::Threads(_) => 1,
        }
    }
}

fn holder_name(holder: Option<&Holder>) -> String {
    match holder {
        Some(Holder { pid, name }) => format!("{name} (process {pid})"),
        None => "another process".into(),
    }
}

fn try_port(free: Option<u16>) -> String {
    free.map(|port| format!("; port {port} is free")).unwrap_or_default()
}

/// What the system refuses in one folder it may allow in another; all else tells its own mend.
const fn data_dir_mend(error: &CertsError) -> &'static str {
    match error {
        CertsError::Io { .. } => "; set FRAMESCOPE_DATA_DIR to a folder that may be written to",
        _ => "",
    }
}

fn listen_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need special rights; choose a higher one".into()
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine does not have that address; 127.0.0.1 always is".into()
        }
        _ => error.to_string(),
    }
}
