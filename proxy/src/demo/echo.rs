//! `/echo`: returns each message as it came; the text `close CODE REASON` closes with that code.
//!
//! Any code from 0 to 65535 is sent as asked, those that RFC 6455 §7.4 forbids on the wire as well:
//! so one can see how a client, and the inspector, take it.

use std::convert::Infallible;
use std::time::Duration;

use tokio_tungstenite::tungstenite::Message;

use super::peer::{End, Limits, Peer};

pub(super) const LIMITS: Limits =
    Limits { message_max: 1024 * 1024, ping_every: Duration::from_mins(1) };

/// Holds one conversation to its end.
pub(super) async fn serve(mut peer: Peer) {
    let Err(end) = converse(&mut peer).await;
    peer.finish(end).await;
}

async fn converse(peer: &mut Peer) -> Result<Infallible, End> {
    loop {
        let message = peer.receive().await?;
        if let Message::Text(text) = &message
            && let Some(end) = asked_to_close(text)
        {
            return Err(end);
        }
        peer.send(message).await?;
    }
}

/// `close`, `close 4001` or `close 4001 any reason`; anything else is not meant for us.
fn asked_to_close(text: &str) -> Option<End> {
    let rest = text.strip_prefix("close")?;
    if rest.is_empty() {
        return Some(End::Close(1000, String::new()));
    }
    let rest = rest.strip_prefix(' ')?;
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    Some(End::Close(code.parse().ok()?, reason.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_is_asked_for_by_its_code() {
        for (text, asked) in [
            ("close", Some((1000, ""))),
            ("close 4001", Some((4001, ""))),
            ("close 4001 enough for today", Some((4001, "enough for today"))),
            ("close 1005 forbidden on the wire", Some((1005, "forbidden on the wire"))),
            ("close 65536", None),
            ("close the door", None),
            ("closer", None),
            ("Close 4001", None),
            ("", None),
        ] {
            let expected = asked.map(|(code, reason)| End::Close(code, reason.to_owned()));
            assert_eq!(asked_to_close(text), expected, "{text:?}");
        }
    }
}
