//! What can be done with a row of exchanges: a request with its answer, or what came of a stream.

/// An action on the selected row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeCommand {
    /// Copy the URL of the selected exchange.
    CopyUrl,
    /// Copy the request of the selected exchange as a command line.
    CopyAsCurl,
    /// Copy the head of its request.
    CopyRequestHead,
    /// Copy the head of its answer.
    CopyResponseHead,
    /// Copy the body of its answer.
    CopyResponseBody,
    /// Copy what the selected event or piece holds.
    CopyContent,
    /// Ask where to save the body of the selected exchange's request.
    SaveRequestBody,
    /// Ask where to save the body of its answer.
    SaveResponseBody,
    /// Ask where to save what the selected event or piece holds.
    SaveContent,
    /// Select the exchange that the selected event or piece is of.
    SelectRequest,
    /// Show the heads of the selected exchange in the handshake tab.
    ShowHeads,
    /// List the connections that asked for the same path.
    ListAlike,
}

impl ExchangeCommand {
    /// As its menu entry says it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::CopyUrl => "Copy URL",
            Self::CopyAsCurl => "Copy as cURL",
            Self::CopyRequestHead => "Copy request head",
            Self::CopyResponseHead => "Copy response head",
            Self::CopyResponseBody => "Copy response body",
            Self::CopyContent => "Copy content",
            Self::SaveRequestBody => "Save request body…",
            Self::SaveResponseBody => "Save response body…",
            Self::SaveContent => "Save content…",
            Self::SelectRequest => "Go to its request",
            Self::ShowHeads => "Show in Handshake",
            Self::ListAlike => "Find connections with this path",
        }
    }

    /// What it does, in one line.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::CopyUrl => {
                "Copy the URL that was asked for; credentials are masked unless the detail pane shows them"
            }
            Self::CopyAsCurl => {
                "Copy the request as a command of curl, for bash and zsh; credentials are masked unless \
                 the detail pane shows them"
            }
            Self::CopyRequestHead => {
                "Copy the request's head; credentials are masked unless the detail pane shows them"
            }
            Self::CopyResponseHead => {
                "Copy the answer's head; credentials are masked unless the detail pane shows them"
            }
            Self::CopyResponseBody => {
                "Copy the answer's body: as text where it is text, else decoded"
            }
            Self::CopyContent => "Copy what came in it: as text where it is text, else decoded",
            Self::SaveRequestBody => "Write the request's whole body to a file, as it was sent",
            Self::SaveResponseBody => "Write the answer's whole body to a file, as it was sent",
            Self::SaveContent => "Write all that came in it to a file",
            Self::SelectRequest => "Select the request whose answer this is a part of",
            Self::ShowHeads => "Show both heads, and when what came, in the handshake tab",
            Self::ListAlike => "List all connections, of any kind, that asked for the same path",
        }
    }
}
