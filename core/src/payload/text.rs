//! Text, RFC 3629: its lines, and what a reader would not see in it.

use super::fault::{Cut, CutLimit, Fault};
use super::{Fact, Limits, Span};
use crate::present::characters::{control_picture, is_deceptive};
use crate::present::{counted, octets};

/// Where the lines of a text are, and what is remarkable about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// Each line without what ends it.
    pub lines: Vec<Span>,
    /// The first octet that is not UTF-8. The lines are those of the whole payload all the same.
    pub fault: Option<Fault>,
    /// There are more lines than the limits allow.
    pub cut: Option<Cut>,
    /// What is to be said of it.
    pub facts: Vec<Fact>,
}

/// Finds the lines of a text; line feeds end them, with or without a carriage return.
pub fn read(payload: &[u8], limits: &Limits) -> Lines {
    let mut lines = Vec::new();
    let (mut start, mut cut) = (0, None);
    for end in memchr::memchr_iter(b'\n', payload) {
        if lines.len() >= limits.nodes {
            cut = Some(Cut { at: start, limit: CutLimit::Nodes(limits.nodes) });
            break;
        }
        let without = end.saturating_sub(1);
        let has_return = without >= start && payload.get(without) == Some(&b'\r');
        lines.push(Span::new(start, if has_return { without } else { end }));
        start = end.saturating_add(1);
    }
    if cut.is_none() && start < payload.len() {
        lines.push(Span::new(start, payload.len()));
    }
    let (text, fault) = match simdutf8::compat::from_utf8(payload) {
        Ok(text) => (text, None),
        Err(error) => {
            let at = error.valid_up_to();
            let fault = match error.error_len() {
                Some(_) => Fault::wrong(at, "this octet is not UTF-8"),
                None => Fault::early_end(payload.len(), "a UTF-8 character"),
            };
            let text = payload.get(..at).and_then(|valid| str::from_utf8(valid).ok());
            (text.unwrap_or_default(), Some(fault))
        }
    };
    let facts = facts(payload, text, fault.is_none(), lines.len());
    Lines { lines, fault, cut, facts }
}

fn facts(payload: &[u8], text: &str, is_utf8: bool, lines: usize) -> Vec<Fact> {
    let encoding = match (is_utf8, text.is_ascii()) {
        (false, _) => "not UTF-8".to_owned(),
        (true, true) => "ASCII".to_owned(),
        (true, false) => {
            let characters = text.chars().count() as u64;
            format!("UTF-8, {}", counted(characters, "character", "characters"))
        }
    };
    let mut facts = vec![
        Fact::new("size", octets(payload.len() as u64)),
        Fact::new("encoding", encoding),
        Fact::new("lines", counted(lines as u64, "line", "lines")),
    ];
    if text.starts_with('\u{feff}') {
        facts.push(Fact::new("byte order mark", "at the beginning").at(Span::at(0, 3)));
    }
    let is_hidden = |character: char| {
        is_deceptive(character) && !matches!(character, '\n' | '\r' | '\t' | '\u{feff}')
    };
    let mut hidden = text.char_indices().filter(|(_, character)| is_hidden(*character));
    if let Some((at, first)) = hidden.next() {
        let count = 1_u64.saturating_add(hidden.count() as u64);
        let first_as = match control_picture(first) {
            Some(picture) => picture.to_string(),
            None => format!("U+{:04X}", u32::from(first)),
        };
        let text =
            format!("{}, the first is {first_as}", counted(count, "character", "characters"));
        facts.push(Fact::new("hidden", text).at(Span::at(at, first.len_utf8())));
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<&str> {
        let read = read(text.as_bytes(), &Limits::VIEW);
        read.lines.into_iter().map(|line| &text[line.start..line.end]).collect()
    }

    #[test]
    fn lines_end_with_a_line_feed_or_both() {
        assert_eq!(lines(""), [""; 0]);
        assert_eq!(lines("a"), ["a"]);
        assert_eq!(lines("a\n"), ["a"]);
        assert_eq!(lines("a\r\n\nb\rc\n\r\n"), ["a", "", "b\rc", ""]);
        assert_eq!(lines("\n"), [""]);
    }

    #[test]
    fn what_hides_is_told_with_its_place() {
        let text = "naïve\u{202e}\0";
        let facts = read(text.as_bytes(), &Limits::VIEW).facts;
        assert_eq!(facts[1].text, "UTF-8, 7 characters");
        let hidden = facts.last().unwrap();
        assert_eq!(hidden.text, "2 characters, the first is U+202E");
        assert_eq!(hidden.span.unwrap().of(text.as_bytes()), "\u{202e}".as_bytes());
    }

    #[test]
    fn what_is_not_utf8_is_told_and_the_lines_are_there() {
        let read = read(b"ab\n\xff\ncd", &Limits::VIEW);
        assert_eq!(read.fault.unwrap().to_string(), "octet 3: this octet is not UTF-8");
        assert_eq!(read.lines.len(), 3);
        let cut = super::read("é".as_bytes().split_last().unwrap().1, &Limits::VIEW);
        assert!(cut.fault.unwrap().is_early_end);
    }
}
