//! The log of a gateway: what is in it, that it can be verified, and that it goes on after whatever happened.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use micro_gateway::{AuditLocation, AuditReader, AuditText, Config};
use micro_policy::{
    Digest,
    audit::{Fault, Kept, Report, Verifier},
};
use micro_registry::MemoryRegistry;
use serde_json::json;
use tempfile::TempDir;

use crate::fixture::{Running, calls, start};

/// A gateway that records to this place.
async fn recording(to: &str, more: &str) -> Running {
    start(&format!("[audit]\nto = {to:?}\n{more}")).await
}

async fn keep(gateway: &Running, text: &str) -> u16 {
    let body = json!({"text": text}).to_string();
    gateway.send("POST", "/api/notes/Notes.Keep", &[], &body).await.status.as_u16()
}

/// Goes over a log as `micro audit verify` does.
fn verify(to: &str) -> Report {
    let mut reader = AuditReader::open(&to.parse().unwrap()).unwrap();
    let key = reader.key(None).unwrap();
    let kept = reader.kept().unwrap();
    let kept = match &kept {
        None => Kept::Nothing,
        Some(None) => Kept::Missing,
        Some(Some(line)) => Kept::Checkpoint(line),
    };
    let mut verifier = Verifier::new(key, kept);
    while let Some(text) = reader.read().unwrap() {
        match text {
            AuditText::Segment(name) => verifier.segment(&name),
            AuditText::Line(line) => verifier.line(&line),
        }
    }
    verifier.torn(reader.torn());
    verifier.end()
}

fn folder() -> (TempDir, String) {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("audit").display().to_string();
    (temp, path)
}

fn segments(folder: &str) -> Vec<std::path::PathBuf> {
    let mut all: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    all.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    all.sort();
    all
}

