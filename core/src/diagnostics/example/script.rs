//! Reading a script: lines to steps.

use std::time::Duration;

use crate::{ConnectionNote, Direction, Finish};

/// One line of a script, understood.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Plain HTTP: other heads to begin with.
    Http,
    /// A head is not as it was.
    Alter(Direction, Edit),
    /// The request is sent.
    Ask,
    /// Request and answer are sent, as far as they were not.
    Open,
    Octets(Direction, Vec<u8>),
    Finish(Direction, Finish),
    Wait(Duration),
    Note(Box<ConnectionNote>),
    Connect,
    Repeat(usize, Vec<Step>),
}

/// One change of a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edit {
    Start(Vec<u8>),
    Remove(String),
    Add(Vec<u8>),
    /// The field's name, and its line.
    Set(String, Vec<u8>),
}

/// Why a script cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ScriptError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// Octets that one line may stand for.
const MOST_OCTETS: usize = 4 << 20;

/// How often lines may be repeated.
const MOST_TIMES: usize = 10_000;

type Lines<'a> = std::iter::Enumerate<std::str::Lines<'a>>;

/// Reads all lines.
pub(super) fn steps(script: &str) -> Result<Vec<Step>, ScriptError> {
    let mut lines = script.lines().enumerate();
    block(&mut lines, false)
}

fn block(lines: &mut Lines<'_>, within: bool) -> Result<Vec<Step>, ScriptError> {
    let mut steps = Vec::new();
    while let Some((number, line)) = lines.next() {
        let line = line.trim();
        let fault = |reason: String| ScriptError { line: number.saturating_add(1), reason };
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "end" && within {
            return Ok(steps);
        }
        if let Some(times) = line.strip_prefix("repeat ") {
            let times = times.parse().ok().filter(|times| *times <= MOST_TIMES);
            let times = times.ok_or_else(|| fault(format!("not a number of times: {line}")))?;
            steps.push(Step::Repeat(times, block(lines, true)?));
            continue;
        }
        steps.push(step(line).map_err(fault)?);
    }
    if within {
        return Err(ScriptError { line: 0, reason: "a repeat without its end".to_owned() });
    }
    Ok(steps)
}

fn step(line: &str) -> Result<Step, String> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim_start();
    Ok(match word {
        "http" => Step::Http,
        "ask" => Step::Ask,
        "open" => Step::Open,
        "connect" => Step::Connect,
        "request" => Step::Alter(Direction::ClientToServer, edit(rest)?),
        "answer" => Step::Alter(Direction::ServerToClient, edit(rest)?),
        "↑" => said(Direction::ClientToServer, rest)?,
        "↓" => said(Direction::ServerToClient, rest)?,
        "wait" => Step::Wait(span(rest)?),
        "note" => {
            let note = serde_json::from_str(rest).map_err(|error| error.to_string())?;
            Step::Note(Box::new(note))
        }
        _ => return Err(format!("no such word: {word}")),
    })
}

fn said(direction: Direction, rest: &str) -> Result<Step, String> {
    Ok(match rest {
        "FIN" => Step::Finish(direction, Finish::Fin),
        "RST" => Step::Finish(direction, Finish::Reset),
        _ if rest.starts_with('"') => {
            let text = rest.trim_start_matches('"').trim_end_matches('"');
            Step::Octets(direction, unescape(text)?)
        }
        _ => Step::Octets(direction, octets(rest)?),
    })
}

fn edit(rest: &str) -> Result<Edit, String> {
    if let Some(name) = rest.strip_prefix("- ") {
        return Ok(Edit::Remove(name.to_owned()));
    }
    if let Some(line) = rest.strip_prefix("+ ") {
        return Ok(Edit::Add(unescape(line)?));
    }
    match rest.split_once(':') {
        Some((name, _)) if !name.contains(' ') => Ok(Edit::Set(name.to_owned(), unescape(rest)?)),
        _ if rest.contains("HTTP/") => Ok(Edit::Start(unescape(rest)?)),
        _ => Err(format!("neither a start line nor a field: {rest}")),
    }
}

