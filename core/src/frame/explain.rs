//! What each field of a frame means, RFC 6455 §5.2, for somebody who has not read the RFC: in a few
//! words for a table, in a sentence for a pane.

use crate::Direction;
use crate::frame::{CloseBody, CloseCode, LengthForm, MaskingKey, Opcode, PayloadLength};

const FRAMING: &str = "RFC 6455 §5.2";
const COMPRESSION: &str = "RFC 7692 §6";

/// What a field means with the value it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// A few words, without a full stop.
    pub brief: String,
    /// One or two sentences that go on after the field's name, its value and a colon.
    pub sentence: String,
    /// Where the standard says so.
    pub section: &'static str,
}

fn meaning(
    brief: impl Into<String>,
    sentence: impl Into<String>,
    section: &'static str,
) -> Meaning {
    Meaning { brief: brief.into(), sentence: sentence.into(), section }
}

/// The FIN bit.
pub fn fin(is_set: bool, opcode: Opcode) -> Meaning {
    match (is_set, opcode.is_control()) {
        (true, true) => meaning(
            "whole, as every control frame must be",
            "always so on a control frame, which must not be fragmented.",
            "RFC 6455 §5.5",
        ),
        (true, false) => meaning(
            "the last frame of its message",
            "the message ends with this frame.",
            "RFC 6455 §5.4",
        ),
        (false, true) => meaning(
            "a control frame must not be fragmented",
            "a control frame must not be fragmented, so the receiver must fail the connection.",
            "RFC 6455 §5.5",
        ),
        (false, false) => meaning(
            "further frames of this message follow",
            "the message goes on; its next part comes in a continuation frame.",
            "RFC 6455 §5.4",
        ),
    }
}

/// The RSV1 bit; `compressed` where it is known whether the message is.
pub fn rsv1(is_set: bool, opcode: Opcode, compressed: Option<bool>) -> Meaning {
    match (is_set, compressed) {
        (true, _) if !opcode.begins_message() => meaning(
            "set where only an extension may set it",
            "only the first frame of a message may carry permessage-deflate's mark; \
             unless another extension claims the bit, it must be 0.",
            FRAMING,
        ),
        (true, Some(true)) => meaning(
            "compressed",
            "permessage-deflate claims this bit to mark the first frame of a compressed message.",
            COMPRESSION,
        ),
        (true, _) => meaning(
            "compressed, if permessage-deflate was agreed on",
            "permessage-deflate would mark a compressed message so; \
             without an extension that claims the bit, it must be 0.",
            COMPRESSION,
        ),
        (false, Some(true)) => meaning(
            "unused",
            "only the first frame of a compressed message carries the mark; this one follows it.",
            COMPRESSION,
        ),
        (false, _) if opcode.begins_message() => meaning(
            "not compressed",
            "the message is not compressed; permessage-deflate would set this bit.",
            COMPRESSION,
        ),
        (false, _) => meaning(
            "unused",
            "only the first frame of a compressed message would carry permessage-deflate's mark.",
            FRAMING,
        ),
    }
}

/// The RSV2 or the RSV3 bit.
pub fn rsv(is_set: bool) -> Meaning {
    if is_set {
        meaning(
            "set where only an extension may set it",
            "no registered extension uses this bit. Unless one was agreed on that does, \
             the receiver must fail the connection.",
            FRAMING,
        )
    } else {
        meaning("unused", "reserved for extensions, and none uses it here.", FRAMING)
    }
}

/// The opcode.
pub fn opcode(opcode: Opcode) -> Meaning {
    match opcode {
        Opcode::Continuation => meaning(
            "goes on with a fragmented message",
            "goes on with the message that an earlier frame began.",
            "RFC 6455 §5.4",
        ),
        Opcode::Text => meaning(
            "begins a text message",
            "begins a text message, which must be UTF-8 as a whole.",
            "RFC 6455 §5.6",
        ),
        Opcode::Binary => meaning(
            "begins a binary message",
            "begins a binary message; what its octets mean is up to the application.",
            "RFC 6455 §5.6",
        ),
        Opcode::ReservedNonControl(_) => meaning(
            "reserved for further data frames",
            "reserved for data frames yet to be defined, so the receiver must fail the connection.",
            FRAMING,
        ),
        Opcode::Close => meaning(
            "closes the connection",
            "the sender will send nothing more and asks for a Close in return.",
            "RFC 6455 §5.5.1",
        ),
        Opcode::Ping => meaning(
            "asks for a pong",
            "asks the peer for a pong with the same payload, to see whether it is still there.",
            "RFC 6455 §5.5.2",
        ),
        Opcode::Pong => meaning(
            "answers a ping, or says \"alive\" unasked",
            "answers a ping with its payload, or says unasked that the sender is still there.",
            "RFC 6455 §5.5.3",
        ),
        Opcode::ReservedControl(_) => meaning(
            "reserved for further control frames",
            "reserved for control frames yet to be defined, so the receiver must fail the connection.",
            FRAMING,
        ),
    }
}

