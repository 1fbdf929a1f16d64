//! What the two clients talk about: short dialogues whose every line is known by its text.

/// One dialogue: lines in turn, each with the ways to say it.
type Dialogue = &'static [&'static [&'static str]];

const DIALOGUES: &[Dialogue] = &[
    &[
        &["Did you sleep well?", "Morning! Slept well?"],
        &["Like a connection with no keep-alive.", "Soundly, until the timer fired."],
        &["So somebody had to reset you.", "Idle timeout, then?"],
        &["Coffee did the opening handshake.", "Yes, and tea sent the 101."],
    ],
    &[
        &["Is this thing on?", "Can you hear me?"],
        &["Loud and clear, opcode 0x1.", "Yes. Text, FIN set, no fragments."],
        &["Good. I was about to shout in binary.", "Then I need no ping."],
    ],
    &[
        &["What are you reading?", "Which book is it today?"],
        &["RFC 6455, the part about masking.", "Section 5.3. The plot thickens."],
        &["Four random octets, and everything changes.", "XOR all the way down?"],
        &["And the same four octets undo it all.", "Until the last octet, yes."],
        &["A story with a happy end.", "No spoilers for section 7, please."],
    ],
    &[
        &["The train was late again.", "Forty minutes on platform 3 today."],
        &["Head-of-line blocking?", "Packet loss near the river?"],
        &["One goods wagon in front of us all.", "Somebody fragmented the 8:15."],
        &["You should take the other lane.", "At least it arrived in order."],
    ],
    &[
        &["Lunch at the corner place?", "Are you hungry yet?"],
        &["Soup or noodles?", "I could eat a 64-bit length of noodles."],
        &[
            "Noodles. They come in long continuous frames.",
            "Soup, then. One message, no continuation.",
        ],
        &["I will be there at one.", "See you at a quarter to."],
    ],
    &[
        &["FRAM went up again.", "Have you looked at the ticker?"],
        &["I sold mine last week, of course.", "PING and PONG move together, as always."],
        &["Buy high, sell low, log everything.", "They are only numbers. Signed ones."],
    ],
    &[
        &["My tests are green.", "All tests pass on my side."],
        &["Even the one about split octets?", "On the first run? Suspicious."],
        &["Even that one. I fed it one octet at a time.", "I broke one on purpose to be sure."],
        &["Then have some cake.", "That is the right kind of distrust."],
    ],
    &[
        &["Do you compress your messages?", "permessage-deflate, yes or no?"],
        &["Only when they are long and dull.", "With context takeover, or not at all."],
        &["So yours are always compressed?", "The sliding window remembers everything."],
        &["Thirty-two kibibytes of memories.", "At least I negotiate first."],
    ],
    &[
        &["What is the weather like there?", "Sun or rain on your side?"],
        &["Clouds. The other kind.", "Rain in fragments, FIN not in sight."],
        &["Here the sky is one big zero.", "Take an umbrella and a timeout."],
        &["I will stay in and watch frames.", "A good day to read captures."],
    ],
    &[
        &["I found a server that answers 200 to an upgrade.", "Guess who forgot the 101 today."],
        &["And the client?", "Polite refusal, or plain confusion?"],
        &["It waited for frames and got a web page.", "A login page, with a logo."],
        &["Every proxy has such a story.", "That is why we look at the octets."],
    ],
    &[
        &["How long is a close reason, at most?", "Quick: the longest close reason?"],
        &["123 octets, after two for the code.", "125 minus two."],
        &["Enough for a haiku.", "Shorter than most apologies."],
        &["Frames fall like petals; the key turns, the text appears; code one thousand: done."],
    ],
    &[
        &["My plant has a new leaf.", "Good news: the fern grows."],
        &["Does it have a name yet?", "Upright, or leaning to the window?"],
        &["I call it Sec-WebSocket-Key. New each time.", "It leans, like all of us."],
        &["Water it at regular intervals.", "Send it a ping from me."],
    ],
    &[
        &["Which close code do you like best?", "Pick a close code."],
        &["1000. I am sentimental.", "4001, because I can."],
        &["I have seen too many 1006 lately.", "Mine is 1001: going away, to the sea."],
        &["Nobody sends 1006. It is what is left when nobody says anything."],
    ],
    &[
        &["The cat walked over my keyboard.", "Sorry, the cat typed that last one."],
        &["Was it valid UTF-8?", "Better opcode than mine, I am sure."],
        &["Until the fourth octet.", "It failed the connection with 1007."],
        &["Give the cat my regards.", "Every cat is a fuzz test."],
    ],
    &[
        &["Long day?", "Still at it?"],
        &["One more capture, then home.", "I am only waiting for the last FIN."],
        &["Half closed is not closed.", "Send yours first, then."],
        &["You are right. See you in the next connection.", "Fine. Tomorrow, same port."],
    ],
];

const GREETINGS: &[&str] = &[
    "Hello {nick}, welcome in.",
    "Hi {nick}! Pull up a socket.",
    "Good to see you, {nick}.",
    "{nick} is here. Look at the inspector: that was your handshake.",
];

const ANSWERS: &[&str] = &[
    "I hear you, {nick}. So does the inspector.",
    "Well said, {nick}. Select that frame and look at its mask.",
    "{nick}, that one came through octet for octet.",
    "Is that so, {nick}?",
    "We are only scripts, {nick}, but good listeners.",
    "Noted, {nick}. Try the echo box with: close 4001 bye",
];

const EMOJI: &[&str] = &["🙂", "☕", "🚀", "🎉"];

/// The first line of some dialogue.
pub(super) fn opening(random: &mut fastrand::Rng) -> String {
    let dialogue = DIALOGUES[random.usize(..DIALOGUES.len())];
    one_of(random, dialogue[0]).to_owned()
}

/// What follows the line `heard` in its dialogue; `None` at its end, or if the line is not known.
pub(super) fn reply(random: &mut fastrand::Rng, heard: &str) -> Option<String> {
    let says = |line: &&'static [&'static str]| line.iter().any(|way| heard.starts_with(way));
    DIALOGUES.iter().find_map(|dialogue| {
        let next = dialogue.iter().position(&says)? + 1;
        dialogue.get(next).map(|line| one_of(random, line).to_owned())
    })
}