fn span(rest: &str) -> Result<Duration, String> {
    let fault = || format!("not a span of time in ms or s: {rest}");
    let (number, unit) = rest.split_once(' ').ok_or_else(fault)?;
    let number: f64 = number.parse().map_err(|_| fault())?;
    let secs = match unit {
        "s" => number,
        "ms" => number / 1e3,
        _ => return Err(fault()),
    };
    Duration::try_from_secs_f64(secs).map_err(|_| fault())
}

/// Pairs of hex digits with spaces between; `(6162)*3` is a group three times.
fn octets(rest: &str) -> Result<Vec<u8>, String> {
    let mut all = Vec::new();
    for word in rest.split_ascii_whitespace() {
        let (digits, times) = match word.strip_prefix('(').and_then(|word| word.split_once(")*")) {
            Some((digits, times)) => {
                (digits, times.parse::<usize>().map_err(|_| format!("not a number: {times}"))?)
            }
            None => (word, 1),
        };
        let group = hex(digits).ok_or_else(|| format!("not pairs of hex digits: {digits}"))?;
        let len = group.len().saturating_mul(times).saturating_add(all.len());
        if len > MOST_OCTETS {
            return Err(format!("more than {MOST_OCTETS} octets"));
        }
        all.extend(group.repeat(times));
    }
    if all.is_empty() { Err("no octets".to_owned()) } else { Ok(all) }
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = digits
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|value| value.try_into().ok()))
        .collect();
    let digits = digits?;
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    Some(
        pairs
            .filter_map(|pair| if let [high, low] = pair { Some(high << 4 | low) } else { None })
            .collect(),
    )
}

/// `\r`, `\n`, `\t`, `\\` and `\xHH` as they are meant.
fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        octets.extend_from_slice(before.as_bytes());
        let mut characters = after.chars();
        let octet = match characters.next() {
            Some('r') => b'\r',
            Some('n') => b'\n',
            Some('t') => b'\t',
            Some('\\') => b'\\',
            Some('x') => {
                let digits: String = characters.by_ref().take(2).collect();
                match hex(&digits).as_deref() {
                    Some([octet]) => *octet,
                    _ => return Err(format!("not two hex digits: {digits}")),
                }
            }
            other => return Err(format!("no such escape: {other:?}")),
        };
        octets.push(octet);
        rest = characters.as_str();
    }
    octets.extend_from_slice(rest.as_bytes());
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: Direction = Direction::ClientToServer;

    #[test]
    fn each_line_is_one_step() {
        let read = steps(
            "\n  # a remark\n request - Host\nrequest X: a\\x00\nrequest + Y : b\\r\\n c\n\
             request GET / HTTP/1.0\n↑ 81 (0a0b)*2\n↑ \"a\\r\\n\"\n↑ RST\nwait 1.5 s\n\
             repeat 2\nopen\nend\n",
        )
        .unwrap();
        assert_eq!(
            read,
            [
                Step::Alter(UP, Edit::Remove("Host".into())),
                Step::Alter(UP, Edit::Set("X".into(), b"X: a\0".to_vec())),
                Step::Alter(UP, Edit::Add(b"Y : b\r\n c".to_vec())),
                Step::Alter(UP, Edit::Start(b"GET / HTTP/1.0".to_vec())),
                Step::Octets(UP, vec![0x81, 10, 11, 10, 11]),
                Step::Octets(UP, b"a\r\n".to_vec()),
                Step::Finish(UP, Finish::Reset),
                Step::Wait(Duration::from_millis(1500)),
                Step::Repeat(2, vec![Step::Open]),
            ]
        );
    }

    #[test]
    fn what_is_no_step_is_told_with_its_line() {
        for (script, line) in [
            ("open\nopne", 2),
            ("↑ 8", 1),
            ("↑ ", 1),
            ("↑ (00)*99999999", 1),
            ("\nwait long", 2),
            ("wait 1 h", 1),
            ("repeat x\nend", 1),
            ("repeat 2\nopen", 0),
            ("request nothing", 1),
            ("request + a\\q", 1),
            ("note {", 1),
            ("end", 1),
        ] {
            assert_eq!(steps(script).unwrap_err().line, line, "{script:?}");
        }
    }
}