/// The MASK bit; `sender` is the direction the frame went, where it is known.
pub fn mask(is_set: bool, sender: Option<Direction>) -> Meaning {
    let brief = if is_set {
        "masked, as everything a client sends must be"
    } else {
        "not masked, as everything a server sends must be"
    };
    match (is_set, sender) {
        (true, Some(Direction::ClientToServer)) => meaning(
            brief,
            "a client masks every frame it sends, so that no script can choose the octets that \
             cross a proxy.",
            "RFC 6455 §5.3",
        ),
        (false, Some(Direction::ServerToClient)) => meaning(
            brief,
            "a server never masks what it sends; the payload is as it stands.",
            "RFC 6455 §5.1",
        ),
        (false, Some(Direction::ClientToServer)) => meaning(
            "not masked, though a client must",
            "a client must mask every frame it sends. The server must close the connection, \
             with 1002 if it likes.",
            "RFC 6455 §5.1",
        ),
        (true, Some(Direction::ServerToClient)) => meaning(
            "masked, though a server must not",
            "a server must not mask. The client must close the connection.",
            "RFC 6455 §5.1",
        ),
        (_, None) => meaning(brief, format!("{brief}."), "RFC 6455 §5.1"),
    }
}

/// The payload length in all its forms.
pub fn length(length: PayloadLength) -> Meaning {
    let mut sentence = match length.form {
        LengthForm::Seven => {
            "up to 125 fits in these seven bits; 126 and 127 announce a longer form.".to_owned()
        }
        LengthForm::Sixteen => {
            "the seven bits say 126, so the next two octets hold the length, most significant first."
                .to_owned()
        }
        LengthForm::SixtyFour => {
            "the seven bits say 127, so the next eight octets hold the length, most significant first."
                .to_owned()
        }
    };
    if length.is_forbidden() {
        sentence.push_str(" The topmost of its 64 bits must be 0, and here it is 1.");
    } else if !length.is_minimal() {
        sentence.push_str(" A shorter form would do, and the shortest must be used.");
    }
    meaning(length_form(length.form), sentence, FRAMING)
}

/// Where the seven bits of the second octet say that the length is.
pub const fn length_form(form: LengthForm) -> &'static str {
    match form {
        LengthForm::Seven => "the length is in these 7 bits",
        LengthForm::Sixteen => "the length follows in 16 bits",
        LengthForm::SixtyFour => "the length follows in 64 bits",
    }
}

/// The masking key, or that there is none.
pub fn masking_key(key: Option<MaskingKey>) -> Meaning {
    let brief = "payload octet i is XORed with key octet i mod 4";
    match key {
        Some(MaskingKey([0, 0, 0, 0])) => meaning(
            brief,
            "masks nothing, as x ⊕ 0 = x. It should be picked at random for each frame.",
            "RFC 6455 §5.3, §10.3",
        ),
        Some(_) => meaning(
            brief,
            "payload octet i was sent as data octet i ⊕ key octet i mod 4. \
             The client picks a new key for each frame.",
            "RFC 6455 §5.3",
        ),
        None => meaning("MASK is 0", "MASK is 0, so none follows.", FRAMING),
    }
}

/// The payload of a frame with this opcode.
pub fn payload(opcode: Opcode, compressed: bool, masked: bool) -> Meaning {
    let (brief, section) = match opcode {
        Opcode::Text => ("text, UTF-8", "RFC 6455 §5.6"),
        Opcode::Binary => ("octets with a meaning of the application's own", "RFC 6455 §5.6"),
        Opcode::Continuation => ("goes on where the frame before left off", "RFC 6455 §5.4"),
        Opcode::Close => ("a status code and a reason", "RFC 6455 §5.5.1"),
        Opcode::Ping => ("comes back in the pong", "RFC 6455 §5.5.2"),
        Opcode::Pong => ("what the ping carried", "RFC 6455 §5.5.3"),
        Opcode::ReservedNonControl(_) | Opcode::ReservedControl(_) => ("unknown", FRAMING),
    };
    if opcode.is_control() {
        let sentence = "application data of a control frame, at most 125 octets.";
        return meaning(brief, sentence, section);
    }
    let sentence = match (compressed, masked) {
        (true, true) => "compressed with DEFLATE, then masked. Below is what it unpacks to.",
        (true, false) => "compressed with DEFLATE. Below is what it unpacks to.",
        (false, true) => "the data, masked. Below it is unmasked.",
        (false, false) => "the data, as it stands.",
    };
    if compressed {
        meaning(format!("{brief}; compressed"), sentence, "RFC 7692 §7.2")
    } else {
        meaning(brief, sentence, section)
    }
}

