//! A call's trace: the caller's, or a new one.

use http::HeaderMap;
use micro_core::{TraceContext, TraceId, header};

/// Takes the first valid `traceparent` (MCP `_meta` first, then the HTTP header), or begins a trace.
pub(super) fn of(meta: Option<&str>, headers: Option<&HeaderMap>) -> TraceContext {
    let from_header = || headers?.get(header::TRACEPARENT)?.to_str().ok();
    let given = meta.and_then(TraceContext::parse).or_else(|| TraceContext::parse(from_header()?));
    given.unwrap_or_else(|| {
        // Not secret, only unlikely to meet its like.
        let id = fastrand::u128(1..).to_be_bytes();
        TraceContext::of(TraceId::new(id).expect("not zero"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_trace_is_kept_and_nonsense_begins_a_new_one() {
        let a = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";
        let b = "00-1af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";
        let headers = [(header::TRACEPARENT.parse().unwrap(), b.parse().unwrap())].into_iter().collect();
        assert_eq!(of(Some(a), Some(&headers)).to_string(), a);
        assert_eq!(of(Some("nonsense"), Some(&headers)).to_string(), b);
        assert_ne!(of(None, None).id, of(None, None).id);
    }
}
