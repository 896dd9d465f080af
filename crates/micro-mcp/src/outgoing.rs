//! A message on its way out.

use bytes::Bytes;
use micro_mcp_proto::{Id, write};
#[cfg(feature = "http")]
use micro_runtime::http::Body;

/// The text of a message. A long result is passed on as it is: a page of a list is shared by all who ask for it,
/// and is not copied for each.
#[derive(Default)]
pub(crate) struct Outgoing {
    /// The message, or what comes before the result.
    text: Vec<u8>,
    /// A brace ends the message behind it.
    result: Option<Bytes>,
}

/// From this many bytes on, two more pieces to write cost less than a copy.
const LONG: usize = 4 * 1024;

impl Outgoing {
    /// The answer to a request.
    pub(crate) fn response(id: Id<'_>, result: Bytes) -> Self {
        if result.len() < LONG {
            return write::response(id, &result).into();
        }
        Self { text: write::response_head(id, 0), result: Some(result) }
    }

    /// In one piece.
    pub(crate) fn into_vec(self) -> Vec<u8> {
        let Self { mut text, result } = self;
        if let Some(result) = result {
            text.reserve_exact(result.len() + 1);
            text.extend_from_slice(&result);
            text.push(b'}');
        }
        text
    }

    #[cfg(feature = "http")]
    pub(crate) fn into_body(self) -> Body {
        let text = Bytes::from(self.text);
        match self.result {
            None => Body::Full(text),
            Some(result) => Body::pieces([text, result, Bytes::from_static(b"}")]),
        }
    }
}

impl From<Vec<u8>> for Outgoing {
    fn from(text: Vec<u8>) -> Self {
        Self { text, result: None }
    }
}
