//! Captures are read back as they were written, without secrets, and garbage is an error.

use http::HeaderValue;
use serde_json::json;

use super::*;

const HEAD: &str = r#"{"micro-capture":1,"transport":"pipe","recorded":"2026-11-21T00:00:00Z"}"#;

#[test]
fn what_is_written_is_read_back_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    let recorder = Recorder::create(&path, Transport::Http, vec!["password".into()]).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("authorization", "Bearer s3cret"),
        ("cookie", "s3cret"),
        ("x-api-key", "s3cret"),
        ("x-other", "s3cret"),
        ("mcp-session-id", "s3cret"),
        ("mcp-param-region", "eu"),
        ("accept", "application/json"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let http = Http { method: Some("POST".into()), headers: recorder.headers(&headers), ..Http::default() };
    let message = json!({"id": 1, "params": {"a": [{"password": "s3cret", "user": "ada"}]}});
    recorder.note(Entry { http: Some(http), message: Some(message), ..Entry::new(Side::Client) }.of(1));
    recorder.note(Entry::said(Side::Server, b"no json\n").of(1));
    recorder.note(Entry { end: true, ..Entry::new(Side::Server) }.of(1));
    assert_eq!(recorder.finish().unwrap(), 3);

    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("s3cret"), "{text}");
    let capture = Capture::read(&path).unwrap();
    assert_eq!(capture.head.transport, Transport::Http);
    let kept = &capture.entries[0].http.as_ref().unwrap().headers;
    assert_eq!(
        Value::Object(kept.clone()),
        json!({
            "authorization": REDACTED, "cookie": REDACTED, "x-api-key": REDACTED,
            "mcp-session-id": "session-1", "mcp-param-region": "eu", "accept": "application/json",
        })
    );
    assert_eq!(capture.entries[0].message.as_ref().unwrap()["params"]["a"][0]["user"], "ada");
    assert_eq!(capture.entries[1].text.as_deref(), Some("no json"));
    assert!(capture.entries[2].end);
}

#[test]
fn what_is_no_capture_is_told_with_its_line() {
    for (text, told) in [
        ("", "no `micro-capture`"),
        ("{}", "no `micro-capture`"),
        ("[1]", "no `micro-capture`"),
        ("not json", "no `micro-capture`"),
        (r#"{"micro-capture":99}"#, "version 99"),
        (r#"{"micro-capture":1,"transport":"pigeon","recorded":""}"#, "line 1"),
        (&format!("{HEAD}\n\n{{\"at\":1}}"), "line 3"),
        (&format!("{HEAD}\n{{\"at\":-1,\"from\":\"client\"}}"), "line 2"),
        (&format!("{HEAD}\n{{\"at\":1,\"from\":\"nobody\"}}"), "line 2"),
    ] {
        let error = Capture::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(told), "{text}: {error}");
    }
}

/// A plain generator, so that a failure can be had again from its number.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 1).unwrap_or(0) % sides
    }
}

#[test]
fn garbage_is_an_error_and_never_a_panic() {
    let entry =
        r#"{"at":7,"from":"client","exchange":1,"http":{"method":"POST","headers":{"accept":"x"}},"message":{"id":1}}"#;
    let whole = format!("{HEAD}\n{entry}\n{entry}\n");
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut bytes = whole.clone().into_bytes();
        for _ in 0..=dice.roll(4) {
            let at = dice.roll(bytes.len().max(1));
            if bytes.is_empty() {
                break;
            }
            match dice.roll(4) {
                0 => bytes[at] = u8::try_from(dice.roll(256)).unwrap(),
                1 => drop(bytes.remove(at)),
                2 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, b"{}[],:\"\n\\0"[dice.roll(10)]),
            }
        }
        match Capture::parse(&bytes) {
            Ok(_) => read += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(read > 100 && refused > 1000, "{read} read, {refused} refused: the dice reach both sides");
    let deep = format!("{HEAD}\n{{\"at\":1,\"from\":\"client\",\"message\":{}", "[".repeat(100_000));
    assert!(Capture::parse(deep.as_bytes()).is_err());
}
