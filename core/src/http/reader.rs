//! Gathering a head: where it ends (RFC 9112 §2.1), from octets in any split.

use bytes::Bytes;

use crate::http::HeadError;

/// Gathers one head after the other from octets that come in any split.
///
/// A head ends with its first empty line. Lines end with CRLF, or with LF alone, which RFC 9112 §2.2
/// lets a recipient accept. Empty lines before the start line are part of the head (RFC 9112 §2.2).
#[derive(Debug, Clone, Default)]
pub struct HeadReader {
    gathered: Vec<u8>,
    line: Line,
    /// Whether a line that is not empty has been seen.
    started: bool,
}

/// What the current line holds so far.
#[derive(Debug, Clone, Copy, Default)]
enum Line {
    #[default]
    Nothing,
    Cr,
    Text,
}

impl HeadReader {
    /// Takes octets from the front of `input` up to the end of the empty line: `Some(raw)` when the
    /// head is whole, `None` when `input` is used up before. `Err` when it grows beyond `limit`
    /// octets: that many were then taken, and are to be had from [`HeadReader::gathered`].
    ///
    /// After `Some` it stands at the next head. Octet by octet costs no more than all at once.
    pub fn take(&mut self, input: &mut &[u8], limit: usize) -> Result<Option<Bytes>, HeadError> {
        let room = limit.saturating_sub(self.gathered.len());
        let (within, beyond) = input.split_at(room.min(input.len()));
        if let Some((last, rest)) = self.end_in(within).and_then(|end| input.split_at_checked(end))
        {
            self.gathered.extend_from_slice(last);
            *input = rest;
            return Ok(Some(Bytes::from(std::mem::take(self).gathered)));
        }
        self.gathered.extend_from_slice(within);
        *input = beyond;
        if beyond.is_empty() { Ok(None) } else { Err(HeadError::TooLong { limit }) }
    }

    /// The octets of a head that is not whole yet.
    pub fn gathered(&self) -> &[u8] {
        &self.gathered
    }

    /// How many octets reach to the end of the empty line, where it ends in them.
    fn end_in(&mut self, octets: &[u8]) -> Option<usize> {
        let mut rest = octets;
        while let Some(line_feed) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(line_feed);
            rest = after.get(1..).unwrap_or_default();
            let is_empty =
                matches!((self.line, line), (Line::Nothing, [] | [b'\r']) | (Line::Cr, []));
            self.line = Line::Nothing;
            if is_empty && self.started {
                return Some(octets.len().saturating_sub(rest.len()));
            }
            self.started |= !is_empty;
        }
        self.line = match (self.line, rest) {
            (line, []) => line,
            (Line::Nothing, [b'\r']) => Line::Cr,
            _ => Line::Text,
        };
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(octets: &[u8]) -> Option<(usize, usize)> {
        let mut input = octets;
        let raw = HeadReader::default().take(&mut input, 1 << 20).unwrap()?;
        assert_eq!([&raw[..], input].concat(), octets, "nothing is lost or changed");
        Some((raw.len(), input.len()))
    }

    #[test]
    fn a_head_ends_with_its_empty_line() {
        type Row = (&'static [u8], Option<(usize, usize)>);
        let rows: [Row; 12] = [
            (b"", None),
            (b"\r\n\r\n\n", None),
            (b"GET / HTTP/1.1\r\n\r\n", Some((18, 0))),
            (b"GET / HTTP/1.1\n\n", Some((16, 0))),
            (b"GET / HTTP/1.1\r\n\n", Some((17, 0))),
            (b"GET / HTTP/1.1\n\r\n", Some((17, 0))),
            (b"\r\n\nGET / HTTP/1.1\r\n\r\nGET", Some((21, 3))),
            (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\x81\x00", Some((27, 2))),
            (b"GET / HTTP/1.1\r\nHost: a\r\n", None),
            (b"GET / HTTP/1.1\r\nHost: a\r\n\r", None),
            (b"GET / HTTP/1.1\r\nHost: a\r\n \r\n", None),
            (b"GET / HTTP/1.1\r\n\r\r\n\r", None),
        ];
        for (octets, expected) in rows {
            assert_eq!(split(octets), expected, "{}", octets.escape_ascii());
        }
    }

    #[test]
    fn heads_back_to_back_come_one_by_one() {
        let mut reader = HeadReader::default();
        let mut input = &b"A\r\n\r\nB\n\nC\r\n"[..];
        assert_eq!(reader.take(&mut input, 100).unwrap().as_deref(), Some(&b"A\r\n\r\n"[..]));
        assert!(reader.gathered().is_empty());
        assert_eq!(reader.take(&mut input, 100).unwrap().as_deref(), Some(&b"B\n\n"[..]));
        assert_eq!(reader.take(&mut input, 100), Ok(None));
        assert_eq!(reader.gathered(), b"C\r\n");
    }

    #[test]
    fn a_head_may_be_as_long_as_the_limit_and_no_longer() {
        let head = b"GET / HTTP/1.1\r\n\r\n";
        let mut input = &head[..];
        assert!(HeadReader::default().take(&mut input, head.len()).unwrap().is_some());

        let mut reader = HeadReader::default();
        let mut input = &head[..];
        let limit = head.len() - 1;
        assert_eq!(reader.take(&mut input, limit), Err(HeadError::TooLong { limit }));
        assert_eq!((reader.gathered(), input), head.split_at(limit));
        assert!(reader.take(&mut input, limit).is_err(), "it stays too long");
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_heads(
            octets in prop::collection::vec(prop::sample::select(&b"\r\n\r\n\nab: "[..]), 0..60),
            cuts: Vec<prop::sample::Index>,
            limit in 0usize..40,
        ) {
            let heads = |chunks: &[&[u8]]| {
                let (mut reader, mut heads, mut left) = (HeadReader::default(), Vec::new(), Vec::new());
                for mut chunk in chunks.iter().copied() {
                    while !chunk.is_empty() {
                        match reader.take(&mut chunk, limit) {
                            Ok(Some(raw)) => heads.push(raw),
                            Ok(None) => assert!(chunk.is_empty()),
                            Err(_) => { left.extend_from_slice(chunk); chunk = &[]; }
                        }
                    }
                }
                (heads, reader.gathered().to_vec(), left)
            };
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(octets.len() + 1)).collect();
            cuts.extend([0, octets.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|w| &octets[w[0]..w[1]]).collect();
            let whole = heads(&[&octets]);
            let tiles = [&whole.0.concat()[..], &whole.1, &whole.2].concat();
            prop_assert_eq!(tiles, &octets[..]);
            prop_assert_eq!(heads(&chunks), whole);
        }
    }
}
