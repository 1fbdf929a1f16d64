//! A finding as it is told: its numbers are those of the lists.

use framescope_core::present::numbers::thousands;
use framescope_core::{ConnectionId, Diagnostic, Index};

use super::contents::message_of_frame;

/// Numbers with fewer digits stay as they are: close codes have four.
const LEAST_DIGITS: usize = 5;

/// `finding` with the message it is about numbered as the list of messages numbers it.
pub(crate) fn as_listed(
    index: &Index,
    connection: ConnectionId,
    finding: &Diagnostic,
) -> Diagnostic {
    let frame = finding
        .place
        .frame
        .and_then(|ordinal| index.frame_row(connection, finding.direction, ordinal));
    let number = frame.and_then(|row| message_of_frame(index, row)).map(|row| row as u64 + 1);
    let mut finding = finding.clone();
    finding.evidence = evidence(&finding.evidence, number);
    finding
}

/// Evidence counts messages by direction; the list counts all of them.
fn evidence(evidence: &str, number: Option<u64>) -> String {
    const MESSAGE: &str = "message ";
    let renumbered = number.zip(evidence.strip_prefix(MESSAGE)).and_then(|(number, rest)| {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        (end > 0).then(|| format!("{MESSAGE}{}{}", thousands(number), &rest[end..]))
    });
    separated(renumbered.as_deref().unwrap_or(evidence))
}

/// Thousands apart in the numbers that stand by themselves; what was sent stays as it is in its quotes.
fn separated(text: &str) -> String {
    let mut is_quoted = false;
    let word = |word: &str| {
        let was_quoted = is_quoted;
        is_quoted ^= word.matches('"').count() % 2 == 1;
        let digits = word.trim_end_matches([',', ';', ':', '.', ')']);
        let is_number = digits.len() >= LEAST_DIGITS
            && !digits.starts_with('0')
            && digits.bytes().all(|octet| octet.is_ascii_digit());
        match digits.parse::<u64>() {
            Ok(number) if is_number && !was_quoted => {
                format!("{}{}", thousands(number), &word[digits.len()..])
            }
            _ => word.to_owned(),
        }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_numbered_as_in_the_list() {
        let rows = [
            ("message 15 has 5000004 octets", Some(31), "message 31 has 5,000,004 octets"),
            ("message 15: it is cut", Some(1031), "message 1,031: it is cut"),
            ("message 15: it is cut", None, "message 15: it is cut"),
            ("messages 15", Some(3), "messages 15"),
            ("closed with 1006", None, "closed with 1006"),
            (
                "the key \"12345 12345\" of 12345, 00012345",
                None,
                "the key \"12345 12345\" of 12,345, 00012345",
            ),
        ];
        for (told, number, words) in rows {
            assert_eq!(evidence(told, number), words);
        }
    }
}
