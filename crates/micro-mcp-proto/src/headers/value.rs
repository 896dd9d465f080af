//! How a value is written in a header: as it is, or as `=?base64?…?=`.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::RpcError;

const START: &str = "=?base64?";
const END: &str = "?=";

/// The header value of a string. Base64 is used where the plain text would not survive, or would be
/// taken for base64.
pub fn encode(text: &str) -> Cow<'_, str> {
    let readable = text.bytes().all(|b| matches!(b, b' '..=b'~'));
    let padded = text.starts_with(' ') || text.ends_with(' ');
    let marked = text.starts_with(START) && text.ends_with(END);
    let plain = readable && !padded && !marked;
    if plain { Cow::Borrowed(text) } else { Cow::Owned(format!("{START}{}{END}", STANDARD.encode(text))) }
}

/// The string a header value stands for. Half or differently cased markers are literals.
///
/// # Errors
/// `-32020` when the markers are there and what is between them is no base64 of UTF-8.
pub fn decode(value: &str) -> Result<Cow<'_, str>, RpcError> {
    let Some(inner) = value.strip_prefix(START).and_then(|rest| rest.strip_suffix(END)) else {
        return Ok(Cow::Borrowed(value));
    };
    let bytes = STANDARD.decode(inner).map_err(|_| RpcError::header_mismatch("invalid base64 in a header value"))?;
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| RpcError::header_mismatch("a header value is not UTF-8"))
}
