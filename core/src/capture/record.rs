//! Records: what the capture holds, and all that anything downstream may know.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::frame::FramePosition;
use crate::{ConnectionId, ConnectionInfo, ConnectionNote, Direction, Timestamp};

/// Which side of the proxy octets were seen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leg {
    /// Between the client and the proxy; everything is recorded here. pcapng interface 0.
    Client,
    /// Between the proxy and the upstream; recorded where it differs. pcapng interface 1.
    Upstream,
}

/// How one direction of a connection came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finish {
    /// FIN: the sender has said all it had to say.
    Fin,
    /// RST: the connection was torn down, both ways, at once.
    Reset,
}

/// One thing that happened on the wire, or became known about a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A connection was accepted.
    Opened {
        /// The new connection.
        connection: ConnectionId,
        /// When it was accepted.
        at: Timestamp,
        /// What is known of it.
        info: Box<ConnectionInfo>,
    },
    /// Something became known after the connection was opened.
    Noted {
        /// The connection it is about.
        connection: ConnectionId,
        /// When it became known.
        at: Timestamp,
        /// What became known.
        note: Box<ConnectionNote>,
    },
    /// Plaintext octets crossed the wire, as one read gave them.
    Octets {
        /// The connection they belong to.
        connection: ConnectionId,
        /// When they were read.
        at: Timestamp,
        /// The side they were seen on.
        leg: Leg,
        /// Which way they went.
        direction: Direction,
        /// The octets, never empty.
        octets: Bytes,
        /// From when they were read to when the other side's socket had taken all of them, up to 4.29
        /// seconds; `None` where it did not take them at once, or that was not recorded.
        in_proxy: Option<Duration>,
    },
    /// Octets crossed the wire that are not in the capture.
    Gap {
        /// The connection they belong to.
        connection: ConnectionId,
        /// When the gap was noticed.
        at: Timestamp,
        /// The side it is on.
        leg: Leg,
        /// Which way they went.
        direction: Direction,
        /// How many octets are missing; 0 where nobody knows: the connection was open before the
        /// capture began.
        len: u64,
        /// How the frames go on behind them, where that is known.
        position: Option<Box<FramePosition>>,
    },
    /// One direction ended; [`Finish::Reset`] ends both.
    Finished {
        /// The connection it is about.
        connection: ConnectionId,
        /// When it ended.
        at: Timestamp,
        /// The side it was seen on.
        leg: Leg,
        /// The direction that ended: the sender closed.
        direction: Direction,
        /// How it ended.
        how: Finish,
    },
}

impl Record {
    /// The connection this record belongs to.
    pub fn connection(&self) -> ConnectionId {
        match self {
            Self::Opened { connection, .. }
            | Self::Noted { connection, .. }
            | Self::Octets { connection, .. }
            | Self::Gap { connection, .. }
            | Self::Finished { connection, .. } => *connection,
        }
    }

    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Opened { at, .. }
            | Self::Noted { at, .. }
            | Self::Octets { at, .. }
            | Self::Gap { at, .. }
            | Self::Finished { at, .. } => *at,
        }
    }
}
