//! How readers make a [`Tree`], within its limits.

use super::fault::{Cut, CutLimit, Stop};
use super::notation::Dialect;
use super::tree::{Key, Node, Reading, Text, Tree, Value};
use super::{Limits, Span};

/// A tree in the making. Readers open and close containers and add leaves; they keep no tree of
/// their own and do not recurse.
#[derive(Debug)]
pub(super) struct Builder {
    tree: Tree,
    /// The places of the containers that are open.
    open: Vec<usize>,
    limits: Limits,
    texts_left: usize,
}

/// What a node is called, and where that stands.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) key: Key,
    pub(super) span: Span,
}

impl Slot {
    pub(super) const ROOT: Self = Self::unspelt(Key::Root);

    /// A key without octets of its own.
    pub(super) const fn unspelt(key: Key) -> Self {
        Self { key, span: Span { start: 0, end: 0 } }
    }

    pub(super) const fn index(index: u64) -> Self {
        Self::unspelt(Key::Index(index))
    }

    pub(super) const fn part(role: &'static str) -> Self {
        Self::unspelt(Key::Part(role))
    }
}

impl Builder {
    pub(super) fn new(limits: &Limits, dialect: Dialect) -> Self {
        Self {
            tree: Tree { dialect, ..Tree::default() },
            open: Vec::new(),
            limits: *limits,
            texts_left: limits.texts,
        }
    }

    /// A node without children.
    pub(super) fn leaf(
        &mut self,
        slot: Slot,
        value: Value,
        kind: &'static str,
        span: Span,
    ) -> Result<&mut Node, Stop> {
        let at = if slot.span.is_empty() { span.start } else { slot.span.start };
        let no_room = Stop::Cut(Cut { at, limit: CutLimit::Nodes(self.limits.nodes) });
        if self.tree.nodes.len() >= self.limits.nodes {
            return Err(no_room);
        }
        if let Some(parent) = self.open.last().and_then(|place| self.tree.nodes.get_mut(*place)) {
            parent.children = parent.children.saturating_add(1);
        }
        self.tree.nodes.push(Node {
            depth: self.open.len(),
            below: 0,
            children: 0,
            key: slot.key,
            key_span: slot.span,
            value,
            kind,
            span,
            is_whole: true,
            note: None,
            readings: Vec::new(),
        });
        self.tree.nodes.last_mut().ok_or(no_room)
    }

    /// A container whose octets begin at `start`; what follows is in it until it is closed.
    pub(super) fn open(
        &mut self,
        slot: Slot,
        value: Value,
        kind: &'static str,
        start: usize,
    ) -> Result<(), Stop> {
        if self.open.len() >= self.limits.depth {
            let limit = CutLimit::Depth(self.limits.depth);
            return Err(Stop::Cut(Cut { at: start, limit }));
        }
        let place = self.tree.nodes.len();
        self.leaf(slot, value, kind, Span::at(start, 0))?.is_whole = false;
        self.open.push(place);
        Ok(())
    }

    /// Ends the innermost open container before the octet at `end`.
    pub(super) fn close(&mut self, end: usize) {
        if let Some(node) = self.end(end) {
            node.is_whole = true;
        }
    }

    fn end(&mut self, end: usize) -> Option<&mut Node> {
        let place = self.open.pop()?;
        let below = self.tree.nodes.len().saturating_sub(place).saturating_sub(1);
        let node = self.tree.nodes.get_mut(place)?;
        node.span = Span::new(node.span.start, end);
        node.below = below;
        Some(node)
    }

    /// Says more of the node at `place`.
    pub(super) fn add_note(&mut self, place: usize, more: &str) {
        let Some(node) = self.tree.nodes.get_mut(place) else { return };
        node.note = Some(match node.note.take() {
            Some(before) => format!("{before}; {more}").into(),
            None => more.into(),
        });
    }

    /// The nodes so far.
    pub(super) const fn len(&self) -> usize {
        self.tree.nodes.len()
    }

    /// Says what else the octets of the node at `place` could mean.
    pub(super) fn add_readings(
        &mut self,
        place: usize,
        readings: Vec<Reading>,
        note: Option<Box<str>>,
    ) {
        let Some(of) = self.tree.nodes.get_mut(place) else { return };
        of.readings = readings;
        of.note = note.or(of.note.take());
    }

    /// A text as a value: as much of it as the limits allow, and where all of it is.
    pub(super) fn text(&mut self, text: &str, content: Span) -> Value {
        Value::Text(self.keep(text, content))
    }

    /// As [`Builder::text`].
    pub(super) fn keep(&mut self, text: &str, content: Span) -> Text {
        let kept = shortened(text, self.limits.text.min(self.texts_left));
        self.texts_left = self.texts_left.saturating_sub(kept.len());
        Text { text: kept.into(), is_whole: kept.len() == text.len(), content }
    }

    /// A text as a key.
    pub(super) fn name(&mut self, text: &str, span: Span) -> Slot {
        let kept = shortened(text, self.limits.text);
        self.texts_left = self.texts_left.saturating_sub(kept.len());
        let key = if kept.len() == text.len() { kept.into() } else { format!("{kept}…").into() };
        Slot { key: Key::Name(key), span }
    }

    /// The tree, whatever ended it. Containers still open end where reading did.
    pub(super) fn finish(mut self, outcome: Result<(), Stop>, end: usize) -> Tree {
        while self.end(end).is_some() {}
        match outcome {
            Ok(()) => {}
            Err(Stop::Fault(fault)) => self.tree.fault = Some(fault),
            Err(Stop::Cut(cut)) => self.tree.cut = Some(cut),
        }
        self.tree
    }
}

/// The first octets of `text`, at most `limit`, whole characters.
pub(super) fn shortened(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or_default()
}
