//! Server-sent events: any split finds the same blocks; what is kept is what a reader of the whole
//! stream understands (HTML Standard §9.2.6), within the limit and in bounded memory.
#![no_main]

use framescope_core::http::{EventStreamReader, ServerSentEvent};
use framescope_fuzz::cuts::uncut;
use framescope_fuzz::{Cuts, peak, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::begin(inputs(), check), |input: &[u8]| check(input));

/// More than any input is long: nothing is cut off.
const ALL: usize = 1 << 20;

fn check(input: &[u8]) {
    let Some((&choice, input)) = input.split_first() else { return };
    let limit = [0, 1, 10, 100, ALL][usize::from(choice) % 5];
    let cuts = Cuts::read(input);
    let whole = read(limit, &[cuts.whole]);
    for split in cuts.splits() {
        assert_eq!(read(limit, &split), whole);
    }
    let mut end = 0;
    for (index, event) in whole.iter().enumerate() {
        assert_eq!(event.index, index as u64);
        assert!(event.offset >= end && event.len > 0);
        end = event.offset + event.len;
        // What is no UTF-8 takes three octets where it was one.
        assert!(event.data.as_ref().is_none_or(|data| data.len() <= 3 * limit));
    }
    assert!(end <= cuts.whole.len() as u64);
    let understood = understand(cuts.whole);
    assert_eq!(whole.len(), understood.len());
    for (event, wanted) in whole.iter().zip(&understood) {
        assert_eq!(event.data.is_some(), wanted.data.is_some());
        assert_eq!(event.data_len, wanted.data.as_ref().map_or(0, Vec::len) as u64);
        if limit == ALL {
            assert_eq!(Block::of(event), wanted.shown());
        }
    }
    // A line, and four fields of the block in progress; each may have grown to twice its size.
    let room = limit.min(cuts.whole.len()) + 256;
    peak::within(32 * room, || {
        let mut reader = EventStreamReader::new(limit);
        let mut content = cuts.whole;
        while reader.next_event(&mut content).is_some() {}
    });
}

fn read(limit: usize, pieces: &[&[u8]]) -> Vec<ServerSentEvent> {
    let mut reader = EventStreamReader::new(limit);
    let mut events = Vec::new();
    let mut taken = 0;
    for mut piece in pieces.iter().copied() {
        taken += piece.len();
        while let Some(event) = reader.next_event(&mut piece) {
            events.push(event);
        }
        assert!(piece.is_empty(), "every octet is taken in");
        assert_eq!(reader.offset(), taken as u64);
    }
    events
}

/// A block as the standard reads it, from the whole stream at once.
#[derive(Debug, Default, PartialEq)]
struct Block {
    event: Option<Vec<u8>>,
    data: Option<Vec<u8>>,
    id: Option<Vec<u8>>,
    retry: Option<u64>,
    comment: Option<Vec<u8>>,
    has_lines: bool,
}

impl Block {
    fn of(event: &ServerSentEvent) -> Self {
        let octets = |text: &Option<String>| text.clone().map(String::into_bytes);
        Self {
            event: octets(&event.event),
            data: octets(&event.data),
            id: octets(&event.id),
            retry: event.retry,
            comment: octets(&event.comment),
            has_lines: true,
        }
    }

    /// As text is shown: what is no UTF-8 replaced, each line by itself.
    fn shown(&self) -> Self {
        let text = |octets: &Vec<u8>| String::from_utf8_lossy(octets).into_owned().into_bytes();
        let lines = |octets: &Vec<u8>| {
            octets
                .split(|octet| *octet == b'\n')
                .map(|line| text(&line.to_vec()))
                .collect::<Vec<_>>()
        };
        Self {
            event: self.event.as_ref().map(text),
            data: self.data.as_ref().map(|data| lines(data).join(&b'\n')),
            id: self.id.as_ref().map(text),
            retry: self.retry,
            comment: self.comment.as_ref().map(text),
            has_lines: self.has_lines,
        }
    }

    fn line(&mut self, line: &[u8]) {
        self.has_lines = true;
        let mut parts = line.splitn(2, |octet| *octet == b':');
        let name = parts.next().unwrap_or_default();
        let value = parts.next().unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value).to_vec();
        match name {
            b"" => drop(self.comment.get_or_insert(value)),
            b"event" => self.event = Some(value),
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend(value);
                }
                None => self.data = Some(value),
            },
            b"id" if !value.contains(&0) => self.id = Some(value),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                self.retry = String::from_utf8_lossy(&value).parse().ok();
            }
            _ => {}
        }
    }
}

fn understand(stream: &[u8]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut block = Block::default();
    let mut rest = stream;
    let mut is_first = true;
    while let Some(end) = rest.iter().position(|octet| matches!(octet, b'\r' | b'\n')) {
        let mut line = &rest[..end];
        let width = if rest[end..].starts_with(b"\r\n") { 2 } else { 1 };
        rest = &rest[end + width..];
        if std::mem::take(&mut is_first) {
            line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        }
        if line.is_empty() {
            let ended = std::mem::take(&mut block);
            blocks.extend(ended.has_lines.then_some(ended));
        } else {
            block.line(line);
        }
    }
    blocks
}

fn inputs() -> Vec<Vec<u8>> {
    let streams: [&[u8]; 7] = [
        b"data: YHOO\ndata: +2\ndata: 10\n\n",
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event",
        b"\xEF\xBB\xBFevent: add\r\ndata: 1\r\n\r\nretry: 2000\r\rretry: 2s\nid: a\0b\nother: x\n\n",
        b"data\n\ndata\ndata\n\ndata:",
        b"\r\n\r\n\n\r\rdata: \xff\xfe\ndata\r\n\r\n",
        b"retry: 99999999999999999999999\nretry\n\nretry:\n\n",
        b"\xEF\xBB\n\n\xEF\xBB\xBF\n\ndata:::\n\n",
    ];
    let choices = 0..5;
    choices
        .flat_map(|choice| streams.map(|stream| [vec![choice], uncut(stream)].concat()))
        .collect()
}
