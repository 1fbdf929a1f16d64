//! What the first octets of a picture tell: its kind, its size, its depth of colour.
//!
//! Nothing is decoded. A small reader of our own, as the kept ones leave out the depth of colour and
//! where the fields lie.
//!
//! PNG: W3C PNG (Third Edition) §5.2, §11.2.1. JPEG: ITU-T T.81 §B.2.2. GIF: `GIF89a` §17, §18.
//! WebP: RFC 9649 §2.5–2.7. BMP: the `BITMAPINFOHEADER` of Windows. SVG: W3C SVG 2 §5.1.

use super::cursor::Cursor;
use super::fault::Fault;
use super::{Body, Fact, Format, Span, View};
use crate::present::{counted, octets};

/// A kind of picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImageKind {
    /// Portable Network Graphics.
    Png,
    /// JPEG File Interchange Format, and all that begins as it does.
    Jpeg,
    /// Graphics Interchange Format.
    Gif,
    /// WebP, RFC 9649.
    WebP,
    /// Windows bitmap.
    Bmp,
    /// Scalable Vector Graphics, which is text.
    Svg,
    /// None of them.
    Unknown,
}

impl ImageKind {
    /// Its name, as people write it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Gif => "GIF",
            Self::WebP => "WebP",
            Self::Bmp => "BMP",
            Self::Svg => "SVG",
            Self::Unknown => "unknown",
        }
    }

    /// The kind that the first octets tell, and how they do.
    pub fn of(payload: &[u8]) -> Option<(Self, &'static str)> {
        if payload.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some((Self::Png, "begins with 89 50 4e 47, the signature of PNG"))
        } else if payload.starts_with(b"\xff\xd8\xff") {
            Some((Self::Jpeg, "begins with ff d8 ff, the start of a JPEG image"))
        } else if payload.starts_with(b"GIF87a") || payload.starts_with(b"GIF89a") {
            Some((Self::Gif, "begins with GIF8, the signature of GIF"))
        } else if payload.starts_with(b"RIFF") && payload.get(8..12) == Some(b"WEBP") {
            Some((Self::WebP, "begins with RIFF and WEBP"))
        } else if payload.starts_with(b"BM") && is_bitmap(payload) {
            Some((Self::Bmp, "begins with BM and its own length, as BMP does"))
        } else if svg_tag(payload).is_some() {
            Some((Self::Svg, "its first element is <svg>"))
        } else {
            None
        }
    }
}

/// Reads what is known before any pixel is.
pub(super) fn read(payload: &[u8]) -> View {
    let kind = ImageKind::of(payload).map_or(ImageKind::Unknown, |(kind, _)| kind);
    let mut facts =
        vec![Fact::new("type", kind.label()), Fact::new("size", octets(payload.len() as u64))];
    let outcome = match kind {
        ImageKind::Png => png(payload, &mut facts),
        ImageKind::Jpeg => jpeg(payload, &mut facts),
        ImageKind::Gif => gif(payload, &mut facts),
        ImageKind::WebP => webp(payload, &mut facts),
        ImageKind::Bmp => bmp(payload, &mut facts),
        ImageKind::Svg => {
            svg(payload, &mut facts);
            Ok(())
        }
        ImageKind::Unknown => Err(Fault::wrong(0, "no picture that is known begins like this")),
    };
    View { format: Format::Image, facts, body: Body::Image(kind), fault: outcome.err(), cut: None }
}

fn pixels(width: u64, height: u64, span: Span) -> Fact {
    Fact::new("pixels", format!("{width} × {height}")).at(span)
}

/// A number in the octets `at..at + len`, least significant first.
fn little_endian(payload: &[u8], at: usize, len: usize, what: &str) -> Result<u64, Fault> {
    let field = payload.get(at..at.saturating_add(len));
    let field = field.ok_or_else(|| Fault::early_end(payload.len(), what))?;
    Ok(field.iter().rev().fold(0, |value, octet| (value << 8) | u64::from(*octet)))
}