#[tokio::test]
async fn a_record_says_what_was_asked_what_was_decided_and_what_came_of_it() {
    let (_temp, to) = folder();
    let gateway = recording(&to, "").await;
    let answer = gateway.send("POST", "/api/notes/Notes.Keep", &[], r#"{"text":"a"}"#).await;
    gateway.send("POST", "/api/notes/Notes.Keep", &[], r#"{"text":7}"#).await;
    gateway.stop().await;
    let records = calls(&to.parse().unwrap());
    let [kept, refused] = &records[..] else { panic!("{records:?}") };
    assert_eq!(kept["arguments_digest"], Digest::of(br#"{"text":"a"}"#).to_string());
    assert_eq!(kept["result_digest"], Digest::of(answer.text.as_bytes()).to_string());
    let steps = |record: &serde_json::Value| -> Vec<String> {
        record["decisions"].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(steps(kept), ["authorize", "validate", "upstream"]);
    assert_eq!((&kept["rule"], &kept["arguments"]), (&json!("scopes:service"), &json!(null)));
    assert_eq!(steps(refused), ["authorize", "validate"]);
    assert_eq!((&refused["rule"], &refused["result_digest"]), (&json!("schema"), &json!(null)));
}

#[tokio::test]
async fn arguments_are_kept_where_that_is_configured_without_what_must_not_be() {
    let (_temp, to) = folder();
    let gateway = recording(&to, "arguments = true\nredact = [\"text\"]").await;
    gateway.send("POST", "/api/notes/Notes.Keep", &[], r#"{"text":"private","stars":3,"token":"hunter2"}"#).await;
    let log = fs::read_to_string(&segments(&to)[0]).unwrap();
    gateway.stop().await;
    assert!(log.contains(r#""arguments":{"text":"[redacted]","stars":3,"token":"[redacted]"}"#), "{log}");
    assert!(!log.contains("hunter2") && !log.contains("private"), "{log}");
}

#[tokio::test]
async fn every_place_keeps_a_log_that_can_be_verified_and_goes_on_after_a_restart() {
    let temp = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", temp.path().join("audit.db").display());
    let folder = temp.path().join("folder").display().to_string();
    for to in [&database, &folder] {
        for round in 1..=3 {
            let gateway = recording(to, "").await;
            for _ in 0..5 {
                assert_eq!(keep(&gateway, "a").await, 200);
            }
            gateway.stop().await;
            let report = verify(to);
            assert!(report.is_good(), "{to} {round}: {report:?}");
            assert_eq!((report.calls, report.torn, report.lost), (round * 5, 0, 0), "{to}");
            assert_eq!(report.signed + 1, report.lines, "the last line is a checkpoint of all others");
        }
    }
}

#[tokio::test]
async fn segments_are_rotated_by_size_and_hang_together() {
    let (_temp, to) = folder();
    let gateway = recording(&to, "segment_size = 4096").await;
    for _ in 0..50 {
        assert_eq!(keep(&gateway, "a").await, 200);
    }
    gateway.stop().await;
    let files = segments(&to);
    assert!(files.len() > 5, "{files:?}");
    assert!(files.iter().all(|file| file.metadata().unwrap().len() < 4096 + 2048));
    let report = verify(&to);
    assert!(report.is_good(), "{report:?}");
    assert_eq!((report.calls, report.segments), (50, files.len() as u64));
    fs::remove_file(&files[2]).unwrap();
    let found = verify(&to).found;
    assert!(matches!(found[..], [ref one] if matches!(one.fault, Fault::Missing { .. })), "{found:?}");
}

#[tokio::test]
async fn the_folder_and_the_key_are_for_their_owner_alone() {
    let (_temp, to) = folder();
    recording(&to, "").await.stop().await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(Path::new(&to)), 0o700);
    assert_eq!(mode(&Path::new(&to).join("checkpoint.key")), 0o600);
    assert_eq!(mode(&segments(&to)[0]), 0o600);
    assert_eq!(mode(&Path::new(&to).join("checkpoint.json")), 0o600);
}

#[tokio::test]
async fn a_second_gateway_is_told_that_the_log_is_taken() {
    let temp = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", temp.path().join("audit.db").display());
    let folder = temp.path().join("folder").display().to_string();
    for to in [database, folder] {
        let first = recording(&to, "").await;
        let mut config = Config::default();
        config.address.set_port(0);
        config.audit.to = Some(to.parse().unwrap());
        let refused = config.clone().build(Arc::new(MemoryRegistry::default())).await;
        let error = refused.err().expect("the log is taken").to_string();
        assert!(error.contains(&to) && error.contains("another gateway writes this log"), "{error}");
        first.stop().await;
        // The thread that wrote the last record lets go of the log a moment after it has said so.
        let free = async {
            while config.clone().build(Arc::new(MemoryRegistry::default())).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), free).await.expect("it is free again");
    }
}

#[tokio::test]
async fn a_line_that_was_not_finished_is_taken_away_and_told() {
    let (_temp, to) = folder();
    let gateway = recording(&to, "").await;
    keep(&gateway, "a").await;
    gateway.stop().await;
    let file = segments(&to).pop().unwrap();
    let mut text = fs::read(&file).unwrap();
    text.extend_from_slice(br#"{"seq":99,"kind":"call","tra"#);
    fs::write(&file, text).unwrap();
    let before = verify(&to);
    assert!(before.is_good() && before.torn == 28, "no call was answered for it: {before:?}");
    let gateway = recording(&to, "").await;
    keep(&gateway, "b").await;
    gateway.stop().await;
    let report = verify(&to);
    assert!(report.is_good() && report.calls == 2, "{report:?}");
    assert!(fs::read_to_string(&file).unwrap().contains(r#""torn":28"#));
}

#[tokio::test]
async fn what_was_cut_off_before_a_start_stays_known_after_it() {
    let (_temp, to) = folder();
    let gateway = recording(&to, "").await;
    for _ in 0..5 {
        keep(&gateway, "a").await;
    }
    gateway.stop().await;
    let file = segments(&to).pop().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let all = lines.len() as u64;
    fs::write(&file, lines[..5].concat()).unwrap();
    assert_eq!(verify(&to).found[0].fault, Fault::Cut { from: 6, through: all });
    // A new start signs what is left; that it was less than before is in the log for good.
    recording(&to, "").await.stop().await;
    assert_eq!(verify(&to).found[0].fault, Fault::Unconfirmed { through: all });
}

#[tokio::test]
async fn a_log_whose_end_is_none_is_not_gone_on_with() {
    let (_temp, to) = folder();
    recording(&to, "").await.stop().await;
    let file = segments(&to).pop().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}what is this?\n")).unwrap();
    let config = Config { audit: toml::from_str(&format!("to = {to:?}")).unwrap(), ..Config::default() };
    let error = config.core(Arc::new(MemoryRegistry::default()), false).err().unwrap().to_string();
    assert!(error.contains("no audit log") && error.contains("micro audit verify"), "{error}");
}

#[tokio::test]
async fn a_file_where_a_folder_should_be_is_left_alone() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let to = AuditLocation::Folder(file.path().to_owned());
    let mut config = Config::default();
    config.audit.to = Some(to);
    let error = config.core(Arc::new(MemoryRegistry::default()), false).err().unwrap().to_string();
    assert!(error.contains("an audit log is a folder"), "{error}");
}

#[tokio::test]
async fn a_log_is_signed_while_the_gateway_runs() {
    let (_temp, to) = folder();
    let gateway = recording(&to, "").await;
    keep(&gateway, "a").await;
    let signed = async {
        while verify(&to).signed < verify(&to).calls + 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), signed).await.expect("a checkpoint in time");
    gateway.stop().await;
}
