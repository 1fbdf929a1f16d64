//! Connection numbers: the file's own where it has any, else in order of appearance.

use std::collections::{HashMap, HashSet};

use crate::ConnectionId;

/// Gives every connection of a capture a number of its own.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    given: HashSet<ConnectionId>,
    /// The file's numbers that were given before, as in captures put together from several.
    renamed: HashMap<ConnectionId, ConnectionId>,
    highest: u32,
}

impl Ids {
    /// The number of a connection that the file says is opened as `wanted`.
    pub(crate) fn claim(&mut self, wanted: ConnectionId) -> ConnectionId {
        if self.given.insert(wanted) {
            self.highest = self.highest.max(wanted.0);
            self.renamed.remove(&wanted);
            return wanted;
        }
        let id = self.next();
        self.renamed.insert(wanted, id);
        id
    }

    /// The number of a connection that has none in the file.
    pub(crate) fn next(&mut self) -> ConnectionId {
        loop {
            // Past the last number it starts again: a capture has fewer connections than numbers.
            self.highest = self.highest.wrapping_add(1);
            let id = ConnectionId(self.highest);
            if id.0 != 0 && self.given.insert(id) {
                return id;
            }
        }
    }

    /// The number of the connection that the file calls `told`.
    pub(crate) fn resolve(&self, told: ConnectionId) -> ConnectionId {
        self.renamed.get(&told).copied().unwrap_or(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_given_twice() {
        let mut ids = Ids::default();
        assert_eq!(ids.claim(ConnectionId(7)), ConnectionId(7));
        assert_eq!(ids.next(), ConnectionId(8));
        assert_eq!(ids.claim(ConnectionId(7)), ConnectionId(9));
        assert_eq!(ids.resolve(ConnectionId(7)), ConnectionId(9));
        assert_eq!(ids.resolve(ConnectionId(3)), ConnectionId(3));
        assert_eq!(ids.claim(ConnectionId(u32::MAX)), ConnectionId(u32::MAX));
        assert_eq!(ids.next(), ConnectionId(1));
        assert_eq!(ids.claim(ConnectionId(3)), ConnectionId(3));
    }
}
