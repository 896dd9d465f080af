//! What came back to one message, and what checks ask of it.

use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::{Finding, No, fail, want};

/// Characters of what was seen that are shown.
const SHOWN: usize = 200;

/// What came back to one message.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    /// Over HTTP.
    pub(super) status: Option<StatusCode>,
    pub(super) headers: HeaderMap,
    /// All messages, in order; on a pipe also those that belong to nothing.
    pub(super) messages: Vec<Value>,
    /// What came and was no JSON.
    pub(super) text: Option<String>,
    /// The response to the request, or the error that came in its place.
    pub(super) response: Option<Value>,
    /// Over HTTP: the exchange ended by itself.
    pub(super) ended: bool,
    /// Why there is not more.
    pub(super) trouble: Option<String>,
}

impl Answer {
    /// The result of the response.
    pub(super) fn result(&self) -> Result<&Value, No> {
        let result = self.response.as_ref().and_then(|response| response.get("result"));
        result.ok_or_else(|| fail(format!("expected a result, {}", self.seen())))
    }

    /// The code of the error that the response is.
    pub(super) fn code(&self) -> Result<i64, No> {
        let error = self.response.as_ref().and_then(|response| response.get("error"));
        let code = error.and_then(|error| error["code"].as_i64());
        code.ok_or_else(|| fail(format!("expected an error, {}", self.seen())))
    }

    /// The response is an error with this code.
    pub(super) fn is_error(&self, code: i64) -> Finding {
        let found = self.code().map_err(|_| fail(format!("expected error {code}, {}", self.seen())))?;
        want(found == code, || format!("expected error {code}, {}", self.seen()))
    }

    /// Over HTTP: the response has this status.
    pub(super) fn has_status(&self, status: u16) -> Finding {
        want(self.status.is_none_or(|seen| seen.as_u16() == status), || {
            format!("expected HTTP {status}, {}", self.seen())
        })
    }

    /// Over HTTP: the request is refused as wrong (4xx).
    pub(super) fn is_refused(&self) -> Finding {
        want(self.status.is_none_or(|status| status.is_client_error()), || {
            format!("expected an HTTP status of 400 to 499, {}", self.seen())
        })
    }

    /// No result came: whatever was sent was not done.
    pub(super) fn is_no_result(&self) -> Finding {
        want(!self.messages.iter().any(|message| message.get("result").is_some()), || {
            format!("expected an error, {}", self.seen())
        })
    }

    /// The media type of the response, in lower case.
    pub(super) fn media(&self) -> String {
        let value = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// What was seen, in words.
    pub(super) fn seen(&self) -> String {
        let status = self.status.map(|status| format!("HTTP {}", status.as_u16()));
        let said = match (&self.response, self.messages.last(), &self.text) {
            (Some(message), ..) | (None, Some(message), _) => Some(shown(message)),
            (None, None, Some(text)) => Some(shown(&Value::String(text.clone()))),
            (None, None, None) => None,
        };
        let parts: Vec<_> = [status, said, self.trouble.clone()].into_iter().flatten().collect();
        if parts.is_empty() { "saw nothing".to_owned() } else { format!("saw {}", parts.join(", ")) }
    }
}

/// A value, cut where it is long.
pub(super) fn shown(value: &Value) -> String {
    let value = value.get("error").or_else(|| value.get("result")).unwrap_or(value);
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
