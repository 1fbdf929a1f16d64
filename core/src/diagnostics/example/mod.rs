//! Examples: short conversations, written as text, that a rule fires on or only nearly does.
//!
//! The same text is shown in `docs/DIAGNOSTICS.md` and by `framescope explain`, run by a test over all
//! rules, and written as a capture by whoever wants to look at it.
//!
//! ```text
//! # a comment
//! http                        plain HTTP instead of a WebSocket: a GET and its 200
//! request Host: b             the request's field, replaced or added; `answer` likewise
//! request - Host              left out
//! request + Host: c           added, even where there is one; \r \n \t \xHH are escapes
//! request GET / HTTP/1.0      the start line
//! ask                         the request is sent, its answer waits
//! open                        request and answer are sent; otherwise before the first octets
//! ↑ 81 81 37fa213d 76         octets from client to server, as one read gives them
//! ↓ 81 (61)*125               octets from server to client; a group is repeated with *
//! ↑ FIN                       one direction ends; RST ends both
//! wait 60 s                   time passes, in ms or s; between two lines it is a millisecond
//! note {"dial_nanos":1}       something becomes known that octets do not say
//! connect                     a new connection of the same client
//! repeat 3 … end              the lines between them, three times
//! ```

mod play;
mod script;

pub use play::records;
pub use script::ScriptError;

use crate::Record;

/// A conversation that shows one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// The script; see the module.
    pub script: &'static str,
}

impl Example {
    /// What a capture of this conversation holds. The clean opening handshake that a script alters has
    /// a key of its own in each connection, and no extension; time begins at 1,700,000,000 s.
    pub fn records(&self) -> Result<Vec<Record>, ScriptError> {
        records(self.script)
    }

    /// The script as it is shown: each of its lines behind `indent`, empty ones left out.
    pub fn text(&self, indent: &str) -> String {
        let lines = self.script.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.fold(String::new(), |text, line| text + indent + line + "\n")
    }
}
