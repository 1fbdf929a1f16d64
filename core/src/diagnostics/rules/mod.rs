//! The catalogue: one entry a rule, with all there is to say of it and the octets that show it.
//!
//! `docs/DIAGNOSTICS.md` and `framescope explain CODE` are made from these entries, and one test runs
//! the examples of them all.

mod answer;
mod behaviour;
mod close;
mod deflate;
mod frame;
mod http;
mod opening;

pub use answer::*;
pub use behaviour::*;
pub use close::*;
pub use deflate::*;
pub use frame::*;
pub use http::*;
pub use opening::*;

use crate::Severity;
use crate::diagnostics::Example;

/// One rule of a standard, and what to say when it is broken.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable code, such as `FRAME_UNMASKED_FROM_CLIENT`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What has to be seen to tell it.
    pub scope: Scope,
    /// The section it comes from, such as `RFC 6455 §5.1`.
    pub section: &'static str,
    /// One line for a list.
    pub title: &'static str,
    /// What it means: who does what then, and why the rule is there.
    pub meaning: &'static str,
    /// What to do about it.
    pub advice: &'static str,
    /// A conversation in which it fires, once or several times.
    pub fires: Example,
    /// Other rules that cannot but fire in that conversation too.
    pub along: &'static [&'static str],
    /// A conversation that is nearly the same, in which no rule fires.
    pub near_miss: Example,
}

/// What has to be seen to tell whether a rule is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One lane alone: it does not matter how the lanes interleave.
    Lane,
    /// Both lanes of a connection, their times, or how it ended.
    Connection,
    /// Several connections.
    Capture,
}

impl Scope {
    /// `one direction`, `one connection` or `several connections`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lane => "one direction",
            Self::Connection => "one connection",
            Self::Capture => "several connections",
        }
    }
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Concluded: from times, from what did not come, or from what chance makes all but impossible.
    Inferred,
    /// The octets themselves show it.
    Proven,
}

impl Confidence {
    /// `inferred` or `proven`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inferred => "inferred",
            Self::Proven => "proven",
        }
    }

    /// What that means, in one line.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Inferred => {
                "concluded from times, from what did not come, or from what chance makes all but \
                 impossible"
            }
            Self::Proven => "the octets themselves show it",
        }
    }
}

/// Rules whose octets do not prove them.
const INFERRED: [&Rule; 8] = [
    &PING_UNANSWERED,
    &CONNECTION_IDLE_CUT,
    &RECONNECT_STORM,
    &CLOSE_LINGERED,
    &CLOSE_FOR_FAULT,
    &MASKING_KEY_ZERO,
    &MASKING_KEY_REPEATED,
    &MASKING_KEY_PREDICTABLE,
];

impl Rule {
    /// How sure its findings are.
    pub fn confidence(&self) -> Confidence {
        let is_inferred = INFERRED.iter().any(|rule| rule.code == self.code);
        if is_inferred { Confidence::Inferred } else { Confidence::Proven }
    }
}

macro_rules! rules {
    ($($code:ident: $severity:ident, $scope:ident, $section:literal, $title:literal,
       $meaning:literal, $advice:literal,
       fires $(along $along:literal)*: $fires:literal, near_miss: $near_miss:literal;)*) => {
        $(
            #[doc = $title]
            pub static $code: Rule = Rule {
                code: stringify!($code),
                severity: $crate::diagnostics::Severity::$severity,
                scope: $crate::diagnostics::Scope::$scope,
                section: $section,
                title: $title,
                meaning: $meaning,
                advice: $advice,
                fires: $crate::diagnostics::Example { script: $fires },
                along: &[$($along),*],
                near_miss: $crate::diagnostics::Example { script: $near_miss },
            };
        )*

        pub(super) static RULES: &[&Rule] = &[$(&$code),*];
    };
}
use rules;

#[expect(unused_qualifications, reason = "each group has a list of its own")]
static GROUPS: [&[&Rule]; 7] = [
    http::RULES,
    opening::RULES,
    answer::RULES,
    frame::RULES,
    deflate::RULES,
    close::RULES,
    behaviour::RULES,
];

/// Every rule, in the order in which a connection can break them.
pub static ALL: &[&Rule] = &{
    let mut all: [&Rule; COUNT] = [GROUPS[0][0]; COUNT];
    let (mut next, mut group) = (0, 0);
    while group < GROUPS.len() {
        let mut place = 0;
        while place < GROUPS[group].len() {
            all[next] = GROUPS[group][place];
            (next, place) = (next + 1, place + 1);
        }
        group += 1;
    }
    all
};

const COUNT: usize = {
    let (mut count, mut group) = (0, 0);
    while group < GROUPS.len() {
        count += GROUPS[group].len();
        group += 1;
    }
    count
};

/// The rule with this code.
pub fn by_code(code: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.code.eq_ignore_ascii_case(code))
}