fn png(payload: &[u8], facts: &mut Vec<Fact>) -> Result<(), Fault> {
    let mut input = Cursor::within(payload, Span::new(8, payload.len()));
    input.take(4, "the IHDR chunk")?;
    if input.take(4, "the IHDR chunk")? != b"IHDR" {
        return Err(Fault::wrong(12, "the first chunk of a PNG must be IHDR"));
    }
    let width = input.big_endian(4, "the IHDR chunk")?;
    let height = input.big_endian(4, "the IHDR chunk")?;
    facts.push(pixels(width, height, Span::new(16, 24)));
    let [depth, colour, _, _, interlace] = input.array("the IHDR chunk")?;
    let colour = match colour {
        0 => "grey".to_owned(),
        2 => "red, green, blue".to_owned(),
        3 => "palette".to_owned(),
        4 => "grey and alpha".to_owned(),
        6 => "red, green, blue, alpha".to_owned(),
        other => format!("colour type {other}, which there is not"),
    };
    let text = format!("{} for each of: {colour}", counted(u64::from(depth), "bit", "bits"));
    facts.push(Fact::new("colour", text).at(Span::new(24, 26)));
    if interlace != 0 {
        facts.push(Fact::new("interlaced", "Adam7").at(Span::new(28, 29)));
    }
    // Chunks up to the pixels tell whether it moves.
    input.take(4, "the checksum of IHDR")?;
    while !input.is_at_end() {
        let start = input.at();
        let len = input.big_endian(4, "a chunk")?;
        let name: [u8; 4] = input.array("a chunk")?;
        if name == *b"acTL" {
            let frames = input.big_endian(4, "the acTL chunk")?;
            let text = counted(frames, "frame", "frames");
            facts.push(Fact::new("animated", text).at(input.since(start)));
            break;
        }
        if matches!(&name, b"IDAT" | b"IEND") {
            break;
        }
        input.take_long(len.saturating_add(4), "a chunk")?;
    }
    Ok(())
}

fn jpeg(payload: &[u8], facts: &mut Vec<Fact>) -> Result<(), Fault> {
    let mut input = Cursor::within(payload, Span::new(2, payload.len()));
    loop {
        let start = input.at();
        if input.octet("a marker")? != 0xFF {
            return Err(Fault::wrong(start, "a marker must stand here, which begins with ff"));
        }
        let mut marker = input.octet("a marker")?;
        // "Any marker may optionally be preceded by any number of fill bytes" (§B.1.1.2)
        while marker == 0xFF {
            marker = input.octet("a marker")?;
        }
        match marker {
            0x01 | 0xD0..=0xD8 => continue,
            0xD9 | 0xDA => {
                return Err(Fault::wrong(start, "no frame header before the image data"));
            }
            _ => {}
        }
        let segment = input.at();
        let len = input.big_endian(2, "a segment")?;
        if len < 2 {
            return Err(Fault::wrong(segment, "a segment is at least 2 octets long"));
        }
        let body = input.at();
        // SOF0 to SOF15, without DHT, JPG and DAC, which lie among them (table B.1).
        if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) {
            let depth = input.octet("the frame header")?;
            let height = input.big_endian(2, "the frame header")?;
            let width = input.big_endian(2, "the frame header")?;
            facts.push(pixels(width, height, Span::at(body.saturating_add(1), 4)));
            let components = input.octet("the frame header")?;
            let colour = match components {
                1 => "grey",
                3 => "YCbCr or red, green, blue",
                4 => "CMYK or YCCK",
                _ => "other components",
            };
            let text = format!("{depth} bits for each of {components}: {colour}");
            facts.push(Fact::new("colour", text).at(Span::at(body, 6)));
            let coding = match marker {
                0xC0 => "baseline",
                0xC1 => "extended sequential",
                0xC2 => "progressive",
                0xC3 => "lossless",
                _ => "differential or arithmetic",
            };
            facts.push(Fact::new("coding", coding).at(Span::new(start, segment)));
            return Ok(());
        }
        input.take_long(len.saturating_sub(2), "a segment")?;
    }
}

fn gif(payload: &[u8], facts: &mut Vec<Fact>) -> Result<(), Fault> {
    let what = "the logical screen descriptor";
    let width = little_endian(payload, 6, 2, what)?;
    let height = little_endian(payload, 8, 2, what)?;
    facts.push(pixels(width, height, Span::new(6, 10)));
    let flags = little_endian(payload, 10, 1, what)?;
    let text = if flags & 0x80 == 0 {
        "palettes of the pictures alone".to_owned()
    } else {
        format!("palette of {}", 2_u64 << (flags & 7))
    };
    facts.push(Fact::new("colour", text).at(Span::new(10, 11)));
    Ok(())
}

fn webp(payload: &[u8], facts: &mut Vec<Fact>) -> Result<(), Fault> {
    let what = "the first chunk";
    let kind = payload.get(12..16).ok_or_else(|| Fault::early_end(payload.len(), what))?;
    let next = |value: u64| value.saturating_add(1);
    match kind {
        b"VP8 " => {
            if payload.get(23..26).is_some_and(|code| code != b"\x9d\x01\x2a") {
                return Err(Fault::wrong(23, "the start code 9d 01 2a must stand here"));
            }
            let width = little_endian(payload, 26, 2, what)? & 0x3FFF;
            let height = little_endian(payload, 28, 2, what)? & 0x3FFF;
            facts.push(pixels(width, height, Span::new(26, 30)));
            facts.push(Fact::new("coding", "lossy").at(Span::new(12, 16)));
            facts.push(Fact::new("colour", "8 bits for each of: Y, U, V"));
        }
        b"VP8L" => {
            let bits = little_endian(payload, 21, 4, what)?;
            let (width, height) = (next(bits & 0x3FFF), next((bits >> 14) & 0x3FFF));
            facts.push(pixels(width, height, Span::new(21, 25)));
            facts.push(Fact::new("coding", "lossless").at(Span::new(12, 16)));
            let alpha = if bits & (1 << 28) == 0 { "" } else { ", alpha" };
            facts.push(Fact::new("colour", format!("8 bits for each of: red, green, blue{alpha}")));
        }
        b"VP8X" => {
            let flags = little_endian(payload, 20, 1, what)?;
            let width = next(little_endian(payload, 24, 3, what)?);
            let height = next(little_endian(payload, 27, 3, what)?);
            facts.push(pixels(width, height, Span::new(24, 30)));
            let marks = [(0x02, "animated"), (0x10, "alpha"), (0x20, "colour profile")];
            let marks: Vec<_> =
                marks.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name).collect();
            if !marks.is_empty() {
                facts.push(Fact::new("has", marks.join(", ")).at(Span::new(20, 21)));
            }
        }
        _ => return Err(Fault::wrong(12, "the first chunk must be VP8, VP8L or VP8X")),
    }
    Ok(())
}

