//! `docs/SUBPROTOCOLS.md`: its conversations are held, and what it says of them is what the code says.
//!
//! A block of the page begins with `opening` lines and holds messages: `↑` the client's, `↓` the server's,
//! `↑ hex` binary ones. The lines between are made: how the sub-protocol was told, the summary of each
//! message, its fields, and what it answers.

use std::fmt::Write as _;
use std::fs;

use framescope_core::subprotocol::{
    Choice, Conversation, Dissection, MessageFacts, Opening, Packet, Subprotocol, choose,
};
use framescope_core::{Direction, Opcode, Timestamp};

use super::{read, root};

/// Characters of a line of fields.
const MOST: usize = 150;

/// What an `opening` line says.
#[derive(Default)]
struct Opened {
    agreed: Option<String>,
    target: String,
    host: String,
}

/// One message of a block.
struct Said {
    line: String,
    direction: Direction,
    opcode: Opcode,
    data: Vec<u8>,
}

/// `␊`, `␀` and `␞` stand for what they picture.
fn unpictured(text: &str) -> Vec<u8> {
    text.replace('␊', "\n").replace('␀', "\0").replace('␞', "\u{1e}").into_bytes()
}

fn unhexed(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    assert!(digits.len().is_multiple_of(2), "half an octet: {text}");
    digits.chunks(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap()).collect()
}

fn said(line: &str) -> Option<Said> {
    let (direction, text) = match line.strip_prefix("↑ ") {
        Some(text) => (Direction::ClientToServer, text),
        None => (Direction::ServerToClient, line.strip_prefix("↓ ")?),
    };
    let (opcode, data) = match text.strip_prefix("hex ") {
        Some(digits) => (Opcode::Binary, unhexed(digits)),
        None => (Opcode::Text, unpictured(text)),
    };
    Some(Said { line: line.to_owned(), direction, opcode, data })
}

/// The block with what the code says of its messages; and the sub-protocol that it tells.
fn held(block: &str) -> (String, Subprotocol) {
    let (mut out, mut opened) = (String::new(), Opened::default());
    for line in block.lines().filter(|line| line.starts_with("opening ")) {
        let (what, value) = line["opening ".len()..].split_once(' ').unwrap();
        match what {
            "protocol" => opened.agreed = Some(value.to_owned()),
            "target" => value.clone_into(&mut opened.target),
            "host" => value.clone_into(&mut opened.host),
            _ => panic!("what is {line}?"),
        }
        let _ = writeln!(out, "{line}");
    }
    let opening = Opening {
        agreed: opened.agreed.as_deref(),
        target: &opened.target,
        host: opened.host,
        ..Opening::default()
    };
    let mut choice = choose(&opening, &[]);
    let mut conversation: Option<Conversation> = None;
    let mut indices = [0, 0];
    for (place, message) in block.lines().filter_map(said).enumerate() {
        let index = indices[message.direction.index()];
        indices[message.direction.index()] += 1;
        let facts = MessageFacts {
            direction: message.direction,
            index,
            opcode: message.opcode,
            data: &message.data,
            data_len: message.data.len() as u64,
            at: Timestamp::from_nanos((place as u64 + 1) * 1_000_000),
        };
        if conversation.is_none() {
            choice = choice.or_else(|| choose(&opening, &[facts]));
            if let Some(choice) = choice.clone() {
                let Choice { protocol, reason } = &choice;
                let _ = writeln!(out, "  told: {protocol}, {reason}");
                conversation = Some(Conversation::new(choice, &opening));
            }
        }
        let _ = writeln!(out, "{}", message.line);
        if let Some(conversation) = &mut conversation {
            tell(&conversation.receive(&facts), &mut out);
        }
    }
    (out, choice.unwrap_or_else(|| panic!("nothing tells what this is:\n{block}")).protocol)
}

fn tell(dissection: &Dissection, out: &mut String) {
    for packet in &dissection.packets {
        let _ = writeln!(out, "    {}", pictured(&packet.summary));
        if let Some(answer) = &packet.answers {
            let (arrow, index) = (answer.to.direction.arrow(), answer.to.index);
            let _ = writeln!(out, "      answers {arrow}{index}, {}", pictured(&answer.what));
        }
        if !packet.fields.is_empty() {
            let _ = writeln!(out, "      {}", fields(packet));
        }
    }
    let problem = dissection.problems().next();
    assert!(problem.is_none(), "the page shows what is right, not {problem:?}\n{out}");
}

fn fields(packet: &Packet) -> String {
    let fields = packet.fields.iter();
    let fields: Vec<String> =
        fields.map(|field| format!("{}: {}", field.name, pictured(&field.value))).collect();
    let line = fields.join(" · ");
    match line.char_indices().nth(MOST) {
        None => line,
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

fn pictured(text: &str) -> String {
    text.replace('\n', "␊").replace('\0', "␀").replace('\u{1e}', "␞")
}

#[test]
fn the_conversations_of_the_page_are_told_as_it_says() {
    let page = read("docs/SUBPROTOCOLS.md");
    let (mut made, mut shown) = (String::new(), Vec::new());
    let mut heading = "";
    let mut parts = page.split("```");
    while let Some(prose) = parts.next() {
        heading = prose.lines().rfind(|line| line.starts_with("## ")).unwrap_or(heading);
        made.push_str(prose);
        let Some(block) = parts.next() else { break };
        match block.strip_prefix("text\n") {
            Some(block) => {
                let (block, protocol) = held(block);
                assert_eq!(heading.trim_start_matches("## "), protocol.title());
                shown.push(protocol);
                let _ = write!(made, "```text\n{block}```");
            }
            None => {
                let _ = write!(made, "```{block}```");
            }
        }
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(root().join("docs/SUBPROTOCOLS.md"), &made).unwrap();
    }
    for protocol in Subprotocol::ALL {
        assert!(shown.contains(&protocol), "no conversation in {protocol}");
        let row = format!("| [{}](#", protocol.title());
        let row = page.lines().find(|line| line.starts_with(&row));
        let name = format!("| `{}` |", protocol.name());
        assert!(row.is_some_and(|row| row.contains(&name)), "no row for {protocol}");
    }
    assert!(
        read("docs/SUBPROTOCOLS.md") == made,
        "docs/SUBPROTOCOLS.md is stale: run UPDATE_DOCS=1 cargo test -p framescope-core --test docs"
    );
}
