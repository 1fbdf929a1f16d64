//! How much a view may take: payloads are chosen by peers, memory is not.

/// Bounds on what reading one payload may cost. What is left out is said, never silently dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Nodes of a tree.
    pub nodes: usize,
    /// Containers within containers; the root is at depth 0.
    pub depth: usize,
    /// Octets kept of each text; the tree has the place of the rest.
    pub text: usize,
    /// Octets kept of all texts of a tree together.
    pub texts: usize,
    /// Octets that come out of everything compressed or encoded in a payload, together.
    pub unpacked: usize,
    /// Payloads within payloads: JSON in base64 in gzip is 2.
    pub nesting: usize,
}

impl Limits {
    /// For a payload that somebody looks at: a tree of at most about 20 MB.
    pub const VIEW: Self = Self {
        nodes: 100_000,
        depth: 128,
        text: 64 << 10,
        texts: 4 << 20,
        unpacked: 16 << 20,
        nesting: 4,
    };

    /// For a row of a table, and for telling what a payload is: the beginning is enough.
    pub const GLANCE: Self =
        Self { nodes: 200, depth: 64, text: 256, texts: 16 << 10, unpacked: 4 << 10, nesting: 2 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::VIEW
    }
}
