//! What can be wrong with a capture, each with its offset: a fault never ends the reading of what is whole.

/// One thing that is wrong with a capture. Its text is one line for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaptureFault {
    /// The octets are neither pcapng nor pcap. Nothing more will come.
    #[error("not a capture: it looks like {looks_like}; open a .pcapng or .pcap file")]
    NotACapture {
        /// What it looks like instead, such as `a gzip archive (unpack it first)`.
        looks_like: String,
    },
    /// A block does not hold together. Reading goes on at the next block that does.
    #[error("the capture is damaged at octet {offset}: {reason}")]
    Damaged {
        /// Where the damaged block starts, in octets from the start of the file.
        offset: u64,
        /// What does not hold.
        reason: String,
    },
    /// After damage, a whole block was found again.
    #[error("{len} octets of the capture from octet {offset} on could not be read")]
    Skipped {
        /// Where the damage starts.
        offset: u64,
        /// How many octets were passed over.
        len: u64,
    },
    /// The capture ends within a block: whoever wrote it was stopped. All before it was read.
    #[error(
        "the capture ends within a block: its last {len} octets, from octet {offset} on, were left out"
    )]
    CutTail {
        /// Where the cut block starts.
        offset: u64,
        /// How many octets of it are there.
        len: u64,
    },
    /// Packets of an interface cannot be read because of how it frames them. Said once for each.
    #[error(
        "packets of link type {link_type} (from octet {offset} on) cannot be read; \
         Ethernet, raw IP, loopback and Linux cooked captures can"
    )]
    UnknownLinkType {
        /// Where the first such packet is.
        offset: u64,
        /// As in the registry of link types, such as 105 for IEEE 802.11.
        link_type: u16,
    },
    /// Connections came and went while the capture could not be written: nothing else tells of them.
    #[error(
        "not in the capture, which could not be written meanwhile: \
         connections that came and went: {connections}, with {octets} octets"
    )]
    Unrecorded {
        /// Where it is told.
        offset: u64,
        /// How many connections.
        connections: u64,
        /// What they said, both directions together.
        octets: u64,
    },
    /// A comment of Framescope's own cannot be read; the packet it is on is.
    #[error("a framescope comment at octet {offset} cannot be read: {reason}")]
    UnreadableComment {
        /// Where the packet's block starts.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
}
