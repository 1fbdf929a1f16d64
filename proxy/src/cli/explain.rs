//! `framescope explain`: frames drawn bit by bit, or a rule in words.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use framescope_core::capture::CaptureWriter;
use framescope_core::diagnostics::{Rule, rules};
use framescope_core::present::octets;

use super::exit::{Exit, Failure};
use super::file::{Readers, write_new};
use super::hex::{self, HexError};
use super::{Outcome, put};
use crate::view::anatomy::Anatomy;
use crate::view::explanation::{self, severity_role, severity_sign};
use crate::view::{Palette, Role, escape};

/// Draw frames bit by bit, or tell what a rule means
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  framescope explain 81 85 37fa213d 7f9f4d5158
  framescope explain FRAME_UNMASKED_FROM_CLIENT
  framescope explain FRAME_UNMASKED_FROM_CLIENT --capture example.pcapng
  xxd -p frame.bin | framescope explain -")]
pub struct ExplainArgs {
    /// The octets of one or more frames in hex (spaces, colons, commas and 0x are skipped);
    /// or - alone to read hex or raw octets from stdin; or the code of a rule; or "rules" for all of them
    #[arg(required = true, value_name = "HEX|-|CODE")]
    what: Vec<String>,
    /// Write the conversation in which the rule fires to this file, as a capture
    #[arg(long, value_name = "FILE")]
    capture: Option<PathBuf>,
}

/// Explains what was asked for.
pub fn run(
    args: &ExplainArgs,
    palette: Palette,
    stdin: &mut impl Read,
    out: &mut impl Write,
) -> Outcome {
    let text = args.what.join(" ");
    if let Some(path) = &args.capture {
        return capture_example(&text, path);
    }
    if args.what.len() > 1 && args.what.iter().any(|what| what == "-") {
        return Err(Failure::new(Exit::Usage, "- reads from stdin and stands alone")
            .help("give either - or the octets"));
    }
    if text == "-" {
        let octets = read_stdin(stdin)?;
        return put(out, &frames(&octets, palette)?);
    }
    if text.eq_ignore_ascii_case("rules") {
        return put(out, &all_rules(palette));
    }
    if let Some(rule) = rules::by_code(&text) {
        return put(out, &rule_text(rule, palette));
    }
    if looks_like_code(&text) {
        return Err(unknown_rule(&text));
    }
    let octets = hex::parse(&text).map_err(|error| {
        no_hex(&error, &format!("column {}", error.column))
            .help("give each octet as two hex digits, such as: framescope explain 81 05 48656c6c6f")
    })?;
    put(out, &frames(&octets, palette)?)
}

/// Writes a rule's example where the user wants it.
fn capture_example(code: &str, path: &Path) -> Outcome {
    let Some(rule) = rules::by_code(code) else {
        return Err(if looks_like_code(code) { unknown_rule(code) } else { no_code(code) });
    };
    let unplayable = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::General, format!("the example of {code} cannot be played: {error}"))
    };
    let records = rule.fires.records().map_err(|error| unplayable(&error))?;
    let write = || {
        let mut writer = CaptureWriter::new(Vec::new())?;
        records.iter().try_for_each(|record| writer.write(record))?;
        writer.into_inner()
    };
    let octets = write().map_err(|error: io::Error| unplayable(&error))?;
    write_new(path, Readers::Owner, &octets)
}

/// Hex where it is text, else the octets as they are.
fn read_stdin(stdin: &mut impl Read) -> Result<Vec<u8>, Failure> {
    let mut raw = Vec::new();
    stdin
        .read_to_end(&mut raw)
        .map_err(|error| Failure::new(Exit::File, format!("cannot read stdin: {error}")))?;
    let text = std::str::from_utf8(&raw).ok().filter(|text| is_meant_as_hex(text));
    let Some(text) = text else { return Ok(raw) };
    hex::parse(text).map_err(|error| {
        no_hex(&error, &format!("line {}, column {}", error.line_number, error.column)).help(
            "give each octet as two hex digits, as xxd -p writes them, or the octets themselves",
        )
    })
}

