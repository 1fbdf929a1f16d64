//! Answers of the proxy's own: few, short, and marked as such.

use bytes::Bytes;
use framescope_core::Direction;
use framescope_core::connection::Alteration;

/// An answer that the upstream did not give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Head and body as they are sent.
    pub octets: Bytes,
    /// The same as the capture is told it.
    pub alteration: Alteration,
}

impl Answer {
    /// `502 Bad Gateway` with one line that says why, instead of `from`.
    pub fn bad_gateway(reason: &str, from: &str, method: Option<&str>) -> Self {
        let status = "502 Bad Gateway";
        let body = format!("Framescope: {reason}\n");
        let mut octets = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
            body.len()
        );
        // RFC 9110 §9.3.2: the answer to HEAD has no content.
        if method != Some("HEAD") {
            octets.push_str(&body);
        }
        let alteration = Alteration {
            direction: Direction::ServerToClient,
            what: "answer".into(),
            from: from.into(),
            to: status.into(),
        };
        Self { octets: octets.into(), alteration }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_to_head_has_the_length_but_no_content() {
        let get = Answer::bad_gateway("no way", "", Some("GET")).octets;
        let head = Answer::bad_gateway("no way", "", Some("HEAD")).octets;
        assert!(get.ends_with(b"\r\n\r\nFramescope: no way\n"), "{}", get.escape_ascii());
        assert!(get.starts_with(&head) && head.ends_with(b"\r\n\r\n"));
    }
}
