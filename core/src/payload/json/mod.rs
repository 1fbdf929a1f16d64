//! JSON, RFC 8259: one value, or several in a row (one a line, or as RFC 7464 has it).
//!
//! A reader of our own, because the kept ones give no octet spans, read numbers through doubles or
//! recurse. It follows the grammar to the letter, and says what is wrong where it is wrong.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::builder::{Builder, Slot};
use super::cursor::Cursor;
use super::fault::{Fault, Stop};
use super::notation::Dialect;
use super::tree::{Container, Tree, Value};
use super::{Limits, Number};

/// What may stand between the texts of a sequence besides white space: the record separator of
/// RFC 7464 and of SignalR, which no JSON text has.
pub(super) const SEPARATOR: u8 = 0x1E;

/// Reads one JSON text.
pub fn read(octets: &[u8], limits: &Limits) -> Tree {
    Reader::new(octets, limits).finish(Reader::one)
}

/// Reads JSON texts one after the other: the root is a [`Value::Sequence`].
pub fn read_sequence(octets: &[u8], limits: &Limits) -> Tree {
    Reader::new(octets, limits).finish(Reader::sequence)
}

/// The text between two quotes, its escapes resolved, up to the first thing that is wrong.
pub(super) fn unescaped(content: &[u8]) -> String {
    let mut reader = Reader::new(content, &Limits::GLANCE);
    let mut out = String::new();
    loop {
        let Ok(run) = reader.run() else { return out };
        out.push_str(run);
        if reader.input.peek() != Some(b'\\') {
            return out;
        }
        let Ok(character) = reader.escape() else { return out };
        out.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
}

/// What encloses the next value.
enum Enclosing {
    Array {
        next: u64,
    },
    /// With a hash of each name so far.
    Object {
        names: HashSet<u64>,
        is_empty: bool,
    },
}

struct Reader<'a> {
    input: Cursor<'a>,
    builder: Builder,
    open: Vec<Enclosing>,
    hasher: RandomState,
}

impl<'a> Reader<'a> {
    fn new(octets: &'a [u8], limits: &Limits) -> Self {
        Self {
            input: Cursor::new(octets),
            builder: Builder::new(limits, Dialect::Json),
            open: Vec::new(),
            hasher: RandomState::new(),
        }
    }

    fn finish(mut self, read: fn(&mut Self) -> Result<(), Stop>) -> Tree {
        let outcome = read(&mut self);
        self.builder.finish(outcome, self.input.at())
    }

    fn one(&mut self) -> Result<(), Stop> {
        // "implementations that parse JSON texts MAY ignore the presence of a byte order mark rather
        // than treating it as an error" (§8.1)
        if self.input.rest().starts_with(b"\xEF\xBB\xBF") {
            self.input.take(3, "a byte order mark")?;
        }
        self.value(Slot::ROOT)?;
        self.skip_white();
        match self.input.peek() {
            None => Ok(()),
            Some(octet) => Err(self.wrong("nothing may follow the value", octet)),
        }
    }

    fn sequence(&mut self) -> Result<(), Stop> {
        self.builder.open(Slot::ROOT, Value::Sequence, "sequence", 0)?;
        for index in 0.. {
            self.skip_white();
            while self.input.peek() == Some(SEPARATOR) {
                self.input.octet("a separator")?;
                self.skip_white();
            }
            if self.input.is_at_end() {
                break;
            }
            self.value(Slot::index(index))?;
        }
        self.builder.close(self.input.at());
        Ok(())
    }

    /// One value with all that is in it.
    fn value(&mut self, slot: Slot) -> Result<(), Stop> {
        self.begin_value(slot)?;
        while let Some(enclosing) = self.open.last() {
            let (close, is_empty) = match enclosing {
                Enclosing::Array { next } => (b']', *next == 0),
                Enclosing::Object { is_empty, .. } => (b'}', *is_empty),
            };
            self.skip_white();
            match self.input.peek() {
                Some(octet) if octet == close => {
                    self.input.octet("a bracket")?;
                    self.open.pop();
                    self.builder.close(self.input.at());
                    continue;
                }
                Some(b',') if !is_empty => {
                    self.input.octet("a comma")?;
                    self.skip_white();
                    if let Some(octet) = self.input.peek().filter(|octet| *octet == close) {
                        return Err(self.wrong("a value must follow the comma", octet));
                    }
                }
                Some(octet) if !is_empty => {
                    let what = format!("a comma or {} must follow", char::from(close));
                    return Err(self.wrong(&what, octet));
                }
                Some(_) => {}
                None => return Err(self.early_end()),
            }
            self.element()?;
        }
        Ok(())
    }

