//! Short texts, very many of them, in bounded memory.

use std::collections::VecDeque;

/// Octets that are kept; beyond, the oldest texts go.
const MAX_OCTETS: usize = 128 << 20;
/// Octets that go at a time.
const CHUNK: usize = 256 << 10;

/// Where a text lies.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TextRef {
    chunk: u32,
    start: u32,
    len: u16,
}

/// Short texts one behind the other, the oldest of which go in bulk.
#[derive(Debug)]
pub(super) struct Texts {
    chunks: VecDeque<String>,
    /// The number of the first chunk.
    first: u32,
    octets: usize,
    max: usize,
}

impl Default for Texts {
    fn default() -> Self {
        Self { chunks: VecDeque::new(), first: 0, octets: 0, max: MAX_OCTETS }
    }
}

impl Texts {
    pub(super) fn push(&mut self, text: &str) -> TextRef {
        if self.chunks.back().is_none_or(|chunk| chunk.len() + text.len() > CHUNK) {
            // Most captures are small: the first chunk grows as it is needed.
            let room = if self.chunks.is_empty() { 0 } else { CHUNK };
            self.chunks.push_back(String::with_capacity(room));
        }
        while self.octets > self.max && self.chunks.len() > 1 {
            let oldest = self.chunks.pop_front().unwrap_or_default();
            self.octets -= oldest.len();
            self.first = self.first.saturating_add(1);
        }
        let number = self.first.saturating_add(u32::try_from(self.chunks.len() - 1).unwrap_or(0));
        let Some(chunk) = self.chunks.back_mut() else { return TextRef::default() };
        let start = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
        chunk.push_str(text);
        self.octets += text.len();
        TextRef { chunk: number, start, len: u16::try_from(text.len()).unwrap_or(u16::MAX) }
    }

    pub(super) fn text(&self, at: TextRef) -> Option<&str> {
        let chunk = self.chunks.get(at.chunk.checked_sub(self.first)? as usize)?;
        let start = at.start as usize;
        chunk.get(start..start + usize::from(at.len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_bounded_and_the_oldest_go_first() {
        let mut texts = Texts { max: 4 * CHUNK, ..Texts::default() };
        let long = "x".repeat(60_000);
        let refs: Vec<_> = (0..100).map(|_| texts.push(&long)).collect();
        assert!(texts.octets <= 5 * CHUNK, "{}", texts.octets);
        assert_eq!(texts.text(refs[0]), None);
        assert_eq!(texts.text(*refs.last().expect("some")), Some(long.as_str()));
    }
}
