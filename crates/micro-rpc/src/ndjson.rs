//! Streams on the wire: one JSON object a line, `{"item":…}` or, at most once and last, `{"error":{…}}`.
//!
//! The end of the body is the end of the stream; a body that breaks off is an error, never an end.

use std::io;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::{StreamExt, stream};
use micro_core::{Error, Result};
use micro_runtime::http::Body;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Items;

/// Content type of a streamed reply.
pub(crate) const CONTENT_TYPE: &str = "application/x-ndjson";

/// Longest line that is read, in bytes.
const MAX_LINE: usize = 4 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Item(Box<RawValue>),
    Error(Error),
}

/// Items as a body.
pub(crate) fn encode(items: Items) -> Body {
    Body::stream(items.map(|item| {
        let (key, json) = match item {
            Ok(json) => ("item", json),
            Err(error) => ("error", serde_json::to_vec(&error).expect("an error is plain JSON").into()),
        };
        let mut line = BytesMut::with_capacity(json.len() + 12);
        line.extend_from_slice(b"{\"");
        line.extend_from_slice(key.as_bytes());
        line.extend_from_slice(b"\":");
        line.extend_from_slice(&json);
        line.extend_from_slice(b"}\n");
        Ok(line.freeze())
    }))
}

/// A body, piece by piece, as items.
pub(crate) fn decode(body: impl Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static) -> Items {
    stream::unfold(Some((body, BytesMut::new())), |state| async {
        let (mut body, mut buffer) = state?;
        match next_line(&mut body, &mut buffer).await {
            Ok(None) => None,
            Ok(Some(Line::Item(item))) => {
                Some((Ok(Bytes::from(String::from(Box::<str>::from(item)))), Some((body, buffer))))
            }
            Ok(Some(Line::Error(error))) | Err(error) => Some((Err(error), None)),
        }
    })
    .boxed()
}

async fn next_line(
    body: &mut (impl Stream<Item = io::Result<Bytes>> + Unpin),
    buffer: &mut BytesMut,
) -> Result<Option<Line>> {
    let mut searched = 0;
    loop {
        if let Some(end) = buffer[searched..].iter().position(|b| *b == b'\n') {
            let line = buffer.split_to(searched + end + 1);
            return serde_json::from_slice(&line).map(Some).map_err(|e| broken("a line is not an item").with_source(e));
        }
        searched = buffer.len();
        if searched > MAX_LINE {
            return Err(broken("a line is too long"));
        }
        match body.next().await {
            Some(Ok(piece)) => buffer.extend_from_slice(&piece),
            Some(Err(_)) => return Err(broken("the connection was lost")),
            None if buffer.is_empty() => return Ok(None),
            None => return Err(broken("the last line is incomplete")),
        }
    }
}

fn broken(why: &str) -> Error {
    Error::unavailable(format!("the stream broke off: {why}"))
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;
    use http_body_util::BodyExt;

    use super::*;

    fn body(parts: &[&str]) -> impl Stream<Item = io::Result<Bytes>> + use<> {
        let parts: Vec<Bytes> = parts.iter().map(|p| Bytes::copy_from_slice(p.as_bytes())).collect();
        stream::iter(parts.into_iter().map(Ok))
    }

    #[tokio::test]
    async fn items_survive_the_wire_however_it_is_cut() {
        let items = stream::iter([Ok("1".into()), Ok(r#"{"a":"\n"}"#.into())]).boxed();
        let whole = encode(items).collect().await.unwrap().to_bytes();
        assert_eq!(whole, "{\"item\":1}\n{\"item\":{\"a\":\"\\n\"}}\n");
        let read: Vec<Bytes> = decode(body(&["{\"it", "em\":1}\n{\"item\"", ":[2]}\n"])).try_collect().await.unwrap();
        assert_eq!(read, ["1", "[2]"]);
    }

    #[tokio::test]
    async fn an_error_or_a_cut_ends_the_stream_with_an_error() {
        let error = "{\"item\":1}\n{\"error\":{\"code\":409,\"detail\":\"x\"}}\n";
        for text in [error, "{\"item\":1}\n{\"it", "{\"item\":1}\nnonsense\n"] {
            let read: Vec<Result<Bytes>> = decode(body(&[text])).collect().await;
            assert_eq!(read.len(), 2, "{text}");
            assert!(read[0].is_ok() && read[1].is_err(), "{text}");
        }
    }
}