    /// The next element of the innermost array, or member of the innermost object.
    fn element(&mut self) -> Result<(), Stop> {
        let hasher = self.hasher.clone();
        if let Some(Enclosing::Array { next }) = self.open.last_mut() {
            let slot = Slot::index(*next);
            *next = next.saturating_add(1);
            return self.begin_value(slot);
        }
        let at = self.input.at();
        match self.input.peek() {
            Some(b'"') => {}
            Some(octet) => return Err(self.wrong("a name in quotes must stand here", octet)),
            None => return Err(self.early_end()),
        }
        let name = self.string()?.text;
        let mut is_repeated = false;
        if let Some(Enclosing::Object { names, is_empty }) = self.open.last_mut() {
            *is_empty = false;
            is_repeated = !names.insert(hasher.hash_one(&name));
        }
        let slot = self.builder.name(&name, self.input.since(at));
        self.skip_white();
        match self.input.peek() {
            Some(b':') => self.input.octet("a colon")?,
            Some(octet) => return Err(self.wrong("a colon must follow the name", octet)),
            None => return Err(self.early_end()),
        };
        let place = self.builder.len();
        self.begin_value(slot)?;
        if is_repeated {
            self.builder.add_note(
                place,
                "this name stands here again: most readers keep the last value, some the first",
            );
        }
        Ok(())
    }

    /// A whole value, or the opening bracket of one.
    fn begin_value(&mut self, slot: Slot) -> Result<(), Stop> {
        self.skip_white();
        let start = self.input.at();
        let Some(first) = self.input.peek() else { return Err(self.early_end()) };
        match first {
            b'{' | b'[' => {
                let (enclosing, value, kind) = if first == b'{' {
                    let names = HashSet::new();
                    let enclosing = Enclosing::Object { names, is_empty: true };
                    (enclosing, Value::Map(Container::UntilEnd), "object")
                } else {
                    (Enclosing::Array { next: 0 }, Value::Array(Container::UntilEnd), "array")
                };
                self.builder.open(slot, value, kind, start)?;
                self.input.octet("a bracket")?;
                self.open.push(enclosing);
            }
            b'"' => {
                let string = self.string()?;
                let span = self.input.since(start);
                let content = super::Span::new(start.saturating_add(1), span.end.saturating_sub(1));
                let value = self.builder.text(&string.text, content);
                let node = self.builder.leaf(slot, value, "string", span)?;
                if string.has_lone_surrogate {
                    node.note = Some("has half of a surrogate pair, which is no character".into());
                }
            }
            b'-' | b'0'..=b'9' => {
                let number = self.number()?;
                let number = Number::Written(number.into());
                let loss = number.loss_in_double();
                let span = self.input.since(start);
                let node = self.builder.leaf(slot, Value::Number(number), "number", span)?;
                node.note = loss.map(|held| format!("JavaScript reads {held}").into());
            }
            _ => {
                let words: [(&[u8], Value, &str); 3] = [
                    (b"true", Value::Bool(true), "boolean"),
                    (b"false", Value::Bool(false), "boolean"),
                    (b"null", Value::Null, "null"),
                ];
                let rest = self.input.rest();
                for (word, value, kind) in words {
                    if rest.starts_with(word) {
                        self.input.take(word.len(), kind)?;
                        self.builder.leaf(slot, value, kind, self.input.since(start))?;
                        return Ok(());
                    }
                    if word.starts_with(rest) {
                        return Err(self.early_end());
                    }
                }
                return Err(self.wrong("a value must stand here", first));
            }
        }
        Ok(())
    }

