//! What MessagePack and CBOR have in common: items that begin with a head which says how much follows,
//! and maps whose keys may be anything.
//!
//! The state is a stack of open containers, bounded by the limit on depth; nothing recurses, and no
//! length that a peer claims is believed before the octets are there.

use super::Limits;
use super::builder::{Builder, Slot};
use super::cursor::Cursor;
use super::fault::{Fault, Stop};
use super::notation::{Dialect, leaf_text};
use super::tree::{Container, Key, Tree, Value};

/// The head of an item, and all of the item where it has no parts.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) item: Item,
    /// What the format calls it.
    pub(super) kind: &'static str,
    pub(super) note: Option<String>,
}

#[derive(Debug)]
pub(super) enum Item {
    Leaf(Value),
    /// Items, that many or until a break.
    Array(Container),
    /// Keys and values, that many pairs or until a break.
    Map(Container),
    /// Strings of one kind until a break.
    Chunks,
    /// The one item that follows is tagged.
    Tag(u64),
    /// The innermost container ends.
    Break,
}

impl Head {
    pub(super) fn leaf(value: Value, kind: &'static str) -> Self {
        Self { item: Item::Leaf(value), kind, note: None }
    }

    #[must_use]
    pub(super) fn noted(mut self, note: Option<String>) -> Self {
        self.note = note;
        self
    }
}

/// Reads a head. `chunk_of` names the string whose chunk it must be, where it is in one.
pub(super) type ReadHead =
    fn(&mut Cursor<'_>, &mut Builder, chunk_of: Option<&'static str>) -> Result<Head, Stop>;

/// Reads one item; where more follow it, and all of them are right, a [`Value::Sequence`] of all.
pub(super) fn read(payload: &[u8], limits: &Limits, read_head: ReadHead) -> Tree {
    let mut one = Reader::new(payload, limits, read_head);
    let mut outcome = one.item(Slot::ROOT);
    if outcome.is_ok() && !one.input.is_at_end() {
        let mut all = Reader::new(payload, limits, read_head);
        let sequence = all.sequence();
        if !matches!(sequence, Err(Stop::Fault(_))) {
            return all.builder.finish(sequence, all.input.at());
        }
        outcome = Err(Fault::wrong(one.input.at(), "nothing may follow the value").into());
    }
    one.builder.finish(outcome, one.input.at())
}

/// A container that is not at its end.
#[derive(Debug)]
enum Open {
    Array {
        next: u64,
        len: Option<u64>,
    },
    /// `key` is that of the value that comes next.
    Map {
        left: Option<u64>,
        key: Option<Slot>,
    },
    /// A key with parts, then its value.
    Entry {
        read: u8,
    },
    Tag {
        is_read: bool,
    },
    Chunks {
        next: u64,
        kind: &'static str,
    },
}

impl Open {
    const fn is_done(&self) -> bool {
        match self {
            Self::Array { next, len } => matches!(len, Some(len) if *next >= *len),
            Self::Map { left, key } => matches!((left, key), (Some(0), None)),
            Self::Entry { read } => *read >= 2,
            Self::Tag { is_read } => *is_read,
            Self::Chunks { .. } => false,
        }
    }

    /// Whether a break may end it here.
    const fn ends_with_break(&self) -> bool {
        matches!(
            self,
            Self::Array { len: None, .. }
                | Self::Map { left: None, key: None }
                | Self::Chunks { .. }
        )
    }
}

struct Reader<'a> {
    payload: &'a [u8],
    input: Cursor<'a>,
    builder: Builder,
    open: Vec<Open>,
    text_limit: usize,
    read_head: ReadHead,
}

impl<'a> Reader<'a> {
    fn new(payload: &'a [u8], limits: &Limits, read_head: ReadHead) -> Self {
        Self {
            payload,
            input: Cursor::new(payload),
            builder: Builder::new(limits, Dialect::Diagnostic),
            open: Vec::new(),
            text_limit: limits.text,
            read_head,
        }
    }

