//! What the tests of the dissectors share: conversations in a few words.

use super::{Choice, Conversation, Dissection, MessageFacts, Opening, Packet, Subprotocol};
use crate::{Direction, Opcode, Timestamp};

/// The `index`-th message of the client, `index` milliseconds after the first.
pub(super) fn up(index: u64, text: &str) -> MessageFacts<'_> {
    facts(Direction::ClientToServer, index, Opcode::Text, text.as_bytes())
}

/// The `index`-th message of the server.
pub(super) fn down(index: u64, text: &str) -> MessageFacts<'_> {
    facts(Direction::ServerToClient, index, Opcode::Text, text.as_bytes())
}

fn facts(direction: Direction, index: u64, opcode: Opcode, data: &[u8]) -> MessageFacts<'_> {
    let at = Timestamp::from_nanos(index * 1_000_000);
    MessageFacts { direction, index, opcode, data, data_len: data.len() as u64, at }
}

/// A conversation whose messages come a millisecond after each other.
pub(super) struct Talk {
    conversation: Conversation,
    said: [u64; 2],
    now: u64,
}

impl Talk {
    pub(super) fn new(protocol: Subprotocol) -> Self {
        Self::opened(protocol, &Opening::default())
    }

    pub(super) fn opened(protocol: Subprotocol, opening: &Opening<'_>) -> Self {
        let choice = Choice { protocol, reason: "a test".to_owned() };
        Self { conversation: Conversation::new(choice, opening), said: [0, 0], now: 0 }
    }

    pub(super) fn up(&mut self, text: &str) -> Dissection {
        self.says(Direction::ClientToServer, Opcode::Text, text.as_bytes())
    }

    pub(super) fn down(&mut self, text: &str) -> Dissection {
        self.says(Direction::ServerToClient, Opcode::Text, text.as_bytes())
    }

    pub(super) fn up_octets(&mut self, octets: &[u8]) -> Dissection {
        self.says(Direction::ClientToServer, Opcode::Binary, octets)
    }

    pub(super) fn down_octets(&mut self, octets: &[u8]) -> Dissection {
        self.says(Direction::ServerToClient, Opcode::Binary, octets)
    }

    pub(super) fn says(&mut self, direction: Direction, opcode: Opcode, data: &[u8]) -> Dissection {
        self.says_of(direction, opcode, data, data.len() as u64)
    }

    /// Says a message of which only the beginning was kept.
    pub(super) fn says_of(
        &mut self,
        direction: Direction,
        opcode: Opcode,
        data: &[u8],
        data_len: u64,
    ) -> Dissection {
        let index = self.said[direction.index()];
        self.said[direction.index()] += 1;
        self.now += 1;
        let at = Timestamp::from_nanos(self.now * 1_000_000);
        let facts = MessageFacts { direction, index, opcode, data, data_len, at };
        self.conversation.receive(&facts)
    }
}

/// The only packet.
pub(super) fn one(dissection: &Dissection) -> &Packet {
    assert_eq!(dissection.packets.len(), 1, "{dissection:#?}");
    &dissection.packets[0]
}

/// `code: detail` of each problem.
pub(super) fn problems(dissection: &Dissection) -> Vec<String> {
    dissection.problems().map(|problem| format!("{}: {problem}", problem.code.name())).collect()
}

/// The value of the first field of this name.
pub(super) fn field<'a>(packet: &'a Packet, name: &str) -> &'a str {
    let found = packet.fields.iter().find(|field| field.name == name);
    &found.unwrap_or_else(|| panic!("no {name} in {packet:#?}")).value
}

/// The octets of the first field of this name.
pub(super) fn octets_of<'a>(packet: &Packet, name: &str, message: &'a [u8]) -> &'a [u8] {
    let found = packet.fields.iter().find(|field| field.name == name);
    let field = found.unwrap_or_else(|| panic!("no {name} in {packet:#?}"));
    field.span.expect("its place is known").of(message)
}

/// Which message of the other side it answers, what that asked, and after how many milliseconds.
pub(super) fn answers(packet: &Packet) -> (u64, &str, u128) {
    let answer = packet.answers.as_ref().unwrap_or_else(|| panic!("no answer: {packet:#?}"));
    (answer.to.index, &answer.what, answer.latency.as_millis())
}
