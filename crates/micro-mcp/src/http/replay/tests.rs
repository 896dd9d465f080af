//! Bounds of what is kept: bytes, messages, age.

use futures_util::FutureExt;
use micro_mcp_proto::{ClientCapabilities, Revision};

use super::*;

fn session() -> Session {
    Session::local(Revision::V2025_11_25, ClientCapabilities::default())
}

/// The numbers of the events that can be had behind one.
fn behind(reader: &mut Reader) -> Vec<String> {
    let mut seen = Vec::new();
    while let Some(Some(event)) = reader.next().now_or_never() {
        let text = String::from_utf8(event.to_vec()).unwrap();
        let id = text.lines().find_map(|line| line.strip_prefix("id: "));
        seen.push(id.and_then(|id| id.split_once('.')).map_or(text.clone(), |(_, number)| number.to_owned()));
    }
    seen
}

#[tokio::test]
async fn the_oldest_messages_go_first_and_the_newest_never() {
    let streams = Streams::new(Replay { events: 3, bytes: 8 * 1000, ..Replay::default() });
    let recorded = streams.begin(session()).unwrap();
    for _ in 0..5 {
        recorded.record(Said::Message(b"{}".to_vec())).await;
    }
    assert_eq!(behind(&mut Reader::new(recorded.clone(), 0)), ["0", "3", "4", "5"]);
    assert_eq!(behind(&mut Reader::new(recorded.clone(), 4)), ["4", "5"]);
    recorded.push(&[b' '; 5000]);
    assert_eq!(behind(&mut Reader::new(recorded.clone(), 0)), ["0", "6"], "larger than all, and kept alone");
    recorded.end();
    assert_eq!(streams.bytes.load(Ordering::Relaxed), OVERHEAD + recorded.state.lock().bytes);
}

#[tokio::test(start_paused = true)]
async fn ended_streams_are_forgotten_by_age() {
    let streams = Streams::new(Replay::default());
    let recorded = streams.begin(session()).unwrap();
    let id = recorded.id(0);
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert!(streams.resume(&session(), &id).is_some(), "it runs still");
    recorded.end();
    tokio::time::advance(Duration::from_secs(59)).await;
    assert!(streams.resume(&session(), &id).is_some());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(streams.resume(&session(), &id).is_none());
    assert_eq!(streams.bytes.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn without_room_ended_streams_go_and_running_ones_stay() {
    let streams = Streams::new(Replay { bytes: 2 * OVERHEAD, ..Replay::default() });
    let (one, two) = (streams.begin(session()).unwrap(), streams.begin(session()).unwrap());
    assert!(streams.begin(session()).is_none(), "two run already");
    one.end();
    assert!(streams.begin(session()).is_some() && streams.resume(&session(), &one.id(0)).is_none());
    assert!(streams.resume(&session(), &two.id(0)).is_some());
}

#[tokio::test]
async fn all_streams_together_keep_no_more_than_they_may() {
    let most = 16_000;
    let streams = Streams::new(Replay { bytes: most, ..Replay::default() });
    let say = async |recorded: &Recorded| recorded.record(Said::Message(vec![b' '; 1000])).await;
    let running: Vec<_> = (0..10).map(|_| streams.begin(session()).unwrap()).collect();
    for recorded in running.iter().cycle().take(100) {
        say(recorded).await;
        assert!(streams.bytes.load(Ordering::Relaxed) <= most);
    }
    // What was lost is not passed over in silence.
    let known = |recorded: &Arc<Recorded>| streams.resume(&session(), &recorded.id(0)).is_some();
    let lost = running.iter().filter(|recorded| !known(recorded)).count();
    assert!((1..10).contains(&lost), "{lost} of 10");
    // Somebody who reads gets every message.
    let said = running[0].state.lock().said;
    let mut reader = Reader::new(running[0].clone(), said);
    behind(&mut reader);
    for _ in 0..20 {
        say(&running[0]).await;
        assert_eq!(behind(&mut reader).len(), 1);
    }
    // What ended makes room.
    running.iter().for_each(|recorded| recorded.end());
    let late = streams.begin(session()).unwrap();
    for _ in 0..2 {
        say(&late).await;
    }
    assert!(known(&late) && streams.bytes.load(Ordering::Relaxed) <= most);
}

#[tokio::test]
async fn a_writer_waits_for_a_reader_that_is_there_only() {
    let streams = Streams::new(Replay::default());
    let recorded = streams.begin(session()).unwrap();
    let mut reader = Reader::new(recorded.clone(), 0);
    let say = || recorded.record(Said::Message(b"{}".to_vec())).now_or_never();
    assert_eq!((0..100).filter_map(|_| say()).count() as u64, BEHIND);
    assert_eq!(behind(&mut reader).len() as u64, 1 + BEHIND);
    assert!(say().is_some());
    drop(reader);
    assert_eq!((0..1000).filter_map(|_| say()).count(), 1000);
}

#[test]
fn made_up_ids_are_unknown() {
    let streams = Streams::new(Replay::default());
    let id = streams.begin(session()).unwrap().id(0);
    for wrong in
        ["", ".", "x", &id[..id.len() - 1], &format!("{id}0"), &id.replace(".0", ".1"), &id.replace(".0", ".-1")]
    {
        let known = wrong == format!("{id}0"); // `00` is a number too
        assert_eq!(streams.resume(&session(), wrong).is_some(), known, "{wrong}");
    }
}
