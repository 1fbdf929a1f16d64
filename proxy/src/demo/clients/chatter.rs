//! One client in the lobby: hears, thinks, types, speaks, leaves and comes back.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use super::super::CHAT_PROTOCOL;
use super::super::closing::Closing;
use super::{Connection, Name, talk};

/// What a client heeds of all that the room says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Heard {
    Welcome {
        nick: String,
        history: usize,
    },
    Join {
        nick: String,
    },
    Message {
        id: u64,
        nick: String,
        text: String,
    },
    #[serde(other)]
    Other,
}

/// What it is about to say.
enum Plan {
    /// Nothing; when the silence gets too long it will find a topic.
    Wait { until: Instant },
    /// Thinks about `text`, then starts to type.
    Think { until: Instant, text: String },
    /// Types `text`.
    Type { until: Instant, text: String },
}

impl Plan {
    fn until(&self) -> Instant {
        match self {
            Self::Wait { until } | Self::Think { until, .. } | Self::Type { until, .. } => *until,
        }
    }
}

/// One stay in the lobby, from the handshake to the Close.
pub(super) async fn session(
    target: SocketAddr,
    name: Name,
    random: &mut fastrand::Rng,
    closing: &mut Closing,
) -> Result<(), Error> {
    let mut connection =
        Connection::open(target, "/chat?room=lobby", name, Some(CHAT_PROTOCOL)).await?;
    say(&mut connection, &json!({"type": "join", "nick": name.as_str()})).await?;

    let mut chatter = Chatter { name, nick: name.as_str().to_owned(), old: 0, random };
    let mut plan = chatter.wait_at_first();
    for turns_left in (0..chatter.random.u32(14..40)).rev() {
        plan = loop {
            tokio::select! {
                biased;
                () = closing.wait() => return connection.close(1001, "the demo clients stop").await,
                () = sleep_until(plan.until()) => match plan {
                    Plan::Wait { .. } => {
                        let topic = talk::opening(chatter.random);
                        plan = chatter.think(topic);
                    }
                    Plan::Think { text, .. } => {
                        say(&mut connection, &json!({"type": "typing", "on": true})).await?;
                        plan = chatter.start_typing(text);
                    }
                    Plan::Type { text, .. } => {
                        chatter.speak(&mut connection, &text).await?;
                        break chatter.wait();
                    }
                },
                heard = connection.receive() => {
                    if let Some(next) = chatter.hear(&heard?, matches!(plan, Plan::Wait { .. })) {
                        plan = next;
                    }
                }
            }
        };
        if turns_left == 0 {
            say(&mut connection, &json!({"type": "leave"})).await?;
            connection.drain().await;
        }
    }
    Ok(())
}

struct Chatter<'a> {
    name: Name,
    /// The name that the room gave it.
    nick: String,
    /// Messages still to come that were said before it joined.
    old: usize,
    random: &'a mut fastrand::Rng,
}

