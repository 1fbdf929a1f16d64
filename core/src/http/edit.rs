//! Editing a head in place: the octets named are replaced, every other octet stays as it was sent.

use std::ops::Range;

use bytes::Bytes;

use crate::Head;
use crate::http::Header;

/// One replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Which octets go; empty where something is only put in.
    pub span: Range<usize>,
    /// What comes in their place.
    pub with: Bytes,
}

impl Edit {
    /// Replaces the octets of `span`.
    pub fn new(span: Range<usize>, with: impl Into<Bytes>) -> Self {
        Self { span, with: with.into() }
    }

    /// Replaces a field's value; its name and the white space around the value stay.
    pub fn value(header: &Header, with: impl Into<Bytes>) -> Self {
        Self::new(header.value_span.clone(), with)
    }

    /// Replaces the request target; `None` where `head` is a response.
    pub fn target(head: &Head, with: impl Into<Bytes>) -> Option<Self> {
        Some(Self::new(head.target_span()?, with))
    }

    /// Removes a whole field, its line end included.
    pub fn remove(header: &Header) -> Self {
        Self::new(header.span.clone(), Bytes::new())
    }

    /// Puts a new field before all others.
    pub fn insert(head: &Head, name: &str, value: &str) -> Self {
        let at = head.fields_start();
        Self::new(at..at, format!("{name}: {value}\r\n"))
    }
}

/// Why an edit cannot be made: a mistake of whoever asks for it, never a peer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// A span reaches beyond the octets, or ends before it begins.
    #[error("an edit of octets {start}..{end} reaches beyond the head's {len}")]
    OutOfRange {
        /// The span's start.
        start: usize,
        /// The span's end.
        end: usize,
        /// How many octets there are.
        len: usize,
    },
    /// Two spans share octets.
    #[error("two edits overlap at octet {at}")]
    Overlap {
        /// The first octet that both claim.
        at: usize,
    },
}

/// `raw` with the octets of each edit replaced. Edits may come in any order; those at the same point
/// keep theirs.
pub fn replace(raw: &[u8], edits: &[Edit]) -> Result<Bytes, EditError> {
    let mut ordered: Vec<&Edit> = edits.iter().collect();
    ordered.sort_by_key(|edit| (edit.span.start, edit.span.end));

    let mut out = Vec::with_capacity(
        edits.iter().fold(raw.len(), |len, edit| len.saturating_add(edit.with.len())),
    );
    let mut done = 0;
    for Edit { span: Range { start, end }, with } in ordered {
        let (start, end) = (*start, *end);
        if end < start || end > raw.len() {
            return Err(EditError::OutOfRange { start, end, len: raw.len() });
        }
        let kept = raw.get(done..start).ok_or(EditError::Overlap { at: start })?;
        out.extend_from_slice(kept);
        out.extend_from_slice(with);
        done = end;
    }
    out.extend_from_slice(raw.get(done..).unwrap_or_default());
    Ok(Bytes::from(out))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ODD: &[u8] = b"\r\nGET  /chat HTTP/1.1\r\nhOST:\tlocalhost:9870  \nX-Odd: a\r\n b\r\n\
        Origin:http://localhost\r\nEmpty:\r\n\r\n";

    fn header<'a>(head: &'a Head, name: &str) -> &'a Header {
        head.field(name).unwrap()
    }

    #[test]
    fn only_the_named_octets_change() {
        let head = Head::parse_request(Bytes::from_static(ODD), 0).unwrap();
        let rows: [(Vec<Edit>, &[u8]); 5] = [
            (vec![], ODD),
            (
                vec![
                    Edit::value(header(&head, "Origin"), "https://up.example"),
                    Edit::value(header(&head, "Host"), "up.example"),
                    Edit::target(&head, "/base/chat").unwrap(),
                ],
                b"\r\nGET  /base/chat HTTP/1.1\r\nhOST:\tup.example  \nX-Odd: a\r\n b\r\n\
                  Origin:https://up.example\r\nEmpty:\r\n\r\n",
            ),
            (
                vec![Edit::remove(header(&head, "x-odd"))],
                b"\r\nGET  /chat HTTP/1.1\r\nhOST:\tlocalhost:9870  \n\
                  Origin:http://localhost\r\nEmpty:\r\n\r\n",
            ),
            (
                vec![Edit::value(header(&head, "empty"), "full")],
                b"\r\nGET  /chat HTTP/1.1\r\nhOST:\tlocalhost:9870  \nX-Odd: a\r\n b\r\n\
                  Origin:http://localhost\r\nEmpty:full\r\n\r\n",
            ),
            (
                vec![Edit::insert(&head, "Via", "1.1 b"), Edit::remove(header(&head, "host"))],
                b"\r\nGET  /chat HTTP/1.1\r\nVia: 1.1 b\r\nX-Odd: a\r\n b\r\n\
                  Origin:http://localhost\r\nEmpty:\r\n\r\n",
            ),
        ];
        for (edits, expected) in rows {
            let edited = replace(ODD, &edits).unwrap();
            assert_eq!(edited.escape_ascii().to_string(), expected.escape_ascii().to_string());
        }
    }

    #[test]
    fn a_head_without_fields_takes_one_in() {
        let head = Head::parse_request(Bytes::from_static(b"GET / HTTP/1.1\r\n\r\n"), 0).unwrap();
        let edited = replace(&head.raw, &[Edit::insert(&head, "Host", "a")]).unwrap();
        assert_eq!(&edited[..], b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }

    #[test]
    fn a_new_field_takes_no_line_after_it_for_its_own() {
        let raw = b"HTTP/1.1 200 OK\r\n lost: 1\r\n\t\r\nA: b\r\n\r\n";
        let head = Head::parse_response(Bytes::from_static(raw), 0).unwrap();
        let edited = replace(&head.raw, &[Edit::insert(&head, "Via", "1.1 c")]).unwrap();
        let expected = b"HTTP/1.1 200 OK\r\n lost: 1\r\n\t\r\nVia: 1.1 c\r\nA: b\r\n\r\n";
        assert_eq!(&edited[..], expected);
        let edited = Head::parse_response(edited, 0).unwrap();
        assert_eq!(edited.headers.len(), 2);
        assert_eq!(edited.value("Via").as_deref(), Some("1.1 c"));
    }

    #[test]
    fn spans_that_make_no_sense_are_refused() {
        let overlap = [Edit::new(0..3, "x"), Edit::new(2..4, "y")];
        assert_eq!(replace(b"abcdef", &overlap), Err(EditError::Overlap { at: 2 }));
        let beyond = EditError::OutOfRange { start: 4, end: 7, len: 6 };
        assert_eq!(replace(b"abcdef", &[Edit::new(4..7, "")]), Err(beyond));
        #[expect(clippy::reversed_empty_ranges, reason = "the mistake under test")]
        let reversed = Edit::new(4..2, "");
        assert!(replace(b"abcdef", &[reversed]).is_err());
        let touching = [Edit::new(2..4, "y"), Edit::new(0..2, "x"), Edit::new(6..6, "z")];
        assert_eq!(replace(b"abcdef", &touching).unwrap(), "xyefz");
    }

    proptest! {
        #[test]
        fn replacing_spans_by_themselves_changes_nothing(raw: Vec<u8>, cuts: Vec<prop::sample::Index>) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(raw.len() + 1)).collect();
            cuts.sort_unstable();
            let edits: Vec<Edit> = cuts.windows(2)
                .map(|w| Edit::new(w[0]..w[1], raw[w[0]..w[1]].to_vec()))
                .collect();
            prop_assert_eq!(replace(&raw, &edits).unwrap(), raw);
        }
    }
}
