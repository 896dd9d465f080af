//! Lines to disks that are well, that hang and that are full. A FIFO is all three.

use std::process::Command;

use tempfile::TempDir;
use tokio::{
    io::AsyncReadExt,
    net::unix::pipe::{OpenOptions, Receiver},
};

use super::*;

fn file() -> (TempDir, Arc<Log>, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let log = Arc::new(Log::open(&path).unwrap());
    (folder, log, path)
}

/// A log into a FIFO, and its reader: while there is none, writes fail; while it does not read, they hang.
fn fifo() -> (TempDir, Arc<Log>, PathBuf, Receiver) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let reader = OpenOptions::new().open_receiver(&path).unwrap();
    let log = Arc::new(Log::open(&path).unwrap());
    (folder, log, path, reader)
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
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert!(line["timestamp"].is_string(), "{line}");
    line["lost"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_line_is_in_the_file_when_its_writer_goes_on() {
    let (_folder, log, path) = file();
    let writers = (0..64).map(|writer| {
        let (log, path) = (log.clone(), path.clone());
        tokio::spawn(async move {
            for n in 0..50 {
                let line = format!("{writer}-{n}\n");
                log.append(line.as_bytes()).await.unwrap();
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(text.split_inclusive('\n').any(|found| found == line), "{line} is missing");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 64 * 50);
}

#[tokio::test]
async fn what_nobody_waited_for_is_written_too() {
    let (_folder, log, path) = file();
    for _ in 0..100 {
        log.note(b"x\n");
    }
    log.settled().await;
    assert_eq!(std::fs::read_to_string(&path).unwrap().len(), 200);
}

#[tokio::test]
async fn a_line_that_cannot_be_written_is_known_to_be_lost_and_the_next_one_says_so() {
    let (_folder, log, path, reader) = fifo();
    drop(reader);
    assert_eq!(log.append(b"a\n").await, Err(Lost));
    assert_eq!(log.append(b"b\n").await, Err(Lost));
    log.note(b"c\n");
    let mut reader = OpenOptions::new().open_receiver(&path).unwrap();
    assert_eq!(log.append(b"d\n").await, Ok(()));
    assert_eq!(log.append(b"e\n").await, Ok(()));
    let lines = lines(&mut reader, 3).await;
    assert_eq!((lost(&lines[0]), &lines[1..]), (3, &["d".to_owned(), "e".to_owned()][..]));
}

#[tokio::test]
async fn a_full_disk_loses_no_line_in_silence() {
    let log = Arc::new(Log::open(Path::new("/dev/full")).unwrap());
    assert_eq!(log.append(b"a\n").await, Err(Lost));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_broke_off_does_not_spoil_the_next() {
    let (_folder, log, path, reader) = fifo();
    let long = [vec![b'x'; 1 << 20], vec![b'\n']].concat();
    let writing = log.clone();
    let write = tokio::spawn(async move { writing.append(&long).await });
    let mut some = [0; 10];
    let mut reader = reader;
    reader.read_exact(&mut some).await.unwrap();
    drop(reader);
    assert_eq!(write.await.unwrap(), Err(Lost));
    let mut reader = OpenOptions::new().open_receiver(&path).unwrap();
    let write = tokio::spawn(async move { log.append(b"whole\n").await });
    let lines = lines(&mut reader, 3).await;
    assert!(lines[0].bytes().all(|byte| byte == b'x'), "the part of the first that was written");
    assert_eq!((lost(&lines[1]), lines[2].as_str()), (1, "whole"));
    assert_eq!(write.await.unwrap(), Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_disk_hangs_lines_nobody_waits_for_are_bounded_and_the_loss_is_told() {
    let (_folder, log, _path, mut reader) = fifo();
    let long = [vec![b'x'; 1 << 20], vec![b'\n']].concat();
    let writing = log.clone();
    let first = tokio::spawn(async move { writing.append(&long).await });
    // The first bytes show that the write is under way; it is longer than any pipe.
    reader.readable().await.unwrap();
    let noted = [&[b'n'; 999][..], b"\n"].concat();
    for _ in 0..2000 {
        log.note(&noted);
    }
    assert!(log.state.lock().next.lines.len() <= MAX_NOTED);
    let waiting = log.clone();
    let second = tokio::spawn(async move { waiting.append(b"waited for\n").await });
    let kept = MAX_NOTED / 1000;
    let lines = lines(&mut reader, 1 + 1 + kept + 1).await;
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (Ok(()), Ok(())));
    assert_eq!(lost(&lines[1]), 2000 - kept as u64);
    assert!(lines.contains(&"waited for".to_owned()));
}
