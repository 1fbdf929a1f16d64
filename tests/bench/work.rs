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

/// All of them, as `shared` in `docs/PERFORMANCE.md`'s table.
pub fn all() -> Vec<Work> {
    let pipelined = |name, size, in_flight, connections| Work {
        name,
        kind: Kind::Pipelined { size, in_flight },
        connections,
    };
    vec![
        pipelined("64 B, 1 connection, 512 in flight", 64, 512, 1),
        pipelined("64 B, 50 connections", 64, 32, 50),
        pipelined("16 KiB, 1 connection", 16 << 10, 16, 1),
        pipelined("16 KiB, 50 connections", 16 << 10, 2, 50),
        pipelined("1 MiB, 1 connection", 1 << 20, 2, 1),
        pipelined("1 MiB, 50 connections", 1 << 20, 1, 50),
        Work { name: "ping-pong, 1 connection", kind: Kind::PingPong { size: 64 }, connections: 1 },
        Work {
            name: "ping-pong, 50 connections",
            kind: Kind::PingPong { size: 64 },
            connections: 50,
        },
        Work { name: "handshakes", kind: Kind::Handshakes, connections: 8 },
    ]
}