/// Whether somebody wrote this: frames have octets that are no printable ASCII, nearly always in
/// their first two.
fn is_meant_as_hex(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii())
        && text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace())
}

fn no_hex(error: &HexError, place: &str) -> Failure {
    Failure::new(Exit::Usage, format!("{} at {place}", error.problem)).excerpt(error.excerpt())
}

fn frames(mut octets_left: &[u8], palette: Palette) -> Result<String, Failure> {
    if octets_left.is_empty() {
        return Err(Failure::new(Exit::Usage, "there are no octets to explain")
            .help("a frame has two octets at least: framescope explain 89 00"));
    }
    let mut out = String::new();
    let (mut number, mut offset) = (1, 0);
    while !octets_left.is_empty() {
        let (anatomy, rest) = Anatomy::of(octets_left);
        if number > 1 {
            out.push('\n');
        }
        let heading = format!("frame {number}: {}", explanation::title(&anatomy));
        let end = offset + anatomy.wire.len() - 1;
        let place = format!("octets {offset}–{end}");
        let _ = writeln!(
            out,
            "{}  {}\n",
            palette.paint(Role::Strong, heading),
            palette.paint(Role::Weak, place)
        );
        out.push_str(&explanation::explain(&anatomy, palette));
        if let Some(told) = missing_text(&anatomy) {
            let _ = writeln!(out, "\n {}", palette.paint(Role::Warning, told));
        }
        offset += anatomy.wire.len();
        number += 1;
        octets_left = rest;
    }
    Ok(out)
}

fn missing_text(anatomy: &Anatomy<'_>) -> Option<String> {
    match (anatomy.missing, anatomy.header) {
        (Some(0), _) => None,
        (Some(missing), Some(_)) => Some(format!("▲ missing: {} of payload", octets(missing))),
        (Some(missing), None) => Some(format!("▲ missing: {} of the header", octets(missing))),
        (None, _) => Some("▲ missing: the second octet, which tells the length".to_owned()),
    }
}

fn rule_text(rule: &Rule, palette: Palette) -> String {
    let colour = severity_role(rule.severity);
    format!(
        "{} {}\n\n  {}\n  {}\n\n  {}\n  {}\n\n  {}\n{}\n  {}\n{}",
        palette.paint(colour, severity_sign(rule.severity)),
        palette.paint(colour, rule.code),
        palette.paint(Role::Strong, rule.title),
        palette.paint(Role::Weak, format_args!("{}, {}", rule.severity.name(), rule.section)),
        rule.meaning,
        rule.advice,
        palette.paint(Role::Weak, "it fires:"),
        rule.fires.text("    "),
        palette.paint(Role::Weak, "nothing fires:"),
        rule.near_miss.text("    "),
    )
}

fn all_rules(palette: Palette) -> String {
    let width = rules::ALL.iter().map(|rule| rule.code.len()).max().unwrap_or(0);
    let mut out = String::new();
    for rule in rules::ALL {
        let role = severity_role(rule.severity);
        let _ = writeln!(
            out,
            "{} {}  {:<17}  {}",
            palette.paint(role, severity_sign(rule.severity)),
            palette.paint(role, format_args!("{:<width$}", rule.code)),
            palette.paint(Role::Weak, rule.section),
            rule.title,
        );
    }
    out
}

