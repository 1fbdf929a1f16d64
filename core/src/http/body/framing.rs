//! How long a body is, told by its head (RFC 9112 §6).

use crate::http::Head;

/// How a body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFraming {
    /// There is none.
    Empty,
    /// `Content-Length`.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// Until the sender closes. Also where the head contradicts itself, so that nobody can tell
    /// where the body ends: what follows is then shown as content, never taken for a message.
    UntilClose,
}

/// What an answer is to, as far as its length depends on that (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerTo {
    /// A HEAD request.
    Head,
    /// A CONNECT request.
    Connect,
    /// Any other request.
    Other,
}

impl AnswerTo {
    /// The answer to this request.
    pub fn request(head: &Head) -> Self {
        match head.method() {
            Some("HEAD") => Self::Head,
            Some("CONNECT") => Self::Connect,
            _ => Self::Other,
        }
    }

    /// The method, as [`BodyFraming::of_response`] takes it.
    pub const fn method(self) -> Option<&'static str> {
        match self {
            Self::Head => Some("HEAD"),
            Self::Connect => Some("CONNECT"),
            Self::Other => None,
        }
    }
}

impl BodyFraming {
    /// The body of this request (RFC 9112 §6.3).
    pub fn of_request(head: &Head) -> Self {
        // "If this is a request message and none of the above are true, then the message body
        // length is zero" (no. 7).
        Self::told(head).unwrap_or(Self::Empty)
    }

    /// The body of this response to a request with `method` (RFC 9112 §6.3: HEAD, 1xx, 204, 304,
    /// CONNECT).
    pub fn of_response(head: &Head, method: Option<&str>) -> Self {
        match (method, head.status()) {
            // Whatever the fields say (no. 1); after a 101 and a tunnel's 2xx (no. 2) the octets are
            // of another protocol.
            (Some("HEAD"), _)
            | (_, Some(100..=199 | 204 | 304))
            | (Some("CONNECT"), Some(200..=299)) => Self::Empty,
            _ => Self::told(head).unwrap_or(Self::UntilClose),
        }
    }

    /// What `Transfer-Encoding` and `Content-Length` say; `None` where neither is there.
    fn told(head: &Head) -> Option<Self> {
        // "If a message is received with both a Transfer-Encoding and a Content-Length header field,
        // the Transfer-Encoding overrides the Content-Length" (no. 3). `identity` is RFC 2616's word
        // for no coding.
        let mut codings = head.tokens("Transfer-Encoding");
        codings.retain(|coding| !coding.eq_ignore_ascii_case("identity"));
        if let Some(last) = codings.last() {
            let is_chunked = last.eq_ignore_ascii_case("chunked");
            return Some(if is_chunked { Self::Chunked } else { Self::UntilClose });
        }
        Self::content_length(head)
    }

    /// "[…] all values in the list are identical […] or the values are invalid" (no. 5).
    fn content_length(head: &Head) -> Option<Self> {
        let mut agreed = None;
        for element in head.values("Content-Length").flat_map(|value| value.split(|o| *o == b',')) {
            let Some(length) = decimal(element.trim_ascii()) else { return Some(Self::UntilClose) };
            if *agreed.get_or_insert(length) != length {
                return Some(Self::UntilClose);
            }
        }
        agreed.map(Self::Length)
    }
}

/// `1*DIGIT` that fits 64 bits.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, octet| {
        let digit = char::from(*octet).to_digit(10)?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}