impl Chatter<'_> {
    /// What to do about a message of the room; `None` goes on with what it is about.
    fn hear(&mut self, message: &Message, is_free: bool) -> Option<Plan> {
        let Message::Text(text) = message else { return None };
        match serde_json::from_str(text).unwrap_or(Heard::Other) {
            Heard::Welcome { nick, history } => {
                self.nick = nick;
                self.old = history;
                None
            }
            Heard::Join { nick } => {
                let greets = self.name == Name::Ada && !is_one_of_us(&nick);
                let greeting = greets.then(|| talk::greeting(self.random, &nick));
                greeting.map(|greeting| self.think(greeting))
            }
            Heard::Message { .. } if self.old > 0 => {
                self.old -= 1;
                None
            }
            Heard::Message { nick, .. } if nick == self.nick => None,
            Heard::Message { nick, text, .. } if is_one_of_us(&nick) => {
                match talk::reply(self.random, &text) {
                    Some(reply) => Some(self.think(reply)),
                    None => is_free.then(|| self.wait_a_little()),
                }
            }
            // A guest: the two take turns to answer.
            Heard::Message { id, nick, .. } => {
                let mine = id.is_multiple_of(2) == (self.name == Name::Ada);
                let answer = mine.then(|| talk::answer_to_guest(self.random, &nick));
                answer.map(|answer| self.think(answer))
            }
            Heard::Other => None,
        }
    }

    /// Speaks, mostly in one text frame; grace sometimes otherwise.
    async fn speak(&mut self, connection: &mut Connection, text: &str) -> Result<(), Error> {
        let mut text = text.to_owned();
        let mut parts = None;
        if self.name == Name::Grace {
            match self.random.u8(..12) {
                0 | 1 => {
                    connection.send(Message::Ping(Bytes::from_static(b"still there?"))).await?;
                }
                2 | 3 => parts = Some(self.random.usize(12..40)),
                4 => connection.send(Message::binary(doodle(self.random))).await?,
                5 | 6 => text = talk::with_emoji(self.random, &text),
                _ => {}
            }
        }
        let message = json!({"type": "message", "text": text});
        match parts {
            Some(part) => connection.send_in_parts(&message.to_string(), part).await,
            None => say(connection, &message).await,
        }
    }

    /// Ada opens the talk soon after she came, so that a fresh window is not empty.
    fn wait_at_first(&mut self) -> Plan {
        self.pause(if self.name == Name::Ada { 400..900 } else { 9_000..14_000 })
    }

    /// Different patience, so that the two do not start at the same moment.
    fn wait(&mut self) -> Plan {
        self.pause(if self.name == Name::Ada { 6_000..9_000 } else { 10_000..15_000 })
    }

    fn wait_a_little(&mut self) -> Plan {
        self.pause(1_500..4_000)
    }

    fn pause(&mut self, millis: std::ops::Range<u64>) -> Plan {
        Plan::Wait { until: Instant::now() + Duration::from_millis(self.random.u64(millis)) }
    }

    fn think(&mut self, text: String) -> Plan {
        let millis = self.random.u64(250..1_400);
        Plan::Think { until: Instant::now() + Duration::from_millis(millis), text }
    }

    fn start_typing(&mut self, text: String) -> Plan {
        let millis = (200 + 28 * text.chars().count() as u64).min(2_600) + self.random.u64(..300);
        Plan::Type { until: Instant::now() + Duration::from_millis(millis), text }
    }
}

async fn say(connection: &mut Connection, json: &serde_json::Value) -> Result<(), Error> {
    connection.send(Message::text(json.to_string())).await
}

fn is_one_of_us(nick: &str) -> bool {
    [Name::Ada, Name::Grace].iter().any(|name| {
        let rest = nick.strip_prefix(name.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })
}

/// A small picture, eight octets of eight pixels: something to look at in the hex view.
fn doodle(random: &mut fastrand::Rng) -> Vec<u8> {
    const DOODLES: [[u8; 8]; 4] = [
        [0x3c, 0x42, 0xa5, 0x81, 0xa5, 0x99, 0x42, 0x3c],
        [0x66, 0xff, 0xff, 0xff, 0x7e, 0x3c, 0x18, 0x00],
        [0x18, 0x3c, 0x7e, 0xdb, 0xff, 0x24, 0x5a, 0xa5],
        [0x00, 0x7e, 0x42, 0x5a, 0x5a, 0x42, 0x7e, 0x00],
    ];
    let mut message = b"doodle 8x8\0".to_vec();
    message.extend(DOODLES[random.usize(..DOODLES.len())]);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_know_each_other_by_name() {
        for (nick, known) in
            [("ada", true), ("grace-2", true), ("adam", false), ("gracey", false), ("ren", false)]
        {
            assert_eq!(is_one_of_us(nick), known, "{nick}");
        }
    }
}
