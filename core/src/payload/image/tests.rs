//! Pictures of each kind, by their first octets.

use hex_literal::hex;

use super::*;

fn facts(payload: &[u8]) -> Vec<(&'static str, String)> {
    let view = read(payload);
    assert_eq!(view.fault, None);
    let facts = view.facts.into_iter().filter(|fact| fact.label != "size");
    facts.map(|fact| (fact.label, fact.text)).collect()
}

fn assert_facts(payload: &[u8], expected: &[(&'static str, &str)]) {
    let facts = facts(payload);
    let facts: Vec<_> = facts.iter().map(|(label, text)| (*label, text.as_str())).collect();
    assert_eq!(facts, expected);
}

#[test]
fn each_kind_tells_its_size_and_colours() {
    let png = hex!(
        "89504e470d0a1a0a 0000000d 49484452 00000280 000001e0 08 06 00 00 00 00000000"
        "00000008 6163544c 00000003 00000000 00000000"
    );
    assert_facts(
        &png,
        &[
            ("type", "PNG"),
            ("pixels", "640 × 480"),
            ("colour", "8 bits for each of: red, green, blue, alpha"),
            ("animated", "3 frames"),
        ],
    );
    let jpeg = hex!("ffd8 ffe0 0010 4a46494600010100000100010000 ffff c2 0011 08 01e0 0280 03 00");
    assert_facts(
        &jpeg,
        &[
            ("type", "JPEG"),
            ("pixels", "640 × 480"),
            ("colour", "8 bits for each of 3: YCbCr or red, green, blue"),
            ("coding", "progressive"),
        ],
    );
    assert_facts(
        &hex!("474946383961 0a00 1400 91 00 00"),
        &[("type", "GIF"), ("pixels", "10 × 20"), ("colour", "palette of 4")],
    );
    let lossy = hex!("52494646 24000000 57454250 56503820 18000000 300100 9d012a 0a00 1440");
    assert_facts(
        &lossy,
        &[
            ("type", "WebP"),
            ("pixels", "10 × 20"),
            ("coding", "lossy"),
            ("colour", "8 bits for each of: Y, U, V"),
        ],
    );
    let lossless = hex!("52494646 24000000 57454250 5650384c 18000000 2f 09c00410");
    assert_facts(
        &lossless,
        &[
            ("type", "WebP"),
            ("pixels", "10 × 20"),
            ("coding", "lossless"),
            ("colour", "8 bits for each of: red, green, blue, alpha"),
        ],
    );
    let extended = hex!("52494646 24000000 57454250 56503858 0a000000 12 000000 7f0200 df0100");
    assert_facts(
        &extended,
        &[("type", "WebP"), ("pixels", "640 × 480"), ("has", "animated, alpha")],
    );
    let bmp = hex!("424d 00000000 00000000 36000000 28000000 02000000 feffffff 0100 1800");
    assert_facts(
        &bmp,
        &[
            ("type", "BMP"),
            ("pixels", "2 × 2"),
            ("colour", "24 bits a pixel"),
            ("rows", "the topmost comes first"),
        ],
    );
    let svg = b"<?xml version='1.0'?>\n<!-- <svg> --><svg xmlns='x' stroke-width='9' width = \"24\" viewBox='0 0 24 24'/>";
    assert_facts(svg, &[("type", "SVG"), ("width", "24"), ("viewBox", "0 0 24 24")]);
    let view = read(svg);
    assert_eq!(view.facts[2].span.unwrap().of(svg), b"24");
}

#[test]
fn what_a_peer_says_of_itself_is_shortened() {
    let svg = format!("<svg width=\"{}\">", "é".repeat(5_000));
    let view = read(svg.as_bytes());
    assert!(view.facts.iter().all(|fact| fact.text.len() < 250));
    assert!(view.summary(svg.as_bytes(), 20).len() < 30);
}

#[test]
fn a_picture_that_ends_early_says_so() {
    let cut = read(&hex!("89504e470d0a1a0a 0000000d 49484452 000002"));
    assert!(cut.fault.unwrap().is_early_end);
    let fault = read(&hex!("ffd8 ff da 0000")).fault.unwrap();
    assert_eq!(fault.to_string(), "octet 2: no frame header before the image data");
    assert_eq!(read(b"BM but no bitmap").fault.unwrap().at, 0);
}
