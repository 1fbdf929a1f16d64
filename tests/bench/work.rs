//! The kinds of work that are measured.

/// One kind of work.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// For the table.
    pub name: &'static str,
    /// What is done.
    pub kind: Kind,
    /// Connections at once.
    pub connections: usize,
    /// The load speaks TLS; what is behind the rival stays plain.
    pub tls: bool,
}

/// What is done on each connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Messages of `size` octets, up to `in_flight` of them under way.
    Pipelined {
        /// Octets of payload.
        size: usize,
        /// Messages under way on one connection.
        in_flight: usize,
    },
    /// One message of `size` octets at a time: the time from sending it to its echo.
    PingPong {
        /// Octets of payload.
        size: usize,
    },
    /// Connect, upgrade, close; again and again.
    Handshakes,
}

/// All of them, as in the table of `docs/PERFORMANCE.md`.
pub fn all() -> Vec<Work> {
    let plain = |name, kind, connections| Work { name, kind, connections, tls: false };
    let tls = |name, kind, connections| Work { name, kind, connections, tls: true };
    let pipelined = |size, in_flight| Kind::Pipelined { size, in_flight };
    let ping_pong = Kind::PingPong { size: 64 };
    vec![
        plain("64 B, 1 connection, 512 in flight", pipelined(64, 512), 1),
        plain("64 B, 50 connections, 32 in flight", pipelined(64, 32), 50),
        plain("64 B, 50 connections, 64 in flight", pipelined(64, 64), 50),
        plain("16 KiB binary, 1 connection", pipelined(16 << 10, 16), 1),
        plain("16 KiB binary, 50 connections", pipelined(16 << 10, 2), 50),
        plain("1 MiB binary, 1 connection", pipelined(1 << 20, 2), 1),
        plain("1 MiB binary, 50 connections", pipelined(1 << 20, 1), 50),
        plain("ping-pong, 1 connection", ping_pong, 1),
        plain("ping-pong, 50 connections", ping_pong, 50),
        plain("handshakes", Kind::Handshakes, 8),
        tls("TLS handshakes", Kind::Handshakes, 8),
        tls("TLS 64 B, 1 connection, 512 in flight", pipelined(64, 512), 1),
        tls("TLS 16 KiB binary, 1 connection", pipelined(16 << 10, 16), 1),
    ]
}
