//! Hub messages, whose parts have names in JSON and places in MessagePack.

use crate::subprotocol::Role;
use crate::subprotocol::document::Item;

/// The types of hub messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Invocation,
    StreamItem,
    Completion,
    StreamInvocation,
    CancelInvocation,
    Ping,
    Close,
    Ack,
    Sequence,
}

impl Type {
    fn of(number: u64) -> Option<Self> {
        Some(match number {
            1 => Self::Invocation,
            2 => Self::StreamItem,
            3 => Self::Completion,
            4 => Self::StreamInvocation,
            5 => Self::CancelInvocation,
            6 => Self::Ping,
            7 => Self::Close,
            8 => Self::Ack,
            9 => Self::Sequence,
            _ => return None,
        })
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Invocation => "Invocation",
            Self::StreamItem => "StreamItem",
            Self::Completion => "Completion",
            Self::StreamInvocation => "StreamInvocation",
            Self::CancelInvocation => "CancelInvocation",
            Self::Ping => "Ping",
            Self::Close => "Close",
            Self::Ack => "Ack",
            Self::Sequence => "Sequence",
        }
    }

    pub(super) const fn role(self, has_id: bool) -> Role {
        match self {
            Self::StreamInvocation => Role::Request,
            Self::Invocation if has_id => Role::Request,
            Self::Invocation => Role::Event,
            Self::StreamItem => Role::StreamItem,
            Self::Completion => Role::Response,
            Self::Ping => Role::KeepAlive,
            Self::CancelInvocation | Self::Close | Self::Ack | Self::Sequence => Role::Control,
        }
    }

    /// The parts behind the type in MessagePack.
    const fn places(self) -> &'static [&'static str] {
        match self {
            Self::Invocation | Self::StreamInvocation => {
                &["headers", "invocationId", "target", "arguments", "streamIds"]
            }
            Self::StreamItem => &["headers", "invocationId", "item"],
            Self::Completion => &["headers", "invocationId", "resultKind", "result"],
            Self::CancelInvocation => &["headers", "invocationId"],
            Self::Close => &["error", "allowReconnect"],
            Self::Ack | Self::Sequence => &["sequenceId"],
            Self::Ping => &[],
        }
    }
}

/// One hub message.
#[derive(Debug)]
pub(super) struct Record<'d> {
    pub(super) type_item: Item<'d>,
    /// None where there is no such type.
    pub(super) kind: Option<Type>,
    pub(super) id: Option<Item<'d>>,
    pub(super) target: Option<Item<'d>>,
    pub(super) arguments: Option<Item<'d>>,
    pub(super) result: Option<Item<'d>>,
    pub(super) error: Option<Item<'d>>,
    pub(super) sequence: Option<Item<'d>>,
    /// What a completion in MessagePack says its result is.
    pub(super) outcome: Option<&'static str>,
    /// All parts with their names, where the message does not name them itself.
    pub(super) parts: Vec<(&'static str, Item<'d>)>,
}

impl<'d> Record<'d> {
    /// Reads an object, or an array that begins with the type.
    pub(super) fn read(root: Option<Item<'d>>) -> Option<Self> {
        let root = root?;
        if !root.is_array() {
            let type_item = root.get("type")?;
            return Some(Self {
                type_item,
                kind: type_item.integer().and_then(Type::of),
                id: root.get("invocationId"),
                target: root.get("target"),
                arguments: root.get("arguments"),
                result: root.get("result").or_else(|| root.get("item")),
                error: root.get("error"),
                sequence: root.get("sequenceId"),
                outcome: None,
                parts: Vec::new(),
            });
        }
        let mut items = root.children();
        let type_item = items.next()?;
        let kind = type_item.integer().and_then(Type::of);
        let places = kind.map(Type::places).unwrap_or_default();
        let mut parts = vec![("type", type_item)];
        parts.extend(places.iter().copied().zip(items));
        let part = |name| {
            let mut parts = parts.iter();
            parts.find(|(of, item)| *of == name && !item.is_null()).map(|(_, item)| *item)
        };
        let result_kind = part("resultKind").and_then(Item::integer);
        let last = part("result").or_else(|| part("item"));
        Some(Self {
            type_item,
            kind,
            id: part("invocationId"),
            target: part("target"),
            arguments: part("arguments"),
            result: last.filter(|_| result_kind != Some(1)),
            error: part("error").or_else(|| last.filter(|_| result_kind == Some(1))),
            sequence: part("sequenceId"),
            outcome: match result_kind {
                Some(1) => Some("an error"),
                Some(2) => Some("nothing"),
                Some(3) => Some("a value"),
                _ => None,
            },
            parts,
        })
    }
}
