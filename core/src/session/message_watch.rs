//! What a message's frames tell besides the message: where its octets lie in the lane, and what its
//! compressed octets refer to.
//!
//! Fed by the slow path alone: a message that is one uncompressed frame costs nothing here.

use crate::FrameHeader;
use crate::diagnostics::Place;
use crate::message::deflate_walk::{Match, Reach};

/// Fragments of one message whose places are kept.
const MOST_FRAGMENTS: usize = 4_096;

/// Compressed octets of one message that are looked through.
const MOST_COPIED: usize = 1 << 20;

/// Compressed octets of one lane that are looked through: a sender that breaks its promise does so
/// with the first match that is far enough.
const MOST_WALKED: u64 = 8 << 20;

/// What a sender promised in the handshake of how it compresses (RFC 7692 §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// It forgets its window after each message.
    pub no_context_takeover: bool,
    /// Base-2 logarithm of its window: 8–15.
    pub max_window_bits: u8,
}

/// Something that the compressed octets of a message prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeflateFault {
    /// The octets that a sender strips are there (RFC 7692 §7.2.1).
    TailKept,
    /// A match refers farther back than the window that was agreed on.
    WindowExceeded(Match),
    /// A match refers to before the message, although the window is forgotten with each.
    ContextKept(Match),
}

/// Watches the messages of one lane, one after the other.
#[derive(Debug, Default)]
pub struct MessageWatch {
    promise: Option<Promise>,
    fragments: Vec<Fragment>,
    /// Octets of payload so far.
    len: u64,
    is_compressed: bool,
    /// The last four octets.
    tail: u32,
    copy: Vec<u8>,
    walked: u64,
    has_window_fault: bool,
}

/// Where one frame's payload lies.
#[derive(Debug, Clone, Copy)]
struct Fragment {
    /// Octets of the message before it.
    before: u64,
    /// Lane offset of its first octet.
    offset: u64,
    frame: u64,
}

impl MessageWatch {
    /// Before the first message of a lane whose sender promised this.
    pub fn new(promise: Option<Promise>) -> Self {
        Self { promise, ..Self::default() }
    }

    /// A data frame begins: its lane offset, and its ordinal in the lane.
    pub fn begin(&mut self, header: &FrameHeader, offset: u64, frame: u64) {
        if header.opcode.begins_message() {
            self.fragments.clear();
            self.copy.clear();
            (self.len, self.tail) = (0, u32::MAX);
            self.is_compressed = header.rsv.rsv1() && self.promise.is_some();
        }
        if self.fragments.len() < MOST_FRAGMENTS {
            let offset = offset.saturating_add(u64::from(header.encoded_len()));
            self.fragments.push(Fragment { before: self.len, offset, frame });
        }
    }

    /// So many octets of its payload, which is uncompressed.
    pub fn skip(&mut self, len: u64) {
        self.len = self.len.saturating_add(len);
    }

    /// Octets of its payload, unmasked.
    pub fn push(&mut self, plain: &[u8]) {
        self.skip(plain.len() as u64);
        if !self.is_compressed {
            return;
        }
        for octet in plain.iter().skip(plain.len().saturating_sub(4)) {
            self.tail = self.tail << 8 | u32::from(*octet);
        }
        if self.is_walking() {
            let room = MOST_COPIED.saturating_sub(self.copy.len());
            self.copy.extend_from_slice(plain.get(..room.min(plain.len())).unwrap_or_default());
        }
    }

    /// The message is whole: what its compressed octets prove, each kind once a lane but for tails.
    pub fn end(&mut self) -> Vec<DeflateFault> {
        let mut faults = Vec::new();
        if !self.is_compressed {
            return faults;
        }
        if self.tail == 0x0000_FFFF {
            faults.push(DeflateFault::TailKept);
        }
        let Some(promise) = self.promise.filter(|_| self.is_walking()) else { return faults };
        self.walked = self.walked.saturating_add(self.copy.len() as u64);
        let reach = Reach::of(&self.copy);
        let window = 1_u32 << promise.max_window_bits.min(15);
        if let Some(far) = reach.farthest.filter(|far| far.distance > window)
            && !std::mem::replace(&mut self.has_window_fault, true)
        {
            faults.push(DeflateFault::WindowExceeded(far));
        }
        if let Some(far) = reach.before_message
            && promise.no_context_takeover
        {
            faults.push(DeflateFault::ContextKept(far));
        }
        faults
    }

    /// Where octet `at` of the message lies, unless it is compressed or has too many fragments.
    pub fn place(&self, at: u64) -> Option<Place> {
        let is_beyond = self.fragments.len() == MOST_FRAGMENTS
            && self.fragments.last().is_some_and(|last| at >= last.before);
        if self.is_compressed || is_beyond {
            return None;
        }
        // Empty fragments have the same start as the one behind them: the last one has the octet.
        let fragment = self.fragments.iter().rev().find(|fragment| fragment.before <= at)?;
        let offset = fragment.offset.saturating_add(at.saturating_sub(fragment.before));
        Some(Place { offset, len: 1, frame: Some(fragment.frame) })
    }

    /// Whether there is a promise to hold the octets against, and something left to prove.
    fn is_walking(&self) -> bool {
        self.walked < MOST_WALKED
            && self.promise.is_some_and(|promise| {
                promise.no_context_takeover
                    || (promise.max_window_bits < 15 && !self.has_window_fault)
            })
    }
}
