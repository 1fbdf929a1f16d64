//! The two directions of a connection.

use std::fmt;
use std::ops::Not;

use serde::{Deserialize, Serialize};

/// Which way octets travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Sent by the peer that opened the connection (↑).
    ClientToServer,
    /// Sent by the peer that accepted it (↓).
    ServerToClient,
}

impl Direction {
    /// Both directions, client first.
    pub const BOTH: [Self; 2] = [Self::ClientToServer, Self::ServerToClient];

    /// `↑` for client to server, `↓` for server to client, as in a browser's developer tools.
    pub const fn arrow(self) -> char {
        match self {
            Self::ClientToServer => '↑',
            Self::ServerToClient => '↓',
        }
    }

    /// `client-to-server` or `server-to-client`, the spelling of the JSON exports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientToServer => "client-to-server",
            Self::ServerToClient => "server-to-client",
        }
    }

    /// Who sent these octets: `client` or `server`.
    pub const fn sender(self) -> &'static str {
        match self {
            Self::ClientToServer => "client",
            Self::ServerToClient => "server",
        }
    }

    /// 0 for client to server, 1 for server to client: for arrays with one place a direction.
    pub const fn index(self) -> usize {
        match self {
            Self::ClientToServer => 0,
            Self::ServerToClient => 1,
        }
    }
}

impl Not for Direction {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::ClientToServer => Self::ServerToClient,
            Self::ServerToClient => Self::ClientToServer,
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
