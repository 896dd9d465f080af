//! Stands between a client and a server, passes everything on and notes it down.

mod http;

use std::{io, sync::Arc};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use micro_mcp::transport::{MessageSink, MessageStream, Pipe};

pub(crate) use self::http::Proxy;
use super::capture::{Entry, Recorder, Side};

/// Passes messages between two pipes until one of them ends. The server has the time to answer what was said
/// before its client went.
///
/// # Errors
/// When a pipe breaks.
pub(crate) async fn pipes(client: Pipe, server: Pipe, recorder: Arc<Recorder>) -> io::Result<()> {
    let (to_client, from_client) = client.split();
    let (to_server, from_server) = server.split();
    let asked = pass(from_client, to_server, Side::Client, &recorder);
    let answered = pass(from_server, to_client, Side::Server, &recorder);
    tokio::pin!(asked, answered);
    tokio::select! {
        outcome = &mut answered => outcome, // the server is gone
        outcome = &mut asked => {
            outcome?;
            answered.await
        }
    }
}

/// Passes messages in one direction; closes the way out when there are no more.
async fn pass(mut from: MessageStream, mut to: MessageSink, side: Side, recorder: &Recorder) -> io::Result<()> {
    while let Some(message) = from.next().await {
        let message: Bytes = match message {
            Ok(message) => message,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                recorder.note(Entry { text: Some(error.to_string()), ..Entry::new(side) });
                continue;
            }
            Err(error) => return Err(error),
        };
        recorder.note(Entry::said(side, &message));
        to.send(message).await?;
    }
    to.close().await
}