    /// `number = [ minus ] int [ frac ] [ exp ]` (§6), as it is written.
    fn number(&mut self) -> Result<&'a str, Stop> {
        let rest = self.input.rest();
        let mut len = usize::from(rest.first() == Some(&b'-'));
        let digits = |len: &mut usize| {
            let from = *len;
            let more = rest.get(from..).unwrap_or_default();
            let count = more.iter().take_while(|octet| octet.is_ascii_digit()).count();
            *len = from.saturating_add(count);
            count
        };
        let leading = rest.get(len).copied();
        let whole = digits(&mut len);
        let mut is_right = whole == 1 || (whole > 1 && leading != Some(b'0'));
        let leading_zeros = whole > 1 && leading == Some(b'0');
        if is_right && rest.get(len) == Some(&b'.') {
            len = len.saturating_add(1);
            is_right = digits(&mut len) > 0;
        }
        if is_right && matches!(rest.get(len), Some(b'e' | b'E')) {
            len = len.saturating_add(1);
            len = len.saturating_add(usize::from(matches!(rest.get(len), Some(b'+' | b'-'))));
            is_right = digits(&mut len) > 0;
        }
        if leading_zeros {
            let at = self.input.at();
            return Err(Fault::wrong(at, "a number must not begin with further zeros").into());
        }
        if !is_right {
            let at = self.input.at().saturating_add(len);
            return Err(match rest.get(len) {
                Some(_) => Fault::wrong(at, "a digit must stand here").into(),
                None => self.early_end(),
            });
        }
        let number = self.input.take(len, "a number")?;
        Ok(str::from_utf8(number).unwrap_or_default())
    }

    /// A string in quotes, its escapes resolved.
    fn string(&mut self) -> Result<JsonString<'a>, Stop> {
        let open = self.input.at();
        self.input.octet("a string")?;
        let mut out: Cow<'a, str> = Cow::Borrowed("");
        let mut has_lone_surrogate = false;
        loop {
            let run = self.run()?;
            match &mut out {
                out if out.is_empty() => *out = Cow::Borrowed(run),
                out => out.to_mut().push_str(run),
            }
            match self.input.peek() {
                Some(b'"') => {
                    self.input.octet("a string")?;
                    return Ok(JsonString { text: out, has_lone_surrogate });
                }
                Some(b'\\') => {
                    let character = self.escape()?;
                    has_lone_surrogate |= character.is_none();
                    out.to_mut().push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                Some(octet) => {
                    let at = self.input.at();
                    let what = format!(
                        "the control character {} must be escaped in a string",
                        shown(octet)
                    );
                    return Err(Fault::wrong(at, what).into());
                }
                None => {
                    let what = format!("the string that begins at octet {open}");
                    return Err(self.input.early_end(&what).into());
                }
            }
        }
    }

    /// The characters up to a quote, an escape or a control character.
    fn run(&mut self) -> Result<&'a str, Stop> {
        let rest = self.input.rest();
        let len = rest
            .iter()
            .position(|octet| matches!(octet, b'"' | b'\\' | 0..=0x1F))
            .unwrap_or(rest.len());
        let run = rest.get(..len).unwrap_or_default();
        match simdutf8::compat::from_utf8(run) {
            Ok(text) => {
                self.input.take(len, "a string")?;
                Ok(text)
            }
            Err(error) => {
                let at = self.input.at().saturating_add(error.valid_up_to());
                let is_cut = error.error_len().is_none() && len == rest.len();
                Err(if is_cut {
                    self.early_end()
                } else {
                    Fault::wrong(at, "this octet is not UTF-8").into()
                })
            }
        }
    }

    /// One escape (§7); `None` where it is half of a surrogate pair.
    fn escape(&mut self) -> Result<Option<char>, Stop> {
        let at = self.input.at();
        let [_, letter] = self.input.array("an escape")?;
        Ok(Some(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.hex_unit()?;
                let mut after = self.input;
                if !(0xD800..0xDC00).contains(&unit) || !self.input.rest().starts_with(b"\\u") {
                    return Ok(char::from_u32(unit));
                }
                // A high surrogate; what follows is its other half, or an escape of its own.
                std::mem::swap(&mut after, &mut self.input);
                self.input.take(2, "an escape")?;
                let low = self.hex_unit()?;
                if !(0xDC00..0xE000).contains(&low) {
                    self.input = after;
                    return Ok(None);
                }
                let high = unit.saturating_sub(0xD800) << 10;
                return Ok(char::from_u32(
                    high.saturating_add(low.saturating_sub(0xDC00)).saturating_add(0x1_0000),
                ));
            }
            octet => {
                let what = format!("there is no escape \\{}", shown(octet));
                return Err(Fault::wrong(at, what).into());
            }
        }))
    }

    fn hex_unit(&mut self) -> Result<u32, Stop> {
        let at = self.input.at();
        let digits: [u8; 4] = self.input.array("an escape")?;
        let unit = digits
            .iter()
            .try_fold(0_u32, |unit, digit| Some((unit << 4) | char::from(*digit).to_digit(16)?));
        unit.ok_or_else(|| Fault::wrong(at, "four hexadecimal digits must follow \\u").into())
    }

    fn skip_white(&mut self) {
        let rest = self.input.rest();
        let len = rest.iter().take_while(|octet| is_white(**octet)).count();
        // As many octets as were just seen.
        let _ = self.input.take(len, "white space");
    }

    fn early_end(&self) -> Stop {
        let what = match self.open.last() {
            Some(Enclosing::Array { .. }) => "an array",
            Some(Enclosing::Object { .. }) => "an object",
            None => "a value",
        };
        self.input.early_end(what).into()
    }

    fn wrong(&self, wanted: &str, octet: u8) -> Stop {
        Fault::wrong(self.input.at(), format!("{wanted}, not {}", shown(octet))).into()
    }
}

struct JsonString<'a> {
    text: Cow<'a, str>,
    has_lone_surrogate: bool,
}

/// `ws` of §2.
pub(super) const fn is_white(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\n' | b'\r')
}

/// An octet in a sentence.
fn shown(octet: u8) -> String {
    if octet.is_ascii_graphic() { char::from(octet).to_string() } else { format!("0x{octet:02x}") }
}

#[cfg(test)]
mod tests;