/// Rule codes have an underscore, and letters that are no hex digits.
fn looks_like_code(text: &str) -> bool {
    text.contains('_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && text.chars().any(|c| c.is_ascii_alphabetic() && !c.is_ascii_hexdigit() && c != 'x')
}

fn no_code(text: &str) -> Failure {
    let text = escape::text(text, 60);
    Failure::new(Exit::Usage, format!("--capture needs the code of a rule, not {text}"))
        .help("`framescope explain rules` lists all codes")
}

fn unknown_rule(code: &str) -> Failure {
    let wanted = code.to_ascii_uppercase();
    let words: Vec<&str> = wanted.split('_').collect();
    let shared = |rule: &&&Rule| rule.code.split('_').filter(|word| words.contains(word)).count();
    let help = match rules::ALL.iter().max_by_key(shared).filter(|rule| shared(rule) > 0) {
        Some(rule) => {
            format!("did you mean {}? `framescope explain rules` lists them all", rule.code)
        }
        None => "`framescope explain rules` lists all rules".to_owned(),
    };
    Failure::new(Exit::Usage, format!("there is no rule {code}")).help(help)
}

#[cfg(test)]
mod tests {
    use framescope_core::capture::{CaptureItem, CaptureReader};
    use framescope_core::session::Limits;
    use framescope_core::{EventKind, Session};

    use super::*;

    fn explained(what: &str, stdin: &[u8]) -> Result<String, Failure> {
        let args = ExplainArgs { what: vec![what.to_owned()], capture: None };
        let mut out = Vec::new();
        run(&args, Palette::Plain, &mut &stdin[..], &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn stdin_is_hex_where_it_is_text_and_raw_octets_else() {
        let hex = explained("-", b"89 00\n").unwrap();
        let raw = explained("-", &[0x89, 0x00]).unwrap();
        assert_eq!(hex, raw);
        // A first fragment, unmasked and compressed, begins with a letter.
        assert!(explained("-", b"A\x03abc").unwrap().starts_with("frame 1: "));
        assert!(hex.starts_with("frame 1: an unmasked ping frame without payload  octets 0–1\n"));
    }

    #[test]
    fn a_rule_is_found_in_any_case_and_a_wrong_one_gets_a_proposal() {
        let told = explained("frame_unmasked_from_client", b"").unwrap();
        assert!(told.contains("RFC 6455 §5.1"), "{told}");
        assert!(told.contains("it fires:\n    ↑ 81 01 41\n"), "{told}");
        let failure = explained("FRAME_UNMASKED", b"").unwrap_err();
        assert!(failure.help.unwrap().contains("FRAME_UNMASKED_FROM_CLIENT"));
    }

    #[test]
    fn the_example_of_a_rule_is_written_as_a_capture_that_shows_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("example.pcapng");
        let write = |code: &str| {
            let args = ExplainArgs { what: vec![code.to_owned()], capture: Some(path.clone()) };
            run(&args, Palette::Plain, &mut &b""[..], &mut Vec::new())
        };
        write("FRAME_UNMASKED_FROM_CLIENT").unwrap();
        let mut reader = CaptureReader::new();
        reader.receive(std::fs::read(&path).unwrap().into());
        let mut session = Session::new(Limits::COUNT);
        while let Some(item) = reader.poll() {
            if let CaptureItem::Record { record, .. } = item {
                session.receive(&record);
            }
        }
        let found =
            std::iter::from_fn(|| session.poll_event()).find_map(|event| match event.kind {
                EventKind::DiagnosticRaised(finding) => Some(finding.rule.code),
                _ => None,
            });
        assert_eq!(found, Some("FRAME_UNMASKED_FROM_CLIENT"));
        assert!(write("FRAME_UNMASKED_FROM_CLIENT").is_err(), "a file that is there stays");
        assert!(write("81 00").is_err());
    }

    #[test]
    fn several_frames_are_explained_one_after_the_other() {
        let told = explained("01 03 48656c 80 02 6c6f 89", b"").unwrap();
        let headings: Vec<_> = told.lines().filter(|line| line.starts_with("frame ")).collect();
        assert_eq!(
            headings,
            [
                "frame 1: an unmasked text frame with 3 octets of payload, the first of its message  octets 0–4",
                "frame 2: an unmasked continuation frame with 2 octets of payload, the last of its message  octets 5–8",
                "frame 3: the start of a frame: its header is cut  octets 9–9",
            ]
        );
        assert!(told.contains("missing: the second octet, which tells the length"));
    }
}
