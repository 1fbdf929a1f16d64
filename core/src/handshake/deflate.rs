//! permessage-deflate's parameters, RFC 7692 §7.1: what was offered, answered, and is agreed on.

use crate::handshake::Extension;

/// The extension's name.
pub const PERMESSAGE_DEFLATE: &str = "permessage-deflate";

/// permessage-deflate as agreed on (RFC 7692 §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeflateParams {
    /// The client forgets its window after each message.
    pub client_no_context_takeover: bool,
    /// The server forgets its window after each message.
    pub server_no_context_takeover: bool,
    /// Base-2 logarithm of the client's window: 8–15.
    pub client_max_window_bits: u8,
    /// Base-2 logarithm of the server's window: 8–15.
    pub server_max_window_bits: u8,
}

impl Default for DeflateParams {
    /// As agreed on where the answer has no parameters.
    fn default() -> Self {
        Self {
            client_no_context_takeover: false,
            server_no_context_takeover: false,
            client_max_window_bits: 15,
            server_max_window_bits: 15,
        }
    }
}

/// What came of a negotiation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeflateAgreement {
    /// What both sides go by, where the answer names permessage-deflate. Also where it breaks the
    /// rules: then as far as its meaning is clear, for the octets that follow are compressed anyway.
    pub params: Option<DeflateParams>,
    /// What is wrong with the answer, one line each; empty where a client may accept it.
    pub faults: Vec<String>,
}

impl DeflateParams {
    /// Holds the answer in `chosen` against the offers in `offered` (RFC 7692 §7.1). Where there are
    /// several offers, the answer is to the one that it suits best.
    pub fn agreed(offered: &[Extension], chosen: &[Extension]) -> DeflateAgreement {
        let mut answers = chosen.iter().filter(|extension| is_permessage_deflate(extension));
        let Some(answer) = answers.next() else { return DeflateAgreement::default() };

        let (answer, mut faults) = Params::read(answer, Side::Answer);
        if answers.next().is_some() {
            faults.push(format!("{PERMESSAGE_DEFLATE} is answered more than once"));
        }
        let offers = offered.iter().filter(|extension| is_permessage_deflate(extension));
        let unsuited = offers
            .map(|offer| {
                let (offer, offer_faults) = Params::read(offer, Side::Offer);
                let mut unsuited = answer.faults_against(&offer);
                // "A server MUST decline an extension negotiation offer for this extension if any of
                // the following conditions are met" (§7.1).
                if !offer_faults.is_empty() {
                    unsuited.push("the offer that it answers had to be declined".to_owned());
                }
                unsuited
            })
            .min_by_key(Vec::len);
        faults.extend(unsuited.unwrap_or_default());

        let params = Self {
            client_no_context_takeover: answer.client_no_context_takeover,
            server_no_context_takeover: answer.server_no_context_takeover,
            client_max_window_bits: answer.client_max_window_bits.or_default(),
            server_max_window_bits: answer.server_max_window_bits.or_default(),
        };
        DeflateAgreement { params: Some(params), faults }
    }

    /// What is wrong with an offer, one line each, so that a server must decline it (RFC 7692 §7.1):
    /// nothing where it is another extension's.
    pub fn offer_faults(offer: &Extension) -> Vec<String> {
        if is_permessage_deflate(offer) { Params::read(offer, Side::Offer).1 } else { Vec::new() }
    }
}

/// Case is forgiven here, so that the octets that follow are inflated; whether the answer was among
/// the offers is judged to the letter elsewhere.
fn is_permessage_deflate(extension: &Extension) -> bool {
    extension.name.eq_ignore_ascii_case(PERMESSAGE_DEFLATE)
}

/// Who sends a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Offer,
    Answer,
}

/// A parameter that has a window size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum WindowBits {
    #[default]
    Absent,
    /// It is there, without a value that can be used.
    Open,
    Bits(u8),
}

impl WindowBits {
    fn or_default(self) -> u8 {
        if let Self::Bits(bits) = self { bits } else { 15 }
    }
}

/// One offer's or answer's parameters, as far as they can be read.
#[derive(Debug, Default)]
struct Params {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: WindowBits,
    client_max_window_bits: WindowBits,
}

impl Params {
    /// Reads the parameters; the first of several with one name counts.
    fn read(extension: &Extension, side: Side) -> (Self, Vec<String>) {
        let (mut params, mut faults) = (Self::default(), Vec::new());
        for (name, value) in &extension.params {
            let value = value.as_deref();
            let is_doubled = match name.as_str() {
                "server_no_context_takeover" => {
                    flag(&mut params.server_no_context_takeover, name, value, &mut faults)
                }
                "client_no_context_takeover" => {
                    flag(&mut params.client_no_context_takeover, name, value, &mut faults)
                }
                "server_max_window_bits" => {
                    bits(&mut params.server_max_window_bits, name, value, false, &mut faults)
                }
                "client_max_window_bits" => {
                    let is_optional = side == Side::Offer;
                    bits(&mut params.client_max_window_bits, name, value, is_optional, &mut faults)
                }
                _ => {
                    faults.push(format!("{name} is no parameter of {PERMESSAGE_DEFLATE}"));
                    false
                }
            };
            if is_doubled {
                faults.push(format!("{name} is there more than once"));
            }
        }
        (params, faults)
    }