/// Whether what follows `BM` is a bitmap's file header: its own length, or none, and a known header.
fn is_bitmap(payload: &[u8]) -> bool {
    let len = little_endian(payload, 2, 4, "").unwrap_or(u64::MAX);
    let header = little_endian(payload, 14, 4, "").unwrap_or_default();
    (len == 0 || len == payload.len() as u64)
        && matches!(header, 12 | 40 | 52 | 56 | 64 | 108 | 124)
}

fn bmp(payload: &[u8], facts: &mut Vec<Fact>) -> Result<(), Fault> {
    let what = "the bitmap header";
    let is_core = little_endian(payload, 14, 4, what)? == 12;
    let len = if is_core { 2 } else { 4 };
    let after = |fields: usize| 18_usize.saturating_add(len * fields);
    let width = little_endian(payload, 18, len, what)?;
    let height = little_endian(payload, after(1), len, what)?;
    // Negative where the topmost row comes first.
    let is_top_down = !is_core && height > 1 << 31;
    let rows = if is_top_down { (1_u64 << 32).saturating_sub(height) } else { height };
    facts.push(pixels(width, rows, Span::new(18, after(2))));
    let bits_at = after(2).saturating_add(2);
    let bits = little_endian(payload, bits_at, 2, what)?;
    let text = format!("{} a pixel", counted(bits, "bit", "bits"));
    facts.push(Fact::new("colour", text).at(Span::at(bits_at, 2)));
    if is_top_down {
        facts.push(Fact::new("rows", "the topmost comes first").at(Span::new(after(1), after(2))));
    }
    Ok(())
}

/// How far into a text its first element is looked for.
const PROLOGUE: usize = 4 << 10;

/// The octets of the tag `<svg …>`, where that is the first element of a text.
fn svg_tag(payload: &[u8]) -> Option<Span> {
    let beginning = payload.get(..PROLOGUE.min(payload.len()))?;
    let mut at = if beginning.starts_with(b"\xEF\xBB\xBF") { 3_usize } else { 0 };
    loop {
        let rest = beginning.get(at..)?;
        let white = rest.iter().take_while(|octet| octet.is_ascii_whitespace()).count();
        at = at.saturating_add(white);
        let rest = beginning.get(at..)?;
        // What may come before the root element: declaration, comments, document type.
        let end: &[u8] = match rest {
            [b'<', b'?', ..] => b"?>",
            [b'<', b'!', b'-', b'-', ..] => b"-->",
            [b'<', b'!', ..] => b">",
            [b'<', b's', b'v', b'g', next, ..] if !next.is_ascii_alphanumeric() => {
                let len = memchr::memchr(b'>', rest)?;
                return Some(Span::at(at, len));
            }
            _ => return None,
        };
        at = at.saturating_add(memchr::memmem::find(rest, end)?).saturating_add(end.len());
    }
}

fn svg(payload: &[u8], facts: &mut Vec<Fact>) {
    let Some(tag) = svg_tag(payload) else { return };
    for name in ["width", "height", "viewBox"] {
        if let Some(span) = attribute(payload, tag, name) {
            let value = String::from_utf8_lossy(span.of(payload)).into_owned();
            facts.push(Fact::new(name, value).at(span));
        }
    }
}

/// The value of an attribute of a tag.
fn attribute(payload: &[u8], tag: Span, name: &str) -> Option<Span> {
    let octets = tag.of(payload);
    let mut places = memchr::memmem::find_iter(octets, name.as_bytes());
    places.find_map(|place| {
        let is_own_word = octets.get(place.checked_sub(1)?)?.is_ascii_whitespace();
        let after = octets.get(place.saturating_add(name.len())..)?;
        let after = after.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
        let (quote, value) = after.split_first()?;
        if !is_own_word || !matches!(quote, b'"' | b'\'') {
            return None;
        }
        let len = memchr::memchr(*quote, value)?;
        Some(Span::at(tag.end.saturating_sub(value.len()), len))
    })
}

#[cfg(test)]
mod tests;
