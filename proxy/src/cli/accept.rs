//! `framescope accept`: `Sec-WebSocket-Accept` derived step by step.

use std::fmt::Write as _;
use std::io::Write;

use framescope_core::handshake::AcceptDerivation;
use framescope_core::handshake::accept::GUID;

use super::{Outcome, put};
use crate::view::{Palette, Role, escape};

/// Derive `Sec-WebSocket-Accept` from a key, step by step
#[derive(Debug, clap::Args)]
pub struct AcceptArgs {
    /// The value of `Sec-WebSocket-Key`: 16 octets in base64
    key: String,
    /// Print the value alone
    #[arg(short, long)]
    quiet: bool,
}

/// Writes the derivation.
pub fn run(args: &AcceptArgs, palette: Palette, out: &mut impl Write) -> Outcome {
    let derivation = AcceptDerivation::new(args.key.trim());
    if args.quiet {
        return put(out, &format!("{}\n", derivation.accept));
    }
    put(out, &steps(&derivation, palette))
}

fn steps(derivation: &AcceptDerivation, palette: Palette) -> String {
    let mut out = String::new();
    let mut step = |label: &str, role: Role, value: &str, remark: &str| {
        let label = palette.paint(Role::Weak, label);
        let gap = if remark.is_empty() { "" } else { "  " };
        let (value, remark) = (palette.paint(role, value), palette.paint(Role::Weak, remark));
        let _ = writeln!(out, "{label:<22}{value}{gap}{remark}");
    };
    let key = escape::text(&derivation.key, 200);
    step("Sec-WebSocket-Key", Role::Key, &key, "");
    let (nonce, remark) = match derivation.nonce {
        Some(nonce) => (hex(&nonce), "16 octets of base64, as RFC 6455 §4.1 asks"),
        None => ("✗ not 16 octets of base64".to_owned(), "servers hash the text all the same"),
    };
    let role = if derivation.nonce.is_some() { Role::Text } else { Role::Error };
    step("  its octets", role, &nonce, remark);
    step("+ GUID", Role::Text, GUID, "RFC 6455 §1.3");
    step("= text", Role::Text, &escape::text(&derivation.concatenated, 260), "");
    step("SHA-1 of it", Role::Text, &hex(&derivation.sha1), "20 octets");
    step("in base64", Role::Payload, &derivation.accept, "");
    let _ = writeln!(
        out,
        "\nSec-WebSocket-Accept: {}",
        palette.paint(Role::Payload, &derivation.accept)
    );
    if derivation.nonce.is_none() {
        let why = palette.paint(Role::Warning, why_invalid(&derivation.key));
        let _ = writeln!(out, "\n{} {why}", palette.paint(Role::Warning, "▲"));
    }
    out
}

/// What is wrong with a key, in words.
fn why_invalid(key: &str) -> String {
    let len = key.chars().count();
    let foreign = key
        .chars()
        .enumerate()
        .find(|(_, c)| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/' | '='));
    match (foreign, len) {
        (_, 0) => "the key is empty; send 16 random octets in base64".to_owned(),
        (Some((place, character)), _) => {
            let shown = escape::text(&character.to_string(), 12);
            format!("'{shown}' at column {} is no base64 (RFC 4648 §4)", place + 1)
        }
        (None, 24) => "24 characters, but they do not stand for 16 octets".to_owned(),
        (None, len) => format!("{len} characters; 16 octets take 24, the last two of them =="),
    }
}

fn hex(octets: &[u8]) -> String {
    let mut out = String::new();
    escape::push_hex(&mut out, octets, usize::MAX);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_key_is_told() {
        let rows = [
            ("", "the key is empty; send 16 random octets in base64"),
            ("dGhlIHNhbXBsZSBub25jZQ", "22 characters; 16 octets take 24, the last two of them =="),
            ("dGhlIHNhbXBsZSBub25j!Q==", "'!' at column 21 is no base64 (RFC 4648 §4)"),
            ("dGhlIHNhbXBsZSBub25jZQQQ", "24 characters, but they do not stand for 16 octets"),
        ];
        for (key, why) in rows {
            assert_eq!(why_invalid(key), why);
        }
    }
}