/// The body of a Close frame.
pub fn close_body(body: &CloseBody<'_>) -> Meaning {
    match body {
        CloseBody::Empty => meaning(
            "no status code",
            "the application at the other end is told 1005, no status received.",
            "RFC 6455 §7.1.5",
        ),
        CloseBody::OneOctet(_) => meaning(
            "one octet, which is no status code",
            "a close code takes two, so the receiver must fail the connection.",
            "RFC 6455 §5.5.1",
        ),
        CloseBody::Status { code, .. } => meaning(code.name(), close_code(*code), "RFC 6455 §7.4"),
    }
}

/// What a close code says, in words.
pub const fn close_code(code: CloseCode) -> &'static str {
    match code.0 {
        1000 => "the purpose of the connection is fulfilled.",
        1001 => "the endpoint goes away: a server shuts down, or a browser leaves the page.",
        1002 => "the endpoint met a protocol error.",
        1003 => {
            "the endpoint got a kind of data it cannot accept, such as binary where it wants text."
        }
        1007 => {
            "the endpoint got data that is not what its message type says, such as text that is not UTF-8."
        }
        1008 => {
            "the endpoint got a message that breaks its policy; the code for when no other fits."
        }
        1009 => "the endpoint got a message that is too big for it.",
        1010 => "the client needed an extension that the server did not agree to.",
        1011 => "the server met an unexpected condition and cannot go on.",
        1012 => "the service restarts; a client may come back, after a random pause of 5 to 30 s.",
        1013 => {
            "the service is overloaded; a client should try another address or come back later."
        }
        1014 => "the server is a gateway and got an invalid answer from the server behind it.",
        1004..=1006 | 1015 => {
            "this code is for programs to tell each other locally, and must never be sent."
        }
        3000 => "the endpoint has to be authorized first, as with HTTP's 401.",
        3003 => "the endpoint is not permitted to do this, as with HTTP's 403.",
        3008 => "the endpoint took too long to answer, as with HTTP's 408.",
        3001..=3999 => {
            "its meaning is that of a library or framework; IANA registers such codes, and not this one."
        }
        4000..=4999 => "its meaning is private to this application.",
        _ => "this code is not assigned and must not be sent.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Meaning> {
        let mut all = Vec::new();
        for bits in 0..=0xF {
            let code = Opcode::from_bits(bits);
            all.push(opcode(code));
            for is_set in [false, true] {
                all.push(fin(is_set, code));
                all.push(rsv(is_set));
                let known = [None, Some(false), Some(true)];
                all.extend(known.map(|compressed| rsv1(is_set, code, compressed)));
                all.extend([false, true].map(|masked| payload(code, is_set, masked)));
                let senders =
                    [None, Some(Direction::ClientToServer), Some(!Direction::ClientToServer)];
                all.extend(senders.map(|sender| mask(is_set, sender)));
            }
        }
        for value in [0, 126, 1 << 16, 1 << 63] {
            for form in [LengthForm::Seven, LengthForm::Sixteen, LengthForm::SixtyFour] {
                all.push(length(PayloadLength { value, form }));
            }
        }
        all.extend([None, Some([0; 4]), Some([1; 4])].map(|key| masking_key(key.map(MaskingKey))));
        all.extend([&b""[..], b"x", b"\x03\xe8"].map(|body| close_body(&CloseBody::parse(body))));
        all
    }

    #[test]
    fn every_value_has_words_a_sentence_and_a_section() {
        for meaning in all() {
            assert!(!meaning.brief.is_empty() && !meaning.brief.ends_with('.'), "{meaning:?}");
            assert!(meaning.sentence.ends_with('.'), "{meaning:?}");
            // As the rules spell them: one spelling throughout lets a reader search for it.
            assert!(meaning.section.starts_with("RFC "), "{meaning:?}");
        }
    }

    #[test]
    fn breaches_are_told_where_they_lie() {
        let up = Some(Direction::ClientToServer);
        assert!(mask(false, up).sentence.contains("must mask every frame"));
        assert!(mask(true, up.map(|up| !up)).sentence.contains("must not mask"));
        let wordy = PayloadLength { value: 5, form: LengthForm::Sixteen };
        assert!(length(wordy).sentence.contains("the shortest must be used"));
        assert!(length(PayloadLength::minimal(1 << 63)).sentence.contains("must be 0"));
        assert!(rsv(true).sentence.contains("fail the connection"));
        assert!(rsv1(true, Opcode::Continuation, Some(true)).brief.contains("only an extension"));
    }

    #[test]
    fn codes_that_must_not_be_sent_are_said_to_be_so() {
        for code in 0..=u16::MAX {
            let code = CloseCode(code);
            let forbids = close_code(code).contains("must");
            assert_eq!(forbids, !code.may_be_sent(), "{code}");
        }
    }
}
