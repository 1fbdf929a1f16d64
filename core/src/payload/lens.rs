//! How somebody wants payloads read: as what they seem to be, or always as one format.

use super::{Confidence, Detection, Format, Hints, Limits, View, detect, protobuf, view};

/// A way to look at payloads that stays from one to the next.
#[derive(Debug, Clone, Default)]
pub struct Lens {
    /// The format that somebody asked for; `None` reads each payload as what it seems to be.
    pub format: Option<Format>,
    /// What Protobuf payloads are, where a schema tells it.
    pub message_type: Option<protobuf::MessageType>,
}

/// A payload seen through a [`Lens`].
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Why it was read as [`View::format`]: in words that go on after "because it", or `as asked for`.
    pub reason: String,
    /// How much the reason proves; `None` where somebody asked for the format.
    pub confidence: Option<Confidence>,
    /// What it says.
    pub view: View,
}

impl Lens {
    /// Reads `payload`. A message type makes Protobuf, where it is possible, the likeliest format.
    pub fn see(&self, payload: &[u8], hints: &Hints<'_>, limits: &Limits) -> Seen {
        let (format, reason, confidence) = if let Some(format) = self.format {
            (format, "as asked for".to_owned(), None)
        } else {
            let Detection { format, reason, confidence } = self.detect(payload, hints);
            (format, reason, Some(confidence))
        };
        let view = match &self.message_type {
            Some(message_type) if format == Format::Protobuf => {
                View::of_tree(format, message_type.read(payload, limits))
            }
            _ => view(format, payload, limits),
        };
        Seen { reason, confidence, view }
    }

    fn detect(&self, payload: &[u8], hints: &Hints<'_>) -> Detection {
        let Some(message_type) = &self.message_type else { return detect(payload, hints) };
        let schema = format!("protobuf {}", message_type.name());
        let names: Vec<&str> = hints.names.iter().copied().chain([schema.as_str()]).collect();
        detect(payload, &Hints { names: &names, ..*hints })
    }
}

impl Confidence {
    /// `possible`, `likely` or `certain`: the spelling of the exports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Body, Notation};
    use super::*;

    fn shown(lens: &Lens, payload: &[u8]) -> (Format, String, String) {
        let seen = lens.see(payload, &Hints::default(), &Limits::VIEW);
        let text = match &seen.view.body {
            Body::Tree(tree) => Notation::new(tree, payload).compact(80),
            _ => seen.view.summary(payload, 80),
        };
        (seen.view.format, seen.reason, text)
    }

    #[test]
    fn a_format_asked_for_beats_what_the_payload_seems_to_be() {
        let told = shown(&Lens::default(), b"\x93\x01\x02\x03");
        assert_eq!(told.0, Format::MessagePack);
        let lens = Lens { format: Some(Format::Octets), ..Lens::default() };
        let seen = lens.see(b"[1]", &Hints::default(), &Limits::VIEW);
        assert_eq!((seen.view.format, seen.confidence), (Format::Octets, None));
        assert_eq!(seen.reason, "as asked for");
    }

    #[test]
    fn a_message_type_names_fields_and_makes_protobuf_likelier() {
        let schema = protobuf::samples::schema();
        let lens = Lens { format: None, message_type: schema.message_type("market.Quote") };
        // Numbers in a row are a sequence of small integers in MessagePack and in CBOR too.
        let (format, reason, text) = shown(&lens, b"\x18\x01\x20\x03");
        assert_eq!((format, text.as_str()), (Format::Protobuf, "{side: SIDE_BUY change: -2}"));
        assert!(reason.ends_with("and protobuf market.Quote names it"), "{reason}");
        let (format, ..) = shown(&lens, br#"{"symbol":"A"}"#);
        assert_eq!(format, Format::Json, "what cannot be Protobuf is told as ever");
        assert!(schema.message_type("market.Trade").is_none());
    }
}
