//! Changes, heard in both eras and again after the stream was lost.

use std::time::Duration;

use micro_mcp::{
    Change,
    client::{Changed, Client},
    proto::Revision,
};
use tokio::sync::mpsc;

use super::{REVISIONS, connect_with};
use crate::fixture::Endpoint;

async fn listening(endpoint: &Endpoint, revision: Revision) -> (Client, mpsc::UnboundedReceiver<Changed>) {
    let (told, heard) = mpsc::unbounded_channel();
    let builder = Client::builder().revision(revision).on_change(move |change| {
        let _ = told.send(change);
    });
    let client = connect_with(endpoint, builder).await;
    client.watching().await.unwrap();
    (client, heard)
}

async fn next(heard: &mut mpsc::UnboundedReceiver<Changed>) -> Changed {
    tokio::time::timeout(Duration::from_secs(10), heard.recv()).await.expect("it is heard in time").unwrap()
}

#[tokio::test]
async fn changes_are_heard_in_every_revision() {
    let endpoint = Endpoint::start().await;
    for revision in REVISIONS {
        let (_client, mut heard) = listening(&endpoint, revision).await;
        endpoint.notifier.changed(Change::Tools);
        assert_eq!(next(&mut heard).await, Changed::Tools, "{revision}");
    }
}