    /// What this answer has that `offer` does not allow, or lacks that it demands.
    fn faults_against(&self, offer: &Self) -> Vec<String> {
        let mut faults = Vec::new();
        // "A server accepts an extension negotiation offer that includes the
        // "server_no_context_takeover" extension parameter by including [it] in the corresponding
        // extension negotiation response" (§7.1.1.1). The client's may be answered or not (§7.1.1.2).
        if offer.server_no_context_takeover && !self.server_no_context_takeover {
            faults.push("server_no_context_takeover was offered and is not answered".to_owned());
        }
        // "[…] by including the "server_max_window_bits" extension parameter in the corresponding
        // extension negotiation response […] with the same or smaller value" (§7.1.2.1).
        match (offer.server_max_window_bits, self.server_max_window_bits) {
            (WindowBits::Bits(most), WindowBits::Absent) => faults
                .push(format!("server_max_window_bits={most} was offered and is not answered")),
            (WindowBits::Bits(most), WindowBits::Bits(bits)) if bits > most => faults.push(
                format!("server_max_window_bits={bits} is larger than the {most} that was offered"),
            ),
            _ => {}
        }
        // "If a received extension negotiation offer doesn't have the "client_max_window_bits"
        // extension parameter, the corresponding extension negotiation response to the offer MUST
        // NOT include [it]" (§7.1.2.2). Its value in the offer is a hint that may be ignored.
        if offer.client_max_window_bits == WindowBits::Absent
            && self.client_max_window_bits != WindowBits::Absent
        {
            faults.push("client_max_window_bits is answered and was not offered".to_owned());
        }
        faults
    }
}

/// Sets a parameter that has no value; says whether it was set before.
fn flag(place: &mut bool, name: &str, value: Option<&str>, faults: &mut Vec<String>) -> bool {
    if let Some(value) = value {
        faults.push(format!("{name}={value} has a value, and may have none"));
    }
    std::mem::replace(place, true)
}

