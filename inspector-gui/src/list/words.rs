//! A filter by what messages say: words of their summaries, and their sub-protocol.

use framescope_core::search::Pattern;
use framescope_core::subprotocol::Subprotocol;

use crate::detail::subprotocol_name;
use crate::store::dissections::Line;

/// What is to be found in the line that a sub-protocol makes of a message.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// As typed; all words must be there, in any order.
    pub typed: String,
    /// Only messages of this sub-protocol.
    pub protocol: Option<Subprotocol>,
    patterns: Vec<Pattern>,
    changes: u64,
}

impl Words {
    /// Whether it narrows anything.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty() && self.protocol.is_none()
    }

    /// Takes in what was typed or chosen.
    pub fn changed(&mut self) {
        // One that is no expression, `/a(/`, counts once it is mended.
        let words = self.typed.split_whitespace().map(Pattern::parse);
        self.patterns = words.flatten().collect();
        self.changes += 1;
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self { changes: self.changes + 1, ..Self::default() };
    }

    /// Grows with every change; none while nothing is narrowed.
    pub fn number(&self) -> Option<u64> {
        (!self.is_empty()).then_some(self.changes)
    }

    /// Whether a message with this line is shown; words may be in its text or its protocol's name.
    pub fn admit(&self, line: Option<Line<'_>>) -> bool {
        line.is_some_and(|line| {
            self.protocol.is_none_or(|protocol| protocol == line.protocol)
                && self.patterns.iter().all(|word| {
                    word.is_in(line.text.as_bytes())
                        || word.is_in(subprotocol_name(line.protocol).as_bytes())
                })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_words_must_be_there_whatever_their_case_and_order() {
        let line = |text| {
            let protocol = Subprotocol::SocketIo;
            Some(Line { protocol, role: None, has_problem: false, text, latency: None })
        };
        let order = || line(r#"EVENT / "order" 1 arg"#);
        let rows = [
            ("order", None, true),
            ("ORDER event", None, true),
            ("socket.io order", None, true),
            ("order cancel", None, false),
            ("o.der", None, false),
            ("", Some(Subprotocol::SocketIo), true),
            ("", Some(Subprotocol::Mqtt), false),
        ];
        for (typed, protocol, expected) in rows {
            let mut words = Words { typed: typed.to_owned(), protocol, ..Words::default() };
            words.changed();
            assert_eq!(words.admit(order()), expected, "{typed} {protocol:?}");
            assert!(!words.admit(None) && words.number().is_some());
        }
        let mut words = Words { typed: " ".to_owned(), ..Words::default() };
        words.changed();
        assert!(words.is_empty() && words.number().is_none());
    }
}
