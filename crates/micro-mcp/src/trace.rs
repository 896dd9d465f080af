//! W3C trace context in `_meta` (SEP-414): who is traced, passed on from request to request.

use std::{borrow::Cow, future::Future};

use micro_mcp_proto::Meta;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::value::RawValue;

tokio::task_local! {
    static CURRENT: TraceContext;
}

/// The W3C context of a request: `traceparent`, `tracestate` and `baggage` of its `_meta`.
///
/// A server finds the caller's in [`crate::Cx::trace`] and [`crate::CallContext::trace`]. What runs within
/// [`TraceContext::scope`] passes it on: clients put it into every request they send, as
/// [`crate::layer::Trace`] has them do for the calls of a handler.
///
/// ```
/// # use std::sync::Arc;
/// # use micro_mcp::{CallContext, NoArgs, Server, TraceContext, client::Client};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder("traced", "1.0")
///     .tool("trace").handler(|cx: CallContext, _: NoArgs| async move {
///         cx.trace.map_or("none".to_owned(), |context| context.traceparent)
///     })
///     .build()?;
/// let client = Client::builder().in_process(Arc::new(server)).await?;
/// let traceparent = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";
/// let context = TraceContext::new(traceparent).ok_or("malformed")?;
/// assert_eq!(context.scope(client.call("trace").text()).await?, traceparent);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TraceContext {
    /// Trace, caller's span and flags (W3C Trace Context, `traceparent`).
    pub traceparent: String,
    /// What vendors add.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracestate: Option<String>,
    /// What the application adds (W3C Baggage). Whoever is called reads it: no secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baggage: Option<String>,
}

/// Longest `tracestate` and `baggage` that are passed on, in bytes (Baggage, "Limits").
const MAX: usize = 8192;

impl TraceContext {
    /// A context of this `traceparent` alone; `None` when it is malformed.
    pub fn new(traceparent: impl Into<String>) -> Option<Self> {
        let traceparent = traceparent.into();
        is_traceparent(traceparent.as_bytes()).then_some(())?;
        Some(Self { traceparent, tracestate: None, baggage: None })
    }

    /// That of a request; `None` when it has none, or a malformed one. What is too long is left out.
    pub fn of(meta: &Meta<'_>) -> Option<Self> {
        let context = Self::new(meta.traceparent()?)?;
        let short = |text: Cow<'_, str>| (text.len() <= MAX).then(|| text.into_owned());
        Some(Self { tracestate: meta.tracestate().and_then(short), baggage: meta.baggage().and_then(short), ..context })
    }

    /// That of the [`TraceContext::scope`] this runs in.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Runs a future in this context. Tasks that it spawns are not in it.
    pub async fn scope<T>(self, future: impl Future<Output = T>) -> T {
        CURRENT.scope(self, future).await
    }

    /// Params with this context in their `_meta`, unless they have one of their own.
    pub(crate) fn put_into<'p>(&self, params: &'p RawValue) -> Cow<'p, str> {
        #[derive(Deserialize)]
        struct Own {
            #[serde(default, rename = "_meta")]
            meta: Option<IgnoredAny>,
        }
        let text = params.get().trim_end();
        match (serde_json::from_str::<Own>(text), text.strip_suffix('}')) {
            (Ok(Own { meta: None }), Some(open)) => {
                let comma = if open.trim_end().ends_with('{') { "" } else { "," };
                let meta = serde_json::to_string(self).expect("texts are plain JSON");
                format!(r#"{open}{comma}"_meta":{meta}}}"#).into()
            }
            _ => params.get().into(),
        }
    }
}

/// Version, trace, span and flags in lower-case hex; neither trace nor span is zero. Later versions may have
/// more behind.
fn is_traceparent(text: &[u8]) -> bool {
    let hex = |part: &[u8]| part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let some = |part: &[u8]| hex(part) && part.iter().any(|byte| *byte != b'0');
    let Some((known, more)) = text.split_at_checked(55) else { return false };
    let ends = more.is_empty() || (&known[..2] != b"00" && more[0] == b'-');
    let apart = [2, 35, 52].into_iter().all(|i| known[i] == b'-');
    ends && apart
        && hex(&known[..2])
        && &known[..2] != b"ff"
        && some(&known[3..35])
        && some(&known[36..52])
        && hex(&known[53..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";

    fn of(meta: &str) -> Option<TraceContext> {
        TraceContext::of(&serde_json::from_str(meta).unwrap())
    }

    #[test]
    fn a_bad_context_is_none() {
        let long = "x".repeat(MAX + 1);
        let context = of(&format!(r#"{{"traceparent":"{PARENT}","tracestate":"a=b","baggage":"{long}"}}"#)).unwrap();
        assert_eq!((context.tracestate.as_deref(), context.baggage), (Some("a=b"), None));
        for bad in [r#"{"tracestate":"a=b"}"#, r#"{"traceparent":"x"}"#, r#"{"traceparent":7}"#] {
            assert_eq!(of(bad), None, "{bad}");
        }
        for (text, good) in [
            (PARENT.to_owned(), true),
            (format!("{PARENT}-"), false),
            (PARENT.replacen("00", "cc", 1) + "-more", true),
            (PARENT.replacen("00", "ff", 1), false),
            (PARENT.to_uppercase(), false),
            (PARENT.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)), false),
            (PARENT.replace("00f067aa0ba902b7", &"0".repeat(16)), false),
            (PARENT.replace('-', "_"), false),
            (PARENT[1..].to_owned(), false),
            ("é".repeat(28), false),
        ] {
            assert_eq!(TraceContext::new(&*text).is_some(), good, "{text}");
        }
    }

    #[test]
    fn it_is_put_beside_what_is_there_and_never_over_it() {
        let context = TraceContext { baggage: Some("a=b".into()), ..TraceContext::new(PARENT).unwrap() };
        let meta = format!(r#""_meta":{{"traceparent":"{PARENT}","baggage":"a=b"}}"#);
        for (params, expected) in [
            ("{}", format!("{{{meta}}}")),
            (r#"{"a":{} }"#, format!(r#"{{"a":{{}} ,{meta}}}"#)),
            (r#"{"_meta":{"x":1}}"#, r#"{"_meta":{"x":1}}"#.to_owned()),
        ] {
            assert_eq!(context.put_into(serde_json::from_str(params).unwrap()), expected);
        }
    }

    #[tokio::test]
    async fn it_is_the_current_one_within_its_scope() {
        let context = TraceContext::new(PARENT).unwrap();
        assert_eq!(context.clone().scope(async { TraceContext::current() }).await, Some(context));
        assert_eq!(TraceContext::current(), None);
    }
}