/// A word to a guest who just came.
pub(super) fn greeting(random: &mut fastrand::Rng, nick: &str) -> String {
    one_of(random, GREETINGS).replace("{nick}", nick)
}

/// An answer to whatever a guest said.
pub(super) fn answer_to_guest(random: &mut fastrand::Rng, nick: &str) -> String {
    one_of(random, ANSWERS).replace("{nick}", nick)
}

/// `text` with some feeling: several octets a character, and more than one code point in some.
pub(super) fn with_emoji(random: &mut fastrand::Rng, text: &str) -> String {
    format!("{text} {}", one_of(random, EMOJI))
}

fn one_of(random: &mut fastrand::Rng, ways: &[&'static str]) -> &'static str {
    ways.get(random.usize(..ways.len().max(1))).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_known_by_its_text_alone() {
        let lines = || DIALOGUES.iter().copied().flatten().copied().flatten().copied();
        for line in lines() {
            let alike = lines().filter(|other| line.starts_with(other)).count();
            assert_eq!(alike, 1, "{line:?} begins like another line");
        }
    }

    #[test]
    fn each_dialogue_runs_from_its_opening_to_its_end() {
        let mut random = fastrand::Rng::with_seed(1);
        for dialogue in DIALOGUES {
            for pair in dialogue.windows(2) {
                for way in pair[0] {
                    let reply = reply(&mut random, way).unwrap();
                    assert!(pair[1].contains(&reply.as_str()), "{way:?} got {reply:?}");
                }
            }
            for last in *dialogue.last().unwrap() {
                assert_eq!(reply(&mut random, last), None, "{last:?}");
            }
        }
    }

    #[test]
    fn an_emoji_does_not_make_a_line_unknown() {
        let mut random = fastrand::Rng::with_seed(1);
        let line = with_emoji(&mut random, "Can you hear me?");
        assert!(reply(&mut random, &line).is_some(), "{line:?}");
    }
}