    fn sequence(&mut self) -> Result<(), Stop> {
        self.builder.open(Slot::ROOT, Value::Sequence, "sequence", 0)?;
        for index in 0.. {
            if self.input.is_at_end() {
                break;
            }
            self.item(Slot::index(index))?;
        }
        self.builder.close(self.input.at());
        Ok(())
    }

    /// One item with all that is in it.
    fn item(&mut self, slot: Slot) -> Result<(), Stop> {
        let mut slot = Some(slot);
        loop {
            self.next(slot.take())?;
            while self.open.pop_if(|open| open.is_done()).is_some() {
                self.builder.close(self.input.at());
            }
            if self.open.is_empty() {
                return Ok(());
            }
        }
    }

    /// The next head: of a value, of a key, or a break. `slot` is told for the outermost item alone.
    fn next(&mut self, slot: Option<Slot>) -> Result<(), Stop> {
        let start = self.input.at();
        let chunk_of = match self.open.last() {
            Some(Open::Chunks { kind, .. }) => Some(*kind),
            _ => None,
        };
        let head = (self.read_head)(&mut self.input, &mut self.builder, chunk_of)?;
        if matches!(head.item, Item::Break) {
            if !self.open.last().is_some_and(Open::ends_with_break) {
                return Err(Fault::wrong(start, "nothing is there for this break to end").into());
            }
            self.open.pop();
            self.builder.close(self.input.at());
            return Ok(());
        }
        if let Some(Open::Map { key: key @ None, left }) = self.open.last_mut() {
            *left = left.map(|left| left.saturating_sub(1));
            if let Item::Leaf(value) = &head.item {
                let span = self.input.since(start);
                *key = Some(match value {
                    Value::Text(text) => {
                        let name = text.content.of(self.payload);
                        self.builder.name(&String::from_utf8_lossy(name), span)
                    }
                    value => {
                        let text = leaf_text(value, self.payload, self.text_limit);
                        Slot { key: Key::Scalar(text.into()), span }
                    }
                });
                return Ok(());
            }
            self.builder.open(Slot::part("entry"), Value::Entry, "entry", start)?;
            self.open.push(Open::Entry { read: 0 });
        }
        let slot = match (slot, self.open.last_mut()) {
            (Some(slot), _) => slot,
            (None, Some(Open::Array { next, .. } | Open::Chunks { next, .. })) => {
                let index = *next;
                *next = index.saturating_add(1);
                Slot::index(index)
            }
            (None, Some(Open::Map { key, .. })) => key.take().unwrap_or(Slot::ROOT),
            (None, Some(Open::Entry { read })) => {
                *read = read.saturating_add(1);
                Slot::part(if *read == 1 { "key" } else { "value" })
            }
            (None, Some(Open::Tag { is_read })) => {
                *is_read = true;
                Slot::part("content")
            }
            (None, None) => Slot::ROOT,
        };
        self.place(slot, head, start)
    }

    /// Adds an item to the tree.
    fn place(&mut self, slot: Slot, head: Head, start: usize) -> Result<(), Stop> {
        let place = self.builder.len();
        let (value, open) = match head.item {
            Item::Leaf(value) => {
                self.builder.leaf(slot, value, head.kind, self.input.since(start))?;
                self.note(place, head.note);
                return Ok(());
            }
            Item::Array(container) => {
                (Value::Array(container), Open::Array { next: 0, len: container.count() })
            }
            Item::Map(container) => {
                (Value::Map(container), Open::Map { left: container.count(), key: None })
            }
            Item::Chunks => {
                let open = Open::Chunks { next: 0, kind: head.kind };
                (Value::Chunks(Container::Indefinite), open)
            }
            Item::Tag(tag) => (Value::Tag(tag), Open::Tag { is_read: false }),
            // Dealt with where it was read.
            Item::Break => return Ok(()),
        };
        self.builder.open(slot, value, head.kind, start)?;
        self.open.push(open);
        self.note(place, head.note);
        Ok(())
    }

    fn note(&mut self, place: usize, note: Option<String>) {
        if let Some(note) = note {
            self.builder.add_note(place, &note);
        }
    }
}
