//! Records to disks that are well, that hang and that are full. A FIFO is all three.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use micro_policy::audit::Entry;
use tempfile::TempDir;
use tokio::{
    io::AsyncReadExt,
    net::unix::pipe::{OpenOptions, Receiver},
};

use super::{
    super::{folder::Folder, sink::Resumed, stream::Stream},
    *,
};

fn folder() -> (TempDir, Arc<Log>, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let (sink, resumed) = Folder::open(temp.path(), 1 << 30).unwrap();
    let log = Arc::new(Log::new("folder".into(), Chained::new(Box::new(sink), resumed, None)));
    let path = temp.path().join("000000000001.jsonl");
    (temp, log, path)
}

fn stream(path: &Path) -> Arc<Log> {
    let sink = Box::new(Stream::open(path).unwrap());
    Arc::new(Log::new("stream".into(), Chained::new(sink, Resumed::default(), None)))
}

/// A log into a FIFO, and its reader: while there is none, writes fail; while it does not read, they hang.
fn fifo() -> (TempDir, Arc<Log>, PathBuf, Receiver) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let reader = OpenOptions::new().open_receiver(&path).unwrap();
    let log = stream(&path);
    (folder, log, path, reader)
}

fn record(text: &str) -> Vec<u8> {
    format!("{{\"kind\":\"test\",\"n\":\"{text}\"}}\n").into_bytes()
}

/// Reads until there are so many lines.
async fn lines(reader: &mut Receiver, count: usize) -> Vec<String> {
    let mut text = Vec::new();
    while text.iter().filter(|byte| **byte == b'\n').count() < count {
        assert_ne!(reader.read_buf(&mut text).await.unwrap(), 0);
    }
    String::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
}

/// What a line says was lost.
fn lost(line: &str) -> u64 {
    match Entry::parse(line.as_bytes()) {
        Some(Entry::Lost { lost, .. }) => lost,
        other => panic!("{other:?}"),
    }
}

/// The texts of the records among these lines.
fn texts<'a>(lines: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let json = lines.into_iter().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    json.filter_map(|line| Some(line["n"].as_str()?.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_record_is_in_the_file_when_its_writer_goes_on() {
    let (_folder, log, path) = folder();
    let writers = (0..64).map(|writer| {
        let (log, path) = (log.clone(), path.clone());
        tokio::spawn(async move {
            for n in 0..20 {
                log.append(&record(&format!("{writer}-{n}"))).await.unwrap();
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(text.contains(&format!("\"n\":\"{writer}-{n}\"")), "{writer}-{n} is missing");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let lines = std::fs::read_to_string(&path).unwrap().lines().count();
    assert_eq!(lines, 2 + 64 * 20, "with the segment's first line and the start");
}

#[tokio::test]
async fn what_nobody_waited_for_is_written_too() {
    let (_folder, log, path) = folder();
    for _ in 0..100 {
        log.note(&record("x"));
    }
    log.finish(&record("end")).await.unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2 + 101);
}

#[tokio::test]
async fn a_record_that_cannot_be_written_is_known_to_be_lost_and_the_next_one_says_so() {
    let (_folder, log, path, reader) = fifo();
    drop(reader);
    assert_eq!(log.append(&record("a")).await, Err(Lost));
    assert_eq!(log.append(&record("b")).await, Err(Lost));
    log.note(&record("c"));
    let mut reader = OpenOptions::new().open_receiver(&path).unwrap();
    assert_eq!(log.append(&record("d")).await, Ok(()));
    assert_eq!(log.append(&record("e")).await, Ok(()));
    // An empty one ends whatever may stand before it.
    let lines: Vec<_> = lines(&mut reader, 5).await.into_iter().filter(|line| !line.is_empty()).collect();
    assert!(matches!(Entry::parse(lines[0].as_bytes()), Some(Entry::Start { .. })));
    assert_eq!((lost(&lines[1]), texts(&lines)), (3, vec!["d".to_owned(), "e".to_owned()]));
}

#[tokio::test]
async fn a_full_disk_loses_no_record_in_silence() {
    let log = stream(Path::new("/dev/full"));
    assert_eq!(log.append(&record("a")).await, Err(Lost));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_broke_off_does_not_spoil_the_next() {
    let (_folder, log, path, mut reader) = fifo();
    let long = record(&"x".repeat(1 << 20));
    let writing = log.clone();
    let write = tokio::spawn(async move { writing.append(&long).await });
    let mut some = [0; 10];
    reader.read_exact(&mut some).await.unwrap();
    drop(reader);
    assert_eq!(write.await.unwrap(), Err(Lost));
    let mut reader = OpenOptions::new().open_receiver(&path).unwrap();
    let write = tokio::spawn(async move { log.append(&record("whole")).await });
    let lines = lines(&mut reader, 5).await;
    assert!(Entry::parse(lines[1].as_bytes()).is_none(), "the part of the first that was written");
    assert_eq!((lost(&lines[3]), texts(&lines)), (1, vec!["whole".to_owned()]));
    assert_eq!(write.await.unwrap(), Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_disk_hangs_records_nobody_waits_for_are_bounded_and_the_loss_is_told() {
    let (_folder, log, _path, mut reader) = fifo();
    let long = record(&"x".repeat(1 << 20));
    let writing = log.clone();
    let first = tokio::spawn(async move { writing.append(&long).await });
    // The first bytes show that the write is under way; it is longer than any pipe.
    reader.readable().await.unwrap();
    let noted = record(&"n".repeat(1000));
    for _ in 0..2000 {
        log.note(&noted);
    }
    assert!(log.state.lock().next.records.len() <= MAX_NOTED);
    let waiting = log.clone();
    let second = tokio::spawn(async move { waiting.append(&record("waited for")).await });
    tokio::task::yield_now().await;
    assert!(!first.is_finished() && !second.is_finished(), "who waits for a record waits for the disk");
    let kept = MAX_NOTED / noted.len();
    let lines = lines(&mut reader, 2 + 1 + kept + 1).await;
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (Ok(()), Ok(())));
    assert_eq!(lost(&lines[2]), 2000 - kept as u64);
    assert!(texts(&lines).contains(&"waited for".to_owned()));
}