/// Sets a window size, "a decimal integer value without leading zeroes between 8 to 15, inclusive"
/// (§7.1.2); says whether it was set before.
fn bits(
    place: &mut WindowBits,
    name: &str,
    value: Option<&str>,
    is_optional: bool,
    faults: &mut Vec<String>,
) -> bool {
    let read = value.and_then(|value| (8..=15).find(|bits: &u8| bits.to_string() == value));
    match value {
        Some(value) if read.is_none() => {
            faults.push(format!("{name}={value} is not a number from 8 to 15"));
        }
        None if !is_optional => faults.push(format!("{name} has no value")),
        _ => {}
    }
    let is_doubled = *place != WindowBits::Absent;
    if !is_doubled {
        *place = read.map_or(WindowBits::Open, WindowBits::Bits);
    }
    is_doubled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed(offer: &str, answer: &str) -> DeflateAgreement {
        let offered = Extension::parse_list(offer).unwrap();
        DeflateParams::agreed(&offered, &Extension::parse_list(answer).unwrap())
    }

    /// `c` and `s`: no context takeover; then the client's and the server's window bits.
    fn short(params: DeflateParams) -> String {
        let flag = |is_set, letter| if is_set { letter } else { "" };
        format!(
            "{}{}{}/{}",
            flag(params.client_no_context_takeover, "c"),
            flag(params.server_no_context_takeover, "s"),
            params.client_max_window_bits,
            params.server_max_window_bits
        )
    }

    #[test]
    fn answers_that_suit_an_offer_are_agreed_on() {
        let rows = [
            ("permessage-deflate", "permessage-deflate", "15/15"),
            ("permessage-deflate; client_max_window_bits", "permessage-deflate", "15/15"),
            (
                "permessage-deflate; client_max_window_bits",
                "permessage-deflate; client_max_window_bits=10",
                "10/15",
            ),
            (
                "permessage-deflate; client_max_window_bits=9",
                "permessage-deflate; client_max_window_bits=12",
                "12/15",
            ),
            ("permessage-deflate", "permessage-deflate; server_max_window_bits=8", "15/8"),
            (
                "permessage-deflate; server_max_window_bits=10",
                "permessage-deflate; server_max_window_bits=10",
                "15/10",
            ),
            (
                "permessage-deflate; server_max_window_bits=10, permessage-deflate",
                "permessage-deflate",
                "15/15",
            ),
            (
                "permessage-deflate",
                "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
                "cs15/15",
            ),
            ("permessage-deflate; client_no_context_takeover", "permessage-deflate", "15/15"),
            (
                "x-webkit-deflate-frame, permessage-deflate; server_no_context_takeover",
                "permessage-deflate; server_no_context_takeover; server_max_window_bits=\"15\"",
                "s15/15",
            ),
        ];
        for (offer, answer, params) in rows {
            let agreement = agreed(offer, answer);
            assert_eq!(agreement.params.map(short).as_deref(), Some(params), "{offer} | {answer}");
            assert_eq!(agreement.faults, [""; 0], "{offer} | {answer}");
        }
    }

    #[test]
    fn nothing_is_agreed_on_without_an_answer() {
        assert_eq!(agreed("permessage-deflate", "foo"), DeflateAgreement::default());
        assert_eq!(DeflateParams::agreed(&[], &[]), DeflateAgreement::default());
    }

    #[test]
    fn answers_that_break_the_rules_are_told_and_still_of_use() {
        const PLAIN: &str = "permessage-deflate";
        let rows = [
            (PLAIN, "; foo", "15/15", "foo is no parameter of permessage-deflate"),
            (
                PLAIN,
                "; client_max_window_bits=9",
                "9/15",
                "client_max_window_bits is answered and was not offered",
            ),
            (
                "permessage-deflate; client_max_window_bits",
                "; client_max_window_bits",
                "15/15",
                "client_max_window_bits has no value",
            ),
            (PLAIN, "; server_max_window_bits", "15/15", "server_max_window_bits has no value"),
            (
                PLAIN,
                "; server_max_window_bits=7",
                "15/15",
                "server_max_window_bits=7 is not a number from 8 to 15",
            ),
            (
                PLAIN,
                "; server_max_window_bits=16",
                "15/15",
                "server_max_window_bits=16 is not a number from 8 to 15",
            ),
            (
                PLAIN,
                "; server_max_window_bits=08",
                "15/15",
                "server_max_window_bits=08 is not a number from 8 to 15",
            ),
            (
                PLAIN,
                "; server_max_window_bits=+9",
                "15/15",
                "server_max_window_bits=+9 is not a number from 8 to 15",
            ),
            (
                PLAIN,
                "; server_max_window_bits=9; server_max_window_bits=10",
                "15/9",
                "server_max_window_bits is there more than once",
            ),
            (
                PLAIN,
                "; client_no_context_takeover; client_no_context_takeover",
                "c15/15",
                "client_no_context_takeover is there more than once",
            ),
            (
                PLAIN,
                "; server_no_context_takeover=1",
                "s15/15",
                "server_no_context_takeover=1 has a value, and may have none",
            ),
            (
                PLAIN,
                ", permessage-deflate; server_no_context_takeover",
                "15/15",
                "permessage-deflate is answered more than once",
            ),
            (
                "permessage-deflate; server_max_window_bits=10",
                "",
                "15/15",
                "server_max_window_bits=10 was offered and is not answered",
            ),
            (
                "permessage-deflate; server_max_window_bits=10",
                "; server_max_window_bits=11",
                "15/11",
                "server_max_window_bits=11 is larger than the 10 that was offered",
            ),
            (
                "permessage-deflate; server_no_context_takeover",
                "",
                "15/15",
                "server_no_context_takeover was offered and is not answered",
            ),
        ];
        for (offer, tail, params, fault) in rows {
            let agreement = agreed(offer, &format!("permessage-deflate{tail}"));
            assert_eq!(agreement.params.map(short).as_deref(), Some(params), "{tail}");
            assert_eq!(agreement.faults, [fault], "{offer} | {tail}");
        }
    }

    #[test]
    fn an_answer_nobody_asked_for_is_of_use_too() {
        assert_eq!(
            DeflateParams::agreed(&[], &Extension::parse_list("Permessage-Deflate").unwrap()),
            DeflateAgreement { params: Some(DeflateParams::default()), faults: vec![] }
        );
    }

    #[test]
    fn offers_that_a_server_must_decline_are_told() {
        let rows = [
            ("permessage-deflate; client_max_window_bits", None),
            ("permessage-deflate; client_max_window_bits=15; server_max_window_bits=8", None),
            ("foo; server_max_window_bits", None),
            (
                "permessage-deflate; server_max_window_bits",
                Some("server_max_window_bits has no value"),
            ),
            (
                "permessage-deflate; client_max_window_bits=0",
                Some("client_max_window_bits=0 is not a number from 8 to 15"),
            ),
            ("permessage-deflate; x", Some("x is no parameter of permessage-deflate")),
        ];
        for (offer, fault) in rows {
            let offers = Extension::parse_list(offer).unwrap();
            let told = DeflateParams::offer_faults(&offers[0]);
            assert_eq!(told, fault.into_iter().collect::<Vec<_>>(), "{offer}");
        }
    }
}
