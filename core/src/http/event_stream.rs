//! `text/event-stream`, server-sent events (HTML Standard §9.2.6): the blocks of a body that goes on.
//!
//! Resumable at every octet; of a block that is longer than the limit the rest is counted only.

/// One block of an event stream: what stands between two empty lines.
///
/// A block with `data` is an event that a browser dispatches; one without sets the last event ID or
/// the reconnection time, or is a comment that keeps the way open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerSentEvent {
    /// Its ordinal in the body, from 0.
    pub index: u64,
    /// Where its first octet stands in the body's content.
    pub offset: u64,
    /// Octets of content, line ends and the closing empty line included.
    pub len: u64,
    /// The field `event`, where there is one; a browser takes `message` otherwise.
    pub event: Option<String>,
    /// The lines of `data`, joined by LF, up to the limit; `None` where there are none.
    pub data: Option<String>,
    /// Octets of `data` before any limit.
    pub data_len: u64,
    /// The field `id`: what a browser sends as `Last-Event-ID` when it comes back. One with a NUL is
    /// passed over, as a browser does.
    pub id: Option<String>,
    /// The field `retry`: milliseconds to wait before coming back.
    pub retry: Option<u64>,
    /// The first comment's text.
    pub comment: Option<String>,
}

impl ServerSentEvent {
    /// Whether a browser would tell the page of it.
    pub fn is_dispatched(&self) -> bool {
        self.data.is_some()
    }
}

/// Reads an event stream from octets that come in any pieces.
#[derive(Debug)]
pub struct EventStreamReader {
    limit: usize,
    /// Octets of content before the next one.
    offset: u64,
    /// The line in progress, as much of it as is kept, and how long it is in all.
    line: Vec<u8>,
    line_len: u64,
    /// The last octet was CR: an LF right behind it belongs to the same line end.
    after_cr: bool,
    /// No line has ended yet: a byte order mark may stand before it.
    at_start: bool,
    block: ServerSentEvent,
    has_fields: bool,
}

