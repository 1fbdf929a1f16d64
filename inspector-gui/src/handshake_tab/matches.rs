//! Where a head holds what is looked for.

use std::ops::Range;

use framescope_core::Head;

use crate::detail::Sought;

/// Where one head holds what is looked for; nothing where nothing is.
#[derive(Debug, Default)]
pub struct Matches<'a> {
    sought: Option<&'a Sought>,
    /// Octets of [`Head::raw`], in order.
    places: Vec<Range<usize>>,
    /// The first line with one is to be brought into sight.
    brings: bool,
}

/// What is lit of one line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct InLine {
    /// Octets of the line as it is shown, in order.
    pub(super) lit: Vec<Range<usize>>,
    /// What is masked holds some of it.
    pub(super) is_masked: bool,
    /// The line is to be brought into sight.
    pub(super) is_brought: bool,
}

impl<'a> Matches<'a> {
    /// Of this head. `brings` asks for the first line that has any to be brought into sight.
    pub fn of(head: &Head, sought: Option<&'a Sought>, brings: bool) -> Self {
        let places = sought.map_or_else(Vec::new, |sought| sought.places(&head.raw));
        Self { sought, places, brings }
    }

    /// Whether there are any.
    pub fn are_there(&self) -> bool {
        !self.places.is_empty()
    }

    /// Of the line that is `span` of the head and is shown as `text`; `is_masked` says that there is more
    /// to it.
    ///
    /// What a line shows is not what was sent to the octet: spaces are evened out, secrets masked. A match
    /// that goes beyond the line, or that its text does not have, lights all of it.
    pub(super) fn in_line(&mut self, span: &Range<usize>, text: &str, is_masked: bool) -> InLine {
        let overlaps = |place: &&Range<usize>| {
            place.start < span.end.max(span.start + 1) && span.start < place.end
        };
        let here = self.places.iter().filter(overlaps).count();
        let Some(sought) = self.sought.filter(|_| here > 0) else { return InLine::default() };
        let mut lit = sought.places(text.as_bytes());
        let is_masked = is_masked && lit.len() < here;
        if lit.is_empty() && !is_masked {
            lit.push(0..text.len());
        }
        InLine { lit, is_masked, is_brought: std::mem::take(&mut self.brings) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use framescope_core::search::Pattern;

    use super::*;

    #[test]
    fn what_is_shown_is_lit_and_what_is_masked_is_only_told() {
        let raw = "GET /a?token=abc HTTP/1.1\r\nHost:x\r\nCookie: sid=s3cret; a=s3cret\r\n\r\n";
        let head = Head::parse_request(Bytes::from_static(raw.as_bytes()), 0).expect("a head");
        let [host, cookie] = [0, 1].map(|at| head.headers[at].span.clone());
        let start = head.start_span();
        let (masked_start, masked) = ("GET /a?token=••• HTTP/1.1", "Cookie: sid=•••; a=•••");
        // What is looked for, in which line, as which text, whether that is masked; what is lit of it, and
        // whether something is told to be in what is masked.
        let rows = [
            ("token", &start, masked_start, true, "token", false),
            ("abc", &start, masked_start, true, "", true),
            ("s3cret", &cookie, masked, true, "", true),
            ("s3cret", &cookie, "Cookie: sid=s3cret; a=s3cret", false, "s3cret|s3cret", false),
            ("sid", &cookie, masked, true, "sid", false),
            ("/sid|s3c/", &cookie, masked, true, "sid", true),
            ("Host:x", &host, "Host: x", false, "Host: x", false),
            ("Host", &cookie, masked, true, "", false),
        ];
        for (typed, span, text, is_masked, lit, is_told) in rows {
            let pattern = Arc::new(Pattern::parse(typed).expect(typed));
            let sought = Sought::new(1, pattern);
            let mut matches = Matches::of(&head, Some(&sought), true);
            let here = matches.in_line(span, text, is_masked);
            let texts: Vec<&str> = here.lit.iter().map(|place| &text[place.clone()]).collect();
            assert_eq!((&*texts.join("|"), here.is_masked), (lit, is_told), "{typed} in {text}");
            assert_eq!(here.is_brought, !lit.is_empty() || is_told, "{typed} in {text}");
        }
    }
}
