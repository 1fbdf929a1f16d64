//! Pending requests: what was asked and waits for its answer, in bounded memory.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use super::MessageFacts;
use super::dissection::{Answer, MessageRef, cut};
use crate::Timestamp;

/// Requests of one connection that may wait at a time; the oldest is given up for the next.
pub const MAX_PENDING: usize = 10_000;

/// Octets kept of what a request asked.
const WHAT_OCTETS: usize = 80;

/// Octets of a key that are told apart.
const MAX_KEY: usize = 256;

/// Requests by what matches them: an id, and whatever else makes it unique.
#[derive(Debug)]
pub(super) struct Pending<K> {
    open: HashMap<K, Asked>,
    /// Each key with its ordinal, oldest first; answered ones stay until they come to the front.
    order: VecDeque<(u64, K)>,
    next: u64,
    max: usize,
}

#[derive(Debug)]
struct Asked {
    ordinal: u64,
    message: MessageRef,
    at: Timestamp,
    what: Box<str>,
}

impl<K> Default for Pending<K> {
    fn default() -> Self {
        Self { open: HashMap::new(), order: VecDeque::new(), next: 0, max: MAX_PENDING }
    }
}

impl<K: Hash + Eq + Clone> Pending<K> {
    /// Remembers that a message asks; says whether the same key was waiting still.
    pub(super) fn ask(&mut self, key: K, message: &MessageFacts<'_>, what: &str) -> bool {
        let ordinal = self.next;
        self.next = self.next.saturating_add(1);
        let asked = Asked {
            ordinal,
            message: message.reference(),
            at: message.at,
            what: cut(what, WHAT_OCTETS).into(),
        };
        self.order.push_back((ordinal, key.clone()));
        let was_open = self.open.insert(key, asked).is_some();
        self.shrink();
        was_open
    }

    /// What this key asked; it waits no longer. A message never answers itself.
    pub(super) fn answer(&mut self, key: &K, message: &MessageFacts<'_>) -> Option<Answer> {
        let answer = self.answer_in_part(key, message)?;
        self.open.remove(key);
        Some(answer)
    }

    /// What this key asked; it waits for more.
    pub(super) fn answer_in_part(&self, key: &K, message: &MessageFacts<'_>) -> Option<Answer> {
        let asked = self.open.get(key).filter(|asked| asked.message != message.reference())?;
        Some(asked.answered(message))
    }

    /// Whether this key waits.
    #[cfg(test)]
    fn is_open(&self, key: &K) -> bool {
        self.open.contains_key(key)
    }

    /// Gives up the oldest beyond the limit, and drops what was answered from the queue's front; where
    /// the answered ones stand behind one that waits for ever, from all of it, now and then.
    fn shrink(&mut self) {
        while let Some((ordinal, key)) = self.order.front() {
            let waits = self.open.get(key).is_some_and(|asked| asked.ordinal == *ordinal);
            if waits && self.open.len() <= self.max {
                break;
            }
            if waits {
                self.open.remove(key);
            }
            self.order.pop_front();
        }
        if self.order.len() > self.max.saturating_mul(2) {
            let open = &self.open;
            self.order.retain(|(ordinal, key)| {
                open.get(key).is_some_and(|asked| asked.ordinal == *ordinal)
            });
        }
    }
}

impl Asked {
    fn answered(&self, message: &MessageFacts<'_>) -> Answer {
        Answer { to: self.message, what: self.what.clone(), latency: message.at.since(self.at) }
    }
}

/// A text of a peer as a key: whole where it is short, else its beginning and its length.
pub(super) fn id_key(text: &str) -> Box<str> {
    if text.len() <= MAX_KEY {
        return text.into();
    }
    format!("{}#{}", cut(text, MAX_KEY), text.len()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subprotocol::testing::{down, up};

    #[test]
    fn an_answer_tells_which_message_asked_and_how_long_it_took() {
        let mut pending = Pending::default();
        assert!(!pending.ask(7, &up(3, "ask"), "what"));
        assert!(pending.ask(7, &up(4, "ask"), "what"), "asked again");
        let answer = pending.answer(&7, &down(9, "answer")).unwrap();
        assert_eq!((answer.to.index, &*answer.what), (4, "what"));
        assert_eq!(answer.latency.as_millis(), 5);
        assert_eq!(pending.answer(&7, &down(9, "answer")), None);
    }

    #[test]
    fn a_message_never_answers_itself() {
        let mut pending = Pending::default();
        pending.ask(7, &up(3, "ask"), "what");
        assert_eq!(pending.answer(&7, &up(3, "answer")), None);
        assert_eq!(pending.answer_in_part(&7, &up(3, "answer")), None);
        assert!(pending.answer(&7, &down(0, "answer")).is_some());
    }

    #[test]
    fn the_oldest_is_given_up_and_memory_is_bounded() {
        let mut pending = Pending { max: 3, ..Pending::default() };
        for id in 0..5 {
            pending.ask(id, &up(0, ""), "");
        }
        let open: Vec<_> = (0..5).filter(|id| pending.is_open(id)).collect();
        assert_eq!(open, [2, 3, 4]);
        for id in 5..1000 {
            pending.ask(id, &up(0, ""), "");
            pending.answer(&id, &down(0, ""));
        }
        assert!(pending.order.len() <= 7, "{}", pending.order.len());
    }
}