impl EventStreamReader {
    /// Before the first octet; keeps at most `limit` octets of a block's data, and of any line.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            offset: 0,
            line: Vec::new(),
            line_len: 0,
            after_cr: false,
            at_start: true,
            block: ServerSentEvent::default(),
            has_fields: false,
        }
    }

    /// Takes octets from the front of `content`: the next block that is whole, or `None` when they
    /// are used up.
    pub fn next_event(&mut self, content: &mut &[u8]) -> Option<ServerSentEvent> {
        loop {
            let first = *content.first()?;
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                self.skip(content, 1);
                // It ends the line before it; a block that is open has it in its length.
                if self.has_fields {
                    self.block.len = self.offset.saturating_sub(self.block.offset);
                } else {
                    self.block.offset = self.offset;
                }
            }
            let end = content.iter().position(|octet| matches!(octet, b'\n' | b'\r'));
            let part = content.get(..end.unwrap_or(content.len())).unwrap_or_default();
            // Field names and white space before the data are kept too.
            let room = self.limit.saturating_add(64).saturating_sub(self.line.len());
            self.line.extend_from_slice(part.get(..room.min(part.len())).unwrap_or_default());
            self.line_len = self.line_len.saturating_add(part.len() as u64);
            self.skip(content, part.len());
            let end_octet = *content.first()?;
            self.skip(content, 1);
            self.after_cr = end_octet == b'\r';
            if let Some(event) = self.end_line() {
                return Some(event);
            }
        }
    }

    /// Octets of content taken in so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    fn skip(&mut self, content: &mut &[u8], len: usize) {
        *content = content.get(len..).unwrap_or_default();
        self.offset = self.offset.saturating_add(len as u64);
    }

    fn end_line(&mut self) -> Option<ServerSentEvent> {
        let mut line = std::mem::take(&mut self.line);
        let mut line_len = std::mem::take(&mut self.line_len);
        if std::mem::take(&mut self.at_start) && line.starts_with(b"\xEF\xBB\xBF") {
            line.drain(..3);
            line_len = line_len.saturating_sub(3);
        }
        self.block.len = self.offset.saturating_sub(self.block.offset);
        if line_len > 0 {
            self.has_fields = true;
            self.field(&line, line_len);
            line.clear();
            self.line = line;
            return None;
        }
        let index = self.block.index;
        let next = if self.has_fields { index.saturating_add(1) } else { index };
        let fresh = ServerSentEvent { index: next, offset: self.offset, ..Default::default() };
        let block = std::mem::replace(&mut self.block, fresh);
        std::mem::take(&mut self.has_fields).then_some(block)
    }

    fn field(&mut self, line: &[u8], line_len: u64) {
        let colon = line.iter().position(|octet| *octet == b':');
        let (name, value) = match colon {
            Some(at) => {
                let value = line.get(at.saturating_add(1)..).unwrap_or_default();
                (line.get(..at).unwrap_or_default(), value)
            }
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let text = || String::from_utf8_lossy(value).into_owned();
        match name {
            b"" => {
                self.block.comment.get_or_insert_with(text);
            }
            b"data" => {
                let cut = line_len.saturating_sub(line.len() as u64);
                self.data(value, cut);
            }
            b"event" => self.block.event = Some(text()),
            b"id" if !value.contains(&0) => self.block.id = Some(text()),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                self.block.retry = text().parse().ok();
            }
            _ => {}
        }
    }

    /// A line of data, of which `cut` octets more were not kept.
    fn data(&mut self, value: &[u8], cut: u64) {
        let more = self.block.data.is_some();
        let data = self.block.data.get_or_insert_default();
        let joint = u64::from(more);
        let len = cut.saturating_add(value.len() as u64).saturating_add(joint);
        self.block.data_len = self.block.data_len.saturating_add(len);
        let mut room = self.limit.saturating_sub(data.len());
        if more && room > 0 {
            data.push('\n');
            room = room.saturating_sub(1);
        }
        let text = String::from_utf8_lossy(value.get(..room.min(value.len())).unwrap_or_default());
        data.push_str(&text);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(parts: &[&[u8]], limit: usize) -> Vec<ServerSentEvent> {
        let mut reader = EventStreamReader::new(limit);
        let mut events = Vec::new();
        for part in parts {
            let mut content = *part;
            while let Some(event) = reader.next_event(&mut content) {
                events.push(event);
            }
            assert!(content.is_empty());
        }
        events
    }

    fn data(events: &[ServerSentEvent]) -> Vec<Option<&str>> {
        events.iter().map(|event| event.data.as_deref()).collect()
    }

    #[test]
    fn the_examples_of_the_html_standard() {
        // §9.2.6: three lines of data are one event.
        let events = read(&[b"data: YHOO\ndata: +2\ndata: 10\n\n"], 1 << 10);
        assert_eq!(data(&events), [Some("YHOO\n+2\n10")]);
        assert_eq!((events[0].offset, events[0].len, events[0].data_len), (0, 30, 10));
        // A comment, an event with an ID, one that resets it, and one that is never ended.
        let stream = b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event";
        let events = read(&[stream], 1 << 10);
        assert_eq!(data(&events), [None, Some("first event"), Some("second event")]);
        assert_eq!(events[0].comment.as_deref(), Some("test stream"));
        assert!(!events[0].is_dispatched());
        assert_eq!(events[1].id.as_deref(), Some("1"));
        assert_eq!(events[2].id.as_deref(), Some(""));
        assert_eq!((events[1].index, events[1].offset, events[1].len), (1, 15, 25));
        // Empty data is an event all the same; the last one is never ended.
        let events = read(&[b"data\n\ndata\ndata\n\ndata:"], 1 << 10);
        assert_eq!(data(&events), [Some(""), Some("\n")]);
        // Only one space is taken off.
        let events = read(&[b"data:test\n\ndata: test\n\ndata:  test\n\n"], 1 << 10);
        assert_eq!(data(&events), [Some("test"), Some("test"), Some(" test")]);
    }

    #[test]
    fn every_kind_of_line_end_the_mark_at_the_start_and_odd_fields() {
        let stream = b"\xEF\xBB\xBFevent: add\r\ndata: 1\r\n\r\nretry: 2000\r\rretry: 2s\nid: a\0b\nother: x\n\n";
        let events = read(&[stream], 1 << 10);
        assert_eq!(events.len(), 3);
        assert_eq!(events[0].event.as_deref(), Some("add"));
        assert_eq!((events[1].retry, events[1].is_dispatched()), (Some(2000), false));
        assert_eq!((events[2].retry, events[2].id.as_deref()), (None, None));
    }

    #[test]
    fn long_data_is_cut_and_counted() {
        let long = format!("data: {}\ndata: y\n\n", "x".repeat(1000));
        let events = read(&[long.as_bytes()], 10);
        assert_eq!(events[0].data.as_deref(), Some("xxxxxxxxxx"));
        assert_eq!((events[0].data_len, events[0].len), (1002, long.len() as u64));
        let counted = read(&[long.as_bytes()], 0);
        assert_eq!((counted[0].data.as_deref(), counted[0].data_len), (Some(""), 1002));
    }

    proptest! {
        #[test]
        fn any_split_reads_alike_and_lengths_add_up(
            stream in "(data: ?[a-z]{0,9}|id: [0-9]|retry: [0-9]{1,4}|: c|x)?(\n|\r|\r\n|\n\n|\r\n\r\n){1,3}([a-z:\n\r]{0,20})",
            at in 0usize..60,
        ) {
            let octets = stream.as_bytes();
            let whole = read(&[octets], 100);
            let (a, b) = octets.split_at(at.min(octets.len()));
            prop_assert_eq!(&read(&[a, b], 100), &whole);
            let single: Vec<&[u8]> = octets.chunks(1).collect();
            prop_assert_eq!(&read(&single, 100), &whole);
            let mut end = 0;
            for (number, event) in whole.iter().enumerate() {
                prop_assert_eq!(event.index, number as u64);
                prop_assert!(event.offset >= end && event.len > 0);
                end = event.offset + event.len;
            }
            prop_assert!(end <= octets.len() as u64);
        }
    }
}
